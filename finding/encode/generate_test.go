package encode

import (
	"time"

	"pgregory.net/rapid"

	"bartizan/finding"
	"bartizan/subject"
)

// hostile texts: what attackers put into names and members.
var hostile = []string{
	"\x1b[2J\x1b[31mclean", "a\u202egnp.elkcip", "zero\u200bwidth\u200d", "\xff\xfe", "line\nfeed\ttab\rreturn", "nul\x00byte",
	"</script><script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, `\xff`, `back\slash`, "\u2066isolate\u2069", "\u0085\u009b31m",
	"tag\U000e0041\U000e007f", "[link](https://example.org) {0}", "\ufeffbom", "\ue000private", "emoji\ufe0f", "日本語 名前", "half\xc3", "\u3000wide space",
}

// texts draws readable text, or hostile text as well.
func texts(any bool) *rapid.Generator[string] {
	plain := rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019 /!.:-_\"\\<>&'{}[]\n\t\r\b\fäßλ日本🙂")), 0, 20, -1)
	if !any {
		return plain
	}
	return rapid.OneOf(plain, rapid.SampledFrom(hostile), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 12), func(b []byte) string { return string(b) }))
}

func values(text *rapid.Generator[string], depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		text.AsAny(), rapid.Int().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(),
		rapid.SliceOfN(text, 0, 3).AsAny(), rapid.Uint32().AsAny(), rapid.SliceOfN(rapid.Int(), 0, 3).AsAny(), rapid.Just(any(nil)),
		rapid.MapOfN(text, rapid.Int(), 0, 3).AsAny(), rapid.Just(any(finding.High)),
	}
	if depth > 0 {
		leaves = append(leaves, rapid.SliceOfN(values(text, depth-1), 0, 3).AsAny(), rapid.MapOfN(text, values(text, depth-1), 0, 3).AsAny())
	}
	return rapid.OneOf(leaves...)
}

func places(text *rapid.Generator[string]) *rapid.Generator[finding.Place] {
	return rapid.Custom(func(t *rapid.T) finding.Place {
		p := finding.Place{Path: text.Draw(t, "path")}
		if rapid.Bool().Draw(t, "bytes") {
			p = finding.At(p.Path, rapid.Int64Range(0, 1<<40).Draw(t, "offset"), rapid.Int64Range(0, 1<<40).Draw(t, "length"))
		}
		if rapid.Bool().Draw(t, "lines") {
			p.Line, p.Column, p.Pointer, p.Field = rapid.IntRange(0, 9).Draw(t, "line"), rapid.IntRange(0, 9).Draw(t, "column"), text.Draw(t, "pointer"), text.Draw(t, "field")
			row := rapid.Int64().Draw(t, "row")
			p.Row = &row
		}
		return p
	})
}

func findings(text *rapid.Generator[string]) *rapid.Generator[finding.Finding] {
	return rapid.Custom(func(t *rapid.T) finding.Finding {
		f := finding.Finding{
			Rule: "pickle/dangerous-call", Severity: finding.Severity(rapid.IntRange(0, 4).Draw(t, "severity")),
			Confidence: finding.Confidence(rapid.IntRange(1, 3).Draw(t, "confidence")), Place: places(text).Draw(t, "place"),
			Message: text.Draw(t, "message"), Count: rapid.IntRange(1, 99).Draw(t, "count"), Fingerprint: "0123456789abcdef0123456789abcdef",
			Evidence: rapid.MapOfN(text, values(text, 2), 0, 4).Draw(t, "evidence"), References: rapid.SliceOfN(text, 0, 2).Draw(t, "references"),
		}
		if rapid.Bool().Draw(t, "more") {
			last := places(text).Draw(t, "last")
			f.Last = &last
			f.Waiver = &finding.Waived{Reason: text.Draw(t, "reason"), By: text.Draw(t, "by"), Expires: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "expires"), 5000).UTC()}
		}
		return f
	})
}

func reports(text *rapid.Generator[string]) *rapid.Generator[finding.SubjectReport] {
	return rapid.Custom(func(t *rapid.T) finding.SubjectReport {
		result := finding.Result{
			Verdict: finding.Verdict(rapid.IntRange(0, 2).Draw(t, "verdict")), Coverage: finding.Coverage(rapid.IntRange(0, 2).Draw(t, "coverage")),
			Reasons: rapid.SliceOfN(text, 0, 2).Draw(t, "reasons"), Findings: rapid.SliceOfN(findings(text), 0, 3).Draw(t, "findings"),
			Formats: rapid.SliceOfN(text, 0, 2).Draw(t, "formats"),
		}
		r := finding.NewSubjectReport(subject.Subject{Kind: subject.File, ID: text.Draw(t, "id"), Size: rapid.Int64Range(-1, 1<<50).Draw(t, "size")}, result)
		if rapid.Bool().Draw(t, "more") {
			score := float64(rapid.IntRange(0, 1e6).Draw(t, "score")) / 1e6
			r.Score, r.Digest = &score, "sha256:0000000000000000000000000000000000000000000000000000000000000000"
			r.Decision = &finding.Decision{Action: "deny", Reasons: []string{text.Draw(t, "why")}, Policy: "p", Input: text.Draw(t, "input")}
			r.Decompiled = []finding.Listing{{Path: text.Draw(t, "listing"), Text: text.Draw(t, "program")}}
		}
		return r
	})
}
