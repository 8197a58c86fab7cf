package container_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"bartizan/finding"
)

type tarCase struct {
	name    string
	arc     []byte
	holds   []string
	rules   r
	reasons []string
}

func tarCases() []tarCase {
	return append(append(benignTars(), nameTars()...), headerTars()...)
}

// oldSparse is the header part of an old GNU sparse member.
func oldSparse(real int, pieces ...int) string {
	var b strings.Builder
	for i := range 8 {
		v := 0
		if i < len(pieces) {
			v = pieces[i]
		}
		if i < len(pieces) {
			fmt.Fprintf(&b, "%011o\x00", v)
		} else {
			b.WriteString(strings.Repeat("\x00", 12))
		}
	}
	return b.String() + "\x00" + fmt.Sprintf("%011o\x00", real)
}

func benignTars() []tarCase {
	longName := repeat("directory/", 20) + "file"
	ten := good[:10]
	expanded := repeat("\x00", 600) + ten + repeat("\x00", 90)
	map10 := "1\n600\n10\n"
	data10 := map10 + repeat("\x00", 512-len(map10)) + ten
	return []tarCase{
		{name: "ustar", arc: tarOf(tent{name: "a", data: good}), holds: []string{good}},
		{name: "prefix", arc: tarOf(tent{name: "a", prefix: "some/where", data: good}), holds: []string{good}},
		{name: "v7", arc: tarOf(tent{name: "a", data: good, magic: "\x00\x00\x00\x00\x00\x00\x00\x00"}), holds: []string{good}},
		{name: "dot names", arc: tarOf(tent{name: "./", kind: '5'}, tent{name: "./a", data: good}), holds: []string{good}},
		{name: "gnu long names", arc: tarOf(long('L', longName), tent{name: longName[:100], data: good, magic: "ustar  \x00"}), holds: []string{good}},
		{name: "gnu long link", arc: tarOf(long('K', longName), tent{name: "l", kind: '2', link: longName[:100], magic: "ustar  \x00"})},
		{name: "pax path", arc: tarOf(paxOf("path", longName), tent{name: longName[:100], data: good}), holds: []string{good}},
		{name: "pax global", arc: tarOf(tent{name: "g", kind: 'g', data: "52 comment=0123456789012345678901234567890123456789\n"}, tent{name: "a", data: good}), holds: []string{good}},
		{name: "base 256", arc: tarOf(tent{name: "a", data: good, size: "\x80" + repeat("\x00", 10) + string(rune(len(good)))}), holds: []string{good}},
		{name: "no end marker", arc: tarPart(tent{name: "a", data: good}), holds: []string{good}},
		{name: "record padding", arc: append(tarOf(tent{name: "a", data: good}), make([]byte, 8192)...), holds: []string{good}},
		{name: "hardlink and symlink within", arc: tarOf(tent{name: "d/a", data: good}, tent{name: "h", kind: '1', link: "d/a"}, tent{name: "d/s", kind: '2', link: "../h"}), holds: []string{good}},
		{name: "devices", arc: tarOf(tent{name: "c", kind: '3'}, tent{name: "p", kind: '6'}, tent{name: "a", data: good}), holds: []string{good}},
		{name: "old gnu sparse", arc: tarOf(tent{name: "a", kind: 'S', data: ten, magic: "ustar  \x00", tail: oldSparse(700, 600, 10)}, tent{name: "b", data: evil}), holds: []string{expanded, evil}},
		{name: "pax sparse 0.1", arc: tarOf(paxOf("GNU.sparse.size", "700", "GNU.sparse.numblocks", "1", "GNU.sparse.map", "600,10"), tent{name: "a", data: ten}, tent{name: "b", data: evil}), holds: []string{expanded, evil}},
		{name: "pax sparse 0.0", arc: tarOf(paxOf("GNU.sparse.size", "700", "GNU.sparse.numblocks", "1", "GNU.sparse.offset", "600", "GNU.sparse.numbytes", "10"), tent{name: "a", data: ten}, tent{name: "b", data: evil}), holds: []string{expanded, evil}},
		{name: "pax sparse 1.0", arc: tarOf(paxOf("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "a", "GNU.sparse.realsize", "700"), tent{name: "GNUSparseFile.0/a", data: data10}, tent{name: "b", data: evil}), holds: []string{expanded, evil}},
		{name: "volume label", arc: tarOf(tent{name: "label", kind: 'V', magic: "ustar  \x00"}, tent{name: "a", data: good}), holds: []string{good}},
		{name: "unknown types have data", arc: tarOf(tent{name: "a", kind: 'Q', data: good}, tent{name: "v", kind: 'V', data: evil}), holds: []string{good, evil}},
		{name: "hardlink with the size of its target", arc: tarOf(tent{name: "a", data: good}, tent{name: "h", kind: '1', link: "a", size: "00000000105"}, tent{name: "b", data: evil}), holds: []string{good, evil}},
		{name: "program links of an environment", arc: tarOf(tent{name: "bin/activate", data: good}), holds: []string{good}},
	}
}

func nameTars() []tarCase {
	high, low, medium := finding.High, finding.Low, finding.Medium
	escape := func(name string, rules r, members ...tent) tarCase {
		return tarCase{name: name, arc: tarOf(members...), rules: rules}
	}
	out := r{"archive/path-traversal": high}
	link := r{"archive/link-escape": high}
	return []tarCase{
		escape("parent", out, tent{name: "../../x", data: good}),
		escape("absolute", out, tent{name: "/etc/x", data: good}),
		escape("parent in the pax path", out, paxOf("path", "../../x"), tent{name: "x", data: good}),
		escape("parent in the plain header under a pax path", out, paxOf("path", "x"), tent{name: "../../x", data: good}),
		escape("two pax paths", out, paxOf("path", "../../x", "path", "x"), tent{name: "x", data: good}),
		escape("parent in a long name", out, long('L', "../../"+repeat("x", 120)), tent{name: "x", data: good}),
		escape("parent in a global header", r{"archive/path-traversal": high},
			globalPax("path", "../../x"), tent{name: "x", data: good}),
		escape("symlink to parent", link, tent{name: "l", kind: '2', link: "../../etc"}),
		escape("symlink to an absolute place", link, tent{name: "l", kind: '2', link: "/etc/passwd"}),
		escape("symlink to a program", r{"archive/link-escape": low}, tent{name: "bin/python", kind: '2', link: "/usr/bin/python3"}),
		escape("symlink in a pax linkpath", link, paxOf("linkpath", "/root/.ssh"), tent{name: "l", kind: '2', link: "x"}),
		escape("hardlink to parent", link, tent{name: "l", kind: '1', link: "../../etc/passwd"}),
		escape("hardlink to an absolute place", link, tent{name: "l", kind: '1', link: "/etc/passwd"}),
		escape("symlink, then written through", link, tent{name: "l", kind: '2', link: "/tmp"}, tent{name: "l/x", data: good}),
		escape("program symlink, then written through", link, tent{name: "l", kind: '2', link: "/usr/lib/python3"}, tent{name: "l/x", data: good}),
		escape("symlinks that climb together", link, tent{name: "a", kind: '2', link: "."}, tent{name: "a/b", kind: '2', link: ".."}, tent{name: "b/x", data: good}),
		escape("hardlink through a symlink", link, tent{name: "a", kind: '2', link: "/etc"}, tent{name: "h", kind: '1', link: "a/shadow"}),
		escape("backslashes", r{"archive/backslash-name": low}, tent{name: `a\b`, data: good}),
		escape("control characters", r{"archive/control-name": medium}, tent{name: "a\x1b[2J", data: good}),
		escape("appended twice", r{"archive/duplicate-name": low}, tent{name: "a", data: good}, tent{name: "a", data: evil}),
	}
}

func headerTars() []tarCase {
	high, medium := finding.High, finding.Medium
	hidden := tarPart(tent{name: "hidden", data: evil})
	bad := tarOf(tent{name: "a", data: good}, tent{name: "b", data: good, badSum: true}, tent{name: "c", data: evil})
	whole := tarOf(tent{name: "a", data: good}, tent{name: "b", data: evil})
	big := binary.BigEndian.AppendUint64([]byte{0x80, 0, 0, 0}, 1<<40)
	return []tarCase{
		// CVE-2025-62518: the plain header says 0 bytes, pax says where the next member really is.
		{name: "pax size over a hidden archive", holds: []string{evil, good}, rules: r{"archive/header-mismatch": high, "archive/hidden-member": medium},
			arc: tarOf(paxOf("size", fmt.Sprint(len(hidden))), tent{name: "inner.tar", size: "00000000000", data: string(hidden)}, tent{name: "z", data: good})},
		{name: "pax size that differs", holds: []string{good}, rules: r{"archive/header-mismatch": medium},
			arc: tarOf(paxOf("size", fmt.Sprint(len(good))), tent{name: "a", size: "00000000777", data: good})},
		{name: "directory with a size over a hidden member", holds: []string{evil, good}, rules: r{"archive/header-mismatch": high},
			arc: tarOf(tent{name: "d/", kind: '5', data: string(hidden)}, tent{name: "z", data: good})},
		{name: "directory with data", holds: []string{good}, arc: tarOf(tent{name: "d/", kind: '5', data: evil}, tent{name: "z", data: good})},
		{name: "bad checksum", arc: bad, holds: []string{good, evil}, reasons: []string{"damaged"}},
		{name: "cut in data", arc: whole[:1560], holds: []string{good, evil[:20]}, reasons: []string{"truncated"}},
		{name: "cut in a header", arc: whole[:1100], holds: []string{good}, reasons: []string{"truncated"}},
		{name: "members behind the end", arc: append(tarOf(tent{name: "a", data: good}), tarOf(tent{name: "b", data: evil})...), holds: []string{good, evil}, rules: r{"archive/hidden-member": medium}},
		{name: "members behind one zero block", arc: append(append(tarPart(tent{name: "a", data: good}), make([]byte, 512)...), tarOf(tent{name: "b", data: evil})...),
			holds: []string{good, evil}, rules: r{"archive/hidden-member": medium}},
		{name: "bytes behind the end", arc: append(tarOf(tent{name: "a", data: good}), evil...), holds: []string{good, evil}, rules: r{"archive/suffix-data": medium}},
		{name: "size is no number", arc: tarOf(tent{name: "a", size: "zzzzzzzzzzz"}, tent{name: "b", data: evil}), holds: []string{evil}, reasons: []string{"damaged"}},
		{name: "negative size", arc: tarOf(tent{name: "a", size: repeat("\xff", 12)}, tent{name: "b", data: evil}), holds: []string{evil}, reasons: []string{"damaged"}},
		{name: "huge size", arc: tarOf(tent{name: "a", size: string(big), data: good}), holds: []string{good}, reasons: []string{"truncated"}},
		{name: "broken pax records", arc: tarOf(tent{name: "p", kind: 'x', data: "99 path=x\n"}, tent{name: "b", data: evil}), holds: []string{evil}, reasons: []string{"damaged"}},
		{name: "huge pax header", arc: tarOf(tent{name: "p", kind: 'x', size: "00100000000"}, tent{name: "b", data: evil}), holds: []string{evil}, reasons: []string{"memory-limit"}},
		{name: "sparse map past the file", arc: tarOf(tent{name: "a", kind: 'S', data: good, magic: "ustar  \x00", tail: oldSparse(20, 600, 10)}), holds: []string{good}, reasons: []string{"damaged"}},
		{name: "sparse file of a terabyte", arc: tarOf(tent{name: "a", kind: 'S', data: good[:10], magic: "ustar  \x00", tail: oldSparse(1<<30, 600, 10)}, tent{name: "b", data: evil}), holds: []string{good[:10], evil}, reasons: []string{"memory-limit"}},
		{name: "extension without a member", arc: tarOf(tent{name: "a", data: good}, paxOf("path", "x")), holds: []string{good}, reasons: []string{"damaged"}},
	}
}

func TestCraftedTars(t *testing.T) {
	for _, c := range tarCases() {
		for where, b := range both(c.arc) {
			t.Run(c.name+"/"+where, func(t *testing.T) { check(t, "tar", b, c.holds, c.rules, c.reasons) })
		}
	}
}

func TestThereAreEnoughCases(t *testing.T) {
	if n := len(zipCases()) + len(tarCases()); n < 60 {
		t.Fatalf("%d crafted containers, want at least 60", n)
	}
}

func gzipped(parts ...string) []byte {
	var b bytes.Buffer
	for i, part := range parts {
		w := gzip.NewWriter(&b)
		if i == 0 {
			w.Name = "named.pkl"
		}
		w.Write([]byte(part))
		w.Close()
	}
	return b.Bytes()
}
