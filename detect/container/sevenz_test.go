package container_test

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"unicode/utf16"

	"bartizan/detect/input"
	"bartizan/finding"
)

// szFolder is one folder of a crafted 7z: its coder, packed bytes and files.
type szFolder struct {
	coder  []byte // as in a header: flags, id, properties
	packed []byte
	files  []szFile
}

type szFile struct {
	name, data string
	size       uint64 // in place of the length of data
	badSum     bool
	attributes uint32
}

var szCopy = []byte{0x01, 0x00}

// szLZMA is the coder for data that Python's LZMA alone encoder packed.
func szLZMA(alone []byte) ([]byte, []byte) {
	return append([]byte{0x23, 0x03, 0x01, 0x01, 5}, alone[:5]...), alone[13:]
}

func szNumber(v uint64) []byte { return binary.LittleEndian.AppendUint64([]byte{0xff}, v) }

// sevenzOf builds an archive; encode, where it is set, packs the header.
func sevenzOf(encode func([]byte) ([]byte, []byte), dirs []string, folders ...szFolder) []byte {
	var packed []byte
	var files []szFile
	for _, f := range folders {
		packed = append(packed, f.packed...)
		files = append(files, f.files...)
	}
	header := []byte{0x01}
	if len(folders) > 0 {
		header = append(append(header, 0x04), szStreams(0, folders)...)
	}
	header = append(append(append(header, 0x05), szNumber(uint64(len(files)+len(dirs)))...), szFiles(files, dirs)...)
	header = append(header, 0x00)
	if encode != nil {
		coder, body := encode(header)
		s := szFolder{coder: coder, packed: body, files: []szFile{{data: string(header)}}}
		header = append([]byte{0x17}, szStreams(uint64(len(packed)), []szFolder{s})...)
		packed = append(packed, body...)
	}
	le := binary.LittleEndian
	start := le.AppendUint64(le.AppendUint64(nil, uint64(len(packed))), uint64(len(header)))
	start = le.AppendUint32(start, crc32.ChecksumIEEE(header))
	out := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), le.AppendUint32(nil, crc32.ChecksumIEEE(start))...)
	return append(append(append(out, start...), packed...), header...)
}

func szStreams(at uint64, folders []szFolder) []byte {
	le := binary.LittleEndian
	out := append(append(append([]byte{0x06}, szNumber(at)...), szNumber(uint64(len(folders)))...), 0x09)
	for _, f := range folders {
		out = append(out, szNumber(uint64(len(f.packed)))...)
	}
	out = append(append(append(out, 0x00, 0x07, 0x0b), szNumber(uint64(len(folders)))...), 0x00)
	for _, f := range folders {
		out = append(append(out, 1), f.coder...)
	}
	out = append(out, 0x0c)
	var counts, sizes, sums []byte
	for _, f := range folders {
		total := uint64(0)
		for i, file := range f.files {
			n := max(file.size, uint64(len(file.data)))
			total += n
			if i < len(f.files)-1 {
				sizes = append(sizes, szNumber(n)...)
			}
			sum := crc32.ChecksumIEEE([]byte(file.data))
			if file.badSum {
				sum++
			}
			sums = le.AppendUint32(sums, sum)
		}
		out = append(out, szNumber(total)...)
		counts = append(counts, szNumber(uint64(len(f.files)))...)
	}
	out = append(append(out, 0x00, 0x08, 0x0d), counts...)
	if len(sizes) > 0 {
		out = append(append(out, 0x09), sizes...)
	}
	return append(append(append(out, 0x0a, 1), sums...), 0x00, 0x00)
}

func szFiles(files []szFile, dirs []string) []byte {
	var names, empty, attributes []byte
	bits := make([]byte, (len(files)+len(dirs)+7)/8)
	for i, f := range files {
		names = append(names, szName(f.name)...)
		attributes = binary.LittleEndian.AppendUint32(attributes, f.attributes)
		_ = i
	}
	for i, d := range dirs {
		names = append(names, szName(d)...)
		attributes = binary.LittleEndian.AppendUint32(attributes, 0x10)
		bits[(len(files)+i)/8] |= 0x80 >> ((len(files) + i) % 8)
	}
	if len(dirs) > 0 {
		empty = append(append([]byte{0x0e}, szNumber(uint64(len(bits)))...), bits...)
	}
	out := append(empty, 0x11)
	out = append(append(append(out, szNumber(uint64(len(names)+1))...), 0), names...)
	out = append(append(append(out, 0x15), szNumber(uint64(len(attributes)+2))...), 1, 0)
	return append(append(out, attributes...), 0x00)
}

