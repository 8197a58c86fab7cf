package torchscript

// shape says what an expression is.
type shape uint8

const (
	eOther  shape = iota // operators, literals, containers: parts
	eName                // text
	eString              // text
	eAttr                // text of parts[0]
	eCall                // parts[0] is called with parts[1:], names of keywords in keys
	eTrue
)

// expr is one expression.
type expr struct {
	shape shape
	text  string
	parts []*expr
	keys  []string // of a call, for each of parts[1:]; "" where positional
	at    token
}

// maxDepth bounds how deep expressions nest. torch's printer starts a new
// statement long before.
const (
	maxDepth  = 200
	maxChain  = 500
	maxJoined = 1000 // bytes to which strings that follow one another are joined
)

// parser reads expressions from a lexer with one token of foresight. The first
// fault sticks until the statement ends.
type parser struct {
	lex   *lexer
	cur   token
	fault string
	where token
	depth int
}

func newParser(src string) *parser {
	p := &parser{lex: newLexer(src)}
	p.advance()
	return p
}

func (p *parser) advance() token {
	t := p.cur
	p.cur = p.lex.next()
	if p.cur.kind == tBad {
		p.fail(p.cur.text)
	}
	return t
}

func (p *parser) fail(what string) {
	if p.fault == "" {
		p.fault, p.where = what, p.cur
	}
}

