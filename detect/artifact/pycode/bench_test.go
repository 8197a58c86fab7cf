package pycode

import (
	"os"
	"path/filepath"
	"testing"

	"bartizan/detect/artifact/marshal"
)

// BenchmarkAnalyze reads the samples of the marshal package.
func BenchmarkAnalyze(b *testing.B) {
	names, _ := filepath.Glob("../marshal/testdata/*.pyc")
	var codes []*Code
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			b.Fatal(err)
		}
		codes = append(codes, marshal.ParsePyc(data).Codes()[0])
	}
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		for _, c := range codes {
			Analyze(marshal.Version{}, c)
		}
	}
}
