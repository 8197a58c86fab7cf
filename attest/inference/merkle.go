package inference

import (
	"crypto/sha256"
	"hash"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// node is a hash in the tree.
type node = [sha256.Size]byte

// merkle computes RFC 6962 hashes without allocating; the zero value is not ready.
type merkle struct{ h hash.Hash }

func newMerkle() merkle { return merkle{sha256.New()} }

// leaf is the hash of a record: SHA-256 of a zero byte and its canonical bytes.
func (m merkle) leaf(record []byte) (out node) {
	m.h.Reset()
	m.h.Write([]byte{rfc6962.RFC6962LeafHashPrefix})
	m.h.Write(record)
	m.h.Sum(out[:0])
	return out
}

func (m merkle) parent(left, right node) (out node) {
	m.h.Reset()
	m.h.Write([]byte{rfc6962.RFC6962NodeHashPrefix})
	m.h.Write(left[:])
	m.h.Write(right[:])
	m.h.Sum(out[:0])
	return out
}

// level replaces the nodes of one level by those of the next. A last one
// without a sibling moves up as it is: the tree of RFC 6962, section 2.1.
func (m merkle) level(nodes []node) []node {
	n := 0
	for i := 0; i < len(nodes); i += 2 {
		if i+1 < len(nodes) {
			nodes[n] = m.parent(nodes[i], nodes[i+1])
		} else {
			nodes[n] = nodes[i]
		}
		n++
	}
	return nodes[:n]
}

// root folds the leaves, which are overwritten.
func (m merkle) root(leaves []node) node {
	if len(leaves) == 0 {
		return sha256.Sum256(nil)
	}
	for len(leaves) > 1 {
		leaves = m.level(leaves)
	}
	return leaves[0]
}

// path gives the inclusion proof of a leaf, from the bottom. The leaves are
// overwritten.
func (m merkle) path(leaves []node, index int) [][]byte {
	var out [][]byte
	for len(leaves) > 1 {
		if sibling := index ^ 1; sibling < len(leaves) {
			out = append(out, append([]byte(nil), leaves[sibling][:]...))
		}
		leaves = m.level(leaves)
		index /= 2
	}
	return out
}

// included says whether the proof shows that the leaf is at index in a tree of
// size leaves with this root.
func included(index, size int, leaf node, hashes [][]byte, root node) bool {
	return proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(size), leaf[:], hashes, root[:]) == nil
}
