package jinja

import "strconv"

// walker evaluates a template abstractly, statement by statement.
type walker struct {
	t      *Template
	out    *issues
	deep   bool // unroll constant loops, enter macros
	chat   bool
	sticky map[string]*value // attributes of namespaces set under a keyed condition

	scope  *scope
	steps  int
	spent  bool
	spaces int
	trips  int64 // product of the counts of the loops around, where known

	buf   []byte // what is emitted
	notes []byte // what is assigned or appended under a condition
	segs  []segment

	guard    depends // what the conditions around hang on
	guardKey string
	loop     depends // guard at the innermost loop
	jumped   depends // guards under which the loop was left or continued
	chosen   *value  // what the conditions hung on under which text was emitted
	active   map[*Stmt]int
	calls    int
	filtered *value // input of a filter block
}

// segment says where emitted text stands in the source.
type segment struct{ at, off int }

const maxBuffer = 1 << 20

func (w *walker) run() {
	w.scope = &scope{}
	w.active = map[*Stmt]int{}
	w.trips = 1
	w.body(w.t.Body)
	if w.chat && !w.deep {
		w.judgeWhole()
	}
}

// step takes n steps; false means that the limit is spent.
func (w *walker) step(n int) bool {
	w.steps -= n
	if w.steps < 0 {
		w.spent = true
	}
	return !w.spent
}

func (w *walker) issue(is Issue) { w.out.add(is) }

// emit appends constant text.
func (w *walker) emit(text string, off int) {
	if len(text) == 0 || len(w.buf)+len(text) > maxBuffer || !w.step(1+len(text)/16) {
		return
	}
	w.segs = append(w.segs, segment{len(w.buf), off})
	w.buf = append(w.buf, text...)
}

// note remembers text that a condition lets into a variable.
func (w *walker) note(v *value) {
	if w.guard&keyed == 0 {
		return
	}
	for _, a := range v.alts() {
		if s := a.str(); s != hole && len(w.notes)+len(s) < maxBuffer && w.step(1+len(s)/16) {
			w.notes = append(append(w.notes, s...), ' ')
		}
	}
}

func (w *walker) emitValue(v *value, off int) {
	if w.chosen != nil && v.dep&keyed != 0 && (v.kind == vText || v.kind == vUnion) {
		w.chosen = w.chosen.with(v.dep&keyed|keyFar, v.key)
	}
	for i, a := range v.alts() {
		if i > 0 {
			w.emit("\n", off)
		}
		w.emit(a.str(), off)
	}
}

// capture runs f and gives what it emitted, which is taken back.
func (w *walker) capture(f func()) *value {
	start, segs, chosen := len(w.buf), len(w.segs), w.chosen
	w.chosen = opaque(fromOther)
	f()
	text := string(w.buf[start:])
	v := skeleton(text, w.chosen.dep, w.chosen.key)
	w.buf, w.segs, w.chosen = w.buf[:start], w.segs[:segs], chosen
	return v
}

// under runs f under a condition and judges what f lets out under it.
func (w *walker) under(v *value, off int, f func()) {
	dep := v.dep & (keyed | onUser | onTools | keyFar)
	if dep == 0 {
		f()
		return
	}
	guard, key := w.guard, w.guardKey
	start, note := len(w.buf), len(w.notes)
	w.guard |= dep
	if dep&keyed != 0 {
		w.guardKey = v.key
	}
	f()
	w.guard, w.guardKey = guard, key
	if w.chosen != nil && len(w.buf) > start && dep&keyed != 0 {
		w.chosen = w.chosen.with(dep&keyed|keyFar, v.key)
	}
	if dep&(keyed|onUser) != 0 && w.step(1+(len(w.buf)-start+len(w.notes)-note)/16) {
		w.judgeText(string(w.buf[start:]), string(w.notes[note:]), dep, v.key, off)
	}
	w.notes = w.notes[:note+min(len(w.notes)-note, maxBuffer/4)]
}

// body runs statements. What follows a statement that may leave the loop is
// under the condition of leaving.
func (w *walker) body(stmts []*Stmt) {
	for i, s := range stmts {
		if !w.step(1) {
			return
		}
		before := w.jumped
		w.stmt(s)
		if left := w.jumped &^ before; left&keyed != 0 && i+1 < len(stmts) {
			w.under(&value{dep: left | keyFar, key: "continue or break"}, s.Off, func() { w.body(stmts[i+1:]) })
			return
		}
	}
}

func (w *walker) stmt(s *Stmt) {
	switch s.Verb {
	case Data:
		if !w.deep {
			w.hidden(s.Text, s.Off)
		}
		w.emit(s.Text, s.Off)
	case Output:
		w.emitValue(w.eval(s.Exprs[0]), s.Off)
	case If:
		w.ifStmt(s)
	case For:
		w.forStmt(s)
	case Set:
		w.doubling(s)
		w.assign(s.Target, w.eval(s.Exprs[0]))
	case SetBlock:
		v := w.capture(func() { w.inScope(func() { w.body(s.Body) }) })
		if len(s.Exprs) > 0 && s.Exprs[0] != nil {
			v = w.filterBlock(s.Exprs[0], v)
		}
		w.assign(s.Target, v)
	case Macro:
		w.macroStmt(s)
	case CallBlock:
		w.callBlock(s)
	case FilterOf:
		v := w.capture(func() { w.inScope(func() { w.body(s.Body) }) })
		w.emitValue(w.filterBlock(s.Exprs[0], v), s.Off)
	case Include, Import, FromImport, Extends:
		w.include(s)
	case With:
		w.inScope(func() {
			for _, p := range s.Params {
				w.scope.set(p.Name, w.evalOr(p.Value, unknown))
			}
			w.body(s.Body)
		})
	case Do:
		w.note(w.eval(s.Exprs[0]))
	case Block, Scope:
		w.grouped(s)
	case Jump:
		w.jumped |= w.guard &^ w.loop
	case Fault:
		for _, e := range s.Exprs {
			w.eval(e)
		}
	}
}

