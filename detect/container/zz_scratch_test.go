package container_test

import (
	"os"
	"path/filepath"
	"testing"

	"bartizan/detect/input"
)

func TestScratch(t *testing.T) {
	files, _ := filepath.Glob(os.Getenv("SCRATCH"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		blob := input.FromBytes(b)
		for _, fm := range matching(blob) {
			t.Logf("%s %s\n%s", filepath.Base(f), fm.Name(), walkAs(fm, blob, input.NewBudget(blob.Size())))
		}
	}
}
