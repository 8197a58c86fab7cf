package lineage

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bartizan/attest"
)

// world builds graphs from short texts: each claim is
// "assurance statement: relation from>to [flags]".
type world struct {
	t testing.TB
	b *Builder
	e map[string]uint32
	r map[string]Ref
}

func newWorld(t testing.TB) *world {
	return &world{t: t, b: NewBuilder(), e: map[string]uint32{}, r: map[string]Ref{}}
}

// by gives the evidence of a statement; "v…" is verified, "d…" declared, else unverified.
func (w *world) by(name string) uint32 {
	if e, ok := w.e[name]; ok {
		return e
	}
	a := Unverified
	switch name[0] {
	case 'v':
		a = Verified
	case 'd':
		a = Declared
	}
	w.e[name] = w.b.Evidence(Evidence{Statement: name, Source: name + ".json", Assurance: a})
	return w.e[name]
}

// thing names things by keys joined with "=".
func (w *world) thing(by, keys string, described bool) Ref {
	t := Thing{Described: described, Kind: Dataset}
	for _, k := range strings.Split(keys, "=") {
		if !strings.Contains(k, ":") {
			k = hexKey(k)
		}
		t.Keys = append(t.Keys, k)
	}
	if strings.HasPrefix(keys, "run:") {
		t.Kind = Run
	}
	ref, err := w.b.Thing(w.by(by), t)
	if err != nil {
		w.t.Fatal(err)
	}
	return ref
}

// hexKey makes sha256 keys of words, ordered as the words are.
func hexKey(word string) string {
	return fmt.Sprintf("sha256:%064s", fmt.Sprintf("%x", word))
}

func (w *world) edge(by, from, to string, r Relation) *world {
	if err := w.b.Edge(w.by(by), w.thing(by, from, false), w.thing(by, to, true), r); err != nil {
		w.t.Fatal(err)
	}
	return w
}

func (w *world) describe(by string, things ...string) *world {
	for _, x := range things {
		w.thing(by, x, true)
	}
	return w
}

func (w *world) run(by, run string, in []string, out ...string) *world {
	var refs []Ref
	for _, i := range in {
		refs = append(refs, w.thing(by, i, false))
	}
	r := w.thing(by, run, true)
	if err := w.b.Inputs(w.by(by), r, refs); err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		if err := w.b.Edge(w.by(by), r, w.thing(by, o, true), Produced); err != nil {
			w.t.Fatal(err)
		}
	}
	return w
}

func (w *world) tree(by, tree string, files ...string) *world {
	ref := w.thing(by, tree, by[0] == 'v')
	w.b.things[ref].tree = true
	for _, f := range files {
		if err := w.b.Part(w.by(by), ref, hexKey(f)); err != nil {
			w.t.Fatal(err)
		}
	}
	return w
}

