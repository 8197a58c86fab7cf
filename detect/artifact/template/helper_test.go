package template_test

import (
	"fmt"
	"path/filepath"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/template"
	"bartizan/finding"
)

func matches(name string, head []byte) bool {
	return template.New().Match(&format.Probe{Head: head, Size: int64(len(head)), Name: strings.ToLower(filepath.Base(name))})
}

// describe writes findings on one line.
func describe(r finding.Result) string {
	var parts []string
	for _, f := range r.Findings {
		parts = append(parts, fmt.Sprintf("[%s %s %s %s:%d %v]", f.Rule, f.Severity, f.Confidence, f.Place.Pointer, f.Place.Line, f.Evidence))
	}
	return strings.Join(parts, " ")
}
