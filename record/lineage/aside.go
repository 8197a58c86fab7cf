package lineage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bartizan/attest"
)

// aside are edges that would close circles. No walk goes over them, but taint does:
// else whoever adds a claim the other way round could stop it.
type aside struct {
	from, to []uint32
	rel      []uint8
	ev       []uint32

	start, order []uint32 // rows by from
}

func (s *aside) add(from, to uint32, r Relation, ev uint32) {
	s.from, s.to = append(s.from, from), append(s.to, to)
	s.rel, s.ev = append(s.rel, uint8(r)), append(s.ev, ev)
}

// verifiedEdges are those that a verified statement claims, and more.
func (a *assembly) verifiedEdges(more []fileUse) (n int, from, to []uint32) {
	for e := range a.from {
		if a.evidence[a.ev[e]].Assurance == Verified {
			from, to = append(from, a.from[e]), append(to, a.to[e])
		}
	}
	for _, u := range more {
		from, to = append(from, u.tree), append(to, u.run)
	}
	return len(a.nodes), from, to
}

// setAside takes out of every circle the edges that no verified statement claims.
// Those that are left lie on none: see checkCycles. Where they lead is unknown,
// which they had made it in place too.
func (a *assembly) setAside() error {
	component, size := components(rows(len(a.nodes), a.from, a.to))
	circles := map[uint32][]uint32{} // component to its edges that go
	for e := range a.from {
		c := component[a.from[e]]
		if c == component[a.to[e]] && size[c] > 1 && a.evidence[a.ev[e]].Assurance != Verified {
			circles[c] = append(circles[c], uint32(e))
		}
	}
	if len(circles) == 0 {
		return nil
	}
	a.noteCircles(circles)
	kept := 0
	clear(a.seen)
	for e := range a.from {
		c := component[a.from[e]]
		if c == component[a.to[e]] && size[c] > 1 && a.evidence[a.ev[e]].Assurance != Verified {
			a.aside.add(a.from[e], a.to[e], a.rel[e], a.ev[e])
			a.nodes[a.to[e]].flags |= flagCircular
			continue
		}
		a.from[kept], a.to[kept], a.rel[kept], a.ev[kept] = a.from[e], a.to[e], a.rel[e], a.ev[e]
		a.seen[edgeKey{a.from[kept], a.to[kept], a.rel[kept]}] = uint32(kept)
		kept++
	}
	a.from, a.to, a.rel, a.ev = a.from[:kept], a.to[:kept], a.rel[:kept], a.ev[:kept]
	return nil
}

// linkTwins takes taint both ways between things that an unverified claim says are
// one, and that stay two.
func (a *assembly) linkTwins() {
	for _, t := range a.twins {
		x, y := a.nodeOf[t.thing], a.owner[a.find(t.key)]
		if y == 0 || y-1 == x {
			continue
		}
		ev := a.things[t.thing].evidence
		a.aside.add(x, y-1, Derived, ev)
		a.aside.add(y-1, x, Derived, ev)
	}
}

// twin is a key of a thing that belongs to another.
type twin struct{ thing, key uint32 }

// noteCircles shows each circle with some of what was set aside.
func (a *assembly) noteCircles(circles map[uint32][]uint32) {
	for _, c := range slices.Sorted(maps.Keys(circles)) {
		edges := circles[c]
		slices.SortFunc(edges, func(x, y uint32) int {
			return cmp.Or(strings.Compare(a.nodeText(int(a.from[x])), a.nodeText(int(a.from[y]))),
				strings.Compare(a.nodeText(int(a.to[x])), a.nodeText(int(a.to[y]))), cmp.Compare(a.rel[x], a.rel[y]))
		})
		var nodes []uint32
		var texts []string
		vouched := false
		for i, e := range edges {
			vouched = vouched || a.vouchedFor(a.from[e]) || a.vouchedFor(a.to[e])
			if i < maxCycleShown {
				texts = append(texts, fmt.Sprintf("%s -> %s by %s", a.label(a.from[e]), a.label(a.to[e]), a.describe(a.ev[e])))
			}
			nodes = append(nodes, a.from[e], a.to[e])
		}
		if more := len(edges) - maxCycleShown; more > 0 {
			texts = append(texts, fmt.Sprintf("%d more", more))
		}
		slices.Sort(nodes)
		a.conflict(Circular, vouched, "claims that nobody verified make a thing of itself and were set aside: "+strings.Join(texts, "; "), slices.Compact(nodes)...)
	}
}