func (w *world) build() *Graph {
	w.t.Helper()
	g, err := w.b.Build(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) refused(code attest.Code) string {
	w.t.Helper()
	_, err := w.b.Build(context.Background())
	if attest.CodeOf(err) != code {
		w.t.Fatalf("got %v, want %s", err, code)
	}
	return err.Error()
}

func at(t testing.TB, g *Graph, key string) Node {
	t.Helper()
	if !strings.Contains(key, ":") {
		key = hexKey(key)
	}
	n, err := g.FindOne(key)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func stateOf(t testing.TB, g *Graph, key string, taint ...string) State {
	t.Helper()
	o := Opinions{Tainted: map[Node]string{}}
	for _, x := range taint {
		o.Tainted[at(t, g, x)] = "test"
	}
	return g.Assess(o).Of(at(t, g, key))
}

func TestStates(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(*world)
		taint []string
		want  map[string]State
	}{
		"all verified": {
			make: func(w *world) { w.describe("v1", "d").run("v2", "run:1", []string{"d"}, "m") },
			want: map[string]State{"d": Clean, "run:1": Clean, "m": Clean},
		},
		"an input that nothing describes": {
			make: func(w *world) { w.run("v2", "run:1", []string{"d"}, "m") },
			want: map[string]State{"d": Unknown, "run:1": Unknown, "m": Unknown},
		},
		"an unverified statement makes no trusted edge": {
			make: func(w *world) { w.describe("v1", "d", "m").run("u2", "run:1", []string{"d"}, "m") },
			want: map[string]State{"d": Clean, "run:1": Unknown, "m": Unknown},
		},
		"a verified statement for the same edge settles it": {
			make: func(w *world) {
				w.describe("v1", "d", "m").run("u2", "run:1", []string{"d"}, "m").run("v2", "run:1", []string{"d"}, "m")
			},
			want: map[string]State{"m": Clean},
		},
		"declared is not verified": {
			make: func(w *world) { w.describe("v1", "d").run("d2", "run:1", []string{"d"}, "m") },
			want: map[string]State{"d": Clean, "m": Unknown},
		},
		"taint goes down and not up": {
			make:  func(w *world) { w.describe("v1", "d", "e").run("v2", "run:1", []string{"d", "e"}, "m") },
			taint: []string{"d"},
			want:  map[string]State{"d": Tainted, "e": Clean, "run:1": Tainted, "m": Tainted},
		},
		"taint goes over edges that nobody verified": {
			make:  func(w *world) { w.describe("v1", "d").run("u2", "run:1", []string{"d"}, "m") },
			taint: []string{"d"},
			want:  map[string]State{"m": Tainted},
		},
		"taint outranks unknown": {
			make:  func(w *world) { w.describe("v1", "d").run("v2", "run:1", []string{"d", "x"}, "m") },
			taint: []string{"d"},
			want:  map[string]State{"x": Unknown, "m": Tainted},
		},
		"an unverified failure is unknown, a verified one tainted": {
			make: func(w *world) {
				w.describe("v1", "d", "e")
				w.b.Mark(w.by("u3"), w.thing("u3", "d", false), "FAILED")
				w.b.Mark(w.by("v4"), w.thing("v4", "e", false), "FAILED")
			},
			want: map[string]State{"d": Unknown, "e": Tainted},
		},
		"a file of a tree that is vouched for": {
			make: func(w *world) { w.tree("v1", "tree", "f").run("v2", "run:1", []string{"f"}, "m") },
			want: map[string]State{"f": Clean, "m": Clean},
		},
		"taint of a tree reaches runs that name its files": {
			make:  func(w *world) { w.tree("v1", "tree", "f").run("v2", "run:1", []string{"f"}, "m") },
			taint: []string{"tree"},
			want:  map[string]State{"m": Tainted},
		},
		"taint of a file reaches its tree": {
			make:  func(w *world) { w.tree("v1", "tree", "f").run("v2", "run:1", []string{"f"}, "m") },
			taint: []string{"f"},
			want:  map[string]State{"tree": Tainted},
		},
		"a stranger's tree with the same file changes nothing": {
			make: func(w *world) {
				w.tree("v1", "tree", "f").run("v2", "run:1", []string{"f"}, "m")
				ref := w.thing("u9", "strange", true)
				if err := w.b.Part(w.by("v9"), ref, hexKey("f")); err != nil {
					w.t.Fatal(err)
				}
			},
			want: map[string]State{"strange": Unknown, "run:1": Clean, "m": Clean},
		},
		"a version made of the same files is no cycle": {
			make: func(w *world) {
				w.tree("v1", "tree1", "f").run("v2", "run:1", []string{"f"}, "tree2").tree("v3", "tree2", "f", "g")
			},
			want: map[string]State{"tree2": Clean},
		},
		"where every tree would close a cycle the run is unresolved": {
			make: func(w *world) {
				w.run("v2", "run:1", []string{"f"}, "tree2").tree("v3", "tree2", "f", "g")
			},
			want: map[string]State{"run:1": Unknown},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.make(w)
			g := w.build()
			for key, want := range c.want {
				if got := stateOf(t, g, key, c.taint...); got != want {
					why, _ := g.Assess(Opinions{}).Why(at(t, g, key))
					t.Errorf("%s is %s, want %s (%s)", key, got, want, why.Cause)
				}
			}
		})
	}
}

