package codelike

import "bytes"

// kind of a Python token, as far as shape needs it.
type kind uint8

const (
	end     kind = iota // end of the text
	line                // end of a logical line, or ;
	name                // identifier
	keyword             // reserved word
	number
	text   // string literal
	open   // ( [ {
	close_ // ) ] }
	colon
	dot
	comma
	assign // = += …
	op     // other operators
	bad    // no Python
)

type token struct {
	kind kind
	s    []byte // name, keyword, text with quotes, or the bracket
	from int
}

// lexer cuts Python into tokens, tolerantly: an unclosed literal ends the text.
type lexer struct {
	s     []byte
	i     int
	depth int
	stack [64]byte // open brackets
}

func (l *lexer) next() token {
	for l.i < len(l.s) {
		c := l.s[l.i]
		switch {
		case c == '\n' || c == '\r':
			l.i++
			if l.depth == 0 {
				return token{kind: line, from: l.i - 1}
			}
		case c == ' ' || c == '\t' || c == '\f':
			l.i++
		case c == '\\' && l.i+1 < len(l.s) && (l.s[l.i+1] == '\n' || l.s[l.i+1] == '\r'):
			l.i += 2
		case c == '#':
			if n := bytes.IndexByte(l.s[l.i:], '\n'); n >= 0 {
				l.i += n
			} else {
				l.i = len(l.s)
			}
		default:
			return l.solid(c)
		}
	}
	return token{kind: end, from: l.i}
}

func (l *lexer) solid(c byte) token {
	from := l.i
	switch {
	case c >= '0' && c <= '9', c == '.' && l.i+1 < len(l.s) && l.s[l.i+1] >= '0' && l.s[l.i+1] <= '9':
		for l.i < len(l.s) && (isWordByte(l.s[l.i]) || l.s[l.i] == '.') {
			l.i++
		}
		return token{kind: number, s: l.s[from:l.i], from: from}
	case isWordByte(c):
		for l.i < len(l.s) && isWordByte(l.s[l.i]) {
			l.i++
		}
		w := l.s[from:l.i]
		if l.i < len(l.s) && (l.s[l.i] == '\'' || l.s[l.i] == '"') && isPrefix(w) {
			return l.literal(from)
		}
		if keywords[string(w)] != 0 {
			return token{kind: keyword, s: w, from: from}
		}
		return token{kind: name, s: w, from: from}
	case c == '\'' || c == '"':
		return l.literal(from)
	}
	l.i++
	return l.mark(c, from)
}

func (l *lexer) mark(c byte, from int) token {
	t := token{kind: op, s: l.s[from:l.i], from: from}
	switch c {
	case '(', '[', '{':
		t.kind = open
		if l.depth >= len(l.stack) {
			t.kind = bad
			return t
		}
		l.stack[l.depth] = c
		l.depth++
	case ')', ']', '}':
		t.kind = close_
		if l.depth == 0 || closes[l.stack[l.depth-1]] != c {
			t.kind = bad
			return t
		}
		l.depth--
	case ':':
		t.kind = colon
		if l.i < len(l.s) && l.s[l.i] == '=' {
			l.i++
			t.kind = op
		}
	case '.':
		t.kind = dot
		if l.i+1 < len(l.s) && l.s[l.i] == '.' && l.s[l.i+1] == '.' { // Ellipsis
			l.i += 2
			t.kind = number
		}
	case ',':
		t.kind = comma
	case ';':
		t.kind = line
	case '=', '!', '<', '>', '+', '-', '*', '/', '%', '&', '|', '^', '~', '@':
		t.kind = l.operator(c)
	default:
		t.kind = bad
	}
	t.s = l.s[from:l.i]
	return t
}

// operator joins the rest of an operator of several characters.
func (l *lexer) operator(c byte) kind {
	for l.i < len(l.s) && l.s[l.i] == c && (c == '*' || c == '/' || c == '<' || c == '>') {
		l.i++
	}
	if c == '-' && l.i < len(l.s) && l.s[l.i] == '>' {
		l.i++
		return op
	}
	if l.i < len(l.s) && l.s[l.i] == '=' {
		l.i++
		if c == '=' || c == '!' || c == '<' || c == '>' {
			return op
		}
		return assign
	}
	switch c {
	case '=':
		return assign
	case '!':
		return bad
	}
	return op
}

// literal reads a string from its quote on; from is where its prefix began.
func (l *lexer) literal(from int) token {
	q := l.s[l.i]
	raw := l.s[l.i:]
	if len(raw) >= 3 && raw[1] == q && raw[2] == q {
		l.i += 3
		for l.i < len(l.s) {
			switch {
			case l.s[l.i] == '\\':
				l.i += 2
				continue
			case l.s[l.i] == q && l.i+2 < len(l.s) && l.s[l.i+1] == q && l.s[l.i+2] == q:
				l.i += 3
				return token{kind: text, s: l.s[from:l.i], from: from}
			}
			l.i++
		}
		l.i = len(l.s)
		return token{kind: text, s: l.s[from:], from: from}
	}
	for l.i++; l.i < len(l.s); l.i++ {
		switch l.s[l.i] {
		case '\\':
			l.i++
		case q:
			l.i++
			return token{kind: text, s: l.s[from:l.i], from: from}
		case '\n':
			return token{kind: bad, from: from}
		}
	}
	l.i = len(l.s)
	return token{kind: text, s: l.s[from:], from: from}
}

func isPrefix(w []byte) bool {
	if len(w) > 2 {
		return false
	}
	for _, c := range w {
		switch c | 0x20 {
		case 'r', 'b', 'u', 'f', 't':
		default:
			return false
		}
	}
	return true
}

var closes = [128]byte{'(': ')', '[': ']', '{': '}'}

// Where a keyword may stand.
const (
	starts  = 1 + iota // only at the start of a statement
	joins              // between operands
	before             // before an operand
	operand            // None True False
)

// keywords is read only.
var keywords = map[string]uint8{
	"import": starts, "from": starts, "def": starts, "class": starts, "return": starts, "raise": starts,
	"try": starts, "while": starts, "with": starts, "del": starts, "global": starts, "nonlocal": starts,
	"assert": starts, "pass": starts, "break": starts, "continue": starts, "except": starts, "finally": starts,
	"elif": starts, "async": before, "for": joins, "if": joins, "else": joins, "in": joins, "is": joins,
	"and": joins, "or": joins, "as": joins, "not": before, "lambda": before, "yield": before, "await": before,
	"None": operand, "True": operand, "False": operand,
}
