// Package merkle keeps a multiset of 32-byte digests as a Merkle tree over its
// distinct members in ascending order, so that presence and absence of one
// member can be proven to somebody who knows the root and the size alone.
//
// The tree is that of RFC 6962, section 2.1 (SHA-256, leaves hashed behind 0x00
// and inner nodes behind 0x01, so that neither passes for the other); leaf i is
//
//	digest of the i-th member (32 bytes) | how often it occurs (uint64, big endian)
//
// Presence is the inclusion of one leaf. Absence is the inclusion of the two
// leaves at neighbouring indices between which the digest would have to stand,
// or of the first or last leaf where it would stand beyond them.
//
// What a root does not show: that whoever made it kept the order. A tree with
// unsorted leaves can deny a member that it holds. A verifier of proofs trusts
// the maker of the root for that, as for the content; whoever has the data
// computes the root anew and sees.
package merkle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
)

// Hash is a digest, of a member or of a node.
type Hash = [sha256.Size]byte

// Tree holds the members (32 bytes each, and 16 for each that occurs more than
// once) and the hashes of whole subtrees of blockLeaves leaves.
type Tree struct {
	members []Hash
	repeats []repeat
	total   uint64
	blocks  []Hash
}

// repeat is a member that occurs more than once.
type repeat struct {
	at    int
	count uint64
}

// blockLeaves is how many leaves one stored subtree has: a power of two.
const blockLeaves = 1 << 10

// New makes the tree of digests, which it sorts in place and keeps. It takes
// time n log n on all processors.
func New(digests []Hash) *Tree {
	t := &Tree{total: uint64(len(digests))}
	sortHashes(digests)
	t.members = t.unique(digests)
	t.hashBlocks()
	return t
}

// unique moves the distinct digests to the front.
func (t *Tree) unique(sorted []Hash) []Hash {
	n := 0
	for i := 0; i < len(sorted); {
		end := i + 1
		for end < len(sorted) && sorted[end] == sorted[i] {
			end++
		}
		if end-i > 1 {
			t.repeats = append(t.repeats, repeat{at: n, count: uint64(end - i)})
		}
		sorted[n] = sorted[i]
		n++
		i = end
	}
	return sorted[:n]
}

// Total is the number of members with repetitions.
func (t *Tree) Total() uint64 { return t.total }

// Distinct is the number of distinct members: the size of the tree.
func (t *Tree) Distinct() uint64 { return uint64(len(t.members)) }

// Root is the Merkle tree hash; that of no leaves is the SHA-256 of nothing.
func (t *Tree) Root() Hash {
	if len(t.members) == 0 {
		return sha256.Sum256(nil)
	}
	return foldBlocks(t.blocks)
}

// All gives every member with repetitions, in order, until yield says false.
func (t *Tree) All(yield func(member Hash, count uint64) bool) {
	r := 0
	for i, m := range t.members {
		count := uint64(1)
		if r < len(t.repeats) && t.repeats[r].at == i {
			count = t.repeats[r].count
			r++
		}
		if !yield(m, count) {
			return
		}
	}
}

// Find gives the index of a member, or, with false, the index at which it would stand.
func (t *Tree) Find(d Hash) (int, bool) {
	i := sort.Search(len(t.members), func(i int) bool { return bytes.Compare(t.members[i][:], d[:]) >= 0 })
	return i, i < len(t.members) && t.members[i] == d
}

// count is how often the member at an index occurs.
func (t *Tree) count(i int) uint64 {
	r := t.firstRepeat(i)
	if r < len(t.repeats) && t.repeats[r].at == i {
		return t.repeats[r].count
	}
	return 1
}

func (t *Tree) firstRepeat(i int) int {
	return sort.Search(len(t.repeats), func(r int) bool { return t.repeats[r].at >= i })
}

// hashBlocks hashes every run of blockLeaves leaves.
func (t *Tree) hashBlocks() {
	t.blocks = make([]Hash, (len(t.members)+blockLeaves-1)/blockLeaves)
	parallel(len(t.blocks), func(b int) {
		t.blocks[b] = t.hashRange(b*blockLeaves, min((b+1)*blockLeaves, len(t.members)))
	})
}

// hashRange is the tree hash of the leaves from lo up to hi, at least one.
func (t *Tree) hashRange(lo, hi int) Hash {
	var f fold
	r := t.firstRepeat(lo)
	for i := lo; i < hi; i++ {
		count := uint64(1)
		if r < len(t.repeats) && t.repeats[r].at == i {
			count = t.repeats[r].count
			r++
		}
		f.add(leafHash(t.members[i], count))
	}
	return f.root()
}

func foldBlocks(hashes []Hash) Hash {
	var f fold
	for _, h := range hashes {
		f.add(h)
	}
	return f.root()
}

// fold computes a tree hash from its leaves in order: stack holds the roots of
// the perfect subtrees so far, the largest first, one for each bit of n.
type fold struct {
	stack [64]Hash
	depth int
	n     uint64
}

func (f *fold) add(h Hash) {
	for range bits.TrailingZeros64(^f.n) { // as many subtrees end here as n has ones at its end
		f.depth--
		h = nodeHash(f.stack[f.depth], h)
	}
	f.stack[f.depth] = h
	f.depth++
	f.n++
}

func (f *fold) root() Hash {
	h := f.stack[f.depth-1]
	for i := f.depth - 2; i >= 0; i-- {
		h = nodeHash(f.stack[i], h)
	}
	return h
}

func leafHash(member Hash, count uint64) Hash {
	var b [1 + sha256.Size + 8]byte
	copy(b[1:], member[:])
	binary.BigEndian.PutUint64(b[1+sha256.Size:], count)
	return sha256.Sum256(b[:])
}

func nodeHash(left, right Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// parallel calls do for 0 to n-1 on all processors.
func parallel(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	all.Wait()
}
