package image

import (
	"bytes"
	"context"
	"regexp"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// SVG is a drawing in XML, which can carry scripts for the browsers that show it.
type SVG struct{}

const maxSVG = 16 << 20

var ruleActive = finding.Rule{
	ID: "image/active-svg", Title: "Drawing with a script or an external entity",
	Help: "An SVG holds a script, an event handler, a javascript address, an embedded page or an entity declaration. It runs in the " +
		"browser of whoever opens it, with the rights of the page that serves it.",
	Severity: finding.Medium, Confidence: finding.ConfidenceMedium,
	References:  []string{"CWE-79", "CWE-611", "AML.T0011"},
	Remediation: "Strip the active parts, or serve the file only as an image from another origin.",
	Evidence:    map[string]string{"what": "what was found"},
}

// Name implements format.Format.
func (SVG) Name() string { return "svg" }

// Title implements format.Format.
func (SVG) Title() string { return "SVG drawing" }

// Extensions implements format.Format.
func (SVG) Extensions() []string { return []string{".svg"} }

// Rules implements format.Format.
func (SVG) Rules() []finding.Rule { return []finding.Rule{ruleActive} }

// Match implements format.Format.
func (SVG) Match(p *format.Probe) bool {
	h := bytes.TrimLeft(bytes.TrimPrefix(p.Head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(h, []byte("<svg")) || bytes.HasPrefix(h, []byte("<")) && bytes.HasSuffix([]byte(p.Name), []byte(".svg"))
}

// active is what makes a drawing more than one.
var active = regexp.MustCompile(`(?i)<script|<iframe|<embed|<!entity|javascript:|[\s"'/]on[a-z]{3,20}\s*=\s*["']`)

// Scan implements format.Format.
func (SVG) Scan(_ context.Context, a *format.Artifact) error {
	if a.Blob.Size() > maxSVG {
		a.Incomplete("too-large", "svg over 16 MiB")
		return nil
	}
	b, err := a.Blob.Bytes(0, a.Blob.Size())
	if err != nil {
		return err
	}
	if bytes.IndexByte(b, 0) >= 0 {
		a.Incomplete("not-text", "svg with zero bytes")
		return nil
	}
	if m := active.FindIndex(b); m != nil {
		a.Add(ruleActive.New(a.At(int64(m[0]), int64(m[1]-m[0])), "active content in a drawing", map[string]any{"what": string(bytes.TrimSpace(b[m[0]:m[1]]))}))
	}
	if !bytes.HasSuffix(bytes.TrimSpace(b), []byte(">")) {
		a.Incomplete("truncated", "svg")
	}
	return nil
}
