package load_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/load"
)

// model writes a small model and gives what was signed of it.
func model(t testing.TB, dir string) (files map[string][]byte, want []load.Expected) {
	t.Helper()
	files = map[string][]byte{
		"config.json":          []byte(`{"a": 1}`),
		"empty":                nil,
		"weights/a.bin":        content(1, 3<<20+1),
		"weights/deep/b.bin":   content(2, 100_000),
		"weights/deep/ü/c.bin": content(3, 20<<20),
	}
	for name, data := range files {
		write(t, dir, name, data)
	}
	return files, []load.Expected{
		whole("config.json", files["config.json"], hashing.BLAKE2b),
		whole("empty", nil, hashing.SHA256),
		chunks("weights/a.bin", files["weights/a.bin"]),
		shards("weights/deep/b.bin", files["weights/deep/b.bin"], 4096, hashing.SHA256),
		shards("weights/deep/ü/c.bin", files["weights/deep/ü/c.bin"], 5<<20, hashing.BLAKE3),
	}
}

func TestCopyTo(t *testing.T) {
	src := t.TempDir()
	files, want := model(t, src)
	write(t, src, "not-signed.pkl", []byte("os.system"))
	for _, opt := range []load.Options{{}, {Workers: 1}, {Workers: 5, Volatile: true}} {
		parent := t.TempDir()
		to := filepath.Join(parent, "copy")
		if err := load.CopyTo(t.Context(), openRoot(t, src), want, to, opt); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if d.IsDir() {
				if info.Mode().Perm() != 0o500 {
					t.Errorf("%s has mode %v", path, info.Mode())
				}
				return nil
			}
			if info.Mode() != 0o400 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			name, _ := filepath.Rel(to, path)
			found[name] = true
			data, err := os.ReadFile(path)
			same(t, name, data, files[name])
			return err
		})
		if err != nil || len(found) != len(files) {
			t.Fatalf("%d of %d files, %v", len(found), len(files), err)
		}
		only(t, parent, "copy")
		if err := load.Remove(to); err != nil {
			t.Fatal(err)
		}
		only(t, parent)
	}
}

func only(t testing.TB, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, "/") != strings.Join(names, "/") {
		t.Fatalf("%s holds %q, want %q", dir, got, names)
	}
}

func TestCopyToLeavesNothingBehind(t *testing.T) {
	src := t.TempDir()
	files, want := model(t, src)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		spoil func()
		ctx   context.Context
		want  func([]load.Expected) []load.Expected
		code  attest.Code
	}{
		"a byte":    {spoil: func() { write(t, src, "weights/a.bin", append(files["weights/a.bin"][:1<<20:1<<20], 'x')) }, code: attest.OMSDigestMismatch},
		"missing":   {spoil: func() { os.Remove(filepath.Join(src, "config.json")) }, code: attest.OMSFileMissing},
		"cancelled": {ctx: cancelled},
		"nothing":   {want: func([]load.Expected) []load.Expected { return nil }, code: attest.OMSEmpty},
		"escapes": {want: func(e []load.Expected) []load.Expected {
			return append(e, whole("../out", nil, hashing.SHA256))
		}, code: attest.OMSNameEscapesRoot},
		"twice": {want: func(e []load.Expected) []load.Expected { return append(e, e[0]) }, code: attest.OMSNameDuplicate},
		"collision": {want: func(e []load.Expected) []load.Expected {
			return append(e, whole("CONFIG.json", nil, hashing.SHA256))
		}, code: attest.OMSNameCollision},
		"a dot in a folder": {want: func(e []load.Expected) []load.Expected {
			return append(e, whole(".", nil, hashing.SHA256))
		}, code: attest.OMSNameInvalid},
	} {
		model(t, src)
		parent := t.TempDir()
		if c.spoil != nil {
			c.spoil()
		}
		list := append([]load.Expected{}, want...)
		if c.want != nil {
			list = c.want(list)
		}
		ctx := t.Context()
		if c.ctx != nil {
			ctx = c.ctx
		}
		err := load.CopyTo(ctx, openRoot(t, src), list, filepath.Join(parent, "copy"), load.Options{})
		if err == nil || attest.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		only(t, parent)
	}
}

func TestCopyToTakesOnlyVacantPlaces(t *testing.T) {
	src := t.TempDir()
	_, want := model(t, src)
	parent := t.TempDir()
	write(t, parent, "full/x", nil)
	write(t, parent, "file", nil)
	if err := os.Symlink(t.TempDir(), filepath.Join(parent, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(parent, "vacant"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"full", "file", "link", "missing/copy"} {
		if err := load.CopyTo(t.Context(), openRoot(t, src), want, filepath.Join(parent, name), load.Options{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	only(t, parent, "file", "full", "link", "vacant")
	if err := load.CopyTo(t.Context(), openRoot(t, src), want, filepath.Join(parent, "vacant"), load.Options{}); err != nil {
		t.Error(err)
	}
	if err := load.CopyTo(t.Context(), openRoot(t, src), want, filepath.Join(parent, "vacant"), load.Options{}); err == nil {
		t.Error("a folder that is full by now was taken")
	}
}

// TestDiskFull wants more room than any disk has: it is found out before anything
// is written. See TestDiskFills for disks that fill later.
func TestDiskFull(t *testing.T) {
	src := t.TempDir()
	path := filepath.Join(src, "huge")
	write(t, src, "huge", nil)
	if err := os.Truncate(path, 1<<42); err != nil { // 4 TiB of nothing, the most that is read
		t.Skipf("SKIPPED: no sparse files here: %v", err)
	}
	parent := t.TempDir()
	want := []load.Expected{whole("huge", nil, hashing.SHA256)}
	err := load.CopyTo(t.Context(), openRoot(t, src), want, filepath.Join(parent, "copy"), load.Options{})
	if err == nil || attest.CodeOf(err) != "" {
		t.Fatalf("want a plain error, have %v", err)
	}
	only(t, parent)
	if _, err := load.Seal(t.Context(), openRoot(t, src), want[0], load.Options{TempDir: parent}); err == nil || attest.CodeOf(err) != "" {
		t.Fatalf("want a plain error, have %v", err)
	}
	only(t, parent)
}

func TestRemoveIsCalm(t *testing.T) {
	if err := load.Remove(filepath.Join(t.TempDir(), "gone")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}
