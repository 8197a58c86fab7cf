// Package safetensors decides whether a safetensors file is what its format
// promises: a JSON header that describes tensors which tile the rest of the
// file, and no code. The evidence is the header alone; tensor bytes are not
// read, but for what lies in gaps and after the last tensor.
//
// The reference reader (the safetensors crate, 0.8) refuses nearly everything
// that is reported here. Readers in other languages are often a few lines long
// and trust offsets, shapes and the first or last of two equal keys: those are
// the readers that the findings are about.
//
// It cannot see what weights do, nor data hidden in the weights themselves.
package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"bartizan/detect/artifact/format"
)

// Limits. The reference reader takes headers of up to 100 MB.
const (
	prefix       = 8
	refusedFrom  = 100_000_000 // MAX_HEADER_SIZE of the reference reader
	maxHeader    = 16 << 20    // read into memory here
	maxTensors   = 1 << 20
	maxNesting   = 64
	maxMetadata  = 4096 // metadata entries whose values are looked at
	maxHandedOn  = 64   // gaps that are scanned
	maxReported  = 32   // findings of one rule, beyond which only a count is of use
	shortHeader  = 2    // {}
	maxOddHeader = 1 << 40
)

// Format scans safetensors files.
type Format struct{}

// New makes the format.
func New() format.Format { return Format{} }

// Name implements format.Format.
func (Format) Name() string { return "safetensors" }

// Title implements format.Format.
func (Format) Title() string { return "safetensors tensor file" }

// Extensions implements format.Format.
func (Format) Extensions() []string { return []string{".safetensors"} }

// Match accepts a length that a header could have, followed by a brace; and by
// name, whatever the bytes are that no other reader would take for another kind.
func (Format) Match(p *format.Probe) bool {
	if len(p.Head) < prefix+shortHeader {
		return false
	}
	n := binary.LittleEndian.Uint64(p.Head)
	first := p.Head[prefix]
	named := hasSuffix(p.Name, ".safetensors") || p.Hint == "safetensors"
	switch {
	case named && first == '{':
		return true
	case named && isBlank(first) && n <= maxOddHeader:
		return true
	}
	// Without the name: a whole header, and a quoted key or an empty object in it.
	return n >= shortHeader && n <= refusedFrom && int64(n) <= p.Size-prefix && first == '{' && opensObject(p.Head[prefix+1:])
}

func opensObject(s []byte) bool {
	for _, c := range s {
		if !isBlank(c) {
			return c == '"' || c == '}'
		}
	}
	return false
}

// Scan implements format.Format.
func (Format) Scan(ctx context.Context, a *format.Artifact) error {
	head, err := a.Blob.Head(prefix)
	if err != nil || len(head) < prefix {
		return err
	}
	n := binary.LittleEndian.Uint64(head)
	if n > refusedFrom {
		a.Add(ruleHeader.New(a.At(0, prefix), fmt.Sprintf("header length %d is over the format's limit of %d", n, refusedFrom),
			map[string]any{"length": n, "limit": refusedFrom}))
	}
	switch left := a.Blob.Size() - prefix; {
	case n > uint64(left):
		a.Incomplete("truncated", fmt.Sprintf("header of %d bytes, %d are there", n, left))
		return nil
	case n > maxHeader:
		a.Incomplete("header-too-large", fmt.Sprintf("%d bytes, %d are read", n, maxHeader))
		return nil
	}
	// The header itself where it must be read, and the table of tensors.
	hold := int64(n) / 2
	if _, inMemory := a.Blob.Mem(); !inMemory {
		hold += int64(n)
	}
	if !a.Budget.Hold(hold) {
		a.Incomplete("memory-limit", fmt.Sprintf("header of %d bytes", n))
		return nil
	}
	defer a.Budget.Release(hold)
	text, err := a.Blob.Bytes(prefix, int64(n))
	if err != nil {
		return err
	}
	s := &scan{a: a, ctx: ctx, base: prefix, data: prefix + int64(n)}
	s.w = walker{s: text}
	s.tensors = make([]tensor, 0, min(bytes.Count(text, []byte(`"dtype"`)), maxTensors))
	if err := s.header(); err != nil {
		return err
	}
	return s.layout()
}

func hasSuffix(s, suffix string) bool {
	return len(s) >= len(suffix) && s[len(s)-len(suffix):] == suffix
}
