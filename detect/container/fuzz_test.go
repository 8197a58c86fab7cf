package container_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/iotest"

	"bartizan/detect/container"
	"bartizan/detect/input"
	"bartizan/finding"
)

// invariants walks b in memory and behind a reader, and then with a reader that
// fails, and holds what must be true of any bytes.
func invariants(t *testing.T, format string, b []byte) {
	f := formatOf(t, format)
	budget := func() *input.Budget {
		x := input.NewBudget(int64(len(b)))
		x.MemberBytes = 1 << 20
		return x
	}
	one := fuzzWalk(t, f, input.FromBytes(b), budget())
	two := fuzzWalk(t, f, input.FromReaderAt(bytes.NewReader(b), int64(len(b))), budget())
	if one.String() != two.String() {
		t.Errorf("memory and reader differ:\n%s\n%s", one, two)
	}
	if one.err != nil {
		t.Errorf("bytes in memory gave the error %v", one.err)
	}
	var out finding.Collector
	failing := input.FromReaderAt(failer{}, int64(len(b)))
	f.Walk(context.Background(), container.In{Blob: failing, Path: "x", Budget: budget(), Out: &out},
		func(ctx context.Context, m *container.Member) error { _, _, err := m.Open(ctx); return err })
}

type failer struct{}

func (failer) ReadAt([]byte, int64) (int, error) { return 0, iotest.ErrTimeout }

// fuzzWalk opens members and checks that memory comes back.
func fuzzWalk(t *testing.T, f container.Format, b input.Blob, budget *input.Budget) *seen {
	before := budget.LiveLeft()
	s := walkAs(f, b, budget)
	if left := budget.LiveLeft(); left != before {
		t.Errorf("%d bytes of %d are still lent", before-left, before)
	}
	for _, m := range s.members {
		if int64(len(m.content)) > budget.MemberBytes && int64(len(m.content)) > b.Size() {
			t.Errorf("%q gave %d bytes", m.name, len(m.content))
		}
	}
	return s
}

func FuzzZip(f *testing.F) {
	for _, c := range zipCases() {
		if len(c.arc) < 1<<14 {
			f.Add(c.arc)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { invariants(t, "zip", b) })
}

func FuzzTar(f *testing.F) {
	for _, c := range tarCases() {
		if len(c.arc) < 1<<14 {
			f.Add(c.arc)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { invariants(t, "tar", b) })
}

// FuzzStreams covers the streams, 7z and rar: all that match are walked.
func FuzzStreams(f *testing.F) {
	for _, c := range streamCases(f) {
		f.Add(c.b)
	}
	coder, packed := szLZMA(pythonPacked(f, "lzma.compress(d,format=lzma.FORMAT_ALONE)", good+evil))
	f.Add(sevenzOf(nil, []string{"d"}, szFolder{coder: coder, packed: packed, files: []szFile{{name: "d/a", data: good}, {name: "b", data: evil}}}))
	f.Add(sevenzOf(nil, nil, szFolder{coder: szCopy, packed: []byte(good), files: []szFile{{name: "a", data: good}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		head, _ := io.ReadAll(io.LimitReader(bytes.NewReader(b), 4096))
		for _, format := range container.Formats() {
			if format.Match(head, b, int64(len(b))) {
				invariants(t, format.Name(), b)
			}
		}
	})
}
