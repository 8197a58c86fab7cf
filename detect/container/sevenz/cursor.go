package sevenz

import (
	"encoding/binary"
	"math/bits"
)

// Property ids of headers.
const (
	idEnd = iota
	idHeader
	idArchiveProperties
	idAdditionalStreams
	idMainStreams
	idFilesInfo
	idPackInfo
	idUnpackInfo
	idSubStreams
	idSize
	idCRC
	idFolder
	idUnpackSize
	idNumUnpackStream
	idEmptyStream
	idEmptyFile
	idAnti
	idNames
	idCTime
	idATime
	idMTime
	idAttributes
	idComment
	idEncodedHeader
)

// cursor reads a header. Past the end it gives zeros and bad is set.
type cursor struct {
	p   []byte
	bad bool
}

func (c *cursor) byte() byte {
	if len(c.p) == 0 {
		c.bad = true
		return 0
	}
	b := c.p[0]
	c.p = c.p[1:]
	return b
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.p)) {
		c.bad, c.p = true, nil
		return nil
	}
	b := c.p[:n]
	c.p = c.p[n:]
	return b
}

func (c *cursor) uint32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// number reads 7z's variable length integer: the first byte's leading ones say
// how many bytes follow.
func (c *cursor) number() uint64 {
	first := c.byte()
	n := bits.LeadingZeros8(^first)
	var v uint64
	for i := range n {
		v |= uint64(c.byte()) << (8 * i)
	}
	if n < 7 {
		v |= uint64(first&(1<<(7-n)-1)) << (8 * n)
	}
	return v
}

// size is a number that is a length in a file.
func (c *cursor) size() int64 {
	v := c.number()
	if v > 1<<62 {
		c.bad = true
		return 0
	}
	return int64(v)
}

// count is a number of things of which each needs at least a bit of what is left.
func (c *cursor) count(most uint64) int {
	v := c.number()
	if v > most || v > uint64(len(c.p))*8+1 {
		c.bad = true
		return 0
	}
	return int(v)
}

// bitmap reads n bits, the highest first.
func (c *cursor) bitmap(n int) []bool {
	p := c.bytes(uint64(n+7) / 8)
	if p == nil && n > 0 {
		return make([]bool, 0)
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = p[i/8]&(0x80>>(i%8)) != 0
	}
	return out
}

// defined reads a bitmap that may be left out where all are set.
func (c *cursor) defined(n int) []bool {
	if c.byte() == 0 {
		return c.bitmap(n)
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

// sums reads n optional checksums.
func (c *cursor) sums(n int) (crc []uint32, has []bool) {
	has = c.defined(n)
	crc = make([]uint32, len(has))
	for i := range has {
		if has[i] {
			crc[i] = c.uint32()
		}
	}
	return crc, has
}
