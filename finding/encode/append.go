package encode

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"bartizan/finding"
)

// The functions of this file write the report's JSON by hand: encoding/json
// would take most of a scan's time where 50,000 small files are clean. A test
// holds that they write what encoding/json writes, but for hidden characters,
// which are escaped here.

func appendSubject(b []byte, r *finding.SubjectReport) []byte {
	b = append(b, `{"kind":`...)
	b = appendString(b, string(r.Kind))
	b = append(b, `,"id":`...)
	b = appendString(b, validName(r.ID))
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, r.Size, 10)
	if r.Digest != "" {
		b = append(b, `,"digest":`...)
		b = appendString(b, r.Digest)
	}
	if len(r.Formats) > 0 {
		b = append(b, `,"formats":`...)
		b = appendStrings(b, r.Formats)
	}
	b = append(b, `,"verdict":"`...)
	b = append(b, r.Verdict.String()...)
	b = append(b, `","coverage":"`...)
	b = append(b, r.Coverage.String()...)
	b = append(b, `","reasons":`...)
	b = appendStrings(b, r.Reasons)
	if r.Score != nil {
		b = append(b, `,"score":`...)
		b = appendFloat(b, math.Round(*r.Score*1e6)/1e6)
	}
	b = append(b, `,"findings":[`...)
	for i := range r.Findings {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFinding(b, r.ID, &r.Findings[i])
	}
	b = append(b, ']')
	return append(appendRare(b, r), '}')
}

// appendRare writes what few subjects have.
func appendRare(b []byte, r *finding.SubjectReport) []byte {
	if d := r.Decision; d != nil {
		b = append(b, `,"decision":{"action":`...)
		b = appendString(b, d.Action)
		b = append(b, `,"reasons":`...)
		b = appendStrings(b, d.Reasons)
		b = append(b, `,"policy":`...)
		b = appendString(b, d.Policy)
		b = append(b, `,"input":`...)
		b = appendString(b, d.Input)
		b = append(b, '}')
	}
	if len(r.Detail) > 0 {
		b = append(b, `,"detail":`...)
		b = appendValue(b, r.Detail, 0)
	}
	if len(r.Decompiled) == 0 {
		return b
	}
	b = append(b, `,"decompiled":[`...)
	for i, l := range r.Decompiled {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"path":`...)
		b = appendString(b, validPath(r.ID, l.Path))
		b = append(b, `,"text":`...)
		b = appendString(b, l.Text)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendFinding(b []byte, id string, f *finding.Finding) []byte {
	b = append(b, `{"rule":`...)
	b = appendString(b, f.Rule)
	b = append(b, `,"severity":"`...)
	b = append(b, f.Severity.String()...)
	b = append(b, `","confidence":"`...)
	b = append(b, f.Confidence.String()...)
	b = append(b, `","place":`...)
	b = appendPlace(b, id, &f.Place)
	b = append(b, `,"message":`...)
	b = appendString(b, f.Message)
	if len(f.Evidence) > 0 {
		b = append(b, `,"evidence":`...)
		b = appendValue(b, f.Evidence, 0)
	}
	b = append(b, `,"count":`...)
	b = strconv.AppendInt(b, int64(f.Count), 10)
	if f.Last != nil {
		b = append(b, `,"last":`...)
		b = appendPlace(b, id, f.Last)
	}
	b = append(b, `,"fingerprint":`...)
	b = appendString(b, f.Fingerprint)
	if len(f.References) > 0 {
		b = append(b, `,"references":`...)
		b = appendStrings(b, f.References)
	}
	if f.Waiver != nil {
		b = append(b, `,"waiver":`...)
		b = appendWaived(b, f.Waiver)
	}
	return append(b, '}')
}

func appendPlace(b []byte, id string, p *finding.Place) []byte {
	o := object{b: append(b, '{')}
	if p.Path != "" {
		o.text("path", validPath(id, p.Path))
	}
	o.pointer("offset", p.Offset)
	o.pointer("length", p.Length)
	o.number("line", p.Line)
	o.number("column", p.Column)
	o.pointer("row", p.Row)
	if p.Field != "" {
		o.text("field", p.Field)
	}
	if p.Pointer != "" {
		o.text("pointer", p.Pointer)
	}
	return append(o.b, '}')
}

func appendWaived(b []byte, w *finding.Waived) []byte {
	o := object{b: append(b, '{')}
	o.text("reason", w.Reason)
	o.text("expires", w.Expires.Format(time.RFC3339Nano))
	if w.By != "" {
		o.text("by", w.By)
	}
	return append(o.b, '}')
}

func appendTool(b []byte, t finding.Tool) []byte {
	o := object{b: append(b, '{')}
	o.text("name", t.Name)
	o.text("version", t.Version)
	if len(t.Packs) > 0 {
		o.key("packs")
		o.b = appendValue(o.b, t.Packs, 0)
	}
	return append(o.b, '}')
}

func appendSummary(b []byte, s finding.Summary) []byte {
	o := object{b: append(b, '{')}
	for _, n := range []struct {
		key string
		n   int
	}{{"subjects", s.Subjects}, {"clean", s.Clean}, {"review", s.Review}, {"block", s.Block}, {"incomplete", s.Incomplete}} {
		o.key(n.key)
		o.b = strconv.AppendInt(o.b, int64(n.n), 10)
	}
	return append(o.b, '}')
}

// object writes members with the commas between them.
type object struct {
	b   []byte
	any bool
}

func (o *object) key(k string) {
	if o.any {
		o.b = append(o.b, ',')
	}
	o.any = true
	o.b = append(o.b, '"')
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(k, v string) { o.key(k); o.b = appendString(o.b, v) }

func (o *object) number(k string, n int) {
	if n != 0 {
		o.key(k)
		o.b = strconv.AppendInt(o.b, int64(n), 10)
	}
}

func (o *object) pointer(k string, n *int64) {
	if n != nil {
		o.key(k)
		o.b = strconv.AppendInt(o.b, *n, 10)
	}
}

// appendStrings writes a list; nil is the empty list, since the report has no nulls.
func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// appendString writes a JSON string in which nothing hidden stands as it is.
func appendString(b []byte, s string) []byte {
	start := len(b)
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = appendControl(append(b, s[from:i]...), c)
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return appendString(b[:start], escapeInvalid(s))
		case hidden(r):
			b = appendHidden(append(b, s[from:i]...), r)
			from = i + n
		}
		i += n
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendControl(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return appendUnit(b, uint16(c))
}

// appendFloat writes f as encoding/json does. What JSON cannot hold becomes text.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendString(b, strconv.FormatFloat(f, 'g', -1, 64))
	}
	text, err := json.Marshal(f)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}
