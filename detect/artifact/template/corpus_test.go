package template_test

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
	"strings"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/template"
	"bartizan/detect/input"
	"bartizan/finding"
)

// scanBytes scans a file as the engine would.
func scanBytes(t testing.TB, name string, b []byte) (finding.Result, bool) {
	t.Helper()
	f := template.New()
	blob := input.FromBytes(b)
	head, _ := blob.Head(format.HeadBytes)
	tail, _ := blob.Tail(format.TailBytes)
	base := strings.ToLower(path.Base(name))
	if !f.Match(&format.Probe{Head: head, Tail: tail, Size: blob.Size(), Name: base}) {
		return finding.Result{}, false
	}
	out := &finding.Collector{}
	a := &format.Artifact{Blob: blob, Path: name, Name: path.Base(name), Budget: input.NewBudget(blob.Size()), Out: out}
	if err := f.Scan(context.Background(), a); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out.Result(name), true
}

type item struct {
	Path         string `json:"path"`
	Format       string `json:"format"`
	Label        string `json:"label"`
	AcceptReview bool   `json:"accept_review"`
}

// corpus reads the labelled items whose format passes keep.
func corpus(t *testing.T, keep func(item) bool, visit func(item, []byte)) {
	t.Helper()
	root := os.Getenv("BARTIZAN_CORPORA")
	if root == "" {
		t.Skip("BARTIZAN_CORPORA is not set: the labelled corpus was NOT checked")
	}
	root = filepath.Join(root, "artifact")
	mf, err := os.Open(filepath.Join(root, "MANIFEST.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer mf.Close()
	want := map[string]map[string]item{}
	for sc := bufio.NewScanner(mf); sc.Scan(); {
		var it item
		if err := json.Unmarshal(sc.Bytes(), &it); err != nil {
			t.Fatal(err)
		}
		if keep(it) {
			archive, member, _ := strings.Cut(it.Path, "!/")
			if want[archive] == nil {
				want[archive] = map[string]item{}
			}
			want[archive][member] = it
		}
	}
	for archive, members := range want {
		readTar(t, filepath.Join(root, archive), func(name string, b []byte) {
			if it, ok := members[strings.TrimPrefix(name, "./")]; ok {
				visit(it, b)
			}
		})
	}
}

func readTar(t *testing.T, name string, visit func(string, []byte)) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		visit(h.Name, b)
	}
}

// TestCorpus holds every Jinja, JSON and YAML item of the labelled corpus to its
// label: malicious blocks (review where the manifest accepts it), malformed is
// never clean, benign is clean and complete.
func TestCorpus(t *testing.T) {
	n := map[string]int{}
	corpus(t, func(it item) bool { return it.Format == "json" || it.Format == "jinja" || it.Format == "yaml" }, func(it item, b []byte) {
		n[it.Label]++
		r, matched := scanBytes(t, it.Path, b)
		if !matched {
			t.Errorf("%s: not recognised", it.Path)
			return
		}
		bad := false
		switch it.Label {
		case "malicious":
			bad = r.Verdict < finding.Block && !(it.AcceptReview && r.Verdict == finding.Review)
		case "malformed":
			bad = r.Verdict == finding.Clean || r.Coverage == finding.Complete
		default:
			bad = r.Verdict != finding.Clean || r.Coverage != finding.Complete
		}
		if bad {
			t.Errorf("%s: label %s, verdict %s, %s %v %+v", it.Path, it.Label, r.Verdict, r.Coverage, r.Reasons, r.Findings)
		}
	})
	t.Logf("items by label: %v", n)
	if n["malicious"] < 20 || n["benign"] < 30 {
		t.Errorf("the corpus has too few items: %v", n)
	}
}

// TestCorpusBystanders holds every other benign text-like item clean where the
// format takes it at all.
func TestCorpusBystanders(t *testing.T) {
	corpus(t, func(it item) bool {
		return it.Label == "benign" && it.Format != "json" && it.Format != "jinja" && it.Format != "yaml"
	}, func(it item, b []byte) {
		if r, matched := scanBytes(t, it.Path, b); matched && r.Verdict != finding.Clean {
			t.Errorf("%s (%s): verdict %s %v %+v", it.Path, it.Format, r.Verdict, r.Reasons, r.Findings)
		}
	})
}
