package keyless

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"

	zeebo "github.com/zeebo/blake3"

	"bartizan/attest/hashing"
)

// What is written in pieces has the digest that other code gives to the whole,
// around the borders of groups.
func TestBLAKE3OfAStream(t *testing.T) {
	data := make([]byte, 3*hashing.ChunkSize+1)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for _, n := range []int{0, 1, hashing.ChunkSize - 1, hashing.ChunkSize, hashing.ChunkSize + 1, 2 * hashing.ChunkSize, len(data)} {
		d, err := fileDigests(context.Background(), bytes.NewReader(data[:n]), map[string]bool{"blake3": true, "unheard": true})
		if err != nil {
			t.Fatal(err)
		}
		want := zeebo.Sum256(data[:n])
		if d["blake3"] != hex.EncodeToString(want[:]) || len(d) != 2 {
			t.Errorf("%d bytes: %v", n, d)
		}
	}
}
