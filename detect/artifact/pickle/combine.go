package pickle

import (
	"strings"

	"bartizan/detect/artifact/symbol"
)

// combine evaluates the callables whose effect is what their arguments name. It
// gives 0 where the arguments do not tell; the caller then judges the call as
// any other, by the effects that the database has for it.
func (m *machine) combine(op byte, ref *symbolRef, callee, args, kwargs val, off int) val {
	vs, whole := m.arguments(args)
	if !whole || kwargs != 0 && m.size(kwargs) != 0 {
		return 0
	}
	m.events.combined(ref)
	defer m.escape(args, 0)
	if strings.HasSuffix(ref.canonical(), "._load_type") && strings.HasPrefix(ref.canonical(), "dill.") {
		return m.dillType(ref, vs, off)
	}
	switch ref.sym.Combinator {
	case symbol.Getattr:
		return m.getattr(ref, vs, off)
	case symbol.AttrGetter, symbol.ItemGetter, symbol.MethodCaller:
		return m.getter(ref, callee, vs, off)
	case symbol.Partial:
		return m.partial(callee, vs, off)
	case symbol.ResolveName, symbol.ImportModule:
		return m.importName(ref, args, vs, off)
	case symbol.Apply:
		return m.apply(ref, callee, args, vs, off)
	case symbol.Reconstructor:
		return m.reconstruct(op, callee, vs, off)
	}
	return 0
}

// arguments gives the elements of an argument tuple; whole is false where they
// are not all known.
func (m *machine) arguments(args val) (vs []val, whole bool) {
	n := m.node(args)
	if n == nil || n.kind > nList || n.flags&fDropped != 0 {
		return nil, false
	}
	return m.elems(n), true
}

func (m *machine) size(v val) int {
	if n := m.node(v); n != nil {
		return int(n.n)
	}
	return 1
}

// constText gives the text of a str that is known.
func (m *machine) constText(v val) (string, bool) {
	if m.realKind(v) != kStr && m.realKind(v) != kBytes {
		return "", false
	}
	return string(m.text(v)), true
}

// getattr follows getattr(object, name). A name that is not known, or an object
// of which nothing is known, can lead anywhere: that blocks.
func (m *machine) getattr(ref *symbolRef, vs []val, off int) val {
	if len(vs) < 2 {
		return 0
	}
	name, ok := m.constText(vs[1])
	if !ok {
		return 0
	}
	v := m.attribute(vs[0], name, off)
	if v == 0 && m.isInstance(vs[0]) && !isDunder(name) {
		// A bound method of an object whose class is not known, as models of one's
		// own hold them: for review, unless it is called or handed on.
		ref.reported = true
		m.events.unknownAttribute(m, ref, vs[0], name, off)
		return m.newFrom(nUnknown, off, vs[:1])
	}
	if v == 0 {
		return 0
	}
	m.reachedBy(v, ref)
	if to := m.ref(m.node(v)); to != nil && to.status == symbol.UnknownName && !m.isInstance(vs[0]) {
		m.events.deadEnd(m, ref, to, off)
	}
	return v
}

// isInstance says that a value is an object with attributes of its own, which
// its class does not tell: reaching for one is no dead end, calling it is.
func (m *machine) isInstance(v val) bool {
	n := m.node(v)
	return n != nil && n.kind == nInstance
}

// reachedBy records through which combinator a value was reached.
func (m *machine) reachedBy(v val, by *symbolRef) {
	if ref := m.ref(m.node(v)); ref != nil {
		ref.chain = append([]string{by.display()}, ref.chain...)
	}
}

// getter keeps attrgetter(…), itemgetter(…) and methodcaller(…) until called.
func (m *machine) getter(ref *symbolRef, callee val, vs []val, off int) val {
	v := m.newFrom(nGetter, off, vs)
	m.node(v).sym = m.node(callee).sym
	return v
}

func (m *machine) callGetter(n *node, args val, off int) val {
	vs, whole := m.arguments(args)
	ref := m.ref(n)
	if !whole || len(vs) == 0 {
		return 0
	}
	keys := m.elems(n)
	switch ref.sym.Combinator {
	case symbol.AttrGetter:
		var last val
		for _, k := range keys {
			path, ok := m.constText(k)
			if !ok {
				return 0
			}
			if last = m.attributePath(vs[0], path, ref, off); last == 0 {
				return 0
			}
		}
		return last
	case symbol.ItemGetter:
		return m.items(vs[0], keys, off)
	case symbol.MethodCaller:
		if len(keys) == 0 {
			return 0
		}
		name, ok := m.constText(keys[0])
		if !ok {
			return 0
		}
		method := m.attribute(vs[0], name, off)
		if method == 0 {
			return 0
		}
		m.reachedBy(method, ref)
		if to := m.ref(m.node(method)); to != nil && to.status == symbol.UnknownName {
			m.events.deadEnd(m, ref, to, off)
		}
		return m.call(opReduce, method, m.newFrom(nTuple, off, keys[1:]), 0, off)
	}
	return 0
}

func (m *machine) attributePath(v val, path string, by *symbolRef, off int) val {
	for name := range strings.SplitSeq(path, ".") {
		if v = m.attribute(v, name, off); v == 0 {
			return 0
		}
	}
	m.reachedBy(v, by)
	return v
}

// items is itemgetter(keys…)(object).
func (m *machine) items(v val, keys []val, off int) val {
	if len(keys) == 1 {
		return m.item(v, keys[0], off)
	}
	out := make([]val, 0, len(keys))
	for _, k := range keys {
		e := m.item(v, k, off)
		if e == 0 {
			return 0
		}
		out = append(out, e)
	}
	return m.newFrom(nTuple, off, out)
}

