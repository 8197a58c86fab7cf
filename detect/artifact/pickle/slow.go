package pickle

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf8"

	"bartizan/detect/artifact/symbol"
)

// slow executes every opcode but those that run does in line. pos stands behind the opcode at start.
func (m *machine) slow(op byte, start, pos int) int {
	switch op {
	case opAppends, opSetItems, opAddItems:
		m.fillFromMark(op, start)
	case opAppend, opSetItem:
		m.fillOne(op, start)
	case opTuple, opList, opDict, opFrozenSet:
		m.fromMark(op, start)
	case opTuple1, opTuple2, opTuple3:
		m.smallTuple(op, start)
	case opMemoize, opBinPut, opLongBinPut:
		return m.memoize(op, start, pos)
	case opBinGet, opLongBinGet:
		return m.recall(op, start, pos)
	case opReduce:
		m.reduce(start)
	case opBuild:
		pos = m.build(start, pos)
	case opNewObj, opNewObjEx:
		m.newObject(op, start)
	case opGlobal, opInst:
		pos = m.global(op, start, pos)
	case opStackGlobal:
		m.stackGlobal(start)
	case opObj:
		m.object(start)
	case opInt, opLong, opFloat, opString, opUnicode, opPersID, opGet, opPut:
		pos = m.textOperand(op, start, pos)
	case opBinPersID:
		if vs, ok := m.take(1, start); ok {
			m.persistent(start, vs[0])
		}
	case opPop:
		m.pop(start)
	case opPopMark:
		if base, _, ok := m.popMark(m.stack, start); ok {
			m.stack = m.stack[:base]
		}
	case opProto, opFrame, opExt1, opExt2, opExt4:
		pos = m.numberOperand(op, start, pos)
	case opNextBuffer:
		m.buffers = true
		m.stack = append(m.stack, mk(kBuffer, start))
	case opReadonlyBuffer:
		if len(m.stack) <= m.fence {
			m.reach(len(m.stack), 1, start)
		}
	case opDup:
		if len(m.stack) > m.fence || m.reach(len(m.stack), 1, start) {
			m.shared++
			m.push(m.stack[len(m.stack)-1])
		}
	default:
		if literals[op].width > 0 {
			return m.counted(op, start, pos)
		}
		m.fail("bad-opcode", start, "byte 0x"+strconv.FormatUint(uint64(op), 16)+" is no opcode")
		return start
	}
	return pos
}

// take pops n values. The result is valid until the next push.
func (m *machine) take(n, off int) ([]val, bool) {
	if len(m.stack)-n < m.fence && !m.reach(len(m.stack), n, off) {
		return nil, false
	}
	vs := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return vs, true
}

func (m *machine) push(v val) { m.stack = append(m.stack, v) }

// pop is POP: it takes a MARK off where one is on top.
func (m *machine) pop(start int) {
	if last := len(m.marks) - 1; last >= 0 && m.marks[last] == len(m.stack) {
		m.popMark(m.stack, start)
		return
	}
	m.take(1, start)
}

func (m *machine) reduce(start int) {
	if vs, ok := m.take(2, start); ok {
		m.push(m.call(opReduce, vs[0], vs[1], 0, start))
	}
}

func (m *machine) newObject(op byte, start int) {
	if op == opNewObj {
		if vs, ok := m.take(2, start); ok {
			m.push(m.call(op, vs[0], vs[1], 0, start))
		}
		return
	}
	if vs, ok := m.take(3, start); ok {
		m.push(m.call(op, vs[0], vs[1], vs[2], start))
	}
}

// object is OBJ: the class stands above the MARK, its arguments above it.
func (m *machine) object(start int) {
	base, first, ok := m.popMark(m.stack, start)
	if !ok {
		return
	}
	if first >= len(m.stack) {
		m.fail("stack-underflow", start, "OBJ without a class")
		return
	}
	callee := m.stack[first]
	args := m.newFrom(nTuple, start, m.stack[first+1:])
	m.stack = m.stack[:base]
	m.push(m.call(opObj, callee, args, 0, start))
}

// global is GLOBAL and INST: module and name on two lines.
func (m *machine) global(op byte, start, pos int) int {
	module, pos := m.line(pos)
	name, pos := m.line(pos)
	if !utf8.Valid(module) || !utf8.Valid(name) {
		m.sawOddName = true // Python 2 takes bytes; Python 3 fails here
	}
	if op == opGlobal {
		m.push(m.resolve(module, name, start))
		return pos
	}
	callee := m.resolve(module, name, start)
	base, first, ok := m.popMark(m.stack, start)
	if !ok {
		return pos
	}
	args := m.newFrom(nTuple, start, m.stack[first:])
	m.stack = m.stack[:base]
	m.push(m.call(opInst, callee, args, 0, start))
	return pos
}

