// Package unpack decodes the compression methods of archives from hostile
// bytes. It decides nothing: every decoder is a plain reader that ends in a
// fault of one of four sorts, so that a caller can say what was not seen.
//
// Memory follows the data and never a size that a header claims: a window that
// is larger than the limit ends in ErrMemory before it is allocated.
package unpack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"bartizan/detect/input"
)

// Faults. Whatever else a decoder returns, but for io.EOF and
// io.ErrUnexpectedEOF, is damage in the bytes.
var (
	ErrMemory      = errors.New("needs more memory than the limit")
	ErrUnsupported = errors.New("method not supported")
	ErrExpand      = errors.New("unpacks to more than the budget")
	ErrEncrypted   = errors.New("encrypted")
	ErrWork        = errors.New("needs more work than the budget")
	ErrRead        = errors.New("reading failed") // the source's reader, not its bytes
)

// MaxWindow is the largest window (dictionary) that a decoder may hold, bytes.
const MaxWindow = 16 << 20

// Linear is a decoder whose window can be the output itself, so that what is
// unpacked into memory as a whole needs no window beside it.
type Linear interface {
	// Linear starts that, for at most so many bytes; false says that this
	// stream does not allow it.
	Linear(most int64) bool
	// More decodes on and gives all that there is until now; the bytes are valid
	// until the decoder is closed.
	More() ([]byte, error)
}

// ByteReader is what decoders read from.
type ByteReader interface {
	io.Reader
	io.ByteReader
}

// Source reads a blob from its start and knows how far decoders came.
type Source struct {
	mem  *bytes.Reader
	buf  *bufio.Reader
	file *section
	size int64
}

// NewSource reads b, in place where it lies in memory.
func NewSource(b input.Blob) *Source {
	s := &Source{}
	s.Reset(b)
	return s
}

// Reset makes s read b from its start.
func (s *Source) Reset(b input.Blob) {
	s.size = b.Size()
	if p, ok := b.Mem(); ok {
		s.file = nil
		if s.mem == nil {
			s.mem = bytes.NewReader(p)
		} else {
			s.mem.Reset(p)
		}
		return
	}
	s.file = &section{b: b}
	if s.buf == nil {
		s.buf = bufio.NewReaderSize(s.file, 32<<10)
	} else {
		s.buf.Reset(s.file)
	}
}

// Reader is what to hand to a decoder: a concrete reader of the standard
// library, for which the decoders have fast paths. They do not read ahead.
func (s *Source) Reader() ByteReader {
	if s.file == nil {
		return s.mem
	}
	return s.buf
}

// Consumed is how many bytes were read.
func (s *Source) Consumed() int64 {
	if s.file == nil {
		return s.size - int64(s.mem.Len())
	}
	return s.file.off - int64(s.buf.Buffered())
}

// section reads a blob in order and marks what fails there as ErrRead.
type section struct {
	b   input.Blob
	off int64
}

func (r *section) Read(p []byte) (int, error) {
	if r.off >= r.b.Size() {
		return 0, io.EOF
	}
	n, err := r.b.ReadAt(p, r.off)
	r.off += int64(n)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", ErrRead, err)
	}
	return n, err
}

// unexpected turns the end of a source into a cut stream.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
