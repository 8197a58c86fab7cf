package encode

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bartizan/finding"
)

// htmlEncoder writes one self-contained page: no script, no image, nothing
// loaded. Its content security policy allows exactly its own style sheet, by
// digest. Subjects are grouped by verdict, the worst first, so that the page is
// written when the last one is known.
type htmlEncoder struct {
	w      io.Writer
	tool   finding.Tool
	rules  map[string]finding.Rule
	groups [finding.Block + 1]bytes.Buffer
}

func newHTML(w io.Writer, opt Options) *htmlEncoder {
	e := &htmlEncoder{w: w, tool: opt.Tool, rules: map[string]finding.Rule{}}
	for _, r := range opt.Rules {
		e.rules[r.ID] = r
	}
	return e
}

// esc makes s safe within elements and quoted attributes.
func esc(s string) string { return html.EscapeString(Text(s)) }

func (e *htmlEncoder) Subject(r *finding.SubjectReport) error {
	if r.Verdict > finding.Block {
		return fmt.Errorf("subject %s: unknown verdict", Text(r.ID))
	}
	b := &e.groups[r.Verdict]
	if plainRow(r) {
		fmt.Fprintf(b, "<p class=row><code>%s</code> %s</p>\n", esc(r.ID), facts(r))
		return nil
	}
	open := ""
	if r.Verdict == finding.Block {
		open = " open"
	}
	fmt.Fprintf(b, "<details class=subject%s><summary><code>%s</code> %s</summary>\n", open, esc(r.ID), facts(r))
	if r.Digest != "" {
		fmt.Fprintf(b, "<p class=dim><code>%s</code></p>\n", esc(r.Digest))
	}
	for _, reason := range reasons(r) {
		fmt.Fprintf(b, "<p><span class=tag>%s</span> %s</p>\n", r.Coverage, esc(reason))
	}
	for _, f := range worstFirst(r.Findings) {
		e.finding(b, r, f)
	}
	for _, line := range detailLines(r.Detail) {
		fmt.Fprintf(b, "<p class=dim>%s</p>\n", esc(line))
	}
	for _, l := range r.Decompiled {
		fmt.Fprintf(b, "<details><summary>decompiled <code>%s</code></summary><pre>%s</pre></details>\n", esc(l.Path), html.EscapeString(lines(l.Text)))
	}
	b.WriteString("</details>\n")
	return nil
}

// plainRow says that a subject has nothing to unfold.
func plainRow(r *finding.SubjectReport) bool {
	return len(r.Findings) == 0 && len(r.Reasons) == 0 && len(r.Decompiled) == 0 && len(r.Detail) == 0 && r.Digest == ""
}

func facts(r *finding.SubjectReport) string {
	var out []string
	for _, f := range r.Formats {
		out = append(out, esc(f))
	}
	if r.Size >= 0 {
		out = append(out, Bytes(r.Size))
	}
	text := "<span class=dim>" + strings.Join(out, ", ") + "</span>"
	if r.Coverage != finding.Complete {
		text += " <span class=tag>" + r.Coverage.String() + "</span>"
	}
	if n := len(r.Findings); n > 0 {
		text += " <span class=tag>" + count(n, "finding") + "</span>"
	}
	return text
}

func (e *htmlEncoder) finding(b *bytes.Buffer, r *finding.SubjectReport, f *finding.Finding) {
	fmt.Fprintf(b, "<section class=\"finding %s\"><h3><span class=severity>%s</span> <code>%s</code> %s</h3>\n", f.Severity, f.Severity, esc(f.Rule), esc(f.Message))
	var at []string
	for _, d := range details(r.ID, f) {
		at = append(at, esc(d))
	}
	fmt.Fprintf(b, "<p class=dim>%s; confidence %s</p>\n", strings.Join(at, "; "), f.Confidence)
	if w := f.Waiver; w != nil {
		fmt.Fprintf(b, "<p><span class=tag>waived until %s</span> %s%s</p>\n", w.Expires.UTC().Format("2006-01-02"), esc(w.Reason), esc(by(w.By)))
	}
	writeEvidence(b, f.Evidence)
	if rule, ok := e.rules[f.Rule]; ok {
		fmt.Fprintf(b, "<details><summary>what this means, and what to do</summary><p>%s</p><p>%s</p></details>\n", esc(rule.Help), esc(rule.Remediation))
	}
	if len(f.References) > 0 {
		var refs []string
		for _, ref := range f.References {
			refs = append(refs, link(ref))
		}
		fmt.Fprintf(b, "<p class=dim>%s</p>\n", strings.Join(refs, ", "))
	}
	b.WriteString("</section>\n")
}

