package jinja

import (
	"os"
	"path/filepath"
	"testing"
)

func seeds(f *testing.F) {
	files, _ := filepath.Glob("testdata/benign/*.jinja")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(string(b))
		}
	}
	for _, s := range backdoors(40, 3) {
		f.Add(s.src)
	}
	for _, src := range hostile(200) {
		if len(src) < 4096 {
			f.Add(src)
		}
	}
}

// FuzzLex: tokens lie in order within the source, whatever it is.
func FuzzLex(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		tmpl := Parse("", Limits{})
		l := lexer{t: tmpl, src: src}
		tmpl.src = src
		l.run()
		at := int32(0)
		for _, tok := range l.toks {
			if tok.off < at || tok.end < tok.off || int(tok.end) > len(src) {
				t.Fatalf("token %+v after %d of %d", tok, at, len(src))
			}
			at = tok.end
		}
	})
}

// FuzzJudge: judging ends, twice the same, with offsets within the source, and
// the canonical text of a template that is valid is the same as its own.
func FuzzJudge(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		limits := Limits{Steps: 50_000}
		a, b := Judge(src, limits), Judge(src, limits)
		if len(a.Issues) != len(b.Issues) || len(a.Problems) != len(b.Problems) {
			t.Fatal("two runs differ")
		}
		for i, is := range a.Issues {
			if is != b.Issues[i] {
				t.Fatalf("two runs differ: %+v, %+v", is, b.Issues[i])
			}
			if is.Off < 0 || is.Off > len(src) || is.Line < 1 || is.Column < 1 {
				t.Fatalf("place outside the source: %+v", is)
			}
		}
		for _, p := range a.Problems {
			if p.Off < 0 || p.Off > len(src) {
				t.Fatalf("place outside the source: %+v", p)
			}
		}
		if same, diff := Same(src, src); !same {
			t.Fatal(diff)
		}
	})
}
