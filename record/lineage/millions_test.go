package lineage

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
)

// millions makes a graph as a registry would hold it: few base datasets that all
// else rests on, some of them hubs, and many runs, models and batches.
func millions(n int) *Graph {
	r := rand.New(rand.NewPCG(1, 2))
	g := &Graph{evidence: []Evidence{{Assurance: Verified}}}
	var from []uint32
	for i := range n {
		g.kind = append(g.kind, uint8(Dataset)+uint8(i%5))
		g.flags = append(g.flags, flagDescribed)
		inputs := 1 + r.IntN(5)
		if i < 100 {
			inputs = 0
		} else if i%100_000 == 0 {
			inputs = 50_000
		}
		var to []int
		for range inputs {
			x := r.Float64()
			switch {
			case x < 0.1:
				to = append(to, r.IntN(100)) // hubs at the root
			case x < 0.55:
				to = append(to, i-1-r.IntN(min(i, 1000)))
			default:
				to = append(to, int(float64(i)*r.Float64()*r.Float64()))
			}
		}
		sort.Ints(to)
		for _, f := range slices.Compact(to) {
			from, g.edgeTo = append(from, uint32(f)), append(g.edgeTo, uint32(i))
		}
	}
	start, order := group(n, from)
	turned := make([]uint32, len(order))
	for i, e := range order {
		turned[i] = g.edgeTo[e]
	}
	g.downStart, g.edgeTo = start, turned
	g.edgeRel, g.edgeEv = make([]uint8, len(turned)), make([]uint32, len(turned))
	list := make([]string, n)
	for i := range list {
		list[i] = "\x01" + fmt.Sprintf("%032x", r.Uint64())
	}
	sort.Strings(list)
	g.keys = newTexts(list)
	for i := range n {
		g.keyNode, g.nodeKey = append(g.keyNode, uint32(i)), append(g.nodeKey, uint32(i))
	}
	g.nameStart = make([]uint32, n+1)
	g.names, g.versions = newTexts(nil), newTexts(nil)
	g.turn(g.sources())
	g.judge()
	return g
}
