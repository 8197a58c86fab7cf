package jinja

import "strconv"

// expression parses a conditional expression: the top of Jinja2's grammar.
func (p *parser) expression() *Expr {
	off := int(p.peek().off)
	if !p.enter() {
		p.leave()
		return p.expr(Bad, off, "")
	}
	defer p.leave()
	e := p.or()
	for p.takeName("if") {
		cond := p.or()
		var other *Expr
		if p.takeName("else") {
			other = p.expression()
		}
		e = p.expr(Cond, off, "", e, cond, other)
	}
	return e
}

// chain parses operands of one precedence into one node, so that a long sum is
// wide and not deep.
func (p *parser) chain(operand func() *Expr, isOp func() string) *Expr {
	off := int(p.peek().off)
	first := operand()
	op := isOp()
	if op == "" {
		return first
	}
	x, ops := []*Expr{first}, []string{}
	for ; op != "" && !p.full; op = isOp() {
		x, ops = append(x, operand()), append(ops, op)
	}
	if len(ops) == 0 { // a limit was met
		return first
	}
	e := p.expr(Chain, off, "", x...)
	e.Ops = ops
	return e
}

func (p *parser) takeOps(ops ...string) string {
	for _, op := range ops {
		if p.takeOp(op) {
			return op
		}
	}
	return ""
}

func (p *parser) takeWord(word string) string {
	if p.takeName(word) {
		return word
	}
	return ""
}

func (p *parser) or() *Expr {
	return p.chain(p.and, func() string { return p.takeWord("or") })
}

func (p *parser) and() *Expr {
	return p.chain(p.not, func() string { return p.takeWord("and") })
}

func (p *parser) not() *Expr {
	off := int(p.peek().off)
	if !p.takeName("not") {
		return p.compare()
	}
	if !p.enter() {
		p.leave()
		return p.expr(Bad, off, "")
	}
	defer p.leave()
	return p.expr(Unary, off, "not", p.not())
}

func (p *parser) compare() *Expr {
	e := p.chain(p.sum, func() string {
		if op := p.takeOps("==", "!=", "<=", ">=", "<", ">"); op != "" {
			return op
		}
		if p.takeName("in") {
			return "in"
		}
		if p.isName("not") && p.i+1 < len(p.toks) && p.toks[p.i+1].kind == tokName && p.text(p.toks[p.i+1]) == "in" {
			p.i += 2
			return "notin"
		}
		return ""
	})
	if len(e.Ops) > 0 && comparison[e.Ops[0]] {
		e.Op = Comparison
	}
	return e
}

var comparison = map[string]bool{"==": true, "!=": true, "<=": true, ">=": true, "<": true, ">": true, "in": true, "notin": true}

func (p *parser) sum() *Expr {
	return p.chain(p.concat, func() string { return p.takeOps("+", "-") })
}

func (p *parser) concat() *Expr {
	return p.chain(p.product, func() string { return p.takeOps("~") })
}

func (p *parser) product() *Expr {
	return p.chain(p.power, func() string { return p.takeOps("*", "/", "//", "%") })
}

func (p *parser) power() *Expr {
	return p.chain(func() *Expr { return p.unary(true) }, func() string { return p.takeOps("**") })
}

func (p *parser) unary(filters bool) *Expr {
	off := int(p.peek().off)
	if !p.enter() {
		p.leave()
		return p.expr(Bad, off, "")
	}
	defer p.leave()
	var e *Expr
	if op := p.takeOps("-", "+"); op != "" {
		e = p.expr(Unary, off, op, p.unary(false))
	} else {
		e = p.primary()
	}
	e = p.postfix(e)
	if filters {
		e = p.filters(e, false)
	}
	return e
}

func (p *parser) primary() *Expr {
	t := p.peek()
	off := int(t.off)
	switch t.kind {
	case tokName:
		p.i++
		return p.name(off, p.text(t))
	case tokString:
		return p.str(off)
	case tokInt:
		p.i++
		e := p.expr(Int, off, p.text(t))
		if n, ok := integer(e.Text); ok {
			e.Num = n
		} else {
			e.Num = 1<<63 - 1
		}
		return e
	case tokFloat:
		p.i++
		return p.expr(Float, off, p.text(t))
	}
	switch {
	case p.takeOp("("):
		return p.parenthesis(off)
	case p.takeOp("["):
		return p.list(off)
	case p.takeOp("{"):
		return p.dict(off)
	}
	p.fault("expected an expression")
	return p.expr(Bad, off, "")
}

func (p *parser) name(off int, name string) *Expr {
	switch name {
	case "true", "True":
		e := p.expr(Bool, off, "")
		e.Num = 1
		return e
	case "false", "False":
		return p.expr(Bool, off, "")
	case "none", "None":
		return p.expr(None, off, "")
	}
	return p.expr(Name, off, name)
}

// str joins adjacent literals, as Python does.
func (p *parser) str(off int) *Expr {
	var text []byte
	for p.peek().kind == tokString {
		text = append(text, unquote(p.text(p.next()))...)
	}
	return p.expr(Str, off, string(text))
}

func (p *parser) parenthesis(off int) *Expr {
	if p.takeOp(")") {
		return p.expr(Tuple, off, "")
	}
	e := p.tuple(true)
	p.wantOp(")")
	return e
}

