package jinja

// statement parses what follows {%.
func (p *parser) statement() *Stmt {
	off := int(p.peek().off)
	if p.peek().kind != tokName {
		p.fault("expected the name of a tag")
		return nil
	}
	if !p.enter() {
		return nil
	}
	defer p.leave()
	p.count()
	name := p.text(p.next())
	switch name {
	case "if":
		return p.ifStmt(off)
	case "for":
		return p.forStmt(off)
	case "set":
		return p.setStmt(off)
	case "macro":
		s := &Stmt{Verb: Macro, Off: off, Name: p.identifier(), Params: p.signature()}
		return p.closed(s, "endmacro")
	case "call":
		s := &Stmt{Verb: CallBlock, Off: off}
		if p.isOp("(") {
			s.Params = p.signature()
		}
		s.Exprs = []*Expr{p.expression()}
		return p.closed(s, "endcall")
	case "filter":
		return p.closed(&Stmt{Verb: FilterOf, Off: off, Exprs: []*Expr{p.filters(nil, true)}}, "endfilter")
	case "block":
		s := &Stmt{Verb: Block, Off: off, Name: p.identifier()}
		for p.takeName("scoped") || p.takeName("required") {
		}
		return p.closed(s, "endblock")
	case "with":
		return p.closed(&Stmt{Verb: With, Off: off, Params: p.assignments()}, "endwith")
	}
	return p.simple(off, name)
}

// closed parses the body up to its end tag.
func (p *parser) closed(s *Stmt, end string) *Stmt {
	body, found := p.block(end)
	s.Body = body
	if found == "endblock" && p.peek().kind == tokName {
		p.i++
	}
	return s
}

// simple parses the tags without a body of their own, and the ones that only
// group.
func (p *parser) simple(off int, name string) *Stmt {
	s := &Stmt{Off: off, Name: name}
	switch name {
	case "include":
		s.Verb, s.Exprs = Include, []*Expr{p.expression()}
		if p.takeName("ignore") {
			p.wantName("missing")
		}
		p.importContext()
	case "import":
		s.Verb, s.Exprs = Import, []*Expr{p.expression()}
		p.wantName("as")
		s.Name = p.identifier()
		p.importContext()
	case "from":
		p.fromImport(s)
	case "extends":
		s.Verb, s.Exprs = Extends, []*Expr{p.expression()}
	case "do":
		s.Verb, s.Exprs = Do, []*Expr{p.tuple(true)}
	case "print":
		s.Verb, s.Exprs = Output, []*Expr{p.tuple(true)}
	case "break", "continue", "debug":
		s.Verb = Jump
	case "generation":
		s.Verb = Scope
		return p.closed(s, "endgeneration")
	case "autoescape":
		s.Verb, s.Exprs = Scope, []*Expr{p.expression()}
		return p.closed(s, "endautoescape")
	case "trans":
		return p.trans(s)
	default:
		p.i--
		p.fault("unknown tag " + quoteShort(name))
		p.i++
		return nil
	}
	return s
}

func (p *parser) importContext() {
	if p.isName("with") || p.isName("without") {
		p.i++
		p.wantName("context")
	}
}

func (p *parser) fromImport(s *Stmt) {
	s.Verb, s.Exprs = FromImport, []*Expr{p.expression()}
	p.wantName("import")
	for !p.atEnd() && !p.bad {
		if p.isName("with") || p.isName("without") {
			p.importContext()
			return
		}
		name := p.identifier()
		local := name
		if p.takeName("as") {
			local = p.identifier()
		}
		s.Names = append(s.Names, [2]string{name, local})
		if !p.takeOp(",") {
			p.importContextIfAny()
			return
		}
	}
}

func (p *parser) importContextIfAny() {
	if !p.atEnd() {
		p.importContext()
	}
}

// trans is the i18n extension's block.
func (p *parser) trans(s *Stmt) *Stmt {
	s.Verb = Scope
	for p.takeName("trimmed") || p.takeName("notrimmed") {
	}
	s.Params = p.assignments()
	body, end := p.block("pluralize", "endtrans")
	s.Body = body
	if end == "pluralize" {
		if p.peek().kind == tokName {
			p.i++
		}
		s.Else, _ = p.block("endtrans")
	}
	return s
}

func (p *parser) ifStmt(off int) *Stmt {
	s := &Stmt{Verb: If, Off: off}
	cond := p.tuple(true)
	for {
		body, end := p.block("elif", "else", "endif")
		s.Branches = append(s.Branches, Branch{Cond: cond, Body: body})
		switch end {
		case "elif":
			cond = p.tuple(true)
		case "else":
			body, _ := p.block("endif")
			s.Branches = append(s.Branches, Branch{Body: body})
			return s
		default:
			return s
		}
	}
}

func (p *parser) forStmt(off int) *Stmt {
	s := &Stmt{Verb: For, Off: off, Target: p.target(true)}
	p.wantName("in")
	s.Exprs = []*Expr{p.tuple(false), nil}
	if p.takeName("if") {
		s.Exprs[1] = p.expression()
	}
	s.Recursive = p.takeName("recursive")
	body, end := p.block("else", "endfor")
	s.Body = body
	if end == "else" {
		s.Else, _ = p.block("endfor")
	}
	return s
}

func (p *parser) setStmt(off int) *Stmt {
	s := &Stmt{Off: off, Target: p.target(false)}
	if p.takeOp("=") {
		s.Verb, s.Exprs = Set, []*Expr{p.tuple(true)}
		return s
	}
	s.Verb = SetBlock
	if p.isOp("|") {
		s.Exprs = []*Expr{p.filters(nil, false)}
	}
	return p.closed(s, "endset")
}

// target parses what is assigned to: names, tuples of them, and name.attribute.
func (p *parser) target(loop bool) *Expr {
	off := int(p.peek().off)
	var parts []*Expr
	tuple := false
	for !p.atEnd() && !p.bad {
		parts = append(parts, p.targetPart(loop))
		if !p.takeOp(",") {
			break
		}
		tuple = true
		if loop && p.isName("in") || p.isOp("=") {
			break
		}
	}
	if len(parts) == 1 && !tuple {
		return parts[0]
	}
	return p.expr(Tuple, off, "", parts...)
}

func (p *parser) targetPart(loop bool) *Expr {
	off := int(p.peek().off)
	if p.isOp("(") && p.enter() {
		defer p.leave()
		p.i++
		t := p.target(loop)
		p.wantOp(")")
		return t
	}
	name := p.identifier()
	e := p.expr(Name, off, name)
	if !loop && p.takeOp(".") {
		return p.expr(Getattr, off, p.identifier(), e)
	}
	return e
}

// signature parses a macro's parameters.
func (p *parser) signature() []Arg {
	p.wantOp("(")
	params := []Arg{}
	for !p.atEnd() && !p.bad && !p.isOp(")") {
		a := Arg{Name: p.identifier()}
		if p.takeOp("=") {
			a.Value = p.expression()
		}
		params = append(params, a)
		if !p.takeOp(",") {
			break
		}
	}
	p.wantOp(")")
	return params
}

// assignments parses name = value, … of with and trans.
func (p *parser) assignments() []Arg {
	var out []Arg
	for !p.atEnd() && !p.bad {
		a := Arg{Name: p.identifier()}
		if p.takeOp("=") {
			a.Value = p.expression()
		}
		out = append(out, a)
		if !p.takeOp(",") {
			break
		}
	}
	return out
}
