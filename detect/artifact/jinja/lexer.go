package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	tokEOF kind = iota
	tokData
	tokVarBegin
	tokVarEnd
	tokBlockBegin
	tokBlockEnd
	tokName
	tokString
	tokInt
	tokFloat
	tokOp
)

// token is a range of the source. Data ranges are already cut by whitespace control.
type token struct {
	kind     kind
	off, end int32
}

// lexer splits a source as Jinja2's does with trim_blocks and lstrip_blocks on,
// which transformers sets. It goes on behind a fault.
type lexer struct {
	t    *Template
	src  string
	pos  int
	toks []token
	open []byte // brackets that are open in the tag
	trim int    // offset before which data is cut, by -%} or the newline after %}
	torn bool   // a string was not closed
}

func (l *lexer) add(k kind, off, end int) {
	l.toks = append(l.toks, token{k, int32(off), int32(end)})
}

func (l *lexer) run() {
	for l.pos < len(l.src) {
		at := l.nextTag(l.pos)
		if at < 0 {
			l.data(l.pos, len(l.src))
			break
		}
		c := l.src[at+1]
		body, mod := at+2, byte(0)
		if body < len(l.src) && (l.src[body] == '-' || l.src[body] == '+') {
			mod = l.src[body]
			body++
		}
		l.data(l.pos, l.dataEnd(l.pos, at, c, mod))
		switch {
		case c == '#':
			l.comment(at, body)
		case c == '%' && l.raw(at, body):
		case c == '%':
			l.add(tokBlockBegin, at, body)
			l.tag(at, body, tokBlockEnd)
		default:
			l.add(tokVarBegin, at, body)
			l.tag(at, body, tokVarEnd)
		}
	}
	l.add(tokEOF, len(l.src), len(l.src))
}

// nextTag finds the next {{, {% or {#.
func (l *lexer) nextTag(from int) int {
	for i := from; i+1 < len(l.src); {
		n := strings.IndexByte(l.src[i:], '{')
		if n < 0 || i+n+1 >= len(l.src) {
			return -1
		}
		i += n
		if c := l.src[i+1]; c == '{' || c == '%' || c == '#' {
			return i
		}
		i++
	}
	return -1
}

func (l *lexer) data(from, to int) {
	from = max(from, min(l.trim, to))
	if from < to {
		l.add(tokData, from, to)
	}
}

// dataEnd cuts the white space before a tag: all of it for "-", the indentation
// of the line for blocks and comments (lstrip_blocks) unless "+" forbids it.
func (l *lexer) dataEnd(from, to int, c, mod byte) int {
	if mod == '-' {
		for to > from && isSpace(l.src[to-1]) {
			to--
		}
		return to
	}
	if c == '{' || mod == '+' {
		return to
	}
	i := to
	for i > from && (l.src[i-1] == ' ' || l.src[i-1] == '\t') {
		i--
	}
	if i == 0 || l.src[i-1] == '\n' {
		return i
	}
	return to
}

// after sets what is cut behind a tag that ends at end.
func (l *lexer) after(end int, dash, block bool) {
	l.pos, l.trim = end, end
	switch {
	case dash:
		for l.trim < len(l.src) && isSpace(l.src[l.trim]) {
			l.trim++
		}
	case block && strings.HasPrefix(l.src[end:], "\r\n"):
		l.trim += 2
	case block && end < len(l.src) && l.src[end] == '\n':
		l.trim++
	}
}

func (l *lexer) comment(at, body int) {
	n := strings.Index(l.src[body:], "#}")
	if n < 0 {
		l.t.problem(at, "comment is not closed")
		l.pos = len(l.src)
		return
	}
	end := body + n
	mod := byte(0)
	if end > body {
		mod = l.src[end-1]
	}
	l.after(end+2, mod == '-', mod != '+')
}

// raw takes {% raw %} … {% endraw %} as data.
func (l *lexer) raw(at, body int) bool {
	start, dash, ok := l.word(body, "raw")
	if !ok {
		return false
	}
	l.after(start, dash, true)
	for i := start; ; {
		n := strings.Index(l.src[i:], "{%")
		if n < 0 {
			l.t.problem(at, "raw block is not closed")
			l.data(l.pos, len(l.src))
			l.pos = len(l.src)
			return true
		}
		i += n
		b, mod := i+2, byte(0)
		if b < len(l.src) && (l.src[b] == '-' || l.src[b] == '+') {
			mod = l.src[b]
			b++
		}
		if end, dash, ok := l.word(b, "endraw"); ok {
			l.data(l.pos, l.dataEnd(start, i, '%', mod))
			l.after(end, dash, true)
			return true
		}
		i += 2
	}
}

// word matches a tag of one word from its body on.
func (l *lexer) word(i int, word string) (end int, dash, ok bool) {
	for i < len(l.src) && isSpace(l.src[i]) {
		i++
	}
	if !strings.HasPrefix(l.src[i:], word) {
		return 0, false, false
	}
	i += len(word)
	for i < len(l.src) && isSpace(l.src[i]) {
		i++
	}
	if i < len(l.src) && (l.src[i] == '-' || l.src[i] == '+') {
		dash = l.src[i] == '-'
		i++
	}
	if !strings.HasPrefix(l.src[i:], "%}") {
		return 0, false, false
	}
	return i + 2, dash, true
}

