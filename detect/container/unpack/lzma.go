package unpack

import (
	"encoding/binary"
	"io"
	"math/bits"

	"bartizan/detect/input"
)

// lzmaHeader is the length of the header of a .lzma file.
const lzmaHeader = 13

// LZMA decodes one LZMA stream after another.
type LZMA struct {
	s     lzmaState
	left  int64 // bytes still to come, -1 where the end marker says
	err   error
	input []byte
	src   ByteReader
}

// LooksLZMA says whether head starts a .lzma file ("LZMA alone"), which has no
// magic: the header must be one that encoders write, as liblzma demands of
// files it guesses at, and what follows must decode.
func LooksLZMA(head []byte, size int64) bool {
	if len(head) < lzmaHeader+6 || head[0] >= 9*5*5 || head[lzmaHeader] != 0 {
		return false
	}
	dict := binary.LittleEndian.Uint32(head[1:])
	if dict != 0xffffffff && (dict < 4096 || bits.OnesCount32(dict) > 2 || bits.OnesCount32(dict) == 2 && dict&(dict>>1) == 0) {
		return false
	}
	unpacked := binary.LittleEndian.Uint64(head[5:])
	if unpacked != 1<<64-1 && (unpacked >= 1<<38 || unpacked == 0) {
		return false
	}
	var d LZMA
	src := NewSource(input.FromBytes(head))
	r, err := d.Alone(src.Reader(), input.NewBudget(0))
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(r, 64<<10))
	return err == nil && n > 0 || err == io.ErrUnexpectedEOF && int64(len(head)) < size
}

// Alone decodes a .lzma file: properties, window size, length, data.
func (d *LZMA) Alone(r ByteReader, budget *input.Budget) (io.Reader, error) {
	var h [lzmaHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, unexpected(err)
	}
	size := int64(binary.LittleEndian.Uint64(h[5:]))
	if size < -1 {
		return nil, errLZMA
	}
	return d.Raw(r, budget, h[:5], size)
}

// Raw decodes data with its properties (the byte and the window's size) and
// length given, -1 where an end marker says.
func (d *LZMA) Raw(r ByteReader, budget *input.Budget, props []byte, size int64) (io.Reader, error) {
	if len(props) < 5 || !d.s.setProps(props[0]) {
		return nil, errLZMA
	}
	if !budget.Work(0x600 << (d.s.lc + d.s.lp)) {
		return nil, ErrWork
	}
	if d.input == nil {
		d.input = make([]byte, 16<<10)
	}
	d.s.reset()
	d.s.win.reset(budget, int64(binary.LittleEndian.Uint32(props[1:])))
	d.s.rc = rangeDecoder{buf: d.input[:0], src: r}
	d.s.rc.start()
	d.left, d.err, d.src = size, d.s.rc.err, r
	return d, nil
}

// Unread is how many bytes were taken from the source and not used.
func (d *LZMA) Unread() int64 { return int64(len(d.s.rc.buf) - d.s.rc.pos) }

func (d *LZMA) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, d.err
	}
	if d.err == nil && d.left == 0 {
		d.err = io.EOF
	}
	if d.err != nil {
		return 0, d.err
	}
	if d.left > 0 {
		p = p[:min(int64(len(p)), d.left)]
	}
	room, err := d.s.win.room()
	if err != nil {
		d.err = err
		return 0, err
	}
	from := d.s.win.pos
	err = d.s.decode(from + min(room, len(p)))
	n := copy(p, d.s.win.buf[from:d.s.win.pos])
	d.end(err, n)
	return n, d.err
}

// step is how much a linear decoder goes on at a time, bytes.
const step = 1 << 20

// Linear implements Linear.
func (d *LZMA) Linear(most int64) bool {
	d.s.win.most = most
	return true
}

// More implements Linear.
func (d *LZMA) More() ([]byte, error) {
	w := &d.s.win
	if d.err == nil && d.left == 0 {
		d.err = io.EOF
	}
	if d.err != nil {
		return w.buf[:w.pos], d.err
	}
	room, err := w.room()
	if err != nil {
		d.err = err
		return w.buf[:w.pos], err
	}
	n := min(room, step)
	if d.left > 0 {
		n = int(min(int64(n), d.left))
	}
	from := w.pos
	err = d.s.decode(from + n)
	d.end(err, w.pos-from)
	return w.buf[:w.pos], d.err
}

// end notes that n bytes were decoded, and whether they were the last.
func (d *LZMA) end(err error, n int) {
	if d.left > 0 {
		d.left -= int64(n)
	}
	if err == nil && d.s.ended {
		err = io.EOF
		if d.left > 0 {
			err = errLZMA
		}
	}
	d.err = err
}

// Close gives the window back.
func (d *LZMA) Close() error {
	d.s.win.close()
	if d.err == nil {
		d.err = io.ErrClosedPipe
	}
	return nil
}
