package container_test

import (
	"encoding/binary"
	"hash/crc32"
	"strings"

	"bartizan/finding"
)

// zipCase is a crafted zip and what must come of it.
type zipCase struct {
	name string
	arc  []byte
	// holds are contents that some member must give.
	holds []string
	// rules must be found, with at least that severity; none other may be.
	rules map[string]finding.Severity
	// reasons are the codes of what is not seen, all of them.
	reasons []string
}

type r = map[string]finding.Severity

const (
	evil = "the content that one reader hides from another, long enough to be told"
	good = "the content that everybody sees, which is quite another one than that"
)

func unicodePath(header, name string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{1}, crc32.ChecksumIEEE([]byte(header)))
	return extraField(0x7075, string(b)+name)
}

func zipCases() []zipCase {
	var all []zipCase
	all = append(all, benignZips()...)
	all = append(all, nameZips()...)
	all = append(all, headerZips()...)
	all = append(all, directoryZips()...)
	return append(all, limitZips()...)
}

func one(name, data string) []zent { return []zent{{name: name, data: data}} }

// benignZips are what ordinary tools write: no finding at all.
func benignZips() []zipCase {
	ok := func(name string, arc zipArc, holds ...string) zipCase {
		if holds == nil {
			holds = []string{good}
		}
		return zipCase{name: name, arc: arc.bytes(), holds: holds}
	}
	torch := func(name, data string, pad int) zent {
		return zent{name: name, data: data, lextra: extraField(0x4246, strings.Repeat("Z", pad)), descriptor: 16}
	}
	return []zipCase{
		ok("stored", zipArc{members: one("a.txt", good)}),
		ok("deflated", zipArc{members: []zent{{name: "a.txt", data: good, method: 8}}}),
		ok("empty", zipArc{}, []string{}...),
		ok("torch alignment and descriptors", zipArc{members: []zent{
			torch("archive/data.pkl", good, 20), torch("archive/data/0", evil, 41), torch("archive/version", "3\n", 11),
		}}, good, evil),
		ok("descriptor 12", zipArc{members: []zent{{name: "a", data: good, method: 8, descriptor: 12}}}),
		ok("descriptor 16", zipArc{members: []zent{{name: "a", data: good, method: 8, descriptor: 16}, {name: "b", data: evil}}}, good, evil),
		ok("descriptor 20", zipArc{members: []zent{{name: "a", data: good, method: 8, descriptor: 20}}}),
		ok("descriptor 24", zipArc{members: []zent{{name: "a", data: good, method: 8, descriptor: 24}}}),
		ok("directories", zipArc{members: []zent{{name: "d/"}, {name: "d/e/"}, {name: "d/e/f", data: good}}}),
		ok("zip64 end", zipArc{zip64: true, members: one("a", good)}),
		ok("zip64 end and prefix", zipArc{zip64: true, members: one("a", good), comment: "short"}),
		ok("zip64 local only, as numpy", zipArc{members: []zent{{
			name: "arr_0.npy", data: good, lsize: p(uint32(0xffffffff)), lpacked: p(uint32(0xffffffff)),
			lextra: zip64Field(uint64(len(good)), uint64(len(good))),
		}}}),
		ok("zip64 both", zipArc{members: []zent{{
			name: "a", data: good, size: p(uint32(0xffffffff)), packed: p(uint32(0xffffffff)),
			extra: zip64Field(uint64(len(good)), uint64(len(good))), lextra: zip64Field(uint64(len(good)), uint64(len(good))),
		}}}),
		ok("jar", zipArc{members: []zent{
			{name: "META-INF/", lextra: extraField(0xcafe, ""), extra: extraField(0xcafe, "")},
			{name: "META-INF/MANIFEST.MF", data: good, method: 8, flags: 0x0800, descriptor: 16},
		}}),
		ok("zipalign padding that is no field", zipArc{members: []zent{{name: "a", data: good, lextra: []byte{0, 0, 0}}}}),
		ok("comment", zipArc{members: one("a", good), comment: "made by hand for this test"}),
		ok("zero padding behind", zipArc{members: one("a", good), suffix: make([]byte, 512)}),
		ok("zero padding between", zipArc{members: []zent{{name: "a", data: good, after: make([]byte, 100)}, {name: "b", data: evil}}}, good, evil),
		ok("zip in zip, stored", zipArc{members: one("inner.zip", string(zipArc{members: one("b", good)}.bytes()))}),
		ok("utf-8 names", zipArc{members: []zent{{name: "modèle/poids é.bin", data: good, flags: 0x0800}}}),
		ok("unicode path of the same name", zipArc{members: []zent{{name: "a", data: good, extra: unicodePath("a", "a")}}}),
		ok("apk signing block", zipArc{members: one("a", good), gap: []byte(strings.Repeat("sig", 30) + "APK Sig Block 42")}),
		ok("same name, same content", zipArc{members: []zent{{name: "a", data: good}, {name: "a", data: good}}}),
		ok("symlink within", zipArc{members: []zent{{name: "d/a", data: good}, {name: "d/l", data: "../d/a", creator: 3, attrs: 0xa1ff << 16}}}),
	}
}

