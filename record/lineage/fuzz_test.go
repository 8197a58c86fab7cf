package lineage

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

// FuzzDecode feeds the reader of graph files bytes whose checksum fits, and holds
// that what it takes can be walked, judged and written again.
func FuzzDecode(f *testing.F) {
	w := newWorld(f).run("v1", "run:1", []string{"a", "b"}, "m").tree("v2", "tree", "a").run("u3", "run:1", []string{"c"}, "m")
	var buf bytes.Buffer
	if err := w.build().Encode(&buf); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes()[:buf.Len()-sha256.Size])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		g, err := Decode(append(bytes.Clone(body), sum[:]...))
		if err != nil {
			return
		}
		s, walker := g.Assess(Opinions{}), g.NewWalker()
		for i := range g.Nodes() {
			n := Node(i)
			walker.Walk(n, Both, -1)
			if _, ok := s.Why(n); ok == (s.Of(n) == Clean) {
				t.Fatalf("%d is %s and explained: %v", i, s.Of(n), ok)
			}
			if found := g.Find(g.ID(n)); len(found) != 1 || found[0] != n {
				t.Fatalf("%d is found as %v", i, found)
			}
			g.Digests(n)
			g.Names(n, func(string, string) {})
		}
		for i := range g.Conflicts() {
			g.Finding(&g.Conflicts()[i], "x")
		}
		var again bytes.Buffer
		if err := g.Encode(&again); err != nil {
			t.Fatal(err)
		}
		if err := g.WriteDot(&again, s, nil); err != nil {
			t.Fatal(err)
		}
	})
}
