package within_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bartizan/cmd/internal/within"
)

func TestName(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "model/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("model", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, c := range []struct{ root, file, want string }{
		{"model", "model/m.sig", "m.sig"},
		{"model", "model/sub/../m.sig", "m.sig"},
		{"link", "model/sub/m.sig", "sub/m.sig"},
		{"model", "link/m.sig", "m.sig"},
		{dir + "/model", "link/m.sig", "m.sig"},
		{"model", "m.sig", ""},
		{"model", "model", ""},
		{"model", dir + "/model..sig", ""},
	} {
		if got, err := within.Name(c.root, c.file); got != c.want || err != nil {
			t.Errorf("%s in %s: %q, %v", c.file, c.root, got, err)
		}
	}
	if _, err := within.Name("model", "gone/m.sig"); err == nil {
		t.Error("a folder that is not there")
	}
	got, err := within.Ignores("model", []string{"a/", "./b", "a/../c", dir + "/model/sub"})
	if err != nil || !slices.Equal(got, []string{"a", "b", "c", "sub"}) {
		t.Errorf("%q, %v", got, err)
	}
	for _, p := range []string{".", "", "..", "../x", "a/../..", "/etc", dir + "/model"} {
		if got, err := within.Ignores("model", []string{p}); err == nil {
			t.Errorf("%s: %q", p, got)
		}
	}
}
