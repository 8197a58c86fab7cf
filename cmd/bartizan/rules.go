package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"bartizan/attest"
	"bartizan/detect/artifact"
	"bartizan/finding"
	"bartizan/record/lineage"
)

type rulesCmd struct{ listing }

// catalogue joins the rules of every engine in this binary.
func catalogue() (*finding.Catalogue, error) {
	engine, err := artifact.New(artifact.Options{})
	if err != nil {
		return nil, err
	}
	return finding.NewCatalogue(engine.Rules(), attest.Rules(), lineage.Rules())
}

func (c *rulesCmd) Run(e *env) error {
	cat, err := catalogue()
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return printJSON(e.out, map[string]any{"rules": cat.Rules()})
	}
	rows := [][]string{{"RULE", "SEVERITY", "CONFIDENCE", "TITLE"}}
	for _, r := range cat.Rules() {
		rows = append(rows, []string{r.ID, r.Severity.String(), r.Confidence.String(), r.Title})
	}
	return printRows(e.out, rows)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printRows aligns all columns but the last.
func printRows(w io.Writer, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if i == len(row)-1 {
				fmt.Fprintln(&b, cell)
				break
			}
			fmt.Fprintf(&b, "%-*s  ", widths[i], cell)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