// partial keeps functools.partial(callable, …) until called.
func (m *machine) partial(callee val, vs []val, off int) val {
	if len(vs) == 0 {
		return 0
	}
	v := m.newFrom(nPartial, off, vs)
	m.node(v).sym = m.node(callee).sym
	return v
}

func (m *machine) callPartial(n *node, args, kwargs val, off int) val {
	bound := m.elems(n)
	more, whole := m.arguments(args)
	if len(bound) == 0 || !whole || n.flags&fDropped != 0 {
		return 0
	}
	if n.flags&fKwargs != 0 {
		if kwargs != 0 && m.size(kwargs) != 0 {
			return 0
		}
		bound, kwargs = bound[:len(bound)-1], bound[len(bound)-1]
	}
	all := append(append([]val{}, bound[1:]...), more...)
	return m.call(opReduce, bound[0], m.newFrom(nTuple, off, all), kwargs, off)
}

// importName is resolve_name("os:system") and import_module("os"): the call is
// dangerous in itself, and its result is followed to what it names.
func (m *machine) importName(ref *symbolRef, args val, vs []val, off int) val {
	m.events.dangerous(m, ref, ref.sym.Call|symbol.Import, args, off)
	if len(vs) == 0 {
		return 0
	}
	text, ok := m.constText(vs[0])
	if !ok {
		return 0
	}
	module, name, found := strings.Cut(text, ":")
	if !found && ref.sym.Combinator == symbol.ResolveName {
		module, name, _ = strings.Cut(text, ".")
	}
	return m.reached(module, name, ref, nGlobal, 0, off)
}

// dillType is dill's _load_type("set"): a builtin type, or one of package types,
// by its name.
func (m *machine) dillType(ref *symbolRef, vs []val, off int) val {
	if len(vs) != 1 {
		return 0
	}
	name, ok := m.constText(vs[0])
	if !ok {
		return 0
	}
	for _, module := range []string{"types", "builtins"} {
		if res := m.db.Resolve(module, name); res.Status == symbol.Found {
			return m.reached(module, name, ref, nGlobal, 0, off)
		}
	}
	return 0
}

// dillArray is dill's _create_array(f, args, state, attributes): f(*args), whose
// state is then set (dill/_dill.py).
func (m *machine) dillArray(ref *symbolRef, args, kwargs val, off int) val {
	if ref.canonical() != "dill._dill._create_array" || kwargs != 0 {
		return 0
	}
	vs, whole := m.arguments(args)
	if !whole || len(vs) < 3 || len(vs) > 4 || len(vs) == 4 && vs[3].kind() != kNone && m.size(vs[3]) != 0 {
		return 0
	}
	ref.reported = true
	f, fargs, state := vs[0], vs[1], vs[2]
	result := m.call(opReduce, f, fargs, 0, off)
	n := m.node(result)
	if n == nil || n.kind != nInstance {
		return 0
	}
	m.buildInstance(n, state, off)
	return result
}

// apply is map, filter, reduce and their kin: the first argument is called with
// arguments that are not computed, except for Python 2's apply(f, args).
func (m *machine) apply(ref *symbolRef, callee, args val, vs []val, off int) val {
	if len(vs) == 0 {
		return 0
	}
	target := m.node(vs[0])
	if target == nil || target.kind < nGlobal {
		return m.instance(m.node(callee).sym, callee, args, off) // filter(None, …)
	}
	inner, _ := m.newNode(nTuple, off)
	if ref.sym.Name == "apply" && len(vs) > 1 {
		inner = vs[1]
	} else if len(vs) > 1 {
		inner = m.newFrom(nTuple, off, vs[1:])
	}
	before := m.events.blocking
	result := m.call(opReduce, vs[0], inner, 0, off)
	if m.events.blocking > before {
		m.events.dangerous(m, ref, symbol.CallArg, args, off)
	}
	if ref.sym.Name == "apply" || ref.sym.Name == "reduce" {
		return result
	}
	return m.instance(m.node(callee).sym, callee, args, off)
}

// reconstruct is copyreg._reconstructor(cls, base, state) and __newobj__(cls, *args):
// cls.__new__ alone, judged as NEWOBJ.
func (m *machine) reconstruct(op byte, callee val, vs []val, off int) val {
	if len(vs) == 0 {
		return 0
	}
	n := m.node(vs[0])
	if n == nil || n.kind != nGlobal {
		return 0
	}
	if ref := m.ref(m.node(callee)); ref.sym.Name == "_reconstructor" {
		if len(vs) < 2 || !m.inertClass(vs[1]) {
			return 0 // base.__init__(obj, state) is called
		}
		vs = vs[:1]
	}
	return m.call(opNewObj, vs[0], m.newFrom(nTuple, off, vs[1:]), 0, off)
}

func (m *machine) inertClass(v val) bool {
	n := m.node(v)
	if n == nil || n.kind != nGlobal {
		return false
	}
	ref := m.ref(n)
	return ref.kind == symbol.Class && ref.inert()
}

// callBound is the call of a method of a value: folded where it makes text,
// judged as its symbol otherwise.
func (m *machine) callBound(n *node, callee, args, kwargs val, off int) val {
	ref := m.ref(n)
	ref.called = true
	if ref.status == symbol.UnknownName {
		return 0
	}
	if vs, whole := m.arguments(args); whole {
		if self := m.elems(n); len(self) == 1 {
			if v := m.foldMethod(ref, self[0], vs, off); v != 0 {
				return v
			}
		}
	}
	m.judge(ref, ref.sym.Call, args, kwargs, off, opReduce)
	if self := m.elems(n); len(self) == 1 {
		m.escape(self[0], 0)
	}
	return m.made(n.sym, callee, args, kwargs, off)
}
