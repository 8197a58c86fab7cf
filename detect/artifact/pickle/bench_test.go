package pickle

import (
	"context"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/detect/input"
	"bartizan/finding"
	"bartizan/internal/pickleasm"
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

// BenchmarkDense scans a stream of two million opcodes: rows of numbers, text,
// tuples and lists, memoised as CPython's pickler does. tools/benchgen writes a
// larger one, which is compared with C pickle.loads.
func BenchmarkDense(b *testing.B) {
	asm := pickleasm.New().Proto(4).EmptyList().Op(pickleasm.MEMOIZE)
	for row := range 100_000 {
		if row%1000 == 0 {
			asm.Mark()
		}
		asm.ShortBinUnicode("label").Op(pickleasm.MEMOIZE).BinInt(int32(row)).BinFloat(float64(row) / 3)
		asm.Op(pickleasm.TUPLE3, pickleasm.MEMOIZE)
		asm.EmptyList().Op(pickleasm.MEMOIZE).Mark().BinInt1(1).BinInt2(uint16(row)).NewTrue().None().Appends()
		asm.Op(pickleasm.TUPLE2, pickleasm.MEMOIZE)
		if row%1000 == 999 {
			asm.Appends()
		}
	}
	benchScan(b, asm.Stop().Bytes())
}
