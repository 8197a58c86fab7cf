package container

import (
	"bufio"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"bartizan/detect/container/tar"
	"bartizan/detect/container/unpack"
	"bartizan/detect/input"
)

// largeTar says whether a stream holds a tar that does not fit in the memory of
// one member. What was unpacked to learn that stays for the visit otherwise.
func (w *walker) largeTar(m *Member) (bool, error) {
	m.w = w
	head, err := m.Head(tar.Block)
	if err != nil || m.cut || !tar.Looks(head) {
		return false, err
	}
	if err := m.fill(w.in.Budget.MemberBytes); err != nil || m.done {
		return false, err
	}
	m.finish()
	m.done = false
	return true, nil
}

// tarStream walks a tar while it is unpacked, member by member, so that its
// size does not matter. Readings that need to go back (members behind the end,
// two sizes of one member) are not followed, and said to be missing.
func (w *walker) tarStream(m *Member, r io.Reader) error {
	f := &forward{m: m, size: 1 << 62}
	f.r = bufio.NewReaderSize(&paid{r: r, w: w, m: m}, forwardWindow)
	in := In{Blob: input.FromReaderAt(f, f.size), Path: w.in.Path + "!/" + m.Label(), Budget: w.in.Budget, Out: w.in.Out}
	inner := newWalker(w.ctx, in, w.visit, "tar")
	inner.within = m.Label()
	t := &tarWalk{walker: inner, seed: maphash.MakeSeed(), forward: f, seen: map[int64]struct{}{}, names: map[uint64]int64{}}
	end, err := t.sequence(0, ViewCentral)
	inner.close()
	switch {
	case err != nil && !errors.Is(err, errStop):
		return err
	case f.fault != nil:
		return m.fail(f.fault)
	case f.ended && end > f.pos:
		inner.incomplete(CodeTruncated, "", fmt.Sprintf("ends at %d, goes on to %d by its headers", f.pos, end))
	}
	return nil
}

// forwardWindow is how far a forward reader looks ahead: an extension header
// with its header block.
const forwardWindow = 1<<20 + 4*tar.Block

// forward makes a ReaderAt of a reader, for offsets that only rise. Behind the
// end, and behind a fault, there are zeros, which end a tar.
type forward struct {
	m     *Member
	r     *bufio.Reader
	size  int64
	pos   int64
	ended bool
	fault error
}

// errBackward is an offset that lies before what was read.
var errBackward = errors.New("reading backwards in a stream")

// ReadAt implements io.ReaderAt without using up what it gives.
func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	if err := f.seek(off); err != nil {
		return 0, err
	}
	got, err := f.r.Peek(len(p))
	n := copy(p, got)
	clear(p[n:])
	f.note(err)
	return len(p), nil
}

// seek goes forward to off.
func (f *forward) seek(off int64) error {
	if off < f.pos {
		return errBackward
	}
	for f.pos < off && !f.ended {
		n, err := f.r.Discard(int(min(off-f.pos, 1<<20)))
		f.pos += int64(n)
		f.note(err)
		if err := f.m.w.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (f *forward) note(err error) {
	if err == nil || f.ended {
		return
	}
	f.ended = true
	if err != io.EOF {
		f.fault = err
	}
}

// section reads n bytes from off, using them up.
func (f *forward) section(off, n int64) io.Reader { return &forwardSection{f: f, off: off, left: n} }

type forwardSection struct {
	f         *forward
	off, left int64
}

func (s *forwardSection) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if err := s.f.seek(s.off); err != nil {
		return 0, fmt.Errorf("%w: %w", unpack.ErrRead, err)
	}
	n, err := s.f.r.Read(p[:min(int64(len(p)), s.left)])
	s.f.pos, s.off, s.left = s.f.pos+int64(n), s.off+int64(n), s.left-int64(n)
	s.f.note(err)
	if err != nil {
		err = unexpectedEnd(s.f)
	}
	return n, err
}

func unexpectedEnd(f *forward) error {
	if f.fault != nil {
		return f.fault
	}
	return io.ErrUnexpectedEOF
}

// errSpent ends a stream whose subject may unpack no more.
var errSpent = fmt.Errorf("the budget of unpacked bytes is spent: %w", unpack.ErrExpand)

// forgetStep is how often pages of a mapped stream that was read are let go.
const forgetStep = 4 << 20

// paid charges the budget for what is unpacked, read or skipped.
type paid struct {
	r         io.Reader
	w         *walker
	m         *Member
	total     int64
	forgotten int64
}

func (p *paid) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.total += int64(n)
	if !p.w.in.Budget.Expand(int64(n)) {
		p.w.bomb(p.m, p.total)
		return n, errSpent
	}
	if at := p.m.consumed(); at-p.forgotten > forgetStep {
		p.w.in.Blob.Forget(p.forgotten, at)
		p.forgotten = at
	}
	return n, err
}
