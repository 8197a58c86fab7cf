package finding

import "fmt"

// Verdict is what the findings of a subject amount to.
type Verdict uint8

// Verdicts, in rising order.
const (
	Clean Verdict = iota
	Review
	Block
)

var verdictNames = [...]string{"clean", "review", "block"}

// String gives the word that reports use.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// MarshalText implements encoding.TextMarshaler.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Verdict) UnmarshalText(b []byte) error {
	for i, n := range verdictNames {
		if n == string(b) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("verdict %q: want one of clean, review, block", b)
}

// Coverage says how much of a subject was seen. It is apart from the verdict.
type Coverage uint8

// Coverages, in rising order of what is missing.
const (
	Complete Coverage = iota
	Incomplete
	Unsupported
)

var coverageNames = [...]string{"complete", "incomplete", "unsupported"}

// String gives the word that reports use.
func (c Coverage) String() string {
	if int(c) < len(coverageNames) {
		return coverageNames[c]
	}
	return fmt.Sprintf("coverage(%d)", uint8(c))
}

// MarshalText implements encoding.TextMarshaler.
func (c Coverage) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Coverage) UnmarshalText(b []byte) error {
	for i, n := range coverageNames {
		if n == string(b) {
			*c = Coverage(i)
			return nil
		}
	}
	return fmt.Errorf("coverage %q: want one of complete, incomplete, unsupported", b)
}

// VerdictOf computes the verdict: block where a finding of severity high or
// critical has at least medium confidence; review where a finding is medium or
// worse, or where the subject was not wholly seen; clean otherwise.
// Waived findings do not count.
func VerdictOf(findings []Finding, coverage Coverage) Verdict {
	v := Clean
	if coverage != Complete {
		v = Review
	}
	for i := range findings {
		if findings[i].Blocks() {
			return Block
		}
		if findings[i].Reviews() {
			v = Review
		}
	}
	return v
}
