package load

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"lukechampine.com/blake3"

	"bartizan/attest/hashing"
)

// TestTransferToFullDisk is for file systems where room cannot be reserved: every
// way to write gives the error of the disk, and not that of a digest.
func TestTransferToFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	defer full.Close()
	data := bytes.Repeat([]byte{7}, 20<<20+5)
	for _, size := range []int{1, block, len(data)} {
		sha, tree := sha256.Sum256(data[:size]), blake3.Sum256(data[:size])
		for a, sum := range map[hashing.Algorithm][]byte{hashing.SHA256: sha[:], hashing.BLAKE3: tree[:]} {
			p, err := newPlan(Expected{Name: "w", Size: -1, Ranges: []Range{{End: -1, Algorithm: a, Digest: sum}}}, int64(size))
			if err != nil {
				t.Fatal(err)
			}
			src, opt := bytes.NewReader(data[:size]), Options{}.withDefaults()
			if err := transfer(t.Context(), nil, src, p, opt); err != nil {
				t.Fatal(err)
			}
			if err := transfer(t.Context(), full, src, p, opt); !errors.Is(err, unix.ENOSPC) {
				t.Errorf("%s, %d bytes: %v", a, size, err)
			}
		}
	}
}
