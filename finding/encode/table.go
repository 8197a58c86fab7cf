package encode

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"bartizan/finding"
)

// table writes one line a subject, its reasons and findings below it, and a
// summary at the end: for people.
type table struct {
	w     io.Writer
	buf   strings.Builder
	color bool
	width int
	quiet bool
}

func newTable(w io.Writer, opt Options) *table {
	width := opt.Width
	if width > 0 {
		width = max(width, 40)
	}
	return &table{w: w, color: opt.Color, width: width, quiet: opt.Quiet}
}

func (t *table) Subject(r *finding.SubjectReport) error {
	if t.quiet && r.Verdict == finding.Clean && r.Coverage == finding.Complete && len(r.Decompiled) == 0 {
		return nil
	}
	t.buf.Reset()
	t.row(r)
	for _, reason := range reasons(r) {
		t.paragraph(indent, t.paint(dim, r.Coverage.String()+": "), r.Coverage.String()+": ", Text(reason))
	}
	for _, f := range worstFirst(r.Findings) {
		t.finding(r, f)
	}
	for _, line := range detailLines(r.Detail) {
		t.paragraph(indent, "", "", t.paint(dim, line))
	}
	for _, l := range r.Decompiled {
		t.listing(&l)
	}
	_, err := io.WriteString(t.w, t.buf.String())
	return err
}

const (
	indent = 8
	nested = 18
)

func (t *table) row(r *finding.SubjectReport) {
	word := r.Verdict.String()
	t.buf.WriteString(t.paint(verdictStyle(r.Verdict), word))
	t.buf.WriteString(strings.Repeat(" ", indent-len(word)))
	t.buf.WriteString(Text(r.ID))
	var facts []string
	for _, f := range r.Formats {
		facts = append(facts, Text(f))
	}
	if r.Size >= 0 {
		facts = append(facts, Bytes(r.Size))
	}
	if r.Coverage != finding.Complete {
		facts = append(facts, r.Coverage.String())
	}
	if len(facts) > 0 {
		t.buf.WriteString("  " + t.paint(dim, "("+strings.Join(facts, ", ")+")"))
	}
	t.buf.WriteByte('\n')
	if r.Digest != "" {
		t.paragraph(indent, "", "", t.paint(dim, Text(r.Digest)))
	}
}

func (t *table) finding(r *finding.SubjectReport, f *finding.Finding) {
	severity := f.Severity.String()
	pad := strings.Repeat(" ", nested-indent-len(severity))
	head := severity + pad + f.Rule + "  "
	t.paragraph(indent, t.paint(severityStyle(f.Severity), severity)+pad+t.paint(bold, Text(f.Rule))+"  ", head, Text(f.Message))
	t.paragraph(nested, "", "", t.paint(dim, Text(strings.Join(details(r.ID, f), "; "))))
	if w := f.Waiver; w != nil {
		t.paragraph(nested, t.paint(green, "waived"), "waived", Text(" until "+w.Expires.UTC().Format("2006-01-02")+by(w.By)+": "+w.Reason))
	}
}

// worstFirst orders findings for people: by severity, else as the report has them.
func worstFirst(list []finding.Finding) []*finding.Finding {
	out := make([]*finding.Finding, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	slices.SortStableFunc(out, func(a, b *finding.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return out
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + name
}

// details says where a finding stands, how often, how sure, and its fingerprint.
func details(id string, f *finding.Finding) []string {
	var out []string
	if at := where(id, &f.Place); at != "" {
		out = append(out, "at "+at)
	}
	if f.Count > 1 {
		out = append(out, strconv.Itoa(f.Count)+" times")
	}
	if f.Confidence == finding.ConfidenceLow {
		out = append(out, "low confidence")
	}
	return append(out, "fingerprint "+f.Fingerprint)
}

// where writes a place; the subject itself is not named again.
func where(id string, p *finding.Place) string {
	var out []string
	if p.Path != "" && p.Path != id {
		out = append(out, strings.TrimPrefix(strings.TrimPrefix(p.Path, id), "!/"))
	}
	if p.Offset != nil {
		out = append(out, "byte "+strconv.FormatInt(*p.Offset, 10))
	}
	if p.Line > 0 {
		at := "line " + strconv.Itoa(p.Line)
		if p.Column > 0 {
			at += " column " + strconv.Itoa(p.Column)
		}
		out = append(out, at)
	}
	if p.Row != nil {
		out = append(out, "row "+strconv.FormatInt(*p.Row, 10))
	}
	if p.Field != "" {
		out = append(out, "field "+p.Field)
	}
	if p.Pointer != "" {
		out = append(out, p.Pointer)
	}
	return strings.Join(out, ", ")
}

func (t *table) listing(l *finding.Listing) {
	t.paragraph(indent, "", "", t.paint(bold, "decompiled "+Text(l.Path)))
	for line := range strings.SplitSeq(strings.TrimRight(lines(l.Text), "\n"), "\n") {
		t.buf.WriteString(strings.Repeat(" ", indent) + "| " + line + "\n")
	}
}

func (t *table) Close(end End) error {
	s := end.Summary
	var b strings.Builder
	for _, reason := range end.Reasons {
		b.WriteString(t.paint(red, "The scan did not reach its end: "+Text(reason)) + "\n")
	}
	fmt.Fprintf(&b, "%s: %s, %s, %s", count(s.Subjects, "subject"),
		t.paintIf(s.Block > 0, red, fmt.Sprintf("%d block", s.Block)),
		t.paintIf(s.Review > 0, yellow, fmt.Sprintf("%d review", s.Review)),
		t.paintIf(s.Clean > 0, green, fmt.Sprintf("%d clean", s.Clean)))
	if s.Incomplete > 0 {
		fmt.Fprintf(&b, "; %s", t.paint(yellow, fmt.Sprintf("%d not wholly seen", s.Incomplete)))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(t.w, b.String())
	return err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Bytes writes a size for people, in powers of 1000.
func Bytes(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		value /= 1000
		if value < 999.95 {
			break
		}
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + unit
}
