package pycode

import (
	"bartizan/detect/artifact/marshal"
)

// analysis is one reading of all code objects with one table. Variables are
// flow-insensitive: a name holds whatever any code object stores in it.
type analysis struct {
	t     *table
	out   *collector
	units []*unit
	byPtr map[*marshal.Code]*unit
	// globals and cells are shared by all units, by name.
	globals, cells map[string]value
	stars          []string // modules of "from m import *"
	changed        bool     // a variable, argument or return value grew in this pass
	// widen is set in the last pass that is allowed: what variables hold is then
	// not all that they may hold.
	widen bool
	left  *int // of the work that is allowed
	loads int  // marshal.loads calls followed
}

// unit is one code object.
type unit struct {
	code    *marshal.Code
	locals  []value
	names   []string // of the locals
	cells   []string
	returns value
	table   []handler
	// guards says for each word which handler guards it: its number in table
	// plus one, or zero.
	guards []int32
}

// maxPasses bounds the fixpoint over variables and return values.
const maxPasses = 5

func newAnalysis(t *table, codes []*marshal.Code, out *collector, left *int) *analysis {
	a := &analysis{t: t, out: out, left: left, byPtr: map[*marshal.Code]*unit{}, globals: map[string]value{}, cells: map[string]value{}}
	for _, c := range codes {
		a.add(c)
	}
	return a
}

func (a *analysis) add(c *marshal.Code) {
	if a.byPtr[c] != nil || len(a.units) >= maxUnits {
		return
	}
	u := &unit{code: c, names: localNames(a.t, c), cells: cellNames(a.t, c)}
	u.locals = make([]value, len(u.names))
	if a.t.at(11) {
		var ok bool
		if u.table, ok = handlers(c.ExceptionTable); !ok {
			a.out.strange("exception table is broken")
		}
		a.guard(u)
	}
	a.byPtr[c] = u
	a.units = append(a.units, u)
	a.changed = true
}

// guard spreads the exception table over the code; the first entry counts.
func (a *analysis) guard(u *unit) {
	if len(u.table) == 0 {
		return
	}
	u.guards = make([]int32, (len(u.code.Bytecode)+1)/2)
	for i, h := range u.table {
		for k := h.start / 2; k < h.end/2 && k < len(u.guards) && a.charge(1); k++ {
			if u.guards[k] == 0 {
				u.guards[k] = int32(i + 1)
			}
		}
	}
}

// fixpoint interprets all units until variables and return values no longer
// grow. Without patience it gives up where the very first code object cannot be
// decoded: that is another version's code.
func (a *analysis) fixpoint(patient bool) {
	for pass := 0; pass < maxPasses; pass++ {
		a.changed = false
		a.widen = pass == maxPasses-1
		a.out.reset()
		for i := 0; i < len(a.units); i++ { // units grow: marshal.loads of a constant
			a.run(a.units[i])
			if *a.left < 0 {
				a.out.unknown = true
				return
			}
			if a.out.undecoded && !patient {
				return
			}
		}
		if !a.changed {
			return
		}
	}
}

// charge counts work; false means that the bound is met.
func (a *analysis) charge(n int) bool {
	*a.left -= n
	return *a.left >= 0
}

func (a *analysis) bindGlobal(name string, v value) {
	a.out.put(a.out.defined, name)
	joined, grew := join(a.globals[name], v)
	if grew {
		a.globals[name] = joined
		a.changed = true
	}
}

func (a *analysis) bindCell(name string, v value) {
	joined, grew := join(a.cells[name], v)
	if grew {
		a.cells[name] = joined
		a.changed = true
	}
}

func (a *analysis) bindLocal(u *unit, i int, v value) {
	if i < 0 || i >= len(u.locals) {
		a.out.strange("variable index out of range")
		return
	}
	joined, grew := join(u.locals[i], v)
	if grew {
		u.locals[i] = joined
		a.changed = true
	}
}

// global gives what a global name may be: what the code binds to it, and the
// name itself, which the code's surroundings may provide.
func (a *analysis) global(name string) value {
	v := value{}
	switch {
	case name == "__builtins__":
		v = path("builtins")
	case isBuiltin(name):
		v = path("builtins." + name)
	default:
		v = path(name)
	}
	a.out.ref(v.alts[0].text)
	for _, m := range a.stars {
		a.out.ref(m + "." + name)
		v, _ = join(v, path(m+"."+name))
	}
	if bound, ok := a.globals[name]; ok {
		v, _ = join(v, bound)
	}
	v.open = v.open || a.widen
	return v
}

func (a *analysis) local(u *unit, i int) value {
	if i < 0 || i >= len(u.locals) {
		a.out.strange("variable index out of range")
		return unknown
	}
	v := u.locals[i]
	if len(v.alts) == 0 || i < params(u.code) {
		v, _ = join(v, path("%"+u.names[i]))
	}
	v.open = v.open || a.widen
	return v
}

// params is how many of the variables are parameters.
func params(c *marshal.Code) int {
	n := c.ArgCount + c.KwOnlyArgs
	if c.Flags&0x04 != 0 {
		n++
	}
	if c.Flags&0x08 != 0 {
		n++
	}
	return n
}

func (a *analysis) cell(u *unit, i int) value {
	if i < 0 || i >= len(u.cells) {
		a.out.strange("cell index out of range")
		return unknown
	}
	name := u.cells[i]
	v := a.cells[name]
	for k, n := range u.names {
		if n == name {
			v, _ = join(v, u.locals[k])
			break
		}
	}
	if len(v.alts) == 0 {
		v, _ = join(v, path("%"+name))
	}
	v.open = v.open || a.widen
	return v
}

// bindArgs gives a function that is called its arguments.
func (a *analysis) bindArgs(u *unit, args []value, names []string, at int) {
	positional := len(args) - len(names)
	for i, arg := range args {
		slot := at + i
		if i >= positional {
			slot = -1
			for k := 0; k < params(u.code) && k < len(u.names); k++ {
				if u.names[k] == names[i-positional] {
					slot = k
				}
			}
		} else if slot >= u.code.ArgCount {
			continue // *args
		}
		if slot < 0 || slot >= len(u.locals) {
			continue
		}
		a.bindLocal(u, slot, arg)
		a.bindCellNamed(u, u.names[slot], arg)
	}
}

func (a *analysis) bindCellNamed(u *unit, name string, v value) {
	for _, n := range u.code.CellVars {
		if n == name {
			a.bindCell(name, v)
			return
		}
	}
}
