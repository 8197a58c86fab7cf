package gguf

import (
	"fmt"
	"math/bits"
)

// tensor is one entry of the table.
type tensor struct {
	name     string
	offset   uint64 // within the data
	size     uint64 // bytes, without padding
	elements uint64
	kind     uint32
}

func (t tensor) end() uint64 { return t.offset + t.size }

// tensor reads one entry of the table.
func (s *scan) tensor() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	at := s.r.pos
	name, err := s.text("tensor name", maxKey)
	if err != nil {
		return err
	}
	if len(name) > maxName {
		s.a.Incomplete("malformed", fmt.Sprintf("tensor name of %d bytes", len(name)))
		name = clip(name)
	}
	if _, twice := s.names[name]; twice {
		s.add(ruleDuplicate.New(s.a.At(at, s.r.pos-at), "tensor "+quote(name)+" stands twice", map[string]any{"name": clip(name), "of": "tensor"}))
	}
	s.names[name] = struct{}{}
	t := tensor{name: name}
	shape, err := s.shape(name)
	if err != nil {
		return err
	}
	kind, ok := s.r.u32()
	if !ok {
		return s.truncated("tensor " + quote(name))
	}
	if t.offset, ok = s.r.u64(); !ok {
		return s.truncated("tensor " + quote(name))
	}
	t.kind = kind
	if int(kind) >= len(types) || types[kind].bytes == 0 {
		return s.badType("tensor "+quote(name), kind, s.r.pos-12)
	}
	return s.measure(t, shape)
}

// shape reads the dimensions.
func (s *scan) shape(name string) ([]uint64, error) {
	n, ok := s.r.u32()
	if !ok {
		return nil, s.truncated("tensor " + quote(name))
	}
	if n > maxDims {
		s.add(ruleTensor.New(s.a.At(s.r.pos-4, 4), fmt.Sprintf("tensor %s has %d dimensions, readers have room for %d", quote(name), n, maxDims),
			map[string]any{"tensor": clip(name), "dimensions": n}))
		return nil, s.malformed("dimensions of " + quote(name))
	}
	shape := make([]uint64, n)
	for i := range shape {
		if shape[i], ok = s.size(); !ok {
			return nil, s.truncated("tensor " + quote(name))
		}
	}
	return shape, nil
}

// measure works out a tensor's size, as llama.cpp does since it checks for
// overflow (build 7824), and keeps the tensor.
func (s *scan) measure(t tensor, shape []uint64) error {
	t.elements = 1
	over, empty := false, false
	for _, d := range shape {
		high, low := bits.Mul64(t.elements, d)
		empty = empty || d == 0
		over = over || d > 1<<63-1 || high != 0 || low > 1<<63-1
		t.elements = low
	}
	if empty {
		t.elements = 0
	}
	b := types[t.kind]
	high, size := bits.Mul64(t.elements/b.elements, b.bytes)
	if over || high != 0 || size > 1<<62 || t.offset > 1<<62 {
		s.add(ruleTensor.New(s.a.At(s.r.pos, 0), fmt.Sprintf("size or offset of tensor %s overflows: shape %d, offset %d", quote(t.name), shape, t.offset),
			map[string]any{"tensor": clip(t.name), "shape": fmt.Sprint(shape), "offset": t.offset, "type": t.kind}))
		return s.malformed("size of " + quote(t.name))
	}
	if len(shape) > 0 && shape[0]%b.elements != 0 {
		s.a.Incomplete("malformed", fmt.Sprintf("rows of tensor %s are no multiple of %d", quote(t.name), b.elements))
	}
	if t.offset%s.alignment != 0 {
		s.a.Incomplete("malformed", fmt.Sprintf("offset %d of tensor %s is not aligned to %d", t.offset, quote(t.name), s.alignment))
	}
	t.size = size
	s.tensors = append(s.tensors, t)
	return nil
}
