package main

import (
	"strings"

	"bartizan/detect/artifact"
)

type formatsCmd struct{ listing }

// Help says what the list does not.
func (formatsCmd) Help() string {
	return "Formats are recognised by content. Extensions are only where such content is expected: content under another name is scanned all the same."
}

type formatRow struct {
	Name       string   `json:"name"`
	Title      string   `json:"title"`
	Extensions []string `json:"extensions"`
	Rules      []string `json:"rules"`
}

func (c *formatsCmd) Run(e *env) error {
	engine, err := artifact.New(artifact.Options{})
	if err != nil {
		return err
	}
	list := []formatRow{}
	for _, f := range engine.Formats() {
		row := formatRow{Name: f.Name(), Title: f.Title(), Extensions: append([]string{}, f.Extensions()...), Rules: []string{}}
		for _, r := range f.Rules() {
			row.Rules = append(row.Rules, r.ID)
		}
		list = append(list, row)
	}
	if c.Format == "json" {
		return printJSON(e.out, map[string]any{"formats": list})
	}
	rows := [][]string{{"FORMAT", "TITLE", "EXTENSIONS"}}
	for _, f := range list {
		rows = append(rows, []string{f.Name, f.Title, strings.Join(f.Extensions, " ")})
	}
	return printRows(e.out, rows)
}