func TestWeakDigestIsUnknown(t *testing.T) {
	w := newWorld(t)
	ref, err := w.b.Thing(w.by("v1"), Thing{Keys: []string{"md5:d41d8cd98f00b204e9800998ecf8427e"}, Weak: true, Described: true})
	if err != nil || ref != 0 {
		t.Fatal(err)
	}
	if got := stateOf(t, w.build(), "md5:d41d8cd98f00b204e9800998ecf8427e"); got != Unknown {
		t.Errorf("got %s", got)
	}
}

func TestKnownEndsWhatIsUnknownAndNotTaint(t *testing.T) {
	w := newWorld(t).describe("v1", "d").run("v2", "run:1", []string{"d", "commit"}, "m")
	g := w.build()
	known := map[Node]bool{at(t, g, "commit"): true}
	if got := g.Assess(Opinions{Known: known}).Of(at(t, g, "m")); got != Clean {
		t.Errorf("with the commit known the model is %s", got)
	}
	o := Opinions{Known: map[Node]bool{at(t, g, "m"): true}, Tainted: map[Node]string{at(t, g, "d"): "x"}}
	if got := g.Assess(o).Of(at(t, g, "m")); got != Tainted {
		t.Errorf("a known model of a tainted dataset is %s", got)
	}
}

func TestCycles(t *testing.T) {
	text := newWorld(t).run("v1", "run:1", []string{"a"}, "b").run("v2", "run:2", []string{"b"}, "a").refused(attest.LineageCycle)
	for _, want := range []string{"run:1", "run:2", hexKey("a"), "v1.json", "v2.json", " -> "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not name %s", text, want)
		}
	}
	// What nobody verified is set aside, shown, and unknown.
	for _, w := range []*world{
		newWorld(t).run("u1", "run:1", []string{"a"}, "a"),
		newWorld(t).run("v1", "run:1", []string{"a"}, "b").run("u2", "run:2", []string{"b"}, "a"),
		newWorld(t).describe("v1", "a").edge("u1", "a", "a", Used),
	} {
		g := w.build()
		if c := g.Conflicts(); len(c) != 1 || c[0].Kind != Circular {
			t.Errorf("got %v", c)
		}
		if got := stateOf(t, g, "a"); got != Unknown {
			t.Errorf("a is %s", got)
		}
	}
	newWorld(t).edge("v1", "a", "a", Used).refused(attest.LineageCycle)
	// A long one is named in short.
	w := newWorld(t)
	for i := range 100 {
		w.edge("v1", fmt.Sprintf("n%03d", i), fmt.Sprintf("n%03d", (i+1)%100), Used)
	}
	if text := w.refused(attest.LineageCycle); len(text) > 4000 || !strings.Contains(text, "88 more") {
		t.Error(text)
	}
}

func TestConflicts(t *testing.T) {
	text := newWorld(t).run("v1", "run:1", []string{"a"}, "m").run("v2", "run:1", []string{"b"}, "m").refused(attest.LineageConflict)
	if !strings.Contains(text, "v1.json") || !strings.Contains(text, "v2.json") {
		t.Error(text)
	}
	// One file fewer is a contradiction too.
	newWorld(t).run("v1", "run:1", []string{"a"}, "m").run("v2", "run:1", []string{"a", "b"}, "n").refused(attest.LineageConflict)
	newWorld(t).describe("v1", "a=sha512:"+strings.Repeat("a", 128)).describe("v2", "b=sha512:"+strings.Repeat("a", 128)).refused(attest.LineageConflict)
	// Two outputs in two statements are none.
	newWorld(t).run("v1", "run:1", []string{"a"}, "m").run("v2", "run:1", []string{"a"}, "n").build()

	g := newWorld(t).describe("v0", "a", "b").run("v1", "run:1", []string{"a"}, "m").run("u2", "run:1", []string{"b"}, "m").build()
	if c := g.Conflicts(); len(c) != 1 || c[0].Kind != InputsDiffer {
		t.Errorf("got %v", c)
	}
	if got := stateOf(t, g, "m"); got != Unknown {
		t.Errorf("with an unverified second input the model is %s", got)
	}
}

