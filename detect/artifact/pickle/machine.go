package pickle

import (
	"bytes"
	"context"
	"encoding/binary"

	"bartizan/detect/artifact/symbol"
)

// machine runs one reading of one pickle stream over abstract values. It keeps
// the stack and memo as CPython's unpicklers do, and never computes more than
// it needs: what a value holds is read again from the input when asked for.
type machine struct {
	ctx  context.Context
	db   *symbol.DB
	data []byte
	read reading

	limit     int // end of the current frame, or of the data
	crossings int
	check     int // position of the next look at the context
	forgotten int // pages before it were let go
	forget    func(from, to int)

	stack []val
	marks []int
	since []region // one for each mark
	last  region   // of the mark that was taken last
	// active counts values that are more than plain data, overwrites the memo
	// entries that were stored anywhere but at its end.
	active, overwrites uint32

	fence int // index of the topmost mark: values below it are out of reach

	memo       []val
	memoCount  int
	memoSparse map[int]val
	memoText   map[string]val

	nodes  arena[node]
	values arena[val]
	consts []constant
	folded int    // bytes of computed text
	shared uint32 // how often a value with parts was used again
	high   int    // most values or marks on the stack, looked at now and then
	digits int    // most digits of a decimal number
	chain  int    // calls that are being evaluated within one another
	inner  int    // machines around this one
	stops  int    // STOPs that this reading went on from
	// stopFrame is where the frame ends in which STOP stood, if it goes on
	// behind it: unpicklers that read from a file have read that far, and the
	// next load begins there. 0 where there is none.
	stopFrame int

	visits  []val
	visited map[val]struct{}

	syms     []*symbolRef
	symIndex map[string]uint32
	symKey   []byte

	proto int

	sawFrame, nestedFrame, shortFrame bool
	sawFence, sawOddKey, sawJoblib    bool
	sawOddName, buffers               bool
	sawTextKey, sawNumberKey          bool

	fault     *fault
	softFault *fault
	err       error // the context's
	events    *events
	listing   *listing
	literal   literalSink
}

// fault is why a stream stopped before its STOP.
type fault struct {
	code   string // stable word
	off    int
	detail string
}

// memoryLimit bounds the arenas of one machine, in bytes; see README of docs/scanning.md.
const memoryLimit = 40 << 20

// A dense stream memoises about every tenth byte.
const (
	memoRate     = 8
	maxMemoAhead = 3 << 20
)

// Bounds of one stream. CPython's pickler stacks about a thousand values.
const (
	maxHeight  = 1 << 20 // values on the stack
	maxMarks   = 1 << 18
	maxSymbols = 20_000 // names
)

const (
	checkEvery  = 64 << 10 // input bytes between two looks at context and memory
	forgetEvery = 4 << 20  // input bytes between two releases of mapped pages
)

func (m *machine) begin(data []byte, r reading) {
	m.data, m.read = data, r
	m.limit, m.crossings, m.check, m.forgotten = len(data), 0, 0, 0
	m.stack, m.marks, m.since, m.fence = m.stack[:0], m.marks[:0], m.since[:0], 0
	m.active, m.overwrites = 0, 0
	if cap(m.stack) > 1<<16 {
		m.stack = make([]val, 0, 1024)
	}
	if cap(m.memo) > 1<<16 {
		m.memo = nil
	}
	if want := min(len(data)/memoRate, maxMemoAhead); want > 1<<16 && cap(m.memo) < want {
		m.memo = make([]val, 0, want) // untouched pages cost nothing, growing does
	}
	m.memo, m.memoCount, m.memoSparse, m.memoText = m.memo[:0], 0, nil, nil
	m.nodes.reset()
	m.values.reset()
	clear(m.consts)
	m.consts, m.folded, m.chain = m.consts[:0], 0, 0
	m.shared, m.high, m.digits, m.stops, m.buffers = 0, 0, 0, 0, false
	m.sawTextKey, m.sawNumberKey, m.stopFrame = false, false, 0
	m.syms = m.syms[:0]
	clear(m.symIndex)
	m.proto, m.fault, m.softFault, m.err = 0, nil, nil, nil
	m.sawFrame, m.nestedFrame, m.shortFrame = false, false, false
	m.sawFence, m.sawOddKey, m.sawJoblib, m.sawOddName = false, false, false, false
}

