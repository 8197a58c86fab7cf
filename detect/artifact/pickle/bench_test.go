package pickle

import (
	"context"
	"os"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/detect/input"
	"bartizan/finding"
)

func benchScan(b *testing.B, data []byte) {
	f := New(false)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var out finding.Collector
		a := &format.Artifact{Blob: input.FromBytes(data), Path: "x.pkl", Budget: input.NewBudget(int64(len(data))), Out: &out,
			Child: func(context.Context, format.Child) error { return nil }}
		if err := f.Scan(context.Background(), a); err != nil {
			b.Fatal(err)
		}
		if r := out.Result("x.pkl"); r.Verdict != finding.Clean {
			b.Fatal(r)
		}
	}
}

func BenchmarkDense(b *testing.B) {
	data, err := os.ReadFile("/tmp/bench/dense.pkl")
	if err != nil {
		b.Skip(err)
	}
	benchScan(b, data)
}
