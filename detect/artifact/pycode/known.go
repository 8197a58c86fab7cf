package pycode

import (
	"strings"

	"bartizan/detect/artifact/marshal"
)

// known gives what a call of a function that this package understands returns:
// those that reach modules and attributes by name, apply functions, or decode
// constants. They are recorded as calls all the same.
func (w *walk) known(target string, args []value, names []string, depth int) (value, bool) {
	if len(names) > 0 {
		if v, ok := w.knownKeywords(target, args, names); ok {
			return v, true
		}
	}
	if v, ok := w.knownReach(target, args); ok {
		return v, true
	}
	if v, ok := w.knownApply(target, args, depth); ok {
		return v, true
	}
	v := w.note(w.fold(args, func(args []value) (value, bool) { return foldCall(target, args) }))
	return v, len(v.alts) > 0
}

// knownKeywords: __import__(name=…, fromlist=…) and the like.
func (w *walk) knownKeywords(target string, args []value, names []string) (value, bool) {
	for i, n := range names {
		if n == "name" && (target == "builtins.__import__" || target == "importlib.import_module") {
			return w.importCall(target, append([]value{args[len(args)-len(names)+i]}, unknown, unknown, unknown))
		}
	}
	return value{}, false
}

// knownReach handles access to modules, attributes and namespaces by name.
func (w *walk) knownReach(target string, args []value) (value, bool) {
	switch target {
	case "builtins.__import__", "importlib.__import__", "importlib.import_module", "__builtin__.__import__":
		return w.importCall(target, args)
	case "pkgutil.resolve_name", "pydoc.locate", "pydoc.safeimport":
		return w.resolve(args)
	case "builtins.getattr", "__builtin__.getattr", "inspect.getattr_static", "builtins.object.__getattribute__", "builtins.type.__getattribute__":
		return w.getattr(args)
	case "builtins.globals", "builtins.locals":
		return path(target + "()"), true
	case "builtins.vars":
		if len(args) == 0 {
			return path("builtins.globals()"), true
		}
		return w.a.attrs(args[0], "__dict__"), true
	}
	for _, suffix := range [...]string{".get", ".__getitem__", ".pop", ".setdefault"} {
		if strings.HasSuffix(target, suffix) && len(args) > 0 {
			namespace := strings.TrimSuffix(target, suffix)
			if namespace == "sys.modules" || strings.HasSuffix(namespace, "()") || strings.HasSuffix(namespace, "__dict__") ||
				strings.HasSuffix(namespace, "__globals__") {
				return w.a.subscript(path(namespace), args[0]), true
			}
		}
	}
	return value{}, false
}

// importCall gives the module: __import__ gives the first package unless its
// fromlist, the fourth argument, holds something.
func (w *walk) importCall(target string, args []value) (value, bool) {
	if len(args) == 0 {
		return unknown, true
	}
	result := value{open: args[0].open}
	for i := range args[0].alts {
		name, ok := args[0].alts[i].str()
		if !ok || name == "" {
			result.open = true
			continue
		}
		w.a.out.put(w.a.out.imports, name)
		w.a.out.ref(name)
		if strings.HasSuffix(target, "__import__") && !hasFromlist(args) {
			name, _, _ = strings.Cut(name, ".")
		}
		result, _ = join(result, path(name))
	}
	return result, true
}

func hasFromlist(args []value) bool {
	if len(args) < 4 {
		return false
	}
	a, ok := args[3].single()
	if !ok {
		return true
	}
	elements, ok := a.elements()
	return ok && len(elements) > 0
}

// resolve handles "os:system" and "os.system".
func (w *walk) resolve(args []value) (value, bool) {
	if len(args) == 0 {
		return unknown, true
	}
	result := value{open: args[0].open}
	for i := range args[0].alts {
		if name, ok := args[0].alts[i].str(); ok {
			p := cut(strings.Replace(name, ":", ".", 1))
			w.a.out.put(w.a.out.imports, p)
			w.a.out.ref(p)
			result, _ = join(result, path(p))
		}
	}
	return result, true
}