func (m *machine) fail(code string, off int, detail string) {
	if m.fault == nil {
		m.fault = &fault{code, off, detail}
	}
}

// run executes from pos until STOP, a fault or the end, and gives the position
// behind the last opcode.
func (m *machine) run(pos int) int {
	data, stack := m.data, m.stack
	m.check = pos
	limit, next := m.limit, pos // copies of m.limit and min(m.limit, m.check)
	for {
		var ok bool
		if pos >= next {
			if pos >= m.check && !m.checkpoint(pos, len(stack)) {
				m.stack = stack
				return pos
			}
			if pos, ok = m.need(pos, 1); !ok {
				m.fail("truncated", pos, "the stream ends before STOP")
				m.stack = stack
				return pos
			}
			limit = m.limit
			next = min(limit, m.check)
		}
		start := pos
		op := data[pos]
		pos++
		n := 0 // bytes of operand
		k := kNothing
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
			n, k = 1, kInt
		case opBinInt2:
			if limit-pos >= 2 {
				stack = append(stack, mk(kInt, start))
				pos += 2
				continue
			}
			n, k = 2, kInt
		case opBinInt:
			if limit-pos >= 4 {
				stack = append(stack, mk(kInt, start))
				pos += 4
				continue
			}
			n, k = 4, kInt
		case opBinFloat:
			if limit-pos >= 8 {
				stack = append(stack, mk(kFloat, start))
				pos += 8
				continue
			}
			n, k = 8, kFloat
		case opMark:
			if m.read.marksOnStack {
				stack = append(stack, mk(kMark, start))
			} else {
				m.marks = append(m.marks, len(stack))
				m.since = append(m.since, m.here())
				m.fence = len(stack)
			}
			continue
		case opEmptyTuple:
			v, _ := m.newNode(nTuple, start)
			stack = append(stack, v)
			continue
		case opEmptyList:
			v, _ := m.newNode(nList, start)
			stack = append(stack, v)
			continue
		case opEmptyDict:
			v, _ := m.newNode(nDict, start)
			stack = append(stack, v)
			continue
		case opEmptySet:
			v, _ := m.newNode(nSet, start)
			stack = append(stack, v)
			continue
		case opTuple1, opTuple2, opTuple3:
			want := int(op-opTuple1) + 1
			if len(stack)-want < m.fence && !m.reach(len(stack), want, start) {
				m.stack = stack
				return start
			}
			v, node := m.newNode(nTuple, start)
			at := m.values.alloc(want)
			copyShort(m.values.run(at, uint32(want)), stack[len(stack)-want:])
			node.elems, node.kept, node.n = at, uint16(want), uint32(want)
			stack = append(stack[:len(stack)-want], v)
			continue
		case opMemoize:
			if len(stack) <= m.fence && !m.reach(len(stack), 1, start) {
				m.stack = stack
				return start
			}
			if i := m.memoCount; i == len(m.memo) {
				m.memo = append(m.memo, stack[len(stack)-1])
				m.memoCount++
			} else {
				m.memoPut(i, stack[len(stack)-1])
			}
			continue
		case opBinPut, opLongBinPut:
			width := 1
			if op == opLongBinPut {
				width = 4
			}
			if limit-pos < width {
				if pos, ok = m.operand(pos, width); !ok {
					m.fail("truncated", start, "operand is cut off")
					m.stack = stack
					return start
				}
				limit = m.limit
				next = min(limit, m.check)
			}
			m.sawNumberKey = true
			i := int(data[pos])
			if width == 4 {
				i = int(binary.LittleEndian.Uint32(data[pos:]))
			}
			pos += width
			if len(stack) <= m.fence && !m.reach(len(stack), 1, start) {
				m.stack = stack
				return start
			}
			if i == len(m.memo) && i == m.memoCount {
				m.memo = append(m.memo, stack[len(stack)-1])
				m.memoCount++
			} else {
				m.memoPut(i, stack[len(stack)-1])
			}
			continue
		case opBinGet, opLongBinGet:
			width := 1
			if op == opLongBinGet {
				width = 4
			}
			if limit-pos < width {
				if pos, ok = m.operand(pos, width); !ok {
					m.fail("truncated", start, "operand is cut off")
					m.stack = stack
					return start
				}
				limit = m.limit
				next = min(limit, m.check)
			}
			m.sawNumberKey = true
			i := int(data[pos])
			if width == 4 {
				i = int(binary.LittleEndian.Uint32(data[pos:]))
			}
			pos += width
			var v val
			if i < len(m.memo) {
				v = m.memo[i]
			} else if m.memoSparse != nil {
				v = m.memoSparse[i]
			}
			if v == 0 {
				m.fail("missing-memo", start, "memo key was never stored")
				m.stack = stack
				return start
			}
			if v.kind() == kNode {
				m.shared++
			}
			stack = append(stack, v)
			continue
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
			n, k = 1, kStr
		case opBinUnicode:
			n, k = 4, kStr
		case opShortBinBytes:
			n, k = 1, kBytes
		case opBinBytes:
			n, k = 4, kBytes
		case opShortBinString:
			n, k = 1, kStr
		case opBinString:
			n, k = 4, kStr
		case opBinUnicode8:
			n, k = 8, kStr
		case opBinBytes8:
			n, k = 8, kBytes
		case opByteArray8:
			n, k = 8, kByteArray
		case opLong1:
			n, k = 1, kInt
		case opLong4:
			n, k = 4, kInt
		case opAppends, opSetItems, opAddItems, opTuple, opFrozenSet, opList, opDict:
			base, first, ok := m.popMark(stack, start)
			if !ok {
				m.stack = stack
				return start
			}
			items := stack[first:]
			if op == opAppends || op == opSetItems || op == opAddItems {
				target, ok := m.under(stack, base, start)
				if !ok {
					m.stack = stack[:base]
					return start
				}
				if node := m.node(target); node != nil && (op == opAppends && node.kind == nList || op == opSetItems && node.kind == nDict && len(items)&1 == 0 || op == opAddItems && node.kind == nSet) {
					if op != opAppends {
						m.hashable(items, int(node.kind-nSet)/2+1, start)
					}
					if !m.reclaim(node, m.last, len(items)) {
						m.extend(node, items)
					}
					stack = stack[:base]
				} else {
					m.stack = stack[:base]
					m.fill(op, target, items, start)
					stack = m.stack
					if m.fault != nil {
						return start
					}
				}
				continue
			}
			kinds := nTuple
			switch op {
			case opList:
				kinds = nList
			case opFrozenSet:
				kinds = nFrozenSet
			case opDict:
				kinds = nDict
				if len(items)&1 != 0 {
					m.soft("odd-dict", start) // Python 2's cPickle drops the last
					items = items[:len(items)-1]
				}
			}
			if kinds >= nSet {
				m.hashable(items, int(kinds-nSet)/2+1, start)
			}
			v := m.newFrom(kinds, start, items)
			stack = append(stack[:base], v)
			continue
		case opAppend:
			if len(stack)-2 < m.fence && !m.reach(len(stack), 2, start) {
				m.stack = stack
				return start
			}
			target := stack[len(stack)-2]
			items := stack[len(stack)-1:]
			if node := m.node(target); node != nil && node.kind == nList {
				m.extend(node, items)
				stack = stack[:len(stack)-1]
			} else {
				m.stack = stack[:len(stack)-1]
				m.fill(op, target, items, start)
				stack = m.stack
			}
			continue
		case opSetItem:
			if len(stack)-3 < m.fence && !m.reach(len(stack), 3, start) {
				m.stack = stack
				return start
			}
			target := stack[len(stack)-3]
			items := stack[len(stack)-2:]
			if node := m.node(target); node != nil && node.kind == nDict {
				m.hashable(items, 2, start)
				m.extend(node, items)
				stack = stack[:len(stack)-2]
			} else {
				m.stack = stack[:len(stack)-2]
				m.fill(op, target, items, start)
				stack = m.stack
			}
			continue
		case opDup:
			if len(stack) <= m.fence && !m.reach(len(stack), 1, start) {
				m.stack = stack
				return start
			}
			m.shared++
			stack = append(stack, stack[len(stack)-1])
			continue
		case opStop:
			m.stack = stack
			m.stopFrame = 0
			if m.limit < len(data) && pos < m.limit {
				m.stopFrame = m.limit
			}
			if len(stack) <= m.fence && !m.reach(len(stack), 1, start) || m.stops >= m.read.through {
				return pos
			}
			m.stops++
			if m.stopFrame > 0 {
				pos = m.cross(pos, m.stopFrame)
			}
			stack, m.marks, m.since, m.fence, m.proto, m.limit = stack[:0], m.marks[:0], m.since[:0], 0, 0, len(data)
			limit = m.limit
			next = min(limit, m.check)
			continue
		default:
			m.stack = stack
			pos = m.slow(op, start, pos)
			stack = m.stack
			limit = m.limit
			next = min(limit, m.check)
			if m.fault != nil || m.err != nil {
				return pos
			}
			continue
		}
		// A scalar or a counted literal: n bytes of operand.
		if m.limit-pos < n {
			if pos, ok = m.operand(pos, n); !ok {
				m.fail("truncated", start, "operand is cut off")
				m.stack = stack
				return start
			}
		}
		at := pos
		pos += n
		switch op {
		case opBinInt1, opBinInt2, opBinInt, opBinFloat:
			stack = append(stack, mk(k, at-1)) // content stands behind the opcode wherever it was read from
			if at != start+1 {
				stack[len(stack)-1] = m.moved(k, op, at)
			}
			limit = m.limit
			next = min(limit, m.check)
			continue
		}
		var size int
		switch n {
		case 1:
			size = int(data[at])
		case 4:
			size = int(binary.LittleEndian.Uint32(data[at:]))
			if (op == opBinString || op == opLong4) && size > 1<<31-1 {
				m.fail("negative-length", start, "operand has a negative length")
				m.stack = stack
				return start
			}
		default:
			u := binary.LittleEndian.Uint64(data[at:])
			if u > uint64(len(data)) {
				m.fail("truncated", start, "operand claims more bytes than the stream has")
				m.stack = stack
				return start
			}
			size = int(u)
		}
		if m.limit-pos < size {
			if pos, ok = m.operand(pos, size); !ok {
				m.fail("truncated", start, "operand claims more bytes than the stream has")
				m.stack = stack
				return start
			}
		}
		v := mk(k, start)
		if at != start+1 || pos != at+n {
			v = m.movedLiteral(k, pos, size)
		}
		stack = append(stack, v)
		if size >= minLiteral && k != kInt {
			m.literal.see(m, k, pos, size)
		}
		pos += size
		limit = m.limit
		next = min(limit, m.check)
	}
}

