package records

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// syntaxError says what is wrong and at which byte of the input.
type syntaxError struct {
	at   int
	what string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.what, e.at) }

// AppendCanonical appends the canonical form of the one JSON value in text: that
// of RFC 8785 (names in order of their UTF-16 code units, no blanks, the
// shortest strings), but for numbers, which keep their exact decimal value:
// digits without zeros at either end, then, unless it is 0, "e" and the
// exponent. So 1.50 is 15e-1, 100 is 1e2, -0 is 0, and an integer of twenty
// digits is not taken for its neighbour, as it would be as a double.
//
// Refused are names that stand twice, invalid UTF-8, lone surrogates, nesting
// beyond MaxDepth, exponents of more than nine digits, and anything after the
// value.
func AppendCanonical(dst, text []byte) ([]byte, error) {
	p := jsonParser{in: text, out: dst}
	p.blanks()
	if err := p.value(0); err != nil {
		return nil, err
	}
	p.blanks()
	if p.at < len(p.in) {
		return nil, p.fail("something after the value")
	}
	return p.out, nil
}

// jsonParser reads in from at and appends to out. It does not keep either.
type jsonParser struct {
	in  []byte
	at  int
	out []byte
}

func (p *jsonParser) fail(what string) error { return &syntaxError{at: p.at, what: what} }

func (p *jsonParser) blanks() {
	for p.at < len(p.in) {
		switch p.in[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end (which no value begins with).
func (p *jsonParser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

func (p *jsonParser) value(depth int) error {
	switch c := p.peek(); {
	case c == '"':
		_, err := p.text()
		return err
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return p.literal("true")
	case c == 'f':
		return p.literal("false")
	case c == 'n':
		return p.literal("null")
	}
	return p.fail("no JSON value")
}

func (p *jsonParser) literal(word string) error {
	if !bytes.HasPrefix(p.in[p.at:], []byte(word)) {
		return p.fail("no JSON value")
	}
	p.at += len(word)
	p.out = append(p.out, word...)
	return nil
}

func (p *jsonParser) array(depth int) error {
	if depth > MaxDepth {
		return p.fail(fmt.Sprintf("nested more than %d deep", MaxDepth))
	}
	p.at++
	p.out = append(p.out, '[')
	for first := true; ; first = false {
		p.blanks()
		if p.peek() == ']' && first {
			break
		}
		if err := p.value(depth); err != nil {
			return err
		}
		p.blanks()
		if p.peek() != ',' {
			break
		}
		p.at++
		p.out = append(p.out, ',')
	}
	if p.peek() != ']' {
		return p.fail("an array without its end")
	}
	p.at++
	p.out = append(p.out, ']')
	return nil
}

// member is where a member of an object lies in out, and its decoded name.
type member struct {
	name       []byte
	start, end int
}

func (p *jsonParser) object(depth int) error {
	if depth > MaxDepth {
		return p.fail(fmt.Sprintf("nested more than %d deep", MaxDepth))
	}
	p.at++
	p.out = append(p.out, '{')
	base := len(p.out)
	var few [16]member
	members := few[:0]
	for first := true; ; first = false {
		p.blanks()
		if p.peek() == '}' && first {
			break
		}
		m, err := p.member(depth)
		if err != nil {
			return err
		}
		members = append(members, m)
		p.blanks()
		if p.peek() != ',' {
			break
		}
		p.at++
		p.out = append(p.out, ',')
	}
	if p.peek() != '}' {
		return p.fail("an object without its end")
	}
	if err := p.sortMembers(base, members); err != nil {
		return err
	}
	p.at++
	p.out = append(p.out, '}')
	return nil
}

func (p *jsonParser) member(depth int) (member, error) {
	m := member{start: len(p.out)}
	if p.peek() != '"' {
		return m, p.fail("no name of a member")
	}
	var err error
	if m.name, err = p.text(); err != nil {
		return m, err
	}
	p.blanks()
	if p.peek() != ':' {
		return m, p.fail("no colon after a name")
	}
	p.at++
	p.out = append(p.out, ':')
	p.blanks()
	err = p.value(depth)
	m.end = len(p.out)
	return m, err
}

// sortMembers brings the members in out from base on in order. Most writers
// keep an order of their own, but few files have their members sorted.
func (p *jsonParser) sortMembers(base int, members []member) error {
	sorted := true
	for i := 1; i < len(members) && sorted; i++ {
		sorted = compareUTF16(members[i-1].name, members[i].name) < 0
	}
	if sorted {
		return nil
	}
	slices.SortFunc(members, func(a, b member) int { return compareUTF16(a.name, b.name) })
	for i := 1; i < len(members); i++ {
		if bytes.Equal(members[i-1].name, members[i].name) {
			return p.fail("a name that stands twice in the object that ends")
		}
	}
	// Appended once more behind what is there, then moved down: no other buffer.
	end := len(p.out)
	for i, m := range members {
		if i > 0 {
			p.out = append(p.out, ',')
		}
		p.out = append(p.out, p.out[m.start:m.end]...)
	}
	p.out = p.out[:base+copy(p.out[base:], p.out[end:])]
	return nil
}

// compareUTF16 orders valid UTF-8 as its UTF-16 code units, as RFC 8785 wants:
// like its bytes, but that characters beyond U+FFFF (surrogates there) come
// before those from U+E000 on.
func compareUTF16(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		less := x < y
		if x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0) {
			less = !less
		}
		if less {
			return -1
		}
		return 1
	}
	return len(a) - len(b)
}

// text reads a string and appends its shortest form. It gives the decoded text,
// which is a part of in where nothing was escaped.
func (p *jsonParser) text() ([]byte, error) {
	start := p.at + 1
	for i := start; i < len(p.in); i++ {
		c := p.in[i]
		if c == '"' { // nothing to escape or decode: as it stands
			p.out = append(p.out, p.in[start-1:i+1]...)
			p.at = i + 1
			return p.in[start:i], nil
		}
		if c == '\\' || c < ' ' || c >= utf8.RuneSelf {
			return p.slowText(start)
		}
	}
	return nil, p.fail("a string without its end")
}

func (p *jsonParser) slowText(start int) ([]byte, error) {
	p.at = start
	p.out = append(p.out, '"')
	var name []byte
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			p.out = append(p.out, '"')
			return name, nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return nil, err
			}
			name = utf8.AppendRune(name, r)
			p.out = appendEscaped(p.out, r)
		case c < ' ':
			return nil, p.fail("a control character within a string")
		case c < utf8.RuneSelf:
			name, p.out = append(name, c), append(p.out, c)
			p.at++
		default:
			r, n := utf8.DecodeRune(p.in[p.at:])
			if r == utf8.RuneError && n == 1 {
				return nil, p.fail("invalid UTF-8")
			}
			name, p.out = append(name, p.in[p.at:p.at+n]...), append(p.out, p.in[p.at:p.at+n]...)
			p.at += n
		}
	}
	return nil, p.fail("a string without its end")
}

