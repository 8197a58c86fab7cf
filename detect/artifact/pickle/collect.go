package pickle

import "encoding/binary"

// counted executes the opcodes whose operand is a number of fixed width, or a
// count and that many bytes, wherever frames make them be read from.
func (m *machine) counted(op byte, start, pos int) int {
	spec := literals[op]
	at, ok := m.operand(pos, spec.width)
	if !ok {
		m.fail("truncated", start, "operand is cut off")
		return start
	}
	pos = at + spec.width
	if spec.fixed {
		v := mk(spec.kind, start)
		if at != start+1 {
			v = m.moved(spec.kind, op, at)
		}
		m.push(v)
		return pos
	}
	size, fault := m.count(op, spec.width, at)
	if fault != "" {
		m.fail(fault, start, "operand claims more bytes than the stream can have")
		return start
	}
	body, ok := m.operand(pos, size)
	if !ok {
		m.wanted = pos + size
		m.fail("truncated", start, "operand claims more bytes than the stream has")
		return start
	}
	v := mk(spec.kind, start)
	if at != start+1 || body != pos {
		v = m.movedLiteral(spec.kind, body, size)
	}
	m.push(v)
	if size >= minLiteral && spec.kind != kInt {
		m.literal.see(m, spec.kind, body, size)
	}
	return body + size
}

// count reads the length of a literal.
func (m *machine) count(op byte, width, at int) (size int, fault string) {
	switch width {
	case 1:
		return int(m.data[at]), ""
	case 4:
		size = int(binary.LittleEndian.Uint32(m.data[at:]))
		if (op == opBinString || op == opLong4) && size > 1<<31-1 {
			return 0, "negative-length"
		}
		return size, ""
	}
	u := binary.LittleEndian.Uint64(m.data[at:])
	if u > uint64(len(m.data)) {
		return 0, "truncated"
	}
	return int(u), ""
}

// literals say how the opcodes with a number or counted bytes are read; the width
// of all others is 0.
var literals = [256]struct {
	kind  kind
	width int
	fixed bool
}{
	opBinInt1: {kInt, 1, true}, opBinInt2: {kInt, 2, true}, opBinInt: {kInt, 4, true}, opBinFloat: {kFloat, 8, true},
	opShortBinUnicode: {kStr, 1, false}, opBinUnicode: {kStr, 4, false}, opBinUnicode8: {kStr, 8, false},
	opShortBinBytes: {kBytes, 1, false}, opBinBytes: {kBytes, 4, false}, opBinBytes8: {kBytes, 8, false},
	opShortBinString: {kStr, 1, false}, opBinString: {kStr, 4, false}, opByteArray8: {kByteArray, 8, false},
	opLong1: {kInt, 1, false}, opLong4: {kInt, 4, false},
}

// smallTuple is TUPLE1 to TUPLE3 where the fence is in the way.
func (m *machine) smallTuple(op byte, start int) {
	if vs, ok := m.take(int(op-opTuple1)+1, start); ok {
		m.push(m.newFrom(nTuple, start, vs))
	}
}

// memoize is MEMOIZE, BINPUT and LONG_BINPUT.
func (m *machine) memoize(op byte, start, pos int) int {
	i := m.memoCount
	if op != opMemoize {
		var ok bool
		if i, pos, ok = m.memoKey(op == opLongBinPut, start, pos); !ok {
			return start
		}
	}
	if len(m.stack) <= m.fence && !m.reach(len(m.stack), 1, start) {
		return start
	}
	m.memoPut(i, m.stack[len(m.stack)-1])
	return pos
}

func (m *machine) memoKey(long bool, start, pos int) (i, next int, ok bool) {
	m.sawNumberKey = true
	width := 1
	if long {
		width = 4
	}
	if pos, ok = m.operand(pos, width); !ok {
		m.fail("truncated", start, "operand is cut off")
		return 0, start, false
	}
	if i = int(m.data[pos]); long {
		i = int(binary.LittleEndian.Uint32(m.data[pos:]))
	}
	return i, pos + width, true
}

// recall is BINGET and LONG_BINGET.
func (m *machine) recall(op byte, start, pos int) int {
	i, pos, ok := m.memoKey(op == opLongBinGet, start, pos)
	if !ok {
		return start
	}
	v := m.memoGet(i)
	if v == 0 {
		m.fail("missing-memo", start, "memo key was never stored")
		return start
	}
	m.fetched(v)
	m.push(v)
	return pos
}

// fromMark makes a container of what stands above the topmost MARK.
func (m *machine) fromMark(op byte, start int) {
	base, first, ok := m.popMark(m.stack, start)
	if !ok {
		return
	}
	items := m.stack[first:]
	k := nTuple
	switch op {
	case opList:
		k = nList
	case opFrozenSet:
		k = nFrozenSet
		m.hashable(items, 1, start)
	case opDict:
		k = nDict
		if len(items)&1 != 0 {
			m.soft("odd-dict", start) // Python 2's cPickle drops the last
			items = items[:len(items)-1]
		}
		m.hashable(items, 2, start)
	}
	v := m.newFrom(k, start, items)
	m.stack = append(m.stack[:base], v)
}

// fillFromMark is APPENDS, SETITEMS and ADDITEMS.
func (m *machine) fillFromMark(op byte, start int) {
	base, first, ok := m.popMark(m.stack, start)
	if !ok {
		return
	}
	items := m.stack[first:]
	target, ok := m.under(m.stack, base, start)
	m.stack = m.stack[:base]
	if ok {
		m.put(op, target, items, m.last, start)
	}
}

// fillOne is APPEND and SETITEM.
func (m *machine) fillOne(op byte, start int) {
	want := 1
	if op == opSetItem {
		want = 2
	}
	if len(m.stack)-want-1 < m.fence && !m.reach(len(m.stack), want+1, start) {
		return
	}
	items := m.stack[len(m.stack)-want:]
	m.stack = m.stack[:len(m.stack)-want]
	m.put(op, m.stack[len(m.stack)-1], items, region{shared: m.shared + 1}, start)
}

// put adds items to a list, dict or set of the stream's own, and judges what
// filling anything else does. since is where the items' making began.
func (m *machine) put(op byte, target val, items []val, since region, start int) {
	n := m.node(target)
	switch {
	case n == nil:
	case n.kind == nList && (op == opAppend || op == opAppends):
		m.add(n, items, since)
		return
	case n.kind == nDict && (op == opSetItem || op == opSetItems) && len(items)&1 == 0:
		m.hashable(items, 2, start)
		m.add(n, items, since)
		return
	case n.kind == nSet && op == opAddItems:
		m.hashable(items, 1, start)
		m.add(n, items, since)
		return
	}
	m.fill(op, target, items, start)
}

func (m *machine) add(n *node, items []val, since region) {
	if !m.reclaim(n, since, len(items)) {
		m.extend(n, items)
	}
}
