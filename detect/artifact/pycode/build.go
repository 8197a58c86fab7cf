package pycode

import (
	"bartizan/detect/artifact/marshal"
)

// build handles what makes containers, strings, slices and functions.
func (w *walk) build(in *instr) bool {
	switch in.op {
	case opBuildTuple:
		w.push(tupleOf(w.popN(in.arg)))
	case opBuildList, opBuildSet:
		w.push(seq(w.popN(in.arg)))
	case opBuildTupleUnpack, opBuildListUnpack, opBuildSetUnpack, opBuildTupleUnpackWithCall:
		w.push(w.concat(w.popN(in.arg)...))
	case opBuildMap:
		w.buildMap(in.arg)
	case opBuildMapUnpack:
		w.popN(in.arg)
		w.push(unknown)
	case opBuildMapUnpackWithCall:
		w.popN(in.arg)
		w.push(unknown)
	case opBuildConstKeyMap:
		w.popN(in.arg + 1)
		w.push(unknown)
	case opStoreMap:
		w.popN(2)
	case opBuildString:
		parts := w.popN(in.arg)
		if !w.afford(parts...) {
			parts = []value{unknown}
		}
		w.push(joinText("", parts))
	case opFormatValue:
		if in.arg&4 != 0 {
			w.pop()
			w.blur()
		}
	case opFormatWithSpec:
		w.pop()
		w.blur()
	case opBuildInterpolation:
		w.popN(2 + in.arg&1)
		w.push(unknown)
	case opBuildSlice:
		n := 2
		if in.arg == 3 {
			n = 3
		}
		w.push(slice(w.popN(n)))
	case opUnpackSequence:
		w.unpack(in.arg, -1)
	case opUnpackEx:
		w.unpack(in.arg&0xff, in.arg>>8)
	default:
		return w.extend(in) || w.functions(in)
	}
	return true
}

// extend handles what changes a container that lies deeper in the stack.
func (w *walk) extend(in *instr) bool {
	switch in.op {
	case opListExtend, opSetUpdate:
		v := w.pop()
		target := w.peek(in.arg)
		*target = w.concat(*target, v)
	case opListAppend:
		w.pop()
		*w.peek(in.arg) = unknown
	case opDictUpdate, opDictMerge:
		w.pop()
	default:
		return false
	}
	return true
}

func (w *walk) buildMap(n int) {
	if w.a.t.word() {
		w.popN(2 * n)
	} // 2.7 stores the pairs afterwards, with STORE_MAP
	w.push(unknown)
}

// unpack pushes the elements of the top, the first one last. after is how many
// stand behind a starred target, or -1 where there is none.
func (w *walk) unpack(n, after int) {
	v := w.pop()
	if n > 1<<16 || !w.a.charge(n) || !w.afford(v) {
		return
	}
	if a, ok := v.single(); ok && after < 0 {
		if elements, ok := a.elements(); ok && len(elements) == n {
			for i := n - 1; i >= 0; i-- {
				w.push(elements[i])
			}
			return
		}
	}
	if after > 1<<16 {
		return
	}
	for i := n + after + 1; i > 0; i-- {
		w.push(unknown)
	}
}

func (w *walk) concat(parts ...value) value {
	if !w.afford(parts...) {
		return unknown
	}
	return concat(parts)
}

// concat joins sequences into one; a part that is not known leaves it open.
func concat(parts []value) value {
	var items []value
	for _, p := range parts {
		a, ok := p.single()
		if !ok {
			return unknown
		}
		elements, ok := a.elements()
		if !ok || len(items)+len(elements) > 1<<14 {
			return unknown
		}
		items = append(items, elements...)
	}
	return seq(items)
}

// slice gives a slice constant where its ends are constants.
func slice(parts []value) value {
	v := &marshal.Value{Kind: marshal.Slice}
	for _, p := range parts {
		a, ok := p.single()
		if !ok || a.kind != altConst {
			return unknown
		}
		v.Items = append(v.Items, a.c)
	}
	for len(v.Items) < 3 {
		v.Items = append(v.Items, &marshal.Value{Kind: marshal.None})
	}
	return constant(v)
}

// functions handles MAKE_FUNCTION and its kin.
func (w *walk) functions(in *instr) bool {
	switch in.op {
	case opMakeFunction:
		w.makeFunction(in.arg)
	case opMakeClosure: // 2.7
		code := w.pop()
		w.pop()
		w.defaults(code, w.popN(in.arg&0xffff))
		w.push(function(code))
	case opSetFunctionAttribute:
		f := w.pop()
		attribute := w.pop()
		if in.arg == 1 {
			w.defaultsOf(f, attribute)
		}
		w.push(f)
	case opBuildClass: // 2.7: name, bases, dict
		w.popN(3)
		w.push(unknown)
	default:
		return false
	}
	return true
}

func (w *walk) makeFunction(arg int) {
	t := w.a.t
	if !t.word() {
		code := w.pop()
		w.defaults(code, w.popN(arg&0xffff))
		w.push(function(code))
		return
	}
	if !t.at(11) {
		w.pop() // the qualified name
	}
	code := w.pop()
	if t.at(13) {
		w.push(function(code))
		return
	}
	for bit := 8; bit > 1; bit >>= 1 {
		if arg&bit != 0 {
			w.pop()
		}
	}
	if arg&1 != 0 {
		w.defaultsOf(function(code), w.pop())
	}
	w.push(function(code))
}

func function(code value) value {
	v := value{open: code.open}
	for i := range code.alts {
		if a := &code.alts[i]; a.kind == altConst && a.c.Kind == marshal.CodeObject {
			v.alts = append(v.alts, alt{kind: altFunc, code: a.c.Code})
		} else {
			v.open = true
		}
	}
	return v
}

func (w *walk) defaultsOf(f, defaults value) {
	a, ok := defaults.single()
	if !ok {
		return
	}
	if elements, ok := a.elements(); ok {
		w.defaults(f, elements)
	}
}

// defaults gives the last parameters their default values.
func (w *walk) defaults(f value, values []value) {
	for i := range f.alts {
		code := f.alts[i].code
		if c := f.alts[i].c; f.alts[i].kind == altConst && c.Kind == marshal.CodeObject {
			code = c.Code
		}
		if u := w.a.byPtr[code]; code != nil && u != nil && len(values) <= code.ArgCount {
			w.a.bindArgs(u, values, nil, code.ArgCount-len(values))
		}
	}
}