// tuple parses expressions joined by commas; one without a comma is itself.
// Without conditional expressions it is the iterable of a for.
func (p *parser) tuple(cond bool) *Expr {
	off := int(p.peek().off)
	item := p.or
	if cond {
		item = p.expression
	}
	first := item()
	if !p.isOp(",") {
		return first
	}
	x := []*Expr{first}
	for p.takeOp(",") && !p.full {
		if p.atEnd() || p.isOp(")") || p.isOp("=") || p.isName("recursive") {
			break
		}
		x = append(x, item())
	}
	return p.expr(Tuple, off, "", x...)
}

func (p *parser) list(off int) *Expr {
	var x []*Expr
	for !p.isOp("]") && !p.atEnd() && !p.full {
		x = append(x, p.expression())
		if !p.takeOp(",") {
			break
		}
	}
	p.wantOp("]")
	return p.expr(List, off, "", x...)
}

func (p *parser) dict(off int) *Expr {
	var x []*Expr
	for !p.isOp("}") && !p.atEnd() && !p.full {
		key := p.expression()
		p.wantOp(":")
		if p.bad {
			x = append(x, key)
			break
		}
		x = append(x, key, p.expression())
		if !p.takeOp(",") {
			break
		}
	}
	p.wantOp("}")
	if len(x)%2 == 1 {
		x = append(x, p.expr(Bad, off, ""))
	}
	return p.expr(Dict, off, "", x...)
}

// postfix parses attributes, items and calls.
func (p *parser) postfix(e *Expr) *Expr {
	for !p.full {
		off := int(p.peek().off)
		switch {
		case p.takeOp("."):
			e = p.attribute(off, e)
		case p.takeOp("["):
			e = p.expr(Getitem, off, "", e, p.index(off))
		case p.takeOp("("):
			e = p.expr(Call, off, "", e).with(p.args())
		default:
			return e
		}
	}
	return e
}

func (p *parser) attribute(off int, e *Expr) *Expr {
	t := p.peek()
	switch t.kind {
	case tokName:
		p.i++
		return p.expr(Getattr, off, p.text(t), e)
	case tokInt:
		p.i++
		i := p.expr(Int, int(t.off), p.text(t))
		i.Num, _ = integer(i.Text)
		return p.expr(Getitem, off, "", e, i)
	}
	p.fault("expected a name or a number after the point")
	return p.expr(Bad, off, "", e)
}

func (p *parser) index(off int) *Expr {
	var x []*Expr
	for !p.isOp("]") && !p.atEnd() && !p.full {
		x = append(x, p.slice())
		if !p.takeOp(",") {
			break
		}
	}
	p.wantOp("]")
	if len(x) == 1 {
		return x[0]
	}
	return p.expr(Tuple, off, "", x...)
}

func (p *parser) slice() *Expr {
	off := int(p.peek().off)
	var parts [3]*Expr
	n := 0
	for n < 3 {
		if !p.isOp(":") && !p.isOp("]") && !p.isOp(",") && !p.atEnd() {
			parts[n] = p.expression()
		}
		if !p.isOp(":") || n == 2 {
			break
		}
		p.i++
		n++
	}
	if n == 0 {
		if parts[0] == nil {
			p.fault("expected an index")
			return p.expr(Bad, off, "")
		}
		return parts[0]
	}
	return p.expr(Slice, off, "", parts[0], parts[1], parts[2])
}

// args parses arguments behind an open bracket.
func (p *parser) args() []Arg {
	var out []Arg
	for !p.isOp(")") && !p.atEnd() && !p.full {
		a := Arg{}
		switch {
		case p.takeOp("**"):
			a.Star = 2
		case p.takeOp("*"):
			a.Star = 1
		case p.peek().kind == tokName && p.i+1 < len(p.toks) && p.toks[p.i+1].kind == tokOp && p.text(p.toks[p.i+1]) == "=":
			a.Name = p.text(p.next())
			p.i++
		}
		a.Value = p.expression()
		out = append(out, a)
		if !p.takeOp(",") {
			break
		}
	}
	p.wantOp(")")
	return out
}

// filters parses filters, tests and the calls between them. In a filter block
// the first stands without its pipe.
func (p *parser) filters(e *Expr, inline bool) *Expr {
	for !p.full {
		off := int(p.peek().off)
		switch {
		case inline || p.takeOp("|"):
			inline = false
			f := p.expr(Filter, off, p.dotted(), e)
			if p.takeOp("(") {
				f.with(p.args())
			}
			e = f
		case e != nil && p.takeName("is"):
			e = p.test(off, e)
		case e != nil && p.takeOp("("):
			e = p.expr(Call, off, "", e).with(p.args())
		default:
			return e
		}
	}
	return e
}

func (p *parser) dotted() string {
	name := p.identifier()
	for p.isOp(".") {
		p.i++
		name += "." + p.identifier()
	}
	return name
}

func (p *parser) test(off int, e *Expr) *Expr {
	negated := p.takeName("not")
	t := p.expr(Test, off, p.dotted(), e)
	switch k := p.peek(); {
	case p.takeOp("("):
		t.with(p.args())
	case k.kind == tokName && (p.isName("else") || p.isName("or") || p.isName("and") || p.isName("is") || p.isName("if") ||
		p.isName("in") || p.isName("not") || p.isName("recursive")):
	case k.kind == tokName, k.kind == tokString, k.kind == tokInt, k.kind == tokFloat, p.isOp("["), p.isOp("{"):
		t.with([]Arg{{Value: p.postfix(p.primary())}})
	}
	if negated {
		return p.expr(Unary, off, "not", t)
	}
	return t
}

func quoteShort(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strconv.Quote(s)
}
