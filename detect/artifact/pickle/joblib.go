package pickle

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"bartizan/detect/artifact/symbol"
)

// joblibWrapper stands, in a file that joblib wrote, before the raw bytes of an
// array: joblib.load takes them out of the stream after the wrapper's BUILD
// (joblib/numpy_pickle.py NumpyUnpickler.load_build). pickle.load does not.
const joblibWrapper = "joblib.numpy_pickle.NumpyArrayWrapper"

// joblibArray gives the position behind the array that follows a wrapper with
// that state. An array of objects is a pickle stream of its own.
func (m *machine) joblibArray(state val, pos int) int {
	n := m.node(state)
	if n == nil || n.kind != nDict || !m.literalKeys(n) {
		m.fail("bad-joblib", pos, "the state of the array wrapper is not a plain dict")
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
	if ref := m.ref(n); n == nil || n.kind != nInstance || ref == nil || ref.canonical() != "numpy.dtype" {
		return 0, false, false
	}
	vs, _ := m.arguments(m.elems(n)[1])
	if len(vs) == 0 || m.realKind(vs[0]) != kStr || !elementCode.Match(m.text(vs[0])) {
		return 0, false, false
	}
	code := strings.TrimLeft(string(m.text(vs[0])), "<>|=")
	if code[0] == 'O' {
		return 0, true, true
	}
	width, err := strconv.ParseInt(digitsOf(code[1:]), 10, 32)
	if err != nil {
		if code != "?" {
			return 0, false, false
		}
		width = 1
	}
	if code[0] == 'V' && m.objectField(n) {
		return 0, true, true
	}
	if code[0] == 'U' {
		width *= 4
	}
	return width, false, m.widthAgrees(n, width)
}

// elementCode is how numpy writes an element type: a letter and a width.
var elementCode = regexp.MustCompile(`^[<>|=]?([biufcSUV][0-9]{1,9}|[mM]8(\[[0-9]*[a-zA-Zμ]+\])?|O8?|\?)$`)

// widthAgrees holds a dtype's name against the width that its state sets anew,
// which is what counts for the length of an array.
func (m *machine) widthAgrees(n *node, width int64) bool {
	const elsize = 5
	for _, state := range m.elems(n)[2:] {
		vs, whole := m.arguments(state)
		if !whole {
			return false
		}
		if len(vs) > elsize {
			if have, ok := m.integer(vs[elsize]); !ok || have >= 0 && have != width {
				return false
			}
		}
	}
	return n.flags&fDropped == 0
}

// checkCompanion is for joblib's wrappers before 0.10, which read an array from
// a file beside the pickle by the name that the state gives.
func (m *machine) checkCompanion(ref *symbolRef, state val, off int) {
	switch ref.canonical() {
	case "joblib.numpy_pickle.NDArrayWrapper", "joblib.numpy_pickle.ZNDArrayWrapper",
		"joblib.numpy_pickle_compat.NDArrayWrapper", "joblib.numpy_pickle_compat.ZNDArrayWrapper":
	default:
		return
	}
	n := m.node(state)
	if n != nil && n.kind == nDict && m.literalKeys(n) {
		name := m.dictGet(n, "filename")
		if name == 0 || name.kind() == kStr && !bytes.ContainsAny(m.text(name), `/\`) {
			return
		}
	}
	m.events.objectEffect(m, ref, symbol.Load|symbol.Read, "BUILD", state, off)
}

// literalKeys says that all keys of a dict are text that stands in the stream.
func (m *machine) literalKeys(n *node) bool {
	for i, e := range m.elems(n) {
		if i%2 == 0 && e.kind() != kStr {
			return false
		}
	}
	return n.flags&(fDropped|fActive|fEscaped) == 0
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
