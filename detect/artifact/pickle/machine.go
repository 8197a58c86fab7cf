package pickle

import (
	"bytes"
	"context"

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
	digest []byte // of the whole stream, once it was asked for
	looked int    // values that looks through arguments took in
	chain  int    // calls that are being evaluated within one another
	inner  int    // machines around this one
	stops  int    // STOPs that this reading went on from
	wanted int    // where the operand ends that the data cuts off
	resume int    // where to go on after one
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
	// script says that the stream is a member by whose name torch.jit loads it.
	script bool

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

// memoryLimit bounds the tables of one machine, in bytes (docs/scanning.md, Bounds).
const memoryLimit = 40 << 20

// A dense stream memoises about every tenth byte.
const (
	memoRate     = 8
	maxMemoAhead = 3 << 20
	memoKept     = 1 << 16 // entries that stay allocated from stream to stream
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
	m.data, m.read, m.digest = data, r, nil
	m.limit, m.crossings, m.check, m.forgotten = len(data), 0, 0, 0
	m.stack, m.marks, m.since, m.fence = m.stack[:0], m.marks[:0], m.since[:0], 0
	m.active, m.overwrites = 0, 0
	if cap(m.stack) > 1<<16 {
		m.stack = make([]val, 0, 1024)
	}
	m.sizeMemo(len(data))
	m.memo, m.memoCount, m.memoSparse, m.memoText = m.memo[:0], 0, nil, nil
	m.nodes.reset()
	m.values.reset()
	clear(m.consts)
	m.consts, m.folded, m.chain, m.looked = m.consts[:0], 0, 0, 0
	m.shared, m.high, m.digits, m.stops, m.buffers = 0, 0, 0, 0, false
	m.sawTextKey, m.sawNumberKey, m.stopFrame, m.wanted = false, false, 0, 0
	m.syms = m.syms[:0]
	clear(m.symIndex)
	m.proto, m.fault, m.softFault, m.err = 0, nil, nil, nil
	m.sawFrame, m.nestedFrame, m.shortFrame = false, false, false
	m.sawFence, m.sawOddKey, m.sawJoblib, m.sawOddName = false, false, false, false
}

// sizeMemo makes room for the memo of a large stream at once, and gives back what
// a larger one left.
func (m *machine) sizeMemo(n int) {
	want := min(n/memoRate, maxMemoAhead)
	switch {
	case want <= memoKept && cap(m.memo) > memoKept:
		m.memo = nil
	case want > memoKept && cap(m.memo) < want:
		m.memo = make([]val, 0, want) // untouched pages cost nothing, growing does
	}
}

func (m *machine) fail(code string, off int, detail string) {
	if m.fault == nil {
		m.fault = &fault{code, off, detail}
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
	tables := len(m.nodes.chunks)*chunkSize*24 + len(m.values.chunks)*chunkSize*8
	stacks := 8*(cap(m.stack)+len(m.memo)+cap(m.marks)) + 24*cap(m.since)
	return tables + stacks + 128*len(m.memoSparse) + 64*cap(m.consts) + m.folded
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
	sparseGap  = 1 << 12
	sparseFrom = 1 << 20
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
