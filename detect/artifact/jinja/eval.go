package jinja

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// argument is an evaluated argument.
type argument struct {
	name  string
	value *value
	expr  *Expr
}

func (w *walker) evalOr(e *Expr, other *value) *value {
	if e == nil {
		return other
	}
	return w.eval(e)
}

// eval gives the abstract value of an expression that is used as a value.
func (w *walker) eval(e *Expr) *value {
	if e.Op == Name {
		if v, ok := w.scope.get(e.Text); ok {
			return v
		}
		w.globalValue(e)
		return named(e.Text)
	}
	return w.evalBase(e)
}

// evalBase evaluates what an attribute is taken of or what is called: a global
// that is harmless there is not reported.
func (w *walker) evalBase(e *Expr) *value {
	if !w.step(1) {
		return unknown
	}
	switch e.Op {
	case Name:
		if v, ok := w.scope.get(e.Text); ok {
			return v
		}
		w.globalBase(e)
		return named(e.Text)
	case Str:
		w.step(len(e.Text) / 16)
		w.hiddenIn(e)
		return textValue(e.Text)
	case Int:
		return intValue(e.Num)
	case Bool:
		return boolValue(e.Num == 1)
	case None:
		return &value{kind: vNone, exact: true, size: 1}
	case List, Tuple:
		return listValue(w.evalAll(e.X))
	case Dict:
		v := listValue(w.evalAll(e.X))
		v.kind = vDict
		return v
	case Getattr:
		return w.getattr(e)
	case Getitem:
		return w.getitem(e)
	case Call:
		return w.call(e)
	case Filter:
		return w.filter(e)
	case Test:
		return w.test(e)
	case Unary:
		return w.unary(e)
	case Chain:
		return w.chain(e)
	case Comparison:
		return w.compare(e)
	case Cond:
		return w.cond(e)
	}
	out := opaque(fromOther)
	for _, x := range e.X {
		if x != nil {
			out.absorb(w.eval(x))
		}
	}
	return out
}

func (w *walker) evalAll(xs []*Expr) []*value {
	out := make([]*value, 0, len(xs))
	for _, x := range xs {
		out = append(out, w.eval(x))
	}
	return out
}

func (w *walker) evalArgs(args []Arg) []argument {
	out := make([]argument, 0, len(args))
	for _, a := range args {
		v := w.eval(a.Value)
		if a.Star == 1 && v.kind == vList {
			for _, x := range v.items {
				out = append(out, argument{value: x, expr: a.Value})
			}
			continue
		}
		if a.Star == 2 && v.kind == vDict {
			for i := 0; i+1 < len(v.items); i += 2 {
				out = append(out, argument{name: v.items[i].str(), value: v.items[i+1], expr: a.Value})
			}
			continue
		}
		out = append(out, argument{name: identifierOf(a.Name), value: v, expr: a.Value})
	}
	return out
}

// identifierOf gives a keyword as Python reads it: Jinja2 writes it into Python
// source, where identifiers are normalised (PEP 3131).
func identifierOf(name string) string {
	for i := 0; i < len(name); i++ {
		if name[i] >= utf8.RuneSelf {
			return norm.NFKC.String(name)
		}
	}
	return name
}

// cond is "a if c else b": what a keyed condition lets out is judged here.
func (w *walker) cond(e *Expr) *value {
	c := w.eval(e.X[1])
	var a, b *value
	b = textValue("")
	w.under(c, e.Off, func() {
		a = w.eval(e.X[0])
		w.note(a)
		if e.X[2] != nil {
			b = w.eval(e.X[2])
			w.note(b)
		}
	})
	return union(a, b).with(c.dep&keyed, c.key)
}

