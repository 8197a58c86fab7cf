package hashing

import (
	"crypto/fips140"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
)

// The SHA instructions of x86 wait for each other: one digest leaves the unit
// idle for nearly half of the time. Two digests of two files, their rounds
// interleaved, take 1.2 times as long as one. Only whole buffers of two files
// are digested so; state, padding and everything else stay with crypto/sha256,
// whose marshalled state goes in and comes out.
const (
	stateAt   = 4  // after the magic "sha\x03": eight words, big endian
	bufferAt  = 36 // then the block that is not full
	lengthAt  = 100
	stateSize = 108
	blockSize = 64
)

// twinsWork says that there are the instructions, that nobody demands the
// validated module, and that a known answer comes out right on this machine.
func twinsWork() bool {
	return haveTwins() && !fips140.Enabled() && knownAnswer()
}

func knownAnswer() bool {
	var p, q [2 * blockSize]byte
	for i := range p {
		p[i], q[i] = byte(i), byte(255-i)
	}
	a, b := sha256.New(), sha256.New()
	return new(twins).digest(a, b, p[:], q[:]) &&
		[sha256.Size]byte(a.Sum(nil)) == sha256.Sum256(p[:]) && [sha256.Size]byte(b.Sum(nil)) == sha256.Sum256(q[:])
}

// twins is the room to digest two at once.
type twins struct{ a, b, before sha }

// write feeds the buffers of two strands to their digests, at once where both
// have the same number of whole blocks.
func (t *twins) write(a, b *strand) {
	if !a.live || !b.live || len(a.data) != len(b.data) || !t.digest(a.stream, b.stream, a.data, b.data) {
		a.write()
		b.write()
		return
	}
	a.writeTree()
	b.writeTree()
}

// digest writes p to a and q to b, both crypto/sha256 at a border of blocks.
// False means that it did nothing.
func (t *twins) digest(a, b hash.Hash, p, q []byte) bool {
	if len(p) == 0 || len(p) != len(q) || len(p)%blockSize != 0 || !t.a.take(a) || !t.b.take(b) {
		return false
	}
	t.before = t.a
	block2(&t.a.words, &t.b.words, p, q)
	if !t.a.give(a, len(p)) {
		return false
	}
	if !t.b.give(b, len(q)) {
		// Never so after take; a goes back, so that both are written the usual way.
		return !t.before.give(a, 0)
	}
	return true
}

// sha is the state of a SHA-256.
type sha struct {
	words [8]uint32
	raw   [stateSize]byte
}

func (s *sha) take(h hash.Hash) bool {
	m, ok := h.(encoding.BinaryAppender)
	if !ok {
		return false
	}
	raw, err := m.AppendBinary(s.raw[:0])
	if err != nil || len(raw) != stateSize || string(raw[:stateAt]) != "sha\x03" || s.length()%blockSize != 0 {
		return false
	}
	for i := range s.words {
		s.words[i] = binary.BigEndian.Uint32(raw[stateAt+4*i:])
	}
	return true
}

func (s *sha) length() uint64 { return binary.BigEndian.Uint64(s.raw[lengthAt:]) }

func (s *sha) give(h hash.Hash, n int) bool {
	for i, w := range s.words {
		binary.BigEndian.PutUint32(s.raw[stateAt+4*i:], w)
	}
	binary.BigEndian.PutUint64(s.raw[lengthAt:], s.length()+uint64(n))
	m, ok := h.(encoding.BinaryUnmarshaler)
	return ok && m.UnmarshalBinary(s.raw[:]) == nil
}
