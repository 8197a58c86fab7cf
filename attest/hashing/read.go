package hashing

import (
	"errors"

	"golang.org/x/sys/unix"
)

// bufferSize is what is read at a time: it fits the second-level cache of one
// core together with what the digest needs, and divides ChunkSize.
const bufferSize = 128 << 10

// fill reads all of p from the offset.
func fill(fd int, name string, p []byte, at int64) error {
	for n := 0; n < len(p); {
		got, err := unix.Pread(fd, p[n:], at+int64(n))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return reading(name, err)
		case got == 0:
			return ended(name, at+int64(n))
		default:
			n += got
		}
	}
	return nil
}
