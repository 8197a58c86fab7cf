package lineage

import (
	"math"
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
	// Depth is the number of edges from the start: negative up, positive down.
	Depth int32
}

// Walker walks one graph. It keeps its memory (13 bytes a node at most) between
// walks; it is for one goroutine at a time.
type Walker struct {
	sweep
	steps []Step
}

// NewWalker makes a walker.
func (g *Graph) NewWalker() *Walker { return &Walker{sweep: g.newSweep()} }

// Walk gives the start and every node that stands up or down of it, at most
// depth edges away (below 0: all), each once with the length of the shortest way
// to it: first the start, then what is up, then what is down, both in the order
// of the graph, in which a thing comes after all that it was made of. A diamond
// of any number of ways is walked in the time of its edges. The result is valid
// until the next walk.
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

// emit appends what was reached, but for the start.
func (w *Walker) emit(sign int32) {
	w.take(func(n Node, dist uint32) {
		if dist > 0 {
			w.steps = append(w.steps, Step{Node: n, Depth: sign * int32(dist)})
		}
	})
}
