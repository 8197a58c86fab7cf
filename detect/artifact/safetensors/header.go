package safetensors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"bartizan/detect/artifact/format"
	"bartizan/detect/input"
)

// scan is the examination of one file.
type scan struct {
	a   *format.Artifact
	ctx context.Context
	w   walker
	// base is where the header's JSON begins, data where tensors do.
	base, data int64

	tensors  []tensor
	arena    []byte // names in which escapes were resolved
	metadata int
	handed   int
	broken   bool // the layout cannot be judged
	counts   map[string]int
}

// tensor is one entry, kept small: headers may hold a million.
type tensor struct {
	begin, end uint64
	name       uint32 // offset in the header, or in the arena from inArena on
	length     uint32
}

const inArena = 1 << 31

func (s *scan) name(t tensor) []byte {
	if t.name >= inArena {
		at := t.name - inArena
		return s.arena[at : at+t.length]
	}
	return s.w.s[t.name : t.name+t.length]
}

// header walks the JSON. What is malformed is incomplete; an error is one of
// the scanner or its context.
func (s *scan) header() error {
	s.counts = map[string]int{}
	if len(s.w.s) == 0 || s.w.s[0] != '{' {
		s.a.Incomplete("malformed", "the header does not begin with {")
	}
	metadata := 0
	err := s.w.object(func(key raw) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if string(key.text()) == "__metadata__" {
			if metadata++; metadata == 2 {
				s.duplicate(key, "tensors")
			}
			return s.meta()
		}
		return s.tensor(key)
	})
	var bad *syntax
	var over *overflow
	switch {
	case errors.As(err, &over):
		s.broken = true
		s.add(ruleShape.New(s.a.At(s.base+int64(s.w.i), 1), "a shape or an offset does not fit into 64 bits",
			map[string]any{"expected": "overflow"}))
		s.a.Incomplete("malformed", over.Error())
	case errors.As(err, &bad):
		s.broken = true
		s.a.Incomplete("malformed", bad.Error())
	case errors.Is(err, errTooMany):
		s.broken = true
		s.a.Incomplete("too-many-tensors", fmt.Sprintf("more than %d", maxTensors))
	case err != nil:
		return err
	default:
		return s.afterJSON()
	}
	return nil
}

var errTooMany = errors.New("too many tensors")

// afterJSON looks at what follows the object within the header: blanks only.
func (s *scan) afterJSON() error {
	s.w.peek()
	rest := s.w.s[s.w.i:]
	if len(rest) == 0 {
		return nil
	}
	at := s.base + int64(s.w.i)
	s.add(ruleTrailing.New(s.a.At(at, int64(len(rest))), fmt.Sprintf("%d bytes between the header's JSON and the tensors", len(rest)),
		map[string]any{"bytes": len(rest), "where": "header"}))
	return s.hand("header", at, int64(len(rest)))
}

// tensor reads {"dtype": …, "shape": […], "data_offsets": […]}.
func (s *scan) tensor(key raw) error {
	if len(s.tensors) >= maxTensors {
		return errTooMany
	}
	e := entry{}
	if s.w.peek() != '{' {
		s.malformed(key, "not an object")
		s.broken = true
		return s.w.skip(0, func(raw) error { return nil })
	}
	err := s.w.object(func(field raw) error {
		switch string(field.text()) {
		case "dtype":
			return e.take(s, 1, field, func() (err error) { e.dtype, err = s.dtype(key); return err })
		case "shape":
			return e.take(s, 2, field, func() error { return s.shape(&e) })
		case "data_offsets":
			return e.take(s, 4, field, func() error { return s.offsets(key, &e) })
		}
		s.malformed(key, "unknown field "+quote(field.text()))
		return s.w.skip(0, func(raw) error { return nil })
	})
	if err != nil {
		return err
	}
	return s.entry(key, &e)
}

// entry is a tensor's description as it was read.
type entry struct {
	seen       uint8
	dtype      []byte
	elements   uint64
	zero, over bool
	begin, end uint64
}

// take reads a field once, and reports it where it stands again: the later one
// then counts, as in most readers.
func (e *entry) take(s *scan, bit uint8, field raw, read func() error) error {
	if e.seen&bit != 0 {
		s.duplicate(field, "tensor")
	}
	e.seen |= bit
	return read()
}

func (s *scan) dtype(key raw) ([]byte, error) {
	if s.w.peek() != '"' {
		s.malformed(key, "dtype is no string")
		return nil, s.w.skip(0, func(raw) error { return nil })
	}
	r, err := s.w.str()
	return r.text(), err
}