// tag lexes the inside of a tag up to its end.
func (l *lexer) tag(at, i int, end kind) {
	l.open = l.open[:0]
	for i < len(l.src) {
		if isSpace(l.src[i]) {
			i++
			continue
		}
		if n, dash := l.tagEnd(i, end); n > 0 && (len(l.open) == 0 || l.mismatch(i, end)) {
			l.add(end, i, i+n)
			l.after(i+n, dash, end == tokBlockEnd && l.src[i] != '+')
			return
		}
		i = l.one(i)
	}
	l.t.problem(at, "tag is not closed")
	l.add(end, len(l.src), len(l.src))
	l.pos = len(l.src)
}

func (l *lexer) tagEnd(i int, end kind) (n int, dash bool) {
	close := "}}"
	if end == tokBlockEnd {
		close = "%}"
	}
	rest := l.src[i:]
	switch {
	case strings.HasPrefix(rest, close):
		return 2, false
	case rest[0] == '-' && strings.HasPrefix(rest[1:], close):
		return 3, true
	case rest[0] == '+' && end == tokBlockEnd && strings.HasPrefix(rest[1:], close):
		return 3, false
	}
	return 0, false
}

// mismatch says that a tag's end stands where a bracket other than { is open.
// Jinja2 refuses that; for us the tag ends here.
func (l *lexer) mismatch(i int, end kind) bool {
	if end == tokVarEnd && l.open[len(l.open)-1] == '{' {
		return false
	}
	l.t.problem(i, "bracket is not closed at the end of the tag")
	return true
}

// one lexes one token and gives the offset behind it.
func (l *lexer) one(i int) int {
	c := l.src[i]
	switch {
	case c == '\'' || c == '"':
		return l.str(i)
	case c >= '0' && c <= '9':
		return l.number(i)
	case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf:
		return l.name(i)
	}
	n := operator(l.src[i:])
	if n == 0 {
		l.t.problem(i, "unexpected character")
		return i + 1
	}
	l.bracket(i, c)
	l.add(tokOp, i, i+n)
	return i + n
}

func operator(s string) int {
	if len(s) > 1 {
		switch s[:2] {
		case "//", "**", "==", "!=", ">=", "<=":
			return 2
		}
	}
	if strings.IndexByte("+-/*%~[](){}<>=.:|,;", s[0]) >= 0 {
		return 1
	}
	return 0
}

func (l *lexer) bracket(i int, c byte) {
	switch c {
	case '(', '[', '{':
		l.open = append(l.open, c)
	case ')', ']', '}':
		want := map[byte]byte{')': '(', ']': '[', '}': '{'}[c]
		if n := len(l.open); n > 0 && l.open[n-1] == want {
			l.open = l.open[:n-1]
		} else {
			l.t.problem(i, "bracket does not match")
		}
	}
}

func (l *lexer) str(i int) int {
	q, end := l.src[i], len(l.src)
	if l.torn { // so that many open quotes do not each read to the end
		end = min(end, i+tornString)
	}
	for j := i + 1; j < end; j++ {
		switch l.src[j] {
		case '\\':
			j++
		case q:
			l.add(tokString, i, j+1)
			return j + 1
		}
	}
	// The rest of the source would be the string: say so and keep what follows
	// the quote as tokens.
	l.torn = true
	l.t.problem(i, "string is not closed")
	return i + 1
}

// tornString is how long strings may be behind one that was not closed.
const tornString = 256

// number matches Jinja2's integer and float forms.
func (l *lexer) number(i int) int {
	if l.src[i] == '0' && i+2 < len(l.src) && strings.IndexByte("xXoObB", l.src[i+1]) >= 0 && isHex(l.src[i+2]) {
		j := i + 2
		for j < len(l.src) && (isHex(l.src[j]) || l.src[j] == '_') {
			j++
		}
		l.add(tokInt, i, j)
		return j
	}
	j, k := l.digits(i), tokInt
	if j+1 < len(l.src) && l.src[j] == '.' && isDigit(l.src[j+1]) && (i == 0 || l.src[i-1] != '.') {
		j, k = l.digits(j+1), tokFloat
	}
	if j+1 < len(l.src) && (l.src[j] == 'e' || l.src[j] == 'E') {
		e := j + 1
		if l.src[e] == '+' || l.src[e] == '-' {
			e++
		}
		if e < len(l.src) && isDigit(l.src[e]) {
			j, k = l.digits(e), tokFloat
		}
	}
	l.add(k, i, j)
	return j
}

func (l *lexer) digits(i int) int {
	for i < len(l.src) && (isDigit(l.src[i]) || l.src[i] == '_') {
		i++
	}
	return i
}

func (l *lexer) name(i int) int {
	j := i
	for j < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[j:])
		if r != '_' && !unicode.IsLetter(r) && (j == i || !unicode.IsDigit(r) && !unicode.In(r, unicode.M, unicode.Pc)) {
			break
		}
		if r == utf8.RuneError && n <= 1 {
			break
		}
		j += n
	}
	if j == i {
		_, n := utf8.DecodeRuneInString(l.src[i:])
		l.t.problem(i, "unexpected character")
		return i + n
	}
	l.add(tokName, i, j)
	return j
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
