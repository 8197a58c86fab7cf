package main

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/strictjson"
	"bartizan/finding"
)

// maxReport is the largest report that is read.
const maxReport = 256 << 20

// scanReport is a report, and where in it things stand.
type scanReport struct {
	finding.Report
	path string
	byID map[string][]*finding.SubjectReport
}

// wireReport is a report as it stands in JSON: what is left out must not be read
// as the zero value, which is the best that a report can say.
type wireReport struct {
	Schema   string           `json:"schema"`
	Tool     *finding.Tool    `json:"tool"`
	Subjects []jsontext.Value `json:"subjects"`
	Summary  *finding.Summary `json:"summary"`
	Reasons  []string         `json:"reasons"`
}

// wirePresent is which members of a subject are there.
type wirePresent struct {
	ID       *string `json:"id"`
	Verdict  *string `json:"verdict"`
	Coverage *string `json:"coverage"`
	Findings *[]struct {
		Rule       *string `json:"rule"`
		Severity   *string `json:"severity"`
		Confidence *string `json:"confidence"`
	} `json:"findings"`
}

// readScan reads a report and holds that it speaks of a scan that reached its
// end, with verdicts that follow from its findings.
func readScan(path string, raw []byte) (*scanReport, error) {
	var only struct {
		Schema string `json:"schema"`
	}
	const want = "want what bartizan scan --digest --format json wrote"
	if err := strictjson.Unmarshal(raw, &only); err != nil {
		return nil, fmt.Errorf("--report %s: %w: %s", path, err, want)
	}
	if only.Schema != finding.Schema {
		return nil, fmt.Errorf("--report %s: its schema is %q, not %s: %s", path, only.Schema, finding.Schema, want)
	}
	var w wireReport
	if err := strictjson.UnmarshalExact(raw, &w); err != nil {
		return nil, fmt.Errorf("--report %s: %w: %s", path, err, want)
	}
	switch {
	case len(w.Reasons) > 0:
		return nil, mismatch(path, "the scan did not reach its end (%s): scan again", w.Reasons[0])
	case w.Tool == nil || w.Tool.Name == "":
		return nil, mismatch(path, "tool.name is missing: nobody knows what scanned")
	case w.Subjects == nil || w.Summary == nil:
		return nil, mismatch(path, "subjects or summary is missing")
	}
	s := &scanReport{path: path, byID: map[string][]*finding.SubjectReport{}}
	s.Schema, s.Tool, s.Summary = w.Schema, *w.Tool, *w.Summary
	s.Subjects = make([]finding.SubjectReport, len(w.Subjects))
	for i, subject := range w.Subjects {
		if err := s.read(subject, &s.Subjects[i]); err != nil {
			return nil, err
		}
	}
	return s, s.sum()
}

func mismatch(name, format string, args ...any) error {
	return attest.Refuse(attest.ReportMismatch, name, format, args...)
}

// read reads one subject.
func (s *scanReport) read(raw jsontext.Value, r *finding.SubjectReport) error {
	var is wirePresent
	if err := strictjson.UnmarshalExact(raw, r); err != nil {
		return fmt.Errorf("--report %s: a subject: %w", s.path, err)
	}
	if err := strictjson.Unmarshal(raw, &is); err != nil {
		return fmt.Errorf("--report %s: a subject: %w", s.path, err)
	}
	if is.ID == nil || *is.ID == "" || is.Verdict == nil || is.Coverage == nil || is.Findings == nil {
		return mismatch(s.path, "%s: id, verdict, coverage or findings is missing", r.ID)
	}
	for _, f := range *is.Findings {
		if f.Rule == nil || f.Severity == nil || f.Confidence == nil {
			return mismatch(s.path, "%s: a finding without rule, severity or confidence", r.ID)
		}
	}
	return s.coherent(r)
}

// coherent refuses a subject whose verdict something else in it contradicts.
func (s *scanReport) coherent(r *finding.SubjectReport) error {
	v := finding.VerdictOf(r.Findings, r.Coverage)
	switch {
	case v != r.Verdict:
		return mismatch(s.path, "%s is said to be %s, but its findings and coverage make it %s", r.ID, r.Verdict, v)
	case r.Detail != nil:
		return mismatch(s.path, "%s was not scanned: another verb wrote this report", r.ID)
	case v == finding.Clean && len(r.Reasons) > 0:
		return mismatch(s.path, "%s is said to be clean, and not wholly seen (%s)", r.ID, r.Reasons[0])
	case v == finding.Clean && r.Decision != nil && r.Decision.Action != "allow":
		return mismatch(s.path, "%s is said to be clean, and the decision on it is %s", r.ID, r.Decision.Action)
	}
	s.byID[r.ID] = append(s.byID[r.ID], r)
	return nil
}

// sum holds the summary against the subjects.
func (s *scanReport) sum() error {
	var sum finding.Summary
	for i := range s.Subjects {
		sum.Add(&s.Subjects[i])
	}
	if sum != s.Summary {
		return mismatch(s.path, "its summary does not count its subjects")
	}
	return nil
}
