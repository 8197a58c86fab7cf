package lineage

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
	// Via is the edge by which it was reached first; that of the start means nothing.
	Via Edge
	// Depth is the number of edges from the start: negative up, positive down.
	Depth int32
}

// Walker walks one graph. It keeps its memory (eight bytes a node) between
// walks; it is for one goroutine at a time.
type Walker struct {
	g     *Graph
	stamp []uint32 // the walk that saw the node
	epoch uint32
	steps []Step
}

// NewWalker makes a walker.
func (g *Graph) NewWalker() *Walker {
	return &Walker{g: g, stamp: make([]uint32, g.Nodes())}
}

// Walk gives the start and every node that stands up or down of it, at most
// depth edges away (below 0: all), each once with a shortest way to it: first the
// start, then upwards by distance, then downwards by distance. A diamond of any
// number of ways is walked in the time of its edges. The result is valid until
// the next walk.
func (w *Walker) Walk(start Node, d Direction, depth int) []Step {
	w.steps = append(w.steps[:0], Step{Node: start})
	if d&Up != 0 {
		w.spread(start, depth, w.up)
	}
	if d&Down != 0 {
		w.spread(start, depth, w.down)
	}
	return w.steps
}

// spread goes one way, breadth first. The nodes above a start and those below it
// have none in common, but for the start.
func (w *Walker) spread(start Node, depth int, expand func(Step)) {
	w.begin()
	w.stamp[start] = w.epoch
	begin := len(w.steps)
	if depth != 0 {
		expand(Step{Node: start})
	}
	for i := begin; i < len(w.steps); i++ {
		at := w.steps[i]
		if depth >= 0 && (at.Depth >= int32(depth) || -at.Depth >= int32(depth)) {
			return
		}
		expand(at)
	}
}

// begin makes every stamp old, without touching them.
func (w *Walker) begin() {
	if w.epoch++; w.epoch == 0 {
		clear(w.stamp)
		w.epoch = 1
	}
}

func (w *Walker) down(at Step) {
	g, epoch := w.g, w.epoch
	first, last := g.downStart[at.Node], g.downStart[at.Node+1]
	for i, next := range g.edgeTo[first:last] {
		if w.stamp[next] != epoch {
			w.stamp[next] = epoch
			w.steps = append(w.steps, Step{Node: Node(next), Via: Edge(first) + Edge(i), Depth: at.Depth + 1})
		}
	}
}

func (w *Walker) up(at Step) {
	g, epoch := w.g, w.epoch
	first, last := g.upStart[at.Node], g.upStart[at.Node+1]
	via := g.upEdge[first:last]
	for i, next := range g.upFrom[first:last] {
		if w.stamp[next] != epoch {
			w.stamp[next] = epoch
			w.steps = append(w.steps, Step{Node: Node(next), Via: Edge(via[i]), Depth: at.Depth - 1})
		}
	}
}
