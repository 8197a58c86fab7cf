package lineage

import "math/bits"

// sweep finds what is reached in one pass over the nodes in their order. Since
// every edge leads to a higher number, a node's distance is final when the pass
// comes to it (the shortest ways of a graph without cycles): memory is read in
// order, where a search by distance would jump. Which nodes are reached is one bit
// each, so that the pass over a million nodes that are not costs microseconds.
type sweep struct {
	g    *Graph
	bits []uint64
	dist []uint32 // edges to the nearest start, of nodes whose bit is set
}

func (g *Graph) newSweep() sweep {
	return sweep{g: g, bits: make([]uint64, (g.Nodes()+63)/64), dist: make([]uint32, g.Nodes())}
}

// start puts a node at distance 0.
func (s *sweep) start(n Node) {
	s.bits[n>>6] |= 1 << (n & 63)
	s.dist[n] = 0
}

// reach takes distance d to a node.
func (s *sweep) reach(n, d uint32) {
	word, bit := &s.bits[n>>6], uint64(1)<<(n&63)
	if *word&bit == 0 {
		*word |= bit
		s.dist[n] = d
	} else if s.dist[n] > d {
		s.dist[n] = d
	}
}

// down goes to higher numbers, from everything that was started, at most limit
// edges far.
func (s *sweep) down(limit uint32) {
	g := s.g
	for i := range s.bits {
		handled := uint64(0)
		for left := s.bits[i]; left != 0; left = s.bits[i] &^ handled {
			b := bits.TrailingZeros64(left)
			handled = ^uint64(0) >> (63 - b)
			n := uint32(i)<<6 + uint32(b)
			d := s.dist[n]
			if d >= limit {
				continue
			}
			for _, to := range g.edgeTo[g.downStart[n]:g.downStart[n+1]] {
				s.reach(to, d+1)
			}
		}
	}
}

// up goes to lower numbers.
func (s *sweep) up(limit uint32) {
	g := s.g
	for i := len(s.bits) - 1; i >= 0; i-- {
		handled := uint64(0)
		for left := s.bits[i]; left != 0; left = s.bits[i] &^ handled {
			b := 63 - bits.LeadingZeros64(left)
			handled = ^uint64(0) << b
			n := uint32(i)<<6 + uint32(b)
			d := s.dist[n]
			if d >= limit {
				continue
			}
			for _, from := range g.upFrom[g.upStart[n]:g.upStart[n+1]] {
				s.reach(from, d+1)
			}
		}
	}
}

// take calls yield for every node that was reached, in the order of numbers, and
// forgets it.
func (s *sweep) take(yield func(n Node, dist uint32)) {
	for i, word := range s.bits {
		for s.bits[i] = 0; word != 0; word &= word - 1 {
			n := i<<6 + bits.TrailingZeros64(word)
			yield(Node(n), s.dist[n])
		}
	}
}