func nameZips() []zipCase {
	high, low, medium := finding.High, finding.Low, finding.Medium
	name := func(n string, rules r) zipCase {
		return zipCase{name: "name " + n, arc: zipArc{members: one(n, good)}.bytes(), holds: []string{good}, rules: rules}
	}
	traversal := func(n string) zipCase { return name(n, r{"archive/path-traversal": high}) }
	link := func(what, target string, severity finding.Severity) zipCase {
		return zipCase{
			name: "symlink " + what, holds: []string{target}, rules: r{"archive/link-escape": severity},
			arc: zipArc{members: []zent{{name: "d/l", data: target, creator: 3, attrs: 0xa1ff << 16}}}.bytes(),
		}
	}
	through := zipArc{members: []zent{
		{name: "lib", data: "/usr/lib/python3", creator: 3, attrs: 0xa1ff << 16}, {name: "lib/site.py", data: evil},
	}}
	chained := zipArc{members: []zent{
		{name: "a", data: ".", creator: 3, attrs: 0xa1ff << 16}, {name: "a/b", data: "..", creator: 3, attrs: 0xa1ff << 16},
		{name: "b/x", data: evil},
	}}
	return []zipCase{
		traversal("../../etc/cron.d/x"), traversal("a/../../x"), traversal("/etc/passwd"), traversal("C:/Windows/x"),
		{name: "name ..\\..\\x", arc: zipArc{members: one(`..\..\x`, good)}.bytes(), holds: []string{good},
			rules: r{"archive/path-traversal": high, "archive/backslash-name": low}},
		{name: "name c:\\x", arc: zipArc{members: one(`c:\x`, good)}.bytes(), holds: []string{good},
			rules: r{"archive/path-traversal": high, "archive/backslash-name": low}},
		{name: "name \\\\host\\share", arc: zipArc{members: one(`\\host\share\x`, good)}.bytes(), holds: []string{good},
			rules: r{"archive/path-traversal": high, "archive/backslash-name": low}},
		name("a/../b", r{"archive/path-traversal": low}),
		name("a..b/...c", nil),
		name(`dir\file`, r{"archive/backslash-name": low}),
		name("data.pkl\x00.txt", r{"archive/control-name": medium}),
		name("a\nb", r{"archive/control-name": medium}),
		name("a\u202egpj.exe", r{"archive/control-name": medium}),
		{name: "unicode path leads out", arc: zipArc{members: []zent{{name: "a", data: good, extra: unicodePath("a", "../../a")}}}.bytes(),
			holds: []string{good}, rules: r{"archive/path-traversal": high}},
		{name: "local name leads out", arc: zipArc{members: []zent{{name: "a", lname: p("../../a"), data: good}}}.bytes(),
			holds: []string{good}, rules: r{"archive/path-traversal": high, "archive/header-mismatch": medium}},
		link("parent", "../../../etc/shadow", high), link("absolute", "/etc/passwd", high), link("to a program", "/usr/bin/python3", low),
		{name: "written through a symlink", arc: through.bytes(), holds: []string{evil}, rules: r{"archive/link-escape": high}},
		{name: "chain of symlinks", arc: chained.bytes(), holds: []string{evil}, rules: r{"archive/link-escape": high}},
		{name: "two contents of one name", arc: zipArc{members: []zent{{name: "a", data: good}, {name: "a", data: evil}}}.bytes(),
			holds: []string{good, evil}, rules: r{"archive/duplicate-name": medium}},
	}
}

