// Package input is what a detector is given: bounded bytes and a budget, never
// a path to open. Every engine under detect reads hostile bytes through it.
package input

import (
	"errors"
	"fmt"
	"io"
)

// ErrTooLarge says that bytes were asked for whole that are larger than allowed.
var ErrTooLarge = errors.New("larger than the memory budget")

// Blob is a bounded, random-access view of immutable bytes: a file, a mapped
// file, a member of an archive. The zero Blob is empty. It is safe for
// concurrent reads if its reader is.
type Blob struct {
	mem    []byte
	at     io.ReaderAt
	off    int64
	size   int64
	forget func(from, to int)
}

// FromBytes views b, which must not change while the blob is in use.
func FromBytes(b []byte) Blob { return Blob{mem: b, size: int64(len(b))} }

// FromMapped views a mapped file; forget drops pages that are not needed for now.
func FromMapped(b []byte, forget func(from, to int)) Blob {
	return Blob{mem: b, size: int64(len(b)), forget: forget}
}

// Forget says that the bytes from..to will not be needed soon. They stay readable.
func (b Blob) Forget(from, to int64) {
	if b.forget != nil {
		b.forget(int(b.off+from), int(b.off+to))
	}
}

// FromReaderAt views the first size bytes of r.
func FromReaderAt(r io.ReaderAt, size int64) Blob { return Blob{at: r, size: size} }

// Size is the number of bytes.
func (b Blob) Size() int64 { return b.size }

// Mem gives the bytes where they lie in memory already (mapped or read); ok is
// false where reading is needed.
func (b Blob) Mem() (p []byte, ok bool) { return b.mem, b.mem != nil || b.size == 0 }

// Slice views n bytes from off, cut to what there is. Negative values give
// an empty blob: lengths come from hostile headers.
func (b Blob) Slice(off, n int64) Blob {
	if off < 0 || n <= 0 || off >= b.size {
		return Blob{}
	}
	if n > b.size-off {
		n = b.size - off
	}
	if b.mem != nil {
		return Blob{mem: b.mem[off : off+n : off+n], off: b.off + off, size: n, forget: b.forget}
	}
	return Blob{at: b.at, off: b.off + off, size: n}
}

// ReadAt implements io.ReaderAt within the view.
func (b Blob) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read at offset %d: negative", off)
	}
	if off >= b.size {
		return 0, io.EOF
	}
	short := false
	if int64(len(p)) > b.size-off {
		p, short = p[:b.size-off], true
	}
	n, err := 0, error(nil)
	if b.mem != nil {
		n = copy(p, b.mem[off:])
	} else {
		n, err = b.at.ReadAt(p, b.off+off)
	}
	if err == io.EOF && n == len(p) {
		err = nil
	}
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// Bytes gives n bytes from off, without a copy where they lie in memory. It
// errs with io.ErrUnexpectedEOF where there are fewer. The result must not be changed.
func (b Blob) Bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > b.size || n > b.size-off {
		return nil, io.ErrUnexpectedEOF
	}
	if n == 0 {
		return nil, nil
	}
	if b.mem != nil {
		return b.mem[off : off+n : off+n], nil
	}
	p := make([]byte, n)
	if _, err := b.ReadAt(p, off); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return p, nil
}

// Head gives up to n first bytes.
func (b Blob) Head(n int64) ([]byte, error) { return b.Bytes(0, min(n, b.size)) }

// Tail gives up to n last bytes.
func (b Blob) Tail(n int64) ([]byte, error) { n = min(n, b.size); return b.Bytes(b.size-n, n) }

// Load gives all bytes, without a copy where they lie in memory; ErrTooLarge
// where they would have to be read and are more than limit.
func (b Blob) Load(limit int64) ([]byte, error) {
	if b.mem == nil && b.size > limit {
		return nil, fmt.Errorf("%d bytes: %w", b.size, ErrTooLarge)
	}
	return b.Bytes(0, b.size)
}

// Reader reads the blob from its start.
func (b Blob) Reader() *io.SectionReader { return io.NewSectionReader(b, 0, b.size) }
