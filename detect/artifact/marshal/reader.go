package marshal

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

// Bounds of one parse.
const (
	// MaxDepth is CPython's own limit of nesting (MAX_MARSHAL_STACK_DEPTH).
	MaxDepth = 2000
	// MaxValues is how many values one reading may hold.
	MaxValues = 1 << 20
)

// Error says where a reading broke off and why.
type Error struct {
	Offset int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("marshal at offset %d: %s", e.Offset, e.Reason) }

const flagRef = 0x80

// reader reads one layout. The first fault sticks: CPython stops there, too.
type reader struct {
	data   []byte
	pos    int
	layout Layout
	refs   []*Value // FLAG_REF's targets (3.4 and later); nil while under construction
	intern []*Value // Python 2's interned strings, which TYPE_STRINGREF names
	depth  int
	values int
	codes  int
	err    *Error

	none, stop, ellipsis, no, yes *Value
	// fragments are strings and code objects in order of reading, kept for
	// readings that break off.
	fragments []*Value
}

func newReader(data []byte, layout Layout) *reader {
	return &reader{
		data: data, layout: layout,
		none: &Value{Kind: None}, stop: &Value{Kind: StopIteration}, ellipsis: &Value{Kind: Ellipsis},
		no: &Value{Kind: False}, yes: &Value{Kind: True},
	}
}

func (r *reader) fail(reason string) *Value {
	if r.err == nil {
		r.err = &Error{Offset: r.pos, Reason: reason}
	}
	return nil
}

// take gives the next n bytes, or nil after a fault.
func (r *reader) take(n int64) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > int64(len(r.data)-r.pos) {
		r.fail("truncated or length out of range")
		return nil
	}
	b := r.data[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return b
}

func (r *reader) byte() (byte, bool) {
	b := r.take(1)
	if b == nil {
		return 0, false
	}
	return b[0], true
}

func (r *reader) int32() int32 {
	b := r.take(4)
	if b == nil {
		return 0
	}
	return int32(binary.LittleEndian.Uint32(b))
}

func (r *reader) float64() float64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// textFloat reads a float of marshal version 0 and 1: length byte and digits.
func (r *reader) textFloat() float64 {
	n, ok := r.byte()
	if !ok {
		return 0
	}
	f, err := strconv.ParseFloat(string(r.take(int64(n))), 64)
	if err != nil && r.err == nil && math.Abs(f) <= math.MaxFloat64 {
		r.fail("float is not a number")
	}
	return f
}

// make counts a value against the bound.
func (r *reader) make(v Value) *Value {
	if r.err != nil {
		return nil
	}
	if r.values++; r.values > MaxValues {
		return r.fail("too many values")
	}
	return &v
}

func (r *reader) str(kind Kind, n int64) *Value {
	b := r.take(n)
	if r.err != nil {
		return nil
	}
	v := r.make(Value{Kind: kind, Text: string(b)})
	if v != nil && len(b) > 0 {
		r.fragments = append(r.fragments, v)
	}
	return v
}

// bigInt reads TYPE_LONG: the sign's count of 15-bit digits.
func (r *reader) bigInt() *Value {
	n := int64(r.int32())
	sign := n < 0
	if sign {
		n = -n
	}
	b := r.take(2 * n)
	if r.err != nil {
		return nil
	}
	if n <= 4 {
		var x int64
		for i := int(n) - 1; i >= 0; i-- {
			x = x<<15 | int64(binary.LittleEndian.Uint16(b[2*i:])&0x7fff)
		}
		if sign {
			x = -x
		}
		return r.make(Value{Kind: Int, Int: x})
	}
	packed := make([]byte, (n*15+7)/8)
	for i := int64(0); i < n; i++ {
		d := uint32(binary.LittleEndian.Uint16(b[2*i:]))
		if d > 0x7fff {
			return r.fail("digit out of range in long")
		}
		bit := i * 15
		d <<= uint(bit % 8)
		for k := bit / 8; d != 0; k++ {
			packed[int64(len(packed))-1-k] |= byte(d)
			d >>= 8
		}
	}
	x := new(big.Int).SetBytes(packed)
	text := "0x" + x.Text(16)
	if sign {
		text = "-" + text
	}
	return r.make(Value{Kind: BigInt, Text: text})
}
