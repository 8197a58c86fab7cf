package lineage

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTraceIsWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, n := randomGraph(t)
		s := g.Assess(Opinions{Tainted: map[Node]string{Node(rapid.IntRange(0, n-1).Draw(t, "taint")): "x"}})
		ends := rapid.IntRange(1, 4).Draw(t, "ends")
		trace := s.Trace(ends)
		for i := range n {
			long, ok := s.Why(Node(i))
			short, same := trace.Why(Node(i))
			if ok != same || ok && (long.Origin != short.Origin || long.Cause != short.Cause || long.Reason != short.Reason) {
				t.Fatalf("%v and %v", long, short)
			}
			want := long.Path
			if len(want) > 2*ends {
				want = append(slices.Clone(want[:ends]), want[len(want)-ends:]...)
			}
			if !slices.Equal(want, short.Path) || len(long.Path) != len(short.Path)+short.Omitted {
				t.Fatalf("%v and %v, %d omitted", long.Path, short.Path, short.Omitted)
			}
		}
	})
}

func BenchmarkTraceOfAChain(b *testing.B) {
	w := newWorld(b).describe("v1", "000000")
	const n = 20_000
	for i := range n {
		w.edge("v1", fmt.Sprintf("%06d", i), fmt.Sprintf("%06d", i+1), Derived)
	}
	g := w.build()
	s := g.Assess(taintIn(g, "000000"))
	for b.Loop() {
		trace := s.Trace(20)
		for i := range g.Nodes() {
			trace.Why(Node(i))
		}
	}
}
