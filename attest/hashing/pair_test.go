package hashing_test

import (
	"crypto/sha256"
	"testing"

	"lukechampine.com/blake3"
	"pgregory.net/rapid"

	"bartizan/attest/hashing"
)

func TestPair(t *testing.T) {
	pair := hashing.NewPair()
	rapid.Check(t, func(t *rapid.T) {
		pair.Reset()
		var a, b []byte
		for range rapid.IntRange(0, 5).Draw(t, "writes") {
			n, more := rapid.IntRange(0, 1000).Draw(t, "a"), rapid.IntRange(0, 1000).Draw(t, "b")
			if rapid.Bool().Draw(t, "alike") {
				n, more = 64*n, 64*n
			}
			p, q := filled(n, byte(len(a))), filled(more, byte(len(b)+1))
			pair.Write(p, q)
			a, b = append(a, p...), append(b, q...)
		}
		if first, second := pair.Sums(); first != sha256.Sum256(a) || second != sha256.Sum256(b) {
			t.Fatalf("%d and %d bytes have other digests", len(a), len(b))
		}
	})
}

func TestTree(t *testing.T) {
	for _, size := range []int{
		0, 1, 1024, 1025, hashing.StepSize - 1, hashing.StepSize, hashing.StepSize + 1,
		hashing.ChunkSize - 1, hashing.ChunkSize, hashing.ChunkSize + 1, 3*hashing.ChunkSize + 5,
	} {
		data := filled(size, 7)
		whole := make([][32]byte, hashing.Groups(int64(size)))
		fill := hashing.NewTree(0, int64(size), whole)
		write(fill, data)
		if hashing.RootOf(whole) != blake3.Sum256(data) {
			t.Errorf("%d bytes have another digest", size)
		}
		for i := range whole {
			var one [1][32]byte
			at := i * hashing.ChunkSize
			write(hashing.NewTree(int64(at), int64(size), one[:]), data[at:min(at+hashing.ChunkSize, size)])
			if one[0] != whole[i] {
				t.Errorf("%d bytes: group %d on its own has another value", size, i)
			}
		}
	}
}

func write(tree *hashing.Tree, data []byte) {
	for at := 0; at < len(data); at += hashing.StepSize {
		tree.Write(data[at:min(at+hashing.StepSize, len(data))])
	}
	tree.End()
}

func filled(n int, seed byte) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i*i>>3) + byte(i>>10) + seed
	}
	return out
}
