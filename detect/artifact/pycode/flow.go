package pycode

// Limits of one walk over one code object.
const (
	maxVisits = 16 // of one instruction in one pass
	maxDepths = 4  // different stack depths with which a place is entered
)

// walk follows the control flow of one code object in one pass.
type walk struct {
	a      *analysis
	u      *unit
	code   []byte
	stack  []value
	points map[int][][]value // jump targets: the stacks with which they are entered
	leader []bool
	visits []uint8
	todo   []int
	tried  []bool // exception handlers that were entered
	dead   bool   // in code that no jump reaches
	kw     []string
}

// run interprets one code object: what flow reaches from its start and its
// exception handlers, then what it does not.
func (a *analysis) run(u *unit) {
	w := &walk{a: a, u: u, code: u.code.Bytecode, points: map[int][][]value{}, tried: make([]bool, len(u.table))}
	w.leader, w.visits = make([]bool, len(w.code)+1), make([]uint8, len(w.code)+1)
	starts := w.sweep()
	w.enter(0, nil)
	w.drain()
	w.dead = true
	for _, off := range starts {
		if w.visits[off] == 0 {
			w.enter(off, nil)
			w.drain()
		}
	}
}

// sweep reads the code from start to end and marks where jumps lead. It gives
// where instructions start, as far as they can be read.
func (w *walk) sweep() []int {
	var starts []int
	for off := 0; off < len(w.code); {
		in, ok := decode(w.a.t, w.code, off)
		if !ok {
			break
		}
		starts = append(starts, off)
		if in.target >= 0 && in.target < len(w.code) {
			w.leader[in.target] = true
		}
		off = in.next
	}
	for _, h := range w.u.table {
		if h.target < len(w.code) {
			w.leader[h.target] = true
		}
	}
	return starts
}

// enter notes that off is reached with a stack, and queues it where that is news.
func (w *walk) enter(off int, stack []value) {
	if w.a.t.word() {
		off &^= 1 // CPython counts in words
	}
	if off < 0 || off >= len(w.code) {
		w.strange("jump out of the code")
		return
	}
	w.leader[off] = true
	if w.merge(off, stack) {
		w.todo = append(w.todo, off)
	}
}

// merge joins a stack into those with which off is entered; news says whether
// there was anything new.
func (w *walk) merge(off int, stack []value) (news bool) {
	if !w.a.charge(len(stack) + 1) {
		return false
	}
	have := w.points[off]
	for _, old := range have {
		if len(old) != len(stack) {
			continue
		}
		for i := range old {
			v, grew := join(old[i], stack[i])
			if grew {
				old[i], news = v, true
			}
		}
		return news
	}
	if len(have) >= maxDepths {
		return false
	}
	w.points[off] = append(have, append([]value(nil), stack...))
	return true
}

func (w *walk) drain() {
	for len(w.todo) > 0 {
		off := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		for _, stack := range w.points[off] {
			if !w.a.charge(len(stack)) {
				return
			}
			w.stack = append(w.stack[:0], stack...)
			w.straight(off)
		}
	}
}

// straight interprets from off until flow ends or joins what was seen.
func (w *walk) straight(off int) {
	for first := true; ; first = false {
		if off >= len(w.code) {
			w.strange("flow runs over the end of the code")
			return
		}
		if w.leader[off] && !first && !w.merge(off, w.stack) {
			return
		}
		if w.visits[off]++; w.visits[off] > maxVisits || !w.a.charge(1) {
			w.visits[off] = maxVisits
			return
		}
		in, ok := decode(w.a.t, w.code, off)
		if !ok {
			if !w.dead {
				w.a.out.undecoded = true
				w.strange("undefined opcode")
			}
			return
		}
		w.check(&in)
		w.handlersAt(off)
		if !w.step(&in) {
			return
		}
		off = in.next
	}
}

// check reports what no compiler writes.
func (w *walk) check(in *instr) {
	switch {
	case in.special:
		w.strange("opcode that only a running interpreter makes")
	case in.dirty:
		w.strange("inline cache is not empty")
	}
}

func (w *walk) strange(what string) {
	if !w.dead {
		w.a.out.strange(what)
	}
}

// handlersAt enters the exception handler that guards off (3.11 and later).
func (w *walk) handlersAt(off int) {
	if off/2 >= len(w.u.guards) {
		return
	}
	i := int(w.u.guards[off/2]) - 1
	if i < 0 || w.tried[i] {
		return
	}
	w.tried[i] = true
	h := &w.u.table[i]
	stack := append([]value(nil), w.stack[:min(h.depth, len(w.stack))]...)
	for len(stack) < min(h.depth, 1024) {
		stack = append(stack, unknown)
	}
	if h.lasti {
		stack = append(stack, unknown)
	}
	w.enter(h.target, append(stack, unknown))
}

// jump enters the target of in with the stack as it is.
func (w *walk) jump(in *instr) { w.enter(in.target, w.stack) }

// jumpWith enters the target of in with n unknown values on the stack.
func (w *walk) jumpWith(in *instr, n int) {
	depth := len(w.stack)
	for ; n > 0; n-- {
		w.stack = append(w.stack, unknown)
	}
	w.enter(in.target, w.stack) // which copies where the target is new
	w.stack = w.stack[:depth]
}

func (w *walk) push(v value) { w.stack = append(w.stack, v) }

func (w *walk) pop() value {
	if len(w.stack) == 0 {
		w.strange("stack underflow")
		return unknown
	}
	v := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	return v
}

// popN gives the n topmost values in order of pushing.
func (w *walk) popN(n int) []value {
	if n < 0 || n > len(w.stack) {
		w.strange("stack underflow")
		n = len(w.stack)
	}
	vs := append([]value(nil), w.stack[len(w.stack)-n:]...)
	w.stack = w.stack[:len(w.stack)-n]
	w.a.charge(n)
	return vs
}

// peek gives the place of the n-th value from the top, counted from 1.
func (w *walk) peek(n int) *value {
	if n < 1 || n > len(w.stack) {
		w.strange("stack underflow")
		v := unknown
		return &v
	}
	return &w.stack[len(w.stack)-n]
}

// blur forgets the topmost value: an instruction replaced it by its result.
func (w *walk) blur() {
	if len(w.stack) > 0 {
		w.stack[len(w.stack)-1] = unknown
	}
}

// afford charges for working on values; false means that the bound is met.
func (w *walk) afford(values ...value) bool {
	n := 0
	for _, v := range values {
		n += v.weight()
	}
	return w.a.charge(n)
}
