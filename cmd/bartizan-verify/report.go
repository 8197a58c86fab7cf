package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"bartizan/attest"
	"bartizan/attest/oms"
	"bartizan/finding"
	"bartizan/version"
)

// addModel says in the report what the signature proves, with the keys that
// bartizan verify uses.
func addModel(r *finding.SubjectReport, m *oms.Model) {
	r.Digest = "sha256:" + hex.EncodeToString(m.Root[:])
	r.Detail = map[string]any{"algorithm": string(m.Algorithm), "resources": len(m.Resources)}
	if m.ShardSize > 0 {
		r.Detail["shard_size"] = m.ShardSize
	}
	who := map[string]any{"method": string(m.Signer.Method), "fingerprint": m.Signer.Key}
	if m.Signer.Identity != "" {
		who["identity"] = m.Signer.Identity
	}
	r.Detail["signer"] = who
}

// printReport writes the report of one subject and gives the exit code.
func printReport(w io.Writer, format string, r *finding.SubjectReport) (int, error) {
	code := exitClean
	switch {
	case r.Verdict == finding.Block:
		code = exitBlock
	case r.Verdict != finding.Clean || r.Coverage != finding.Complete:
		code = exitFailed
	}
	if format == "json" {
		return code, printJSON(w, r)
	}
	return code, printTable(w, r)
}

// printJSON writes the document of docs/report.md. The encoders of package
// finding/encode know more formats, and would make this program many times as
// large.
func printJSON(w io.Writer, r *finding.SubjectReport) error {
	rules, err := finding.NewCatalogue(attest.Rules())
	if err != nil {
		return err
	}
	doc := finding.Report{
		Schema:   finding.Schema,
		Tool:     finding.Tool{Name: "bartizan-verify", Version: version.String(), Packs: map[string]string{"rules": rules.Digest()}},
		Subjects: []finding.SubjectReport{*r},
	}
	doc.Summary.Add(r)
	data, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = w.Write(append(escapeHidden(data), '\n'))
	return err
}

// escapeHidden writes runes that do not show as escapes. In a JSON document they
// stand within strings only.
func escapeHidden(data []byte) []byte {
	if !slices.ContainsFunc([]rune(string(data)), hidden) {
		return data
	}
	var out []byte
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case !hidden(r):
			out = append(out, data[:n]...)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		}
		data = data[n:]
	}
	return out
}

func hidden(r rune) bool { return r >= utf8.RuneSelf && !unicode.IsPrint(r) }

func printTable(w io.Writer, r *finding.SubjectReport) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-7s %s\n", r.Verdict, plain(r.ID))
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "        %s\n", plain(reason))
	}
	if r.Digest != "" {
		fmt.Fprintf(&b, "        %s\n", r.Digest)
	}
	if who, ok := r.Detail["signer"].(map[string]any); ok {
		fmt.Fprintf(&b, "        signed by %v %v\n", who["method"], plain(fmt.Sprint(who["fingerprint"])))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// plain makes text safe to show on one line: what a terminal would obey or not
// show is written as an escape.
func plain(s string) string {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			quoted := strconv.QuoteToGraphic(s)
			return quoted[1 : len(quoted)-1]
		}
	}
	return s
}
