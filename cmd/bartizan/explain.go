package main

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"bartizan/attest"
	"bartizan/finding"
)

type explainCmd struct {
	listing
	Rule string `arg:"" help:"The rule's id, as reports and bartizan rules give it; or a reason code such as OMS_DIGEST_MISMATCH."`
}

func (c *explainCmd) Run(e *env) error {
	cat, err := catalogue()
	if err != nil {
		return err
	}
	id := c.Rule
	code, isCode := reasonCode(c.Rule)
	if isCode {
		id = code.Rule
	}
	rule, ok := cat.Rule(id)
	if !ok {
		return unknownRule(c.Rule, cat)
	}
	if c.Format == "json" && isCode {
		return printJSON(e.out, struct {
			Code    string `json:"code"`
			Meaning string `json:"meaning"`
			finding.Rule
		}{string(code.Code), code.Text, rule})
	}
	if c.Format == "json" {
		return printJSON(e.out, rule)
	}
	width, _ := isTerminal(e.out)
	if width == 0 || width > 100 {
		width = 100
	}
	said := explanation(&rule, width)
	if isCode {
		said = fill(string(code.Code)+": "+code.Text+".", width) + "\n\n" + said
	}
	_, err = io.WriteString(e.out, said)
	return err
}

// reasonCode finds a code of refusals.
func reasonCode(typed string) (attest.Meaning, bool) {
	for _, m := range attest.Codes() {
		if string(m.Code) == strings.ToUpper(typed) {
			return m, true
		}
	}
	return attest.Meaning{}, false
}

func explanation(r *finding.Rule, width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", r.ID, r.Title)
	fmt.Fprintf(&b, "severity    %s\nconfidence  %s\n\n", r.Severity, r.Confidence)
	fmt.Fprintf(&b, "%s\n\nWhat to do\n%s\n", fill(r.Help, width), fill(r.Remediation, width))
	if len(r.Evidence) > 0 {
		b.WriteString("\nEvidence\n")
		keys := make([]string, 0, len(r.Evidence))
		longest := 0
		for k := range r.Evidence {
			keys = append(keys, k)
			longest = max(longest, len(k))
		}
		sort.Strings(keys)
		for _, k := range keys {
			fmt.Fprintf(&b, "  %-*s  %s\n", longest, k, r.Evidence[k])
		}
	}
	if len(r.References) > 0 {
		b.WriteString("\nReferences\n")
		for _, ref := range r.References {
			fmt.Fprintf(&b, "  %s\n", reference(ref))
		}
	}
	return b.String()
}

func reference(ref string) string {
	at := finding.ReferenceURL(ref)
	if name, ok := finding.ReferenceName(ref); ok {
		return ref + " " + name + "  " + at
	}
	if at == ref {
		return ref
	}
	return ref + "  " + at
}

// fill breaks text between words.
func fill(s string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(s) {
		if column > 0 && column+1+len(word) > width {
			b.WriteByte('\n')
			column = 0
		} else if column > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// unknownRule names the rules that may have been meant: those that hold what
// was typed, else those that are few letters away.
func unknownRule(typed string, cat *finding.Catalogue) error {
	type near struct {
		id   string
		cost int
	}
	var list []near
	low := strings.ToLower(typed)
	for _, r := range cat.Rules() {
		_, name, _ := strings.Cut(r.ID, "/")
		cost := min(distance(low, r.ID), distance(low, name))
		if low != "" && strings.Contains(r.ID, low) {
			cost = 0
		}
		if cost <= max(2, len(low)/3) {
			list = append(list, near{r.ID, cost})
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].cost < list[j].cost })
	if len(list) == 0 {
		return usagef("no rule %q: bartizan rules lists them", typed)
	}
	var ids []string
	for _, n := range list[:min(len(list), 5)] {
		ids = append(ids, n.id)
	}
	return usagef("no rule %q: did you mean %s?", typed, strings.Join(ids, ", "))
}

// distance is Levenshtein's, over bytes, of words cut to 64.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
