// Package npy decides whether a NumPy array file holds plain numbers or Python
// objects: its header is a literal, its data is as long as shape and element
// type say, and where the element type is object, at any depth, the data is a
// pickle, which is handed on.
//
// The evidence is the header and the file's length; numbers are not read.
// Several arrays in one file, as numpy.save appends them, are all looked at.
// A .npz archive is a zip whose members come here one by one.
//
// It cannot see data hidden in the numbers themselves.
package npy

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Limits.
const (
	trusted   = 10_000  // numpy.lib.format's max_header_size: longer ones need allow_pickle
	maxHeader = 1 << 20 // read here
	maxArrays = 10_000  // in one file
)

const magic = "\x93NUMPY"

// Format scans npy files.
type Format struct{}

// New makes the format.
func New() format.Format { return Format{} }

// Name implements format.Format.
func (Format) Name() string { return "npy" }

// Title implements format.Format.
func (Format) Title() string { return "NumPy array" }

// Extensions implements format.Format.
func (Format) Extensions() []string { return []string{".npy", ".npz"} }

// Match goes by the magic; the hint alone says nothing, since numpy.load reads
// what lacks it as a pickle.
func (Format) Match(p *format.Probe) bool { return bytes.HasPrefix(p.Head, []byte(magic)) }

// Scan implements format.Format.
func (Format) Scan(ctx context.Context, a *format.Artifact) error {
	at := int64(0)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n == maxArrays {
			a.Incomplete("too-many-arrays", fmt.Sprintf("more than %d in one file", maxArrays))
			return nil
		}
		next, err := array(ctx, a, at)
		if err != nil || next < 0 || next == a.Blob.Size() {
			return err
		}
		at = next
		head, err := a.Blob.Slice(at, int64(len(magic))).Head(int64(len(magic)))
		if err != nil {
			return err
		}
		if string(head) != magic {
			return trailing(ctx, a, at)
		}
	}
}

// array scans one array from at and gives the offset behind it, or -1 where
// nothing more can be said.
func array(ctx context.Context, a *format.Artifact, at int64) (int64, error) {
	blob := a.Blob.Slice(at, a.Blob.Size()-at)
	text, size, ok, err := header(a, blob, at)
	if err != nil || !ok {
		return -1, err
	}
	h, bad := parseHeader(text)
	if bad != nil {
		report(a, at, size, bad)
		return -1, unread(ctx, a, text, at+size)
	}
	from := at + size
	left := a.Blob.Size() - from
	if h.objects {
		if left == 0 {
			a.Incomplete("truncated", "no pickle after the header of an object array")
			return -1, nil
		}
		return -1, a.Child(ctx, format.Child{Name: "data.pkl", Hint: "pickle", Blob: a.Blob.Slice(from, left)})
	}
	want, over := h.bytes()
	switch {
	case over:
		a.Add(ruleOverflow.New(a.At(at, size), "shape times element size does not fit into 63 bits", map[string]any{"descr": clip(h.descr)}))
		return -1, nil
	case want > left:
		a.Incomplete("truncated", fmt.Sprintf("array of %d bytes at %d, %d are there", want, at, left))
		return -1, nil
	}
	return from + want, nil
}

// header reads the text of the header and the bytes up to the data.
func header(a *format.Artifact, blob interface {
	Bytes(off, n int64) ([]byte, error)
	Size() int64
}, at int64) (text []byte, size int64, ok bool, err error) {
	const fixed = int64(len(magic)) + 2
	lead := fixed + 2
	if blob.Size() < lead {
		a.Incomplete("truncated", "header")
		return nil, 0, false, nil
	}
	b, err := blob.Bytes(0, lead)
	if err != nil {
		return nil, 0, false, err
	}
	n := int64(binary.LittleEndian.Uint16(b[fixed:]))
	switch major, minor := b[6], b[7]; {
	case major == 1 && minor == 0:
	case (major == 2 || major == 3) && minor == 0:
		lead = fixed + 4
		if blob.Size() < lead {
			a.Incomplete("truncated", "header")
			return nil, 0, false, nil
		}
		if b, err = blob.Bytes(0, lead); err != nil {
			return nil, 0, false, err
		}
		n = int64(binary.LittleEndian.Uint32(b[fixed:]))
	default:
		a.Incomplete("unsupported-version", fmt.Sprintf("npy %d.%d", major, minor))
		return nil, 0, false, nil
	}
	if n > trusted {
		a.Add(ruleLarge.New(a.At(at, lead), fmt.Sprintf("header of %d bytes, numpy takes %d from untrusted files", n, trusted),
			map[string]any{"length": n, "limit": trusted}))
	}
	switch {
	case n > blob.Size()-lead:
		a.Incomplete("truncated", fmt.Sprintf("header of %d bytes, %d are there", n, blob.Size()-lead))
		return nil, 0, false, nil
	case n > maxHeader:
		a.Incomplete("header-too-large", fmt.Sprintf("%d bytes, %d are read", n, maxHeader))
		return nil, 0, false, nil
	}
	text, err = blob.Bytes(lead, n)
	return text, lead + n, err == nil, err
}

