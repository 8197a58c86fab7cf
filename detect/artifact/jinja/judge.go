package jinja

// Report is what judging a template gave.
type Report struct {
	Issues   []Issue
	Problems []Problem
	// Chat says that the template renders a conversation.
	Chat bool
	// Spent says that evaluation was cut short by its limit of steps.
	Spent bool
}

// Judge parses a template and judges it. It is taken for a chat template where it
// reads the variables of one.
func Judge(src string, limits Limits) Report {
	t := Parse(src, limits)
	return t.Judge(t.Chat())
}

// Judge walks the tree twice: once straight through, which is linear in its
// size, and once with constant loops unrolled and macros entered, within the
// limit of steps. What the first walk learns of variables that are set under
// a condition is known to the second, so that the order of statements in a loop
// hides nothing. For a chat template the rules are stricter: it has no business
// with a web framework, other files, or sentences that override.
func (t *Template) Judge(chat bool) Report {
	r := Report{Problems: t.Problems, Chat: chat}
	found := &issues{t: t}
	sticky := map[string]*value{}
	for pass := range 2 {
		w := &walker{t: t, out: found, deep: pass == 1, chat: r.Chat, sticky: sticky, steps: t.limits.Steps}
		w.run()
		r.Spent = r.Spent || w.spent
	}
	r.Issues = found.sorted()
	return r
}

// Chat says that the template reads the variables that chat templates are given.
func (t *Template) Chat() bool {
	found := false
	Walk(t.Body, func(e *Expr) {
		if e.Op == Name && (e.Text == "messages" || e.Text == "add_generation_prompt" || e.Text == "bos_token") {
			found = true
		}
	}, nil)
	return found
}

// Walk calls the functions for every expression and statement, in no
// particular order. Either may be nil.
func Walk(body []*Stmt, onExpr func(*Expr), onStmt func(*Stmt)) {
	for _, s := range body {
		if onStmt != nil {
			onStmt(s)
		}
		if onExpr != nil {
			walkExprs(s, onExpr)
		}
		Walk(s.Body, onExpr, onStmt)
		Walk(s.Else, onExpr, onStmt)
		for _, b := range s.Branches {
			Walk(b.Body, onExpr, onStmt)
		}
	}
}

func walkExprs(s *Stmt, on func(*Expr)) {
	walkExpr(s.Target, on)
	for _, e := range s.Exprs {
		walkExpr(e, on)
	}
	for _, a := range s.Params {
		walkExpr(a.Value, on)
	}
	for _, b := range s.Branches {
		walkExpr(b.Cond, on)
	}
}

func walkExpr(e *Expr, on func(*Expr)) {
	if e == nil {
		return
	}
	on(e)
	for _, x := range e.X {
		walkExpr(x, on)
	}
	for _, a := range e.Args {
		walkExpr(a.Value, on)
	}
}