func (s *scan) shape(e *entry) error {
	e.elements, e.zero, e.over = 1, false, false
	return s.w.array(func() error {
		n, err := s.w.number()
		if err != nil {
			return err
		}
		e.zero = e.zero || n == 0
		high, low := bits.Mul64(e.elements, n)
		e.over = e.over || high != 0
		e.elements = low
		return nil
	})
}

func (s *scan) offsets(key raw, e *entry) error {
	n := 0
	err := s.w.array(func() error {
		v, err := s.w.number()
		if err != nil {
			return err
		}
		switch n {
		case 0:
			e.begin = v
		case 1:
			e.end = v
		}
		n++
		return nil
	})
	if err == nil && n != 2 {
		s.malformed(key, fmt.Sprintf("%d offsets, want 2", n))
		s.broken = true
	}
	return err
}

// entry checks one tensor by itself and keeps it for the layout.
func (s *scan) entry(key raw, e *entry) error {
	if e.seen != 7 {
		s.malformed(key, "dtype, shape or data_offsets is missing")
		s.broken = true
		return nil
	}
	t := tensor{begin: e.begin, end: e.end, name: uint32(key.at), length: uint32(len(key.s))}
	if key.escaped {
		t.name, t.length = uint32(len(s.arena))|inArena, 0
		s.arena = append(s.arena, key.text()...)
		t.length = uint32(len(s.arena)) - (t.name - inArena)
	}
	s.tensors = append(s.tensors, t)
	width, known := widths[string(e.dtype)]
	switch {
	case e.end < e.begin:
		s.broken = true
		s.add(ruleOutside.New(s.place(key), "offsets of "+quote(key.text())+" are reversed",
			map[string]any{"tensor": clip(key.text()), "begin": e.begin, "end": e.end}))
	case !known:
		s.malformed(key, "dtype "+quote(e.dtype)+" is not known")
	default:
		s.size(key, e, width)
	}
	return nil
}

// size compares shape times width with the span of the offsets.
func (s *scan) size(key raw, e *entry, width uint64) {
	high, low := bits.Mul64(e.elements, width)
	over := e.over && !e.zero || high != 0
	if e.zero {
		low, over = 0, e.over // the reference reader multiplies in order and refuses the overflow
	}
	want := any("overflow")
	if !over {
		if low%8 != 0 {
			s.malformed(key, "the last element ends within a byte")
			return
		}
		if low/8 == e.end-e.begin {
			return
		}
		want = low / 8
	}
	s.add(ruleShape.New(s.place(key), fmt.Sprintf("%s spans %d bytes, its shape means %v", quote(key.text()), e.end-e.begin, want),
		map[string]any{"tensor": clip(key.text()), "dtype": clip(e.dtype), "expected": want, "span": e.end - e.begin}))
}

// widths are the element sizes in bits of the safetensors crate 0.8; F8_E4M3 and
// F8_E5M2 also stand for the fn variants of other libraries. Read only.
var widths = map[string]uint64{
	"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8,
	"F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
	"C64": 64, "F64": 64, "I64": 64, "U64": 64,
}

func (s *scan) malformed(key raw, what string) {
	s.a.Incomplete("malformed", "tensor "+quote(key.text())+": "+what)
}

func (s *scan) duplicate(key raw, within string) {
	s.add(ruleDuplicate.New(s.place(key), "key "+quote(key.text())+" stands twice",
		map[string]any{"key": clip(key.text()), "within": within}))
}

// hand has bytes scanned that no tensor claims.
func (s *scan) hand(what string, at, n int64) error {
	if s.handed++; s.handed > maxHandedOn {
		s.a.Incomplete("too-many-gaps", "")
		return nil
	}
	return s.a.Child(s.ctx, format.Child{Name: fmt.Sprintf("%s@%d", what, at), Blob: s.a.Blob.Slice(at, n), Probed: true})
}

func (s *scan) text(name string, b []byte, hint string) error {
	return s.a.Child(s.ctx, format.Child{Name: name, Blob: input.FromBytes(slices.Clone(b)), Hint: hint, Probed: hint == ""})
}

// quote shows at most 80 bytes of a hostile name.
func quote(b []byte) string { return fmt.Sprintf("%q", clip(b)) }

func clip(b []byte) string {
	if len(b) > 80 {
		return string(bytes.ToValidUTF8(b[:80], nil)) + "…"
	}
	return string(b)
}
