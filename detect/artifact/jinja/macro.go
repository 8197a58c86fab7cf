package jinja

// Bounds of entering macros.
const (
	maxCalls     = 24 // macros within one another
	maxRecursion = 3  // of the same macro
)

// macroStmt defines a macro and runs its body once with unknown arguments,
// classed by their names, so that a macro that is never called is judged too.
func (w *walker) macroStmt(s *Stmt) {
	w.recursion(s)
	w.scope.set(s.Name, &value{kind: vMacro, macro: s})
	w.capture(func() {
		w.inScope(func() {
			for _, p := range s.Params {
				v := named(p.Name)
				if p.Value != nil {
					v = union(v, w.eval(p.Value))
				}
				w.scope.set(p.Name, v)
			}
			w.scope.set("caller", unknown)
			w.body(s.Body)
		})
	})
}

// callMacro gives what a macro emits for these arguments.
func (w *walker) callMacro(m *Stmt, args []argument) *value {
	if !w.deep || w.calls >= maxCalls || w.active[m] >= maxRecursion || !w.step(8) {
		return w.opaqueCall(args)
	}
	w.calls++
	w.active[m]++
	outer, loop, jumped := w.scope, w.loop, w.jumped
	v := w.capture(func() {
		w.inScope(func() {
			w.bindParams(m, args)
			w.body(m.Body)
		})
	})
	w.scope, w.loop, w.jumped = outer, loop, jumped
	w.calls--
	w.active[m]--
	for _, a := range args {
		v.absorb(a.value)
	}
	return v
}

func (w *walker) opaqueCall(args []argument) *value {
	v := opaque(fromOther)
	for _, a := range args {
		v.absorb(a.value)
	}
	return v
}

func (w *walker) bindParams(m *Stmt, args []argument) {
	for i, p := range m.Params {
		v := unknown
		if a, ok := pick(args, i, p.Name); ok {
			v = a
		} else if p.Value != nil {
			v = w.eval(p.Value)
		}
		w.scope.set(p.Name, v)
	}
	var rest []*value
	n := 0
	for _, a := range args {
		if a.name != "" {
			if a.name == "caller" {
				w.scope.set("caller", a.value)
			}
			continue
		}
		if n >= len(m.Params) {
			rest = append(rest, a.value)
		}
		n++
	}
	w.scope.set("varargs", listValue(rest))
}

// pick finds an argument by position or name.
func pick(args []argument, pos int, name string) (*value, bool) {
	n := 0
	for _, a := range args {
		switch {
		case a.name != "" && a.name == name:
			return a.value, true
		case a.name == "" && n == pos:
			return a.value, true
		case a.name == "":
			n++
		}
	}
	return nil, false
}

// callBlock hands the body to the called macro as caller().
func (w *walker) callBlock(s *Stmt) {
	caller := &Stmt{Verb: Macro, Off: s.Off, Name: "caller", Params: s.Params, Body: s.Body}
	v := &value{kind: vMacro, macro: caller}
	w.capture(func() {
		w.inScope(func() {
			for _, p := range s.Params {
				w.scope.set(p.Name, named(p.Name))
			}
			w.body(s.Body)
		})
	})
	e := s.Exprs[0]
	if e.Op != Call {
		w.eval(e)
		return
	}
	w.emitValue(w.call(e, argument{name: "caller", value: v}), s.Off)
}

// recursion reports macros that call themselves without end.
func (w *walker) recursion(s *Stmt) {
	calls, counted, free := 0, 0, 0
	Walk(s.Body, func(e *Expr) {
		if e.Op != Call || e.X[0].Op != Name || e.X[0].Text != s.Name {
			return
		}
		calls++
		for _, a := range e.Args {
			if v := a.Value; v.Op == Chain && (v.Ops[0] == "-" || v.Ops[0] == "+") && v.X[len(v.X)-1].Op == Int {
				counted++
				return
			}
		}
	}, nil)
	for _, b := range s.Body {
		if b.Verb == Output || b.Verb == Set || b.Verb == Do {
			walkExprs(b, func(e *Expr) {
				if e.Op == Call && e.X[0].Op == Name && e.X[0].Text == s.Name {
					free++
				}
			})
		}
	}
	switch {
	case calls > 1 && counted > 1:
		w.issue(Issue{Kind: ResourceExhaustion, Weight: High, Off: s.Off, Symbol: s.Name, Detail: "recursion",
			Message: "macro calls itself several times with a counter: its work grows exponentially"})
	case free > 1:
		w.issue(Issue{Kind: ResourceExhaustion, Weight: High, Off: s.Off, Symbol: s.Name, Detail: "recursion",
			Message: "macro calls itself several times without a condition"})
	case free == 1:
		w.issue(Issue{Kind: ResourceExhaustion, Weight: Medium, Off: s.Off, Symbol: s.Name, Detail: "recursion",
			Message: "macro calls itself without a condition"})
	}
}
