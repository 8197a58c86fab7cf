package input

// DefaultLive is how many bytes of unpacked members and decoder windows one
// subject may hold in memory at a time, over all levels of nesting. It is the
// larger part of the 64 MiB that a scan may be resident above its start.
const DefaultLive = 36 << 20

// lenders is how many returned buffers are kept for reuse.
const lenders = 4

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
	best := -1
	for i, f := range m.free {
		if int64(cap(f)) >= n && int64(cap(f)) <= 16*max(n, 64<<10) && (best < 0 || cap(f) < cap(m.free[best])) {
			best = i
		}
	}
	if best >= 0 {
		buf := m.free[best]
		m.drop(best)
		return buf[:0], true
	}
	for m.held+n > m.live && len(m.free) > 0 {
		m.held -= int64(cap(m.free[0]))
		m.drop(0)
	}
	if m.held+n > m.live {
		return nil, false
	}
	buf := make([]byte, 0, n)
	m.held += int64(cap(buf))
	return buf, true
}

// GiveBack returns a lent buffer, whose bytes may be overwritten from then on.
func (b *Budget) GiveBack(buf []byte) {
	if cap(buf) == 0 {
		return
	}
	m := &b.memory
	m.free = append(m.free, buf[:0])
	for len(m.free) > lenders {
		m.held -= int64(cap(m.free[0]))
		m.drop(0)
	}
}

// Hold counts n bytes that a decoder allocates by itself as live; false means
// that they do not fit and must not be allocated. Release undoes it.
func (b *Budget) Hold(n int64) bool {
	m := &b.memory
	if n < 0 || n > m.live {
		return false
	}
	for m.held+n > m.live && len(m.free) > 0 {
		m.held -= int64(cap(m.free[0]))
		m.drop(0)
	}
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

// class rounds a larger size up to one of few, where that fits into left, so
// that returned buffers fit the next loan and less garbage waits for collection.
func class(n, left int64) int64 {
	if n <= 64<<10 {
		return n
	}
	for _, c := range [...]int64{256 << 10, 1 << 20, 4 << 20, 12 << 20, 24 << 20} {
		if n <= c && c <= left {
			return c
		}
	}
	return n
}

func (m *memory) drop(i int) {
	last := len(m.free) - 1
	m.free[i] = m.free[last]
	m.free[last] = nil
	m.free = m.free[:last]
}
