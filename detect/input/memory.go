package input

// DefaultLive is how many bytes of unpacked members and decoder windows one
// subject may hold in memory at a time, over all levels of nesting. It is the
// larger part of the 64 MiB that a scan may be resident above its start.
const DefaultLive = 36 << 20

// lenders is how many returned buffers are kept for reuse, the largest ones.
const lenders = 8

// memory is what a budget knows of lent buffers. All capacities count, lent
// ones and those kept for reuse, since both are resident.
type memory struct {
	live int64
	held int64
	free [][]byte
}

// Lend gives a buffer of length 0 and a capacity of at least n, or false where
// the subject's live memory does not allow it. GiveBack ends the loan.
func (b *Budget) Lend(n int64) ([]byte, bool) {
	if n < 0 || n > b.memory.live {
		return nil, false
	}
	m := &b.memory
	n = class(n, m.live-m.held+m.spare())
	if i := m.fitting(n, max(3*n, 1<<20)); i >= 0 {
		return m.take(i), true
	}
	if m.held+n > m.live {
		// Rather a buffer that is far too large than garbage.
		if i := m.fitting(n, m.live); i >= 0 {
			return m.take(i), true
		}
	}
	m.evict(n)
	if m.held+n > m.live {
		return nil, false
	}
	buf := make([]byte, 0, n)
	m.held += int64(cap(buf))
	return buf, true
}

// LendMost gives a buffer of n bytes or, where that does not fit, of the largest
// class that does and is larger than least.
func (b *Budget) LendMost(n, least int64) ([]byte, bool) {
	if buf, ok := b.Lend(n); ok {
		return buf, true
	}
	left := b.LiveLeft()
	for i := len(classes) - 1; i >= 0; i-- {
		if c := classes[i]; c > least && c <= left && c < n {
			return b.Lend(c)
		}
	}
	return nil, false
}

// GiveBack returns a lent buffer, whose bytes may be overwritten from then on.
func (b *Budget) GiveBack(buf []byte) {
	if cap(buf) == 0 {
		return
	}
	m := &b.memory
	m.free = append(m.free, buf[:0])
	if len(m.free) > lenders {
		m.held -= int64(cap(m.take(m.fitting(0, m.live))))
	}
}

// Hold counts n bytes that a decoder allocates by itself as live; false means
// that they do not fit and must not be allocated. Release undoes it.
func (b *Budget) Hold(n int64) bool {
	m := &b.memory
	if n < 0 || n > m.live {
		return false
	}
	m.evict(n)
	if m.held+n > m.live {
		return false
	}
	m.held += n
	return true
}

// Release ends a Hold of n bytes.
func (b *Budget) Release(n int64) { b.memory.held -= n }

// LiveLeft is how many bytes may still be lent or held.
func (b *Budget) LiveLeft() int64 {
	return max(b.memory.live-b.memory.held+b.memory.spare(), 0)
}

// spare is what lies ready for reuse.
func (m *memory) spare() (n int64) {
	for _, f := range m.free {
		n += int64(cap(f))
	}
	return n
}

// classes are the capacities of larger buffers.
var classes = [...]int64{256 << 10, 1 << 20, 4 << 20, 12 << 20, 24 << 20}

// class rounds a larger size up to one of few, where that fits into left, so
// that returned buffers fit the next loan and less garbage waits for collection.
func class(n, left int64) int64 {
	if n <= 64<<10 {
		return n
	}
	for _, c := range classes {
		if n <= c && c <= left {
			return c
		}
	}
	return n
}

// fitting is the smallest buffer for reuse of a capacity from n to most, or -1.
func (m *memory) fitting(n, most int64) int {
	best := -1
	for i, f := range m.free {
		if c := int64(cap(f)); c >= n && c <= most && (best < 0 || cap(f) < cap(m.free[best])) {
			best = i
		}
	}
	return best
}

// evict lets go of buffers for reuse until n more bytes fit.
func (m *memory) evict(n int64) {
	for m.held+n > m.live && len(m.free) > 0 {
		m.held -= int64(cap(m.free[0]))
		m.take(0)
	}
}

// take removes a buffer from those for reuse.
func (m *memory) take(i int) []byte {
	buf := m.free[i]
	last := len(m.free) - 1
	m.free[i], m.free[last] = m.free[last], nil
	m.free = m.free[:last]
	return buf[:0]
}
