package artifact_test

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact"
	"bartizan/detect/input"
	"bartizan/finding"
)

// item is a line of the corpus's manifest.
type item struct {
	Path         string   `json:"path"`
	Format       string   `json:"format"`
	Label        string   `json:"label"`
	Dangerous    []string `json:"dangerous_globals"`
	AcceptReview bool     `json:"accept_review"`
	AcceptClean  bool     `json:"accept_clean"`
	Note         string   `json:"note"`
}

// later are the formats whose analysis is still to come: they must be
// unsupported and are not counted.
var later = []string{"hdf5", "savedmodel", "skops", "rda", "rds"}

func corpus(t *testing.T) (root string, items map[string]item) {
	t.Helper()
	base := os.Getenv("BARTIZAN_CORPORA")
	if base == "" {
		t.Skip("BARTIZAN_CORPORA is not set: the labelled corpus is not tested")
	}
	root = filepath.Join(base, "artifact")
	f, err := os.Open(filepath.Join(root, "MANIFEST.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	items = map[string]item{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var it item
		if err := json.Unmarshal(lines.Bytes(), &it); err != nil {
			t.Fatal(err)
		}
		items[it.Path] = it
	}
	return root, items
}

// TestCorpus holds the bars of the labelled corpus: every malicious item blocks
// and names its globals, no benign item blocks, few are for review, nothing
// malformed is clean.
func TestCorpus(t *testing.T) {
	root, items := corpus(t)
	e, err := artifact.New(artifact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	archives, err := filepath.Glob(filepath.Join(root, "*.tar.gz"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives in %s: %v", root, err)
	}
	var malicious, benign, review, named, unnamed int
	for _, a := range archives {
		eachMember(t, a, func(name string, data []byte) {
			it, ok := items[filepath.Base(a)+"!/"+name]
			if !ok || slices.Contains(later, it.Format) {
				return
			}
			r := examine(t, e, name, data)
			switch it.Label {
			case "malicious":
				malicious++
				if r.Verdict != finding.Block && !(it.AcceptReview && r.Verdict == finding.Review) {
					t.Errorf("%s: malicious, but %s", it.Path, r.Verdict)
				}
				if len(it.Dangerous) > 0 && r.Verdict == finding.Block {
					named++
					if missing := lacking(r, it.Dangerous); len(missing) > 0 {
						unnamed++
						t.Logf("%s: does not name %v", it.Path, missing)
					}
				}
			case "benign":
				benign++
				if r.Verdict == finding.Block {
					t.Errorf("%s: benign, but blocked: %+v", it.Path, r.Findings)
				}
				if r.Verdict == finding.Review && !strings.Contains(it.Note, "must be incomplete") {
					review++
				}
			default:
				if r.Verdict == finding.Clean && !it.AcceptClean {
					t.Errorf("%s: %s, but clean", it.Path, it.Label)
				}
			}
		})
	}
	t.Logf("%d malicious, %d benign of which %d for review, %d named of which %d not exactly", malicious, benign, review, named, unnamed)
	if review*50 > benign {
		t.Errorf("%d of %d benign items are for review, more than 2 %%", review, benign)
	}
	if unnamed*50 > named {
		t.Errorf("%d of %d items do not name their globals, more than 2 %%", unnamed, named)
	}
}

func eachMember(t *testing.T, archive string, do func(name string, data []byte)) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		do(path.Clean(h.Name), data)
	}
}

func examine(t *testing.T, e *artifact.Engine, name string, data []byte) finding.Result {
	t.Helper()
	var out finding.Collector
	if err := e.Examine(context.Background(), name, path.Base(name), input.FromBytes(data), &out); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return out.Result(name)
}

// lacking gives the globals (module:name) that no finding names.
func lacking(r finding.Result, want []string) []string {
	have := map[string]bool{}
	for _, f := range r.Findings {
		for _, key := range []string{"symbol", "target"} {
			if s, ok := f.Evidence[key].(string); ok {
				have[normal(s)] = true
			}
		}
		if all, ok := f.Evidence["globals"].([]string); ok {
			for _, s := range all {
				have[normal(s)] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(want), func(s string) bool { return have[normal(strings.Replace(s, ":", ".", 1))] })
}

// normal gives Python 2's names of modules Python 3's.
func normal(s string) string {
	for _, r := range [][2]string{{"__builtin__.", "builtins."}, {"copy_reg.", "copyreg."}, {"cPickle.", "pickle."}} {
		if rest, ok := strings.CutPrefix(s, r[0]); ok {
			return r[1] + rest
		}
	}
	return s
}
