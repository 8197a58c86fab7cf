package container_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/detect/container"
	"bartizan/detect/input"
	"bartizan/finding"
)

// seen is what a walk gave: members by name and content, findings by rule with
// the worst severity.
type seen struct {
	members []member
	rules   map[string]finding.Severity
	result  finding.Result
	err     error
}

type member struct {
	name    string
	content string
	views   string
	kind    container.Kind
	link    string
}

func (s *seen) has(name, content string) bool {
	for _, m := range s.members {
		if m.name == name && m.content == content {
			return true
		}
	}
	return false
}

// content says whether some member holds the content, whatever its name.
func (s *seen) holds(content string) bool {
	for _, m := range s.members {
		if strings.Contains(m.content, content) {
			return true
		}
	}
	return false
}

func (s *seen) reason(code string) bool {
	for _, r := range s.result.Reasons {
		if strings.HasPrefix(r, code+":") || r == code {
			return true
		}
	}
	return false
}

func (s *seen) String() string {
	var b strings.Builder
	for _, m := range s.members {
		fmt.Fprintf(&b, "  %q %s %d bytes kind %d link %q\n", m.name, m.views, len(m.content), m.kind, m.link)
	}
	for _, f := range s.result.Findings {
		fmt.Fprintf(&b, "  %s %s: %s\n", f.Severity, f.Rule, f.Message)
	}
	fmt.Fprintf(&b, "  %s %s %q err %v\n", s.result.Verdict, s.result.Coverage, s.result.Reasons, s.err)
	return b.String()
}

func formatOf(t testing.TB, name string) container.Format {
	t.Helper()
	for _, f := range container.Formats() {
		if f.Name() == name {
			return f
		}
	}
	t.Fatalf("no format %q", name)
	return nil
}

// matching gives the formats that match b.
func matching(b input.Blob) []container.Format {
	head, _ := b.Head(4096)
	tail, _ := b.Tail(container.TailBytes)
	var out []container.Format
	for _, f := range container.Formats() {
		if f.Match(head, tail, b.Size()) {
			out = append(out, f)
		}
	}
	return out
}

// walk opens every member of b as an engine would.
func walk(t testing.TB, format string, b input.Blob) *seen {
	t.Helper()
	return walkAs(formatOf(t, format), b, input.NewBudget(b.Size()))
}

func walkAs(f container.Format, b input.Blob, budget *input.Budget) *seen {
	var out finding.Collector
	s := &seen{rules: map[string]finding.Severity{}}
	s.err = f.Walk(context.Background(), container.In{Blob: b, Path: "x", Budget: budget, Out: &out},
		func(ctx context.Context, m *container.Member) error {
			got := member{name: m.Name, views: strings.Join(m.Views, "+"), kind: m.Kind, link: m.Link}
			head, err := m.Head(64)
			if err != nil {
				return err
			}
			first := string(head)
			blob, release, err := m.Open(ctx)
			if err != nil {
				return err
			}
			p, err := blob.Load(64 << 20)
			if err != nil {
				return err
			}
			got.content = string(p)
			if !strings.HasPrefix(got.content, first) {
				return fmt.Errorf("%q: head %q is not the start of the content", m.Name, first)
			}
			release()
			s.members = append(s.members, got)
			return nil
		})
	s.result = out.Result("x")
	for _, r := range s.result.Findings {
		s.rules[r.Rule] = max(s.rules[r.Rule], r.Severity)
	}
	return s
}

// corpus gives the files of one archive of the labelled corpus.
func corpus(t *testing.T, archive string) map[string][]byte {
	t.Helper()
	dir := os.Getenv("BARTIZAN_CORPORA")
	if dir == "" {
		t.Skip("BARTIZAN_CORPORA is not set: the labelled corpus was NOT tested")
	}
	f, err := os.Open(filepath.Join(dir, "artifact", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
		files[h.Name] = b.Bytes()
	}
}

func TestRulesAreACatalogue(t *testing.T) {
	if _, err := finding.NewCatalogue(container.Rules()); err != nil {
		t.Fatal(err)
	}
}

// walkPath walks b as the container of that path and gives the names.
func walkPath(t *testing.T, format, path string, b []byte, name func(string)) {
	t.Helper()
	var out finding.Collector
	in := container.In{Blob: input.FromBytes(b), Path: path, Budget: input.NewBudget(int64(len(b))), Out: &out}
	err := formatOf(t, format).Walk(context.Background(), in, func(_ context.Context, m *container.Member) error {
		name(m.Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func crcOf(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

// headOf visits one member's head only and leaves the others alone.
func headOf(t *testing.T, format string, b input.Blob, name string) (head string) {
	t.Helper()
	var out finding.Collector
	in := container.In{Blob: b, Path: "x", Budget: input.NewBudget(b.Size()), Out: &out}
	err := formatOf(t, format).Walk(context.Background(), in, func(_ context.Context, m *container.Member) error {
		if m.Name != name {
			return nil
		}
		p, err := m.Head(16)
		head = string(p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return head
}
