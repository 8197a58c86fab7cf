package pycode

import "bartizan/detect/artifact/marshal"

// calls handles the call instructions of all versions: they differ in where
// the callable, the receiver and the keywords lie.
func (w *walk) calls(in *instr) bool {
	switch in.op {
	case opCallFunction:
		n, kw := in.arg, 0
		if !w.a.t.word() {
			n, kw = in.arg&0xff, in.arg>>8&0xff
		}
		args, names := w.args27(n, kw)
		w.push(w.call(w.pop(), args, names))
	case opCallFunctionVar, opCallFunctionVarKw:
		w.callStar27(in, true, in.op == opCallFunctionVarKw)
	case opCallFunctionKw:
		if !w.a.t.word() {
			w.callStar27(in, false, true)
			return true
		}
		names := keywords(w.pop())
		args := w.popN(in.arg)
		w.push(w.call(w.pop(), args, names))
	case opCallMethod, opCall:
		names := w.kw
		w.kw = nil
		w.callWithReceiver(w.popN(in.arg), names)
	case opCallKw:
		names := keywords(w.pop())
		w.callWithReceiver(w.popN(in.arg), names)
	case opKwNames:
		w.kw = keywords(w.constant(in.arg))
	case opCallFunctionEx:
		w.callEx(in)
	case opCallIntrinsic1:
		w.intrinsic(in.arg)
	case opExecStmt: // code, globals, locals
		args := w.popN(3)
		w.a.out.ref("builtins.exec")
		w.record("builtins.exec", args[:min(1, len(args))], nil)
	case opBeforeAsyncWith:
		w.pop()
		w.push(unknown)
		w.push(unknown)
	default:
		return false
	}
	return true
}

// args27 pops Python 2's keyword pairs and positional arguments.
func (w *walk) args27(n, kw int) (args []value, names []string) {
	pairs := w.popN(2 * kw)
	args = w.popN(n)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].first().str()
		if !ok {
			name = "**"
		}
		names, args = append(names, name), append(args, pairs[i+1])
	}
	return args, names
}

func (w *walk) callStar27(in *instr, star, dict bool) {
	if dict {
		w.pop()
	}
	rest := value{}
	if star {
		rest = w.pop()
	}
	args, names := w.args27(in.arg&0xff, in.arg>>8&0xff)
	if star {
		args = append(w.spread(rest), args...)
	}
	w.push(w.call(w.pop(), args, names))
}

func (w *walk) spread(v value) []value {
	if !w.afford(v) {
		return []value{unknown}
	}
	return spread(v)
}

// spread gives the arguments that a starred value stands for.
func spread(v value) []value {
	if a, ok := v.single(); ok {
		if elements, ok := a.elements(); ok {
			return elements
		}
	}
	return []value{unknown}
}

func keywords(v value) []string {
	a, ok := v.single()
	if !ok || a.kind != altConst || a.c.Kind != marshal.Tuple {
		return nil
	}
	var names []string
	for _, item := range a.c.Items {
		names = append(names, item.Text)
	}
	return names
}

// callWithReceiver pops callable and receiver: up to 3.12 NULL, callable or
// method, self; from 3.13 on callable, NULL or self.
func (w *walk) callWithReceiver(args []value, names []string) {
	y := w.pop()
	x := w.pop()
	if len(names) > len(args) {
		names = nil
	}
	if w.a.t.at(13) {
		if !isNull(y) {
			args = append([]value{y}, args...)
		}
		w.push(w.call(x, args, names))
		return
	}
	if isNull(x) {
		w.push(w.call(y, args, names))
		return
	}
	w.push(w.call(x, append([]value{y}, args...), names))
}

func isNull(v value) bool {
	for i := range v.alts {
		if v.alts[i].kind == altNull {
			return true
		}
	}
	return false
}

func (w *walk) callEx(in *instr) {
	if in.arg&1 != 0 || w.a.t.at(14) {
		w.pop()
	}
	args := w.spread(w.pop())
	if w.a.t.at(13) {
		if self := w.pop(); !isNull(self) {
			args = append([]value{self}, args...)
		}
		w.push(w.call(w.pop(), args, nil))
		return
	}
	f := w.pop()
	if w.a.t.at(11) {
		w.pop()
	}
	w.push(w.call(f, args, nil))
}

// intrinsic knows INTRINSIC_IMPORT_STAR and INTRINSIC_LIST_TO_TUPLE
// (Include/internal/pycore_intrinsics.h), numbered alike in 3.12 to 3.14.
func (w *walk) intrinsic(n int) {
	const importStar, unaryPositive, listToTuple = 2, 5, 6
	switch n {
	case importStar:
		w.a.importStar(w.pop())
		w.push(unknown)
	case listToTuple, unaryPositive:
	default:
		w.blur()
	}
}