// checkpoint looks at the context, the memory and the pages behind pos.
func (m *machine) checkpoint(pos, height int) bool {
	if m.err = m.ctx.Err(); m.err != nil {
		return false
	}
	m.high = max(m.high, height, len(m.marks))
	if height > maxHeight || len(m.marks) > maxMarks || len(m.syms) > maxSymbols || m.memory() > memoryLimit {
		m.fail("memory-limit", pos, "the stream holds more values than the memory budget allows")
		return false
	}
	if m.forget != nil && pos-m.forgotten > 2*forgetEvery {
		m.forget(m.forgotten, pos-forgetEvery)
		m.forgotten = pos - forgetEvery
	}
	m.check = pos + checkEvery
	return true
}

func (m *machine) memory() int {
	return len(m.nodes.chunks)*chunkSize*24 + len(m.values.chunks)*chunkSize*8 + 8*(cap(m.stack)+len(m.memo)+cap(m.marks)) + 24*cap(m.since) + 48*len(m.memoSparse)
}

// hashable notes keys (every step-th item) that no dict or set takes: loading
// fails there.
func (m *machine) hashable(items []val, step, off int) {
	for i := 0; i < len(items); i += step {
		switch v := items[i]; v.kind() {
		case kNode:
			if k := m.node(v).kind; k == nList || k == nSet || k == nDict {
				m.soft("unhashable", off)
			}
		case kPlain:
			if k, _ := m.container(v); k == nList || k == nSet || k == nDict {
				m.soft("unhashable", off)
			}
		case kByteArray:
			m.soft("unhashable", off)
		}
	}
}

