package merkle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// fewHashes is where a comparison sort takes over.
const fewHashes = 128

// radixSort sorts hashes that agree in their bytes before at, by one byte after
// another. Digests are spread evenly unless they are equal, and equal ones cost
// one pass a byte at most.
func radixSort(all []Hash, at int) {
	if len(all) <= fewHashes {
		compareSort(all)
		return
	}
	if at == sha256.Size {
		return // all equal
	}
	start := 0
	for _, end := range partition(all, at) {
		radixSort(all[start:end], at+1)
		start = end
	}
}

// partition puts the hashes in order of their byte at an index, in place
// (American flag sort), and gives the end of each heap.
func partition(all []Hash, at int) (ends [256]int) {
	var next [256]int
	for i := range all {
		ends[all[i][at]]++
	}
	sum := 0
	for b, n := range ends {
		next[b] = sum
		sum += n
		ends[b] = sum
	}
	for b := range 256 {
		for next[b] < ends[b] {
			h := all[next[b]]
			for int(h[at]) != b {
				to := &next[h[at]]
				all[*to], h = h, all[*to]
				*to++
			}
			all[next[b]] = h
			next[b]++
		}
	}
	return ends
}

func compareSort(all []Hash) {
	slices.SortFunc(all, func(a, b Hash) int {
		x, y := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return bytes.Compare(a[8:], b[8:])
	})
}
