package load

import (
	"bytes"
	"crypto/sha256"
	"hash"

	"golang.org/x/crypto/blake2b"

	"bartizan/attest"
	"bartizan/attest/hashing"
)

// step is how much a digester is given at a time.
const step = hashing.StepSize

// digester goes through the bytes of one unit, step by step, and holds their
// digest against that of the unit.
type digester struct {
	unit   *unit
	stream hash.Hash // nil where the digest is a tree
	tree   *hashing.Tree
	groups [][32]byte // of the tree
}

func (u *unit) digester() (*digester, error) {
	d := &digester{unit: u}
	switch {
	case u.chunk:
		d.groups = make([][32]byte, 1)
		d.tree = hashing.NewTree(u.start, u.whole, d.groups)
	case u.algorithm == hashing.BLAKE3:
		size := u.end - u.start
		d.groups = make([][32]byte, hashing.Groups(size))
		d.tree = hashing.NewTree(0, size, d.groups)
	default:
		var err error
		d.stream, err = newHash(u.algorithm)
		return d, err
	}
	return d, nil
}

// write takes one step; only the last of the unit may be shorter.
func (d *digester) write(data []byte) {
	if d.stream != nil {
		d.stream.Write(data)
		return
	}
	d.tree.Write(data)
}

// proves ends it. The chaining value of the only chunk of a file is its root.
func (d *digester) proves() bool {
	if d.stream != nil {
		return bytes.Equal(d.stream.Sum(nil), d.unit.digest)
	}
	d.tree.End()
	return d.unit.isRoot(d.groups)
}

// isRoot says whether the chaining values make the unit's BLAKE3 digest.
func (u *unit) isRoot(groups [][32]byte) bool {
	root := hashing.RootOf(groups)
	return bytes.Equal(root[:], u.digest)
}

// newHash gives the digest of a range, other than BLAKE3. BLAKE2b is the 64-byte
// digest without a key (RFC 7693), as OpenSSF Model Signing has it.
func newHash(a hashing.Algorithm) (hash.Hash, error) {
	switch a {
	case hashing.SHA256:
		return sha256.New(), nil
	case hashing.BLAKE2b:
		return blake2b.New512(nil)
	}
	return nil, attest.Refuse(attest.OMSAlgorithm, "", "%q", string(a))
}

// groupsOf gives the chaining values of data, which begins at group first of a
// range of size bytes, with a whole number of groups before it.
func groupsOf(out [][32]byte, data []byte, first int, size int64) {
	for i := 0; i == 0 || len(data) > 0; i++ {
		n := min(len(data), hashing.ChunkSize)
		out[first+i] = hashing.ChunkCV(data[:n], uint64(first+i), size <= hashing.ChunkSize)
		data = data[n:]
	}
}
