package load

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// availableMemory is how many bytes this process could still take: what the
// kernel says is available, or what its control groups leave, whichever is less.
// It is 0 where nothing can be found out.
func availableMemory() int64 {
	available := memAvailable("/proc/meminfo")
	for _, group := range groups("/proc/self/cgroup", "/sys/fs/cgroup") {
		available = min(available, groupLeaves(group))
	}
	return max(available, 0)
}

// memAvailable reads MemAvailable, which is given in KiB (proc(5)).
func memAvailable(path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "MemAvailable:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			if err != nil || kib < 0 || kib > math.MaxInt64>>10 {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// groups gives the folders of the control groups that this process is in, up to
// the topmost that it can see: the limit of each of them counts.
func groups(proc, mount string) []string {
	data, err := os.ReadFile(proc)
	if err != nil {
		return nil
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		top := mount
		switch {
		case parts[1] == "": // version 2
		case strings.Contains(","+parts[1]+",", ",memory,"):
			top = filepath.Join(mount, "memory")
		default:
			continue
		}
		for dir := filepath.Join(top, filepath.Clean("/"+parts[2])); len(dir) >= len(top); dir = filepath.Dir(dir) {
			found = append(found, dir)
		}
	}
	return found
}

// groupLeaves is the limit of one group less what it uses.
func groupLeaves(dir string) int64 {
	for _, names := range [][2]string{{"memory.max", "memory.current"}, {"memory.limit_in_bytes", "memory.usage_in_bytes"}} {
		limit, ok := number(filepath.Join(dir, names[0]))
		if !ok {
			continue
		}
		used, _ := number(filepath.Join(dir, names[1]))
		return limit - used
	}
	return math.MaxInt64
}

func number(path string) (int64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil && n >= 0
}
