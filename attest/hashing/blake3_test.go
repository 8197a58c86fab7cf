package hashing_test

import (
	"fmt"
	"testing"

	zeebo "github.com/zeebo/blake3"
	"lukechampine.com/blake3"
	"pgregory.net/rapid"

	"bartizan/attest/hashing"
)

// pattern is the input of the official test vectors: 0, 1, … 250, 0, 1, …
func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}

func chunksOf(data []byte) [][32]byte {
	n := hashing.Groups(int64(len(data)))
	var out [][32]byte
	for i := range n {
		out = append(out, hashing.ChunkCV(data[i*hashing.ChunkSize:min((i+1)*hashing.ChunkSize, len(data))], uint64(i), n == 1))
	}
	return out
}

func checkTree(t rapid.TB, data []byte) {
	t.Helper()
	got := hashing.RootOf(chunksOf(data))
	if want := zeebo.Sum256(data); got != want {
		t.Fatalf("%d bytes: %x, zeebo says %x", len(data), got, want)
	}
	if want := blake3.Sum256(data); got != want {
		t.Fatalf("%d bytes: %x, lukechampine says %x", len(data), got, want)
	}
}

// The lengths of the official test vectors, and those around every border of
// this package: chunks, lanes, buffers, groups, and powers of groups.
func TestTreeIsBLAKE3(t *testing.T) {
	sizes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2048, 2049, 3072, 3073, 4096, 4097, 5120, 5121, 6144, 6145, 7168, 7169, 8192, 8193, 16384, 31744, 102400}
	for _, border := range []int{16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 20, 7 << 20, 8 << 20, 9 << 20} {
		for _, d := range []int{-1025, -1024, -1023, -1, 0, 1, 1023, 1024, 1025} {
			sizes = append(sizes, border+d)
		}
	}
	data := pattern(9<<20 + 2048)
	for _, n := range sizes {
		checkTree(t, data[:n])
	}
}

func TestTreeIsBLAKE3ForAnySize(t *testing.T) {
	data := pattern(5 << 20)
	rapid.Check(t, func(t *rapid.T) {
		checkTree(t, data[:rapid.IntRange(0, len(data)).Draw(t, "size")])
	})
}

// The digests that the BLAKE3 team publishes (test_vectors.json): of nothing and
// of one byte.
func TestKnownDigests(t *testing.T) {
	for n, want := range map[int]string{
		0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
		1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
	} {
		if got := fmt.Sprintf("%x", hashing.RootOf(chunksOf(pattern(n)))); got != want {
			t.Errorf("%d bytes: %s, published is %s", n, got, want)
		}
	}
}