func headerZips() []zipCase {
	high, low, medium := finding.High, finding.Low, finding.Medium
	mismatch := func(name string, severity finding.Severity, e zent, holds ...string) zipCase {
		return zipCase{name: name, arc: zipArc{members: []zent{e}}.bytes(), holds: holds, rules: r{"archive/header-mismatch": severity}}
	}
	inner := string(zipArc{members: one("hidden", evil), noEnd: true}.bytes())
	two := string(deflated(evil)) // stored bytes that inflate to something else
	return []zipCase{
		mismatch("local name differs", medium, zent{name: "data.pkl", lname: p("datap.kl"), data: good}, good),
		mismatch("local crc differs", medium, zent{name: "a", data: good, lcrc: p(uint32(7))}, good),
		mismatch("local size differs", medium, zent{name: "a", data: good, lsize: p(uint32(3)), lpacked: p(uint32(3))}, good, good[:3]),
		mismatch("encrypted bit on plain data", medium, zent{name: "a", data: good, flags: 1}, good),
		mismatch("encrypted bit on plain deflate", medium, zent{name: "a", data: good, method: 8, flags: 1}, good),
		mismatch("encrypted bit in the local header only", medium, zent{name: "a", data: good, lflags: p(uint16(1))}, good),
		{name: "encrypted bit and bad crc", arc: zipArc{members: []zent{{name: "a", data: evil, method: 8, flags: 1, crc: p(uint32(9))}}}.bytes(),
			holds: []string{evil}, rules: r{"archive/header-mismatch": medium, "archive/checksum-mismatch": medium}},
		{name: "central stored, local deflated, both whole", holds: []string{evil, two}, rules: r{"archive/header-mismatch": high},
			arc: zipArc{members: []zent{{
				name: "a", data: two, lmethod: p(uint16(8)), lsize: p(uint32(len(evil))), lcrc: p(crc32.ChecksumIEEE([]byte(evil))),
			}}}.bytes()},
		mismatch("stored with another size", medium, zent{name: "a", data: good, size: p(uint32(len(good) + 20))}, good),
		{name: "bad crc, stored", arc: zipArc{members: []zent{{name: "a", data: good, crc: p(uint32(1))}}}.bytes(),
			holds: []string{good}, rules: r{"archive/checksum-mismatch": medium}},
		{name: "bad crc, deflated", arc: zipArc{members: []zent{{name: "a", data: good, method: 8, crc: p(uint32(1))}}}.bytes(),
			holds: []string{good}, rules: r{"archive/checksum-mismatch": medium}},
		{name: "declared size too small", arc: zipArc{members: []zent{{name: "a", data: good, method: 8, size: p(uint32(5))}}}.bytes(),
			holds: []string{good}, rules: r{"archive/checksum-mismatch": medium}},
		{name: "hidden member between", holds: []string{good, evil}, rules: r{"archive/hidden-member": medium},
			arc: zipArc{members: []zent{{name: "a", data: good}, {name: "b", data: evil, noCentral: true}}}.bytes()},
		{name: "hidden deflated member with descriptor", holds: []string{good, evil}, rules: r{"archive/hidden-member": medium},
			arc: zipArc{members: []zent{{name: "b", data: evil, method: 8, descriptor: 16, noCentral: true}, {name: "a", data: good}}}.bytes()},
		{name: "hidden member in another's data", holds: []string{evil}, rules: r{"archive/header-mismatch": medium, "archive/hidden-member": medium, "archive/overlapping-members": medium},
			arc: zipArc{members: []zent{{name: "a", data: good + inner, lsize: p(uint32(len(good))), lpacked: p(uint32(len(good))), lcrc: p(crc32.ChecksumIEEE([]byte(good)) + 1)}}}.bytes()},
		{name: "data between", holds: []string{good, evil}, rules: r{"archive/prefix-data": medium},
			arc: zipArc{members: []zent{{name: "a", data: good, after: []byte(evil)}}}.bytes()},
		{name: "prefix", arc: zipArc{prefix: []byte(evil), members: one("a", good)}.bytes(), holds: []string{good, evil}, rules: r{"archive/prefix-data": medium}},
		{name: "prefix with shifted offsets", arc: zipArc{prefix: []byte(evil), shiftOffsets: true, members: one("a", good)}.bytes(),
			holds: []string{good, evil}, rules: r{"archive/prefix-data": medium}},
		{name: "zip application", arc: zipArc{prefix: []byte("#!/usr/bin/env python3\n"), members: one("__main__.py", good)}.bytes(),
			holds: []string{good}, rules: r{"archive/prefix-data": low}},
		{name: "suffix", arc: zipArc{members: one("a", good), suffix: []byte(evil)}.bytes(), holds: []string{good, evil}, rules: r{"archive/suffix-data": medium}},
		{name: "bytes behind the end of deflated data", holds: []string{good, evil}, rules: r{"archive/prefix-data": medium},
			arc: zipArc{members: []zent{{name: "a", data: good, method: 8, raw: append(deflated(good), evil...)}}}.bytes()},
		{name: "member behind the end of deflated data", holds: []string{good, evil}, rules: r{"archive/hidden-member": medium},
			arc: zipArc{members: []zent{{name: "a", data: good, method: 8, raw: append(deflated(good), inner...)}}}.bytes()},
		{name: "program as a symlink", holds: []string{evil + ";"}, arc: zipArc{members: []zent{{name: "a.py", data: evil + ";", creator: 3, attrs: 0xa1ff << 16}}}.bytes()},
		{name: "program as a device", holds: []string{evil}, arc: zipArc{members: []zent{{name: "a.py", data: evil, creator: 3, attrs: 0x21ff << 16}}}.bytes()},
		{name: "content in a directory", holds: []string{evil}, arc: zipArc{members: []zent{{name: "d/", data: evil}}}.bytes()},
		{name: "drive without a slash", holds: []string{good}, rules: r{"archive/path-traversal": medium}, arc: zipArc{members: one("C:x", good)}.bytes()},
		{name: "quoted overlap", holds: []string{good}, rules: r{"archive/overlapping-members": medium},
			arc: overlapped().bytes()},
	}
}

