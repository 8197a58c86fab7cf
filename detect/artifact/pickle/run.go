package pickle

import "encoding/binary"

// run executes from pos until STOP, a fault or the end, and gives the position
// behind the last opcode. It is one loop with the frequent opcodes in line: a
// model has millions of them, and this is where the time of a scan goes.
func (m *machine) run(pos int) int { //nolint:funlen // the interpreter's loop; everything that is not hot stands elsewhere
	data, stack := m.data, m.stack
	m.check = pos
	limit, next := m.limit, pos // copies of m.limit and of min(m.limit, m.check)
	for {
		if pos >= next {
			var ok bool
			if pos, ok = m.advance(pos, len(stack)); !ok {
				m.stack = stack
				return pos
			}
			limit, next = m.limit, min(m.limit, m.check)
		}
		start := pos
		op := data[pos]
		pos++
		switch op {
		case opNone:
			stack = append(stack, mk(kNone, start))
			continue
		case opNewTrue, opNewFalse:
			stack = append(stack, mk(kBool, start))
			continue
		case opBinInt1:
			if limit-pos >= 1 {
				stack = append(stack, mk(kInt, start))
				pos++
				continue
			}
		case opBinInt2:
			if limit-pos >= 2 {
				stack = append(stack, mk(kInt, start))
				pos += 2
				continue
			}
		case opBinInt:
			if limit-pos >= 4 {
				stack = append(stack, mk(kInt, start))
				pos += 4
				continue
			}
		case opBinFloat:
			if limit-pos >= 8 {
				stack = append(stack, mk(kFloat, start))
				pos += 8
				continue
			}
		case opShortBinUnicode:
			if limit-pos >= 1 {
				if size := int(data[pos]); limit-pos > size {
					stack = append(stack, mk(kStr, start))
					pos++
					if size >= minLiteral {
						m.literal.see(m, kStr, pos, size)
					}
					pos += size
					continue
				}
			}
		case opMark:
			if !m.read.marksOnStack {
				m.marks = append(m.marks, len(stack))
				m.since = append(m.since, m.here())
				m.fence = len(stack)
				continue
			}
			stack = append(stack, mk(kMark, start))
			continue
		case opEmptyTuple, opEmptyList, opEmptyDict, opEmptySet:
			v, _ := m.newNode(emptyKind[op], start)
			stack = append(stack, v)
			continue
		case opTuple1, opTuple2, opTuple3:
			if want := int(op-opTuple1) + 1; len(stack)-want >= m.fence {
				v, node := m.newNode(nTuple, start)
				at := m.values.alloc(want)
				copyShort(m.values.run(at, uint32(want)), stack[len(stack)-want:])
				node.elems, node.kept, node.n = at, uint16(want), uint32(want)
				stack = append(stack[:len(stack)-want], v)
				continue
			}
		case opMemoize:
			if i := m.memoCount; len(stack) > m.fence && i == len(m.memo) {
				m.memo = append(m.memo, stack[len(stack)-1])
				m.memoCount++
				continue
			}
		case opBinPut:
			if i := len(m.memo); limit-pos >= 1 && len(stack) > m.fence && int(data[pos]) == i && m.memoCount == i {
				m.sawNumberKey = true
				m.memo = append(m.memo, stack[len(stack)-1])
				m.memoCount++
				pos++
				continue
			}
		case opLongBinPut:
			if i := len(m.memo); limit-pos >= 4 && len(stack) > m.fence && int(binary.LittleEndian.Uint32(data[pos:])) == i && m.memoCount == i {
				m.sawNumberKey = true
				m.memo = append(m.memo, stack[len(stack)-1])
				m.memoCount++
				pos += 4
				continue
			}
		case opBinGet:
			if limit-pos >= 1 && int(data[pos]) < len(m.memo) {
				if v := m.memo[data[pos]]; v != 0 {
					m.fetched(v)
					stack = append(stack, v)
					pos++
					continue
				}
			}
		case opLongBinGet:
			if limit-pos >= 4 {
				if i := int(binary.LittleEndian.Uint32(data[pos:])); i < len(m.memo) && m.memo[i] != 0 {
					m.fetched(m.memo[i])
					stack = append(stack, m.memo[i])
					pos += 4
					continue
				}
			}
		case opStop:
			m.stack = stack
			if pos, again := m.stop(pos, start); !again {
				return pos
			}
			stack, limit, next = m.stack, m.limit, min(m.limit, m.check)
			pos = m.resume
			continue
		}
		// Whatever is rare, or runs up against a frame, a fence or the end.
		m.stack = stack
		pos = m.slow(op, start, pos)
		if m.fault != nil || m.err != nil {
			return pos
		}
		stack, limit, next = m.stack, m.limit, min(m.limit, m.check)
	}
}

// emptyKind are the containers that opcodes make empty.
var emptyKind = [256]nodeKind{opEmptyTuple: nTuple, opEmptyList: nList, opEmptyDict: nDict, opEmptySet: nSet}

// fetched counts a value with parts that is used again.
func (m *machine) fetched(v val) {
	if v.kind() == kNode {
		m.shared++
	}
}

// advance looks at context and memory now and then, and makes sure that there is
// an opcode to read; ok is false where the stream must stop.
func (m *machine) advance(pos, height int) (int, bool) {
	if pos >= m.check && !m.checkpoint(pos, height) {
		return pos, false
	}
	pos, ok := m.need(pos, 1)
	if !ok {
		m.fail("truncated", pos, "the stream ends before STOP")
	}
	return pos, ok
}

// stop is STOP: the end of the stream, unless the reading goes on with the same
// memo. It then says so, and leaves where in m.resume.
func (m *machine) stop(pos, start int) (end int, again bool) {
	m.stopFrame = 0
	if m.limit < len(m.data) && pos < m.limit {
		m.stopFrame = m.limit
	}
	if len(m.stack) <= m.fence && !m.reach(len(m.stack), 1, start) || m.stops >= m.read.through {
		return pos, false
	}
	m.stops++
	if m.stopFrame > 0 {
		pos = m.cross(pos, m.stopFrame)
	}
	m.stack, m.marks, m.since, m.fence, m.proto, m.limit = m.stack[:0], m.marks[:0], m.since[:0], 0, 0, len(m.data)
	m.resume = pos
	return pos, true
}
