package finding

import (
	"sort"
	"time"

	"bartizan/subject"
)

// Schema is the version of the report's shape. It only grows.
const Schema = "bartizan.report/v1"

// Tool says what made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Packs are the digests of the data that the engines read, by name.
	Packs map[string]string `json:"packs,omitempty"`
}

// SubjectReport is one subject with what was found in it.
type SubjectReport struct {
	Kind     subject.Kind `json:"kind"`
	ID       string       `json:"id"`
	Size     int64        `json:"size"`
	Digest   string       `json:"digest,omitempty"`
	Formats  []string     `json:"formats,omitempty"`
	Verdict  Verdict      `json:"verdict"`
	Coverage Coverage     `json:"coverage"`
	Reasons  []string     `json:"reasons"`
	Score    *float64     `json:"score,omitempty"`
	Findings []Finding    `json:"findings"`
	Decision *Decision    `json:"decision,omitempty"`
	// Detail is what a verb has to say of the subject beyond findings; docs name
	// its keys for each verb.
	Detail map[string]any `json:"detail,omitempty"`
	// Decompiled are programs within the subject as readable pseudo-code, where
	// that was asked for.
	Decompiled []Listing `json:"decompiled,omitempty"`
}

// Listing is one program within a subject (a pickle stream, a code object),
// written for people: nothing that is decided depends on its text.
type Listing struct {
	// Path is the subject's id, with virtual members after "!/".
	Path string `json:"path"`
	Text string `json:"text"`
}

// Decision is what policy said of the subject, where a policy ran.
type Decision struct {
	Action  string   `json:"action"`
	Reasons []string `json:"reasons"`
	Policy  string   `json:"policy"`
	Input   string   `json:"input"`
}

// Summary counts subjects. Incomplete counts coverage other than complete.
type Summary struct {
	Subjects   int `json:"subjects"`
	Clean      int `json:"clean"`
	Review     int `json:"review"`
	Block      int `json:"block"`
	Incomplete int `json:"incomplete"`
}

// Add counts one subject.
func (s *Summary) Add(r *SubjectReport) {
	s.Subjects++
	switch r.Verdict {
	case Clean:
		s.Clean++
	case Review:
		s.Review++
	case Block:
		s.Block++
	}
	if r.Coverage != Complete {
		s.Incomplete++
	}
}

// Report is the one document that every examining verb prints.
type Report struct {
	Schema   string          `json:"schema"`
	Tool     Tool            `json:"tool"`
	Subjects []SubjectReport `json:"subjects"`
	Summary  Summary         `json:"summary"`
	// Reasons say why the run as a whole did not reach its end: "cancelled",
	// "failed: …". A report without them speaks of everything that was asked for.
	Reasons []string `json:"reasons,omitempty"`
}

// NewSubjectReport joins a subject and its result. Lists are never null.
func NewSubjectReport(s subject.Subject, r Result) SubjectReport {
	out := SubjectReport{
		Kind: s.Kind, ID: s.ID, Size: s.Size, Digest: s.Digest, Formats: r.Formats,
		Verdict: r.Verdict, Coverage: r.Coverage, Reasons: r.Reasons, Findings: r.Findings, Decompiled: r.Listings,
	}
	if out.Reasons == nil {
		out.Reasons = []string{}
	}
	if out.Findings == nil {
		out.Findings = []Finding{}
	}
	return out
}

// Add takes in a finding that was made after the subject's own examination, from
// what stands beside it, and computes the verdict anew.
func (r *SubjectReport) Add(f Finding, waivers []Waiver, now time.Time) {
	if f.Count == 0 {
		f.Count = 1
	}
	f.Fingerprint = Fingerprint(r.ID, &f)
	all := append(r.Findings, f)
	sort.SliceStable(all, func(i, j int) bool { return before(&all[i], &all[j]) })
	result := Result{Findings: all, Coverage: r.Coverage}
	result.Waive(waivers, now)
	r.Findings, r.Verdict = result.Findings, VerdictOf(result.Findings, r.Coverage)
}
