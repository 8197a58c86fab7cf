package container_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"bartizan/detect/container"
	"bartizan/detect/input"
	"bartizan/finding"
)

// deep walks b and all that lies within, as an engine does.
func deep(b input.Blob, out *finding.Collector) error {
	budget := input.NewBudget(b.Size())
	return deeper(context.Background(), b, "x", budget.Depth, budget, out)
}

func deeper(ctx context.Context, b input.Blob, path string, depth int, budget *input.Budget, out *finding.Collector) error {
	if depth == 0 {
		out.Incomplete("depth-limit", path)
		return nil
	}
	for _, f := range matching(b) {
		in := container.In{Blob: b, Path: path, Budget: budget, Out: out}
		err := f.Walk(ctx, in, func(ctx context.Context, m *container.Member) error {
			c, release, err := m.Open(ctx)
			if err != nil {
				return err
			}
			defer release()
			return deeper(ctx, c, path+"!/"+m.Label(), depth-1, budget, out)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// zerosBy packs n zero bytes.
func zerosBy(n int64, open func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := open(&b)
	chunk := make([]byte, 1<<20)
	for ; n > 0; n -= int64(len(chunk)) {
		w.Write(chunk[:min(n, int64(len(chunk)))])
	}
	w.Close()
	return b.Bytes()
}

func flateZeros(n int64) []byte {
	return zerosBy(n, func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f })
}

func gzipZeros(n int64) []byte {
	return zerosBy(n, func(w io.Writer) io.WriteCloser { f, _ := gzip.NewWriterLevel(w, 9); return f })
}

func zstdZeros(n int64) []byte {
	return zerosBy(n, func(w io.Writer) io.WriteCloser {
		f, _ := zstd.NewWriter(w, zstd.WithWindowSize(64<<20))
		return f
	})
}

func lz4Zeros(n int64) []byte {
	return zerosBy(n, func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) })
}

// nestedZips is the 42.zip kind: each level holds the level below many times.
func nestedZips(levels, width int) []byte {
	b := flateZeros(200 << 20)
	name := "0.dll"
	size, crc := uint32(200<<20), uint32(0)
	for range levels {
		var arc zipArc
		for i := range width {
			arc.members = append(arc.members, zent{name: strconv.Itoa(i) + name, method: 8, raw: b, size: &size, crc: &crc})
		}
		inner := arc.bytes()
		b, name = deflated(string(inner)), ".zip"
		size, crc = uint32(len(inner)), crc32.ChecksumIEEE(inner)
	}
	return zipArc{members: []zent{{name: "a.zip", method: 8, raw: b, size: &size, crc: &crc}}}.bytes()
}

// overlapping is D. Fifield's quoted overlap: every header quotes the next.
func overlapping(n int) []byte {
	kernel := flateZeros(20 << 20)
	size := uint32(20 << 20)
	arc := zipArc{members: []zent{{name: "k", method: 8, raw: kernel, size: &size}}}
	for i := range n {
		arc.members = append(arc.members, zent{name: "k" + strconv.Itoa(i), method: 8, raw: kernel, size: &size, sameLocalAs: 1})
	}
	return arc.bytes()
}

// nestedStreams packs content again and again.
func nestedStreams(n int) []byte {
	b := []byte(repeat(good, 1000))
	for i := range n {
		if i%2 == 0 {
			b = gzipped(string(b))
		} else {
			b = zstandard(string(b))
		}
	}
	return b
}

// manyEmpty is a lot of the smallest things of a kind.
func manyEmpty(one []byte, bytes int) []byte { return []byte(repeat(string(one), bytes/len(one))) }

func hostile(t *testing.T, name string) []byte {
	switch name {
	case "bzip2 of 100 MiB":
		return pythonPacked(t, "bz2.compress(bytes(100<<20))", "")
	case "xz of 200 MiB": // with preset 9's dictionary, but not its time
		return pythonPacked(t, "lzma.compress(bytes(200<<20),filters=[{'id':lzma.FILTER_LZMA2,'preset':0,'dict_size':64<<20}])", "")
	case "zip of bzip2 members":
		packed := pythonPacked(t, "bz2.compress(bytes(20<<20))", "")
		arc := zipArc{}
		for i := range 100 {
			arc.members = append(arc.members, zent{name: itoa(i), method: 12, raw: packed, size: p(uint32(20 << 20)), crc: p(uint32(0))})
		}
		return arc.bytes()
	case "zip of tiny lzma members":
		arc := zipArc{}
		for i := range 50_000 { // properties that ask for tables of 6 MiB
			arc.members = append(arc.members, zent{name: itoa(i), method: 14, raw: []byte("\x09\x14\x05\x00\x2c\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"), size: p(uint32(100)), crc: p(uint32(0))})
		}
		return arc.bytes()
	}
	return hostileByHand(name)
}

func hostileByHand(name string) []byte {
	zeros := uint32(256 << 20)
	switch name {
	case "zip of 256 MiB":
		return zipArc{members: []zent{{name: "a", method: 8, raw: flateZeros(256 << 20), size: &zeros}}}.bytes()
	case "zip that declares little":
		return zipArc{members: []zent{{name: "a", method: 8, raw: flateZeros(256 << 20), size: p(uint32(100))}}}.bytes()
	case "nested zips":
		return nestedZips(5, 16)
	case "overlapping zip":
		return overlapping(2000)
	case "gzip of 256 MiB":
		return gzipZeros(256 << 20)
	case "zstd with a window of 64 MiB":
		return zstdZeros(256 << 20)
	case "lz4 of 256 MiB":
		return lz4Zeros(256 << 20)
	case "gzip in gzip in gzip":
		return gzipped(string(gzipped(string(gzipZeros(256 << 20)))))
	case "nested streams":
		return nestedStreams(40)
	case "empty gzip members":
		return manyEmpty(gzipped(""), 8<<20)
	case "empty lz4 frames":
		return manyEmpty(lz4ed(""), 8<<20)
	case "empty zstd frames":
		return manyEmpty(zstandard(""), 8<<20)
	case "empty tar members":
		return manyEmpty(tarPart(tent{name: "a"}), 64<<20)
	case "empty zip members":
		return manyMembers(200_000, "")
	case "local headers without an end":
		return manyEmpty(zipArc{noEnd: true, members: one("a", "x")}.bytes(), 8<<20)
	case "signatures":
		return join([]byte("PK\x03\x04"), manyEmpty([]byte("PK\x03\x04"), 16<<20), zipArc{}.bytes())
	case "end records":
		return manyEmpty([]byte("PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 8<<20)
	case "tar in gzip":
		return gzipped(string(tarOf(tent{name: "a", data: repeat("\x00", 30<<20)}, tent{name: "b", data: good})))
	case "deep names and links":
		return linkBomb()
	}
	return nil
}

func linkBomb() []byte {
	var members []tent
	for i := range 5000 {
		members = append(members, tent{name: "l" + strconv.Itoa(i), kind: '2', link: "l" + strconv.Itoa(i+1) + "/" + repeat("d/", 40)})
	}
	for range 5000 {
		members = append(members, tent{name: "l0/" + repeat("x/", 40) + "f"})
	}
	return tarOf(members...)
}

func manyMembers(n int, data string) []byte {
	arc := zipArc{zip64: n > 65534}
	for i := range n {
		arc.members = append(arc.members, zent{name: "dir/member-" + strconv.Itoa(i), data: data})
	}
	return arc.bytes()
}

var hostileNames = []string{
	"zip of 256 MiB", "zip that declares little", "nested zips", "overlapping zip", "gzip of 256 MiB",
	"zstd with a window of 64 MiB", "lz4 of 256 MiB", "gzip in gzip in gzip", "nested streams", "empty gzip members", "empty lz4 frames",
	"empty zstd frames", "empty tar members", "empty zip members", "local headers without an end", "signatures", "end records",
	"tar in gzip", "deep names and links", "bzip2 of 100 MiB", "xz of 200 MiB", "zip of bzip2 members", "zip of tiny lzma members",
}

// TestHostile runs each input in a process of its own and holds its memory
// against a process that scans next to nothing.
func TestHostile(t *testing.T) {
	if name := os.Getenv("BARTIZAN_HOSTILE"); name != "" {
		runHostile(t, name)
		return
	}
	dir := t.TempDir()
	base, _, _ := measure(t, dir, "nothing", gzipped(good))
	for _, name := range hostileNames {
		t.Run(name, func(t *testing.T) {
			kb, took, text := measure(t, dir, "input", hostile(t, name))
			t.Logf("%.1f MiB above a tiny scan, %v, %s", float64(kb-base)/1024, took.Round(time.Millisecond), text)
			if kb-base > 64<<10 {
				t.Errorf("%d KiB resident above a tiny scan", kb-base)
			}
			if strings.HasPrefix(text, "clean") && name != "nested streams" && !strings.HasPrefix(name, "empty") {
				t.Errorf("result %s", text)
			}
		})
	}
}

// measure walks b in a child and gives its peak memory.
func measure(t *testing.T, dir, name string, b []byte) (kb int64, took time.Duration, text string) {
	t.Helper()
	path := dir + "/" + name
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestHostile$", "-test.v")
	c.Env = append(os.Environ(), "BARTIZAN_HOSTILE="+path)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if f := strings.SplitN(line, "RESULT ", 2); len(f) == 2 {
			parts := strings.SplitN(f[1], " ", 3)
			kb, _ = strconv.ParseInt(parts[0], 10, 64)
			took, _ = time.ParseDuration(parts[1])
			return kb, took, parts[2]
		}
	}
	t.Fatalf("no result:\n%s", out)
	return 0, 0, ""
}

// cpuTime is what this process has used: other work on the machine does not count.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// runHostile is the child: it reads the file through a descriptor, so that its
// pages are not its own memory.
func runHostile(t *testing.T, path string) {
	debug.SetMemoryLimit(48 << 20)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	var out finding.Collector
	start := cpuTime()
	err = deep(input.FromReaderAt(f, info.Size()), &out)
	took := cpuTime() - start
	if err != nil {
		t.Fatal(err)
	}
	res := out.Result("x")
	status, _ := os.ReadFile("/proc/self/status")
	hwm := "0"
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmHWM:") {
			hwm = strings.Fields(line)[1]
		}
	}
	rules := ""
	for _, f := range res.Findings {
		rules += f.Rule + " "
	}
	t.Logf("RESULT %s %s %s %s %s %.200q", hwm, took, res.Verdict, res.Coverage, rules, res.Reasons)
}
