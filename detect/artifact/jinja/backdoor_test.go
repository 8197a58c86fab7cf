package jinja

import (
	"os"
	"path/filepath"
	"testing"
)

// flagged says that a template would not pass unseen.
func flagged(r Report) bool {
	w, _ := worst(r, HiddenInstruction)
	return w >= Medium
}

// TestBackdoors measures recall and false positives on the generated sets.
func TestBackdoors(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		measure(t, seed)
	}
}

func measure(t *testing.T, seed uint64) {
	t.Helper()
	const n = 200
	missed, blocked := 0, 0
	for _, s := range backdoors(n, seed) {
		r := Judge(s.src, Limits{})
		if len(r.Problems) > 0 {
			t.Fatalf("%s: the generator made a broken template: %+v\n%s", s.name, r.Problems[0], s.src)
		}
		if w, _ := worst(r, HiddenInstruction); w >= High {
			blocked++
		}
		if !flagged(r) {
			missed++
			t.Logf("missed %s\n%s", s.name, s.src)
		}
	}
	raised := 0
	for _, s := range ordinary(n, seed) {
		r := Judge(s.src, Limits{})
		if len(r.Problems) > 0 {
			t.Fatalf("%s: the generator made a broken template: %+v", s.name, r.Problems[0])
		}
		for _, is := range r.Issues {
			if is.Weight >= Medium {
				raised++
				t.Logf("false %s %+v\n%s", s.name, is, s.src)
				break
			}
		}
	}
	t.Logf("seed %d: recall %d/%d (%d would block), false positives %d/%d", seed, n-missed, n, blocked, raised, n)
	if missed > n/20 || raised > n/100 {
		t.Errorf("recall below 95 %% or false positives above 1 %%")
	}
}

// TestBenignManners holds templates in the manner of the well-known families clean.
func TestBenignManners(t *testing.T) {
	files, err := filepath.Glob("testdata/benign/*.jinja")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r := Judge(string(b), Limits{})
		if len(r.Problems) > 0 || r.Spent || !r.Chat {
			t.Errorf("%s: problems %+v, spent %v, chat %v", f, r.Problems, r.Spent, r.Chat)
		}
		for _, is := range r.Issues {
			if is.Weight >= Medium {
				t.Errorf("%s: %+v", f, is)
			}
		}
	}
}
