package pycode

import (
	"strings"

	"bartizan/detect/artifact/marshal"
)

// call records a call of whatever f may be and gives what it may return.
func (w *walk) call(f value, args []value, names []string) value {
	if len(f.alts) == 0 {
		return unknown
	}
	if len(names) > len(args) {
		names = nil
	}
	result := value{}
	for i := range f.alts {
		r := w.callOne(&f.alts[i], args, names, 0)
		result, _ = join(result, r)
	}
	result.open = result.open || f.open
	return result
}

// maxCallDepth bounds calls that are followed within calls (partial, apply, map).
const maxCallDepth = 8

func (w *walk) callOne(f *alt, args []value, names []string, depth int) value {
	if depth > maxCallDepth || !w.a.charge(1+len(args)) {
		return unknown
	}
	switch f.kind {
	case altFunc:
		if u := w.a.byPtr[f.code]; u != nil {
			w.a.bindArgs(u, args, names, 0)
			return u.returns
		}
	case altMethod:
		w.record(typeName(f.recv)+"."+f.text, args, names)
		if !w.afford(one(*f)) {
			return unknown
		}
		return w.note(w.fold(args, func(args []value) (value, bool) {
			v := foldMethod(f.recv, f.text, args)
			return v, len(v.alts) > 0
		}))
	case altAttrs:
		if len(args) == 1 {
			return w.a.attrs(args[0], f.text)
		}
	case altCaller:
		if len(args) == 1 {
			return w.callAll(w.a.attrs(args[0], f.text), f.items, nil, depth+1)
		}
	case altPartial:
		all := append(append([]value(nil), f.items...), args...)
		return w.callOne(f.recv, all, names, depth+1)
	case altPath:
		w.record(f.text, args, names)
		if r, ok := w.known(f.text, args, names, depth); ok {
			return r
		}
		return path(cut(f.text + "()"))
	}
	return unknown
}

func (w *walk) callAll(f value, args []value, names []string, depth int) value {
	result := value{open: f.open}
	for i := range f.alts {
		r := w.callOne(&f.alts[i], args, names, depth)
		result, _ = join(result, r)
	}
	return result
}

// fold works out a function of constants for each choice of its arguments.
func (w *walk) fold(args []value, f func([]value) (value, bool)) value {
	result := value{}
	for _, way := range combinations(args) {
		if !w.afford(way...) {
			break
		}
		if v, ok := f(way); ok {
			result, _ = join(result, v)
		}
	}
	if len(result.alts) == 0 {
		return unknown
	}
	for _, arg := range args {
		for i := range arg.alts { // a list may have been changed meanwhile
			result.open = result.open || arg.alts[i].kind == altSeq && arg.alts[i].text == "list"
		}
		result.open = result.open || arg.open
	}
	return result
}

func cut(p string) string {
	if len(p) > maxPath {
		return p[:maxPath-len("…")] + "…"
	}
	return p
}

// note reports a constant that was worked out.
func (w *walk) note(v value) value {
	for i := range v.alts {
		if s, ok := v.alts[i].str(); ok {
			w.a.out.constant(s)
		}
	}
	return v
}

func (w *walk) record(target string, args []value, names []string) {
	call := Call{Target: target, In: w.u.code.QualName}
	if call.In == "" {
		call.In = w.u.code.Name
	}
	for i, arg := range args {
		if i == maxArgs {
			call.Args = append(call.Args, "…")
			break
		}
		text := show(arg)
		if k := i - (len(args) - len(names)); k >= 0 {
			text = names[k] + "=" + text
		}
		call.Args = append(call.Args, text)
	}
	w.a.out.call(call)
}

// importName gives the module that IMPORT_NAME pushes: the first package of
// "import a.b", the module itself where members are taken from it.
func (a *analysis) importName(name string, from value, level int64) value {
	if name == "" && level <= 0 {
		return unknown
	}
	full := name
	if level > 0 {
		full = strings.Repeat(".", int(min(level, 16))) + name
	}
	a.out.put(a.out.imports, full)
	a.out.ref(full)
	if f := from.first(); f.kind == altConst && f.c.Kind == marshal.None && level <= 0 {
		// "import a.b as c" takes b from a in the next instruction.
		top, _, _ := strings.Cut(name, ".")
		return path(top)
	}
	return path(full)
}