// overlapped has a member that covers the next one, header and all.
func overlapped() zipArc {
	second := zipArc{members: one("b", good), noEnd: true}.bytes()
	return zipArc{members: []zent{
		{name: "a", raw: []byte{}, data: string(second), lsize: p(uint32(len(second))), lpacked: p(uint32(len(second))), packed: p(uint32(len(second)))},
		{name: "b", data: good},
	}}
}

func directoryZips() []zipCase {
	high, medium := finding.High, finding.Medium
	first := zipArc{members: one("a", evil)}.bytes()
	second := zipArc{members: one("a", good), prefix: first, shiftOffsets: true}
	inComment := zipArc{members: one("a", good)}.bytes()
	// An end record within a comment, with a directory of its own, that readers
	// take which look for the last one.
	hidden := zipArc{members: one("a", evil), prefix: inComment, shiftOffsets: true}
	spoof := hidden.bytes()
	binary.LittleEndian.PutUint16(spoof[len(inComment)-2:], uint16(len(spoof)-len(inComment)))
	adjacent := zipArc{members: one("a", good)}.bytes()
	return []zipCase{
		{name: "two zips in a row", arc: second.bytes(), holds: []string{good, evil},
			rules: r{"archive/hidden-member": medium, "archive/prefix-data": medium}},
		{name: "end record in the comment", arc: spoof, holds: []string{good, evil}, rules: r{"archive/ambiguous-directory": high}},
		{name: "count too small", arc: zipArc{count: p(uint16(1)), members: []zent{{name: "a", data: good}, {name: "b", data: evil}}}.bytes(),
			holds: []string{good, evil}, rules: r{"archive/ambiguous-directory": medium}},
		{name: "count too large", arc: zipArc{count: p(uint16(9)), members: one("a", good)}.bytes(),
			holds: []string{good}, rules: r{"archive/ambiguous-directory": medium}},
		{name: "size too small", arc: zipArc{dirSize: p(uint32(47)), members: []zent{{name: "a", data: good}, {name: "b", data: evil}}}.bytes(),
			holds: []string{good, evil}, rules: r{"archive/ambiguous-directory": medium}},
		{name: "zip64 that disagrees", holds: []string{good}, rules: r{},
			arc: zipArc{zip64: true, count: p(uint16(1)), members: one("a", good)}.bytes()},
		{name: "wrong offset", arc: zipArc{dirOffset: p(uint32(5)), members: one("a", good)}.bytes(), holds: []string{good}, rules: r{}},
		{name: "no end record", arc: zipArc{noEnd: true, members: one("a", good)}.bytes(), holds: []string{good},
			rules: r{"archive/hidden-member": medium}, reasons: []string{"truncated"}},
		{name: "cut in the directory", arc: adjacent[:len(adjacent)-30], holds: []string{good},
			rules: r{"archive/hidden-member": medium, "archive/suffix-data": medium}, reasons: []string{"truncated"}},
		{name: "comment longer than the file", arc: zipArc{members: one("a", good), commentLen: p(uint16(900))}.bytes(), holds: []string{good}},
		{name: "local header is gone", arc: zipArc{members: []zent{{name: "a", data: good, offset: p(uint32(11))}}}.bytes(),
			holds: []string{good}, rules: r{"archive/header-mismatch": medium, "archive/hidden-member": medium}, reasons: []string{"damaged"}},
	}
}