func (w *walker) unary(e *Expr) *value {
	v := w.eval(e.X[0])
	switch {
	case e.Text == "-" && v.kind == vInt && v.exact:
		return intValue(-v.num).with(v.dep, v.key)
	case e.Text == "+" && v.kind == vInt:
		return v
	case e.Text == "not":
		if t, ok := v.truth(); ok {
			return boolValue(!t).with(v.dep, v.key)
		}
	}
	return opaque(v.from, v)
}

// chain folds operators of one precedence from the left.
func (w *walker) chain(e *Expr) *value {
	switch e.Ops[0] {
	case "and", "or":
		return w.logic(e)
	case "~":
		return w.concat(w.evalAll(e.X), e.Off)
	}
	vs := w.evalAll(e.X)
	if plus(e.Ops, vs) {
		return w.concat(vs, e.Off)
	}
	v := vs[0]
	for i, op := range e.Ops {
		v = w.operate(op, v, vs[i+1], e.Off)
	}
	return v
}

// plus says that a chain of + joins texts, so that it can be joined at once.
func plus(ops []string, vs []*value) bool {
	for _, op := range ops {
		if op != "+" {
			return false
		}
	}
	text := false
	for _, v := range vs {
		text = text || v.kind == vText
		if v.kind == vList || v.kind == vDict || v.kind == vUnion {
			return false
		}
	}
	return text
}

// logic is and/or: a value behind a keyed operand is let out by it.
func (w *walker) logic(e *Expr) *value {
	first := w.eval(e.X[0])
	vs := []*value{first}
	acc := opaque(fromOther, first)
	for _, x := range e.X[1:] {
		var v *value
		w.under(acc, e.Off, func() {
			v = w.eval(x)
			w.note(v)
		})
		acc.absorb(v)
		vs = append(vs, v)
	}
	for _, v := range vs {
		if v.kind == vText || v.kind == vUnion || v.kind == vList || v.kind == vDict || v.from == fromContent || v.from == fromMessage {
			return union(vs...).with(acc.dep, acc.key)
		}
	}
	if known, ok := fold(e.Ops[0], vs); ok {
		return known.with(acc.dep, acc.key)
	}
	return acc
}

func fold(op string, vs []*value) (*value, bool) {
	for _, v := range vs {
		t, ok := v.truth()
		if !ok {
			return nil, false
		}
		if t == (op == "or") {
			return v, true
		}
	}
	return vs[len(vs)-1], true
}

// concat joins texts (~).
func (w *walker) concat(vs []*value, off int) *value {
	for i, v := range vs {
		vs[i] = w.stringOf(v)
		if v.kind == vUnion {
			out := vs[0]
			for _, x := range vs[1:] {
				out = each2(out, x, func(a, b *value) *value { return w.join2(a, b, off) })
			}
			return out
		}
	}
	var b []byte
	out := opaque(fromOther)
	size := int64(0)
	for _, v := range vs {
		if b = append(b, v.str()...); len(b) > 4*maxText {
			b = []byte(cut(string(b), maxText) + hole + tail(string(b), maxText))
			w.step(maxText / 16)
		}
		size = addSize(size, max(v.size, 1))
		out.absorb(v)
	}
	return w.sized(string(b), size, out, off)
}

func (w *walker) join2(a, b *value, off int) *value {
	a, b = w.stringOf(a), w.stringOf(b)
	return w.sized(a.str()+b.str(), addSize(max(a.size, 1), max(b.size, 1)), opaque(fromOther, a, b), off)
}

// sized makes a text and reports one that grows past all use.
func (w *walker) sized(s string, size int64, dep *value, off int) *value {
	w.step(len(s) / 16)
	v := skeleton(s, dep.dep, dep.key)
	v.size = max(size, v.size)
	if v.dep&onContent != 0 && strings.Contains(s, hole) {
		v.from = fromContent
	}
	w.grown(v.size, off)
	return v
}

func (w *walker) operate(op string, a, b *value, off int) *value {
	return each2(a, b, func(a, b *value) *value { return w.operate2(op, a, b, off) })
}

