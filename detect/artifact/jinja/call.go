package jinja

import "strconv"

// call evaluates a call; extra arguments come from a call block.
func (w *walker) call(e *Expr, extra ...argument) *value {
	callee := e.X[0]
	switch callee.Op {
	case Name:
		return w.callName(e, extra)
	case Getattr:
		recv := w.evalBase(callee.X[0])
		w.access(callee, callee.X[0], callee.Text, "attribute")
		w.globalAttribute(callee)
		args := w.evalArgs(e.Args)
		return w.method(e, recv, callee.Text, args)
	}
	f := w.eval(callee)
	args := append(w.evalArgs(e.Args), extra...)
	w.calledItem(e, f)
	if v, ok := w.callMacros(f, args); ok {
		return v
	}
	if callee.Op == Getitem && callee.X[1].Op != Slice {
		if name := w.eval(callee.X[1]); name.kind == vText && name.exact {
			return w.method(e, w.evalBase(callee.X[0]), name.text, args)
		}
	}
	if callee.Op == Filter && callee.Text == "attr" && len(callee.Args) > 0 && callee.X[0] != nil {
		if name := w.eval(callee.Args[0].Value); name.kind == vText && name.exact {
			return w.method(e, w.evalBase(callee.X[0]), name.text, args)
		}
	}
	w.codeArguments(e, path(callee), args)
	return opaque(f.from, append([]*value{f}, w.opaqueCall(args))...)
}

func (w *walker) callName(e *Expr, extra []argument) *value {
	name := e.X[0].Text
	args := append(w.evalArgs(e.Args), extra...)
	if f, ok := w.scope.get(name); ok {
		if v, ok := w.callMacros(f, args); ok {
			return v
		}
		w.calledItem(e, f)
		return opaque(f.from, f, w.opaqueCall(args))
	}
	w.globalCall(e, name, args)
	return w.builtin(e, name, args)
}

// callMacros calls every macro that a value may be.
func (w *walker) callMacros(f *value, args []argument) (*value, bool) {
	var out []*value
	for _, a := range f.alts() {
		if a.kind == vMacro {
			out = append(out, w.callMacro(a.macro, args))
		}
	}
	if len(out) == 0 {
		return nil, false
	}
	return union(out...), true
}

// calledItem reports a call of something that was read under a name which is not
// constant: without it nothing that is found that way can act.
func (w *walker) calledItem(e *Expr, f *value) {
	if f.dep&onDynamic == 0 || f.kind == vMacro {
		return
	}
	w.issue(Issue{Kind: DynamicAttribute, Weight: High, Off: e.Off, Symbol: path(e.X[0]), Detail: "call",
		Message: "something is called that was read under a name which is not constant"})
}

// builtin gives what the environment's own functions return.
func (w *walker) builtin(e *Expr, name string, args []argument) *value {
	switch name {
	case "range":
		return w.ranged(e, args)
	case "dict":
		var items []*value
		for _, a := range args {
			if a.name != "" {
				items = append(items, textValue(a.name), a.value)
			} else if a.value.kind == vDict {
				items = append(items, a.value.items...)
			}
		}
		v := listValue(items)
		v.kind = vDict
		return v
	case "namespace":
		return w.namespace(args)
	case "strftime_now", "now", "utcnow", "today":
		return &value{from: fromDate, dep: onDate, size: 1}
	case "chr":
		if len(args) == 1 && args[0].value.kind == vInt && args[0].value.num >= 0 && args[0].value.num <= 0x10FFFF {
			return textValue(string(rune(args[0].value.num)))
		}
	case "str":
		if len(args) == 1 {
			return w.stringOf(args[0].value)
		}
	case "raise_exception":
		return unknown
	case "lipsum":
		return &value{kind: vText, text: hole, size: 1}
	}
	out := w.opaqueCall(args)
	w.keyedArguments(e, nil, args)
	return out
}

func (w *walker) namespace(args []argument) *value {
	w.spaces++
	v := &value{kind: vSpace, text: strconv.Itoa(w.spaces), size: 1}
	for _, a := range args {
		if a.name != "" {
			w.scope.set("#"+v.text+"."+a.name, a.value)
		} else if a.value.kind == vDict {
			for i := 0; i+1 < len(a.value.items); i += 2 {
				w.scope.set("#"+v.text+"."+a.value.items[i].str(), a.value.items[i+1])
			}
		}
	}
	return v
}

// keyedArguments judges constants that stand beside an argument which hangs on a
// comparison: what the function makes of them may be let out by it.
func (w *walker) keyedArguments(e *Expr, recv *value, args []argument) {
	dep := w.opaqueCall(args)
	if dep.dep&keyed == 0 {
		return
	}
	if recv != nil && recv.kind == vText {
		w.judgeText(recv.text, "", dep.dep, dep.key, e.Off)
	}
	for _, a := range args {
		if a.value.kind == vText && a.value.dep&keyed == 0 {
			w.judgeText(a.value.text, "", dep.dep, dep.key, e.Off)
		}
	}
}

// grows are the methods that put their arguments into a list or dict.
var grows = map[string]bool{"append": true, "extend": true, "insert": true, "update": true, "setdefault": true, "add": true, "__add__": true, "__iadd__": true}

