package marshal

import "encoding/binary"

// Version is a version of CPython; the zero value is unknown.
type Version struct{ Major, Minor uint8 }

// Known says whether the version is known.
func (v Version) Known() bool { return v.Major != 0 }

// Layout is how that version lays out code objects.
func (v Version) Layout() Layout {
	switch {
	case v.Major == 2:
		return Layout27
	case v.Major != 3:
		return LayoutAny
	case v.Minor < 8:
		return Layout30
	case v.Minor < 11:
		return Layout38
	case v.Minor < 15:
		return Layout311
	}
	return LayoutAny
}

// Pyc is what a .pyc file holds.
type Pyc struct {
	// Version is unknown where the magic number is.
	Version Version
	Magic   uint16
	// Body is where the marshalled code begins.
	Body int
	Result
}

// MatchPyc says whether the bytes begin as a .pyc file does: a magic number
// that a CPython has had, then "\r\n", then marshalled code after the header.
func MatchPyc(head []byte) bool {
	if len(head) < 17 || head[2] != '\r' || head[3] != '\n' {
		return false
	}
	v := magicVersion(binary.LittleEndian.Uint16(head))
	if !v.Known() {
		return false
	}
	return head[headerSize(v)]&^flagRef == 'c'
}

// ParsePyc reads a .pyc file. Where the magic number is unknown, every header
// length and layout is tried.
func ParsePyc(data []byte) Pyc {
	p := Pyc{}
	if len(data) < 9 {
		p.Fault = &Error{Offset: 0, Reason: "too short for a .pyc file"}
		return p
	}
	p.Magic = binary.LittleEndian.Uint16(data)
	p.Version = magicVersion(p.Magic)
	if p.Version.Known() && p.Version.Layout() != LayoutAny {
		p.Body = min(headerSize(p.Version), len(data))
		p.Result = Parse(data[p.Body:], p.Version.Layout())
		return p
	}
	for _, n := range []int{16, 12, 8} {
		if n >= len(data) {
			continue
		}
		res := Parse(data[n:])
		if len(res.Readings) > 0 && res.Readings[0].HasCode {
			p.Body, p.Result = n, res
			return p
		}
		if p.Fault == nil || res.Fault != nil && res.Fault.Offset > p.Fault.Offset {
			p.Body, p.Result = n, res
		}
	}
	return p
}

func headerSize(v Version) int {
	switch {
	case v.Major == 2 || v.Minor < 3:
		return 8
	case v.Minor < 7:
		return 12
	}
	return 16
}

// magicVersion knows the ranges of Lib/importlib/_bootstrap_external.py and
// Include/internal/pycore_magic_number.h. From 3.11 on, 3.n has 2900+50n.
func magicVersion(magic uint16) Version {
	for _, m := range magics {
		if magic >= m.first && magic <= m.last {
			return m.version
		}
	}
	return Version{}
}

var magics = [...]struct {
	first, last uint16
	version     Version
}{
	{62171, 62211, Version{2, 7}},
	{3000, 3131, Version{3, 0}}, {3141, 3151, Version{3, 1}}, {3160, 3180, Version{3, 2}},
	{3190, 3230, Version{3, 3}}, {3250, 3310, Version{3, 4}}, {3320, 3351, Version{3, 5}},
	{3360, 3379, Version{3, 6}}, {3390, 3399, Version{3, 7}}, {3400, 3413, Version{3, 8}},
	{3420, 3425, Version{3, 9}}, {3430, 3439, Version{3, 10}}, {3450, 3499, Version{3, 11}},
	{3500, 3549, Version{3, 12}}, {3550, 3599, Version{3, 13}}, {3600, 3649, Version{3, 14}},
	{3650, 3699, Version{3, 15}},
}
