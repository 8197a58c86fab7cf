package pickle

// Readers differ where an opcode or a line crosses the end of a FRAME. CPython's
// C unpickler over bytes reads on in a straight line; over a file it throws the
// rest of the frame away and reads from behind it, unless the file object let it
// look ahead; the pure Python one gives up (Modules/_pickle.c _Unpickler_ReadImpl
// and _Unpickler_Readline, Lib/pickle.py _Unframer). A reading is one series of
// such decisions; the first takes the straight line everywhere.
type reading struct {
	discard []bool // at the i-th crossing, throw the frame's rest away
	// marksOnStack keeps MARKs among the values, as Python 2's pickle.py does.
	marksOnStack bool
	// keys says how memo keys given as text relate to those given as numbers.
	keys keyMode
	// through is how many STOPs to go on from with the memo as it is, as an
	// Unpickler does whose load is called again.
	through int
	// joblib skips the raw arrays that joblib.load reads from within the stream.
	joblib bool
}

// keyMode is how a reader compares memo keys.
type keyMode uint8

const (
	keysAreNumbers keyMode = iota // Python 3
	keysAreText                   // Python 2's pickle.py: "01" is not 1
	keysApart                     // Python 2's cPickle: text and numbers never meet
)

// need makes sure that n bytes can be read at pos without a crossing, and gives
// the position to read them from. ok is false where the stream ends.
func (m *machine) need(pos, n int) (int, bool) {
	for m.limit-pos < n {
		if m.limit == len(m.data) {
			return pos, false
		}
		frameEnd := m.limit
		m.limit = len(m.data)
		if pos < frameEnd {
			pos = m.cross(pos, frameEnd)
		}
	}
	return pos, true
}

// operand is need for what follows an opcode. CPython writes opcode and operand
// into the same frame, so an operand that starts behind the frame's end is odd
// even where every unpickler finds it.
func (m *machine) operand(pos, n int) (int, bool) {
	if pos == m.limit && m.limit < len(m.data) && n > 0 {
		m.nestedFrame = true
	}
	return m.need(pos, n)
}

// cross decides what happens to the rest of a frame that an operand crosses.
func (m *machine) cross(pos, frameEnd int) int {
	i := m.crossings
	m.crossings++
	if i < len(m.read.discard) && m.read.discard[i] {
		return frameEnd
	}
	return pos
}

// line gives the bytes of a text operand without its newline, and the position
// behind it. Where the stream ends without one, Lib/pickle.py and Python 2's
// readers take what is there less its last byte, and go on; others fail.
func (m *machine) line(pos int) (text []byte, next int) {
	for {
		window := m.data[min(pos, m.limit):m.limit]
		if i := indexNewline(window); i >= 0 {
			return window[:i], pos + i + 1
		}
		if m.limit == len(m.data) {
			m.soft("truncated", pos)
			text = m.data[min(pos, len(m.data)):]
			return text[:max(len(text)-1, 0)], len(m.data)
		}
		frameEnd := m.limit
		m.limit = len(m.data)
		if pos < frameEnd {
			pos = m.cross(pos, frameEnd)
		}
	}
}

// frame enters a frame of n bytes that starts at pos, and gives the position
// from which it is read.
func (m *machine) frame(pos int, n uint64) int {
	m.sawFrame = true
	if m.limit < len(m.data) {
		if pos < m.limit {
			if uint64(m.limit-pos) >= n {
				// The C unpickler finds it within what it holds already and moves
				// no boundary; the pure Python one refuses.
				m.nestedFrame = true
				return pos
			}
			m.nestedFrame = true
			pos = m.cross(pos, m.limit)
		}
		m.limit = len(m.data)
	}
	if n > uint64(len(m.data)-pos) {
		// The C unpickler fails here; the pure Python one reads what there is.
		m.shortFrame = true
		return pos
	}
	m.limit = pos + int(n)
	return pos
}
