package hashing

import (
	"encoding/binary"
	"math/bits"

	"lukechampine.com/blake3/guts"
)

// ChunkSize is the leaf of the chunk tree that is kept: 1 MiB, which is a
// subtree of 1,024 chunks of BLAKE3. The root over these leaves is the plain
// BLAKE3 digest of the file, so that one tree serves both.
const ChunkSize = 1 << 20

const (
	chunksPerGroup = ChunkSize / guts.ChunkSize
	lane           = guts.MaxSIMD * guts.ChunkSize // what one call digests
)

// ChunkCV is the chaining value of the 1 MiB group number index of a file; data
// is the group, shorter than ChunkSize only where it is the last. only says that
// the file has no other group: the value is then the BLAKE3 digest of the file.
//
// To check a group against a signed digest, put the value in its place among the
// stored ones, of which a file of size n has Groups(n), and fold with RootOf.
func ChunkCV(data []byte, index uint64, only bool) [32]byte {
	n := subtree(data, index*chunksPerGroup)
	if only {
		n.Flags |= guts.FlagRoot
	}
	return toBytes(guts.ChainingValue(n))
}

// RootOf folds the chaining values of all groups of a file, in order, to its
// BLAKE3 digest. One value is the digest itself, made with only; of none it is
// the digest of an empty file.
func RootOf(chunks [][32]byte) [32]byte {
	switch len(chunks) {
	case 0:
		return ChunkCV(nil, 0, true)
	case 1:
		return chunks[0]
	}
	return fold(chunks, guts.FlagRoot)
}

// Groups is how many groups a file of so many bytes has; an empty file has one.
func Groups(size int64) int {
	return int(max(1, (size-1)/ChunkSize+1))
}

// fold combines the values of equally large subtrees, a power of two of chunks
// each but for the last, to that of their tree: the left side of every parent is
// the largest power of two that leaves something for the right (BLAKE3 paper,
// section 2.1). The flags go to the topmost parent; one value is its own tree.
func fold(cvs [][32]byte, flags uint32) [32]byte {
	if len(cvs) == 1 {
		return cvs[0]
	}
	left := 1 << (bits.Len(uint(len(cvs)-1)) - 1)
	l, r := fold(cvs[:left], 0), fold(cvs[left:], 0)
	return toBytes(guts.ChainingValue(guts.ParentNode(toWords(l), toWords(r), &guts.IV, flags)))
}

// subtree gives the topmost node of the tree over data, at most a group, whose
// first chunk has the number counter.
func subtree(data []byte, counter uint64) guts.Node {
	var stack [bits.UintSize][8]uint32 // one value for each bit of done
	var done uint64                    // lanes in the stack
	for ; len(data) > lane; data = data[lane:] {
		cv := guts.ChainingValue(guts.CompressBuffer((*[lane]byte)(data), lane, &guts.IV, counter, 0))
		height := 0
		for ; done&(1<<height) != 0; height++ {
			cv = guts.ChainingValue(guts.ParentNode(stack[height], cv, &guts.IV, 0))
		}
		stack[height] = cv
		done++
		counter += guts.MaxSIMD
	}
	node := last(data, counter)
	for height := range stack {
		if done&(1<<height) != 0 {
			node = guts.ParentNode(stack[height], guts.ChainingValue(node), &guts.IV, 0)
		}
	}
	return node
}

// last is the node of up to a lane of data. The library reads whole lanes.
func last(data []byte, counter uint64) guts.Node {
	if len(data) == lane {
		return guts.CompressBuffer((*[lane]byte)(data), lane, &guts.IV, counter, 0)
	}
	if len(data) <= guts.ChunkSize {
		return guts.CompressChunk(data, &guts.IV, counter, 0)
	}
	var buf [lane]byte
	copy(buf[:], data)
	return guts.CompressBuffer(&buf, len(data), &guts.IV, counter, 0)
}

func toBytes(cv [8]uint32) (b [32]byte) {
	for i, w := range cv {
		binary.LittleEndian.PutUint32(b[4*i:], w)
	}
	return b
}

func toWords(b [32]byte) (cv [8]uint32) {
	for i := range cv {
		cv[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return cv
}
