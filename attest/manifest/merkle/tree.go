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

// heaps is how many parts the members are kept in, by their first byte: what
// takes time is done on each apart.
const heaps = 256

// Collector gathers members in any order. The zero value is empty. It is for one
// goroutine.
type Collector struct{ heaps [heaps][]Hash }

// Add adds one member.
func (c *Collector) Add(h Hash) { c.heaps[h[0]] = append(c.heaps[h[0]], h) }

// Tree holds the members (32 bytes each, and 16 for each that occurs more than
// once) and the hashes of whole subtrees of blockLeaves leaves.
type Tree struct {
	heaps  [heaps]heap
	starts [heaps + 1]int // the index of the first member of each heap
	total  uint64
	blocks []Hash
}

// heap has the members with one first byte, sorted, each once.
type heap struct {
	members []Hash
	repeats []repeat
	total   uint64
}

// repeat is a member that occurs more than once.
type repeat struct {
	at    int // in the heap
	count uint64
}

// blockLeaves is how many leaves one stored subtree has: a power of two.
const blockLeaves = 1 << 10

// New makes the tree of all that was collected, which it takes over. It takes
// time n log n on all processors.
func New(parts ...*Collector) *Tree {
	t := &Tree{}
	parallel(heaps, func(b int) {
		var all []Hash
		for _, p := range parts {
			if all == nil {
				all = p.heaps[b]
			} else {
				all = append(all, p.heaps[b]...)
			}
			p.heaps[b] = nil
		}
		t.heaps[b] = newHeap(all)
	})
	return t.finish()
}

// Union makes the tree of the members of several, for as much memory again.
func Union(trees ...*Tree) *Tree {
	t := &Tree{}
	parallel(heaps, func(b int) {
		n := uint64(0)
		for _, other := range trees {
			n += other.heaps[b].total
		}
		all := make([]Hash, 0, n)
		for _, other := range trees {
			other.heaps[b].each(func(h Hash, count uint64) bool {
				for range count {
					all = append(all, h)
				}
				return true
			})
		}
		t.heaps[b] = newHeap(all)
	})
	return t.finish()
}

func (t *Tree) finish() *Tree {
	for b := range t.heaps {
		t.starts[b+1] = t.starts[b] + len(t.heaps[b].members)
		t.total += t.heaps[b].total
	}
	n := t.starts[heaps]
	t.blocks = make([]Hash, (n+blockLeaves-1)/blockLeaves)
	parallel(len(t.blocks), func(b int) {
		t.blocks[b] = t.hashRange(b*blockLeaves, min((b+1)*blockLeaves, n))
	})
	return t
}

// newHeap sorts digests with one first byte and moves the distinct to the front.
func newHeap(all []Hash) heap {
	radixSort(all, 1)
	h := heap{total: uint64(len(all))}
	n := 0
	for i := 0; i < len(all); {
		end := i + 1
		for end < len(all) && all[end] == all[i] {
			end++
		}
		if end-i > 1 {
			h.repeats = append(h.repeats, repeat{at: n, count: uint64(end - i)})
		}
		all[n] = all[i]
		n++
		i = end
	}
	h.members = all[:n]
	return h
}

// Total is the number of members with repetitions.
func (t *Tree) Total() uint64 { return t.total }

// Distinct is the number of distinct members: the size of the tree.
func (t *Tree) Distinct() uint64 { return uint64(t.starts[heaps]) }

// Root is the Merkle tree hash; that of no leaves is the SHA-256 of nothing.
func (t *Tree) Root() Hash {
	if len(t.blocks) == 0 {
		return sha256.Sum256(nil)
	}
	return foldBlocks(t.blocks)
}

// All gives every member with how often it occurs, in order, until yield says
// false.
func (t *Tree) All(yield func(member Hash, count uint64) bool) {
	for b := range t.heaps {
		if !t.heaps[b].each(yield) {
			return
		}
	}
}

func (h *heap) each(yield func(member Hash, count uint64) bool) bool {
	r := 0
	for i, m := range h.members {
		if !yield(m, h.countFrom(&r, i)) {
			return false
		}
	}
	return true
}

// countFrom is how often the member at i occurs; r is a place in repeats that
// goes along with ascending i.
func (h *heap) countFrom(r *int, i int) uint64 {
	if *r < len(h.repeats) && h.repeats[*r].at == i {
		*r++
		return h.repeats[*r-1].count
	}
	return 1
}

func (h *heap) firstRepeat(i int) int {
	return sort.Search(len(h.repeats), func(r int) bool { return h.repeats[r].at >= i })
}

// Find gives the index of a member, or, with false, the index at which it would stand.
func (t *Tree) Find(d Hash) (int, bool) {
	m := t.heaps[d[0]].members
	i := sort.Search(len(m), func(i int) bool { return bytes.Compare(m[i][:], d[:]) >= 0 })
	return t.starts[d[0]] + i, i < len(m) && m[i] == d
}

// heapOf gives the heap in which the member at an index lies, and where.
func (t *Tree) heapOf(i int) (b, at int) {
	b = sort.Search(heaps, func(b int) bool { return t.starts[b+1] > i })
	return b, i - t.starts[b]
}

// member gives the member at an index, and how often it occurs.
func (t *Tree) member(i int) (Hash, uint64) {
	b, at := t.heapOf(i)
	h := &t.heaps[b]
	r := h.firstRepeat(at)
	return h.members[at], h.countFrom(&r, at)
}

// hashRange is the tree hash of the leaves from lo up to hi, at least one.
func (t *Tree) hashRange(lo, hi int) Hash {
	var f fold
	b, at := t.heapOf(lo)
	for left := hi - lo; left > 0; b, at = b+1, 0 {
		h := &t.heaps[b]
		r := h.firstRepeat(at)
		end := min(len(h.members), at+left)
		left -= end - at
		for i := at; i < end; i++ {
			f.add(leafHash(h.members[i], h.countFrom(&r, i)))
		}
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
