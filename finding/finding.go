// Package finding holds the one shape in which every detector says what it
// found: a finding with its rule, place and evidence; the verdict that findings
// amount to; and, apart from it, the coverage that says how much was seen.
//
// A verdict is computed from findings and coverage alone (see VerdictOf), so
// that anybody can replay it from a report.
package finding

import "fmt"

// Severity says how bad the fact is if it is true.
type Severity uint8

// Severities, in rising order.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String gives the word that reports use.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(b []byte) error {
	for i, n := range severityNames {
		if n == string(b) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("severity %q: want one of info, low, medium, high, critical", b)
}

// Confidence says how sure the detector is that the fact is true.
type Confidence uint8

// Confidences, in rising order. The zero value means that the rule's own applies.
const (
	ConfidenceDefault Confidence = iota
	ConfidenceLow
	ConfidenceMedium
	ConfidenceHigh
)

var confidenceNames = [...]string{"", "low", "medium", "high"}

// String gives the word that reports use.
func (c Confidence) String() string {
	if int(c) < len(confidenceNames) {
		return confidenceNames[c]
	}
	return fmt.Sprintf("confidence(%d)", uint8(c))
}

// MarshalText implements encoding.TextMarshaler.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Confidence) UnmarshalText(b []byte) error {
	for i, n := range confidenceNames {
		if n == string(b) && i > 0 {
			*c = Confidence(i)
			return nil
		}
	}
	return fmt.Errorf("confidence %q: want one of low, medium, high", b)
}

// Place says where a fact stands. Only the fields that fit are set.
type Place struct {
	// Path is the subject's id, with virtual members after "!/".
	Path string `json:"path,omitempty"`
	// Offset and Length are bytes within the innermost member.
	Offset *int64 `json:"offset,omitempty"`
	Length *int64 `json:"length,omitempty"`
	// Line and Column count from 1.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Row counts records from 0.
	Row   *int64 `json:"row,omitempty"`
	Field string `json:"field,omitempty"`
	// Pointer is an RFC 6901 JSON pointer.
	Pointer string `json:"pointer,omitempty"`
}

// At is the place of n bytes at offset off in the member path.
func At(path string, off, n int64) Place {
	return Place{Path: path, Offset: &off, Length: &n}
}

// Finding is one fact that a detector can show evidence for.
type Finding struct {
	// Rule is the catalogued reason, family/name.
	Rule       string     `json:"rule"`
	Severity   Severity   `json:"severity"`
	Confidence Confidence `json:"confidence"`
	Place      Place      `json:"place"`
	Message    string     `json:"message"`
	// Evidence holds what shows the fact; its keys are documented by the rule.
	// Values are strings, numbers, booleans, and slices and maps of those.
	Evidence map[string]any `json:"evidence,omitempty"`
	// Count is how often the same fact was seen; Last is the place of the last one.
	Count int    `json:"count"`
	Last  *Place `json:"last,omitempty"`
	// Fingerprint is stable for the same fact in the same file wherever the file lies.
	Fingerprint string   `json:"fingerprint"`
	References  []string `json:"references,omitempty"`
	// Waiver is set where a waiver took the finding out of the verdict.
	Waiver *Waived `json:"waiver,omitempty"`

	// Identity is mixed into the fingerprint: what Evidence shows only in part
	// (a digest of long arguments, say). It is never printed.
	Identity string `json:"-"`
}

// Blocks says whether this finding alone makes the verdict block.
func (f *Finding) Blocks() bool {
	return f.Waiver == nil && f.Severity >= High && f.Confidence != ConfidenceLow
}

// Reviews says whether this finding alone makes the verdict at least review.
func (f *Finding) Reviews() bool {
	return f.Waiver == nil && f.Severity >= Medium
}
