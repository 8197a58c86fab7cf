package npy

import (
	"fmt"
	"strings"
)

// Python literals, as ast.literal_eval takes them in the headers that NumPy
// writes: dictionaries, tuples, lists, strings, whole numbers, True, False, None.

// kind of a literal.
type kind uint8

const (
	none kind = iota
	truth
	number
	str
	list
	tuple
	dict
)

// literal is one value; items of a dict alternate between key and value.
type literal struct {
	kind  kind
	s     string
	n     int64
	items []literal
}

// problem says why a header cannot be read; code is set where it is more than
// a literal, which matters to readers that evaluate it.
type problem struct {
	what string
	code bool
}

const (
	maxNesting = 32
	maxItems   = 50_000
)

type parser struct {
	s     string
	i     int
	items int
}

func (p *parser) fail(what string, code bool) *problem {
	return &problem{what: fmt.Sprintf("%s at byte %d", what, p.i), code: code}
}

func (p *parser) peek() byte {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\n' || p.s[p.i] == '\t' || p.s[p.i] == '\r' || p.s[p.i] == '\f') {
		p.i++
	}
	if p.i >= len(p.s) {
		return 0
	}
	return p.s[p.i]
}

// parseLiteral reads one literal that is the whole of s.
func parseLiteral(s string) (literal, *problem) {
	p := parser{s: s}
	v, bad := p.value(0)
	if bad != nil {
		return v, bad
	}
	switch c := p.peek(); {
	case c == 0 && strings.Trim(p.s[p.i:], "\x00") == "":
		return v, nil
	case c == '(' || c == '.' || c == '[' || c == '+' || c == '*' || isLetter(c):
		return v, p.fail("an expression goes on", true)
	}
	return v, p.fail("text after the dictionary", false)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func (p *parser) value(depth int) (literal, *problem) {
	if p.items++; p.items > maxItems {
		return literal{}, p.fail("too many items", false)
	}
	if depth > maxNesting {
		return literal{}, p.fail(fmt.Sprintf("nesting deeper than %d", maxNesting), false)
	}
	switch c := p.peek(); {
	case c == '{':
		return p.sequence(dict, '}', depth)
	case c == '[':
		return p.sequence(list, ']', depth)
	case c == '(':
		return p.sequence(tuple, ')', depth)
	case c == '\'' || c == '"':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case isLetter(c):
		return p.word()
	case c == 0:
		return literal{}, p.fail("the text ends", false)
	}
	return literal{}, p.fail(fmt.Sprintf("unexpected %q", p.s[p.i]), false)
}

func (p *parser) sequence(k kind, end byte, depth int) (literal, *problem) {
	v := literal{kind: k}
	p.i++
	comma := false
	for {
		if p.peek() == end {
			p.i++
			break
		}
		item, bad := p.value(depth + 1)
		if bad != nil {
			return v, bad
		}
		v.items = append(v.items, item)
		if k == dict {
			if p.peek() != ':' {
				return v, p.unexpected("no colon")
			}
			p.i++
			if item, bad = p.value(depth + 1); bad != nil {
				return v, bad
			}
			v.items = append(v.items, item)
		}
		if p.peek() == ',' {
			p.i++
			comma = true
		} else if p.peek() != end {
			return v, p.unexpected("neither comma nor end")
		}
	}
	if k == tuple && len(v.items) == 1 && !comma {
		return v.items[0], nil // only parentheses
	}
	return v, nil
}

// unexpected says whether what stands here would be code.
func (p *parser) unexpected(what string) *problem {
	c := p.peek()
	return p.fail(what, c == '(' || c == '.' || c == '+' || c == '*' || c == '%' || c == '[' || isLetter(c))
}

func (p *parser) text() (literal, *problem) {
	q := p.s[p.i]
	p.i++
	var b strings.Builder
	for p.i < len(p.s) {
		switch c := p.s[p.i]; c {
		case q:
			p.i++
			return literal{kind: str, s: b.String()}, nil
		case '\\':
			if p.i+1 < len(p.s) {
				b.WriteByte(c) // names may hold escapes; only their presence matters here
				b.WriteByte(p.s[p.i+1])
			}
			p.i += 2
		case '\n':
			return literal{}, p.fail("string without an end", false)
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return literal{}, p.fail("string without an end", false)
}

func (p *parser) number() (literal, *problem) {
	negative := p.s[p.i] == '-'
	if negative {
		p.i++
	}
	from, n := p.i, int64(0)
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		d := int64(p.s[p.i] - '0')
		if n > (1<<63-1-d)/10 {
			n = 1<<63 - 1 // saturates: the product overflows all the same
		} else {
			n = n*10 + d
		}
		p.i++
	}
	if p.i == from || p.s[from] == '0' && p.i > from+1 {
		return literal{}, p.fail("no number", false)
	}
	if p.i < len(p.s) && (p.s[p.i] == 'L' || p.s[p.i] == 'l') { // Python 2 wrote 3L
		p.i++
	}
	if negative {
		n = -n
	}
	return literal{kind: number, n: n}, nil
}

func (p *parser) word() (literal, *problem) {
	from := p.i
	for p.i < len(p.s) && (isLetter(p.s[p.i]) || p.s[p.i] >= '0' && p.s[p.i] <= '9') {
		p.i++
	}
	w := p.s[from:p.i]
	if p.i < len(p.s) && (p.s[p.i] == '\'' || p.s[p.i] == '"') && (w == "u" || w == "b" || w == "U" || w == "B") {
		return p.text()
	}
	switch w {
	case "True":
		return literal{kind: truth, n: 1}, nil
	case "False":
		return literal{kind: truth}, nil
	case "None":
		return literal{}, nil
	}
	p.i = from
	return literal{}, p.fail("the name "+clip(w), true)
}