// method is recv.name(args).
func (w *walker) method(e *Expr, recv *value, name string, args []argument) *value {
	if grows[name] {
		for _, a := range args {
			w.note(a.value)
		}
	}
	if isInternal(name) || acts.MatchString(name) && recv.kind == vUnknown && recv.from == fromOther {
		w.codeArguments(e, name, args)
	}
	return each(recv, func(r *value) *value {
		switch r.kind {
		case vText:
			if r.dep&onContent == 0 || r.exact {
				return w.textMethod(e, r, name, args)
			}
			c := *r
			c.kind, c.from = vUnknown, fromContent
			return w.unknownMethod(e, &c, name, args)
		case vDict:
			return w.dictMethod(e, r, name, args)
		case vSpace, vMacro:
			return w.opaqueCall(args)
		case vLoop:
			if name == "cycle" {
				var vs []*value
				for _, a := range args {
					vs = append(vs, a.value)
				}
				return union(append(vs, unknown)...)
			}
			return w.opaqueCall(args)
		case vList:
			w.keyedArguments(e, r, args)
			return opaque(fromOther, r, w.opaqueCall(args)).with(onBuilt, "")
		}
		return w.unknownMethod(e, r, name, args)
	})
}

func (w *walker) dictMethod(e *Expr, d *value, name string, args []argument) *value {
	switch name {
	case "get", "pop", "setdefault":
		if len(args) == 0 {
			return unknown
		}
		key := args[0].value
		if key.kind == vText && key.exact {
			if v, ok := lookup(d, key.text); ok {
				return v
			}
		}
		v := w.choose(e.Off, d, key)
		if len(args) > 1 {
			v = union(v, args[1].value)
		}
		return v
	case "keys", "values":
		var out []*value
		for i := 0; i+1 < len(d.items); i += 2 {
			out = append(out, d.items[i+map[string]int{"keys": 0, "values": 1}[name]])
		}
		return listValue(out)
	case "items":
		return pairs(d)
	}
	return opaque(fromOther, d, w.opaqueCall(args))
}

func pairs(d *value) *value {
	var out []*value
	for i := 0; i+1 < len(d.items); i += 2 {
		out = append(out, listValue([]*value{d.items[i], d.items[i+1]}))
	}
	return listValue(out)
}

// parting are methods that give parts of a content: the constant says where to cut.
var parting = map[string]bool{
	"split": true, "rsplit": true, "partition": true, "rpartition": true, "replace": true, "removeprefix": true, "removesuffix": true,
}

// quiet are methods of a content whose constant arguments say nothing about it.
var quiet = map[string]bool{
	"strip": true, "lstrip": true, "rstrip": true, "join": true, "encode": true, "decode": true, "items": true, "keys": true, "values": true,
	"append": true, "format": true, "ljust": true, "rjust": true, "center": true, "zfill": true, "pop": true,
}

// unknownMethod is a method of what comes from outside.
func (w *walker) unknownMethod(e *Expr, r *value, name string, args []argument) *value {
	out := opaque(r.from, r, w.opaqueCall(args))
	if (name == "format" || name == "format_map") && r.dep&onContent != 0 {
		w.contentFormat(e, args)
	}
	switch {
	case name == "get" && len(args) > 0 && args[0].value.kind == vText:
		out = member(r, args[0].value.text)
		if len(args) > 1 && args[1].value.kind == vText && args[1].value.text != "" {
			return union(out, args[1].value)
		}
		return out
	case (name == "items" || name == "values") && r.from == fromMessage:
		out.from, out.dep = fromContent, out.dep|onContent
	case name == "strftime" || r.from == fromDate:
		out.from, out.dep = fromDate, out.dep|onDate
	}
	if r.dep&onContent != 0 && !quiet[name] {
		for _, a := range args {
			dep, key := w.keys(&value{from: fromContent, dep: onContent}, a.value)
			if dep != 0 && parting[name] {
				dep |= keyFar
			}
			out = out.with(dep, key)
		}
	}
	if name == "replace" && len(args) > 1 {
		w.rewrites(e.Off, r, args[0].value, args[1].value)
	}
	if r.dep&onContent == 0 {
		w.keyedArguments(e, nil, args)
	}
	return out
}

// contentFormat judges a message's content that is taken as a format: its writer
// chooses which constants come out, and may reach attributes.
func (w *walker) contentFormat(e *Expr, args []argument) {
	w.issue(Issue{Kind: DynamicAttribute, Weight: Medium, Off: e.Off, Symbol: path(e.X[0]), Detail: "format",
		Message: "a message's content is taken as a format"})
	for _, a := range args {
		if a.value.kind == vText {
			w.judgeText(a.value.text, "", keyWeak, "format", e.Off)
		}
	}
}

// rewrites judges constants that replace parts of a message's content.
func (w *walker) rewrites(off int, content, from, to *value) {
	if content.dep&onContent == 0 || to.kind != vText {
		return
	}
	dep, key := w.keys(content, from)
	if dep == 0 {
		dep, key = keyWeak, visible(from.str())
	}
	w.judgeText(to.text, "", dep, key, off)
}
