package lineage

import (
	"context"
	"fmt"
	"testing"

	"bartizan/attest"
)

// Shapes that would take a slow builder hours, or its stack. They have to end.

func TestOneThingWithManyNames(t *testing.T) {
	b := NewBuilder()
	ev := b.Evidence(Evidence{Assurance: Declared})
	for i := range 200_000 {
		if _, err := b.Thing(ev, Thing{Keys: []string{"dataset:hub", fmt.Sprintf("dataset:%d", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	g, err := b.Build(context.Background())
	if err != nil || g.Nodes() != 1 {
		t.Fatal(err)
	}
}

func TestLongChain(t *testing.T) {
	b := NewBuilder()
	ev := b.Evidence(Evidence{Assurance: Verified})
	const n = 300_000
	var refs []Ref
	for i := range n {
		r, err := b.Thing(ev, Thing{Keys: []string{fmt.Sprintf("run:%d", i)}, Described: true})
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, r)
	}
	for i := range n - 1 {
		if err := b.Edge(ev, refs[i], refs[i+1], Used); err != nil {
			t.Fatal(err)
		}
	}
	g, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s := g.Assess(Opinions{Tainted: map[Node]string{0: "x"}})
	if why, ok := s.Why(n - 1); !ok || len(why.Path) != n {
		t.Errorf("a path of %d nodes", len(why.Path))
	}
	if err := b.Edge(ev, refs[n-1], refs[0], Used); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(context.Background()); attest.CodeOf(err) != attest.LineageCycle {
		t.Error(err)
	}
}

func TestOneFileInManyTrees(t *testing.T) {
	for _, c := range []struct {
		by      string
		trees   int
		refused bool
	}{{"u", 3000, false}, {"v", 3000, true}} {
		w := newWorld(t)
		for i := range c.trees {
			w.tree(c.by+"1", fmt.Sprintf("t%d", i), "licence")
		}
		for i := range 1500 {
			w.run("v2", fmt.Sprintf("run:%d", i), []string{"licence"})
		}
		_, err := w.b.Build(context.Background())
		if got := attest.CodeOf(err) == attest.LineageMalformed; got != c.refused {
			t.Errorf("%s: %v", c.by, err)
		}
	}
}
