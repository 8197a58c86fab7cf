package hashing

import (
	"crypto/sha256"
	"hash"
)

// StepSize is how much a Pair or a Tree is best given at a time: it fits the
// second-level cache of one core together with what the digest needs. Who reads
// so much and writes it right away digests what is still in the cache.
const StepSize = bufferSize

// Pair makes two SHA-256 at once, on one core and in the goroutine of whoever
// writes: where the processor can, in 1.2 times the time of one. It is for those
// who hold the bytes in memory of their own; files are for [Sum].
type Pair struct {
	first, second hash.Hash
	room          *twins // nil where this machine cannot
}

// NewPair gives one that is empty. It may be used again after Reset.
func NewPair() *Pair {
	p := &Pair{first: sha256.New(), second: sha256.New()}
	if twinsWork() {
		p.room = new(twins)
	}
	return p
}

// Write adds a to the first digest and b to the second. They are digested at once
// where both have the same length, a multiple of 64 bytes, and so had all that was
// written before; otherwise one after the other.
func (p *Pair) Write(a, b []byte) {
	if p.room != nil && p.room.digest(p.first, p.second, a, b) {
		return
	}
	p.first.Write(a)
	p.second.Write(b)
}

// Sums gives the digests of what was written.
func (p *Pair) Sums() (first, second [sha256.Size]byte) {
	p.first.Sum(first[:0])
	p.second.Sum(second[:0])
	return first, second
}

// Reset makes both digests those of nothing.
func (p *Pair) Reset() {
	p.first.Reset()
	p.second.Reset()
}

// Tree makes the chaining values of groups of BLAKE3 from bytes that come in
// order, StepSize at a time, without copying them. [ChunkCV] is for one group
// that is there as a whole.
type Tree struct{ builder builder }

// NewTree is for the bytes from start, a multiple of ChunkSize, of a file or
// range of size bytes. It puts the values of their groups, as many as there is
// room for, into groups: see [RootOf].
func NewTree(start, size int64, groups [][32]byte) *Tree {
	return &Tree{treeOf(start, size, groups)}
}

// Write takes the next StepSize bytes. Only the last of a group may be fewer, and
// only in the last group.
func (t *Tree) Write(data []byte) { t.builder.write(data) }

// End closes the last group. No bytes at all have one group too.
func (t *Tree) End() { t.builder.end() }
