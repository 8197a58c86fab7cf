// Package pickleasm assembles pickle streams, right ones and wrong ones.
//
// It writes what it is told: stacks that do not add up, frames that end inside an opcode, lengths larger
// than their field (which wrap), text that no pickler would write. Tests, fuzz seeds, the demo's attacks
// and the differential generator make their streams with it, so that each says in a line what it is:
//
//	pickleasm.New().Proto(4).Call("os", "system", "id").Stop().Bytes()
//
// Methods named like opcodes write exactly that opcode with its argument. The others are helpers made of
// them. Nothing here reads or runs a pickle. The opcodes are those of CPython's Lib/pickle.py and
// Lib/pickletools.py (PEP 307, 3154 and 574).
package pickleasm

import (
	"encoding/binary"
	"math"
)

// Builder collects a stream. Its methods return it, for chains. The zero value is an empty stream.
type Builder struct {
	buf  []byte
	memo int // slots that MEMOIZE has filled, for Remember
}

// New starts an empty stream.
func New() *Builder { return &Builder{} }

// Bytes gives a copy of the stream so far.
func (b *Builder) Bytes() []byte { return append([]byte(nil), b.buf...) }

// Len is the length of the stream so far, in bytes.
func (b *Builder) Len() int { return len(b.buf) }

// Raw adds bytes as they are.
func (b *Builder) Raw(data ...byte) *Builder {
	b.buf = append(b.buf, data...)
	return b
}

// Text adds the bytes of s as they are.
func (b *Builder) Text(s string) *Builder {
	b.buf = append(b.buf, s...)
	return b
}

// Op adds opcodes without arguments.
func (b *Builder) Op(ops ...Op) *Builder {
	for _, op := range ops {
		b.buf = append(b.buf, byte(op))
	}
	return b
}

// Line adds op and a text argument with its newline.
func (b *Builder) Line(op Op, text string) *Builder { return b.Op(op).Text(text).Raw('\n') }

// Counted adds op, the stated length n in a field of width 1, 4 or 8 bytes, and data, whose length need not be n.
func (b *Builder) Counted(op Op, width int, n uint64, data []byte) *Builder {
	b.Op(op)
	var field [8]byte
	binary.LittleEndian.PutUint64(field[:], n)
	b.buf = append(b.buf, field[:width]...)
	return b.Raw(data...)
}

func (b *Builder) fixed4(op Op, v uint32) *Builder {
	b.buf = binary.LittleEndian.AppendUint32(append(b.buf, byte(op)), v)
	return b
}

func (b *Builder) fixed2(op Op, v uint16) *Builder {
	b.buf = binary.LittleEndian.AppendUint16(append(b.buf, byte(op)), v)
	return b
}

// BinFloat writes v as BINFLOAT does: big-endian IEEE 754.
func (b *Builder) BinFloat(v float64) *Builder {
	b.buf = binary.BigEndian.AppendUint64(append(b.buf, byte(BINFLOAT)), math.Float64bits(v))
	return b
}
