package load

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"bartizan/attest/hashing"
)

// block is how much is read at a time: what a processor's cache holds while it
// is hashed and written.
const block = hashing.ChunkSize

// transfer verifies the file in src by its plan and writes it to dst (nil: only
// verifies). What is hashed is the memory that is written; src is read once. On
// an error dst holds unverified bytes and must not be used.
func transfer(ctx context.Context, dst io.WriterAt, src io.ReaderAt, p *plan, opt Options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := jobsOf(p)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(opt.Workers, len(jobs)) {
		group.Go(func() {
			w := &worker{ctx: ctx, dst: dst, src: src, plan: p, told: opt.Progress}
			for i := next.Add(1) - 1; i < int64(len(jobs)); i = next.Add(1) - 1 {
				if err := w.do(&jobs[i]); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// part is what one worker does at a time: a unit, or a stretch of a unit whose
// digest is a tree.
type part struct {
	unit       unit
	start, end int64
	tree       *treeParts // nil where the part is the unit
}

// treeParts collects the chaining values of a BLAKE3 unit from several workers.
type treeParts struct {
	groups [][32]byte
	left   atomic.Int64 // parts that are not done
}

// stretch is how much of a tree one worker takes at a time.
const stretch = 8 * block

func jobsOf(p *plan) []part {
	jobs := make([]part, 0, p.units())
	for i := range p.units() {
		u := p.unit(i)
		size := u.end - u.start
		if u.chunk || u.algorithm != hashing.BLAKE3 || size <= block {
			jobs = append(jobs, part{unit: u, start: u.start, end: u.end})
			continue
		}
		tree := &treeParts{groups: make([][32]byte, hashing.Groups(size))}
		for at := u.start; at < u.end; at += stretch {
			jobs = append(jobs, part{unit: u, start: at, end: min(at+stretch, u.end), tree: tree})
			tree.left.Add(1)
		}
	}
	return jobs
}

// worker verifies unit after unit with one buffer.
type worker struct {
	ctx  context.Context
	dst  io.WriterAt
	src  io.ReaderAt
	plan *plan
	told func(int64)
	buf  []byte
}

func (w *worker) do(j *part) error {
	u := &j.unit
	if w.buf == nil {
		w.buf = make([]byte, min(block, w.plan.largest()))
	}
	if j.tree != nil {
		return w.stretch(j)
	}
	if u.end-u.start > block {
		return w.long(u)
	}
	data := w.buf[:u.end-u.start]
	if err := w.fill(w.ctx, u, data, u.start); err != nil {
		return err
	}
	ok, err := u.proves(data)
	if err != nil {
		return err
	}
	if !ok {
		return w.plan.mismatch(u)
	}
	return w.put(data, u.start)
}

// stretch hashes its groups; who does the last stretch of a unit holds their
// root against the digest.
func (w *worker) stretch(j *part) error {
	u := &j.unit
	for at := j.start; at < j.end; at += block {
		data := w.buf[:min(block, j.end-at)]
		if err := w.fill(w.ctx, u, data, at); err != nil {
			return err
		}
		groupsOf(j.tree.groups, data, int((at-u.start)/block), u.end-u.start)
		if err := w.put(data, at); err != nil {
			return err
		}
	}
	if j.tree.left.Add(-1) == 0 && !u.isRoot(j.tree.groups) {
		return w.plan.mismatch(u)
	}
	return nil
}

// long goes through a unit of many blocks whose digest is a chain: one goroutine hashes what the other
// has read, and writes it.
func (w *worker) long(u *unit) error {
	h, err := newHash(u.algorithm)
	if err != nil {
		return err
	}
	const depth = 4
	full, empty := make(chan []byte, depth), make(chan []byte, depth)
	for range depth {
		empty <- nil
	}
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	group.Go(func() {
		offset := u.start
		for data := range full {
			h.Write(data)
			if err := w.put(data, offset); err != nil {
				cancel(err)
			}
			offset += int64(len(data))
			empty <- data[:cap(data)]
		}
	})
	err = w.read(ctx, u, full, empty)
	close(full)
	group.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(h.Sum(nil), u.digest) {
		return w.plan.mismatch(u)
	}
	return nil
}

func (w *worker) read(ctx context.Context, u *unit, full chan<- []byte, empty <-chan []byte) error {
	for offset := u.start; offset < u.end; {
		data := <-empty
		if data == nil {
			data = make([]byte, block)
		}
		data = data[:min(int64(len(data)), u.end-offset)]
		if err := w.fill(ctx, u, data, offset); err != nil {
			return err
		}
		full <- data
		offset += int64(len(data))
	}
	return nil
}

func (w *worker) fill(ctx context.Context, u *unit, data []byte, offset int64) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	n, err := w.src.ReadAt(data, offset)
	switch {
	case n == len(data):
		return nil
	case errors.Is(err, io.EOF):
		return w.plan.short(u)
	}
	return w.plan.unreadable(err)
}

func (w *worker) put(data []byte, offset int64) error {
	if w.dst != nil {
		if _, err := w.dst.WriteAt(data, offset); err != nil {
			return w.plan.unreadable(err)
		}
	}
	if w.told != nil {
		w.told(int64(len(data)))
	}
	return nil
}

// fillFrom copies size bytes of src to dst as they are, unverified.
func fillFrom(ctx context.Context, dst io.WriterAt, src io.ReaderAt, p *plan, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	whole := unit{end: p.size}
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(int64(workers), p.size/block+1) {
		group.Go(func() {
			w := &worker{ctx: ctx, dst: dst, src: src, plan: p}
			buf := make([]byte, min(block, p.size))
			for at := (next.Add(1) - 1) * block; at < p.size; at = (next.Add(1) - 1) * block {
				data := buf[:min(block, p.size-at)]
				err := w.fill(ctx, &whole, data, at)
				if err == nil {
					err = w.put(data, at)
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}
