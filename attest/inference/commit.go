package inference

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxGroup is how many full batches are written and synced together, when
// records come faster than the disk syncs.
const maxGroup = 16

// run takes records from the queue until it is closed, and signs them.
func (r *Recorder) run(ctx context.Context) {
	defer close(r.finished)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		first, ok := <-r.queue
		if !ok {
			break
		}
		timer.Reset(r.opt.Wait)
		more := r.gather(first, timer.C)
		for n := 1; n < maxGroup && more && len(r.queue) >= r.opt.Batch && r.log.err == nil; n++ {
			r.log.endBatch(ctx, false)
			more = r.gather(<-r.queue, timer.C)
		}
		r.log.endBatch(ctx, false)
		r.commit()
		if r.log.err != nil {
			r.fail()
			return
		}
		if !more {
			break
		}
	}
	r.log.endBatch(ctx, true)
	r.commit()
	r.log.close()
	if r.log.err != nil {
		r.fail()
	}
}

// gather fills one batch: until it is full, the first record has waited long
// enough, or the queue is closed, which it says by false.
func (r *Recorder) gather(first item, wait <-chan time.Time) bool {
	r.log.add(first)
	for r.log.pending() < r.opt.Batch {
		select { // what is there goes before the clock
		case it, ok := <-r.queue:
			if !ok {
				return false
			}
			r.log.add(it)
			continue
		default:
		}
		select {
		case it, ok := <-r.queue:
			if !ok {
				return false
			}
			r.log.add(it)
		case <-wait:
			return true
		}
	}
	return true
}

// commit makes the batches safe, and tells everybody.
func (r *Recorder) commit() {
	w := r.log
	if w.err == nil {
		w.flush()
	}
	if w.err != nil {
		return // fail tells
	}
	head := w.head
	r.head.Store(&head)
	for i := range w.group {
		s := &w.group[i]
		if r.opt.Signed != nil {
			r.opt.Signed(s.batch, s.envelope)
		}
		for _, waiter := range s.waiters {
			waiter.done <- outcome{receipt: Receipt{Sequence: waiter.sequence, Head: s.batch.Head()}}
		}
	}
	w.forget()
}

// fail refuses what is on its way and everything that comes, until Close.
func (r *Recorder) fail() {
	w := r.log
	lost := w.unsigned()
	err := fmt.Errorf("inference log %s: %w", r.opt.Path, w.err)
	r.failure.Store(&err)
	for i := range w.group {
		for _, waiter := range w.group[i].waiters {
			waiter.done <- outcome{err: err}
		}
	}
	for _, waiter := range w.waiters {
		waiter.done <- outcome{err: err}
	}
	w.close()
	for it := range r.queue { // Close ends it; Add puts nothing in any more but what it was about to
		lost++
		if it.done != nil {
			it.done <- outcome{err: err}
		}
	}
	if lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d records that had been taken were not signed", lost))
		r.failure.Store(&err)
	}
}
