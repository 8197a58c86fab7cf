package lineage

import (
	"math"
	"math/bits"
)

// Direction is which way a walk goes.
type Direction uint8

// The directions. Both is everything that a node came of and everything that came of it,
// not their other relations.
const (
	Down Direction = 1 << iota
	Up
	Both = Down | Up
)

// Step is a node that a walk reached.
type Step struct {
	Node Node
	// Via is the last edge of a shortest way to it; that of the start means nothing.
	Via Edge
	// Depth is the number of edges from the start: negative up, positive down.
	Depth int32
}

// Walker walks one graph. It keeps its memory (21 bytes a node at most) between
// walks; it is for one goroutine at a time.
type Walker struct {
	sweep
	steps []Step
	count []uint32 // nodes by distance
}

// NewWalker makes a walker.
func (g *Graph) NewWalker() *Walker { return &Walker{sweep: g.newSweep()} }

// Walk gives the start and every node that stands up or down of it, at most
// depth edges away (below 0: all), each once with a shortest way to it: first the
// start, then upwards by distance, then downwards by distance, and those at one
// distance by their number. A diamond of any number of ways is walked in the time
// of its edges. The result is valid until the next walk.
func (w *Walker) Walk(start Node, d Direction, depth int) []Step {
	limit := uint32(math.MaxUint32)
	if depth >= 0 && depth < math.MaxUint32 {
		limit = uint32(depth)
	}
	w.steps = append(w.steps[:0], Step{Node: start})
	if d&Up != 0 {
		w.sweep.start(start)
		w.up(limit)
		w.emit(-1)
	}
	if d&Down != 0 {
		w.sweep.start(start)
		w.down(limit)
		w.emit(1)
	}
	return w.steps
}

// emit appends what was reached, but for the start, by distance, and forgets it.
func (w *Walker) emit(sign int32) {
	total := 0
	w.count = w.count[:0]
	for i, word := range w.bits {
		total += bits.OnesCount64(word)
		for ; word != 0; word &= word - 1 {
			d := w.cells[i<<6+bits.TrailingZeros64(word)].dist
			for int(d) >= len(w.count) {
				w.count = append(w.count, 0)
			}
			w.count[d]++
		}
	}
	next := uint32(len(w.steps)) - 1 // the start, at distance 0, is there already
	for d, n := range w.count {
		w.count[d], next = next, next+n
	}
	w.steps = append(w.steps, make([]Step, total-1)...)
	for i, word := range w.bits {
		w.bits[i] = 0
		for ; word != 0; word &= word - 1 {
			n := i<<6 + bits.TrailingZeros64(word)
			if c := w.cells[n]; c.dist > 0 {
				w.steps[w.count[c.dist]] = Step{Node: Node(n), Via: Edge(c.via), Depth: sign * int32(c.dist)}
				w.count[c.dist]++
			}
		}
	}
}
