package container_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"bartizan/detect/container"
	"bartizan/detect/input"
	"bartizan/finding"
)

// headOnly walks as an engine does that needs no more than heads.
func headOnly(b *testing.B, format string, blob input.Blob) {
	f := formatOf(b, format)
	for b.Loop() {
		var out finding.Collector
		n := 0
		in := container.In{Blob: blob, Path: "x", Budget: input.NewBudget(blob.Size()), Out: &out}
		err := f.Walk(context.Background(), in, func(_ context.Context, m *container.Member) error {
			n++
			_, err := m.Head(64)
			return err
		})
		if err != nil || n == 0 || out.Len() > 0 {
			b.Fatal(err, n, out.Len())
		}
	}
}

func BenchmarkZip100kMembers(b *testing.B) {
	arc := manyMembers(100_000, "some content")
	b.Run("memory", func(b *testing.B) { b.ReportAllocs(); headOnly(b, "zip", input.FromBytes(arc)) })
	b.Run("reader", func(b *testing.B) {
		headOnly(b, "zip", input.FromReaderAt(bytes.NewReader(arc), int64(len(arc))))
	})
}

func BenchmarkTar100kMembers(b *testing.B) {
	var members []tent
	for i := range 100_000 {
		members = append(members, tent{name: "dir/member-" + string(rune('a'+i%26)) + repeat("x", i%50) + itoa(i), data: "some content"})
	}
	arc := tarOf(members...)
	headOnly(b, "tar", input.FromBytes(arc))
}

// sparseTorch is a torch zip of that size whose tensors are holes, and counts
// what is read of it.
type sparseTorch struct {
	size  int64
	parts map[int64][]byte
	read  int64
}

func (s *sparseTorch) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	for at, part := range s.parts {
		if at < off+int64(len(p)) && off < at+int64(len(part)) {
			if from := off - at; from >= 0 {
				copy(p, part[from:])
			} else {
				copy(p[-from:], part)
			}
		}
	}
	s.read += int64(len(p))
	if off+int64(len(p)) >= s.size {
		return int(s.size - off), io.EOF
	}
	return len(p), nil
}

// newSparseTorch makes n tensors of that size, each stored behind its header.
func newSparseTorch(n int, tensor int64) *sparseTorch {
	s := &sparseTorch{parts: map[int64][]byte{}}
	var dir []byte
	at := int64(0)
	for i := range n {
		name := "archive/data/" + itoa(i)
		one := zipArc{zip64: true, members: []zent{{
			name: name, data: "", size: p(uint32(0xffffffff)), packed: p(uint32(0xffffffff)), offset: p(uint32(0xffffffff)),
			extra:  zip64Field(uint64(tensor), uint64(tensor), uint64(at)),
			lextra: zip64Field(uint64(tensor), uint64(tensor)),
		}}}.bytes()
		local := 30 + len(name) + 20
		s.parts[at] = one[:local]
		dir = append(dir, one[local:local+46+len(name)+28]...)
		at += int64(local) + tensor
	}
	tail := zipArc{zip64: true}.end(make([]byte, 0), dir, 0)
	patchEnd(tail, len(dir), n, at)
	s.parts[at] = tail
	s.size = at + int64(len(tail))
	return s
}

func BenchmarkTorch10GB(b *testing.B) {
	s := newSparseTorch(300, 32<<20)
	headOnly(b, "zip", input.FromReaderAt(s, s.size))
	b.ReportMetric(float64(s.read)/float64(b.N)/1024, "KiB-read/op")
}

// A torch archive of 10 GB is walked with its heads alone, and without a finding.
func TestLargeTensorsAreNotRead(t *testing.T) {
	s := newSparseTorch(300, 32<<20)
	var out finding.Collector
	in := container.In{Blob: input.FromReaderAt(s, s.size), Path: "x", Budget: input.NewBudget(s.size), Out: &out}
	n := 0
	err := formatOf(t, "zip").Walk(context.Background(), in, func(ctx context.Context, m *container.Member) error {
		n++
		b, _, err := m.Open(ctx)
		if b.Size() != 32<<20 {
			t.Errorf("%s: %d bytes", m.Name, b.Size())
		}
		return err
	})
	res := out.Result("x")
	if err != nil || n != 300 || res.Verdict != finding.Clean {
		t.Fatalf("%d members, %v, %+v", n, err, res)
	}
	if s.read > 1<<20 {
		t.Errorf("%d bytes read of %d", s.read, s.size)
	}
}