func (a *analysis) importStar(m value) {
	for _, alt := range m.alts {
		if alt.kind != altPath {
			continue
		}
		a.out.put(a.out.imports, alt.text+".*")
		known := false
		for _, s := range a.stars {
			known = known || s == alt.text
		}
		if !known && len(a.stars) < 4 {
			a.stars = append(a.stars, alt.text)
			a.changed = true
		}
	}
}

// attrs gives the attribute of whatever v may be.
func (a *analysis) attrs(v value, name string) value {
	result := value{open: v.open}
	for _, x := range v.alts {
		r := a.attr(x, name)
		result, _ = join(result, r)
	}
	if len(v.alts) == 0 {
		result, _ = join(result, path("?."+name))
	}
	return result
}

func (a *analysis) attr(x alt, name string) value {
	switch x.kind {
	case altPath:
		if name == "__call__" {
			return one(x)
		}
		if name == "__getattribute__" || name == "__getattr__" {
			return one(alt{kind: altPartial, recv: &alt{kind: altPath, text: "builtins.getattr"}, items: []value{one(x)}})
		}
		p := cut(x.text + "." + name)
		a.out.ref(p)
		return path(p)
	case altConst, altSeq:
		recv := x
		return one(alt{kind: altMethod, text: name, recv: &recv})
	case altMethod:
		p := cut(typeName(x.recv) + "." + x.text + "." + name)
		a.out.ref(p)
		return path(p)
	case altFunc:
		if name == "__call__" {
			return one(x)
		}
		p := "function." + name
		a.out.ref(p)
		return path(p)
	}
	return unknown
}

// typeName names the type of a constant as paths of its methods begin.
func typeName(x *alt) string {
	if x.kind == altSeq {
		return "builtins." + x.text
	}
	if x.kind != altConst {
		return "?"
	}
	switch x.c.Kind {
	case marshal.Text:
		return "builtins.str"
	case marshal.Bytes:
		return "builtins.bytes"
	case marshal.Int, marshal.BigInt:
		return "builtins.int"
	case marshal.True, marshal.False:
		return "builtins.bool"
	case marshal.Float:
		return "builtins.float"
	case marshal.Complex:
		return "builtins.complex"
	case marshal.Tuple:
		return "builtins.tuple"
	case marshal.List:
		return "builtins.list"
	case marshal.Dict:
		return "builtins.dict"
	case marshal.Set:
		return "builtins.set"
	case marshal.FrozenSet:
		return "builtins.frozenset"
	case marshal.CodeObject:
		return "types.CodeType"
	case marshal.None:
		return "types.NoneType"
	}
	return "builtins.object"
}

// subscript gives v[key]: by key from namespaces, by index from sequences.
func (a *analysis) subscript(v, key value) value {
	result := value{open: v.open || key.open}
	for i := range v.alts {
		for k := range key.alts {
			r := a.item(&v.alts[i], &key.alts[k])
			result, _ = join(result, r)
		}
		if len(key.alts) == 0 && v.alts[i].kind == altPath {
			result, _ = join(result, path(cut(v.alts[i].text+"[…]")))
		}
	}
	return result
}

func (a *analysis) item(x, key *alt) value {
	if x.kind == altPath {
		name, ok := key.str()
		if !ok {
			return path(cut(x.text + "[" + showAlt(key) + "]"))
		}
		return a.member(x.text, name)
	}
	return foldItem(x, key)
}

// member gives what a namespace holds under a name: sys.modules["os"] is os,
// os.__dict__["system"] is os.system, globals()["f"] is the global f.
func (a *analysis) member(namespace, name string) value {
	switch {
	case namespace == "sys.modules":
		a.out.put(a.out.imports, name)
		a.out.ref(name)
		if name == "__builtin__" {
			return path("builtins")
		}
		return path(name)
	case namespace == "builtins.globals()" || namespace == "builtins.locals()" || namespace == "function.__globals__":
		return a.global(name)
	case namespace == "builtins":
		p := "builtins." + name
		a.out.ref(p)
		return path(p)
	case strings.HasSuffix(namespace, ".__globals__") && name == "__builtins__":
		return path("builtins")
	case strings.HasSuffix(namespace, ".__dict__"):
		p := cut(strings.TrimSuffix(namespace, ".__dict__") + "." + name)
		a.out.ref(p)
		return path(p)
	}
	return path(cut(namespace + "[" + quote(name) + "]"))
}
