package gguf

import (
	"encoding/binary"

	"bartizan/detect/input"
)

// window is how much is read at a time; skipped bytes are not read.
const window = 64 << 10

// reader reads forward. Bytes in memory are used where they lie.
type reader struct {
	blob  input.Blob
	order binary.ByteOrder
	pos   int64

	buf    []byte
	from   int64 // offset of buf
	mapped bool
	forgot int64
	err    error
}

func newReader(b input.Blob) *reader {
	r := &reader{blob: b, order: binary.LittleEndian}
	r.buf, r.mapped = b.Mem()
	return r
}

func (r *reader) left() int64 { return r.blob.Size() - r.pos }

// bytes gives the next n bytes, n at most a window, and moves on; false where
// there are fewer. They are valid until the next call.
func (r *reader) bytes(n int64) ([]byte, bool) {
	if n > r.left() || r.err != nil {
		return nil, false
	}
	if !r.mapped && (r.pos < r.from || r.pos+n > r.from+int64(len(r.buf))) {
		b, err := r.fill()
		if err != nil {
			r.err = err
			return nil, false
		}
		r.buf, r.from = b, r.pos
	}
	at := r.pos - r.from
	r.pos += n
	return r.buf[at : at+n], true
}

func (r *reader) fill() ([]byte, error) {
	n := min(window, r.left())
	if int64(cap(r.buf)) < n {
		r.buf = make([]byte, window)
	}
	b := r.buf[:n]
	m, err := r.blob.ReadAt(b, r.pos)
	if int64(m) == n {
		err = nil
	}
	return b, err
}

// skip passes over n bytes; false where there are fewer.
func (r *reader) skip(n int64) bool {
	if n < 0 || n > r.left() {
		return false
	}
	r.pos += n
	if r.mapped && r.pos-r.forgot > 4<<20 { // long metadata need not stay resident
		r.blob.Forget(r.forgot, r.pos)
		r.forgot = r.pos
	}
	return true
}

func (r *reader) u32() (uint32, bool) {
	b, ok := r.bytes(4)
	if !ok {
		return 0, false
	}
	return r.order.Uint32(b), true
}

func (r *reader) u64() (uint64, bool) {
	b, ok := r.bytes(8)
	if !ok {
		return 0, false
	}
	return r.order.Uint64(b), true
}
