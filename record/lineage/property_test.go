package lineage

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bartizan/attest"
)

// randomGraph draws a graph without cycles, with its edges.
func randomGraph(t *rapid.T) (*Graph, int) {
	n := rapid.IntRange(1, 30).Draw(t, "nodes")
	b := NewBuilder()
	var ev [assurances]uint32
	for a := range assurances {
		ev[a] = b.Evidence(Evidence{Statement: a.String(), Assurance: a})
	}
	refs := make([]Ref, n)
	for i := range refs {
		by := rapid.SampledFrom([]Assurance{Unverified, Declared, Verified, Verified, Verified}).Draw(t, "by")
		refs[i], _ = b.Thing(ev[by], Thing{Keys: []string{hexKey(fmt.Sprintf("%03d", i))}, Described: rapid.Bool().Draw(t, "described")})
	}
	for range rapid.IntRange(0, 60).Draw(t, "edges") {
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		if from < to {
			by := rapid.SampledFrom([]Assurance{Unverified, Declared, Verified, Verified, Verified}).Draw(t, "by")
			_ = b.Edge(ev[by], refs[from], refs[to], Used)
		}
	}
	g, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return g, n
}

func TestUpAndDownAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, n := randomGraph(t)
		w := g.NewWalker()
		depth := rapid.IntRange(-1, 5).Draw(t, "depth")
		type pair struct{ a, b Node }
		down, up := map[pair]int32{}, map[pair]int32{}
		for i := range n {
			for _, s := range w.Walk(Node(i), Down, depth) {
				down[pair{Node(i), s.Node}] = s.Depth
			}
			for _, s := range w.Walk(Node(i), Up, depth) {
				up[pair{s.Node, Node(i)}] = -s.Depth
			}
			if both := len(w.Walk(Node(i), Both, depth)); both != len(w.Walk(Node(i), Up, depth))+len(w.Walk(Node(i), Down, depth))-1 {
				t.Fatalf("both ways from %d reach %d", i, both)
			}
		}
		if len(down) != len(up) {
			t.Fatalf("%d pairs down, %d up", len(down), len(up))
		}
		for p, d := range down {
			if up[p] != d {
				t.Fatalf("%v is %d down and %d up", p, d, up[p])
			}
		}
	})
}

func TestTaintIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, n := randomGraph(t)
		some := Opinions{Tainted: map[Node]string{}}
		more := Opinions{Tainted: map[Node]string{}}
		for i := range n {
			switch rapid.IntRange(0, 5).Draw(t, "taint") {
			case 0:
				some.Tainted[Node(i)], more.Tainted[Node(i)] = "x", "x"
			case 1:
				more.Tainted[Node(i)] = "x"
			}
		}
		before, after := g.Assess(some), g.Assess(more)
		w := g.NewWalker()
		for i := range n {
			x := Node(i)
			if after.Of(x) < before.Of(x) {
				t.Fatalf("%d was %s and with more taint is %s", i, before.Of(x), after.Of(x))
			}
			checkState(t, g, w, some, before, x)
		}
	})
}

// checkState holds a state against its definition, and its explanation.
func checkState(t *rapid.T, g *Graph, w *Walker, o Opinions, s *States, x Node) {
	want := Clean
	for _, step := range w.Walk(x, Up, -1) {
		if _, is := o.Tainted[step.Node]; is {
			want = Tainted
		}
		if want == Clean && (g.ignorance(step.Node) != NoCause || g.unvouched(step.Node) >= 0) {
			want = Unknown
		}
	}
	if s.Of(x) != want {
		t.Fatalf("%d is %s, want %s", x, s.Of(x), want)
	}
	why, ok := s.Why(x)
	if ok != (want != Clean) {
		t.Fatalf("%d is %s and explained: %v", x, want, ok)
	}
	if !ok {
		return
	}
	if why.Path[0] != why.Origin || why.Path[len(why.Path)-1] != x || len(why.Path) != len(why.Edges)+1 || why.Cause == NoCause {
		t.Fatalf("path %v of %d", why, x)
	}
	for i, e := range why.Edges {
		if l := g.Link(e); l.From != why.Path[i] || l.To != why.Path[i+1] {
			t.Fatalf("edge %d of the path leads elsewhere", i)
		}
	}
}

func TestOrderOfClaimsDoesNotMatter(t *testing.T) {
	type step func(w *world)
	long := "sha512:" + strings.Repeat("5", 128)
	steps := []step{
		func(w *world) { w.describe("v1", "a") },
		func(w *world) { w.describe("u2", "a="+long) },
		func(w *world) { w.describe("u3", "b="+long) },
		func(w *world) { w.run("v4", "run:1", []string{"a", "b"}, "m") },
		func(w *world) { w.run("u5", "run:1", []string{"c"}, "m") },
		func(w *world) { w.tree("v6", "tree", "a", "q") },
		func(w *world) { w.edge("d7", "m", "n", Deployed) },
		func(w *world) { w.b.Mark(w.by("v8"), w.thing("v8", "b", false), "bad") },
	}
	var first []byte
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		order := r.Perm(len(steps))
		w := newWorld(t)
		for _, i := range order {
			steps[i](w)
		}
		var buf bytes.Buffer
		if err := w.build().Encode(&buf); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = buf.Bytes()
		} else if !bytes.Equal(first, buf.Bytes()) {
			t.Fatalf("another graph in the order %v", order)
		}
	}
}

func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, n := randomGraph(t)
		var buf, again bytes.Buffer
		if err := g.Encode(&buf); err != nil {
			t.Fatal(err)
		}
		back, err := Decode(buf.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Encode(&again); err != nil || !bytes.Equal(buf.Bytes(), again.Bytes()) {
			t.Fatalf("another file: %v", err)
		}
		for i := range n {
			w, x := g.NewWalker(), back.NewWalker()
			if !slices.Equal(w.Walk(Node(i), Both, -1), x.Walk(Node(i), Both, -1)) || g.ID(Node(i)) != back.ID(Node(i)) {
				t.Fatal("another walk")
			}
		}
	})
}

func TestDecodeRefusesEveryChangedByte(t *testing.T) {
	w := newWorld(t).run("v1", "run:1", []string{"a"}, "m").tree("v2", "tree", "a")
	var buf bytes.Buffer
	if err := w.build().Encode(&buf); err != nil {
		t.Fatal(err)
	}
	data := buf.Bytes()
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 0x41
		if _, err := Decode(changed); attest.CodeOf(err) != attest.LineageMalformed {
			t.Fatalf("byte %d: %v", i, err)
		}
		if _, err := Decode(data[:i]); attest.CodeOf(err) != attest.LineageMalformed {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}
