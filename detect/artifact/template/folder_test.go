package template_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// TestBenignFolder measures false positives on a folder of files that are known
// to be harmless (BARTIZAN_BENIGN): each is to come out clean and complete.
func TestBenignFolder(t *testing.T) {
	root := os.Getenv("BARTIZAN_BENIGN")
	if root == "" {
		t.Skip("BARTIZAN_BENIGN is not set: no folder of benign files was checked")
	}
	files, taken, faults := 0, 0, 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > 64<<20 || info.Size() < 2 {
			return nil
		}
		files++
		f, err := os.Open(p)
		if err != nil {
			return nil
		}
		head := make([]byte, format.HeadBytes)
		n, _ := f.Read(head)
		_ = f.Close()
		if !matches(p, head[:n]) {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return nil
		}
		taken++
		if r, _ := scanBytes(t, p, b); r.Verdict != finding.Clean {
			faults++
			t.Errorf("%s: %s %s %v %s", p, r.Verdict, r.Coverage, r.Reasons, describe(r))
		} else if s := describe(r); s != "" {
			t.Logf("%s: noted %s", p, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d taken, %d not clean", files, taken, faults)
}
