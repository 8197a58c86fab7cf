package hashing

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// bufferSize is what is read at a time: it fits the second-level cache of one
// core together with what the digest needs, and divides ChunkSize.
const bufferSize = 128 << 10

// pread reads the bytes from start to before end into buf, again and again, and
// gives every filled buffer to use; only the last is not full. A file that ends
// early is OMS_FILE_CHANGED.
func pread(ctx context.Context, fd int, name string, start, end int64, buf []byte, use func([]byte)) error {
	for at := start; at < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := buf[:min(int64(len(buf)), end-at)]
		if err := fill(fd, name, p, at); err != nil {
			return err
		}
		use(p)
		at += int64(len(p))
	}
	return nil
}

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
