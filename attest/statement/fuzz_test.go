package statement

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"bartizan/attest"
)

// FuzzStatement holds that reading ends in a statement or in a refusal with a
// code; that what was read and is written again is read as the same bytes; and
// the same for every predicate.
func FuzzStatement(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		seed, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte(good))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := Parse(payload)
		if err != nil {
			if attest.CodeOf(err) == "" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		predicates(t, s)
		out, err := s.Marshal()
		if err != nil {
			return // numbers that canonical JSON cannot keep
		}
		again, err := Parse(out)
		if err != nil {
			t.Fatalf("cannot be read back: %v\n%s", err, out)
		}
		if twice, err := again.Marshal(); err != nil || !bytes.Equal(twice, out) {
			t.Fatalf("%s\nis written again as\n%s (%v)", out, twice, err)
		}
	})
}

// predicates reads the predicate as every kind; what is read can be written.
func predicates(t *testing.T, s *Statement) {
	for _, x := range examples() {
		p, err := x.parse(s)
		if err != nil {
			if attest.CodeOf(err) == "" {
				t.Fatalf("%s: no code: %v", x.kind, err)
			}
			continue
		}
		made, err := New(p, s.Subject...)
		if err != nil {
			continue // numbers that canonical JSON cannot keep
		}
		if _, err := x.parse(made); err != nil {
			t.Fatalf("%s: %v\n%s", x.kind, err, made.Predicate)
		}
	}
}

// FuzzPredicates reads the same JSON as the predicate of every kind, about every
// kind's subjects.
func FuzzPredicates(f *testing.F) {
	for _, x := range examples() {
		s, err := New(x.make(), x.subjects...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(s.Predicate))
	}
	f.Fuzz(func(t *testing.T, predicate []byte) {
		for _, x := range examples() {
			s := &Statement{Subject: x.subjects, PredicateType: x.make().Type(), Predicate: predicate}
			predicates(t, s)
		}
	})
}