func report(a *format.Artifact, at, size int64, bad *problem) {
	if bad.code {
		a.Add(ruleCode.New(a.At(at, size), "the header is no literal: "+bad.what, map[string]any{"what": bad.what}))
	}
	a.Incomplete("malformed", fmt.Sprintf("header at %d: %s", at, bad.what))
}

// unread hands on the data behind a header that is not understood. NumPy takes
// more spellings of an object type than are written here ("f8,O", "|" "O"), and
// what follows one is a pickle.
func unread(ctx context.Context, a *format.Artifact, text []byte, at int64) error {
	n := a.Blob.Size() - at
	if n <= 0 {
		return nil
	}
	c := format.Child{Name: "data.pkl", Blob: a.Blob.Slice(at, n), Probed: true}
	if bytes.ContainsAny(text, "O\\") || bytes.Contains(text, []byte("object")) {
		c.Hint, c.Probed = "pickle", false
	}
	return a.Child(ctx, c)
}

// trailing has what follows the last array scanned for other formats.
func trailing(ctx context.Context, a *format.Artifact, at int64) error {
	n := a.Blob.Size() - at
	a.Add(ruleTrailing.New(a.At(at, n), fmt.Sprintf("%d bytes after the last array", n), map[string]any{"bytes": n}))
	return a.Child(ctx, format.Child{Name: fmt.Sprintf("trailing@%d", at), Blob: a.Blob.Slice(at, n), Probed: true})
}

var (
	ruleCode = finding.Rule{
		ID: "npy/header-code", Title: "Array header holds more than a literal",
		Help: "The header of an npy file is the text of a Python dictionary. This one holds a name, a call or an operator. NumPy " +
			"refuses it; readers that evaluate the text would run it.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-95", "AML.T0011.000", "LLM03:2025"},
		Remediation: "Do not load the file; write the array anew with numpy.save.",
		Evidence:    map[string]string{"what": "what stands there"},
	}
	ruleOverflow = finding.Rule{
		ID: "npy/shape-overflow", Title: "Shape of an array overflows",
		Help: "The shape times the element size does not fit into a signed 64-bit number, so that no such array exists; a reader " +
			"that multiplies without a check allocates too little.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-190", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; write the array anew with numpy.save.",
		Evidence:    map[string]string{"descr": "the element type"},
	}
	ruleLarge = finding.Rule{
		ID: "npy/large-header", Title: "Array header is longer than NumPy takes from untrusted files",
		Help: "numpy.load refuses headers over 10,000 bytes unless pickles are allowed, since parsing them can take long. " +
			"Arrays with very many fields have such headers.",
		Severity: finding.Low, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-400", "AML.T0029"},
		Remediation: "Load the file with max_header_size set, or store fewer fields.",
		Evidence:    map[string]string{"length": "length in bytes", "limit": "NumPy's limit"},
	}
	ruleTrailing = finding.Rule{
		ID: "npy/trailing-data", Title: "Data after the last array",
		Help: "Bytes follow the array that are no further array. numpy.load ignores them. They are scanned as a file of their own; " +
			"by themselves they are only worth a note.",
		Severity: finding.Low, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1284", "AML.T0018.002"},
		Remediation: "Look at the bytes, or write the array anew with numpy.save.",
		Evidence:    map[string]string{"bytes": "number of bytes"},
	}
)

// Rules implements format.Format.
func (Format) Rules() []finding.Rule { return Rules() }

// Rules lists the rules of this package.
func Rules() []finding.Rule {
	return []finding.Rule{ruleCode, ruleOverflow, ruleLarge, ruleTrailing}
}

func clip(s string) string { return s[:min(len(s), 200)] }
