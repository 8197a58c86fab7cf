package pycode

import "bartizan/detect/artifact/marshal"

// control handles jumps, blocks and what ends flow. on says whether the next
// instruction follows.
func (w *walk) control(in *instr) (handled, on bool) {
	switch in.op {
	case opReturnValue:
		w.returns(w.pop())
		return true, false
	case opReturnConst:
		w.returns(w.constant(in.arg))
		return true, false
	case opRaiseVarargs:
		w.popN(min(in.arg, 3))
		return true, false
	case opReraise, opBreakLoop, opInterpreterExit, opStopCode:
		return true, false
	case opContinueLoop:
		return true, false
	case opJumpForward, opJumpAbsolute, opJumpBackward, opJumpBackwardNoInterrupt:
		w.jump(in)
		return true, false
	case opPopJumpIfFalse, opPopJumpIfTrue, opPopJumpIfNone, opPopJumpIfNotNone,
		opPopJumpForwardIfFalse, opPopJumpForwardIfTrue, opPopJumpForwardIfNone, opPopJumpForwardIfNotNone,
		opPopJumpBackwardIfFalse, opPopJumpBackwardIfTrue, opPopJumpBackwardIfNone, opPopJumpBackwardIfNotNone:
		w.pop()
		w.jump(in)
		return true, true
	case opJumpIfFalseOrPop, opJumpIfTrueOrPop:
		w.jump(in)
		w.pop()
		return true, true
	case opJumpIfNotExcMatch:
		w.popN(2)
		w.jump(in)
		return true, true
	case opForIter, opSend:
		w.iterate(in)
		return true, true
	case opYieldFrom:
		w.pop()
		w.blur()
		return true, true
	}
	return w.blocks(in)
}

func (w *walk) returns(v value) {
	joined, grew := join(w.u.returns, v)
	if grew {
		w.u.returns = joined
		w.a.changed = true
	}
}

// iterate handles FOR_ITER and SEND, which push a value or jump.
func (w *walk) iterate(in *instr) {
	if in.op == opSend {
		if w.a.t.at(12) {
			w.jump(in)
		} else {
			top := w.pop()
			w.jump(in)
			w.push(top)
		}
		w.blur()
		return
	}
	iterated := *w.peek(1)
	if w.a.t.at(12) {
		w.jumpWith(in, 1) // END_FOR or POP_ITER takes it off again
	} else {
		top := w.pop()
		w.jump(in)
		w.push(top)
	}
	item := value{open: iterated.open}
	for i := range iterated.alts {
		if !w.afford(one(iterated.alts[i])) {
			break
		}
		elements, ok := iterated.alts[i].elements()
		if !ok {
			item.open = true
			continue
		}
		for _, e := range elements[:min(len(elements), 64)] {
			if !w.a.charge(1) {
				break
			}
			item, _ = join(item, e)
		}
	}
	w.push(item)
}

// blocks handles the block stack of versions before 3.11: a handler starts with
// the stack of its block's start and the exception on top.
func (w *walk) blocks(in *instr) (handled, on bool) {
	exception := 6
	if !w.a.t.word() {
		exception = 3
	}
	switch in.op {
	case opSetupLoop:
		w.jump(in)
	case opSetupExcept, opSetupFinally:
		w.jumpWith(in, exception)
	case opSetupWith:
		mgr := w.pop()
		w.push(unknown) // __exit__
		w.jumpWith(in, exception)
		w.push(mgr) // what __enter__ gives: in effect the same thing
	case opBeforeWith:
		mgr := w.pop()
		w.push(unknown)
		w.push(mgr)
	case opSetupAsyncWith:
		top := w.pop()
		w.jumpWith(in, exception)
		w.push(top)
	case opBeginFinally:
		w.push(unknown)
	case opCallFinally:
		w.push(constant(&marshal.Value{Kind: marshal.Int, Int: int64(in.next)}))
		w.jump(in)
		w.pop()
	case opPopFinally:
		if in.arg != 0 {
			top := w.pop()
			w.pop()
			w.push(top)
		} else {
			w.pop()
		}
	case opEndFinally:
		return true, !w.resumes(w.pop())
	case opPopExcept:
		w.popExcept()
	case opWithCleanup: // 2.7
		w.popN(2)
		w.push(unknown)
	case opWithCleanupStart:
		w.popN(2)
		for i := 0; i < 3; i++ {
			w.push(unknown)
		}
	case opWithCleanupFinish:
		w.popN(2)
	case opEndAsyncFor:
		w.popN(int(-in.fall))
	default:
		return false, true
	}
	return true, true
}

// resumes follows END_FINALLY of 3.8: on a number it goes on there, which is
// behind a CALL_FINALLY. It says whether flow goes nowhere else.
func (w *walk) resumes(v value) bool {
	if !w.a.t.at(8) {
		return false
	}
	only := !v.open && len(v.alts) > 0
	for i := range v.alts {
		if n, ok := v.alts[i].integer(); ok {
			w.enter(int(n), w.stack)
		} else {
			only = false
		}
	}
	return only
}

func (w *walk) popExcept() {
	switch {
	case w.a.t.at(11):
		w.popN(1)
	case len(w.stack) >= 3:
		w.popN(3)
	default:
		w.popN(len(w.stack))
	}
}
