// Package image decides whether a picture is wholly a picture: its structure is
// walked to its end, and what follows it is scanned as a file of its own, since
// a picture with an archive or a script behind it is two files in one.
//
// Pixels are not decoded. It cannot see data hidden in them, nor bugs that a
// decoder has.
package image

import (
	"context"
	"fmt"

	"bartizan/detect/artifact/format"
	"bartizan/detect/input"
	"bartizan/finding"
)

// Kind is one image format.
type Kind struct {
	name, title string
	extensions  []string
	match       func(head []byte) bool
	// walk gives the length of the picture from its structure.
	walk func(ctx context.Context, w *walker) (int64, *fault)
}

// Formats lists the formats of this package.
func Formats() []format.Format {
	return []format.Format{
		Kind{"png", "PNG image", []string{".png"}, isPNG, walkPNG},
		Kind{"jpeg", "JPEG image", []string{".jpg", ".jpeg"}, isJPEG, walkJPEG},
		Kind{"gif", "GIF image", []string{".gif"}, isGIF, walkGIF},
		Kind{"webp", "WebP image", []string{".webp"}, isWebP, walkWebP},
		Kind{"bmp", "BMP image", []string{".bmp"}, isBMP, walkBMP},
		SVG{},
	}
}

// Rules lists the rules of this package.
func Rules() []finding.Rule { return []finding.Rule{ruleTrailing, ruleActive} }

var ruleTrailing = finding.Rule{
	ID: "image/trailing-data", Title: "Data after the end of a picture",
	Help: "Bytes follow the picture. Cameras and editors append some of their own; archives and scripts are hidden that way, too. " +
		"The bytes are scanned as a file of their own, and what is found there decides.",
	Severity: finding.Low, Confidence: finding.ConfidenceHigh,
	References:  []string{"CWE-1284", "AML.T0018.002"},
	Remediation: "Save the picture anew, or look at the bytes.",
	Evidence:    map[string]string{"bytes": "number of bytes", "format": "format of the picture"},
}

// Name implements format.Format.
func (k Kind) Name() string { return k.name }

// Title implements format.Format.
func (k Kind) Title() string { return k.title }

// Extensions implements format.Format.
func (k Kind) Extensions() []string { return k.extensions }

// Rules implements format.Format.
func (k Kind) Rules() []finding.Rule {
	if k.name == "png" { // one of the kinds declares what all share
		return []finding.Rule{ruleTrailing}
	}
	return nil
}

// Match implements format.Format.
func (k Kind) Match(p *format.Probe) bool { return k.match(p.Head) }

// Scan implements format.Format.
func (k Kind) Scan(ctx context.Context, a *format.Artifact) error {
	w := &walker{blob: a.Blob}
	end, bad := k.walk(ctx, w)
	switch {
	case w.err != nil:
		return w.err
	case bad != nil:
		a.Incomplete(bad.code, k.name+": "+bad.what)
		return nil
	}
	n := a.Blob.Size() - end
	if n <= 0 {
		return nil
	}
	a.Add(ruleTrailing.New(a.At(end, n), fmt.Sprintf("%d bytes after the end of the picture", n), map[string]any{"bytes": n, "format": k.name}))
	return a.Child(ctx, format.Child{Name: fmt.Sprintf("trailing@%d", end), Blob: a.Blob.Slice(end, n), Probed: true})
}

// fault says why a picture's structure cannot be followed.
type fault struct{ code, what string }

func truncated(what string) *fault { return &fault{"truncated", what} }

func malformed(what string) *fault { return &fault{"malformed", what} }

// walker reads a blob forward through a window.
type walker struct {
	blob input.Blob
	buf  []byte
	from int64
	err  error
}

const (
	window    = 64 << 10
	maxChunks = 1 << 20
)

// bytes gives n bytes at off, n at most a window; nil past the end or on an
// error, which is kept.
func (w *walker) bytes(off int64, n int) []byte {
	if off < 0 || n < 0 || off > w.blob.Size()-int64(n) || w.err != nil {
		return nil
	}
	if off < w.from || off+int64(n) > w.from+int64(len(w.buf)) {
		b, err := w.blob.Bytes(off, min(window, w.blob.Size()-off))
		if err != nil {
			w.err = err
			return nil
		}
		w.buf, w.from = b, off
	}
	at := off - w.from
	return w.buf[at : at+int64(n)]
}
