package codelike

import "bytes"

// python scores a text as Python: first whether there is any evidence of an
// effect, cheaply, then whether the whole has the shape of Python.
func python(s []byte, c uint8) (float64, string) {
	if !mayBePython(s, c) {
		return 0, ""
	}
	p := parser{lex: lexer{s: s}}
	if !p.shape() {
		return 0, ""
	}
	return p.best.score, p.best.why
}

// mayBePython looks for the few words without which no evidence can be found:
// statements stand without brackets, everything else is a call.
func mayBePython(s []byte, c uint8) bool {
	for _, w := range statementHints {
		if bytes.Contains(s, w) {
			return true
		}
	}
	if c&paren == 0 {
		return false
	}
	for rest := s; ; {
		i := bytes.IndexByte(rest, '(')
		if i < 0 {
			return false
		}
		if called(rest[:i]) {
			return true
		}
		rest = rest[i+1:]
	}
}

// called says whether the name at the end of s is one whose call may count.
func called(s []byte) bool {
	s = bytes.TrimRight(s, " \t")
	from := len(s)
	for from > 0 && (isWordByte(s[from-1]) || s[from-1] == '.') {
		from--
	}
	path := s[from:]
	if len(path) < 4 || len(path) > 40 {
		return false
	}
	if _, ok := calls[string(path)]; ok {
		return true
	}
	if i := bytes.LastIndexByte(path, '.'); i >= 0 {
		_, ok := methods[string(path[i+1:])]
		return ok || bytes.HasPrefix(path, []byte("subprocess.")) || bytes.HasPrefix(path, []byte("os.exec"))
	}
	return false
}

// statementHints is read only.
var statementHints = [][]byte{
	[]byte("import "), []byte("exec "), []byte("__"), []byte("lambda"), []byte("def "), []byte("class "),
}

// parser checks shape and gathers evidence in one pass over the tokens.
type parser struct {
	lex  lexer
	best verdict

	prev   token
	first  token  // first token of the statement
	path   []byte // the dotted name that ends at prev, or nil
	starts int    // where path begins
	stmts  int
	// lambda is the depth at which a lambda's colon is still awaited, plus 1.
	lambda int
	body   bool // after a lambda's colon
	block  bool // a def, class, for … header ended in a colon and has a body
	from   bool // within from … import
	module []byte
}

// shape reads all tokens and says whether they could be Python.
func (p *parser) shape() bool {
	p.prev = token{kind: line}
	for {
		t := p.lex.next()
		if t.kind == bad || !p.fits(t) {
			return false
		}
		if t.kind == end {
			p.finish()
			return true
		}
		p.gather(t)
		if t.kind == line || p.prev.kind == line {
			p.first = t
		}
		p.prev = t
	}
}

// fits says whether t may follow prev.
func (p *parser) fits(t token) bool {
	switch t.kind {
	case end:
		return p.prev.kind != op || p.lex.depth > 0 || p.from && string(p.prev.s) == "*"
	case line:
		return p.prev.kind != dot && (p.prev.kind != op || p.from && string(p.prev.s) == "*") // from x import *
	case name, number, text:
		if !isOperand(p.prev) {
			return true
		}
		if t.kind == text && p.prev.kind == text {
			return true
		}
		if p.softly() || p.from && string(p.prev.s) == "..." {
			return true
		}
		return t.kind == text && (string(p.prev.s) == "exec" || string(p.prev.s) == "print")
	case open:
		return t.s[0] != '{' || !isOperand(p.prev)
	case op, assign:
		if p.prev.kind == line || p.prev.kind == open || p.prev.kind == comma || p.prev.kind == op || p.prev.kind == assign {
			return t.kind == op && (isUnary(t.s) || t.s[0] == '/' && p.lex.depth > 0) || t.kind == assign && p.prev.kind == comma
		}
		return true
	case dot:
		return p.prev.kind != line || p.lex.depth > 0 || len(t.s) == 1 && p.from
	case keyword:
		return p.keywordFits(t)
	}
	return true
}

// softly says whether prev is a word that is a keyword only where a statement
// begins with it.
func (p *parser) softly() bool {
	return p.prev.kind == name && p.prev.from == p.first.from && (string(p.prev.s) == "match" || string(p.prev.s) == "case")
}

func (p *parser) keywordFits(t token) bool {
	atStart := p.prev.kind == line || p.prev.kind == colon || string(p.prev.s) == "async"
	switch keywords[string(t.s)] {
	case starts:
		switch string(t.s) {
		case "import":
			return atStart || p.from
		case "from":
			return atStart || string(p.prev.s) == "yield" || isOperand(p.prev) && string(p.first.s) == "raise"
		}
		return atStart
	case operand, before:
		return !isOperand(p.prev) || p.softly() || string(t.s) == "not" || string(t.s) == "async"
	}
	if string(t.s) == "for" { // at the start of statements and in comprehensions; "replacement for x" is prose
		return atStart || p.lex.depth > 0
	}
	return true
}

func isOperand(t token) bool {
	switch t.kind {
	case name, number, text, close_:
		return true
	case keyword:
		return keywords[string(t.s)] == operand
	}
	return false
}

func isUnary(s []byte) bool {
	switch string(s) {
	case "-", "+", "~", "*", "**", "@":
		return true
	}
	return false
}

