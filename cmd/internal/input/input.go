// Package input reads the files that flags and arguments name.
package input

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens a file that a flag or argument names. A pipe may be meant
// (process substitution), and may have nobody at its other end (planted in a
// model's folder): opening never blocks, and such a pipe reads as empty. Nothing
// else is opened: a device may never end.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0 {
		err = fmt.Errorf("%s: neither a file nor a pipe", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// AtMost reads a file or pipe that is no larger than limit.
func AtMost(path string, limit int64) ([]byte, error) {
	data, err := Cut(path, limit)
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes: is this the right file?", path, limit)
	}
	return data, err
}

// Cut reads a file or pipe, and at most one byte past limit.
func Cut(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	return data, errors.Join(err, f.Close())
}
