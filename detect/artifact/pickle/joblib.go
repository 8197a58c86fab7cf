package pickle

import (
	"bytes"
	"strconv"
	"strings"
)

// joblibWrapper stands, in a file that joblib wrote, before the raw bytes of an
// array: joblib.load takes them out of the stream after the wrapper's BUILD
// (joblib/numpy_pickle.py NumpyUnpickler.load_build). pickle.load does not.
const joblibWrapper = "joblib.numpy_pickle.NumpyArrayWrapper"

// joblibArray gives the position behind the array that follows a wrapper with
// that state. An array of objects is a pickle stream of its own.
func (m *machine) joblibArray(state val, pos int) int {
	n := m.node(state)
	if n == nil || n.kind != nDict {
		m.fail("bad-joblib", pos, "the state of the array wrapper is not a dict")
		return pos
	}
	size, objects, ok := m.joblibItem(m.dictGet(n, "dtype"))
	if !ok {
		m.fail("bad-joblib", pos, "the dtype of an array cannot be told")
		return pos
	}
	if objects {
		return m.joblibObjects(pos)
	}
	total, ok := m.joblibCount(m.dictGet(n, "shape"), size)
	if !ok {
		m.fail("bad-joblib", pos, "the shape of an array cannot be told")
		return pos
	}
	if align := m.dictGet(n, "numpy_array_alignment_bytes"); align != 0 && align.kind() != kNone {
		if pos >= len(m.data) {
			m.fail("truncated", pos, "an array is cut off")
			return pos
		}
		pos += 1 + int(m.data[pos])
	}
	if total > int64(len(m.data)-min(pos, len(m.data))) {
		m.fail("truncated", pos, "an array of "+strconv.FormatInt(total, 10)+" bytes is cut off")
		return pos
	}
	m.limit = len(m.data)
	return pos + int(total)
}

// joblibObjects reads the stream of an object array with a machine of its own.
func (m *machine) joblibObjects(pos int) int {
	if m.inner >= maxInner {
		m.fail("depth-limit", pos, "arrays of objects nest too deep")
		return pos
	}
	sub := &machine{ctx: m.ctx, db: m.db, events: m.events, literal: m.literal, listing: m.listing, inner: m.inner + 1, symIndex: map[string]uint32{}}
	sub.begin(m.data, reading{joblib: false})
	end := sub.run(pos)
	m.literal = sub.literal
	m.events.finish(sub)
	if sub.fault != nil {
		m.fault = sub.fault
	}
	m.err = sub.err
	m.limit = len(m.data)
	return end
}

const maxInner = 4

// dictGet is the value of a text key; 0 where there is none.
func (m *machine) dictGet(n *node, key string) val {
	vs := m.elems(n)
	for i := len(vs) - 2; i >= 0; i -= 2 {
		if m.realKind(vs[i]) == kStr && string(m.text(vs[i])) == key {
			return vs[i+1]
		}
	}
	return 0
}

// joblibItem reads an item's size from numpy.dtype('f8', …).
func (m *machine) joblibItem(v val) (size int64, objects, ok bool) {
	n := m.node(v)
	if n == nil || n.kind != nInstance {
		return 0, false, false
	}
	vs, _ := m.arguments(m.elems(n)[1])
	if len(vs) == 0 {
		return 0, false, false
	}
	code := strings.TrimLeft(string(bytes.Clone(m.text(vs[0]))), "<>|=")
	if code == "" {
		return 0, false, false
	}
	if code[0] == 'O' {
		return 0, true, true
	}
	width, err := strconv.ParseInt(digitsOf(code[1:]), 10, 32)
	if err != nil {
		return 0, false, false
	}
	if code[0] == 'V' && m.objectField(n) {
		return 0, true, true
	}
	if code[0] == 'U' {
		width *= 4
	}
	return width, false, true
}

func digitsOf(s string) string {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i]
}

// objectField says whether the BUILD of a structured dtype names a field of
// Python objects: such arrays are pickled, not written raw.
func (m *machine) objectField(dtype *node) bool {
	if dtype.sym == 0 {
		return false
	}
	return dtype.flags&fActive != 0
}

func (m *machine) joblibCount(shape val, size int64) (int64, bool) {
	vs, whole := m.arguments(shape)
	if !whole {
		return 0, false
	}
	total := size
	for _, v := range vs {
		d, ok := m.integer(v)
		if !ok || d < 0 {
			return 0, false
		}
		if d != 0 && total > (1<<46)/d {
			return 0, false
		}
		total *= d
	}
	return total, true
}
