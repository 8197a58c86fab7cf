package lineage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bartizan/attest"
)

// What follows holds what statements that nobody verified can do: nothing that
// makes a thing look better.

// wild draws claims of one assurance over few things, evenly: rapid's own draws
// lean to small worlds, in which nothing happens.
func wild(r *rand.Rand, by string, count int) (out []func(w *world)) {
	things := []string{"a", "b", "c", "d", "e", "f"}
	for i := range count {
		name := fmt.Sprintf("%s%d", by, i)
		p := r.Perm(len(things))[:3]
		run := fmt.Sprintf("run:%d", r.IntN(3))
		if by == "v" { // things come of lower ones
			slices.Sort(p)
			run = fmt.Sprintf("run:v%d", i)
		}
		x, y, z := things[p[0]], things[p[1]], things[p[2]]
		if by == "u" && r.IntN(4) == 0 { // digests of two things as those of one
			x, z = x+"="+z, z+"="+y
		}
		relation := []Relation{Used, Derived, Deployed}[r.IntN(3)]
		switch r.IntN(5) {
		case 0:
			out = append(out, func(w *world) { w.describe(name, x, y) })
		case 1:
			out = append(out, func(w *world) { w.run(name, run, []string{x, y}, z) })
		case 2:
			out = append(out, func(w *world) { w.tree(name, z, x[:1], y) })
		case 3:
			out = append(out, func(w *world) { w.edge(name, x, y, relation) })
		case 4:
			out = append(out, func(w *world) { w.b.Mark(w.by(name), w.thing(name, x, false), "bad") })
		}
	}
	return out
}

func TestStrangersMakeNothingBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		honest, strange := wild(r, "v", 1+r.IntN(5)), wild(r, "u", 1+r.IntN(6))
		some := r.IntN(len(strange)) // are there before the others
		build := func(claims ...func(*world)) *Graph {
			w := &world{t: quiet{}, b: NewBuilder(), e: map[string]uint32{}, r: map[string]Ref{}}
			for _, c := range claims {
				c(w)
			}
			g, err := w.b.Build(context.Background())
			if attest.CodeOf(err) == attest.LineageCycle {
				return nil
			}
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		before := build(append(slices.Clone(honest), strange[:some]...)...)
		if before == nil {
			return // verified claims that are circular refuse all
		}
		after := build(append(slices.Clone(honest), strange...)...)
		if after == nil {
			t.Fatal("strangers refuse the import")
		}
		tainted := string("abcdef"[r.IntN(6)])
		b, a := before.Assess(taintIn(before, tainted)), after.Assess(taintIn(after, tainted))
		for i := range before.Nodes() {
			n := Node(i)
			m, err := after.FindOne(before.ID(n))
			if err != nil {
				t.Fatal(err)
			}
			if a.Of(m) < b.Of(n) {
				t.Fatalf("%s was %s and is %s", before.ID(n), b.Of(n), a.Of(m))
			}
			first, last := before.Down(n)
			for e := first; e < last; e++ {
				if l := before.Link(e); l.Evidence.Assurance == Verified && !hasEdge(t, after, m, before.ID(l.To), l.Relation) {
					t.Fatalf("the edge %s -> %s is gone", before.ID(n), before.ID(l.To))
				}
			}
		}
	})
}

type quiet struct{ testing.TB }

func taintIn(g *Graph, key string) Opinions {
	o := Opinions{Tainted: map[Node]string{}}
	if n, err := g.FindOne(hexKey(key)); err == nil {
		o.Tainted[n] = "x"
	}
	return o
}

func hasEdge(t *rapid.T, g *Graph, from Node, to string, r Relation) bool {
	n, err := g.FindOne(to)
	if err != nil {
		t.Fatal(err)
	}
	first, last := g.Down(from)
	for e := first; e < last; e++ {
		if l := g.Link(e); l.To == n && l.Relation == r && l.Evidence.Assurance == Verified {
			return true
		}
	}
	return false
}

func TestAnUnsignedCircleStopsNoTaint(t *testing.T) {
	w := newWorld(t).tree("v1", "tree", "f").run("v2", "run:1", []string{"f"}, "m").run("u3", "run:9", []string{"m"}, "tree")
	if got := stateOf(t, w.build(), "m", "tree"); got != Tainted {
		t.Errorf("the model is %s", got)
	}
	// Not even where all claims of the circle are strangers'.
	w = newWorld(t).run("u1", "run:1", []string{"d"}, "m").run("u2", "run:2", []string{"m"}, "d")
	if got := stateOf(t, w.build(), "m", "d"); got != Tainted {
		t.Errorf("the model is %s", got)
	}
	// A tree that came of the run by verified claims taints the run all the same.
	w = newWorld(t).run("v2", "run:1", []string{"f"}, "tree").tree("v3", "tree", "f", "g")
	if got := stateOf(t, w.build(), "run:1", "tree"); got != Tainted {
		t.Errorf("the run is %s", got)
	}
}

