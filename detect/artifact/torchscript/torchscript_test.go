package torchscript

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/detect/artifact/format/formattest"
	"bartizan/finding"
)

// TestRealArchives scans every code file of the archives in the folder that
// BARTIZAN_TORCHSCRIPT names, as testdata/make.py writes them with a real torch:
// all must be recognised, read wholly and clean.
func TestRealArchives(t *testing.T) {
	dir := os.Getenv("BARTIZAN_TORCHSCRIPT")
	if dir == "" {
		t.Skip("SKIPPED: BARTIZAN_TORCHSCRIPT names no folder of TorchScript archives; make one with testdata/make.py")
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.pt"))
	files := 0
	seen := map[string]bool{}
	for _, p := range paths {
		z, err := zip.OpenReader(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range z.File {
			if !strings.HasSuffix(m.Name, ".py") && !strings.HasSuffix(m.Name, "bytecode.pkl") {
				continue
			}
			r, err := m.Open()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if seen[string(data)] {
				continue
			}
			seen[string(data)] = true
			files++
			o := formattest.Bytes(t, filepath.Base(p)+"!/"+m.Name, data, New())
			if !o.Matched {
				t.Errorf("%s %s: not recognised:\n%.200s", p, m.Name, data)
			}
			if len(o.Findings) > 0 || len(o.Reasons) > 0 {
				t.Errorf("%s %s: %v %+v", p, m.Name, o.Reasons, o.Findings)
			}
		}
		_ = z.Close()
	}
	t.Logf("%d distinct files of %d archives", files, len(paths))
	if files < 100 {
		t.Errorf("only %d files", files)
	}
}

var _ = finding.High
