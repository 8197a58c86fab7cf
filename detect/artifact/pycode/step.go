package pycode

// step interprets one instruction. It gives false where flow does not go on to
// the next one.
func (w *walk) step(in *instr) bool {
	switch {
	case w.variables(in), w.attributes(in), w.shuffle(in), w.build(in), w.calls(in), w.operate(in), w.quiet(in):
		return true
	}
	if handled, on := w.control(in); handled {
		return on
	}
	w.plain(in)
	return true
}

// plain applies the stack effect of an instruction that has no meaning here:
// what it leaves on top is not known.
func (w *walk) plain(in *instr) {
	if in.fall == effectVaries {
		w.stack = w.stack[:0]
		w.strange("instruction of unknown effect")
		return
	}
	if in.fall <= 0 {
		w.popN(int(-in.fall))
		w.blur()
		return
	}
	for n := in.fall; n > 0; n-- {
		w.push(unknown)
	}
}

// quiet handles instructions that leave the values on the stack as they are:
// stores and deletions of what is not followed, marks, and conversions.
func (w *walk) quiet(in *instr) bool {
	switch in.op {
	case opNop, opCache, opResume, opPrecall, opMakeCell, opCopyFreeVars, opNotTaken, opSetupAnnotations,
		opDeleteFast, opDeleteDeref, opDeleteGlobal, opDeleteName, opExitInitCheck, opPopBlock, opToBool,
		opGetIter, opGetYieldFromIter, opConvertValue, opFormatSimple, opGetAwaitable, opListToTuple:
		if in.op == opExitInitCheck {
			w.pop()
		}
		return true
	case opDeleteAttr, opPopTop, opPrintExpr, opPrintItem, opPrintNewlineTo, opPopIter, opEndFor, opSetAdd,
		opStoreAnnotation, opDeleteSlice0:
		w.popN(1)
	case opDeleteSubscr, opMapAdd, opPrintItemTo, opDeleteSlice1, opDeleteSlice2, opStoreSlice0:
		w.popN(2)
	case opStoreAttr:
		w.popN(2)
	case opStoreSubscr, opDeleteSlice3, opStoreSlice1, opStoreSlice2:
		w.popN(3)
	case opStoreSlice, opStoreSlice3:
		w.popN(4)
	case opPrintNewline:
	case opReturnGenerator, opLoadLocals, opLoadBuildClass:
		w.push(unknown)
	case opGenStart: // takes the None that starting a generator sends
		if len(w.stack) > 0 {
			w.pop()
		}
	case opUnaryConvert, opUnaryPositive:
		w.blur()
	case opBinaryDivide, opInplaceDivide:
		w.pop()
		w.blur()
	case opEndSend:
		v := w.pop()
		w.pop()
		w.push(v)
	default:
		return false
	}
	return true
}

// variables handles loads and stores of constants, names, locals and cells.
func (w *walk) variables(in *instr) bool {
	a, u := w.a, w.u
	switch in.op {
	case opLoadConst:
		w.push(w.constant(in.arg))
	case opLoadSmallInt:
		w.push(number(int64(in.arg)))
	case opLoadCommonConstant:
		w.push(commonConstant(in.arg))
	case opLoadAssertionError:
		w.push(path("builtins.AssertionError"))
	case opLoadGlobal:
		w.loadGlobal(in)
	case opLoadName:
		w.push(a.global(w.name(in.arg)))
	case opLoadFromDictOrGlobals:
		w.pop()
		w.push(a.global(w.name(in.arg)))
	case opStoreName, opStoreGlobal:
		a.bindGlobal(w.name(in.arg), w.pop())
	case opLoadFast, opLoadFastCheck, opLoadFastBorrow, opLoadFastAndClear:
		w.push(a.local(u, in.arg))
	case opStoreFast:
		a.bindLocal(u, in.arg, w.pop())
	case opLoadFastLoadFast, opLoadFastBorrowLoadFastBorrow:
		w.push(a.local(u, in.arg>>4))
		w.push(a.local(u, in.arg&15))
	case opStoreFastLoadFast:
		a.bindLocal(u, in.arg>>4, w.pop())
		w.push(a.local(u, in.arg&15))
	case opStoreFastStoreFast:
		a.bindLocal(u, in.arg>>4, w.pop())
		a.bindLocal(u, in.arg&15, w.pop())
	case opLoadDeref, opLoadClassderef:
		w.push(a.cell(u, in.arg))
	case opLoadFromDictOrDeref:
		w.pop()
		w.push(a.cell(u, in.arg))
	case opLoadClosure:
		a.cell(u, in.arg)
		w.push(unknown)
	case opStoreDeref:
		v := w.pop()
		if in.arg >= 0 && in.arg < len(u.cells) {
			a.bindCell(u.cells[in.arg], v)
		} else {
			w.strange("cell index out of range")
		}
	default:
		return w.imports(in)
	}
	return true
}

