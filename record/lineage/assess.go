package lineage

import (
	"math"
	"math/bits"
)

// Opinions are what the asker holds of nodes, beside what statements say.
type Opinions struct {
	// Tainted gives the reason why a node is.
	Tainted map[Node]string
	// Known are nodes that the asker vouches for: what is unknown about them and
	// about what they were made of ends there. Taint does not.
	Known map[Node]bool
}

// Cause is why a node is not clean by itself.
type Cause uint8

// The causes.
const (
	NoCause      Cause = iota
	Given              // the asker says that it is tainted
	Marked             // a verified statement says so
	Undescribed        // it is referred to, and no statement describes it
	Untrusted          // only statements that are not verified describe it
	WeakDigest         // no digest that binds: MD5, SHA-1, a URI alone
	Accused            // a statement that is not verified says that it failed
	Unresolved         // it used files whose tree cannot be told
	Claimed            // an edge to it is claimed by no verified statement
	NoInputs           // a run whose provenance names nothing that it used
	InCircle           // an edge to it that no verified statement claims was set aside
	Incomparable       // a file is tainted, and its files are not known by SHA-256
	Around             // an edge that was set aside leads to it from a tainted thing
	causes
)

var causeTexts = [causes]string{
	"", "marked as tainted", "a verified statement says so", "no statement describes it",
	"no verified statement describes it", "it is named without a digest that binds (MD5, SHA-1, a URI alone)",
	"an unverified statement says that it failed", "it used files whose tree cannot be told",
	"no verified statement says that it was made of this",
	"its provenance names no inputs: what it was made of is not known",
	"a claim about it that is not verified closes a circle and was set aside",
	"a file is tainted, and whether it is in this tree cannot be told: its files are not known by SHA-256",
	"a claim that was set aside, since it closes a circle, leads here from a tainted thing",
}

// String says it for people.
func (c Cause) String() string { return word(causeTexts[:], uint8(c)) }

// States says of every node what it amounts to.
type States struct {
	g       *Graph
	state   []uint8
	cause   []uint8  // of the origins of taint and of what is unknown
	dist    []uint32 // edges from the nearest origin of the state
	reasons map[Node]string
}

// Assess gives the state of every node, in one pass over nodes and edges: tainted
// where a tainted thing stands upstream of it, over whatever edge; else unknown
// where something upstream is unknown, or an edge on the way is claimed by no
// verified statement; else clean. More taint never makes a node better.
func (g *Graph) Assess(o Opinions) *States {
	n := g.Nodes()
	s := &States{g: g, state: make([]uint8, n), cause: make([]uint8, n), dist: make([]uint32, n), reasons: map[Node]string{}}
	sweep := g.newSweep()
	for _, n := range s.tainted(o) {
		sweep.start(n)
	}
	sweep.down(math.MaxUint32)
	s.settle(&sweep, Tainted)
	s.around()
	s.unknown(&sweep, o.Known)
	s.ignore(&sweep, o.Known)
	s.settle(&sweep, Unknown)
	return s
}

// settle gives a state to what was reached, and forgets it.
func (s *States) settle(sweep *sweep, state State) {
	sweep.take(func(n Node, dist uint32) {
		s.state[n], s.dist[n] = uint8(state), dist
	})
}

func (s *States) tainted(o Opinions) []Node {
	for n, reason := range o.Tainted {
		s.cause[n], s.reasons[n] = uint8(Given), reason
	}
	for _, m := range s.g.marks {
		if Cause(s.cause[m.Node]) == NoCause {
			s.cause[m.Node], s.reasons[m.Node] = uint8(Marked), m.Reason
		}
	}
	var origins []Node
	for n, c := range s.cause {
		if Cause(c) != NoCause {
			origins = append(origins, Node(n))
		}
	}
	return origins
}

// unknown starts where lack of knowledge begins, leaving out what is tainted.
func (s *States) unknown(sweep *sweep, known map[Node]bool) {
	incomparable := s.taintsFile()
	for i, c := range s.g.own {
		if c == uint8(NoCause) && incomparable && s.g.flags[i]&flagOpaque != 0 {
			c = uint8(Incomparable)
		}
		if c == uint8(NoCause) || State(s.state[i]) != Clean || len(known) > 0 && known[Node(i)] {
			continue
		}
		s.cause[i] = c
		sweep.start(Node(i))
	}
}

// judge keeps of every node what is not known of it by itself, which no opinion
// changes.
func (g *Graph) judge() {
	g.own = make([]uint8, g.Nodes())
	for i := range g.own {
		c := g.ignorance(Node(i))
		if c == NoCause && g.unvouched(Node(i)) >= 0 {
			c = Claimed
		}
		g.own[i] = uint8(c)
	}
}