func (w *walk) getattr(args []value) (value, bool) {
	if len(args) < 2 {
		return unknown, true
	}
	result := value{open: args[1].open}
	for i := range args[1].alts {
		if name, ok := args[1].alts[i].str(); ok {
			r := w.a.attrs(args[0], name)
			result, _ = join(result, r)
		} else {
			result.open = true
		}
	}
	if result.open {
		for _, x := range args[0].alts {
			if x.kind == altPath {
				result, _ = join(result, path(cut(x.text+".…")))
			}
		}
	}
	if len(args) > 2 {
		result, _ = join(result, args[2])
	}
	return result, true
}

// knownApply handles functions that call what they are given, or make callables.
func (w *walk) knownApply(target string, args []value, depth int) (value, bool) {
	switch target {
	case "functools.partial", "functools.partialmethod":
		if len(args) > 0 {
			v := value{open: args[0].open}
			for i := range args[0].alts {
				v.alts = append(v.alts, alt{kind: altPartial, recv: &args[0].alts[i], items: args[1:]})
			}
			return v, true
		}
	case "operator.attrgetter", "operator.methodcaller":
		if len(args) > 0 {
			if name, ok := args[0].first().str(); ok {
				return w.getter(target, name, args[1:]), true
			}
		}
	case "operator.itemgetter":
		return value{}, false
	case "operator.getitem", "_operator.getitem":
		if len(args) == 2 {
			return w.a.subscript(args[0], args[1]), true
		}
	case "operator.call", "_operator.call", "contextvars.Context().run":
		if len(args) > 0 {
			return w.callAll(args[0], args[1:], nil, depth+1), true
		}
	case "builtins.apply":
		if len(args) > 1 {
			return w.callAll(args[0], w.spread(args[1]), nil, depth+1), true
		}
	case "builtins.map", "itertools.imap", "builtins.filter", "itertools.starmap", "builtins.reduce", "functools.reduce":
		if len(args) > 1 {
			return w.mapCall(target, args, depth), true
		}
	case "marshal.loads", "_pickle.marshal.loads":
		if len(args) > 0 {
			return w.loads(args[0]), true
		}
	case "types.FunctionType", "types.LambdaType":
		if len(args) > 0 {
			return function(args[0]), true
		}
	}
	return value{}, false
}

// getter gives attrgetter("a.b") and methodcaller("m", …) as callables.
func (w *walk) getter(target, name string, rest []value) value {
	if target == "operator.methodcaller" {
		return one(alt{kind: altCaller, text: name, items: rest})
	}
	return one(alt{kind: altAttrs, text: name})
}

// mapCall calls the function on the elements of a known sequence.
func (w *walk) mapCall(target string, args []value, depth int) value {
	const most = 512
	a, ok := args[1].single()
	if !ok {
		w.callAll(args[0], []value{unknown}, nil, depth+1)
		return unknown
	}
	elements, ok := a.elements()
	if !ok || len(elements) > most {
		w.callAll(args[0], []value{unknown}, nil, depth+1)
		return unknown
	}
	var results []value
	for _, e := range elements {
		arg := []value{e}
		if target == "itertools.starmap" {
			arg = w.spread(e)
		}
		if strings.HasSuffix(target, "reduce") {
			arg = []value{unknown, e}
		}
		results = append(results, w.callAll(args[0], arg, nil, depth+1))
	}
	if strings.HasSuffix(target, "map") {
		return seq(results)
	}
	return unknown
}

// maxLoads bounds how many constants are read as marshalled code.
const maxLoads = 64

// loads reads a constant as marshal.loads does; code in it is analysed, too.
func (w *walk) loads(arg value) value {
	s, ok := arg.first().str()
	if !ok || w.a.loads >= maxLoads {
		return unknown
	}
	w.a.loads++
	if !w.a.charge(len(s)) {
		return unknown
	}
	res := marshal.Parse([]byte(s), w.a.t.version.Layout())
	if len(res.Readings) == 0 {
		for _, other := range marshal.Parse([]byte(s)).Codes() {
			w.a.out.static(other)
			w.a.out.unknown = true
		}
		return unknown
	}
	v := res.Readings[0].Value
	for _, c := range marshal.Codes(v) {
		w.a.out.static(c)
		w.a.add(c)
	}
	return constant(v)
}
