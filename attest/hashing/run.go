package hashing

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

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

// run does the jobs 0 to n-1, in order, on as many workers as the options say.
// start makes a worker's own state and gives what does one job.
func run(ctx context.Context, opt Options, n int, start func(tell func(int64)) func(context.Context, int) (int, error)) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := failures{stop: cancel}
	tell := teller(opt.Progress)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(opt.workers(), n) {
		all.Go(func() {
			do := start(tell)
			for inner.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if unit, err := do(inner, i); err != nil && inner.Err() == nil {
					failed.add(unit, err)
				}
			}
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return failed.err()
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