// gather looks at t after prev for evidence.
func (p *parser) gather(t token) {
	switch t.kind {
	case line:
		p.statementEnd()
		p.path = nil
		return
	case name:
		p.name(t)
		return
	case dot:
		if p.path == nil && isOperand(p.prev) && p.prev.kind != number {
			p.path = p.prev.s[:0]
		}
		return
	case keyword:
		p.keyword(t)
	case colon:
		p.colon()
	case open:
		if t.s[0] == '(' && p.prev.kind == name {
			p.call(t)
		}
	case text:
		if string(p.prev.s) == "exec" {
			p.best.raise(0.9, "Python: exec statement")
		}
	}
	if t.kind != open && t.kind != text {
		p.path = nil
	}
}

func (p *parser) name(t token) {
	if p.prev.kind == dot && p.path != nil {
		p.path = p.lex.s[p.starts : t.from+len(t.s)]
	} else {
		p.starts = t.from
		p.path = t.s
	}
	if len(t.s) > 6 && t.s[0] == '_' && reaches[string(t.s)] {
		p.reach(t)
	}
	if p.from && p.module == nil || string(p.prev.s) == "import" && p.prev.kind == keyword {
		p.imported(t)
	}
}

// reach weighs an attribute that leads to the interpreter: it counts as a step
// of a chain, or as an argument, but not as a lone word.
func (p *parser) reach(t token) {
	next := after(p.lex.s, p.lex.i)
	switch {
	case p.prev.kind == dot && (next == '.' || next == '[' || next == '('),
		p.prev.kind != dot && (next == '[' || next == '.' || p.lex.depth > 0):
		p.best.raise(0.8, "Python: reaches "+string(t.s))
	case p.prev.kind == dot:
		p.best.raise(0.45, "Python: names "+string(t.s))
	}
}

// imported weighs an import by the module: a plain word after "import" is
// prose as often as not, a module that has effects is not.
func (p *parser) imported(t token) {
	if p.module == nil {
		p.module = t.s
	}
	if effectModules[string(p.module)] {
		p.best.raise(0.7, "Python: import of "+string(p.module))
	}
}

func (p *parser) keyword(t token) {
	switch string(t.s) {
	case "from":
		p.from, p.module = p.prev.kind == line || p.prev.kind == colon, nil
	case "import":
		if p.from && p.module != nil {
			p.best.raise(0.55, "Python: import statement")
		} else if !p.from {
			p.module = nil
		}
	case "lambda":
		if p.prev.kind != colon || p.lex.depth > 0 { // arn:aws:lambda:us-west-2
			p.lambda = p.lex.depth + 1
		}
	}
	if p.body && keywords[string(t.s)] == operand {
		p.body = false
	}
}

func (p *parser) colon() {
	if p.lambda == p.lex.depth+1 {
		p.lambda = 0
		p.body = true
		if next := after(p.lex.s, p.lex.i); isWordByte(next) && (next < '0' || next > '9') || next == '(' || next == '[' {
			p.best.raise(0.6, "Python: lambda")
		}
		return
	}
	if p.lex.depth > 0 || p.first.kind != keyword {
		return
	}
	switch string(p.first.s) {
	case "def", "class", "for", "while", "with", "try", "if", "async":
		if after(p.lex.s, p.lex.i) != 0 && p.prev.kind != keyword {
			p.block = true
			if w := string(p.first.s); w == "def" && p.prev.kind == close_ || w == "class" && p.prev.kind == close_ {
				p.best.raise(0.7, "Python: "+w+" statement")
			}
		}
	}
}

// call weighs a call by the dotted name and by its first argument.
func (p *parser) call(t token) {
	if p.path == nil {
		p.path = p.prev.s
	}
	if string(p.first.s) == "def" || string(p.first.s) == "class" || p.prev.kind != name {
		return
	}
	path := p.path
	w, known := calls[string(path)]
	if !known {
		if i := bytes.LastIndexByte(path, '.'); i >= 0 {
			w, known = methods[string(path[i+1:])]
		} else if p.prev.from > p.starts { // method of a call's result
			w, known = methods[string(p.prev.s)]
		}
	}
	if !known && bytes.HasPrefix(path, []byte("subprocess.")) {
		w, known = weight{0.9, 0.8}, true
	}
	if !known && bytes.HasPrefix(path, []byte("os.exec")) {
		w, known = weight{0.9, 0.8}, true
	}
	if !known {
		return
	}
	score := w.name
	switch next := after(p.lex.s, p.lex.i); {
	case next == ')' || next == 0:
		score = w.name - 0.5
	case next == '\'' || next == '"':
		score = w.literal
	case isWordByte(next) && argumentIsLiteral(p.lex.s, p.lex.i):
		score = w.literal
	}
	p.best.raise(score, "Python: call of "+string(clip(path)))
}

// argumentIsLiteral says whether the first argument is a prefixed literal or
// itself a call: both mean that something is put to work here.
func argumentIsLiteral(s []byte, i int) bool {
	for i < len(s) && s[i] <= ' ' {
		i++
	}
	for i < len(s) && (isWordByte(s[i]) || s[i] == '.') {
		i++
	}
	return i < len(s) && (s[i] == '(' || s[i] == '\'' || s[i] == '"')
}

func (p *parser) statementEnd() {
	p.stmts++
	p.from, p.module, p.lambda, p.body = false, nil, 0, false
}

// finish weighs what only the whole shows.
func (p *parser) finish() {
	if p.block && p.stmts > 0 && p.best.score > 0 {
		p.best.raise(p.best.score+0.1, p.best.why)
	}
	p.best.score = min(p.best.score, 1)
}

// after is the first byte past blanks from i, or 0.
func after(s []byte, i int) byte {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	if i >= len(s) {
		return 0
	}
	return s[i]
}

func clip(s []byte) []byte { return s[:min(len(s), 60)] }
