// Package rar reads the headers of RAR archives of the older format (1.5 to 4)
// and says whether one of the newer format (5) is solid.
//
// It decodes nothing. The older format's compression runs programs and models
// of up to 256 MiB that its data asks for, so that packed members of it are not
// unpacked here at all; stored ones lie in place.
package rar

import (
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"

	"bartizan/detect/input"
)

// Magics of the two formats.
const (
	Magic4 = "Rar!\x1a\x07\x00"
	Magic5 = "Rar!\x1a\x07\x01\x00"
)

// ErrHeader is a block that is none.
var ErrHeader = errors.New("rar block header is broken")

// Blocks and flags of the older format.
const (
	blockFile    = 0x74
	blockEnd     = 0x7b
	blockArchive = 0x73

	flagLong      = 0x8000 // the block has data behind it
	flagHigh      = 0x0100 // sizes have 64 bits
	flagUnicode   = 0x0200
	flagEncrypted = 0x0004
	flagSplit     = 0x0003
	flagDirectory = 0x00e0
	archiveLocked = 0x0080 // headers are encrypted

	stored = 0x30
)

// File is one member of an archive of the older format.
type File struct {
	Offset       int64
	Name         string
	Packed, Size int64
	DataAt       int64
	CRC          uint32
	Dir, Symlink bool
	Encrypted    bool
	Stored       bool
	Split        bool
}

// Block is what lies at an offset.
type Block struct {
	File   *File
	Locked bool // the headers from here on are encrypted
	End    bool
	Next   int64
}

// ReadBlock reads the block at off.
func ReadBlock(b input.Blob, off int64) (Block, error) {
	p, err := b.Bytes(off, 7)
	if err != nil {
		return Block{}, err
	}
	le := binary.LittleEndian
	kind, flags, size := p[2], le.Uint16(p[3:]), int64(le.Uint16(p[5:]))
	if size < 7 {
		return Block{}, ErrHeader
	}
	h, err := b.Bytes(off, size)
	if err != nil {
		return Block{}, err
	}
	out := Block{Next: off + size, End: kind == blockEnd, Locked: kind == blockArchive && flags&archiveLocked != 0}
	if kind == blockFile {
		return fileBlock(h, off, flags)
	}
	if flags&flagLong != 0 {
		if size < 11 {
			return out, ErrHeader
		}
		out.Next += int64(le.Uint32(h[7:]))
	}
	return out, nil
}

func fileBlock(h []byte, off int64, flags uint16) (Block, error) {
	le := binary.LittleEndian
	if len(h) < 32 {
		return Block{}, ErrHeader
	}
	f := &File{
		Offset: off, Packed: int64(le.Uint32(h[7:])), Size: int64(le.Uint32(h[11:])), CRC: le.Uint32(h[16:]),
		DataAt: off + int64(len(h)), Encrypted: flags&flagEncrypted != 0, Stored: h[25] == stored,
		Split: flags&flagSplit != 0, Dir: flags&flagDirectory == flagDirectory,
	}
	if os := h[15]; os == 3 { // Unix
		mode := le.Uint32(h[28:]) & 0xf000
		f.Symlink, f.Dir = mode == 0xa000, f.Dir || mode == 0x4000
	}
	names, rest := int(le.Uint16(h[26:])), h[32:]
	if flags&flagHigh != 0 {
		if len(rest) < 8 {
			return Block{}, ErrHeader
		}
		f.Packed |= int64(le.Uint32(rest)) << 32
		f.Size |= int64(le.Uint32(rest[4:])) << 32
		rest = rest[8:]
	}
	if names > len(rest) || f.Packed < 0 || f.Size < 0 || f.DataAt > 1<<62-f.Packed {
		return Block{}, ErrHeader
	}
	f.Name = string(rest[:names])
	if flags&flagUnicode != 0 {
		f.Name = decodeName(rest[:names])
	}
	return Block{File: f, Next: f.DataAt + f.Packed}, nil
}

// decodeName reads a name that is stored twice: as 8 bit text, a zero, and the
// differences to UTF-16 in the packing of unrar's encname.
func decodeName(p []byte) string {
	zero := -1
	for i, c := range p {
		if c == 0 {
			zero = i
			break
		}
	}
	if zero < 0 || zero+2 > len(p) {
		return string(p)
	}
	plain, enc := p[:zero], p[zero+1:]
	high := uint16(enc[0]) << 8
	enc = enc[1:]
	var units []uint16
	flags, left := byte(0), 0
	take := func() (c byte) {
		if len(enc) > 0 {
			c, enc = enc[0], enc[1:]
		}
		return c
	}
	for len(enc) > 0 && len(units) < 2048 {
		if left == 0 {
			flags, left = take(), 4
		}
		switch flags >> 6 {
		case 0:
			units = append(units, uint16(take()))
		case 1:
			units = append(units, uint16(take())|high)
		case 2:
			low := take()
			units = append(units, uint16(take())<<8|uint16(low))
		case 3:
			units = copyRun(units, plain, take, high)
		}
		flags, left = flags<<2, left-1
	}
	return string(utf16.Decode(units))
}

// copyRun repeats characters of the plain name, shifted where the count says so.
func copyRun(units []uint16, plain []byte, take func() byte, high uint16) []uint16 {
	n := int(take())
	shift, add := byte(0), uint16(0)
	if n&0x80 != 0 {
		shift, add, n = take(), high, n&0x7f
	}
	for range n + 2 {
		if i := len(units); i < len(plain) {
			units = append(units, uint16(plain[i]+shift)|add)
		}
	}
	return units
}

// Solid says whether an archive of the newer format declares itself solid; where
// the main header cannot be read it says yes, which is the costlier answer.
func Solid(b input.Blob) bool {
	p, err := b.Slice(int64(len(Magic5)), 64).Head(64)
	if err != nil || len(p) < 8 {
		return true
	}
	p = p[4:]
	size, p := uvarint(p)
	kind, p := uvarint(p)
	flags, p := uvarint(p)
	if flags&1 != 0 {
		_, p = uvarint(p)
	}
	archive, p := uvarint(p)
	return size == 0 || kind != 1 || p == nil || archive&4 != 0
}

func uvarint(p []byte) (uint64, []byte) {
	v, n := binary.Uvarint(p)
	if n <= 0 {
		return 0, nil
	}
	return v, p[n:]
}

// IsEnd says whether an error is the end of the bytes.
func IsEnd(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF }
