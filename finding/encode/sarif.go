package encode

import (
	"encoding/json"
	"io"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"bartizan/finding"
)

// sarifEncoder writes SARIF 2.1.0 (OASIS, errata 01): one run, a result a
// finding, a notification for each reason why something was not seen.
type sarifEncoder struct {
	w      io.Writer
	report *sarif.Report
	run    *sarif.Run
	calls  *sarif.Invocation
	index  map[string]int
}

const fingerprintKey = "bartizan/v1"

func newSARIF(w io.Writer, opt Options) *sarifEncoder {
	driver := sarif.NewToolComponent().WithName("Bartizan").WithVersion(opt.Tool.Version).WithLanguage("en-US")
	e := &sarifEncoder{w: w, report: sarif.NewReport(), index: map[string]int{}}
	for i, r := range opt.Rules {
		driver.AddRule(describe(r))
		e.index[r.ID] = i
	}
	e.run = sarif.NewRun().WithTool(sarif.NewTool().WithDriver(driver)).WithLanguage("en-US").WithColumnKind("unicodeCodePoints")
	e.calls = sarif.NewInvocation()
	e.report.Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	e.report.AddRun(e.run)
	return e
}

func describe(r finding.Rule) *sarif.ReportingDescriptor {
	help := r.Help + "\n\n" + r.Remediation
	d := sarif.NewReportingDescriptor().WithID(r.ID).WithName(camel(r.ID)).
		WithShortDescription(said(r.Title)).WithFullDescription(said(r.Help)).WithHelp(said(help)).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level(r.Severity)))
	for _, ref := range r.References {
		if at := finding.ReferenceURL(ref); at != "" {
			d.WithHelpURI(at)
			break
		}
	}
	bag := sarif.NewPropertyBag().Add("security-severity", securitySeverity(r.Severity)).
		Add("precision", precision(r.Confidence)).Add("problem.severity", level(r.Severity))
	bag.AddTag("security")
	for _, ref := range r.References {
		bag.AddTag(ref)
	}
	return d.WithProperties(bag)
}

func said(text string) *sarif.MultiformatMessageString {
	return sarif.NewMultiformatMessageString().WithText(valid(text))
}

// camel turns pickle/dangerous-call into PickleDangerousCall: SARIF wants a
// name that is not the id.
func camel(id string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(id, func(r rune) bool { return r == '/' || r == '-' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func level(s finding.Severity) string {
	switch {
	case s >= finding.High:
		return "error"
	case s == finding.Medium:
		return "warning"
	}
	return "note"
}

// securitySeverity is the scale of CVSS, by which GitHub sorts alerts.
func securitySeverity(s finding.Severity) string {
	return [...]string{"0.0", "3.0", "5.5", "8.0", "9.5"}[min(int(s), 4)]
}

func precision(c finding.Confidence) string {
	return [...]string{"medium", "low", "medium", "high"}[min(int(c), 3)]
}

func (e *sarifEncoder) Subject(r *finding.SubjectReport) error {
	e.run.Artifacts = append(e.run.Artifacts, artifact(r))
	for i := range r.Findings {
		e.run.AddResult(e.result(r, &r.Findings[i]))
	}
	for _, reason := range r.Reasons {
		code, _, _ := strings.Cut(reason, ":")
		n := sarif.NewNotification().WithLevel("warning").
			WithDescriptor(sarif.NewReportingDescriptorReference().WithID(valid(code))).
			WithMessage(sarif.NewTextMessage(message(r.Coverage.String() + ": " + reason)))
		n.AddLocation(sarif.NewLocation().WithPhysicalLocation(physical(r.ID)))
		e.calls.AddToolExecutionNotification(n)
	}
	return nil
}

func artifact(r *finding.SubjectReport) *sarif.Artifact {
	a := sarif.NewArtifact().WithLocation(sarif.NewArtifactLocation().WithURI(uri(r.ID))).WithRoles([]string{"analysisTarget"})
	if r.Size >= 0 {
		a.WithLength(int(r.Size))
	}
	if hex, ok := strings.CutPrefix(r.Digest, "sha256:"); ok {
		a.WithHashes(map[string]string{"sha-256": hex})
	}
	bag := sarif.NewPropertyBag().Add("verdict", r.Verdict.String()).Add("coverage", r.Coverage.String())
	if len(r.Formats) > 0 {
		bag.Add("formats", r.Formats)
	}
	return a.WithProperties(bag)
}

func (e *sarifEncoder) result(r *finding.SubjectReport, f *finding.Finding) *sarif.Result {
	res := sarif.NewRuleResult(f.Rule).WithLevel(level(f.Severity)).WithKind("fail").
		WithMessage(sarif.NewTextMessage(message(f.Message))).
		WithPartialFingerprints(map[string]string{fingerprintKey: f.Fingerprint}).
		WithOccurrenceCount(max(f.Count, 1))
	if i, ok := e.index[f.Rule]; ok {
		res.WithRuleIndex(i)
	}
	res.AddLocation(location(r.ID, &f.Place))
	if f.Last != nil {
		res.AddRelatedLocation(location(r.ID, f.Last).WithMessage(sarif.NewTextMessage("the last of them")))
	}
	bag := sarif.NewPropertyBag().Add("severity", f.Severity.String()).Add("confidence", f.Confidence.String())
	if len(f.Evidence) > 0 {
		bag.Add("evidence", json.RawMessage(appendValue(nil, f.Evidence, 0)))
	}
	if len(f.References) > 0 {
		bag.Add("references", f.References)
	}
	res.WithProperties(bag)
	if w := f.Waiver; w != nil {
		s := sarif.NewSuppression().WithKind("external").WithStatus("accepted").WithJustification(valid(w.Reason))
		s.WithProperties(sarif.NewPropertyBag().Add("expires", w.Expires).Add("by", valid(w.By)))
		res.AddSuppression(s)
	}
	return res
}

// location is the file with the byte or line range, where the subject is the
// file itself; what lies within a member is a logical location with its offsets.
func location(id string, p *finding.Place) *sarif.Location {
	at := physical(id)
	loc := sarif.NewLocation().WithPhysicalLocation(at)
	if p.Path == id || p.Path == "" {
		if r := region(p); r != nil {
			at.WithRegion(r)
		}
		return loc
	}
	logical := sarif.NewLogicalLocation().WithFullyQualifiedName(validPath(id, p.Path)).WithKind("member").WithName(validName(path.Base(p.Path)))
	bag := sarif.NewPropertyBag()
	if p.Offset != nil {
		bag.Add("byteOffset", *p.Offset)
	}
	if p.Length != nil {
		bag.Add("byteLength", *p.Length)
	}
	if p.Line > 0 {
		bag.Add("line", p.Line)
	}
	if p.Pointer != "" {
		bag.Add("pointer", valid(p.Pointer))
	}
	logical.WithProperties(bag)
	return loc.WithLogicalLocations([]*sarif.LogicalLocation{logical})
}

func region(p *finding.Place) *sarif.Region {
	switch {
	case p.Line > 0:
		r := sarif.NewRegion().WithStartLine(p.Line)
		if p.Column > 0 {
			r.WithStartColumn(p.Column)
		}
		return r
	case p.Offset != nil:
		r := sarif.NewRegion().WithByteOffset(int(*p.Offset))
		if p.Length != nil {
			r.WithByteLength(int(*p.Length))
		}
		return r
	}
	return nil
}

func physical(id string) *sarif.PhysicalLocation {
	return sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewArtifactLocation().WithURI(uri(id)))
}

// uri writes a path as an RFC 3986 reference; bytes that are not ASCII, UTF-8
// or not, are percent-encoded, so that every name stays itself.
func uri(id string) string {
	u := url.URL{Path: id}
	if strings.HasPrefix(id, "/") {
		u.Scheme = "file"
	}
	return u.String()
}

var placeholder = regexp.MustCompile(`\{([0-9]+)\}`)

// message writes a text in which nothing is a placeholder or a link (SARIF
// 2.1.0, sections 3.11.5 and 3.11.6): the text may hold what an attacker wrote.
func message(text string) string {
	text = placeholder.ReplaceAllString(valid(text), "{{$1}}")
	return strings.ReplaceAll(text, "](", `\](`)
}

func (e *sarifEncoder) Close(end End) error {
	e.calls.WithExecutionSuccessful(len(end.Reasons) == 0)
	for _, reason := range end.Reasons {
		e.calls.AddToolExecutionNotification(sarif.NewNotification().WithLevel("error").WithMessage(sarif.NewTextMessage(message(reason))))
	}
	e.run.AddInvocation(e.calls)
	text, err := json.Marshal(e.report)
	if err != nil {
		return err
	}
	_, err = e.w.Write(append(escapeJSON(text), '\n'))
	return err
}
