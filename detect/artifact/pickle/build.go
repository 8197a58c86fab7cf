package pickle

import (
	"regexp"
	"strings"

	"bartizan/detect/artifact/symbol"
)

// build is BUILD: inst.__setstate__(state), or an update of its attributes. It
// gives the position to go on from, since joblib reads raw bytes after some.
func (m *machine) build(start, pos int) int {
	vs, ok := m.take(1, start)
	if !ok {
		return pos
	}
	state := vs[0]
	if len(m.stack) <= m.fence && !m.reach(len(m.stack), 1, start) {
		return pos
	}
	target := m.stack[len(m.stack)-1]
	n := m.node(target)
	if n == nil || n.kind <= nDict {
		if m.size(state) == 0 || state.kind() == kNone {
			return pos // nothing to set: every unpickler goes on
		}
		m.soft("bad-build", start)
		return pos
	}
	m.events.trace.method(m, target, "__setstate__")
	m.listing.build(m, target, state)
	switch n.kind {
	case nGlobal:
		m.overwrite(n, "BUILD", state, start)
	case nPartial:
		m.buildPartial(n, state)
	case nInstance:
		if m.mayBeShared(n) {
			m.overwrite(n, "BUILD", state, start)
			break
		}
		m.buildInstance(n, state, start)
		if ref := m.ref(n); ref != nil && ref.canonical() == joblibWrapper {
			m.sawJoblib = true
			if m.read.joblib {
				return m.joblibArray(state, pos)
			}
		}
	case nBound, nGetter:
		m.events.shape(m, m.ref(n), true, state, start)
	default:
		m.events.unresolvable(m, start, "sets the state of something that only the loader knows", target, state)
	}
	return pos
}

// mayBeShared says that what a function of the standard library gave may be one
// of the named things that it was given (next(reversed([Decimal])) is Decimal).
func (m *machine) mayBeShared(n *node) bool {
	ref := m.ref(n)
	if ref == nil || ref.status != symbol.Found || ref.kind == symbol.Class || ref.sym.Library != "cpython" {
		return false
	}
	return m.holds(m.elems(n)[1]).named
}

// overwrite is a change of something that a name stands for: a module, a class,
// a function, a list or dict that belongs to one. Everyone else uses it too.
func (m *machine) overwrite(n *node, how string, state val, off int) {
	m.events.overwritten(m, m.ref(n), how, state, off)
}

func (m *machine) buildPartial(n *node, state val) {
	vs, whole := m.arguments(state)
	if !whole || len(vs) < 2 {
		n.flags |= fDropped
		return
	}
	bound := []val{vs[0]}
	if args, ok := m.arguments(vs[1]); ok {
		bound = append(bound, args...)
	} else {
		bound = append(bound, vs[1])
		n.flags |= fDropped
	}
	n.kept, n.n = 0, 0
	n.flags &^= fKwargs
	if len(vs) > 2 && vs[2].kind() != kNone && m.size(vs[2]) != 0 {
		bound = append(bound, vs[2])
		n.flags |= fKwargs
	}
	m.extend(n, bound)
}

func (m *machine) buildInstance(n *node, state val, off int) {
	ref := m.ref(n)
	if ref == nil {
		return
	}
	if name := ref.canonical(); name == "numpy.dtype" && m.namesObjects(state, 0) {
		n.flags |= fActive
	}
	m.give(n, []val{state})
	if h := m.holds(state); h.acts != "" {
		m.events.handedOn(m, ref, h.acts, state, off)
	} else if hook := m.hookIn(state); hook != "" {
		m.events.hook(m, ref, hook, off)
	}
	m.checkCompanion(ref, state, off)
	if ref.status == symbol.Found && !m.generatedParser(ref, state) {
		m.judgeObject(ref, ref.sym.SetState, "BUILD", state, off)
	}
}

// give keeps what an instance was given after it was made, so that looking into
// it later finds it.
func (m *machine) give(n *node, vs []val) {
	n.flags |= fBuilt
	m.extend(n, vs)
}

// argumentParser is what scipy.stats writes into the state of a distribution
// and runs with exec when it is restored: three functions made from a template
// (scipy/stats/_distn_infrastructure.py parse_arg_template). Nothing but the
// names of shape arguments may differ.
var argumentParser = regexp.MustCompile(`^\ndef _parse_args\(self, ` + shapeAndLoc + `\):\n` +
	` {4}return \(` + shapes + `\), ` + locOut + `\n\n` +
	`def _parse_args_rvs\(self, ` + shapeAndLoc + `, size=None\):\n` +
	` {4}return self\._argcheck_rvs\(` + shapes + locOut + `, size=size\)\n\n` +
	`def _parse_args_stats\(self, ` + shapeAndLoc + `, moments='mv'\):\n` +
	` {4}return \(` + shapes + `\), ` + locOut + `, moments\n$`)

const (
	shapes      = `(?:[A-Za-z_]\w*, ?)* *`
	shapeAndLoc = shapes + `(?:loc=0(?:, scale=1)?)?`
	locOut      = `(?:loc, (?:scale|1)|0, 1)?`
)

// generatedParser says that a state is a scipy.stats distribution's own: the
// code in it is what scipy generates, under keys that stand in the stream.
func (m *machine) generatedParser(ref *symbolRef, state val) bool {
	if !strings.HasPrefix(ref.canonical(), "scipy.stats.") || ref.sym.SetState&symbol.Exec == 0 {
		return false
	}
	n := m.node(state)
	if n == nil || n.kind != nDict || n.flags&fDropped != 0 {
		return false
	}
	code := m.dictGet(n, "_parse_arg_template")
	return code.kind() == kStr && argumentParser.Match(m.text(code)) && m.literalKeys(n)
}

