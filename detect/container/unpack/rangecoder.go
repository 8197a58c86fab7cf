package unpack

import (
	"errors"
	"io"
)

// errLZMA is data that no LZMA encoder writes.
var errLZMA = errors.New("LZMA data is broken")

// Constants of LZMA's range coder.
const (
	probBits = 11
	probInit = 1 << (probBits - 1)
	probMove = 5
	rangeTop = 1 << 24
)

// rangeDecoder reads bits by adaptive probabilities. A fault sticks in err and
// the bits after it are meaningless but harmless.
type rangeDecoder struct {
	buf  []byte
	pos  int
	src  io.Reader // refills buf, nil where buf is all there is
	rng  uint32
	code uint32
	err  error
}

// start reads the five bytes that every coded run begins with.
func (d *rangeDecoder) start() {
	d.rng, d.code = 0xffffffff, 0
	if d.next() != 0 && d.err == nil {
		d.err = errLZMA
	}
	for range 4 {
		d.code = d.code<<8 | uint32(d.next())
	}
}

func (d *rangeDecoder) next() byte {
	if d.pos == len(d.buf) && !d.refill() {
		return 0
	}
	c := d.buf[d.pos]
	d.pos++
	return c
}

func (d *rangeDecoder) refill() bool {
	if d.err != nil {
		return false
	}
	if d.src == nil {
		d.err = io.ErrUnexpectedEOF
		return false
	}
	n, err := d.src.Read(d.buf[:cap(d.buf)])
	d.buf, d.pos = d.buf[:n], 0
	if n == 0 {
		if err == nil {
			err = io.ErrNoProgress
		}
		d.err = unexpected(err)
		return false
	}
	return true
}

func (d *rangeDecoder) bit(p *uint16) uint32 {
	if d.rng < rangeTop {
		d.rng <<= 8
		d.code = d.code<<8 | uint32(d.next())
	}
	bound := (d.rng >> probBits) * uint32(*p)
	if d.code < bound {
		d.rng = bound
		*p += (1<<probBits - *p) >> probMove
		return 0
	}
	d.rng -= bound
	d.code -= bound
	*p -= *p >> probMove
	return 1
}

// tree reads a number of that many bits, the highest first.
func (d *rangeDecoder) tree(probs []uint16, bits uint) uint32 {
	m := uint32(1)
	for range bits {
		m = m<<1 | d.bit(&probs[m])
	}
	return m - 1<<bits
}

// treeReverse reads a number of that many bits, the lowest first.
func (d *rangeDecoder) treeReverse(probs []uint16, bits uint) uint32 {
	m, v := uint32(1), uint32(0)
	for i := range bits {
		b := d.bit(&probs[m])
		m = m<<1 | b
		v |= b << i
	}
	return v
}

// direct reads bits of even chance.
func (d *rangeDecoder) direct(bits uint) uint32 {
	v := uint32(0)
	for range bits {
		if d.rng < rangeTop {
			d.rng <<= 8
			d.code = d.code<<8 | uint32(d.next())
		}
		d.rng >>= 1
		b := uint32(0)
		if d.code >= d.rng {
			d.code -= d.rng
			b = 1
		}
		v = v<<1 | b
	}
	return v
}