// grouped runs the blocks that only group: their variables stay within.
func (w *walker) grouped(s *Stmt) {
	for _, e := range s.Exprs {
		w.eval(e)
	}
	w.inScope(func() {
		for _, p := range s.Params {
			w.scope.set(p.Name, w.evalOr(p.Value, unknown))
		}
		w.body(s.Body)
		w.body(s.Else)
	})
}

func (w *walker) inScope(f func()) {
	w.scope = w.scope.open(false)
	f()
	s := w.scope
	w.scope = s.up
	s.close(true)
}

// ifStmt runs every branch, each under its own condition and the ones before it.
func (w *walker) ifStmt(s *Stmt) {
	cond := &value{}
	var scopes []*scope
	total := false
	for _, b := range s.Branches {
		if b.Cond != nil {
			cond = opaque(fromOther, cond, w.eval(b.Cond))
		} else {
			total = true
		}
		w.scope = w.scope.open(true)
		w.under(cond, s.Off, func() { w.body(b.Body) })
		cond = cond.without(onUser) // what follows is for other roles
		scopes = append(scopes, w.scope)
		w.scope = w.scope.up
	}
	w.removed(cond, scopes, s.Off)
	w.scope.join(scopes, total)
}

// removed judges texts that stood before and that a keyed condition replaces:
// the condition decides over them as well.
func (w *walker) removed(cond *value, branches []*scope, off int) {
	if cond.dep&(keyTrigger|keyDate|keyIndex) == 0 {
		return
	}
	for _, b := range branches {
		for _, n := range b.names() {
			if before, ok := w.scope.get(n); ok && before.from == fromOther {
				for _, a := range before.alts() {
					if a.kind == vText {
						w.judgeText("", a.text, cond.dep, cond.key, off)
					}
				}
			}
		}
	}
}

// maxUnroll is how many items a constant loop may have to be unrolled.
const maxUnroll = 256

func (w *walker) forStmt(s *Stmt) {
	it := w.eval(s.Exprs[0])
	trips, loop, jumped := w.trips, w.loop, w.jumped
	w.loopCost(s, it)
	w.loop, w.jumped = w.guard, 0
	key := "jump@" + strconv.Itoa(s.Off)
	if before, ok := w.sticky[key]; ok {
		it = it.with(before.dep, before.key)
	}
	w.under(it, s.Off, func() {
		items := w.iterations(it)
		for _, item := range items {
			w.iteration(s, it, item, len(items) > 1 || it.kind == vList)
		}
	})
	if left := w.jumped & keyed; left != 0 {
		w.sticky[key] = &value{dep: left | keyFar, key: "break or continue"}
	}
	w.trips, w.loop, w.jumped = trips, loop, jumped
	if len(s.Else) > 0 {
		w.inScope(func() { w.body(s.Else) })
	}
}

// iterations gives the items of a constant loop, or one that stands for all.
func (w *walker) iterations(it *value) []*value {
	if w.deep && it.kind == vList && it.exact && len(it.items) <= maxUnroll && len(it.items) > 0 {
		return it.items
	}
	if w.deep && it.kind == vText && it.exact && len(it.text) <= maxUnroll && it.text != "" {
		var out []*value
		for _, r := range it.text {
			out = append(out, textValue(string(r)))
		}
		return out
	}
	return []*value{element(it)}
}

func (w *walker) iteration(s *Stmt, it, item *value, certain bool) {
	w.scope = w.scope.open(false)
	w.scope.set("loop", &value{kind: vLoop, items: []*value{item}})
	w.bind(s.Target, item)
	run := func() { w.body(s.Body) }
	if s.Exprs[1] != nil {
		cond := w.eval(s.Exprs[1])
		w.under(cond, s.Off, run)
		certain = false
	} else {
		run()
	}
	sc := w.scope
	w.scope = sc.up
	sc.close(certain)
}

// bind sets the variables of a loop's target.
func (w *walker) bind(target *Expr, v *value) {
	if target == nil {
		return
	}
	switch target.Op {
	case Name:
		w.scope.set(target.Text, v)
	case Tuple:
		for i, x := range target.X {
			if v.kind == vList && i < len(v.items) {
				w.bind(x, v.items[i])
			} else {
				w.bind(x, opaque(v.from, v))
			}
		}
	}
}

// assign sets a target. Under a keyed condition the value hangs on it.
func (w *walker) assign(target *Expr, v *value) {
	w.note(v)
	if k := w.guard & keyed; k != 0 {
		v = v.with(k|keyFar, w.guardKey)
	}
	if target == nil || target.Op != Getattr {
		w.bind(target, v)
		return
	}
	w.access(target, target.X[0], target.Text, "assignment")
	base := w.evalBase(target.X[0])
	if base.kind != vSpace {
		return
	}
	w.scope.set("#"+base.text+"."+target.Text, v)
	if v.dep&keyed != 0 && w.guard&keyed != 0 {
		w.sticky[path(target)] = &value{dep: v.dep&keyed | keyFar, key: v.key}
	}
}
