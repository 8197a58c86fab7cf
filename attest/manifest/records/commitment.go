package records

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"bartizan/attest/manifest/merkle"
)

// Shape is a format with what stands around its records.
type Shape struct {
	Format Format `json:"format"`
	Around []byte `json:"around"` // base64 in JSON
}

// Digest is that of [ShapeOf].
func (s Shape) Digest() Digest { return ShapeOf(s.Format, s.Around) }

// Commitment is what a root commits to, of one file or of many.
type Commitment struct {
	Shapes   []Digest // ascending, each once
	Salt     Digest   // its ID, or zero
	Count    uint64   // records
	Distinct uint64   // the size of the tree
	Tree     Digest   // its root
}

// Root is the digest that stands in manifests:
//
//	SHA-256( "bartizan.records/v1" | 0x00 | number of shapes | shapes | salt | count | distinct | tree )
//
// with numbers as big endian uint64. Because the size is in it, a verifier who
// knows the root alone cannot be given the proof of another size; because the
// shapes are, a record cannot be read as another format or under another header.
func (c *Commitment) Root() Digest {
	b := append([]byte("bartizan.records/v1\x00"), bigEndian(uint64(len(c.Shapes)))...)
	for _, s := range c.Shapes {
		b = append(b, s[:]...)
	}
	b = append(b, c.Salt[:]...)
	b = append(b, bigEndian(c.Count)...)
	b = append(b, bigEndian(c.Distinct)...)
	return sha256.Sum256(append(b, c.Tree[:]...))
}

func bigEndian(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// Commit makes the commitment of one tree. Shapes may be in any order and
// repeated.
func Commit(t *merkle.Tree, shapes []Shape, salt *Salt) *Commitment {
	c := &Commitment{Salt: salt.ID(), Count: t.Total(), Distinct: t.Distinct(), Tree: t.Root()}
	for _, s := range shapes {
		c.Shapes = append(c.Shapes, s.Digest())
	}
	slices.SortFunc(c.Shapes, compare)
	c.Shapes = slices.Compact(c.Shapes)
	return c
}

func compare(a, b Digest) int { return bytes.Compare(a[:], b[:]) }

// Set is the records of one file or of a whole dataset, as proofs are made of.
type Set struct {
	Shapes []Shape // in the order of their digests, each once
	Tree   *merkle.Tree
	Salt   *Salt
}

// NewSet joins files, which are read with the same salt. One file's tree is
// used as it is; of several a tree over the records of all is made, for another
// 32 bytes a record.
func NewSet(files []*File, salt *Salt) *Set {
	s := &Set{Salt: salt}
	var trees []*merkle.Tree
	for _, f := range files {
		s.Shapes = append(s.Shapes, Shape{f.Format, f.Around})
		trees = append(trees, f.Tree)
	}
	slices.SortFunc(s.Shapes, func(a, b Shape) int { return compare(a.Digest(), b.Digest()) })
	s.Shapes = slices.CompactFunc(s.Shapes, func(a, b Shape) bool { return a.Digest() == b.Digest() })
	if len(files) == 1 {
		s.Tree = files[0].Tree
		return s
	}
	s.Tree = merkle.Union(trees...)
	return s
}

// Commit makes the commitment of the set.
func (s *Set) Commit() *Commitment { return Commit(s.Tree, s.Shapes, s.Salt) }

// errSalt says that the salt given is not the one of the root.
var errSalt = errors.New("the salt is not the one that the root was made with")