func TestDatasetSwappedUnderItsName(t *testing.T) {
	w := newWorld(t)
	for i, key := range []string{"a", "b"} {
		if _, err := w.b.Thing(w.by(fmt.Sprint("v", i)), Thing{Keys: []string{hexKey(key)}, Kind: Dataset, Name: "loans", Version: "7", Described: true}); err != nil {
			t.Fatal(err)
		}
	}
	g := w.build()
	if c := g.Conflicts(); len(c) != 1 || c[0].Kind != NameReused || len(c[0].Nodes) != 2 {
		t.Errorf("got %v", c)
	}
	if found := g.Find("loans@7"); len(found) != 2 {
		t.Errorf("found %v", found)
	}
	if _, err := g.FindOne("loans"); err == nil || !strings.Contains(err.Error(), hexKey("a")) {
		t.Errorf("got %v", err)
	}
}

func TestPartialInputs(t *testing.T) {
	w := newWorld(t).tree("v1", "tree", "f", "g", "h").run("v2", "run:1", []string{"f", "g"}, "m")
	g := w.build()
	if c := g.Conflicts(); len(c) != 1 || c[0].Kind != PartialInputs || !strings.Contains(c[0].Detail, "2 of the 3 files") {
		t.Errorf("got %v", c)
	}
	g = newWorld(t).tree("v1", "tree", "f", "g").run("v2", "run:1", []string{"f", "g"}, "m").build()
	if c := g.Conflicts(); len(c) != 0 {
		t.Errorf("got %v", c)
	}
}

func TestDigestsJoin(t *testing.T) {
	long := "sha512:" + strings.Repeat("5", 128)
	// Without a statement that gives both they are two.
	g := newWorld(t).describe("v1", "a").describe("v2", long).build()
	if g.Nodes() != 2 {
		t.Errorf("%d nodes", g.Nodes())
	}
	g = newWorld(t).describe("v1", "a").describe("v2", long).describe("v3", "a="+long).build()
	if g.Nodes() != 1 || len(g.Digests(0)) != 2 {
		t.Errorf("%d nodes", g.Nodes())
	}
	// A stranger cannot give a vouched thing a second digest.
	g = newWorld(t).describe("v1", "a").describe("u2", "a="+long).build()
	if found := g.Find(long); len(found) != 0 {
		t.Errorf("found %v by a digest that only an unverified statement gives", found)
	}
	if stateOf(t, g, "a") != Clean {
		t.Error("the vouched thing is not clean any more")
	}
	// Nor make one thing of two.
	g = newWorld(t).describe("v1", "a").describe("v2", long).describe("u3", "a="+long).build()
	if c := g.Conflicts(); g.Nodes() != 2 || len(c) != 1 || c[0].Kind != DigestsDiffer {
		t.Errorf("%d nodes, %v", g.Nodes(), c)
	}
	// Among strangers both stand for one thing.
	g = newWorld(t).describe("u1", "a").describe("u2", "a="+long).build()
	if g.Nodes() != 1 {
		t.Errorf("%d nodes", g.Nodes())
	}
}