// escape reads one escape, of two surrogates where they are a pair.
func (p *jsonParser) escape() (rune, error) {
	p.at++
	c := p.peek()
	p.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.unicode()
	}
	p.at -= 2
	return 0, p.fail("an unknown escape")
}

func (p *jsonParser) unicode() (rune, error) {
	const high, low, end = 0xD800, 0xDC00, 0xE000
	r, err := p.hex4()
	if err != nil || r < high || r >= end {
		return r, err
	}
	if r < low && bytes.HasPrefix(p.in[p.at:], []byte(`\u`)) {
		p.at += 2
		second, err := p.hex4()
		if err != nil {
			return 0, err
		}
		if second >= low && second < end {
			return (r-high)<<10 + (second - low) + 0x10000, nil
		}
	}
	return 0, p.fail("a surrogate without its other half")
}

func (p *jsonParser) hex4() (rune, error) {
	const digits = 4
	if len(p.in)-p.at < digits {
		return 0, p.fail("an escape that is cut off")
	}
	r := rune(0)
	for _, c := range p.in[p.at : p.at+digits] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, p.fail("an escape that is no hex")
		}
		r = r<<4 | rune(c)
	}
	p.at += digits
	return r, nil
}

// AppendString appends a string as canonical JSON. It must be valid UTF-8.
func AppendString(dst []byte, s []byte) ([]byte, error) {
	if !utf8.Valid(s) {
		return nil, errors.New("invalid UTF-8")
	}
	dst = append(dst, '"')
	for _, c := range s {
		if c >= utf8.RuneSelf {
			dst = append(dst, c)
			continue
		}
		dst = appendEscaped(dst, rune(c))
	}
	return append(dst, '"'), nil
}

// appendEscaped appends one character as RFC 8785 writes it within a string.
func appendEscaped(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if r < ' ' {
		return append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
	}
	return utf8.AppendRune(dst, r)
}

// CompareNames orders two names of members (UTF-8, not as they are written) as
// canonical objects have them.
func CompareNames(a, b []byte) int { return compareUTF16(a, b) }
