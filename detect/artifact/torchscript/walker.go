package torchscript

import (
	"slices"
	"strings"
)

// fault is a place that could not be read.
type fault struct {
	what string
	at   token
}

// scope is a function or class body.
type scope struct {
	name    string
	aliases map[string][]string // local names of operators and namespaces
	params  map[string]bool
}

// walker reads a source statement by statement.
type walker struct {
	p       *parser
	scopes  []scope // one for each indented block; blocks of loops are without name
	pending scope   // what the next indented block belongs to
	uses    []use
	faults  []fault
	defined map[string]bool // names that the source binds
	counts  map[kindOfUse]int
	inline  int // statements within one another on one line
}

// kindOfUse is what uses are counted by.
type kindOfUse struct {
	danger         danger
	python, onLoad bool
}

// Bounds of what one source reports.
const (
	maxUses   = 500 // of one kind: a flood of mild ones must not hide a bad one
	maxFaults = 20
	maxAlias  = 64
)

// read walks a whole source.
func read(src string) *walker {
	w := &walker{p: newParser(src), defined: map[string]bool{}, counts: map[kindOfUse]int{}}
	w.scopes = []scope{{}}
	for w.p.cur.kind != tEnd {
		w.statement()
	}
	w.settle()
	return w
}

// settle takes back Python's names where the code defines them itself.
func (w *walker) settle() {
	kept := w.uses[:0]
	for _, u := range w.uses {
		if u.python && w.defined[u.operator] {
			continue
		}
		kept = append(kept, u)
	}
	w.uses = kept
}

// statement reads one statement, or one step of indentation.
func (w *walker) statement() {
	p := w.p
	switch t := p.cur; {
	case t.kind == tIndent:
		w.scopes = append(w.scopes, w.pending)
		w.pending = scope{}
		p.advance()
		return
	case t.kind == tDedent:
		if len(w.scopes) > 1 {
			w.scopes = w.scopes[:len(w.scopes)-1]
		}
		p.advance()
		return
	case t.kind == tNewline || t.is(";"):
		p.advance()
		return
	case t.kind == tName && w.keyword(t):
	default:
		w.simple()
	}
	w.end()
}

// end takes what may stand behind a statement, and skips the line after a fault.
func (w *walker) end() {
	p := w.p
	if p.fault == "" && !p.cur.is(";") && p.cur.kind != tNewline && p.cur.kind != tEnd && p.cur.kind != tDedent && p.cur.kind != tIndent {
		p.fail("want the end of the statement")
	}
	if p.fault == "" {
		return
	}
	if len(w.faults) < maxFaults {
		w.faults = append(w.faults, fault{p.fault, p.where})
	}
	w.recover()
}

// recover goes to the next line and names what the tokens on the way name: a
// fault must hide nothing.
func (w *walker) recover() {
	p := w.p
	p.fault, p.depth = "", 0
	p.lex.depth = 0
	var path []string
	at := p.cur
	flush := func() {
		if len(path) > 0 {
			w.judge([]string{strings.Join(path, ".")}, nil, at)
		}
		path = nil
	}
	for p.cur.kind != tNewline && p.cur.kind != tEnd && p.cur.kind != tDedent && p.cur.kind != tIndent {
		t := p.advance()
		switch {
		case t.kind == tName && path == nil:
			path, at = []string{t.text}, t
		case t.kind == tName:
			path = append(path, t.text)
		case t.is("."):
		default:
			flush()
		}
		p.fault = ""
	}
	flush()
}

// keyword handles the statements that begin with one; false where the name is
// none.
func (w *walker) keyword(t token) bool {
	p := w.p
	switch t.text {
	case "def":
		w.function()
	case "class":
		w.class()
	case "if", "elif", "while", "with":
		p.advance()
		w.visit(p.list())
		if p.cur.word("as") {
			p.advance()
			w.visit(p.list())
		}
		p.expect(":")
		w.block()
	case "for":
		p.advance()
		w.bind(p.targets(), nil)
		if !p.cur.word("in") {
			p.fail("want in")
			return true
		}
		p.advance()
		w.visit(p.list())
		p.expect(":")
		w.block()
	case "else", "try", "finally":
		p.advance()
		p.expect(":")
		w.block()
	case "return", "assert", "raise", "del", "print":
		if t.text == "print" {
			return false
		}
		p.advance()
		if p.begins() {
			w.visit(p.list())
		}
	case "pass", "break", "continue":
		p.advance()
	case "import", "from":
		w.imports()
	case "exec", "lambda", "global", "nonlocal", "yield", "async", "await", "except":
		return w.python(t)
	default:
		return false
	}
	return true
}

// python reports a statement that TorchScript does not have.
func (w *walker) python(t token) bool {
	if t.text == "exec" {
		w.add(use{python: true, operator: "exec", at: t})
	}
	w.p.advance()
	w.p.fail(t.text + " is no TorchScript")
	return true
}

// targets reads what a loop assigns to.
func (p *parser) targets() *expr {
	e := &expr{at: p.cur}
	for p.fault == "" && !p.cur.word("in") && p.begins() {
		e.parts = append(e.parts, p.postfix())
		if !p.accept(",") {
			break
		}
	}
	return e
}

// block lets a body follow: indented, or on the same line.
func (w *walker) block() {
	if w.p.fault == "" && w.p.cur.kind != tNewline && w.p.cur.kind != tEnd {
		w.within()
		w.pending = scope{}
	}
}

