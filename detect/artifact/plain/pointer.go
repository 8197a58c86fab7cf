package plain

import (
	"bytes"
	"context"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Pointer is a Git LFS pointer: three lines that stand for a file elsewhere
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
type Pointer struct{}

// pointerMax is the specification's limit: a pointer is under 1,024 bytes.
const pointerMax = 1024

var rulePointer = finding.Rule{
	ID: "file/lfs-pointer", Title: "Git LFS pointer instead of the file",
	Help:     "The file holds only the digest and size of the real one, which was not fetched. What it will be is not seen here.",
	Severity: finding.Info, Confidence: finding.ConfidenceHigh,
	References:  []string{"https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"},
	Remediation: "Fetch the file (git lfs pull) and scan again.",
	Evidence:    map[string]string{"oid": "digest of the real file", "size": "its size in bytes, as text"},
}

// Name implements format.Format.
func (Pointer) Name() string { return "lfs-pointer" }

// Title implements format.Format.
func (Pointer) Title() string { return "Git LFS pointer" }

// Extensions implements format.Format.
func (Pointer) Extensions() []string { return nil }

// Rules implements format.Format.
func (Pointer) Rules() []finding.Rule { return []finding.Rule{rulePointer} }

// Match implements format.Format.
func (Pointer) Match(p *format.Probe) bool { return isPointer(p) }

func isPointer(p *format.Probe) bool {
	if p.Size >= pointerMax {
		return false
	}
	return bytes.HasPrefix(p.Head, []byte("version https://git-lfs.github.com/spec/")) ||
		bytes.HasPrefix(p.Head, []byte("version https://hawser.github.com/spec/"))
}

// Scan implements format.Format.
func (Pointer) Scan(_ context.Context, a *format.Artifact) error {
	b, err := a.Blob.Head(pointerMax)
	if err != nil {
		return err
	}
	evidence := map[string]any{}
	for _, line := range strings.Split(string(b), "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch {
		case line == "" || key == "version" || strings.HasPrefix(key, "ext-"):
		case key == "oid" || key == "size":
			evidence[key] = value[:min(len(value), 100)]
		default:
			a.Incomplete("malformed", "a pointer with other lines")
		}
	}
	a.Add(rulePointer.New(a.At(0, int64(len(b))), "Git LFS pointer: the file itself is not here", evidence))
	a.Incomplete("lfs-pointer", "")
	return nil
}
