package main

import (
	"context"
	"sync"
	"time"
)

// options say what to run.
type options struct {
	streams   uint64 // the sequence's length: the run ends at this position
	seed      uint64
	batch     int
	statePath string
	missDir   string
	maxMisses int
	rotate    int // how many interpreters run each batch, in turn; 0: all
	seeds     [][]byte
}

// batch is a run of consecutive streams on its way through the interpreters.
type batch struct {
	streams  [][]byte
	traces   []trace
	outcomes [][]outcome // by interpreter, then stream
	err      error       // the first interpreter's failure
	mu       sync.Mutex
	done     sync.WaitGroup
}

// window is how many batches are under way at once, so that no interpreter waits for the slowest.
const window = 6

// How often the state is kept and the progress shown.
const (
	saveEvery = 2 * time.Second
	showEvery = 10 * time.Second
)

// execute runs the sequence from where the state says until its end, the context's end or too many misses.
func execute(ctx context.Context, opts options, s *state, interpreters []*interpreter, trace tracer, report *reporter) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queues := make([]chan *batch, len(interpreters))
	var workers sync.WaitGroup
	for i, in := range interpreters {
		queues[i] = make(chan *batch, window)
		workers.Go(func() { serve(ctx, in, i, queues[i]) })
	}
	ordered := make(chan *batch, window)
	workers.Go(func() { produce(ctx, opts, s.Position, queues, ordered, trace) })
	err := collect(ctx, opts, s, interpreters, ordered, trace, report)
	cancel()
	for range ordered { // lets the producer see the end
	}
	workers.Wait()
	return err
}

// produce makes batches in order and hands each to every interpreter.
func produce(ctx context.Context, opts options, position uint64, queues []chan *batch, ordered chan<- *batch, trace tracer) {
	defer close(ordered)
	defer func() {
		for _, q := range queues {
			close(q)
		}
	}()
	for position < opts.streams && ctx.Err() == nil {
		n := min(uint64(opts.batch), opts.streams-position)
		b := &batch{outcomes: make([][]outcome, len(queues))}
		for i := range n {
			b.streams = append(b.streams, stream(opts.seed, position+i, opts.seeds))
		}
		chosen := turn(position/uint64(opts.batch), opts.rotate, len(queues))
		position += n
		b.done.Add(len(chosen))
		for _, i := range chosen {
			queues[i] <- b
		}
		for _, data := range b.streams {
			b.traces = append(b.traces, trace(data))
		}
		select {
		case ordered <- b:
		case <-ctx.Done():
			return
		}
	}
}

// turn gives the interpreters that run a batch: all, or so many, from the batch's number on.
func turn(batch uint64, rotate, total int) []int {
	if rotate <= 0 || rotate > total {
		rotate = total
	}
	chosen := make([]int, rotate)
	for i := range chosen {
		chosen[i] = int((batch*uint64(rotate) + uint64(i)) % uint64(total))
	}
	return chosen
}

// serve runs batches on one interpreter.
func serve(ctx context.Context, in *interpreter, index int, queue <-chan *batch) {
	for b := range queue {
		outcomes, err := in.run(ctx, b.streams)
		b.mu.Lock()
		b.outcomes[index] = outcomes
		if err != nil && b.err == nil {
			b.err = err
		}
		b.mu.Unlock()
		b.done.Done()
	}
	in.stop()
}

// collect checks batches in order and keeps the state.
func collect(ctx context.Context, opts options, s *state, interpreters []*interpreter, ordered <-chan *batch, trace tracer, report *reporter) error {
	saved, shown, last := time.Now(), time.Now(), time.Now()
	for b := range ordered {
		b.done.Wait()
		s.Seconds += time.Since(last).Seconds()
		last = time.Now()
		if ctx.Err() != nil {
			break
		}
		if b.err != nil {
			return b.err
		}
		for i, data := range b.streams {
			misses := s.count(data, &b.traces[i], interpreters, b.outcomes, i, report)
			if len(misses) > 0 {
				if err := report.miss(ctx, s.Position, data, misses, trace); err != nil {
					return err
				}
			}
			s.Position++
		}
		if report.written >= opts.maxMisses {
			break
		}
		if time.Since(saved) > saveEvery {
			saved = time.Now()
			if err := s.save(opts.statePath); err != nil {
				return err
			}
		}
		if time.Since(shown) > showEvery {
			shown = time.Now()
			report.progress(s)
		}
	}
	return s.save(opts.statePath)
}

// count adds one stream to the totals and gives its misses.
func (s *state) count(data []byte, t *trace, interpreters []*interpreter, outcomes [][]outcome, i int, report *reporter) []miss {
	s.Bytes += uint64(len(data))
	names, calls, persistent := map[[2]string]bool{}, map[string]bool{}, false
	one := make([]outcome, len(interpreters))
	for k, in := range interpreters {
		if outcomes[k] == nil {
			continue // it was not this interpreter's turn
		}
		o := outcomes[k][i]
		one[k] = o
		s.Runs[in.version]++
		if o.whole != 0 {
			s.Whole[in.version]++
		}
		if o.fault != "" {
			s.Faults++
			report.fault(s.Position, in, o.fault, data)
		}
		for _, e := range o.events {
			switch e.kind {
			case nameEvent:
				names[[2]string{e.a, e.b}] = true
			case callEvent:
				calls[e.a] = true
			default:
				persistent = true
			}
		}
	}
	s.Names += uint64(len(names))
	s.Calls += uint64(len(calls))
	if persistent {
		s.Persistent++
	}
	if len(names)+len(calls) > 0 {
		s.Acting++
	}
	if t.unfolded {
		s.Unfolded++
	}
	s.Reported += uint64(len(t.names))
	for _, n := range t.names {
		if !names[n] {
			s.Unresolved++
		}
	}
	misses := missesOf(t, interpreters, one)
	if len(misses) > 0 {
		s.Misses++
	}
	return misses
}
