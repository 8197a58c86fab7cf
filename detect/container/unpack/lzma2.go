package unpack

import (
	"io"

	"bartizan/detect/input"
)

// LZMA2 decodes LZMA2 streams: LZMA in chunks of at most 64 KiB packed.
type LZMA2 struct {
	s     lzmaState
	src   ByteReader
	chunk []byte
	left  int  // bytes that the chunk still gives
	plain bool // the chunk is not compressed
	ready uint8
	keep  bool // a linear window goes on over streams
	err   error
}

// What a stream must have set before a chunk relies on it.
const (
	readyDict = 1 << iota
	readyProps
)

// LZMA2Window is the window size that a properties byte means, bytes.
func LZMA2Window(prop byte) (int64, bool) {
	if prop > 40 {
		return 0, false
	}
	if prop == 40 {
		return 0xffffffff, true
	}
	return (2 | int64(prop)&1) << (prop/2 + 11), true
}

// Open decodes the stream at r with its properties byte.
func (d *LZMA2) Open(r ByteReader, budget *input.Budget, prop byte) (io.Reader, error) {
	size, ok := LZMA2Window(prop)
	if !ok {
		return nil, errLZMA
	}
	linear, at := d.s.win.most, d.s.win.pos
	d.s.win.reset(budget, size)
	if d.keep {
		d.s.win.most, d.s.win.pos = linear, at
	}
	d.src, d.left, d.ready, d.err = r, 0, 0, nil
	return d, nil
}

func (d *LZMA2) Read(p []byte) (int, error) {
	from, n, err := d.step(len(p))
	copy(p, d.s.win.buf[from:from+n])
	return n, err
}

// Linear implements Linear.
func (d *LZMA2) Linear(most int64) bool {
	d.s.win.most = most
	return true
}

// More implements Linear.
func (d *LZMA2) More() ([]byte, error) {
	_, _, err := d.step(step)
	return d.s.win.buf[:d.s.win.pos], err
}

// step decodes up to most bytes of the current chunk, or the next one, and says
// where in the window they are.
func (d *LZMA2) step(most int) (from, n int, err error) {
	for d.err == nil && d.left == 0 {
		d.err = d.next()
	}
	if d.err != nil || most == 0 {
		return 0, 0, d.err
	}
	room, err := d.s.win.room()
	if err != nil {
		d.err = err
		return 0, 0, err
	}
	n = min(most, d.left, room)
	from = d.s.win.pos
	if d.plain {
		n, err = d.readPlain(n)
	} else {
		err = d.s.decode(from + n)
		n = d.s.win.pos - from
		if err == nil && (d.s.ended || d.left == n && d.s.pending > 0) {
			err = errLZMA
		}
	}
	d.left -= n
	d.err = err
	return from, n, err
}

// readPlain passes bytes through the window.
func (d *LZMA2) readPlain(n int) (int, error) {
	w := &d.s.win
	n, err := io.ReadFull(d.src, w.buf[w.pos:w.pos+n])
	w.pos += n
	w.total += int64(n)
	w.valid = min(w.valid+int64(n), w.size)
	return n, unexpected(err)
}

// next reads a chunk's header and, where it is compressed, its data.
func (d *LZMA2) next() error {
	control, err := d.src.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if control == 0 {
		return io.EOF
	}
	if control >= 0xe0 || control == 1 {
		d.s.win.forget()
		d.ready |= readyDict
	}
	if d.ready&readyDict == 0 || control > 2 && control < 0x80 {
		return errLZMA
	}
	var h [5]byte
	if control < 0x80 {
		if _, err := io.ReadFull(d.src, h[:2]); err != nil {
			return unexpected(err)
		}
		d.plain, d.left = true, int(h[0])<<8|int(h[1])+1
		return nil
	}
	n := 4
	if control >= 0xc0 {
		n = 5
	}
	if _, err := io.ReadFull(d.src, h[:n]); err != nil {
		return unexpected(err)
	}
	d.plain, d.left = false, int(control&0x1f)<<16|int(h[0])<<8|int(h[1])+1
	return d.begin(control, h[4], int(h[2])<<8|int(h[3])+1)
}

// begin prepares a compressed chunk of that many bytes.
func (d *LZMA2) begin(control, props byte, packed int) error {
	if control >= 0xc0 {
		if !d.s.setProps(props) || d.s.lc+d.s.lp > 4 {
			return errLZMA
		}
		d.ready |= readyProps
	}
	if d.ready&readyProps == 0 {
		return errLZMA
	}
	if control >= 0xa0 {
		d.s.reset()
	}
	if d.chunk == nil {
		d.chunk = make([]byte, 64<<10)
	}
	d.s.rc = rangeDecoder{buf: d.chunk[:packed]}
	if _, err := io.ReadFull(d.src, d.s.rc.buf); err != nil {
		return unexpected(err)
	}
	d.s.rc.start()
	return d.s.rc.err
}

// Close gives the window back.
func (d *LZMA2) Close() error {
	d.s.win.close()
	if d.err == nil {
		d.err = io.ErrClosedPipe
	}
	return nil
}