// writeEvidence lists evidence by key; what is not text is shown as JSON.
func writeEvidence(b *bytes.Buffer, evidence map[string]any) {
	if len(evidence) == 0 {
		return
	}
	b.WriteString("<dl>")
	for _, key := range slices.Sorted(maps.Keys(evidence)) {
		value, ok := evidence[key].(string)
		if !ok {
			value = string(appendValue(nil, evidence[key], 0))
		}
		fmt.Fprintf(b, "<dt>%s</dt><dd><code>%s</code></dd>", esc(key), esc(value))
	}
	b.WriteString("</dl>\n")
}

// link makes a reference a link to where its publisher explains it.
func link(ref string) string {
	name := ref
	if known, ok := finding.ReferenceName(ref); ok {
		name += " " + known
	}
	at := finding.ReferenceURL(ref)
	if at == "" {
		return esc(name)
	}
	return `<a rel="noreferrer noopener" href="` + esc(at) + `">` + esc(name) + `</a>`
}

func (e *htmlEncoder) Close(end End) error {
	var b bytes.Buffer
	sum := sha256.Sum256([]byte(styleSheet))
	fmt.Fprintf(&b, pageHead, base64.StdEncoding.EncodeToString(sum[:]), styleSheet)
	for _, reason := range end.Reasons {
		fmt.Fprintf(&b, "<p class=failed>The scan did not reach its end: %s</p>\n", esc(reason))
	}
	s := end.Summary
	fmt.Fprintf(&b, "<p class=totals><b>%s</b> <b class=block>%d block</b> <b class=review>%d review</b> <b class=clean>%d clean</b> <span>%d not wholly seen</span></p>\n",
		count(s.Subjects, "subject"), s.Block, s.Review, s.Clean, s.Incomplete)
	counts := [...]int{finding.Clean: s.Clean, finding.Review: s.Review, finding.Block: s.Block}
	for v := finding.Block; ; v-- {
		if n := counts[v]; n > 0 {
			open := " open"
			if v == finding.Clean && n > 50 {
				open = ""
			}
			fmt.Fprintf(&b, "<details class=group%s><summary><h2 class=%s>%s (%s)</h2></summary>\n", open, v, v, strconv.Itoa(n))
			b.Write(e.groups[v].Bytes())
			b.WriteString("</details>\n")
		}
		if v == finding.Clean {
			break
		}
	}
	fmt.Fprintf(&b, "<footer class=dim>%s %s, %s</footer>\n</main></body></html>\n", esc(e.tool.Name), esc(e.tool.Version), finding.Schema)
	_, err := e.w.Write(b.Bytes())
	return err
}

const pageHead = `<!doctype html>
<html lang=en><head><meta charset=utf-8>
<meta http-equiv=Content-Security-Policy content="default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'">
<meta name=viewport content="width=device-width,initial-scale=1"><meta name=referrer content=no-referrer>
<title>Bartizan report</title><style>%s</style></head><body><main>
<h1>Bartizan report</h1>
`

const styleSheet = `
:root{color-scheme:light dark;--ink:#1c2024;--dim:#5b6570;--paper:#fff;--card:#f5f6f8;--line:#d9dde2;--block:#b3261e;--review:#8a5a00;--clean:#1b6e3c}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#9aa4af;--paper:#14171a;--card:#1d2125;--line:#343a41;--block:#ff8a80;--review:#f0b94b;--clean:#7ad19b}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 3rem;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:0 0 .5rem}h2{display:inline;font-size:1.1rem}h3{font-size:1rem;font-weight:600;margin:0 0 .25rem}
code,pre{font:13px/1.45 ui-monospace,monospace}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .75rem;margin:.4rem 0}dt{color:var(--dim)}dd{margin:0;min-width:0}
pre{white-space:pre-wrap;background:var(--paper);border:1px solid var(--line);border-radius:4px;padding:.5rem;margin:.5rem 0;max-height:24rem;overflow:auto}
summary{cursor:pointer}p{margin:.25rem 0}
.totals>*{margin-right:1rem}.dim{color:var(--dim)}
.block{color:var(--block)}.review{color:var(--review)}.clean{color:var(--clean)}
.group{border-top:1px solid var(--line);padding:.75rem 0}
.row{padding-left:1.1rem}.subject{padding:.15rem 0}
.finding{background:var(--card);border-left:4px solid var(--dim);border-radius:4px;margin:.5rem 0 .5rem 1.1rem;padding:.6rem .8rem}
.finding.critical,.finding.high{border-color:var(--block)}.finding.medium{border-color:var(--review)}
.severity{text-transform:uppercase;font-size:.75rem;letter-spacing:.04em;color:var(--dim)}
.critical .severity,.high .severity{color:var(--block)}.medium .severity{color:var(--review)}
.tag{border:1px solid var(--line);border-radius:4px;padding:0 .35rem;font-size:.8rem;color:var(--dim)}
.failed{border:1px solid var(--block);border-radius:4px;padding:.5rem .75rem;color:var(--block)}
a{color:inherit}footer{border-top:1px solid var(--line);margin-top:1rem;padding-top:.75rem}
`
