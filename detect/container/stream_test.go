package container_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os/exec"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"bartizan/detect/input"
	"bartizan/finding"
)

func zlibbed(s string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.Bytes()
}

func zstandard(s string) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll([]byte(s), nil)
}

func lz4ed(s string) []byte {
	var b bytes.Buffer
	w := lz4.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.Bytes()
}

func skipFrame(s string) []byte {
	n := len(s)
	return append([]byte{0x53, 0x2a, 0x4d, 0x18, byte(n), byte(n >> 8), 0, 0}, s...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// python packs data as Python's module does; nil where Python is missing.
func pythonPacked(t testing.TB, expr, data string) []byte {
	t.Helper()
	py, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here: streams of its encoders were NOT tested")
	}
	c := exec.Command(py, "-c", "import bz2,lzma,sys; d=sys.stdin.buffer.read(); sys.stdout.buffer.write("+expr+")")
	c.Stdin = bytes.NewReader([]byte(data))
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type streamCase struct {
	name, format string
	b            []byte
	holds        []string
	rules        r
	reasons      []string
}

func streamCases(t testing.TB) []streamCase {
	suffix := r{"archive/suffix-data": finding.Medium}
	gz, zs, l4 := gzipped(good), zstandard(good), lz4ed(good)
	bz, xz := pythonPacked(t, "bz2.compress(d)", good), pythonPacked(t, "lzma.compress(d)", good)
	alone := pythonPacked(t, "lzma.compress(d,format=lzma.FORMAT_ALONE)", good)
	both := []string{good + evil}
	return []streamCase{
		{name: "gzip", format: "gzip", b: gz, holds: []string{good}},
		{name: "gzip, two members", format: "gzip", b: gzipped(good, evil), holds: both},
		{name: "gzip, zero padding", format: "gzip", b: join(gz, make([]byte, 700)), holds: []string{good}},
		{name: "gzip, padding between members", format: "gzip", b: join(gz, make([]byte, 70), gzipped(evil)), holds: both},
		{name: "gzip, bytes behind padding", format: "gzip", b: join(gz, make([]byte, 70), []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "gzip, bytes behind", format: "gzip", b: join(gz, []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "gzip, cut", format: "gzip", b: gz[:len(gz)-5], holds: []string{good}, reasons: []string{"truncated"}},
		{name: "gzip, bad sum", format: "gzip", b: flip(gz, len(gz)-6), holds: []string{good}, reasons: []string{"damaged"}},
		{name: "zlib", format: "zlib", b: zlibbed(good), holds: []string{good}},
		{name: "zlib, bytes behind", format: "zlib", b: join(zlibbed(good), []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "bzip2", format: "bzip2", b: bz, holds: []string{good}},
		{name: "bzip2, two streams", format: "bzip2", b: join(bz, pythonPacked(t, "bz2.compress(d)", evil)), holds: both},
		{name: "bzip2, bytes behind", format: "bzip2", b: join(bz, []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "bzip2, cut", format: "bzip2", b: bz[:len(bz)-5], reasons: []string{"truncated"}},
		{name: "xz", format: "xz", b: xz, holds: []string{good}},
		{name: "xz, two streams and padding", format: "xz", b: join(xz, make([]byte, 8), pythonPacked(t, "lzma.compress(d)", evil)), holds: both},
		{name: "xz, bytes behind", format: "xz", b: join(xz, []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "xz, cut", format: "xz", b: xz[:len(xz)-40], holds: nil, reasons: []string{"truncated"}},
		{name: "lzma", format: "lzma", b: alone, holds: []string{good}},
		{name: "lzma, bytes behind", format: "lzma", b: join(alone, []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "zstd", format: "zstd", b: zs, holds: []string{good}},
		{name: "zstd, two frames and a skippable one", format: "zstd", b: join(skipFrame("note"), zs, skipFrame("note"), zstandard(evil)), holds: both},
		{name: "zstd, bytes behind", format: "zstd", b: join(zs, []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "zstd, cut", format: "zstd", b: zs[:len(zs)-8], reasons: []string{"truncated"}},
		{name: "lz4", format: "lz4", b: l4, holds: []string{good}},
		{name: "lz4, two frames and a skippable one", format: "lz4", b: join(skipFrame("note"), l4, skipFrame("note"), lz4ed(evil)), holds: both},
		{name: "lz4, long skippable frame first", format: "lz4", b: join(skipFrame(repeat("n", 9000)), l4), holds: []string{good}},
		{name: "lz4, bytes behind", format: "lz4", b: join(l4, []byte(evil)), holds: []string{good, evil}, rules: suffix},
		{name: "lz4, cut", format: "lz4", b: l4[:len(l4)-10], reasons: []string{"truncated"}},
		{name: "rar, stored", format: "rar", b: rar4(false), holds: []string{good}},
		{name: "rar, packed", format: "rar", b: rar4(true), reasons: []string{"unsupported-compression"}},
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x40
	return b
}

// rar4 is an archive of RAR's older format with one member.
func rar4(packed bool) []byte {
	method := byte(0x30)
	if packed {
		method = 0x33
	}
	n := byte(len(good))
	file := []byte{0, 0, 0x74, 0, 0x80, 33, 0, n, 0, 0, 0, n, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 29, method, 1, 0, 0xa4, 0x81, 0, 0, 'a'}
	copy(file[16:], []byte{0x6f, 0x57, 0x43, 0xa5})
	sum := crcOf(good)
	file[16], file[17], file[18], file[19] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
	main := []byte{0xcf, 0x90, 0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0}
	return join([]byte("Rar!\x1a\x07\x00"), main, file, []byte(good), []byte{0xc4, 0x3d, 0x7b, 0, 0x40, 7, 0})
}

func TestCraftedStreams(t *testing.T) {
	for _, c := range streamCases(t) {
		for where, b := range both(c.b) {
			t.Run(c.name+"/"+where, func(t *testing.T) { check(t, c.format, b, c.holds, c.rules, c.reasons) })
		}
	}
}

// Only one format matches ordinary content of each kind.
func TestFormatsDoNotMatchEachOther(t *testing.T) {
	for _, c := range streamCases(t) {
		var names []string
		for _, f := range matching(input.FromBytes(c.b)) {
			names = append(names, f.Name())
		}
		if len(names) != 1 && c.name != "lz4, long skippable frame first" {
			t.Errorf("%s matches %v", c.name, names)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "zeros": repeat("\x00", 4096), "text": repeat("Lorem ipsum dolor sit amet. ", 100),
		"pickle": "\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.", "json": `{"a": 1}`,
		"text that ends like a zip": repeat("x", 600) + "PK\x05\x06" + repeat("y", 40),
	} {
		for _, f := range matching(input.FromBytes([]byte(text))) {
			t.Errorf("%s matches %s", name, f.Name())
		}
	}
}

func TestStreamMembersAreNamed(t *testing.T) {
	for path, want := range map[string]string{
		"d/model.pkl.xz": "model.pkl", "m.tar.xz": "m.tar", "m.txz": "m.tar", "x!/a.b.xz": "a.b", "plain": "plain.data",
	} {
		got := ""
		xz := pythonPacked(t, "lzma.compress(d)", good)
		walkPath(t, "xz", path, xz, func(name string) { got = name })
		if got != want {
			t.Errorf("%s: member %q, want %q", path, got, want)
		}
	}
	got := ""
	walkPath(t, "gzip", "x.gz", gzipped(good), func(name string) { got = name })
	if got != "named.pkl" {
		t.Errorf("gzip's own name: %q", got)
	}
}

func TestFormatNamesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range streamCases(t) {
		seen[c.format] = true
	}
	if len(seen) < 8 {
		t.Errorf("cases for %v only", fmt.Sprint(seen))
	}
}

// A tar that is larger than a member's memory is walked while it is unpacked.
func TestLargeTarsAreWalkedInPassing(t *testing.T) {
	noise := make([]byte, 9<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7)
	}
	arc := tarOf(
		tent{name: "d/", kind: '5'}, tent{name: "first", data: good}, tent{name: "a", data: string(noise)}, tent{name: "b", data: string(noise)},
		paxOf("path", "pax/"+repeat("n", 120)), tent{name: "x", data: string(noise)},
		tent{name: "../../out", data: "x"}, tent{name: "last", data: evil},
	)
	whole := gzipped(string(arc))
	s := walk(t, "gzip", input.FromBytes(whole))
	for _, want := range []string{"first", "a", "b", "pax/" + repeat("n", 120), "last"} {
		found := false
		for _, m := range s.members {
			found = found || m.name == want
		}
		if !found {
			t.Errorf("member %q was not seen", want)
		}
	}
	if !s.has("first", good) || !s.has("last", evil) || !s.has("a", string(noise)) {
		t.Error("content is missing")
	}
	if s.result.Coverage != finding.Complete || s.rules["archive/path-traversal"] != finding.High || len(s.rules) != 1 {
		t.Errorf("\n%s", s)
	}
	for _, cut := range []int{len(whole) / 2, len(whole) - 100} {
		if s := walk(t, "gzip", input.FromBytes(whole[:cut])); !s.reason("truncated") {
			t.Errorf("cut to %d of %d:\n%s", cut, len(whole), s)
		}
	}
	short := gzipped(string(arc[:len(arc)-1024-600]))
	if s := walk(t, "gzip", input.FromBytes(short)); !s.reason("truncated") {
		t.Errorf("tar cut within its stream:\n%s", s)
	}
	walkPath(t, "gzip", "m.tar.gz", whole, func(string) {})
}

// Encoders ask for windows of 64 MiB and more. What unpacks into a member's
// memory is seen whole all the same.
func TestLargeWindowsAreNoLimit(t *testing.T) {
	data := repeat("0123456789abcdef", 20<<16)
	for format, expr := range map[string]string{
		"xz":   "lzma.compress(d,preset=9)",
		"lzma": "lzma.compress(d,format=lzma.FORMAT_ALONE,preset=9)",
	} {
		s := walk(t, format, input.FromBytes(pythonPacked(t, expr, data)))
		if s.result.Coverage != finding.Complete || len(s.members) != 1 || s.members[0].content != data {
			t.Errorf("%s:\n%s", format, s)
		}
	}
}
