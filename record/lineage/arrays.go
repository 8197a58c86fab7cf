package lineage

import (
	"cmp"
	"slices"
	"strings"
)

// putNodes lays the nodes out in their order.
func (a *assembly) putNodes(g *Graph) {
	n := len(a.nodes)
	byRank := make([]uint32, n)
	for old, rank := range a.rank {
		byRank[rank] = uint32(old)
	}
	g.kind, g.flags = make([]uint8, n), make([]uint8, n)
	g.nameStart = make([]uint32, 1, n+1)
	var names, versions []string
	for i, old := range byRank {
		node := &a.nodes[old]
		g.kind[i], g.flags[i] = uint8(node.kind), node.flags
		for _, name := range node.names {
			names, versions = append(names, name.name), append(versions, name.version)
			g.nameBy = append(g.nameBy, uint8(name.by))
		}
		g.nameStart = append(g.nameStart, uint32(len(names)))
	}
	g.names, g.versions = newTexts(names), newTexts(versions)
	a.putKeys(g)
}

// putKeys sorts the keys of nodes. Keys of files that no claim names are left out.
func (a *assembly) putKeys(g *Graph) {
	var keep []uint32
	for k := range a.keyText {
		if a.owner[a.find(uint32(k))] != 0 {
			keep = append(keep, uint32(k))
		}
	}
	slices.SortFunc(keep, func(x, y uint32) int { return strings.Compare(a.keyText[x], a.keyText[y]) })
	sorted := make([]string, len(keep))
	g.keyNode, g.nodeKey = make([]uint32, len(keep)), make([]uint32, len(a.nodes))
	for i, k := range keep {
		sorted[i] = a.keyText[k]
		old := a.owner[a.find(k)] - 1
		g.keyNode[i] = a.rank[old]
		if a.nodes[old].key == k {
			g.nodeKey[a.rank[old]] = uint32(i)
		}
	}
	g.keys = newTexts(sorted)
}

// putEdges sorts the edges by their ends, in both directions.
func (a *assembly) putEdges(g *Graph) {
	n, m := len(a.nodes), len(a.from)
	order := make([]uint32, m)
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(a.rank[a.from[x]], a.rank[a.from[y]]),
			cmp.Compare(a.rank[a.to[x]], a.rank[a.to[y]]), cmp.Compare(a.rel[x], a.rel[y]))
	})
	from := make([]uint32, m)
	g.edgeTo, g.edgeRel, g.edgeEv = make([]uint32, m), make([]uint8, m), make([]uint32, m)
	for i, e := range order {
		from[i] = a.rank[a.from[e]]
		g.edgeTo[i], g.edgeRel[i], g.edgeEv[i] = a.rank[a.to[e]], uint8(a.rel[e]), a.ev[e]
	}
	g.downStart, _ = group(n, from)
	g.turn(from)
	a.putAside(g)
}

// turn makes the rows of the other direction. from is the start of each edge.
func (g *Graph) turn(from []uint32) {
	g.upStart, g.upEdge = group(len(g.kind), g.edgeTo)
	g.upFrom = make([]uint32, len(g.upEdge))
	for i, e := range g.upEdge {
		g.upFrom[i] = from[e]
	}
}

// putEvidence sorts the statements, so that the order of reading does not show.
func (a *assembly) putEvidence(g *Graph) {
	order := make([]uint32, len(a.evidence))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(x, y uint32) int {
		ex, ey := &a.evidence[x], &a.evidence[y]
		return cmp.Or(strings.Compare(ex.Source, ey.Source), strings.Compare(ex.Statement, ey.Statement))
	})
	place := make([]uint32, len(order))
	g.evidence = make([]Evidence, len(order))
	for i, old := range order {
		place[old] = uint32(i)
		g.evidence[i] = a.evidence[old]
	}
	for i, old := range g.edgeEv {
		g.edgeEv[i] = place[old]
	}
	for i, old := range g.aside.ev {
		g.aside.ev[i] = place[old]
	}
	for i := range a.marks {
		a.marks[i].Evidence = place[a.marks[i].Evidence]
	}
}
