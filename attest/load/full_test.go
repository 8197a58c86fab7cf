package load_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/load"
)

// small mounts a file system in memory, which only root may.
func small(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("SKIPPED: a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDiskFills lets a disk fill while files are copied to it: each of them would
// fit, all of them do not.
func TestDiskFills(t *testing.T) {
	src := t.TempDir()
	var want []load.Expected
	for i := range 6 {
		name, data := fmt.Sprintf("%d/weights", i), content(uint64(i), 400_000)
		write(t, src, name, data)
		want = append(want, whole(name, data, hashing.SHA256))
	}
	for name, c := range map[string]struct {
		options string
		cause   error
	}{
		"blocks": {"size=1m", unix.ENOSPC},
		"inodes": {"size=64m,nr_inodes=9", unix.ENOSPC},
	} {
		for _, workers := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d workers", name, workers), func(t *testing.T) {
				dir := small(t, c.options)
				err := load.CopyTo(t.Context(), openRoot(t, src), want, filepath.Join(dir, "copy"), load.Options{Workers: workers})
				if !errors.Is(err, c.cause) || len(attest.Refusals(err)) > 0 {
					t.Errorf("want %v alone, have %v", c.cause, err)
				}
				only(t, dir)
				// There is room again: nothing is held open.
				if err := load.CopyTo(t.Context(), openRoot(t, src), want[:2], filepath.Join(dir, "copy"), load.Options{}); err != nil {
					t.Error(err)
				}
				only(t, dir, "copy")
			})
		}
	}
}

func TestDiskFillsWhileSealing(t *testing.T) {
	src, dir := t.TempDir(), small(t, "size=1m")
	data := content(1, 900_000)
	write(t, src, "w", data)
	write(t, dir, "other", content(2, 400_000))
	want, opt := whole("w", data, hashing.SHA256), load.Options{TempDir: dir, MemoryLimit: -1}
	if _, err := load.Seal(t.Context(), openRoot(t, src), want, opt); !errors.Is(err, unix.ENOSPC) || len(attest.Refusals(err)) > 0 {
		t.Errorf("want a plain error, have %v", err)
	}
	only(t, dir, "other")
	if err := os.Remove(filepath.Join(dir, "other")); err != nil {
		t.Fatal(err)
	}
	s, err := load.Seal(t.Context(), openRoot(t, src), want, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	only(t, dir)
}