// reach says whether the top n values can be taken though the fence forbids it.
// CPython up to 3.6 and Python 2 had no fence: there the values below a MARK
// are taken; newer ones fail. What does not exist fails everywhere.
func (m *machine) reach(have, n, off int) bool {
	if have < n {
		m.sawFence = m.sawFence || len(m.marks) > 0 // Python 2's pickle.py takes the MARK itself
		m.fail("stack-underflow", off, "takes more values than the stack has")
		return false
	}
	m.sawFence = true
	return true
}

// under gives the value below a MARK. Python 2's pickle.py takes the topmost
// value where nothing stands there (stack[-1]).
func (m *machine) under(stack []val, base, off int) (val, bool) {
	if base == 0 && m.read.marksOnStack && len(stack) > 0 {
		return stack[len(stack)-1], true
	}
	m.sawFence = m.sawFence || base == 0
	if base-1 < m.fence && !m.reach(base, 1, off) {
		return 0, false
	}
	return stack[base-1], true
}

// popMark gives where the topmost MARK stood (base) and its first value (first).
func (m *machine) popMark(stack []val, off int) (base, first int, ok bool) {
	if m.read.marksOnStack {
		for i := len(stack) - 1; i >= 0; i-- {
			if stack[i].kind() == kMark {
				return i, i + 1, true
			}
		}
		m.fail("no-mark", off, "no MARK on the stack")
		return 0, 0, false
	}
	last := len(m.marks) - 1
	if last < 0 {
		m.fail("no-mark", off, "no MARK on the stack")
		return 0, 0, false
	}
	base = m.marks[last]
	m.marks, m.last, m.since = m.marks[:last], m.since[last], m.since[:last]
	m.fence = 0
	if last > 0 {
		m.fence = m.marks[last-1]
	}
	if base > len(stack) {
		m.sawFence = true
		base = len(stack)
	}
	return base, base, true
}

// A memo index goes into the dense table while that table grows by little.
const (
	sparseGap  = 1 << 16
	sparseFrom = 1 << 22
)

func (m *machine) memoPut(i int, v val) {
	m.overwrites++
	switch {
	case i < len(m.memo):
		if m.memo[i] == 0 {
			m.memoCount++
		}
		m.memo[i] = v
		return
	case i < len(m.memo)+sparseGap && i < sparseFrom && m.memoSparse[i] == 0:
		for len(m.memo) < i {
			m.memo = append(m.memo, 0)
		}
		m.memo = append(m.memo, v)
		m.memoCount++
		return
	}
	if m.memoSparse == nil {
		m.memoSparse = map[int]val{}
	}
	if _, ok := m.memoSparse[i]; !ok {
		m.memoCount++
		if m.memoCount%4096 == 0 {
			m.check = 0
		}
	}
	m.memoSparse[i] = v
}

func (m *machine) memoGet(i int) val {
	if i >= 0 && i < len(m.memo) && m.memo[i] != 0 {
		return m.memo[i]
	}
	return m.memoSparse[i]
}

func indexNewline(b []byte) int { return bytes.IndexByte(b, '\n') }
