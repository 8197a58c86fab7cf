package torchscript

import "strings"

// kind is the kind of a token.
type kind uint8

const (
	tEnd kind = iota
	tName
	tNumber
	tString // text is what stands between the quotes, unescaped
	tOp
	tNewline
	tIndent
	tDedent
	tBad // text says what is wrong
)

// token is one token of the source.
type token struct {
	kind kind
	text string
	off  int
	line int
	col  int
}

func (t token) is(op string) bool { return t.kind == tOp && t.text == op }

func (t token) word(name string) bool { return t.kind == tName && t.text == name }

// lexer reads tokens as torch/csrc/jit/frontend/lexer.h does: a line ends at
// "\n" alone, within brackets it does not end, "#" runs to the line's end,
// strings have no prefixes.
type lexer struct {
	src     string
	pos     int
	line    int
	lineAt  int // where the line begins
	depth   int // open brackets
	indents []int
	fresh   bool // at the start of a line, whose indentation counts
	dedents int  // still to give
}

func newLexer(src string) *lexer {
	return &lexer{src: src, line: 1, indents: []int{0}, fresh: true}
}

func (l *lexer) token(k kind, text string, at int) token {
	return token{kind: k, text: text, off: at, line: l.line, col: at - l.lineAt + 1}
}

// next gives the next token; after the end, tEnd for ever.
func (l *lexer) next() token {
	if l.dedents > 0 {
		l.dedents--
		return l.token(tDedent, "", l.pos)
	}
	if l.fresh && l.depth == 0 {
		if t, ok := l.indentation(); ok {
			return t
		}
	}
	l.blanks()
	at := l.pos
	if at >= len(l.src) {
		if l.depth == 0 && len(l.indents) > 1 {
			l.dedents = len(l.indents) - 2
			l.indents = l.indents[:1]
			return l.token(tDedent, "", at)
		}
		return l.token(tEnd, "", at)
	}
	c := l.src[at]
	switch {
	case c == '\n':
		t := l.token(tNewline, "", at)
		l.newline()
		return t
	case isLetter(c):
		for l.pos < len(l.src) && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos])) {
			l.pos++
		}
		return l.token(tName, l.src[at:l.pos], at)
	case isDigit(c) || c == '.' && at+1 < len(l.src) && isDigit(l.src[at+1]):
		l.number()
		return l.token(tNumber, l.src[at:l.pos], at)
	case c == '"' || c == '\'':
		return l.str(c)
	}
	return l.operator(at)
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) newline() {
	l.pos++
	l.line++
	l.lineAt = l.pos
	l.fresh = true
}

// blanks skips spaces, comments, continued lines and, within brackets, line ends.
func (l *lexer) blanks() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
			l.pos++
		case c == '#':
			end := strings.IndexByte(l.src[l.pos:], '\n')
			if end < 0 {
				l.pos = len(l.src)
			} else {
				l.pos += end
			}
		case c == '\\' && l.pos+1 < len(l.src) && l.src[l.pos+1] == '\n':
			l.pos++
			l.newline()
			l.fresh = false
		case c == '\n' && l.depth > 0:
			l.newline()
			l.fresh = false
		default:
			return
		}
	}
}

// indentation compares the line's indentation with those around it. Blank
// lines have none.
func (l *lexer) indentation() (token, bool) {
	width := 0
	for {
		l.fresh = false
		start := l.pos
		for l.pos < len(l.src) && (l.src[l.pos] == ' ' || l.src[l.pos] == '\t') {
			l.pos++
		}
		width = l.pos - start
		if l.blanks(); l.pos >= len(l.src) {
			return token{}, false
		}
		if l.src[l.pos] != '\n' {
			break
		}
		l.newline()
	}
	if top := l.indents[len(l.indents)-1]; width > top {
		l.indents = append(l.indents, width)
		return l.token(tIndent, "", l.pos), true
	}
	n := 0
	for len(l.indents) > 1 && width < l.indents[len(l.indents)-1] {
		l.indents = l.indents[:len(l.indents)-1]
		n++
	}
	if n > 0 {
		l.dedents = n - 1
		return l.token(tDedent, "", l.pos), true
	}
	return token{}, false
}

// number takes whatever belongs to a number: 1e-05, 0x1f, 1.5j.
func (l *lexer) number() {
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		exponent := (c == '+' || c == '-') && (l.src[l.pos-1] == 'e' || l.src[l.pos-1] == 'E') &&
			!strings.HasPrefix(l.src[l.pos-1:], "0x")
		if !isDigit(c) && !isLetter(c) && c != '.' && !exponent {
			return
		}
		l.pos++
	}
}

func (l *lexer) str(quote byte) token {
	at := l.pos
	t := l.token(tString, "", at)
	fence := l.src[at : at+1]
	if strings.HasPrefix(l.src[at:], strings.Repeat(fence, 3)) {
		fence = strings.Repeat(fence, 3)
	}
	l.pos += len(fence)
	start := l.pos
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch {
		case c == quote && strings.HasPrefix(l.src[l.pos:], fence):
			t.text = unescape(l.src[start:l.pos])
			l.pos += len(fence)
			return t
		case c == '\\' && l.pos+1 < len(l.src):
			l.pos++
			if l.src[l.pos] == '\n' {
				l.newline()
				l.fresh = false
				continue
			}
			l.pos++
		case c == '\n':
			if len(fence) == 1 {
				t.kind, t.text = tBad, "string without an end"
				return t
			}
			l.newline()
			l.fresh = false
		default:
			l.pos++
		}
	}
	t.kind, t.text = tBad, "string without an end"
	return t
}

// unescape undoes the escapes that hide letters: octal, hexadecimal and those
// of C. It is for evidence and for names given as text.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c >= '0' && c <= '7':
			n, k := 0, 0
			for k < 3 && i+k < len(s) && s[i+k] >= '0' && s[i+k] <= '7' {
				n = n*8 + int(s[i+k]-'0')
				k++
			}
			out.WriteByte(byte(n))
			i += k - 1
		case c == 'x' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			out.WriteByte(byte(hexDigit(s[i+1])<<4 | hexDigit(s[i+2])))
			i += 2
		default:
			out.WriteByte(strings.NewReplacer("n", "\n", "t", "\t", "r", "\r").Replace(string(c))[0])
		}
	}
	return out.String()
}

func hexDigit(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }

// operators are tried longest first.
var operators = [...]string{"**=", "//=", ">>=", "<<=", "->", "**", "//", "==", "!=", "<=", ">=", "<<", ">>",
	"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":="}

func (l *lexer) operator(at int) token {
	for _, op := range operators {
		if strings.HasPrefix(l.src[at:], op) {
			l.pos += len(op)
			return l.token(tOp, op, at)
		}
	}
	c := l.src[at]
	l.pos++
	switch c {
	case '(', '[', '{':
		l.depth++
	case ')', ']', '}':
		l.depth = max(l.depth-1, 0)
	}
	if strings.IndexByte("()[]{},:.;=+-*/%@<>&|^~!", c) < 0 {
		return l.token(tBad, "character that no TorchScript has", at)
	}
	return l.token(tOp, l.src[at:l.pos], at)
}
