// Package gguf decides whether a GGUF file (versions 1 to 3, either byte order)
// is what llama.cpp and its many readers may safely take: counts and lengths
// that fit into the file, keys that stand once, tensors whose size is what
// their shape says and that lie, apart from each other, within the file. Chat
// templates in the metadata are handed on as Jinja.
//
// The evidence is the metadata and the tensor table. Tensor bytes are not read,
// but for what lies in gaps and after the last tensor. Counts are checked
// against the bytes that are left before anything is done with them: readers
// that did not were the subject of the advisories that the rules name.
//
// It cannot see what weights do, data hidden in the weights themselves, or
// types that forks of llama.cpp number on their own.
package gguf

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Limits. llama.cpp takes strings and arrays of up to 2^30, tensor names of up
// to 63 bytes, 4 dimensions, and no nested arrays.
const (
	loaderMax  = 1 << 30
	maxKeys    = 1 << 16
	maxTensors = 1 << 17
	maxKey     = 1<<16 - 1 // by the specification
	maxKept    = 256       // of a key that is remembered
	maxName    = 63
	maxDims    = 4
	maxNesting = 4
	maxText    = 4 << 20 // of a template or a description, handed on or looked at

	defaultAlignment = 32
)

// Format scans GGUF files.
type Format struct{}

// New makes the format.
func New() format.Format { return Format{} }

// Name implements format.Format.
func (Format) Name() string { return "gguf" }

// Title implements format.Format.
func (Format) Title() string { return "GGUF model" }

// Extensions implements format.Format.
func (Format) Extensions() []string { return []string{".gguf"} }

// Match wants the magic, and behind it a version that is near those that exist,
// in either byte order, unless the name says the same.
func (Format) Match(p *format.Probe) bool {
	if len(p.Head) < 4 || string(p.Head[:4]) != "GGUF" {
		return false
	}
	if p.Hint == "gguf" || len(p.Name) > 5 && p.Name[len(p.Name)-5:] == ".gguf" {
		return true
	}
	return len(p.Head) >= 8 && (binary.LittleEndian.Uint32(p.Head[4:]) < 256 || binary.BigEndian.Uint32(p.Head[4:]) < 256)
}

// scan is the examination of one file.
type scan struct {
	a   *format.Artifact
	ctx context.Context
	r   *reader

	version   uint32
	alignment uint64
	keys      map[string]struct{}
	tensors   []tensor
	names     map[string]struct{}
	handed    int
	peeked    int64
	counts    map[string]int
}

// stop ends the examination: what was wrong has been reported already.
type stop struct{}

func (stop) Error() string { return "the file cannot be followed further" }

// Scan implements format.Format.
func (Format) Scan(ctx context.Context, a *format.Artifact) error {
	s := &scan{
		a: a, ctx: ctx, r: newReader(a.Blob), alignment: defaultAlignment,
		keys: map[string]struct{}{}, counts: map[string]int{},
	}
	err := s.file()
	if s.r.err != nil {
		return s.r.err
	}
	if errors.Is(err, stop{}) {
		return nil
	}
	return err
}

// file reads header, metadata, tensor table and layout in turn.
func (s *scan) file() error {
	s.r.skip(4)
	version, ok := s.r.u32()
	if !ok {
		return s.truncated("header")
	}
	if version&0xffff == 0 && version != 0 { // llama.cpp's own test for the other byte order
		s.r.order = binary.BigEndian
		version = version>>24 | version>>8&0xff00
	}
	if version < 1 || version > 3 {
		s.a.Incomplete("unsupported-version", fmt.Sprintf("GGUF version %d", version))
		return nil
	}
	s.version = version
	tensors, ok1 := s.size()
	keys, ok2 := s.size()
	if !ok1 || !ok2 {
		return s.truncated("header")
	}
	if err := s.count("key", keys, s.wordSize()+4+1, maxKeys); err != nil {
		return err
	}
	if err := s.count("tensor", tensors, s.wordSize()+4+4+8, maxTensors); err != nil {
		return err
	}
	hold := int64(keys+tensors) * 200
	if !s.a.Budget.Hold(hold) {
		s.a.Incomplete("memory-limit", fmt.Sprintf("%d keys and %d tensors", keys, tensors))
		return nil
	}
	defer s.a.Budget.Release(hold)
	s.tensors = make([]tensor, 0, tensors)
	s.names = make(map[string]struct{}, tensors)
	for i := uint64(0); i < keys; i++ {
		if err := s.pair(); err != nil {
			return err
		}
	}
	for i := uint64(0); i < tensors; i++ {
		if err := s.tensor(); err != nil {
			return err
		}
	}
	return s.layout()
}

// size reads a count or a length: 32 bits in version 1, 64 since.
func (s *scan) size() (uint64, bool) {
	if s.version == 1 {
		n, ok := s.r.u32()
		return uint64(n), ok
	}
	return s.r.u64()
}

func (s *scan) wordSize() uint64 {
	if s.version == 1 {
		return 4
	}
	return 8
}

// count checks a number of things of at least least bytes each. More than the
// file can hold is a cut download, or, where it is more than any file could, an
// attack on readers that allocate first.
func (s *scan) count(what string, n, least uint64, most uint64) error {
	left := uint64(s.r.left())
	if n <= left/least {
		if most > 0 && n > most {
			s.a.Incomplete("too-many-"+what+"s", fmt.Sprintf("%d, %d are read", n, most))
			return stop{}
		}
		return nil
	}
	if n > loaderMax {
		s.add(ruleLength.New(s.a.At(s.r.pos, 0), fmt.Sprintf("%s count or length %d, %d bytes are left", what, n, left),
			map[string]any{"of": what, "value": n, "left": left}))
	}
	return s.truncated(fmt.Sprintf("%s count or length %d, %d bytes are left", what, n, left))
}

func (s *scan) truncated(what string) error {
	s.a.Incomplete("truncated", what)
	return stop{}
}

func (s *scan) malformed(what string) error {
	s.a.Incomplete("malformed", what)
	return stop{}
}

// maxReported is how many findings of one rule are kept.
const maxReported = 32

func (s *scan) add(f finding.Finding) {
	if s.counts[f.Rule]++; s.counts[f.Rule] <= maxReported {
		s.a.Add(f)
	}
}

// quote shows at most 80 bytes of a hostile name.
func quote(s string) string { return fmt.Sprintf("%q", clip(s)) }

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
