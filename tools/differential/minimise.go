package main

import (
	"context"
	"slices"
)

// maxRounds bounds the work on one stream.
const maxRounds = 200

// minimise gives the shortest stream found that the interpreter still takes somewhere the scanner did not say,
// with the same kind of event. It deletes ever smaller pieces (delta debugging), a batch of candidates at a time.
func minimise(ctx context.Context, data []byte, m miss, trace tracer) ([]byte, miss) {
	for size, rounds := (len(data)+1)/2, 0; size > 0 && rounds < maxRounds && ctx.Err() == nil; rounds++ {
		var candidates [][]byte
		for at := 0; at < len(data); at += size {
			candidates = append(candidates, slices.Concat(data[:at], data[min(len(data), at+size):]))
		}
		smaller, found, ok := firstMiss(ctx, candidates, m, trace)
		switch {
		case ok:
			data, m = smaller, found
			size = min(size, (len(data)+1)/2)
		case size == 1:
			return data, m
		default:
			size = (size + 1) / 2
		}
	}
	return data, m
}

// firstMiss gives the first candidate that shows a miss of the same kind.
func firstMiss(ctx context.Context, candidates [][]byte, m miss, trace tracer) ([]byte, miss, bool) {
	if len(candidates) == 0 {
		return nil, m, false
	}
	outcomes, err := m.interpreter.run(ctx, candidates)
	if err != nil {
		return nil, m, false
	}
	for i, o := range outcomes {
		t := trace(candidates[i])
		for _, e := range o.events {
			if e.kind == m.kind && !t.covers(e) {
				return candidates[i], miss{e, m.interpreter}, true
			}
		}
	}
	return nil, m, false
}