// putAside sorts what was set aside.
func (a *assembly) putAside(g *Graph) {
	order := make([]uint32, len(a.aside.from))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(a.rank[a.aside.from[x]], a.rank[a.aside.from[y]]),
			cmp.Compare(a.rank[a.aside.to[x]], a.rank[a.aside.to[y]]), cmp.Compare(a.aside.rel[x], a.aside.rel[y]),
			strings.Compare(a.evidence[a.aside.ev[x]].Statement, a.evidence[a.aside.ev[y]].Statement),
			strings.Compare(a.evidence[a.aside.ev[x]].Source, a.evidence[a.aside.ev[y]].Source))
	})
	for _, i := range order {
		g.aside.add(a.rank[a.aside.from[i]], a.rank[a.aside.to[i]], Relation(a.aside.rel[i]), a.aside.ev[i])
	}
}

func (g *Graph) rowsAside() { g.aside.start, g.aside.order = group(g.Nodes(), g.aside.from) }

// checkAside holds what the methods rely on. Such edges may lead to lower numbers.
func (g *Graph) checkAside(n int) error {
	s := &g.aside
	if len(s.to) != len(s.from) || len(s.rel) != len(s.from) || len(s.ev) != len(s.from) || len(s.from) > MaxEdges {
		return broken("its lists of edges that were set aside have different lengths")
	}
	for i := range s.from {
		if s.from[i] >= uint32(n) || s.to[i] >= uint32(n) || s.rel[i] >= uint8(relations) || s.ev[i] >= uint32(len(g.evidence)) {
			return attest.Refuse(attest.LineageMalformed, "", "an edge that was set aside leads nowhere")
		}
	}
	return nil
}

// around takes taint over the edges that were set aside, and on from there. Each
// node and edge is looked at once more at most.
func (s *States) around() {
	g := s.g
	var queue []uint32
	over := func(i uint32) {
		if from, to := g.aside.from[i], g.aside.to[i]; s.state[from] == uint8(Tainted) && s.state[to] != uint8(Tainted) {
			s.state[to], s.cause[to], s.dist[to] = uint8(Tainted), uint8(Around), 0
			s.reasons[Node(to)] = g.ID(Node(from))
			queue = append(queue, to)
		}
	}
	for i := range g.aside.from {
		over(uint32(i))
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, to := range g.edgeTo[g.downStart[n]:g.downStart[n+1]] {
			if s.state[to] != uint8(Tainted) {
				s.state[to], s.dist[to] = uint8(Tainted), s.dist[n]+1
				queue = append(queue, to)
			}
		}
		for _, i := range g.aside.order[g.aside.start[n]:g.aside.start[n+1]] {
			over(i)
		}
	}
}

// taintsFile says whether something is tainted that may be a single file, which
// may lie in trees whose files are not known by the same algorithm.
func (s *States) taintsFile() bool {
	for n, c := range s.cause {
		if c != uint8(Given) && c != uint8(Marked) {
			continue
		}
		k := Kind(s.g.kind[n])
		if k == File || k == Artifact || k == Model && s.g.flags[n]&flagDescribed == 0 {
			return true
		}
	}
	return false
}

// uses says whether anything is said to have been used by a run.
func (g *Graph) uses(n Node) bool {
	for _, e := range g.upEdge[g.upStart[n]:g.upStart[n+1]] {
		if Relation(g.edgeRel[e]) == Used {
			return true
		}
	}
	return false
}
