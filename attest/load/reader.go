package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"bartizan/attest/tree"
)

// ErrClosed says that a Reader was used after Close.
var ErrClosed = errors.New("the verified file is closed")

// Reader serves verified bytes of one file, which stays open. A piece (a shard,
// or a MiB of a chunk tree) is read once into private memory, verified there,
// and served from there; what is in the file afterwards does not matter. A piece
// that left the cache is read and verified anew.
//
// Whoever reads in order, by Read or WriteTo, has the pieces that follow loaded by
// Options.Workers goroutines, two SHA-256 pieces at once on each; nothing of a
// piece is given out before the whole piece was verified. ReadAt loads the pieces
// that it needs and no others.
//
// The first refusal is final: later reads give it again.
//
// ReadAt may be called from several goroutines; Read, Seek and WriteTo move one
// position and may not.
type Reader struct {
	plan   *plan
	pieces *pieces

	offset int64
	// next is the piece that a sequential reader will ask for after this one: only
	// such readers are read ahead for.
	next int

	closing sync.Once
	closed  error
}

// NewReader opens the file and gives its Reader. It errs where a part of it is
// larger than Options.MaxPiece: Seal or CopyTo are for those.
//
// The context ends reads that are under way and all later ones.
func NewReader(ctx context.Context, root *tree.Root, want Expected, opt Options) (*Reader, error) {
	opt = opt.withDefaults()
	src, p, err := open(root, want)
	if err != nil {
		return nil, err
	}
	if most := p.largest(); most > opt.MaxPiece {
		return nil, errors.Join(fmt.Errorf("%s: is vouched for in parts of %d bytes, and at most %d are verified in memory: seal or copy it", p.name, most, opt.MaxPiece), src.Close())
	}
	return newReader(ctx, src, p, opt), nil
}

func newReader(ctx context.Context, src *os.File, p *plan, opt Options) *Reader {
	return &Reader{plan: p, pieces: newPieces(ctx, src, p, opt)}
}

// Name is the file's name beneath the root.
func (r *Reader) Name() string { return r.plan.name }

// Size is the length that was vouched for.
func (r *Reader) Size() int64 { return r.plan.size }

// ReadAt reads verified bytes at off.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("%s: negative offset", r.plan.name)
	}
	n := 0
	for n < len(p) {
		if off >= r.plan.size {
			return n, io.EOF
		}
		piece, err := r.pieces.get(r.plan.find(off))
		if err != nil {
			return n, err
		}
		got := copy(p[n:], piece.data[off-piece.start:])
		r.pieces.release(piece)
		n += got
		off += int64(got)
	}
	return n, nil
}

// Read reads verified bytes at the position, at most to the end of a piece.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.offset >= r.plan.size {
		return 0, io.EOF
	}
	piece, err := r.ahead()
	if err != nil {
		return 0, err
	}
	n := copy(p, piece.data[r.offset-piece.start:])
	r.pieces.release(piece)
	r.offset += int64(n)
	return n, nil
}

// WriteTo writes the rest of the file to w, without a copy in between: w is
// given the verified memory itself and must not change it.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	total := int64(0)
	for r.offset < r.plan.size {
		piece, err := r.ahead()
		if err != nil {
			return total, err
		}
		data := piece.data[r.offset-piece.start:]
		n, err := w.Write(data)
		if err == nil && n < len(data) {
			err = io.ErrShortWrite
		}
		r.pieces.done(piece)
		total += int64(n)
		r.offset += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// ahead gives the piece at the position, and has the pieces after it read where
// the reader goes through the file in order.
func (r *Reader) ahead() (*piece, error) {
	i := r.plan.find(r.offset)
	if i == r.next {
		r.pieces.prefetch(i)
		r.next = i + 1
	} else if i != r.next-1 {
		r.next = i + 1
	}
	return r.pieces.get(i)
}

// Seek sets the position of Read and WriteTo.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.plan.size
	case io.SeekStart:
	default:
		return 0, fmt.Errorf("%s: seek from where: %d", r.plan.name, whence)
	}
	if offset < 0 {
		return 0, fmt.Errorf("%s: seek before the start", r.plan.name)
	}
	r.offset = offset
	return offset, nil
}

// Close ends reads ahead and closes the file.
func (r *Reader) Close() error {
	r.closing.Do(func() { r.closed = r.pieces.close() })
	return r.closed
}
