package hashing

import "github.com/klauspost/cpuid/v2"

func haveTwins() bool { return cpuid.CPU.Supports(cpuid.SHA, cpuid.SSSE3, cpuid.SSE4) }

// block2 digests as many whole blocks of p into a as of q into b; both have the
// same length.
func block2(a, b *[8]uint32, p, q []byte) {
	if n := min(len(p), len(q)) / blockSize; n > 0 {
		twinBlocks(a, b, &p[0], &q[0], n)
	}
}

//go:noescape
func twinBlocks(a, b *[8]uint32, p, q *byte, blocks int)
