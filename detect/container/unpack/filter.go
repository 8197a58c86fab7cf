package unpack

import (
	"encoding/binary"
	"io"
)

type delta struct {
	r    io.Reader
	last [256]byte
	at   byte
	dist byte
}

// Delta undoes the delta filter: each byte is the difference to the one that
// many before.
func Delta(r io.Reader, distance int) io.Reader { return &delta{r: r, dist: byte(distance)} }

func (d *delta) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		p[i] += d.last[d.at-d.dist]
		d.last[d.at] = p[i]
		d.at++
	}
	return n, err
}

type x86 struct {
	r     io.Reader
	buf   []byte
	ready int // bytes of buf that are done
	pos   uint32
	prev  uint32
	mask  uint32
	err   error
}

// X86 undoes the branch filter of xz and 7-Zip for x86 code: absolute targets
// of CALL and JMP become relative again.
func X86(r io.Reader) io.Reader { return &x86{r: r, buf: make([]byte, 0, 32<<10), prev: ^uint32(4)} }

func (f *x86) Read(p []byte) (int, error) {
	for f.ready == 0 {
		if f.err != nil {
			if len(f.buf) == 0 {
				return 0, f.err
			}
			f.ready = len(f.buf) // what is left is too short for an instruction
			break
		}
		var n int
		n, f.err = f.r.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
		f.ready = f.convert(f.buf)
	}
	n := copy(p, f.buf[:f.ready])
	f.ready -= n
	f.buf = f.buf[:copy(f.buf, f.buf[n:])]
	return n, nil
}

// maskBit is the byte of a target that earlier opcodes make ambiguous.
var maskBit = [5]uint32{0, 1, 2, 2, 3}

// convert undoes the filter in p and gives how far it came: an instruction that
// may go on behind p stays for the next call (the .xz specification's x86 filter).
func (f *x86) convert(p []byte) int {
	if len(p) < 5 {
		return 0
	}
	if f.pos-f.prev > 5 {
		f.prev = f.pos - 5
	}
	i := 0
	for i <= len(p)-5 {
		if p[i]&0xfe != 0xe8 {
			i++
			continue
		}
		at := f.pos + uint32(i)
		gap := at - f.prev
		f.prev = at
		if gap > 5 {
			f.mask = 0
		} else {
			for range gap {
				f.mask = f.mask & 0x77 << 1
			}
		}
		if !isMSB(p[i+4]) || f.mask>>1 > 4 || f.mask>>1 == 3 {
			f.mask |= 1
			if isMSB(p[i+4]) {
				f.mask |= 0x10
			}
			i++
			continue
		}
		f.restore(p[i+1:i+5], at+5)
		f.mask = 0
		i += 5
	}
	f.pos += uint32(i)
	return i
}

// restore makes the four bytes of a target relative to the next instruction.
func (f *x86) restore(p []byte, next uint32) {
	v := binary.LittleEndian.Uint32(p)
	for {
		rel := v - next
		if f.mask == 0 {
			v = rel
			break
		}
		shift := maskBit[f.mask>>1] * 8
		if !isMSB(byte(rel >> (24 - shift))) {
			v = rel
			break
		}
		v = rel ^ (1<<(32-shift) - 1)
	}
	high := byte(0)
	if v>>24&1 != 0 {
		high = 0xff
	}
	p[0], p[1], p[2], p[3] = byte(v), byte(v>>8), byte(v>>16), high
}

func isMSB(c byte) bool { return c == 0 || c == 0xff }