func TestFind(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"sha256:" + strings.Repeat("ab", 32), "sha256:" + strings.Repeat("ab", 31) + "ff", "gitCommit:" + strings.Repeat("ab", 20)} {
		w.describe("v1", key)
	}
	if _, err := w.b.Thing(w.by("v1"), Thing{Keys: []string{"run:x|y"}, Kind: Run, Name: "abababab"}); err != nil {
		t.Fatal(err)
	}
	g := w.build()
	for text, want := range map[string]int{
		"sha256:" + strings.Repeat("ab", 32): 1, "sha256:" + strings.Repeat("ab", 31) + "f": 1, "abababa": 3, "ABABAB": 3,
		"sha256:ababab": 2, "gitCommit:ababab": 1, "ababa": 0, "abababab": 1, "": 0, "sha256:": 0, ":": 0, "run:x|y": 1, "zz": 0, "sha512:ababab": 0,
	} {
		if got := len(g.Find(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestWalkOfDiamonds(t *testing.T) {
	// Each layer doubles the number of ways: 2^20 of them are walked as 60 edges.
	w := newWorld(t)
	for i := range 20 {
		for _, side := range []string{"l", "r"} {
			w.edge("v1", fmt.Sprintf("n%02d", i), fmt.Sprintf("%s%02d", side, i), Used).edge("v1", fmt.Sprintf("%s%02d", side, i), fmt.Sprintf("n%02d", i+1), Produced)
		}
	}
	g := w.build()
	walker := g.NewWalker()
	if got := len(walker.Walk(at(t, g, "n00"), Down, -1)); got != 61 {
		t.Errorf("%d steps", got)
	}
	if got := len(walker.Walk(at(t, g, "n20"), Up, 2)); got != 4 {
		t.Errorf("%d steps within two edges", got)
	}
	if got := len(walker.Walk(at(t, g, "n10"), Both, 1)); got != 5 {
		t.Errorf("%d steps one edge around", got)
	}
	if got := len(walker.Walk(at(t, g, "n10"), Both, 0)); got != 1 {
		t.Errorf("%d steps without going", got)
	}
}

func TestDot(t *testing.T) {
	w := newWorld(t)
	_, err := w.b.Thing(w.by("v1"), Thing{Keys: []string{hexKey("a")}, Name: "evil\"];\n x [\\", Described: true})
	if err != nil {
		t.Fatal(err)
	}
	w.edge("u2", "a", "b", Used)
	g := w.build()
	var buf bytes.Buffer
	if err := g.WriteDot(&buf, g.Assess(Opinions{}), nil); err != nil {
		t.Fatal(err)
	}
	if out := buf.String(); !strings.Contains(out, `evil\"];? x [\\`) || !strings.Contains(out, "style=dashed") || !strings.Contains(out, "palegreen") {
		t.Error(out)
	}
}

func TestNameKey(t *testing.T) {
	seen := map[string]string{}
	for _, parts := range [][]string{{"a", "b"}, {"a|b"}, {"a%7Cb"}, {"a%7Cb", ""}, {"a", "b", ""}, {"", "a", "b"}, {strings.Repeat("x", 2000)}, {strings.Repeat("x", 2001)}} {
		key := NameKey("run", parts...)
		if other, twice := seen[key]; twice {
			t.Errorf("%q and %q are both %s", parts, other, key)
		}
		seen[key] = strings.Join(parts, " ")
		if back := NameParts("run", key); len(parts[0]) < 1000 && !slices.Equal(back, parts) {
			t.Errorf("%q became %q", parts, back)
		}
	}
}

func TestHugeText(t *testing.T) {
	b := NewBuilder()
	ev := b.Evidence(Evidence{})
	if _, err := b.Thing(ev, Thing{Keys: []string{strings.Repeat("k", MaxText+1)}}); attest.CodeOf(err) != attest.LineageMalformed {
		t.Error(err)
	}
	if _, err := b.Thing(ev, Thing{}); attest.CodeOf(err) != attest.LineageMalformed {
		t.Error(err)
	}
	if _, err := b.Thing(ev, Thing{Keys: []string{"run:\xff"}}); attest.CodeOf(err) != attest.LineageMalformed {
		t.Error(err)
	}
	if _, err := b.Thing(ev, Thing{Keys: []string{"run:x"}, Name: strings.Repeat("é", MaxText)}); err != nil {
		t.Error(err)
	}
}
