package finding

import (
	"fmt"
	"time"
)

// Waiver takes one finding out of the verdict, by exact fingerprint, with a
// reason and until a time. A waived finding stays in the report.
type Waiver struct {
	Fingerprint string    `json:"fingerprint" yaml:"fingerprint"`
	Reason      string    `json:"reason" yaml:"reason"`
	Expires     time.Time `json:"expires" yaml:"expires"`
	By          string    `json:"by,omitempty" yaml:"by,omitempty"`
}

// Waived says on a finding which waiver applied.
type Waived struct {
	Reason  string    `json:"reason"`
	Expires time.Time `json:"expires"`
	By      string    `json:"by,omitempty"`
}

// CheckWaivers refuses a list in which a waiver lacks fingerprint, reason or
// expiry, or stands twice.
func CheckWaivers(waivers []Waiver) error {
	seen := map[string]bool{}
	for i, w := range waivers {
		switch {
		case len(w.Fingerprint) != 32:
			return fmt.Errorf("waiver %d: fingerprint %q: want the 32 hex digits that the report prints", i+1, w.Fingerprint)
		case w.Reason == "":
			return fmt.Errorf("waiver %d (%s): a reason is required", i+1, w.Fingerprint)
		case w.Expires.IsZero():
			return fmt.Errorf("waiver %d (%s): an expiry is required (RFC 3339)", i+1, w.Fingerprint)
		case seen[w.Fingerprint]:
			return fmt.Errorf("waiver %d (%s): stands twice", i+1, w.Fingerprint)
		}
		seen[w.Fingerprint] = true
	}
	return nil
}

// Waive marks the findings that a waiver covers at the time now and computes
// the verdict anew. Expired waivers do nothing. Coverage cannot be waived.
func (r *Result) Waive(waivers []Waiver, now time.Time) {
	if len(waivers) == 0 || len(r.Findings) == 0 {
		return
	}
	for i := range r.Findings {
		for _, w := range waivers {
			if w.Fingerprint == r.Findings[i].Fingerprint && now.Before(w.Expires) {
				r.Findings[i].Waiver = &Waived{Reason: w.Reason, Expires: w.Expires, By: w.By}
			}
		}
	}
	r.Verdict = VerdictOf(r.Findings, r.Coverage)
}
