package merkle

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Leaf is one leaf with its audit path (RFC 6962, section 2.1.1): the hashes of
// the sibling subtrees from the leaf up.
type Leaf struct {
	Index  uint64
	Member Hash
	Count  uint64
	Path   []Hash
}

// MaxPath is the length of an audit path in a tree of 2⁶³ leaves.
const MaxPath = 63

// Prove gives the leaves that show whether d is a member: one where it is; where
// it is not the neighbours between which it would stand, of which there is but
// one at either end and none in the empty tree.
func (t *Tree) Prove(d Hash) []Leaf {
	i, present := t.Find(d)
	if present {
		return []Leaf{t.Leaf(i)}
	}
	var out []Leaf
	if i > 0 {
		out = append(out, t.Leaf(i-1))
	}
	if i < t.starts[heaps] {
		out = append(out, t.Leaf(i))
	}
	return out
}

// Leaf gives the leaf at an index below Distinct, with its path.
func (t *Tree) Leaf(i int) Leaf {
	member, count := t.member(i)
	return Leaf{Index: uint64(i), Member: member, Count: count, Path: t.path(i)}
}

func (t *Tree) path(i int) []Hash {
	block := i / blockLeaves
	lo := block * blockLeaves
	hi := min(lo+blockLeaves, t.starts[heaps])
	within := auditPath(i-lo, hi-lo, func(a, b int) Hash { return t.hashRange(lo+a, lo+b) })
	above := auditPath(block, len(t.blocks), func(a, b int) Hash { return foldBlocks(t.blocks[a:b]) })
	return append(within, above...)
}

// auditPath gives the sibling hashes of leaf i of n, from the leaf up; hash
// gives the tree hash of a range.
func auditPath(i, n int, hash func(lo, hi int) Hash) []Hash {
	var down []Hash
	lo, hi := 0, n
	for hi-lo > 1 {
		split := 1
		for split*2 < hi-lo {
			split *= 2
		}
		if i < lo+split {
			down = append(down, hash(lo+split, hi))
			hi = lo + split
		} else {
			down = append(down, hash(lo, lo+split))
			lo += split
		}
	}
	for a, b := 0, len(down)-1; a < b; a, b = a+1, b-1 {
		down[a], down[b] = down[b], down[a]
	}
	return down
}

// Verify says what leaves prove about d in the tree with that size and root: how
// often it occurs, 0 for a proof of absence. An error means that they prove
// nothing. Neither size nor root may come from whoever made the proof.
func Verify(d Hash, size uint64, root Hash, leaves []Leaf) (count uint64, err error) {
	if err := shaped(d, size, leaves); err != nil {
		return 0, err
	}
	if size == 0 && root != emptyRoot() {
		return 0, errors.New("the root is not that of the empty tree")
	}
	for _, l := range leaves {
		if err := l.verify(size, root); err != nil {
			return 0, err
		}
	}
	if len(leaves) == 1 && leaves[0].Member == d {
		return leaves[0].Count, nil
	}
	return 0, nil
}

func emptyRoot() Hash { return Hash(rfc6962.DefaultHasher.EmptyRoot()) }

// shaped checks that the leaves are those that presence or absence of d needs,
// before anything is hashed.
func shaped(d Hash, size uint64, leaves []Leaf) error {
	order := func(l Leaf) int { return bytes.Compare(l.Member[:], d[:]) }
	switch {
	case size > 1<<MaxPath:
		return errors.New("no tree is that large")
	case size == 0 && len(leaves) == 0:
		return nil
	case size == 0:
		return errors.New("an empty tree has no leaves")
	case len(leaves) == 1 && order(leaves[0]) == 0:
		return nil
	case len(leaves) == 1 && order(leaves[0]) > 0 && leaves[0].Index == 0:
		return nil
	case len(leaves) == 1 && order(leaves[0]) < 0 && leaves[0].Index == size-1:
		return nil
	case len(leaves) == 1:
		return errors.New("the one leaf is neither the record's own nor the first or last beside it")
	case len(leaves) != 2:
		return fmt.Errorf("%d leaves: a proof in a tree that is not empty has one or two", len(leaves))
	case leaves[0].Index >= size-1 || leaves[0].Index+1 != leaves[1].Index:
		return errors.New("the two leaves are not neighbours")
	case order(leaves[0]) >= 0 || order(leaves[1]) <= 0:
		return errors.New("the record would not stand between the two leaves")
	}
	return nil
}

// verify checks the inclusion of the leaf.
func (l Leaf) verify(size uint64, root Hash) error {
	if l.Count == 0 {
		return errors.New("a leaf that occurs no times")
	}
	if len(l.Path) > MaxPath {
		return errors.New("an audit path longer than that of any tree")
	}
	path := make([][]byte, len(l.Path))
	for i := range l.Path {
		path[i] = l.Path[i][:]
	}
	hash := leafHash(l.Member, l.Count)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, l.Index, size, hash[:], path, root[:]); err != nil {
		return fmt.Errorf("leaf %d is not in the tree", l.Index)
	}
	return nil
}
