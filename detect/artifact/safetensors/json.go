package safetensors

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// walker reads JSON (RFC 8259) in place, one value after the other, and keeps
// what encoding/json throws away: equal keys, and where things stand.
type walker struct {
	s []byte
	i int
}

// syntax is an error of the header's JSON, at a byte offset in it.
type syntax struct {
	at   int
	what string
}

func (e *syntax) Error() string { return fmt.Sprintf("%s at byte %d of the header", e.what, e.at) }

func (w *walker) fail(what string) error { return &syntax{at: w.i, what: what} }

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// peek skips blanks and gives the next byte, or 0 at the end.
func (w *walker) peek() byte {
	for w.i < len(w.s) && isBlank(w.s[w.i]) {
		w.i++
	}
	if w.i >= len(w.s) {
		return 0
	}
	return w.s[w.i]
}

// expect takes the byte c.
func (w *walker) expect(c byte) error {
	if w.peek() != c {
		return w.fail("no " + string(c))
	}
	w.i++
	return nil
}

// object calls field for each key; field must read the value.
func (w *walker) object(field func(key raw) error) error {
	return w.list('{', '}', func() error {
		key, err := w.str()
		if err != nil {
			return err
		}
		if err := w.expect(':'); err != nil {
			return err
		}
		w.peek()
		return field(key)
	})
}

// array calls item before each element; item must read it.
func (w *walker) array(item func() error) error { return w.list('[', ']', item) }

func (w *walker) list(from, to byte, item func() error) error {
	if err := w.expect(from); err != nil {
		return err
	}
	if w.peek() == to {
		w.i++
		return nil
	}
	for {
		w.peek()
		if err := item(); err != nil {
			return err
		}
		switch w.peek() {
		case ',':
			w.i++
		case to:
			w.i++
			return nil
		default:
			return w.fail("neither comma nor " + string(to))
		}
	}
}

// raw is a JSON string without its quotes, escapes unresolved.
type raw struct {
	s       []byte
	escaped bool
	at      int
}

func (w *walker) str() (raw, error) {
	if w.peek() != '"' {
		return raw{}, w.fail("no string")
	}
	w.i++
	r := raw{at: w.i}
	for w.i < len(w.s) {
		switch c := w.s[w.i]; {
		case c == '"':
			r.s = w.s[r.at:w.i]
			w.i++
			if !utf8.Valid(r.s) {
				w.i = r.at
				return raw{}, w.fail("text that is not UTF-8")
			}
			return r, nil
		case c == '\\':
			r.escaped = true
			n, ok := escape(w.s[w.i:])
			if !ok {
				return raw{}, w.fail("wrong escape")
			}
			w.i += n
		case c < ' ':
			return raw{}, w.fail("control character in a string")
		default:
			w.i++
		}
	}
	return raw{}, w.fail("string without an end")
}

// escape gives the length of the escape at the start of s.
func escape(s []byte) (int, bool) {
	if len(s) < 2 {
		return 0, false
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
		_, ok := hex4(s[2:])
		return 6, ok
	}
	return 0, false
}

func hex4(s []byte) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// text resolves the escapes; without any it is the header's own bytes.
func (r raw) text() []byte {
	if !r.escaped {
		return r.s
	}
	out := make([]byte, 0, len(r.s))
	for i := 0; i < len(r.s); {
		if r.s[i] != '\\' {
			out = append(out, r.s[i])
			i++
			continue
		}
		if r.s[i+1] != 'u' {
			out = append(out, simple[r.s[i+1]])
			i += 2
			continue
		}
		c, _ := hex4(r.s[i+2:])
		i += 6
		if utf16.IsSurrogate(c) {
			low, ok := rune(0), false
			if i+6 <= len(r.s) && r.s[i] == '\\' && r.s[i+1] == 'u' {
				low, ok = hex4(r.s[i+2:])
			}
			if pair := utf16.DecodeRune(c, low); ok && pair != utf8.RuneError {
				c = pair
				i += 6
			} else {
				c = utf8.RuneError
			}
		}
		out = utf8.AppendRune(out, c)
	}
	return out
}

var simple = [128]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// number reads an integer without sign, fraction or exponent, which is all that
// shapes and offsets may be.
func (w *walker) number() (uint64, error) {
	w.peek()
	from, n := w.i, uint64(0)
	for w.i < len(w.s) && w.s[w.i] >= '0' && w.s[w.i] <= '9' {
		d := uint64(w.s[w.i] - '0')
		if n > (1<<64-1-d)/10 {
			return 0, &overflow{w.fail("number over 64 bits")}
		}
		n = n*10 + d
		w.i++
	}
	if w.i == from || w.s[from] == '0' && w.i > from+1 {
		return 0, w.fail("no whole number")
	}
	if w.i < len(w.s) && (w.s[w.i] == '.' || w.s[w.i]|0x20 == 'e') {
		return 0, w.fail("no whole number")
	}
	return n, nil
}

// overflow is a number that no reader can hold.
type overflow struct{ error }

// skip passes over any value and calls each for every string in it.
func (w *walker) skip(depth int, each func(raw) error) error {
	if depth > maxNesting {
		return w.fail("nesting deeper than " + fmt.Sprint(maxNesting))
	}
	switch c := w.peek(); {
	case c == '{':
		return w.object(func(raw) error { return w.skip(depth+1, each) })
	case c == '[':
		return w.array(func() error { return w.skip(depth+1, each) })
	case c == '"':
		r, err := w.str()
		if err != nil {
			return err
		}
		return each(r)
	default:
		return w.scalar()
	}
}

func (w *walker) scalar() error {
	from := w.i
	for w.i < len(w.s) && w.s[w.i] > ' ' && w.s[w.i] != ',' && w.s[w.i] != ']' && w.s[w.i] != '}' {
		w.i++
	}
	switch t := w.s[from:w.i]; {
	case string(t) == "true", string(t) == "false", string(t) == "null":
		return nil
	case len(t) > 0 && (t[0] == '-' || t[0] >= '0' && t[0] <= '9'):
		for _, c := range t {
			if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c|0x20 != 'e' {
				w.i = from
				return w.fail("no number")
			}
		}
		return nil
	}
	w.i = from
	return w.fail("no value")
}
