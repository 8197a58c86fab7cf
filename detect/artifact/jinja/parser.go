package jinja

// parser turns tokens into a tree. A fault in a tag is noted once; the rest of
// the tag is still read for expressions (Fault), and parsing goes on behind it.
type parser struct {
	t     *Template
	toks  []token
	i     int
	nodes int
	depth int
	bad   bool // the tag at hand has a fault
	full  bool // a limit was met: nothing more is kept
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) next() token {
	t := p.toks[p.i]
	if t.kind != tokEOF {
		p.i++
	}
	return t
}

func (p *parser) text(t token) string { return p.t.src[t.off:t.end] }

// isOp and isName test the token at hand.
func (p *parser) isOp(op string) bool {
	t := p.peek()
	return t.kind == tokOp && p.text(t) == op
}

func (p *parser) isName(name string) bool {
	t := p.peek()
	return t.kind == tokName && p.text(t) == name
}

func (p *parser) takeOp(op string) bool {
	if p.isOp(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) takeName(name string) bool {
	if p.isName(name) {
		p.i++
		return true
	}
	return false
}

func (p *parser) wantOp(op string) {
	if !p.takeOp(op) {
		p.fault("expected " + op)
	}
}

func (p *parser) wantName(name string) {
	if !p.takeName(name) {
		p.fault("expected " + name)
	}
}

// identifier takes a name; it gives "" where there is none.
func (p *parser) identifier() string {
	if t := p.peek(); t.kind == tokName {
		p.i++
		return p.text(t)
	}
	p.fault("expected a name")
	return ""
}

// fault notes the first fault of a tag.
func (p *parser) fault(message string) {
	if !p.bad {
		p.t.problem(int(p.peek().off), message)
	}
	p.bad = true
}

func (p *parser) atEnd() bool {
	switch p.peek().kind {
	case tokVarEnd, tokBlockEnd, tokEOF, tokData, tokVarBegin, tokBlockBegin:
		return true
	}
	return false
}

// enter counts nesting; false means that the limit is met.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > p.t.limits.Depth {
		p.limit("nesting is deeper than the limit")
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

func (p *parser) limit(message string) {
	if !p.full {
		p.t.problem(int(p.peek().off), message)
	}
	p.full, p.bad = true, true
}

func (p *parser) count() {
	p.nodes++
	if p.nodes > p.t.limits.Nodes {
		p.limit("the template has more parts than the limit")
	}
}

// expr makes a node over children, whose depth it bounds.
func (p *parser) expr(op Op, off int, text string, x ...*Expr) *Expr {
	p.count()
	e := &Expr{Op: op, Off: off, Text: text, X: x}
	for _, c := range x {
		if c != nil && c.depth >= e.depth {
			e.depth = c.depth + 1
		}
	}
	if e.depth > 4*p.t.limits.Depth {
		p.limit("expression is deeper than the limit")
	}
	return e
}

// args adds arguments to a node.
func (e *Expr) with(args []Arg) *Expr {
	e.Args = args
	for _, a := range args {
		if a.Value != nil && a.Value.depth >= e.depth {
			e.depth = a.Value.depth + 1
		}
	}
	return e
}

// template parses the whole; an end tag without its begin is a fault.
func (p *parser) template() []*Stmt {
	var all []*Stmt
	for {
		body, end := p.body(nil)
		all = append(all, body...)
		if end == "" || p.full {
			return all
		}
		p.t.problem(int(p.peek().off), "unexpected "+end)
		p.i++
		p.finish(&all)
	}
}

// body parses statements until a tag whose name is one of ends (any end tag
// where ends is nil or does not have it, so that a lost end tag does not swallow
// the rest). It stands on the end's name then; "" means the end of the source.
func (p *parser) body(ends []string) (out []*Stmt, end string) {
	if !p.enter() {
		p.i = len(p.toks) - 1
	}
	defer p.leave()
	for !p.full {
		t := p.next()
		switch t.kind {
		case tokEOF:
			if ends != nil {
				p.t.problem(len(p.t.src), "missing "+ends[len(ends)-1])
			}
			return out, ""
		case tokData:
			p.count()
			out = append(out, &Stmt{Verb: Data, Off: int(t.off), Text: p.text(t)})
		case tokVarBegin:
			p.bad = false
			e := p.tuple(true)
			out = append(out, &Stmt{Verb: Output, Off: int(t.off), Exprs: []*Expr{e}})
			p.finish(&out)
		case tokBlockBegin:
			p.bad = false
			if n := p.peek(); n.kind == tokName && endTags[p.text(n)] {
				return out, p.text(n)
			}
			if s := p.statement(); s != nil {
				out = append(out, s)
			}
			p.finish(&out)
		}
	}
	return out, ""
}

// finish takes the end of a tag. Where something else stands there, the rest of
// the tag is read for expressions, which are kept as a Fault.
func (p *parser) finish(out *[]*Stmt) {
	if p.peek().kind == tokVarEnd || p.peek().kind == tokBlockEnd {
		p.i++
		return
	}
	if p.atEnd() { // a block that ended without its end tag
		return
	}
	p.fault("unexpected text in the tag")
	f := &Stmt{Verb: Fault, Off: int(p.peek().off)}
	for !p.atEnd() && !p.full {
		at := p.i
		if e := p.expression(); e.Op != Bad || len(e.X) > 0 {
			f.Exprs = append(f.Exprs, e)
		}
		if p.i == at {
			p.i++
		}
	}
	*out = append(*out, f)
	if k := p.peek().kind; k == tokVarEnd || k == tokBlockEnd {
		p.i++
	}
}

var endTags = map[string]bool{
	"elif": true, "else": true, "endif": true, "endfor": true, "endset": true, "endmacro": true, "endcall": true,
	"endfilter": true, "endblock": true, "endwith": true, "endautoescape": true, "endgeneration": true,
	"endtrans": true, "pluralize": true,
}

// block parses a body up to one of ends and takes the end tag's name; found is
// "" where another end tag or the end of the source came first.
func (p *parser) block(ends ...string) (body []*Stmt, found string) {
	p.finishTag(&body)
	more, end := p.body(ends)
	body = append(body, more...)
	for _, e := range ends {
		if e == end {
			p.i++
			return body, end
		}
	}
	if end != "" {
		p.t.problem(int(p.peek().off), "expected "+ends[len(ends)-1]+", not "+end)
		// Leave the foreign end tag to the block outside, as its begin.
		p.i--
		p.toks[p.i].kind = tokBlockBegin
		p.bad = false
	}
	return body, ""
}

// finishTag ends the opening tag of a block, before whose end a colon may stand.
func (p *parser) finishTag(body *[]*Stmt) {
	p.takeOp(":")
	p.finish(body)
	p.bad = false
}
