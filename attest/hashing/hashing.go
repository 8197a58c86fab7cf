// Package hashing digests many files, and ranges of files, in parallel: SHA-256,
// BLAKE2b and BLAKE3, and the BLAKE3 chunk tree by which any megabyte of a file
// can be checked without the rest of it.
//
// A digest is given out only where the file was the same before and after its
// bytes were read: device, inode, size, and the times of its last change equal
// those of the entry that the walk saw. Otherwise it is OMS_FILE_CHANGED. What
// this cannot see is a writer who holds a shared mapping of the file that was
// dirty already, and two changes within one tick of the file system's clock;
// who loads the bytes later checks them as they are handed over (attest/load).
//
// Files are read with pread(2) into buffers that fit the second-level cache, not
// mapped: a mapping ends the program when somebody truncates the file.
package hashing

import (
	"fmt"
	"runtime"

	"bartizan/attest"
	"bartizan/attest/tree"
)

// Algorithm names a digest as OpenSSF Model Signing names it.
type Algorithm string

// The digests of OpenSSF Model Signing v1.0.
const (
	SHA256  Algorithm = "sha256"  // FIPS 180-4, 32 bytes
	BLAKE2b Algorithm = "blake2b" // RFC 7693 without key, 64 bytes
	BLAKE3  Algorithm = "blake3"  // the BLAKE3 paper (O'Connor and others, 2020), 32 bytes
)

// Size is the length of a digest in bytes; 0 where the algorithm is unknown.
func (a Algorithm) Size() int {
	switch a {
	case SHA256, BLAKE3:
		return 32
	case BLAKE2b:
		return 64
	}
	return 0
}

// ParseAlgorithm takes the three names in exactly this form; any other is
// refused with OMS_ALGORITHM.
func ParseAlgorithm(name string) (Algorithm, error) {
	a := Algorithm(name)
	return a, a.check()
}

func (a Algorithm) check() error {
	if a.Size() == 0 {
		return attest.Refuse(attest.OMSAlgorithm, "", "digests are sha256, blake2b or blake3, not %.40q", string(a))
	}
	return nil
}

// Unit is a file or a range of it: the bytes from Start to before End.
type Unit struct {
	Entry      tree.Entry
	Start, End int64
}

// Whole is the unit of a whole file.
func Whole(e tree.Entry) Unit { return Unit{Entry: e, End: e.Size} }

func (u Unit) check() error {
	if u.Start < 0 || u.End < u.Start || u.End > u.Entry.Size {
		return attest.Refuse(attest.OMSShardsInvalid, tree.Show(u.Entry.Name),
			"bytes %d to %d are no range of a file of %d", u.Start, u.End, u.Entry.Size)
	}
	return nil
}

// Options says how to digest.
type Options struct {
	// Algorithm is for Sum; Files always gives SHA-256 and BLAKE3.
	Algorithm Algorithm
	// Workers read and digest at the same time; 0 means one for each processor.
	Workers int
	// Progress is told the bytes digested since it was last told. It is called
	// from the workers, never twice at once; it may be nil.
	Progress func(bytes int64)
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return min(o.Workers, 256)
	}
	return runtime.GOMAXPROCS(0)
}

func ended(name string, at int64) error {
	return attest.Refuse(attest.OMSFileChanged, tree.Show(name), "the file ended early, at byte %d", at)
}

func reading(name string, err error) error {
	return fmt.Errorf("read %s: %w", tree.Show(name), err)
}
