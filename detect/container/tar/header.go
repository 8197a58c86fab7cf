// Package tar reads tar archives (POSIX ustar and pax, GNU, v7) header by
// header and keeps apart what the plain header says and what extensions (pax
// records, GNU long names, sparse maps) make of it, since readers differ there.
//
// It follows CPython's tarfile and GNU tar where they agree; content is the
// caller's.
package tar

import (
	"bytes"
	"strings"
)

// Block is the unit of tar, bytes.
const Block = 512

// Types of members (typeflag) that have names here.
const (
	TypeRegular   = '0'
	TypeOld       = 0
	TypeLink      = '1'
	TypeSymlink   = '2'
	TypeChar      = '3'
	TypeBlock     = '4'
	TypeDir       = '5'
	TypeFifo      = '6'
	TypeContig    = '7'
	TypePax       = 'x'
	TypePaxGlobal = 'g'
	TypePaxSun    = 'X'
	TypeLongName  = 'L'
	TypeLongLink  = 'K'
	TypeSparse    = 'S'
)

// Header is one plain header.
type Header struct {
	Name, Link string
	Size       int64
	SizeOK     bool // the size field holds a number
	Type       byte
	GNU, POSIX bool // by magic; neither is v7
	block      []byte
}

// State is what a block is.
type State uint8

// States of a block.
const (
	Valid State = iota
	Zero
	Invalid
)

// Parse reads one block of 512 bytes as a header.
func Parse(p []byte) (Header, State) {
	if len(p) < Block {
		return Header{}, Invalid
	}
	if !sumOK(p) {
		if isZero(p[:Block]) {
			return Header{}, Zero
		}
		return Header{}, Invalid
	}
	h := Header{
		Name: text(p[0:100]), Link: text(p[157:257]), Type: p[156], block: p[:Block],
		GNU: string(p[257:265]) == "ustar  \x00", POSIX: string(p[257:263]) == "ustar\x00",
	}
	h.Size, h.SizeOK = number(p[124:136])
	if prefix := text(p[345:500]); prefix != "" && h.POSIX {
		h.Name = prefix + "/" + h.Name
	}
	return h, Valid
}

// Looks says whether head starts with a header. A right checksum and a size or
// a magic are enough: readers ask for no more, and chance does not give them.
func Looks(head []byte) bool {
	h, state := Parse(head)
	return state == Valid && (h.SizeOK || h.GNU || h.POSIX) && (h.Name != "" || h.Type == TypePaxGlobal || h.Type == TypePax)
}

// sumOK compares the checksum, which old systems made of signed bytes.
func sumOK(p []byte) bool {
	want, ok := number(p[148:156])
	if !ok {
		return false
	}
	var unsigned, signed int64
	for i, c := range p[:Block] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

var zeros [Block]byte

func isZero(p []byte) bool { return bytes.Equal(p, zeros[:len(p)]) }

// text is a field up to its first NUL.
func text(p []byte) string {
	if i := bytes.IndexByte(p, 0); i >= 0 {
		p = p[:i]
	}
	return string(p)
}

// number reads a numeric field: octal text, or base 256 where the first bit is
// set. An empty field is 0, as every reader has it.
func number(p []byte) (int64, bool) {
	if p[0]&0x80 != 0 {
		return base256(p)
	}
	s := strings.Trim(text(p), " ")
	if s == "" {
		return 0, true
	}
	var v int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '7' || v > 1<<59 {
			return 0, false
		}
		v = v<<3 | int64(s[i]-'0')
	}
	return v, true
}

// base256 reads a big-endian binary number; negative ones are no size.
func base256(p []byte) (int64, bool) {
	if p[0]&0x40 != 0 {
		return 0, false
	}
	v := int64(p[0] & 0x3f)
	for _, c := range p[1:] {
		if v > 1<<54 {
			return 0, false
		}
		v = v<<8 | int64(c)
	}
	return v, true
}