func (w *walker) operate2(op string, a, b *value, off int) *value {
	dep := opaque(fromOther, a, b)
	switch {
	case op == "+" && (a.kind == vText || b.kind == vText):
		return w.join2(a, b, off)
	case op == "+" && (a.kind == vList || b.kind == vList):
		return w.joinLists(a, b, dep, off)
	case op == "%" && a.kind == vText:
		return w.percent(a, b, dep, off)
	case op == "*" && (a.kind == vText || a.kind == vList || b.kind == vText || b.kind == vList):
		return w.repeat(a, b, dep, off)
	case op == "**":
		w.power(a, b, off)
		return dep
	case a.kind == vInt && b.kind == vInt && a.exact && b.exact:
		if n, ok := arithmetic(op, a.num, b.num); ok {
			return intValue(n).with(dep.dep, dep.key)
		}
	case op == "%" && a.dep&onIndex != 0 && b.kind == vInt && b.num > 2:
		return dep.with(keyIndex, "% "+b.str())
	}
	switch {
	case a.from == fromMessages || b.from == fromMessages:
		dep.from = fromMessages
	case dep.dep&onContent != 0:
		dep.from = fromContent
	case dep.dep&onIndex != 0:
		dep.from = fromIndex
	case a.dep&onDate != 0 || b.dep&onDate != 0:
		dep.from = fromDate
	}
	return dep
}

func arithmetic(op string, a, b int64) (int64, bool) {
	switch op {
	case "+":
		if s := a + b; (s > a) == (b > 0) {
			return s, true
		}
	case "-":
		if d := a - b; (d < a) == (b > 0) {
			return d, true
		}
	case "*":
		if a == 0 || b == 0 {
			return 0, true
		}
		if p := a * b; p/b == a {
			return p, true
		}
	case "//", "%":
		if b == 0 || b == -1 {
			return 0, false
		}
		q, r := a/b, a%b
		if r != 0 && (r < 0) != (b < 0) {
			q, r = q-1, r+b
		}
		if op == "%" {
			return r, true
		}
		return q, true
	}
	return 0, false
}

func (w *walker) joinLists(a, b, dep *value, off int) *value {
	if a.kind != vList || b.kind != vList {
		out := opaque(fromOther, a, b)
		if a.from == fromMessages || b.from == fromMessages {
			out.from = fromMessages
		}
		for _, l := range []*value{a, b} {
			if l.kind == vList && w.guard&keyed != 0 {
				w.note(l)
			}
		}
		return out
	}
	w.step((len(a.items) + len(b.items)) / 4)
	v := listValue(append(append([]*value{}, a.items...), b.items...))
	v.exact = v.exact && a.exact && b.exact
	v.size = addSize(a.size, b.size)
	w.grown(v.size, off)
	return v.with(dep.dep, dep.key)
}

// repeat is text or list times a number.
func (w *walker) repeat(a, b, dep *value, off int) *value {
	if a.kind == vInt {
		a, b = b, a
	}
	if b.dep&keyed != 0 && a.kind == vText {
		w.judgeText(a.text, "", b.dep, b.key, off)
	}
	if b.kind == vBool && b.exact {
		b = intValue(b.num)
	}
	if b.kind != vInt || !b.exact {
		return opaque(fromOther, dep).with(0, "")
	}
	n := max(b.num, 0)
	size := mulSize(a.size, n)
	w.grown(size, off)
	if a.kind == vList {
		if len(a.items) == 0 {
			return a
		}
		if n > int64(maxList/len(a.items)) {
			v := listValue(a.items)
			v.exact, v.size = false, size
			return v
		}
		var items []*value
		for range n {
			items = append(items, a.items...)
		}
		return listValue(items).with(dep.dep, dep.key)
	}
	per := max(int64(len(a.text)), 1)
	k := min(n, maxText/per+1)
	return w.sized(strings.Repeat(a.text, int(k)), size, dep, off)
}