// ignorance says what is not known of a node by itself.
func (g *Graph) ignorance(n Node) Cause {
	switch f := g.flags[n]; {
	case f&flagWeak != 0:
		return WeakDigest
	case f&flagFailed != 0:
		return Accused
	case f&(flagDescribed|flagListed) != 0 && f&flagUnresolved != 0:
		return Unresolved
	case f&flagCircular != 0:
		return InCircle
	case f&flagDescribed != 0 && Kind(g.kind[n]) == Run && !g.uses(n):
		return NoInputs
	case f&(flagDescribed|flagListed) != 0:
		return NoCause
	case f&flagMentioned != 0:
		return Untrusted
	}
	return Undescribed
}

// unvouched gives the place within upEdge of an edge to a node that no verified
// statement claims, or -1.
func (g *Graph) unvouched(n Node) int {
	for i := g.upStart[n]; i < g.upStart[n+1]; i++ {
		if g.assurance(g.upEdge[i]) != Verified {
			return int(i)
		}
	}
	return -1
}

// ignore takes what is unknown downstream. It is sweep.down with three ways to
// stop: what is tainted stays so, what the asker knows is known, and an edge may
// be a stray one.
func (s *States) ignore(sweep *sweep, known map[Node]bool) {
	g := s.g
	for i := range sweep.bits {
		handled := uint64(0)
		for left := sweep.bits[i]; left != 0; left = sweep.bits[i] &^ handled {
			b := bits.TrailingZeros64(left)
			handled = ^uint64(0) >> (63 - b)
			n := uint32(i)<<6 + uint32(b)
			d := sweep.dist[n]
			first, last := g.downStart[n], g.downStart[n+1]
			for j, to := range g.edgeTo[first:last] {
				if s.state[to] != uint8(Clean) || len(known) > 0 && known[Node(to)] || g.stray(first+uint32(j), Node(n)) {
					continue
				}
				sweep.reach(to, d+1)
			}
		}
	}
}

// stray says that an edge says only that a file of a tree was used that nobody
// vouches for: that the tree is unknown is nothing against the run, which is
// judged by the file itself. Anybody can list another's file in a tree of theirs.
func (g *Graph) stray(edge uint32, from Node) bool {
	return Relation(g.edgeRel[edge]) == UsedPart && g.flags[from]&flagDescribed == 0
}

// Of gives the state of a node.
func (s *States) Of(n Node) State { return State(s.state[n]) }

// Count gives the number of nodes in each state.
func (s *States) Count() (clean, unknown, tainted int) {
	var by [states]int
	for _, v := range s.state {
		by[v]++
	}
	return by[Clean], by[Unknown], by[Tainted]
}

// Why explains a state.
type Why struct {
	// Origin is the nearest node that is tainted or unknown by itself.
	Origin Node
	Cause  Cause
	// Reason is the asker's or the statement's, where there is one.
	Reason string
	// Path leads from the origin to the node that was asked about, both included:
	// a shortest one.
	Path []Node
	// Edges of the path, one less than nodes. For [Claimed], Edge is the edge that
	// no verified statement claims.
	Edges []Edge
	Edge  Edge
}

// Why explains the state of a node that is not clean.
func (s *States) Why(n Node) (Why, bool) {
	if s.Of(n) == Clean {
		return Why{}, false
	}
	w := Why{Path: []Node{n}}
	for Cause(s.cause[n]) == NoCause {
		e, from, ok := s.towards(n)
		if !ok {
			break
		}
		n = from
		w.Path, w.Edges = append(w.Path, n), append(w.Edges, e)
	}
	for i, j := 0, len(w.Path)-1; i < j; i, j = i+1, j-1 {
		w.Path[i], w.Path[j] = w.Path[j], w.Path[i]
	}
	for i, j := 0, len(w.Edges)-1; i < j; i, j = i+1, j-1 {
		w.Edges[i], w.Edges[j] = w.Edges[j], w.Edges[i]
	}
	w.Origin, w.Cause, w.Reason = n, Cause(s.cause[n]), s.reasons[n]
	if w.Cause == Claimed {
		// What is unknown by an edge is so by the first that nobody verified.
		w.Edge = Edge(s.g.upEdge[s.g.unvouched(n)])
	}
	return w, true
}

// By gives the cause that a node is not clean by itself, or NoCause, and how many
// edges away the nearest origin of its state stands.
func (s *States) By(n Node) (Cause, uint32) { return Cause(s.cause[n]), s.dist[n] }

// towards gives an edge on a shortest way to where the state of a node comes from.
func (s *States) towards(n Node) (Edge, Node, bool) {
	g := s.g
	for i := g.upStart[n]; i < g.upStart[n+1]; i++ {
		from, edge := Node(g.upFrom[i]), g.upEdge[i]
		if s.state[from] != s.state[n] || s.dist[from]+1 != s.dist[n] {
			continue
		}
		if s.Of(n) == Tainted || !g.stray(edge, from) {
			return Edge(edge), from, true
		}
	}
	return 0, 0, false
}