func limitZips() []zipCase {
	zeros := string(make([]byte, 3<<20))
	bomb := zipArc{}
	for range 40 {
		bomb.members = append(bomb.members, zent{name: strings.Repeat("z", len(bomb.members)+1), data: zeros, method: 8})
	}
	return []zipCase{
		{name: "declared bomb", arc: bomb.bytes(), rules: r{"archive/bomb": finding.High}, reasons: []string{"expand-limit"}},
		{name: "encrypted, stored", arc: zipArc{members: []zent{{name: "a", flags: 1, raw: []byte(strings.Repeat("\x9d", 12) + good), data: good}}}.bytes(), reasons: []string{"encrypted"}},
		{name: "encrypted, deflated", arc: zipArc{members: []zent{{name: "a", flags: 1, method: 8, raw: []byte(strings.Repeat("\x9d\x41\xf2", 30)), data: good}}}.bytes(), reasons: []string{"encrypted"}},
		{name: "AES", arc: zipArc{members: []zent{{name: "a", flags: 1, method: 99, raw: []byte(strings.Repeat("\x9d\x41\xf2", 30)), data: good}}}.bytes(), reasons: []string{"encrypted"}},
		{name: "imploded", arc: zipArc{members: []zent{{name: "a", method: 6, raw: []byte("xyz"), data: good}}}.bytes(), reasons: []string{"unsupported-compression"}},
		{name: "deflate is broken", arc: zipArc{members: []zent{{name: "a", method: 8, raw: []byte("\xff\xff\xff\xff"), data: good}, {name: "b", data: evil}}}.bytes(), holds: []string{evil}, reasons: []string{"damaged"}},
		{name: "deflate is cut", arc: zipArc{members: []zent{{name: "a", method: 8, raw: deflated(good)[:20], data: good}, {name: "b", data: evil}}}.bytes(), holds: []string{evil}, reasons: []string{"truncated"}},
		{name: "deflated data past the end", arc: zipArc{members: []zent{{name: "a", method: 8, data: good, packed: p(uint32(1 << 20))}}}.bytes(), holds: []string{good}, rules: r{"archive/suffix-data": finding.Medium}, reasons: []string{"truncated"}},
		{name: "data past the end", arc: zipArc{members: []zent{{name: "a", data: good, size: p(uint32(1 << 30)), packed: p(uint32(1 << 30))}}}.bytes(), holds: []string{good}, reasons: []string{"truncated"}},
		{name: "zip64 field missing", arc: zipArc{members: []zent{{name: "a", data: good, size: p(uint32(0xffffffff)), packed: p(uint32(0xffffffff))}}}.bytes(), holds: []string{good}, reasons: []string{"damaged", "truncated"}},
	}
}
