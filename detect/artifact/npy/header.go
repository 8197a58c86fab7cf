package npy

import (
	"math/bits"
	"strings"
)

// info is what a header says.
type info struct {
	descr   string
	item    uint64 // bytes of an element
	shape   []uint64
	objects bool // the data is a pickle
}

// bytes is the length of the data; over where it does not fit into 63 bits.
func (h *info) bytes() (n int64, over bool) {
	size := h.item
	zero := size == 0
	for _, d := range h.shape {
		high, low := bits.Mul64(size, d)
		if d == 0 {
			zero = true
			continue
		}
		if !zero && (high != 0 || low > 1<<63-1) {
			over = true
			low = 1
		}
		if !zero {
			size = low
		}
	}
	switch {
	case zero:
		return 0, false
	case over:
		return 0, true
	}
	return int64(size), size > 1<<63-1
}

// parseHeader reads the dictionary: exactly descr, fortran_order and shape, as
// numpy.lib.format wants them.
func parseHeader(text []byte) (*info, *problem) {
	v, bad := parseLiteral(string(text))
	if bad != nil {
		return nil, bad
	}
	if v.kind != dict {
		return nil, &problem{what: "no dictionary"}
	}
	h, seen := &info{}, map[string]bool{}
	for i := 0; i+1 < len(v.items); i += 2 {
		key, value := v.items[i], v.items[i+1]
		if key.kind != str || seen[key.s] {
			return nil, &problem{what: "a key that is no text or stands twice"}
		}
		seen[key.s] = true
		switch key.s {
		case "descr":
			h.descr = value.s
			if h.item, h.objects, bad = itemSize(value, 0); bad != nil {
				return nil, bad
			}
		case "fortran_order":
			if value.kind != truth {
				return nil, &problem{what: "fortran_order is no truth value"}
			}
		case "shape":
			if value.kind == number {
				return nil, &problem{what: "shape is no tuple"}
			}
			if h.shape, bad = dims(value); bad != nil {
				return nil, bad
			}
		default:
			return nil, &problem{what: "unknown key " + clip(key.s)}
		}
	}
	if !seen["descr"] || !seen["fortran_order"] || !seen["shape"] {
		return nil, &problem{what: "descr, fortran_order or shape is missing"}
	}
	return h, nil
}

func dims(v literal) ([]uint64, *problem) {
	if v.kind == number { // a subarray's shape may be one number
		v = literal{kind: tuple, items: []literal{v}}
	}
	if v.kind != tuple && v.kind != list {
		return nil, &problem{what: "shape is no tuple"}
	}
	var out []uint64
	for _, d := range v.items {
		if d.kind != number || d.n < 0 {
			return nil, &problem{what: "a dimension is no whole number"}
		}
		out = append(out, uint64(d.n))
	}
	return out, nil
}

// itemSize works out the bytes of one element of a descr: a type string, a list
// of fields, or a tuple of a type and a shape.
func itemSize(v literal, depth int) (size uint64, objects bool, bad *problem) {
	switch {
	case depth > maxNesting:
		return 0, false, &problem{what: "types nested too deep"}
	case v.kind == str:
		return typeSize(v.s)
	case v.kind == tuple && len(v.items) == 2:
		return subarray(v.items[0], v.items[1], depth)
	case v.kind != list:
		return 0, false, &problem{what: "descr is no type"}
	}
	for _, f := range v.items {
		if f.kind != tuple || len(f.items) < 2 || len(f.items) > 3 || !isFieldName(f.items[0]) {
			return 0, false, &problem{what: "a field is no (name, type) or (name, type, shape)"}
		}
		n, o, bad := uint64(0), false, (*problem)(nil)
		if len(f.items) == 3 {
			n, o, bad = subarray(f.items[1], f.items[2], depth)
		} else {
			n, o, bad = itemSize(f.items[1], depth+1)
		}
		if bad != nil {
			return 0, false, bad
		}
		objects = objects || o
		if size += n; size < n || size > 1<<62 {
			return 0, objects, &problem{what: "an element over 62 bits"}
		}
	}
	return size, objects, nil
}

func isFieldName(v literal) bool {
	return v.kind == str || v.kind == tuple && len(v.items) == 2 && v.items[0].kind == str && v.items[1].kind == str
}

func subarray(of, shape literal, depth int) (uint64, bool, *problem) {
	n, objects, bad := itemSize(of, depth+1)
	if bad != nil || shape.kind == dict { // (type, {metadata})
		return n, objects, bad
	}
	d, bad := dims(shape)
	if bad != nil {
		return 0, objects, bad
	}
	size, over := (&info{item: n, shape: d}).bytes()
	if over {
		return 0, objects, &problem{what: "a field over 63 bits"}
	}
	return uint64(size), objects, nil
}

// typeSize reads a type string of the array interface: byte order, kind, size.
func typeSize(s string) (size uint64, objects bool, bad *problem) {
	unknown := &problem{what: "unknown type " + clip(s)}
	t := strings.TrimLeft(s, "<>|=")
	if len(s)-len(t) > 1 || t == "" || t[0] >= 0x80 {
		return 0, false, unknown
	}
	k, rest := t[0], t[1:]
	digits := 0
	for digits < len(rest) && digits < 10 && rest[digits] >= '0' && rest[digits] <= '9' {
		size = size*10 + uint64(rest[digits]-'0')
		digits++
	}
	tail := rest[digits:]
	switch k {
	case 'O': // |O, |O8
		return 8, true, nil
	case 'S', 'a', 'V', 'U':
		if tail != "" {
			return 0, false, unknown
		}
		if k == 'U' {
			size *= 4
		}
		return size, false, nil
	case 'm', 'M': // <M8[ns]
		if size != 8 || !isUnit(tail) {
			return 0, false, unknown
		}
		return 8, false, nil
	case '?':
		if rest != "" {
			return 0, false, unknown
		}
		return 1, false, nil
	}
	if tail == "" && size < 64 && strings.IndexByte(sizes[k], byte(size)) >= 0 {
		return size, false, nil
	}
	return 0, false, unknown
}

// sizes are those that NumPy knows of numbers, on any platform. Read only.
var sizes = [128]string{'b': "\x01", 'i': "\x01\x02\x04\x08", 'u': "\x01\x02\x04\x08", 'f': "\x02\x04\x08\x0a\x0c\x10", 'c': "\x04\x08\x10\x14\x18\x20"}

// isUnit: nothing, or a unit of time with its multiple, as in [25s].
func isUnit(s string) bool {
	if s == "" {
		return true
	}
	if len(s) < 3 || s[0] != '[' || s[len(s)-1] != ']' {
		return false
	}
	for _, c := range []byte(s[1 : len(s)-1]) {
		if !isLetter(c) && (c < '0' || c > '9') && c != '/' {
			return false
		}
	}
	return true
}
