package attest

import (
	"fmt"

	"bartizan/finding"
	"bartizan/subject"
)

// Report turns the outcome of a check into a subject's report: clean where err
// is nil; block with a finding and a reason for each refusal, in order; and err
// itself where the check could not be made.
func Report(s subject.Subject, err error) (finding.SubjectReport, error) {
	refusals := Refusals(err)
	if err != nil && len(refusals) == 0 {
		return finding.SubjectReport{}, err
	}
	var c finding.Collector
	reasons := make([]string, 0, len(refusals))
	for _, r := range refusals {
		c.Add(r.Finding(s.ID))
		reasons = append(reasons, r.Error())
	}
	if len(reasons) > finding.MaxReasons {
		more := len(reasons) - finding.MaxReasons + 1
		reasons = append(reasons[:finding.MaxReasons-1], fmt.Sprintf("and %d more", more))
	}
	out := finding.NewSubjectReport(s, c.Result(s.ID))
	out.Reasons = reasons
	return out, nil
}
