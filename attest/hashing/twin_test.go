package hashing

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"testing"

	"pgregory.net/rapid"
)

// Two digests at once are what crypto/sha256 makes of each, whatever was written
// before and after, and whatever cannot be done at once is not done at all.
func TestTwins(t *testing.T) {
	if !twinsWork() {
		t.Skip("SKIPPED: this processor has no SHA extensions")
	}
	bytesOf := rapid.SliceOfN(rapid.Byte(), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		a, b, wantA, wantB := sha256.New(), sha256.New(), sha256.New(), sha256.New()
		for range rapid.IntRange(1, 6).Draw(t, "writes") {
			p, q := bytesOf.Draw(t, "p"), bytesOf.Draw(t, "q")
			if rapid.Bool().Draw(t, "whole blocks") {
				n := rapid.IntRange(0, 40).Draw(t, "blocks") * blockSize
				p, q = bytes.Repeat(append(p, 1), n)[:n], bytes.Repeat(append(q, 2), n)[:n]
			}
			wantA.Write(p)
			wantB.Write(q)
			if !new(twins).digest(a, b, p, q) {
				a.Write(p)
				b.Write(q)
			}
		}
		if !bytes.Equal(a.Sum(nil), wantA.Sum(nil)) || !bytes.Equal(b.Sum(nil), wantB.Sum(nil)) {
			t.Fatal("other digests")
		}
	})
}

func TestTwinsAreUsed(t *testing.T) {
	if !twinsWork() {
		t.Skip("SKIPPED: this processor has no SHA extensions")
	}
	for _, n := range []int{1, 2, 3, 16, 2048} {
		p := make([]byte, n*blockSize)
		if !new(twins).digest(sha256.New(), sha256.New(), p, p) {
			t.Errorf("%d blocks are not digested at once", n)
		}
	}
	// Another digest, and a SHA-256 in the middle of a block, are left alone.
	for _, h := range []hash.Hash{newBLAKE2b(), sha256.New224(), middle()} {
		if before := h.Sum(nil); new(twins).digest(sha256.New(), h, make([]byte, 64), make([]byte, 64)) || !bytes.Equal(before, h.Sum(nil)) {
			t.Errorf("%T is taken for a SHA-256 between blocks", h)
		}
	}
}

func middle() hash.Hash {
	h := sha256.New()
	h.Write([]byte("x"))
	return h
}

func BenchmarkTwins(b *testing.B) {
	if !twinsWork() {
		b.Skip("SKIPPED: this processor has no SHA extensions")
	}
	p, q := make([]byte, bufferSize), make([]byte, bufferSize)
	x, y := sha256.New(), sha256.New()
	b.SetBytes(2 * bufferSize)
	b.ReportAllocs()
	room := new(twins)
	for b.Loop() {
		room.digest(x, y, p, q)
	}
}
