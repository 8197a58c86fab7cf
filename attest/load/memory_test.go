package load

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMemAvailable(t *testing.T) {
	for text, want := range map[string]int64{
		"MemTotal: 9 kB\nMemAvailable:    2048 kB\n": 2 << 20,
		"MemTotal: 9 kB\n":                           0,
		"MemAvailable: many kB\n":                    0,
		"MemAvailable: -1 kB\n":                      0,
		"MemAvailable: 9223372036854775807 kB\n":     0,
	} {
		if got := memAvailable(put(t, filepath.Join(t.TempDir(), "meminfo"), text)); got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
	if got := memAvailable("/nowhere"); got != 0 {
		t.Errorf("%d without a file", got)
	}
	if availableMemory() <= 0 {
		t.Error("this host has no memory")
	}
}

func TestGroups(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a/b/memory.max"), "max\n")
	put(t, filepath.Join(dir, "a/memory.max"), "1000\n")
	put(t, filepath.Join(dir, "a/memory.current"), "400\n")
	put(t, filepath.Join(dir, "memory/old/memory.limit_in_bytes"), "900\n")
	put(t, filepath.Join(dir, "memory/old/memory.usage_in_bytes"), "800\n")
	proc := put(t, filepath.Join(dir, "cgroup"), "5:cpu,memory:/old\n4:pids:/x\nwrong\n0::/a/b/../b\n")
	all := groups(proc, dir)
	want := []string{"memory/old", "memory", "a/b", "a", ""}
	for i := range want {
		want[i] = filepath.Join(dir, want[i])
	}
	if !slices.Equal(all, want) {
		t.Fatalf("%q", all)
	}
	leaves := []int64{100, math.MaxInt64, math.MaxInt64, 600, math.MaxInt64}
	for i, g := range all {
		if got := groupLeaves(g); got != leaves[i] {
			t.Errorf("%s leaves %d", g, got)
		}
	}
	if got := groups("/nowhere", dir); got != nil {
		t.Errorf("%q", got)
	}
}
