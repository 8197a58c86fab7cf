package hashing

import "context"

// worker reads one file, or two where two digests run at once.
type worker struct {
	*crew
	lanes [2]*strand
	pair  twins
}

func newWorker(c *crew) *worker {
	w := &worker{crew: c}
	w.lanes[0] = newStrand(c)
	if c.paired {
		w.lanes[1] = newStrand(c)
	}
	return w
}

// isLarge says that a job is worth the second lane.
func isLarge(j job) bool { return j.end-j.start >= 4*bufferSize }

// work does jobs until there are none.
func (w *worker) work(ctx context.Context) {
	a, b := w.lanes[0], w.lanes[1]
	j, ok := w.first()
	w.started.Add(1)
	for ; ok && ctx.Err() == nil; j, ok = w.first() {
		w.begin(a, j)
		for a.live || b != nil && b.live {
			w.turn(ctx, a, b)
			if !a.live {
				a, b = w.swap(a, b)
			}
		}
	}
}

// swap makes the second lane the first, where there are two.
func (w *worker) swap(a, b *strand) (first, second *strand) {
	if b == nil {
		return a, b
	}
	return b, a
}

func (w *worker) begin(f *strand, j job) {
	if err := f.begin(j); err != nil {
		w.failed.add(j.unit, err)
	}
}

// turn reads and digests the next buffer of a, and of b beside it where there is
// a job for it.
func (w *worker) turn(ctx context.Context, a, b *strand) {
	if b != nil && !b.live && isLarge(a.job) {
		if j, ok := w.second(); ok {
			w.begin(b, j)
		}
	}
	w.read(ctx, a)
	if b != nil && b.live {
		w.read(ctx, b)
		w.pair.write(a, b)
		w.after(b)
	} else {
		a.write()
	}
	w.after(a)
}

func (w *worker) read(ctx context.Context, f *strand) {
	err := ctx.Err()
	if err == nil {
		err = f.read()
	}
	if err != nil {
		w.fail(ctx, f, err)
	}
}

// fail closes the file; what was not read because all stops is no failure of it.
func (w *worker) fail(ctx context.Context, f *strand, err error) {
	f.abandon()
	if ctx.Err() == nil {
		w.failed.add(f.job.unit, err)
	}
}

// after ends a job whose last buffer was digested.
func (w *worker) after(f *strand) {
	if !f.live || f.at < f.job.end {
		return
	}
	if err := f.end(); err != nil {
		w.failed.add(f.job.unit, err)
	}
}
