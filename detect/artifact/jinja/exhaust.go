package jinja

import "fmt"

// Bounds above which a template exhausts the process that renders it. Jinja2's
// sandbox refuses range() past 100,000; nothing bounds the rest.
const (
	hugeRange = 1_000_000
	hugeTrips = 10_000_000
	hugeText  = 100_000_000
	hugeWidth = 10_000_000
	hugePower = 100_000
)

func (w *walker) exhausts(off int, detail, message string) {
	w.issue(Issue{Kind: ResourceExhaustion, Weight: High, Off: off, Detail: detail, Message: message})
}

// grown reports a text or list whose size is past all use.
func (w *walker) grown(size int64, off int) {
	if size >= hugeText {
		w.exhausts(off, "size", "a text or list grows to at least 100 million parts")
	}
}

// loopCost multiplies the counts of constant loops.
func (w *walker) loopCost(s *Stmt, it *value) {
	n := int64(1)
	for _, a := range it.alts() {
		if a.kind == vList || a.kind == vText || a.size > 1 {
			n = max(n, a.size)
		}
	}
	w.trips = mulSize(w.trips, n)
	if w.trips >= hugeTrips {
		w.exhausts(s.Off, "loop", fmt.Sprintf("constant loops within one another run at least %d times", w.trips))
	}
}

// ranged is range(…).
func (w *walker) ranged(e *Expr, args []argument) *value {
	dep := w.opaqueCall(args)
	lo, hi, step := int64(0), int64(0), int64(1)
	for i, a := range args {
		if a.value.kind != vInt || !a.value.exact {
			if a.value.kind != vInt && a.value.dep == 0 {
				return &value{from: fromIndex, size: 1}
			}
			if k, word := computed(dep); k&(keyDate|keyWeak) != 0 {
				dep = dep.with(k, word)
			}
			dep.from = fromIndex // a number, whatever it hangs on
			return dep
		}
		switch {
		case i == 0 && len(args) == 1, i == 1:
			hi = a.value.num
		case i == 0:
			lo = a.value.num
		case i == 2:
			step = a.value.num
		}
	}
	if step == 0 || len(args) == 0 {
		return dep
	}
	n := rangeLen(lo, hi, step)
	if n >= hugeRange {
		w.exhausts(e.Off, "range", fmt.Sprintf("range over %d numbers", n))
	}
	if n > maxUnroll {
		dep.from, dep.size = fromIndex, n
		return dep
	}
	items := make([]*value, 0, n)
	for i := range n {
		items = append(items, intValue(lo+i*step))
	}
	return listValue(items).with(dep.dep, dep.key)
}

func rangeLen(lo, hi, step int64) int64 {
	if step < 0 {
		lo, hi = hi, lo
		if step == -1<<63 {
			step = 1<<63 - 1
		} else {
			step = -step
		}
	}
	if lo >= hi {
		return 0
	}
	d := uint64(hi) - uint64(lo) // never more than 2^64-1
	n := (d-1)/uint64(step) + 1
	return int64(min(n, uint64(huge)))
}

// power reports a**b of a size that takes minutes.
func (w *walker) power(a, b *value, off int) {
	if a.kind == vInt && b.kind == vInt && (a.num > 1 || a.num < -1) && b.num >= hugePower || b.kind == vUnknown && b.size >= hugePower {
		w.exhausts(off, "power", "a number is raised to a huge power")
	}
}

// width reports padding to a huge width.
func (w *walker) width(args []argument, off int) {
	for _, a := range args {
		if a.value.kind == vInt && a.value.exact && a.value.num >= hugeWidth {
			w.exhausts(off, "width", "a text is padded to a huge width")
		}
	}
}

// doubling reports a namespace's attribute that is set to itself twice within a
// loop: it grows exponentially with the number of messages.
func (w *walker) doubling(s *Stmt) {
	if s.Target == nil || s.Target.Op != Getattr || w.deep {
		return
	}
	target, n := path(s.Target), 0
	var count func(e *Expr)
	count = func(e *Expr) {
		if e == nil {
			return
		}
		switch e.Op {
		case Getattr:
			if path(e) == target {
				n++
			}
		case List, Tuple:
			for _, x := range e.X {
				count(x)
			}
		case Chain:
			if op := e.Ops[0]; op == "~" || op == "+" {
				for _, x := range e.X {
					count(x)
				}
			}
		}
	}
	count(s.Exprs[0])
	if n >= 2 && w.inLoop() {
		w.exhausts(s.Off, "doubling", target+" is joined with itself in a loop: it grows exponentially")
	}
}

func (w *walker) inLoop() bool {
	_, ok := w.scope.get("loop")
	return ok
}
