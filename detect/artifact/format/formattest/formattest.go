// Package formattest runs one format on bytes, for tests: without the engine,
// with a record of what the format handed on and of how much it read.
package formattest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/detect/input"
	"bartizan/finding"
)

// Outcome is what a format said of one artefact.
type Outcome struct {
	finding.Result
	Matched  bool
	Children []format.Child
}

// Rules gives the ids of the findings, in order, each once.
func (o *Outcome) Rules() []string {
	var ids []string
	seen := map[string]bool{}
	for _, f := range o.Findings {
		if !seen[f.Rule] {
			seen[f.Rule] = true
			ids = append(ids, f.Rule)
		}
	}
	return ids
}

// Has says whether a reason begins with the code.
func (o *Outcome) Has(code string) bool {
	for _, r := range o.Reasons {
		if r == code || strings.HasPrefix(r, code+":") {
			return true
		}
	}
	return false
}

// Probe is the probe that the engine would make of a blob.
func Probe(t testing.TB, name string, b input.Blob) *format.Probe {
	t.Helper()
	head, err := b.Head(format.HeadBytes)
	if err != nil {
		t.Fatal(err)
	}
	tail, err := b.Tail(format.TailBytes)
	if err != nil {
		t.Fatal(err)
	}
	return &format.Probe{Head: head, Tail: tail, Size: b.Size(), Name: strings.ToLower(filepath.Base(name))}
}

// Run matches and scans. An error of the scanner fails the test.
func Run(t testing.TB, name string, b input.Blob, formats ...format.Format) Outcome {
	t.Helper()
	return RunAt(t, name, b, 0, formats...)
}

// RunAt is Run at a depth within another artefact.
func RunAt(t testing.TB, name string, b input.Blob, depth int, formats ...format.Format) Outcome {
	t.Helper()
	return run(t, name, b, depth, false, formats)
}

// RunProbed is Run on bytes that were found within others and may be anything.
func RunProbed(t testing.TB, name string, b input.Blob, formats ...format.Format) Outcome {
	t.Helper()
	return run(t, name, b, 1, true, formats)
}

func run(t testing.TB, name string, b input.Blob, depth int, probed bool, formats []format.Format) Outcome {
	t.Helper()
	var o Outcome
	var out finding.Collector
	p := Probe(t, name, b)
	p.Probed = probed
	for _, f := range formats {
		if !f.Match(p) {
			continue
		}
		o.Matched = true
		out.Format(f.Name())
		a := &format.Artifact{Blob: b, Path: name, Name: name, Depth: depth, Probed: probed, Budget: input.NewBudget(b.Size()), Out: &out}
		a.Child = func(_ context.Context, c format.Child) error {
			o.Children = append(o.Children, c)
			return nil
		}
		if err := f.Scan(context.Background(), a); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	o.Result = out.Result(name)
	return o
}

// Bytes is Run on bytes in memory.
func Bytes(t testing.TB, name string, b []byte, formats ...format.Format) Outcome {
	t.Helper()
	return Run(t, name, input.FromBytes(b), formats...)
}

// Counter counts what is read through it.
type Counter struct {
	R     io.ReaderAt
	Reads int
	Read  int64
}

// ReadAt implements io.ReaderAt.
func (c *Counter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.R.ReadAt(p, off)
	c.Reads++
	c.Read += int64(n)
	return n, err
}

// Sparse makes a file that begins with head and is size bytes long, and views
// it through a counter.
func Sparse(t testing.TB, head []byte, size int64) (input.Blob, *Counter) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.Write(head); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	c := &Counter{R: f}
	return input.FromReaderAt(c, size), c
}

// Corpus calls each for every member of an archive of the artefact corpus; it
// skips the test where BARTIZAN_CORPORA does not name the corpora.
func Corpus(t *testing.T, archive string, each func(name string, b []byte)) {
	t.Helper()
	root := os.Getenv("BARTIZAN_CORPORA")
	if root == "" {
		t.Skip("BARTIZAN_CORPORA is not set: the labelled corpora are not tested")
	}
	f, err := os.Open(filepath.Join(root, "artifact", archive+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
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
		var b bytes.Buffer
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
		each(h.Name, b.Bytes())
	}
}
