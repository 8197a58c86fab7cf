package gguf

import (
	"cmp"
	"fmt"
	"slices"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Padding up to silent bytes is not looked at; longer padding must be zeros, of
// which maxPeeked bytes in all are read.
const (
	silent    = 32
	maxPeeked = 512 << 10
	maxHanded = 64
)

// layout checks how the tensors lie in the data, which begins at the next
// multiple of the alignment.
func (s *scan) layout() error {
	begin := align(uint64(s.r.pos), s.alignment)
	size := uint64(s.a.Blob.Size())
	if len(s.tensors) == 0 {
		return s.rest(uint64(s.r.pos), min(begin, size), size)
	}
	slices.SortStableFunc(s.tensors, func(a, b tensor) int { return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.size, b.size)) })
	s.settle()
	if begin > size {
		begin = size
	}
	if err := s.padding(uint64(s.r.pos), begin); err != nil {
		return err
	}
	if s.outside(size - begin) {
		return nil
	}
	at, last := uint64(0), tensor{}
	for _, t := range s.tensors {
		padded := align(at, s.alignment)
		switch {
		case t.offset > padded:
			if err := s.gap(begin+at, begin+t.offset, t); err != nil {
				return err
			}
		case t.offset >= at:
			if err := s.padding(begin+at, begin+t.offset); err != nil {
				return err
			}
		case t.size > 0:
			s.overlap(begin, t, last)
		}
		if t.end() > at {
			at, last = t.end(), t
		}
	}
	end := begin + at
	return s.rest(end, min(align(end, s.alignment), size), size)
}

// align gives the next multiple of a, a power of two, from n on, and saturates.
func align(n, a uint64) uint64 {
	if n > 1<<63 {
		return n
	}
	return (n + a - 1) &^ (a - 1)
}

// settle decides which of two block sizes tensors of type 42 have: the one with
// which tensors do not overlap.
func (s *scan) settle() {
	if !slices.ContainsFunc(s.tensors, func(t tensor) bool { return t.kind == typeQ20 }) {
		return
	}
	other := slices.Clone(s.tensors)
	for i := range other {
		if other[i].kind == typeQ20 {
			other[i].size = other[i].elements / forked.elements * forked.bytes
		}
	}
	if !s.follows(s.tensors) && s.follows(other) {
		s.tensors = other
	}
}

// follows says whether sorted tensors follow one another with padding only.
func (s *scan) follows(list []tensor) bool {
	at := uint64(0)
	for _, t := range list {
		if t.offset != at {
			return false
		}
		at = align(t.end(), s.alignment)
	}
	return true
}

// outside reports tensors that end past the file.
func (s *scan) outside(available uint64) bool {
	n, end, first := 0, uint64(0), tensor{}
	for _, t := range s.tensors {
		if t.size > 0 && t.end() > available {
			if n == 0 {
				first = t
			}
			n++
			end = max(end, t.end())
		}
	}
	if n == 0 {
		return false
	}
	s.add(ruleOutside.New(s.a.At(s.a.Blob.Size()-int64(available), int64(available)),
		fmt.Sprintf("%d tensors, from %s on, end past the file: %d bytes of data are there, %d are described", n, quote(first.name), available, end),
		map[string]any{"tensor": clip(first.name), "offset": first.offset, "size": first.size, "available": available, "tensors": n}))
	s.a.Incomplete("truncated", fmt.Sprintf("%d bytes of tensor data are missing", end-available))
	return true
}

func (s *scan) overlap(begin uint64, t, last tensor) {
	f := ruleOverlap.New(s.a.At(int64(begin+t.offset), int64(t.size)), "tensor "+quote(t.name)+" overlaps "+quote(last.name),
		map[string]any{"tensor": clip(t.name), "other": clip(last.name), "offset": t.offset, "size": t.size})
	if t.offset == last.offset && t.size == last.size {
		f.Severity = finding.Medium
		f.Message = "tensors " + quote(t.name) + " and " + quote(last.name) + " are the same bytes"
	}
	s.add(f)
}

// gap reports bytes before t that are more than padding.
func (s *scan) gap(from, to uint64, t tensor) error {
	s.add(ruleGap.New(s.a.At(int64(from), int64(to-from)), fmt.Sprintf("%d bytes before tensor %s belong to none", to-from, quote(t.name)),
		map[string]any{"bytes": to - from, "before": clip(t.name)}))
	return s.hand("gap", from, to)
}

// padding looks into long padding, which an alignment of the file's own choice
// allows: it must be zeros.
func (s *scan) padding(from, to uint64) error {
	if to <= from+silent {
		return nil
	}
	n := int64(min(to-from, window))
	if s.peeked += n; s.peeked > maxPeeked {
		s.a.Incomplete("long-padding", "more padding than is read")
		return nil
	}
	b, err := s.a.Blob.Bytes(int64(from), n)
	if err != nil {
		return err
	}
	if allZero(b) {
		if uint64(n) < to-from {
			s.a.Incomplete("long-padding", fmt.Sprintf("%d bytes at %d", to-from, from))
		}
		return nil
	}
	s.add(ruleGap.New(s.a.At(int64(from), int64(to-from)), fmt.Sprintf("%d bytes of padding are not zero", to-from),
		map[string]any{"bytes": to - from, "before": ""}))
	return s.hand("padding", from, to)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// rest looks at what follows the last tensor: padding to the alignment, and
// nothing else.
func (s *scan) rest(end, padded, size uint64) error {
	if end >= size {
		return nil
	}
	if padded < size {
		s.add(ruleTrailing.New(s.a.At(int64(end), int64(size-end)), fmt.Sprintf("%d bytes after the last tensor", size-end),
			map[string]any{"bytes": size - end}))
		return s.hand("trailing", padded, size)
	}
	return s.padding(end, size)
}

func (s *scan) hand(what string, from, to uint64) error {
	if s.handed++; s.handed > maxHanded {
		s.a.Incomplete("too-many-gaps", "")
		return nil
	}
	return s.a.Child(s.ctx, format.Child{Name: fmt.Sprintf("%s@%d", what, from), Blob: s.a.Blob.Slice(int64(from), int64(to-from)), Probed: true})
}