func szName(s string) (out []byte) {
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func TestCraftedSevenz(t *testing.T) {
	alone := func(s string) []byte { return pythonPacked(t, "lzma.compress(d,format=lzma.FORMAT_ALONE)", s) }
	coder, packed := szLZMA(alone(good + evil))
	solid := szFolder{coder: coder, packed: packed, files: []szFile{{name: "d/a", data: good}, {name: "b", data: evil}}}
	stored := szFolder{coder: szCopy, packed: []byte(good + evil), files: solid.files}
	encode := func(h []byte) ([]byte, []byte) { return szLZMA(alone(string(h))) }
	bad := solid
	bad.files = []szFile{{name: "d/a", data: good, badSum: true}, {name: "b", data: evil}}
	out := stored
	out.files = []szFile{{name: "../../a", data: good}, {name: "l", data: evil, attributes: 0xa1ff<<16 | 0x8000}}
	aes := szFolder{coder: []byte{0x24, 0x06, 0xf1, 0x07, 0x01, 2, 0, 0}, packed: []byte(good), files: []szFile{{name: "a", data: good}}}
	odd := szFolder{coder: []byte{0x02, 0x7f, 0x11}, packed: []byte(good), files: []szFile{{name: "a", data: good}}}
	huge := szFolder{coder: coder, packed: packed, files: []szFile{{name: "a", data: good, size: 1 << 40}}}
	whole := sevenzOf(nil, nil, stored)
	both2 := []string{good, evil}
	medium, high := finding.Medium, finding.High
	for _, c := range []streamCase{
		{name: "stored", b: whole, holds: both2},
		{name: "solid", b: sevenzOf(nil, []string{"d"}, solid), holds: both2},
		{name: "two folders", b: sevenzOf(nil, nil, solid, stored), holds: both2},
		{name: "packed header", b: sevenzOf(encode, []string{"d", "e"}, solid), holds: both2},
		{name: "empty", b: sevenzOf(nil, []string{"d"})},
		{name: "bad sum", b: sevenzOf(nil, nil, bad), holds: both2, rules: r{"archive/checksum-mismatch": medium}},
		{name: "names and links", b: sevenzOf(nil, nil, out), holds: both2, rules: r{"archive/path-traversal": high}},
		{name: "encrypted", b: sevenzOf(nil, nil, aes, stored), holds: both2, reasons: []string{"encrypted"}},
		{name: "unknown coder", b: sevenzOf(nil, nil, odd, stored), holds: both2, reasons: []string{"unsupported-compression"}},
		{name: "declares a terabyte", b: sevenzOf(nil, nil, huge), holds: []string{good}, reasons: []string{"damaged"}},
		{name: "bytes behind", b: join(whole, []byte(evil)), holds: both2, rules: r{"archive/suffix-data": medium}},
		{name: "cut", b: whole[:len(whole)-20], reasons: []string{"truncated"}},
		{name: "header sum", b: flip(whole, 8), holds: both2, rules: r{"archive/checksum-mismatch": medium}},
		{name: "no header", b: append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, 24)...), rules: r{"archive/checksum-mismatch": medium}},
		{name: "counts of 2^40", b: sevenzOf(func([]byte) ([]byte, []byte) { return []byte{0x31}, nil }, nil), reasons: []string{"damaged"}},
	} {
		for where, b := range both(c.b) {
			t.Run(c.name+"/"+where, func(t *testing.T) { check(t, "7z", b, c.holds, c.rules, c.reasons) })
		}
	}
}

// A member that the visit does not read is gone over, and the next one is right.
func TestSolidMembersAreSkipped(t *testing.T) {
	coder, packed := szLZMA(pythonPacked(t, "lzma.compress(d,format=lzma.FORMAT_ALONE)", good+evil))
	b := sevenzOf(nil, nil, szFolder{coder: coder, packed: packed, files: []szFile{{name: "a", data: good}, {name: "b", data: evil}}})
	got := headOf(t, "7z", input.FromBytes(b), "b")
	if got != evil[:16] {
		t.Fatalf("%q", got)
	}
}
