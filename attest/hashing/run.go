package hashing

import (
	"context"
	"errors"
	"hash"
	"slices"
	"sync"
	"sync/atomic"

	"bartizan/attest/tree"
)

// job is a file or a part of one that one worker reads from start to end.
type job struct {
	unit       int
	start, end int64
}

// plan is what is to be done: jobs, the largest first, and what to make of the
// bytes of each. At least one of stream and tree is set.
type plan struct {
	root   *tree.Root
	jobs   []job
	entry  func(unit int) *tree.Entry
	stream func() hash.Hash // a digest from end to end
	tree   func(*strand)    // starts the BLAKE3 groups of a job
	done   func(*strand)    // takes the digests of a job
	paired bool             // the stream is a SHA-256 of which two run at once
}

// crew is the workers of one run and what they share.
type crew struct {
	*plan
	workers int
	next    atomic.Int64 // job
	started atomic.Int64 // workers that took a job, or found none
	working atomic.Int64 // workers that may still read files
	idle    atomic.Int64 // workers that wait to help
	help    chan func()  // BLAKE3 groups for workers that have no job left
	failed  failures
	tell    func(int64)
}

// run does all jobs.
func (p *plan) run(ctx context.Context, opt Options) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &crew{plan: p, workers: opt.workers(), tell: teller(opt.Progress)}
	c.help = make(chan func(), c.workers)
	c.failed.stop = cancel
	c.working.Store(int64(c.workers))
	var all sync.WaitGroup
	for range c.workers {
		all.Go(func() { c.worker(inner) })
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.failed.err()
}

// worker reads files until there are none, then helps those who still do.
func (c *crew) worker(ctx context.Context) {
	newWorker(c).work(ctx)
	if c.working.Add(-1) == 0 {
		close(c.help)
		return
	}
	c.idle.Add(1)
	for task := range c.help {
		c.idle.Add(-1)
		task()
		c.idle.Add(1)
	}
}

// first gives the next job to a worker that has none.
func (c *crew) first() (j job, ok bool) {
	i := int(c.next.Add(1)) - 1
	if i >= len(c.jobs) {
		return job{}, false
	}
	return c.jobs[i], true
}

// second gives a large job to a worker that reads one already, but none that a
// worker without any would get.
func (c *crew) second() (j job, ok bool) {
	for {
		i := c.next.Load()
		left := int64(len(c.jobs)) - i
		if left <= max(0, int64(c.workers)-c.started.Load()) || !isLarge(c.jobs[i]) {
			return job{}, false
		}
		if c.next.CompareAndSwap(i, i+1) {
			return c.jobs[i], true
		}
	}
}

// maxErrors is how many errors of units one call gives before it stops.
const maxErrors = 100

// failures are the errors of units, from all workers.
type failures struct {
	mu   sync.Mutex
	all  []failure
	stop context.CancelFunc
}

type failure struct {
	unit int
	err  error
}

func (f *failures) add(unit int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, failure{unit, err})
	if len(f.all) >= maxErrors {
		f.stop()
	}
}

// err joins the errors in the order of units, one for each.
func (f *failures) err() error {
	slices.SortStableFunc(f.all, func(a, b failure) int { return a.unit - b.unit })
	var errs []error
	for i, one := range f.all {
		if i == 0 || f.all[i-1].unit != one.unit {
			errs = append(errs, one.err)
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// teller makes calls of progress exclusive.
func teller(progress func(int64)) func(int64) {
	if progress == nil {
		return func(int64) {}
	}
	var mu sync.Mutex
	return func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		progress(n)
	}
}