func commonConstant(n int) value {
	names := [...]string{"AssertionError", "NotImplementedError", "tuple", "all", "any"}
	if n < 0 || n >= len(names) {
		return unknown
	}
	return path("builtins." + names[n])
}

// loadGlobal pushes a NULL for the call to come where the lowest bit says so
// (3.11 and later).
func (w *walk) loadGlobal(in *instr) {
	if !w.a.t.at(11) {
		w.push(w.a.global(w.name(in.arg)))
		return
	}
	v := w.a.global(w.name(in.arg >> 1))
	null := one(alt{kind: altNull})
	switch {
	case in.arg&1 == 0:
		w.push(v)
	case w.a.t.at(13):
		w.push(v)
		w.push(null)
	default:
		w.push(null)
		w.push(v)
	}
}

func (w *walk) constant(i int) value {
	if i < 0 || i >= len(w.u.code.Consts) {
		w.strange("constant index out of range")
		return unknown
	}
	return constant(w.u.code.Consts[i])
}

func (w *walk) name(i int) string {
	if i < 0 || i >= len(w.u.code.Names) {
		w.strange("name index out of range")
		return ""
	}
	return w.u.code.Names[i]
}

func (w *walk) imports(in *instr) bool {
	switch in.op {
	case opImportName:
		from := w.pop()
		level := int64(0)
		if n, ok := w.pop().first().integer(); ok {
			level = n
		}
		w.push(w.a.importName(w.name(in.arg), from, level))
	case opImportFrom:
		v := value{}
		for _, m := range w.peek(1).alts {
			if m.kind == altPath {
				member := w.a.attr(m, w.name(in.arg))
				if len(member.alts) > 0 {
					w.a.out.put(w.a.out.imports, member.alts[0].text)
				}
				v, _ = join(v, member)
			}
		}
		w.push(v)
	case opImportStar:
		w.a.importStar(w.pop())
	default:
		return false
	}
	return true
}

// attributes handles LOAD_ATTR and its kin.
func (w *walk) attributes(in *instr) bool {
	null := one(alt{kind: altNull})
	switch in.op {
	case opLoadAttr:
		if !w.a.t.at(12) {
			w.push(w.a.attrs(w.pop(), w.name(in.arg)))
			return true
		}
		v := w.a.attrs(w.pop(), w.name(in.arg>>1))
		w.callable(v, in.arg&1 != 0)
	case opLoadMethod:
		v := w.a.attrs(w.pop(), w.name(in.arg))
		w.push(null)
		w.push(v)
	case opLoadSuperAttr:
		w.popN(3)
		name := w.name(in.arg >> 2)
		w.callable(path("builtins.super()."+name), in.arg&1 != 0)
	case opLoadSpecial:
		w.pop()
		w.push(unknown)
		w.push(null)
	case opImportFrom:
		return false
	default:
		return false
	}
	return true
}

// callable pushes v, with the NULL that a call takes where method is set.
func (w *walk) callable(v value, method bool) {
	null := one(alt{kind: altNull})
	switch {
	case !method:
		w.push(v)
	case w.a.t.at(13):
		w.push(v)
		w.push(null)
	default:
		w.push(null)
		w.push(v)
	}
}

// shuffle handles what only moves values on the stack.
func (w *walk) shuffle(in *instr) bool {
	switch in.op {
	case opDupTop:
		w.push(*w.peek(1))
	case opDupTopTwo:
		w.repeat(2)
	case opDupTopx:
		w.repeat(min(in.arg, 5))
	case opCopy:
		w.push(*w.peek(in.arg))
	case opSwap:
		x, y := w.peek(1), w.peek(in.arg)
		*x, *y = *y, *x
	case opRotTwo:
		w.rotate(2)
	case opRotThree:
		w.rotate(3)
	case opRotFour:
		w.rotate(4)
	case opRotN:
		w.rotate(in.arg)
	case opPushNull:
		w.push(one(alt{kind: altNull}))
	default:
		return false
	}
	return true
}

func (w *walk) repeat(n int) {
	vs := w.popN(n)
	w.stack = append(append(w.stack, vs...), vs...)
}

// rotate puts the top under the n-1 values below it.
func (w *walk) rotate(n int) {
	if n < 1 || n > len(w.stack) {
		w.strange("stack underflow")
		return
	}
	w.a.charge(n)
	part := w.stack[len(w.stack)-n:]
	top := part[n-1]
	copy(part[1:], part[:n-1])
	part[0] = top
}