func (p *parser) accept(op string) bool {
	if !p.cur.is(op) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(op string) {
	if !p.accept(op) {
		p.fail("want " + op)
	}
}

// list reads expressions separated by commas, as one.
func (p *parser) list() *expr {
	first := p.expression()
	if !p.cur.is(",") {
		return first
	}
	tuple := &expr{parts: []*expr{first}, at: first.at}
	for p.accept(",") {
		if !p.begins() {
			break
		}
		tuple.parts = append(tuple.parts, p.expression())
	}
	return tuple
}

// begins says whether an expression can start here.
func (p *parser) begins() bool {
	switch p.cur.kind {
	case tName:
		return !reserved[p.cur.text]
	case tNumber, tString:
		return true
	case tOp:
		switch p.cur.text {
		case "(", "[", "{", "-", "+", "~", "*", "**":
			return true
		}
	}
	return false
}

// reserved words end an expression.
var reserved = map[string]bool{"if": true, "else": true, "for": true, "in": true, "is": true, "and": true, "or": true, "as": true}

// expression reads a conditional expression with everything below it.
func (p *parser) expression() *expr {
	if p.depth++; p.depth > maxDepth {
		p.fail("nested too deep")
	}
	defer func() { p.depth-- }()
	if p.fault != "" {
		return &expr{at: p.cur}
	}
	e := p.binary(0)
	if p.cur.word("if") {
		p.advance()
		cond := p.binary(0)
		if p.cur.word("else") {
			p.advance()
			e = &expr{parts: []*expr{e, cond, p.expression()}, at: e.at}
		} else { // the condition of a comprehension
			e = &expr{parts: []*expr{e, cond}, at: e.at}
		}
	}
	return e
}

// levels are the binary operators, loosest first.
var levels = [...]map[string]bool{
	{"or": true}, {"and": true},
	{"in": true, "is": true, "not": true, "<": true, ">": true, "==": true, "!=": true, "<=": true, ">=": true},
	{"|": true}, {"^": true}, {"&": true}, {"<<": true, ">>": true}, {"+": true, "-": true},
	{"*": true, "/": true, "//": true, "%": true, "@": true},
}

func (p *parser) binary(level int) *expr {
	if level == len(levels) {
		return p.unary()
	}
	if level == 2 && p.cur.word("not") {
		for p.cur.word("not") {
			p.advance()
		}
		return p.binary(2)
	}
	e := p.binary(level + 1)
	var chain *expr
	for p.fault == "" && (p.cur.kind == tOp || p.cur.kind == tName) && levels[level][p.cur.text] {
		p.advance()
		for p.cur.word("not") || p.cur.word("in") { // "is not", "not in"
			p.advance()
		}
		if chain == nil {
			chain = &expr{parts: []*expr{e}, at: e.at}
		}
		chain.parts = append(chain.parts, p.binary(level+1))
	}
	if chain != nil {
		return chain
	}
	return e
}

func (p *parser) unary() *expr {
	if p.depth++; p.depth > maxDepth {
		p.fail("nested too deep")
	}
	defer func() { p.depth-- }()
	if p.fault == "" && (p.cur.is("-") || p.cur.is("+") || p.cur.is("~") || p.cur.is("*") || p.cur.is("**")) {
		p.advance()
		e := p.unary()
		return &expr{parts: []*expr{e}, at: e.at}
	}
	e := p.postfix()
	if p.accept("**") {
		e = &expr{parts: []*expr{e, p.unary()}, at: e.at}
	}
	return e
}

func (p *parser) postfix() *expr {
	e := p.atom()
	for links := 0; p.fault == ""; links++ {
		switch {
		case links > maxChain:
			p.fail("chain of attributes and calls too long")
		case p.accept("."):
			if p.cur.kind != tName {
				p.fail("want a name")
				return e
			}
			e = &expr{shape: eAttr, parts: []*expr{e}, at: e.at, text: p.advance().text}
		case p.cur.is("("):
			e = p.call(e)
		case p.accept("["):
			e = &expr{parts: append([]*expr{e}, p.subscripts()...), at: e.at}
		default:
			return e
		}
	}
	return e
}

func (p *parser) call(callee *expr) *expr {
	p.advance()
	e := &expr{shape: eCall, parts: []*expr{callee}, at: callee.at}
	for p.fault == "" && !p.cur.is(")") {
		arg, key := p.expression(), ""
		if arg.shape == eName && p.accept("=") {
			key = arg.text
			arg = p.expression()
		}
		if p.cur.word("for") {
			arg = p.comprehension(arg)
		}
		e.parts, e.keys = append(e.parts, arg), append(e.keys, key)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return e
}

// subscripts reads indices and slices up to the bracket's end.
func (p *parser) subscripts() []*expr {
	var parts []*expr
	for p.fault == "" && !p.cur.is("]") {
		if p.accept(":") || p.accept(",") {
			continue
		}
		if !p.begins() {
			p.fail("want an index")
			break
		}
		parts = append(parts, p.expression())
	}
	p.expect("]")
	return parts
}

// atom reads names, literals and what stands in brackets.
func (p *parser) atom() *expr {
	t := p.cur
	switch {
	case t.kind == tName && !reserved[t.text]:
		p.advance()
		if t.text == "lambda" {
			p.fail("lambda is no TorchScript")
		}
		if t.text == "True" {
			return &expr{shape: eTrue, at: t}
		}
		return &expr{shape: eName, text: t.text, at: t}
	case t.kind == tString:
		p.advance()
		e := &expr{shape: eString, text: t.text, at: t}
		for p.cur.kind == tString {
			if more := p.advance().text; len(e.text) <= maxJoined {
				e.text += more
			}
		}
		return e
	case t.kind == tNumber:
		p.advance()
		return &expr{at: t}
	case t.is("("):
		return p.group(")")
	case t.is("["):
		return p.group("]")
	case t.is("{"):
		return p.group("}")
	}
	p.fail("want an expression")
	return &expr{at: t}
}

// group reads a bracketed list; one expression in parentheses is that expression.
func (p *parser) group(end string) *expr {
	e := &expr{at: p.advance()}
	commas := false
	for p.fault == "" && !p.cur.is(end) {
		item := p.expression()
		if p.cur.word("for") {
			item = p.comprehension(item)
		}
		e.parts = append(e.parts, item)
		if end == "}" && p.accept(":") {
			continue
		}
		if !p.accept(",") {
			break
		}
		commas = true
	}
	p.expect(end)
	if end == ")" && len(e.parts) == 1 && !commas {
		return e.parts[0]
	}
	return e
}

// comprehension reads "for x in y if z" after the item.
func (p *parser) comprehension(item *expr) *expr {
	e := &expr{parts: []*expr{item}, at: item.at}
	for p.fault == "" && p.cur.word("for") {
		p.advance()
		for p.cur.kind == tName && !reserved[p.cur.text] || p.cur.is(",") || p.cur.is("(") || p.cur.is(")") {
			p.advance()
		}
		if !p.cur.word("in") {
			p.fail("want in")
			return e
		}
		p.advance()
		e.parts = append(e.parts, p.expression())
	}
	return e
}
