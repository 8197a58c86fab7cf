package lineage

import "math/bits"

// sweep finds what is reached in one pass over the nodes in their order. Since
// every edge leads to a higher number, a node's distance is final when the pass
// comes to it (the shortest ways of a graph without cycles): memory is read in
// order, where a search by distance would jump. Which nodes are reached is one bit
// each, so that the pass over a million nodes that are not costs microseconds.
type sweep struct {
	g     *Graph
	bits  []uint64
	cells []cell // of nodes whose bit is set
}

// cell is a node's distance and the last edge of a shortest way to it.
type cell struct{ dist, via uint32 }

func (g *Graph) newSweep() sweep {
	return sweep{g: g, bits: make([]uint64, (g.Nodes()+63)/64), cells: make([]cell, g.Nodes())}
}

// start puts a node at distance 0.
func (s *sweep) start(n Node) {
	s.bits[n>>6] |= 1 << (n & 63)
	s.cells[n] = cell{}
}

func (s *sweep) has(n Node) bool { return s.bits[n>>6]>>(n&63)&1 == 1 }

// reach takes distance d over edge via to a node.
func (s *sweep) reach(n, d, via uint32) {
	word, bit := &s.bits[n>>6], uint64(1)<<(n&63)
	if *word&bit == 0 {
		*word |= bit
		s.cells[n] = cell{d, via}
	} else if c := &s.cells[n]; c.dist > d {
		*c = cell{d, via}
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
			d := s.cells[n].dist
			if d >= limit {
				continue
			}
			first, last := g.downStart[n], g.downStart[n+1]
			for j, to := range g.edgeTo[first:last] {
				s.reach(to, d+1, first+uint32(j))
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
			d := s.cells[n].dist
			if d >= limit {
				continue
			}
			first, last := g.upStart[n], g.upStart[n+1]
			via := g.upEdge[first:last]
			for j, from := range g.upFrom[first:last] {
				s.reach(from, d+1, via[j])
			}
		}
	}
}

// each calls yield for every node that was reached, in the order of numbers.
func (s *sweep) each(yield func(Node, cell)) {
	for i, word := range s.bits {
		for ; word != 0; word &= word - 1 {
			n := Node(i<<6 + bits.TrailingZeros64(word))
			yield(n, s.cells[n])
		}
	}
}