// judgeObject is for what pickle does to an instance of a known class.
func (m *machine) judgeObject(ref *symbolRef, effect symbol.Effect, how string, arg val, off int) {
	switch {
	case effect == 0:
	case ref.decided(effect) != 0:
		m.events.objectEffect(m, ref, effect, how, arg, off)
	default:
		h := m.holds(arg)
		if h.callable || h.unknown || effect&symbol.Undecided != 0 && h.code != "" {
			m.events.objectEffect(m, ref, effect, how, arg, off)
		} else if effect&symbol.Undecided != 0 {
			m.events.undecidedState(m, ref, how, off)
		}
	}
}

// hooks are the attributes that pickle itself looks up on an instance and
// calls: an instance that is given one calls it on the next BUILD or APPEND.
var hooks = map[string]bool{"__setstate__": true, "append": true, "extend": true, "add": true}

// hookIn names the hook that a state puts on an instance.
func (m *machine) hookIn(state val) string {
	n := m.node(state)
	if n == nil {
		return ""
	}
	if n.kind == nTuple && n.kept == 2 {
		vs := m.elems(n)
		if h := m.hookIn(vs[0]); h != "" {
			return h
		}
		return m.slotHook(vs[1])
	}
	if n.kind != nDict {
		return ""
	}
	if n.flags&fDunderKey != 0 && n.flags&fActive != 0 {
		return "a dunder attribute beyond those kept"
	}
	vs := m.elems(n)
	for i := 0; i+1 < len(vs); i += 2 {
		if m.realKind(vs[i]) != kStr {
			continue
		}
		if s := m.text(vs[i]); len(s) < 16 && hooks[string(s)] && m.mayBeCalled(vs[i+1]) {
			return string(s)
		}
	}
	return ""
}

// slotHook is for the second half of a state, whose keys go through setattr:
// there a dunder name changes the object's class or dict.
func (m *machine) slotHook(v val) string {
	n := m.node(v)
	if n == nil || n.kind != nDict {
		return ""
	}
	vs := m.elems(n)
	for i := 0; i+1 < len(vs); i += 2 {
		s := string(m.text(vs[i]))
		if isDunder(s) && m.mayBeCalled(vs[i+1]) || hooks[s] && m.mayBeCalled(vs[i+1]) {
			return s
		}
	}
	if n.flags&fDunderKey != 0 && n.flags&fActive != 0 {
		return "a dunder attribute beyond those kept"
	}
	return ""
}

func (m *machine) mayBeCalled(v val) bool {
	n := m.node(v)
	return n != nil && n.kind > nDict
}

// fillMethods are what the opcodes that fill a container call on anything else.
var fillMethods = [256]string{opAppend: "append", opAppends: "append", opSetItem: "__setitem__", opSetItems: "__setitem__", opAddItems: "add"}

// fill is APPEND(S), SETITEM(S) and ADDITEMS on anything but an exact list,
// dict or set: a method of the target is called.
func (m *machine) fill(op byte, target val, items []val, off int) {
	n := m.node(target)
	method := fillMethods[op]
	if n == nil || n.kind <= nDict {
		m.fillPlain(op, n, target, items, off)
		return
	}
	m.events.trace.method(m, target, method)
	arg := m.newFrom(nTuple, off, items)
	m.listing.fill(m, target, method, arg)
	switch n.kind {
	case nGlobal:
		m.overwrite(n, method, arg, off)
	case nInstance:
		ref := m.ref(n)
		m.give(n, items)
		if h := m.holds(arg); ref != nil && h.acts != "" {
			m.events.handedOn(m, ref, h.acts, arg, off)
		}
		if ref != nil && ref.status == symbol.Found {
			m.judgeObject(ref, ref.sym.Items, method, arg, off)
			if method == "__setitem__" {
				m.filled(ref, n, off)
			}
		}
	case nPartial, nBound, nGetter:
		m.soft("bad-target", off)
	default:
		m.events.unresolvable(m, off, "fills something that only the loader knows", target, arg)
	}
}

// fillPlain is for plain values that Python fills by another method than the
// opcode was made for (a list by SETITEM), or not at all.
func (m *machine) fillPlain(op byte, n *node, target val, items []val, off int) {
	k := m.realKind(target)
	byItem := op == opSetItem || op == opSetItems
	switch {
	case len(items) == 0:
	case target.kind() == kPlain:
		if h := m.holds(m.newFrom(nTuple, off, items)); h.callable || h.unknown || h.object {
			m.soft("memory-limit", off) // what else it holds is no longer known
		}
	case n != nil && n.kind == nList && byItem:
		n.flags |= fDropped | fActive // elements are replaced, which is not followed
		m.extend(n, items)
	case n != nil && n.kind == nDict && byItem:
		m.extend(n, items[:len(items)&^1])
		m.soft("odd-items", off)
	case k == kByteArray:
	default:
		m.soft("bad-target", off)
	}
}

// soft notes something that most unpicklers refuse, and goes on.
func (m *machine) soft(code string, off int) {
	if m.softFault == nil {
		m.softFault = &fault{code: code, off: off, detail: "most unpicklers stop here"}
	}
}

// namesObjects says whether a dtype's state holds a field of Python objects.
func (m *machine) namesObjects(v val, depth int) bool {
	n := m.node(v)
	if n == nil || depth > 8 {
		return false
	}
	if n.kind == nInstance {
		vs, _ := m.arguments(m.elems(n)[1])
		return n.flags&fActive != 0 || len(vs) > 0 && len(m.text(vs[0])) > 0 && m.text(vs[0])[0] == 'O'
	}
	if n.kind > nDict {
		return false
	}
	for _, e := range m.elems(n) {
		if m.namesObjects(e, depth+1) {
			return true
		}
	}
	return false
}
