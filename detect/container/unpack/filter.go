package unpack

import (
	"encoding/binary"
	"io"
)

// delta undoes the delta filter: each byte is the difference to the one that
// many before.
type delta struct {
	r    io.Reader
	last [256]byte
	at   byte
	dist byte
}

func newDelta(r io.Reader, distance int) io.Reader { return &delta{r: r, dist: byte(distance)} }

func (d *delta) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		p[i] += d.last[d.at-d.dist]
		d.last[d.at] = p[i]
		d.at++
	}
	return n, err
}

// x86 undoes the branch filter of xz and 7-Zip for x86 code: absolute targets
// of CALL and JMP become relative again.
type x86 struct {
	r     io.Reader
	buf   []byte
	ready int // bytes of buf that are done
	pos   uint32
	mask  uint32
	err   error
}

func newX86(r io.Reader) io.Reader { return &x86{r: r, buf: make([]byte, 0, 32<<10)} }

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

// convert undoes the filter in p and gives how far it came: an instruction that
// may go on behind p stays for the next call (7-Zip's Bra86).
func (f *x86) convert(p []byte) int {
	if len(p) < 5 {
		return 0
	}
	i, prev := 0, -1
	limit := len(p) - 4
	for ; i < limit; i++ {
		if p[i]&0xfe != 0xe8 {
			continue
		}
		gap := i - prev
		if prev = i; gap > 3 {
			f.mask = 0
		} else {
			f.mask = f.mask << (gap - 1) & 7
			if f.mask != 0 && (f.mask == 3 || f.mask > 4 || isMSB(p[i+int(f.mask>>1)+1])) {
				f.mask = f.mask>>1 | 4
				continue
			}
		}
		if !isMSB(p[i+4]) {
			f.mask = f.mask>>1 | 4
			continue
		}
		v := binary.LittleEndian.Uint32(p[i+1:])
		now := f.pos + uint32(i) + 5
		v -= now
		if f.mask != 0 {
			shift := (f.mask & 6) << 2
			if isMSB(byte(v >> shift)) {
				v ^= 0x100<<shift - 1
				v -= now
			}
			f.mask = 0
		}
		binary.LittleEndian.PutUint32(p[i+1:], v&0x1ffffff|-(v>>24&1)<<24)
		i += 4
	}
	gap := i - prev
	if gap > 3 || prev < 0 && i > 3 {
		f.mask = 0
	} else {
		f.mask = f.mask << (gap - 1) & 7
	}
	f.pos += uint32(i)
	return i
}

func isMSB(c byte) bool { return c == 0 || c == 0xff }