func (m *machine) stackGlobal(start int) {
	vs, ok := m.take(2, start)
	if !ok {
		return
	}
	module, name := vs[0], vs[1]
	if m.realKind(module) == kStr && m.realKind(name) == kStr {
		m.push(m.resolve(m.text(module), m.text(name), start))
		return
	}
	if m.computed(module) || m.computed(name) {
		m.push(m.unfoldedName(module, name, start))
		return
	}
	m.fail("bad-name", start, "STACK_GLOBAL on something that is no text")
}

// computed says whether a value may be text at run time though it is not known.
// An instance of a class is none, unless the class is text's own.
func (m *machine) computed(v val) bool {
	n := m.node(v)
	if n == nil || n.kind <= nDict {
		return false
	}
	ref := m.ref(n)
	if n.kind != nInstance || ref == nil || ref.status != symbol.Found || ref.kind != symbol.Class {
		return true
	}
	name := ref.canonical()
	return name == "builtins.str" || name == "builtins.unicode"
}

// textOperand executes the opcodes of protocol 0 whose operand is a line.
func (m *machine) textOperand(op byte, start, pos int) int {
	line, next := m.line(pos)
	moved := next-len(line)-1 != start+1
	switch op {
	case opInt, opLong, opFloat:
		m.number(op, start, line, moved)
	case opString, opUnicode:
		m.textLiteral(op, start, line, moved)
	case opPersID:
		m.persistent(start, m.newConst(constant{kind: kStr, text: line}))
	case opGet:
		v := m.textKey(line, 0)
		if v == 0 {
			m.fail("missing-memo", start, "memo key was never stored")
			return next
		}
		m.push(v)
	case opPut:
		if len(m.stack) <= m.fence && !m.reach(len(m.stack), 1, start) {
			return next
		}
		m.textKey(line, m.stack[len(m.stack)-1])
	}
	return next
}

func (m *machine) number(op byte, start int, line []byte, moved bool) {
	if !plausibleNumber(line, op == opFloat) {
		m.fail("bad-number", start, "the line is no number")
		return
	}
	m.digits = max(m.digits, len(line))
	k := kInt
	switch {
	case op == opFloat:
		k = kFloat
	case op == opInt && (bytes.Equal(line, []byte("00")) || bytes.Equal(line, []byte("01"))):
		k = kBool
	}
	if moved || k == kBool {
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line[:min(len(line), 20)])), 10, 64)
		if err != nil {
			n = 0
		}
		m.push(m.newConst(constant{kind: k, num: n, text: line}))
		return
	}
	m.push(mk(k, start))
}

func (m *machine) textLiteral(op byte, start int, line []byte, moved bool) {
	var text []byte
	if op == opString {
		var ok bool
		if text, ok = decodeStringLine(line); !ok {
			m.fail("bad-string", start, "the operand of STRING is not quoted")
			return
		}
	} else {
		text = decodeUnicodeLine(line)
	}
	v := mk(kStr, start)
	if moved {
		v = m.newConst(constant{kind: kStr, text: text})
	}
	m.push(v)
	if len(text) >= minLiteral {
		m.literal.seeText(m, kStr, start, text)
	}
}

// textKey stores v under a memo key given as text, or fetches where v is 0.
func (m *machine) textKey(line []byte, v val) val {
	m.sawTextKey = true
	number, _, _ := bytes.Cut(line, []byte{0}) // the C unpickler stops at a NUL
	n, err := strconv.Atoi(string(bytes.TrimSpace(bytes.ReplaceAll(number, []byte{'_'}, nil))))
	odd := err != nil || strconv.Itoa(n) != string(line)
	m.sawOddKey = m.sawOddKey || odd
	if m.read.keys == keysApart || m.read.keys == keysAreText && odd {
		if v == 0 {
			return m.memoText[string(line)]
		}
		if m.memoText == nil {
			m.memoText = map[string]val{}
		}
		m.memoText[string(line)] = v
		m.overwrites++
		return v
	}
	switch {
	case err != nil:
		return v
	case v == 0:
		return m.memoGet(n)
	case n >= 0:
		m.memoPut(n, v)
	}
	return v
}

// numberWidths are the bytes of the operands that are plain numbers.
var numberWidths = [256]int{opProto: 1, opFrame: 8, opExt1: 1, opExt2: 2, opExt4: 4}

func (m *machine) numberOperand(op byte, start, pos int) int {
	width := numberWidths[op]
	pos, ok := m.operand(pos, width)
	if !ok {
		m.fail("truncated", start, "operand is cut off")
		return start
	}
	b := m.data[pos : pos+width]
	pos += width
	switch op {
	case opProto:
		if b[0] > HighestProtocol {
			m.fail("bad-protocol", start, "protocol "+strconv.Itoa(int(b[0]))+" does not exist")
			return start
		}
		m.proto = int(b[0])
	case opFrame:
		pos = m.frame(pos, binary.LittleEndian.Uint64(b))
	default:
		code := 0
		for i, c := range b {
			code |= int(c) << (8 * i)
		}
		m.push(m.extension(int(int32(code)), start))
	}
	return pos
}
