// Package magic recognises formats that are not analysed yet, by content where
// they have a signature and by name where they have none, so that a report says
// what a file is and that it was not looked into.
//
// It decides nothing about them: coverage is unsupported, the verdict at least
// review.
package magic

import (
	"context"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Kind is one recognised format of the table.
type Kind struct{ row }

// Formats lists the formats of the table.
func Formats() []format.Format {
	out := make([]format.Format, len(table))
	for i, r := range table {
		out[i] = Kind{r}
	}
	return out
}

// Name implements format.Format.
func (k Kind) Name() string { return k.name }

// Title implements format.Format.
func (k Kind) Title() string { return k.title }

// Extensions implements format.Format.
func (k Kind) Extensions() []string { return k.extensions }

// Rules implements format.Format.
func (k Kind) Rules() []finding.Rule { return nil }

// Match implements format.Format.
func (k Kind) Match(p *format.Probe) bool {
	for _, s := range k.signs {
		if s.in(p) {
			return true
		}
	}
	if k.start == nil {
		return false
	}
	for _, e := range k.extensions {
		if strings.HasSuffix(p.Name, e) && k.start(p.Head) {
			return true
		}
	}
	return false
}

// Scan implements format.Format. Data of this kind within a string or a gap is
// nothing that a loader would open, and is passed over.
func (k Kind) Scan(_ context.Context, a *format.Artifact) error {
	if a.Probed {
		return nil
	}
	detail := k.name
	if a.Depth > 0 {
		detail = a.Path + ": " + detail
	}
	a.Out.Unsupported("format-not-analysed", detail)
	return nil
}
