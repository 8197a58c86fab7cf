package artifact_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"bartizan/detect/artifact"
	"bartizan/detect/input"
	"bartizan/finding"
)

// BenchmarkSmallFiles scans the small real models of the repository, one by one.
func BenchmarkSmallFiles(b *testing.B) {
	e, err := artifact.New(artifact.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, pattern := range []string{"*.npy", "*.safetensors", "*.gguf", "*.pkl", "*.joblib", "*.pt", "*.json"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "models", "*", pattern))
		if err != nil || len(paths) == 0 {
			continue
		}
		data, err := os.ReadFile(paths[0])
		if err != nil {
			b.Fatal(err)
		}
		name := filepath.Base(paths[0])
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var out finding.Collector
				if err := e.Examine(context.Background(), name, name, input.FromBytes(data), &out); err != nil {
					b.Fatal(err)
				}
				out.Result(name)
			}
		})
	}
}