// imports: files of TorchScript before 1.4 import one another, and nothing else.
func (w *walker) imports() {
	p := w.p
	at := p.advance()
	var names []string
	name := ""
	for p.cur.kind == tName || p.cur.is(".") || p.cur.is(",") || p.cur.is("*") || p.cur.is("(") || p.cur.is(")") {
		if t := p.advance(); t.is(",") || t.word("import") || t.word("as") {
			names, name = append(names, name), ""
		} else {
			name += t.text
		}
	}
	names = append(names, name)
	if root, _, _ := strings.Cut(names[0], "."); root != "__torch__" {
		w.add(use{python: true, operator: "import " + names[0], at: at})
	}
}

func (w *walker) class() {
	p := w.p
	p.advance()
	name := p.cur
	if name.kind != tName {
		p.fail("want a name")
		return
	}
	p.advance()
	if p.cur.is("(") {
		w.visit(p.call(&expr{shape: eName, at: name}))
	}
	p.expect(":")
	w.pending = scope{name: name.text}
	w.block()
}

func (w *walker) function() {
	p := w.p
	p.advance()
	name := p.cur
	if name.kind != tName {
		p.fail("want a name")
		return
	}
	p.advance()
	s := scope{name: name.text, aliases: map[string][]string{}, params: map[string]bool{}}
	p.expect("(")
	for p.fault == "" && !p.cur.is(")") {
		w.parameter(&s)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.accept("->") {
		w.visit(p.expression())
	}
	p.expect(":")
	w.pending = s
	if p.cur.kind != tNewline && p.cur.kind != tEnd && p.fault == "" { // the body on the same line
		w.scopes = append(w.scopes, w.pending)
		w.within()
		w.scopes = w.scopes[:len(w.scopes)-1]
		w.pending = scope{}
	}
}

// within reads a statement that stands on its header's line. torch's own parser
// does not know that.
func (w *walker) within() {
	if w.inline++; w.inline > maxDepth {
		w.p.fail("nested too deep")
	} else {
		w.statement()
	}
	w.inline--
}

func (w *walker) parameter(s *scope) {
	p := w.p
	for p.accept("*") || p.accept("**") {
		if p.cur.is(",") {
			return
		}
	}
	if p.cur.kind != tName {
		p.fail("want a parameter")
		return
	}
	name := p.advance().text
	s.params[name] = true
	w.defined[name] = true
	if p.accept(":") {
		w.visit(p.expression())
	}
	if p.accept("=") {
		w.visit(p.expression())
	}
}

// simple reads an expression, an assignment or a declaration.
func (w *walker) simple() {
	p := w.p
	if p.cur.is("@") {
		p.fail("decorators are no TorchScript")
		return
	}
	left := p.list()
	if p.accept(":") { // an annotation
		w.visit(p.expression())
		if p.accept("=") {
			right := p.list()
			w.visit(right)
			w.bind(left, right)
		}
		return
	}
	if p.cur.kind == tOp && len(p.cur.text) > 1 && strings.HasSuffix(p.cur.text, "=") && !slices.Contains([]string{"==", "!=", "<=", ">="}, p.cur.text) {
		p.advance()
		w.visit(left)
		w.visit(p.list())
		return
	}
	if !p.cur.is("=") {
		w.visit(left)
		return
	}
	targets := []*expr{left}
	var right *expr
	for p.fault == "" && p.accept("=") {
		right = p.list()
		targets = append(targets, right)
	}
	w.visit(right)
	for _, t := range targets[:len(targets)-1] {
		w.bind(t, right)
	}
}

// bind notes what names are bound to: an operator or a namespace may have got
// a local name.
func (w *walker) bind(target, right *expr) {
	if target.shape != eName {
		if target.shape == eAttr || target.shape == eCall {
			w.visit(target)
		}
		for i, part := range target.parts {
			if target.shape == eOther {
				var value *expr
				if right != nil && right.shape == eOther && len(right.parts) == len(target.parts) {
					value = right.parts[i]
				}
				w.bind(part, value)
			}
		}
		return
	}
	w.defined[target.text] = true
	if right == nil {
		return
	}
	f := w.enclosing()
	if f == nil || f.aliases == nil {
		return
	}
	for _, path := range w.paths(right) {
		have := f.aliases[target.text]
		if slices.Contains(have, path) {
			continue
		}
		if len(have) >= maxAlias {
			w.p.fail("a name stands for too many operators")
			return
		}
		f.aliases[target.text] = append(have, path)
	}
}

// enclosing is the innermost function, or the module.
func (w *walker) enclosing() *scope {
	for i := len(w.scopes) - 1; i > 0; i-- {
		if w.scopes[i].aliases != nil {
			return &w.scopes[i]
		}
	}
	if w.scopes[0].aliases == nil {
		w.scopes[0].aliases = map[string][]string{}
	}
	return &w.scopes[0]
}

// where names the function that is read, with its class, and says whether
// torch.jit.load runs it.
func (w *walker) where() (name string, onLoad bool) {
	var parts []string
	for _, s := range w.scopes {
		if s.name != "" {
			parts = append(parts, s.name)
			onLoad = onLoad || s.name == "__setstate__"
		}
	}
	return strings.Join(parts, "."), onLoad
}

func (w *walker) add(u use) {
	u.function, u.onLoad = w.where()
	class := kindOfUse{u.danger, u.python, u.onLoad}
	if w.counts[class]++; w.counts[class] <= maxUses {
		w.uses = append(w.uses, u)
	} else if w.counts[class] == maxUses+1 {
		w.faults = append(w.faults, fault{"more findings than are reported", u.at})
	}
}