func TestStrangersTreesCrowdNothingOut(t *testing.T) {
	w := newWorld(t).describe("v1", "f").run("v2", "run:1", []string{"f"}, "m")
	for i := range 3 * maxStrangeTrees {
		w.thing("u1", fmt.Sprintf("a%03d", i), true)
		if err := w.b.Part(w.by("v0"), w.thing("u1", fmt.Sprintf("a%03d", i), true), hexKey("f")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.b.Part(w.by("v0"), w.thing("u1", "zz", true), hexKey("f")); err != nil {
		t.Fatal(err)
	}
	g := w.build()
	if got := stateOf(t, g, "m"); got != Unknown {
		t.Errorf("with trees left out the model is %s", got)
	}
	if got := stateOf(t, g, "m", "zz"); got != Tainted {
		t.Errorf("of a tainted tree that was left out the model is %s", got)
	}
	w.b.Mark(w.by("v9"), w.thing("v9", "zz", false), "FAILED")
	if got := stateOf(t, w.build(), "m"); got != Tainted {
		t.Errorf("of a marked tree the model is %s", got)
	}
}

func TestTaintOfATreeReachesWhateverCameOfItsFile(t *testing.T) {
	for _, r := range []Relation{Used, Derived, Deployed, Answered, Evaluated, Approved, Decided} {
		w := newWorld(t).tree("v1", "tree", "f").edge("v2", "f", "x", r)
		g := w.build()
		if got := stateOf(t, g, "x", "tree"); got != Tainted {
			t.Errorf("%s: %s", r, got)
		}
		if got := stateOf(t, g, "x"); got != Clean {
			t.Errorf("%s: %s without taint", r, got)
		}
	}
}

func TestOnlyTreesListFiles(t *testing.T) {
	// A signed file whose digest is also that of a made-up list of files.
	w := newWorld(t).describe("v1", "signed").run("v2", "run:1", []string{"f"}, "m")
	if err := w.b.Part(w.by("v0"), w.thing("u1", "signed", true), hexKey("f")); err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, w.build(), "f"); got != Unknown {
		t.Errorf("a file of it is %s", got)
	}
}

func TestARunWithoutInputsIsUnknown(t *testing.T) {
	g := newWorld(t).run("v1", "run:1", nil, "m").build()
	why, ok := g.Assess(Opinions{}).Why(at(t, g, "m"))
	if !ok || why.Cause != NoInputs {
		t.Errorf("%v %s", ok, why.Cause)
	}
}

func TestFilesThatCannotBeCompared(t *testing.T) {
	w := newWorld(t)
	if _, err := w.b.Thing(w.by("v1"), Thing{Keys: []string{hexKey("tree")}, Kind: Model, Described: true, Tree: true, Opaque: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.b.Thing(w.by("v2"), Thing{Keys: []string{hexKey("f")}, Kind: File, Described: true}); err != nil {
		t.Fatal(err)
	}
	w.describe("v3", "set")
	g := w.build()
	if got := stateOf(t, g, "tree"); got != Clean {
		t.Errorf("%s without taint", got)
	}
	if got := stateOf(t, g, "tree", "set"); got != Clean {
		t.Errorf("%s with a tainted dataset", got)
	}
	if got := stateOf(t, g, "tree", "f"); got != Unknown {
		t.Errorf("%s with a tainted file", got)
	}
}

func named(t *testing.T, w *world, by, key, name, version string, k Kind) {
	t.Helper()
	if _, err := w.b.Thing(w.by(by), Thing{Keys: []string{hexKey(key)}, Name: name, Version: version, Kind: k, Described: true}); err != nil {
		t.Fatal(err)
	}
}

func TestNamesOfStrangers(t *testing.T) {
	w := newWorld(t)
	for i := range 3 * maxNames {
		named(t, w, "u1", "a", fmt.Sprintf("aaa%04d", i), "9", Dataset)
	}
	named(t, w, "v2", "a", "loans", "7", Dataset)
	named(t, w, "u3", "b", "loans", "7", Model)
	named(t, w, "u4", "c", "other", "", Model)
	g := w.build()
	n, sure, err := g.FindSure("loans@7")
	if err != nil || n != at(t, g, "a") || !sure {
		t.Errorf("%d %v %v", n, sure, err)
	}
	if name, _ := g.Name(n); name != "loans" {
		t.Errorf("the title is %s", name)
	}
	if n, sure, err := g.FindSure("other"); err != nil || sure || n != at(t, g, "c") {
		t.Errorf("%d %v %v", n, sure, err)
	}
	var kinds []Contradiction
	for _, c := range g.Conflicts() {
		kinds = append(kinds, c.Kind)
	}
	if !slices.Contains(kinds, NameReused) || !slices.Contains(kinds, CutShort) { // over kinds
		t.Errorf("got %v", kinds)
	}
}

func TestANameOutranksABarePrefix(t *testing.T) {
	w := newWorld(t)
	named(t, w, "v1", "a", "20261001", "", Dataset)
	evil := "sha256:20261001" + strings.Repeat("0", 56)
	w.thing("u2", evil, true)
	g := w.build()
	if n, err := g.FindOne("20261001"); err != nil || n != at(t, g, "a") {
		t.Errorf("%d %v", n, err)
	}
	if n, err := g.FindOne("sha256:20261001"); err != nil || g.ID(n) != evil {
		t.Errorf("%d %v", n, err)
	}
	// A stranger's name and a digest that begins so are two meanings.
	w = newWorld(t)
	named(t, w, "u1", "a", "20261001", "", Dataset)
	w.thing("v2", evil, true)
	if _, err := w.build().FindOne("20261001"); err == nil {
		t.Error("a stranger's name outranks a digest")
	}
}

func TestStrangersConflictsCrowdNothingOut(t *testing.T) {
	w := newWorld(t)
	named(t, w, "v1", "a", "loans", "7", Dataset)
	named(t, w, "v2", "b", "loans", "7", Dataset)
	for i := range maxConflicts + 5 {
		named(t, w, "u1", fmt.Sprintf("x%d", i), fmt.Sprintf("aa%06d", i), "1", Dataset)
		named(t, w, "u2", fmt.Sprintf("y%d", i), fmt.Sprintf("aa%06d", i), "1", Dataset)
	}
	g := w.build()
	c := g.Conflicts()
	if len(c) != maxConflicts+2 || c[0].Kind != CutShort || c[1].Kind != NameReused || !strings.Contains(c[1].Detail, "loans") {
		t.Errorf("%d conflicts, first %v", len(c), c[:2])
	}
}
