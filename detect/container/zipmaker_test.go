package container_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"strconv"
)

// zent is one member of a crafted zip. What is not set follows from name and
// data; the l fields differ the local header from the central one.
type zent struct {
	name, data   string
	method       uint16
	flags        uint16
	extra        []byte
	attrs        uint32
	creator      uint16
	crc          *uint32
	size, packed *uint32
	raw          []byte // packed bytes, in place of packing data

	lname         *string
	lmethod       *uint16
	lflags        *uint16
	lcrc          *uint32
	lsize         *uint32
	lpacked       *uint32
	lextra        []byte
	descriptor    int // 0 none, 12, 16, 20 or 24 bytes
	noCentral     bool
	sameLocalAs   int // 1-based: share the local header of an earlier member
	before, after []byte
	offset        *uint32
}

// zipArc is a crafted zip.
type zipArc struct {
	prefix, suffix, gap []byte
	members             []zent
	comment             string
	commentLen          *uint16
	count               *uint16
	dirSize, dirOffset  *uint32
	shiftOffsets        bool // offsets count the prefix, as most tools write them
	zip64               bool
	zip64Offset         *uint64
	noEnd               bool
}

func p[T any](v T) *T { return &v }

func or[T any](v *T, d T) T {
	if v != nil {
		return *v
	}
	return d
}

func deflated(data string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	w.Write([]byte(data))
	w.Close()
	return b.Bytes()
}

// bytes builds the archive.
func (z zipArc) bytes() []byte {
	le := binary.LittleEndian
	out := append([]byte(nil), z.prefix...)
	base := 0
	if !z.shiftOffsets {
		base = len(z.prefix)
	}
	var dir []byte
	locals := make([]int, len(z.members))
	for i := range z.members {
		e := &z.members[i]
		packed := e.raw
		if packed == nil {
			packed = []byte(e.data)
			if e.method == 8 {
				packed = deflated(e.data)
			}
		}
		crc := or(e.crc, crc32.ChecksumIEEE([]byte(e.data)))
		size, csize := or(e.size, uint32(len(e.data))), or(e.packed, uint32(len(packed)))
		out = append(out, e.before...)
		locals[i] = len(out)
		if e.sameLocalAs > 0 {
			locals[i] = locals[e.sameLocalAs-1]
		} else {
			lname := or(e.lname, e.name)
			lcrc, lsize, lpacked := crc, size, csize
			if e.descriptor > 0 {
				lcrc, lsize, lpacked = 0, 0, 0
			}
			flags := e.flags
			if e.descriptor > 0 {
				flags |= 8
			}
			h := make([]byte, 30)
			copy(h, "PK\x03\x04\x14\x00")
			le.PutUint16(h[6:], or(e.lflags, flags))
			le.PutUint16(h[8:], or(e.lmethod, e.method))
			le.PutUint32(h[14:], or(e.lcrc, lcrc))
			le.PutUint32(h[18:], or(e.lpacked, lpacked))
			le.PutUint32(h[22:], or(e.lsize, lsize))
			le.PutUint16(h[26:], uint16(len(lname)))
			le.PutUint16(h[28:], uint16(len(e.lextra)))
			out = append(append(append(append(out, h...), lname...), e.lextra...), packed...)
			out = append(out, describe(e.descriptor, crc, csize, size)...)
			out = append(out, e.after...)
		}
		if e.noCentral {
			continue
		}
		c := make([]byte, 46)
		copy(c, "PK\x01\x02\x14\x00\x14\x00")
		le.PutUint16(c[4:], e.creator<<8|20)
		le.PutUint16(c[8:], e.flags|map[bool]uint16{true: 8}[e.descriptor > 0])
		le.PutUint16(c[10:], e.method)
		le.PutUint32(c[16:], crc)
		le.PutUint32(c[20:], csize)
		le.PutUint32(c[24:], size)
		le.PutUint16(c[28:], uint16(len(e.name)))
		le.PutUint16(c[30:], uint16(len(e.extra)))
		le.PutUint32(c[38:], e.attrs)
		le.PutUint32(c[42:], or(e.offset, uint32(locals[i]-base)))
		dir = append(append(append(dir, c...), e.name...), e.extra...)
	}
	if z.noEnd {
		return out
	}
	out = append(out, z.gap...)
	return append(z.end(out, dir, base), z.suffix...)
}

func describe(n int, crc, packed, size uint32) []byte {
	le := binary.LittleEndian
	var d []byte
	if n == 16 || n == 24 {
		d = append(d, "PK\x07\x08"...)
	}
	switch n {
	case 12, 16:
		d = le.AppendUint32(le.AppendUint32(le.AppendUint32(d, crc), packed), size)
	case 20, 24:
		d = le.AppendUint64(le.AppendUint64(le.AppendUint32(d, crc), uint64(packed)), uint64(size))
	}
	return d
}

// end appends the directory and the end records.
func (z zipArc) end(out, dir []byte, base int) []byte {
	le := binary.LittleEndian
	n := 0
	for _, m := range z.members {
		if !m.noCentral {
			n++
		}
	}
	at := len(out)
	out = append(out, dir...)
	if z.zip64 {
		r := make([]byte, 56)
		copy(r, "PK\x06\x06")
		le.PutUint64(r[4:], 44)
		le.PutUint64(r[24:], uint64(n))
		le.PutUint64(r[32:], uint64(n))
		le.PutUint64(r[40:], uint64(len(dir)))
		le.PutUint64(r[48:], or(z.zip64Offset, uint64(at-base)))
		l := make([]byte, 20)
		copy(l, "PK\x06\x07")
		le.PutUint64(l[8:], uint64(len(out)))
		le.PutUint32(l[16:], 1)
		out = append(append(out, r...), l...)
	}
	e := make([]byte, 22)
	copy(e, "PK\x05\x06")
	count, size, offset := uint16(n), uint32(len(dir)), uint32(at-base)
	if z.zip64 {
		count, size, offset = 0xffff, 0xffffffff, 0xffffffff
	}
	le.PutUint16(e[8:], or(z.count, count))
	le.PutUint16(e[10:], or(z.count, count))
	le.PutUint32(e[12:], or(z.dirSize, size))
	le.PutUint32(e[16:], or(z.dirOffset, offset))
	le.PutUint16(e[20:], or(z.commentLen, uint16(len(z.comment))))
	return append(append(out, e...), z.comment...)
}

// zip64Field is the extra field with those values.
func zip64Field(values ...uint64) []byte {
	le := binary.LittleEndian
	f := le.AppendUint16(le.AppendUint16(nil, 1), uint16(8*len(values)))
	for _, v := range values {
		f = le.AppendUint64(f, v)
	}
	return f
}

// extraField is any extra field.
func extraField(id uint16, body string) []byte {
	le := binary.LittleEndian
	return append(le.AppendUint16(le.AppendUint16(nil, id), uint16(len(body))), body...)
}

func itoa(i int) string { return strconv.Itoa(i) }

// patchEnd sets the zip64 end record of a directory that was made apart.
func patchEnd(tail []byte, dirLen, n int, at int64) {
	le := binary.LittleEndian
	end64 := tail[dirLen:]
	le.PutUint64(end64[24:], uint64(n))
	le.PutUint64(end64[32:], uint64(n))
	le.PutUint64(end64[48:], uint64(at))
	le.PutUint64(end64[56+8:], uint64(at)+uint64(dirLen))
}
