package unpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"bartizan/detect/input"
)

// Faults of an .xz file (the .xz file format, 1.2.1).
var (
	errXZ    = errors.New("xz structure is broken")
	errXZSum = errors.New("xz checksum does not match")
)

// Lengths and marks of .xz.
const (
	xzMagic     = "\xfd7zXZ\x00"
	xzHeader    = 12
	xzMaxBlocks = 1 << 20 // records of one index
)

// Filters of .xz blocks.
const (
	filterDelta = 0x03
	filterX86   = 0x04
	filterLZMA2 = 0x21
)

// XZ decodes concatenated .xz streams with their padding and verifies checks.
// It ends before bytes that start no further stream.
type XZ struct {
	l2     LZMA2
	src    *Source
	r      ByteReader
	b      input.Blob
	budget *input.Budget

	check  byte
	block  io.Reader // nil between blocks
	start  int64     // of the block's data
	sum    hash.Hash
	inside bool // within a stream
	linear bool
	err    error
}

// Open decodes b from its start.
func (x *XZ) Open(src *Source, b input.Blob, budget *input.Budget) io.Reader {
	x.src, x.r, x.b, x.budget = src, src.Reader(), b, budget
	x.block, x.inside, x.linear, x.err = nil, false, false, nil
	x.l2.keep = false
	x.l2.s.win.reset(budget, 0)
	return x
}

// Linear implements Linear: blocks that have no filter but LZMA2 follow one
// another in one window.
func (x *XZ) Linear(most int64) bool {
	p, err := x.b.Slice(xzHeader, 2).Head(2)
	if err != nil || len(p) < 2 || p[0] != 0 && p[1]&3 != 0 {
		return false
	}
	x.l2.Linear(most)
	x.linear, x.l2.keep = true, true
	return true
}

// More implements Linear.
func (x *XZ) More() ([]byte, error) {
	w := &x.l2.s.win
	for x.err == nil && x.block == nil {
		x.err = x.next()
	}
	if x.err != nil {
		return w.buf[:w.pos], x.err
	}
	from := w.pos
	_, err := x.l2.More()
	if x.sum != nil {
		x.sum.Write(w.buf[from:w.pos])
	}
	if err == io.EOF {
		err = x.endBlock()
	}
	x.err = err
	return w.buf[:w.pos], err
}

// Close gives the window back.
func (x *XZ) Close() error { return x.l2.Close() }

func (x *XZ) Read(p []byte) (int, error) {
	for x.err == nil {
		if x.block == nil {
			x.err = x.next()
			continue
		}
		n, err := x.block.Read(p)
		if x.sum != nil {
			x.sum.Write(p[:n])
		}
		if err == io.EOF {
			err = x.endBlock()
		}
		x.err = err
		if n > 0 {
			return n, err
		}
	}
	return 0, x.err
}

// next opens the next block, going over stream headers, indices and padding.
func (x *XZ) next() error {
	if !x.inside {
		first := x.src.Consumed() == 0
		if !first && !x.follows() {
			return io.EOF
		}
		return x.streamHeader()
	}
	size, err := x.r.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if size == 0 {
		return x.index()
	}
	return x.blockHeader(size)
}

// follows skips padding and says whether another stream starts behind it.
func (x *XZ) follows() bool {
	off := x.src.Consumed()
	for {
		p, err := x.b.Slice(off, 6).Head(6)
		if err != nil || len(p) < 6 {
			return false
		}
		if string(p) == xzMagic {
			_, err := io.CopyN(io.Discard, x.r, off-x.src.Consumed())
			return err == nil
		}
		if !bytes.Equal(p[:4], []byte{0, 0, 0, 0}) {
			return false
		}
		off += 4
	}
}

func (x *XZ) streamHeader() error {
	var h [xzHeader]byte
	if _, err := io.ReadFull(x.r, h[:]); err != nil {
		return unexpected(err)
	}
	if string(h[:6]) != xzMagic || h[6] != 0 || h[7] > 15 || crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) {
		return errXZ
	}
	x.check, x.inside, x.sum = h[7], true, nil
	switch x.check {
	case 1:
		x.sum = crc32.NewIEEE()
	case 4:
		x.sum = crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		x.sum = sha256.New()
	}
	return nil
}

// checkSize is the length of a check by its id.
func checkSize(id byte) int {
	if id == 0 {
		return 0
	}
	return 4 << ((id - 1) / 3)
}

func (x *XZ) blockHeader(size byte) error {
	h := make([]byte, (int(size)+1)*4)
	h[0] = size
	if _, err := io.ReadFull(x.r, h[1:]); err != nil {
		return unexpected(err)
	}
	body, sum := h[:len(h)-4], binary.LittleEndian.Uint32(h[len(h)-4:])
	if crc32.ChecksumIEEE(body) != sum || body[1]&0x3c != 0 {
		return errXZ
	}
	rest := body[2:]
	for _, bit := range []byte{0x40, 0x80} {
		if body[1]&bit != 0 {
			if _, rest = vli(rest); rest == nil {
				return errXZ
			}
		}
	}
	x.start = x.src.Consumed()
	if x.sum != nil {
		x.sum.Reset()
	}
	return x.filters(rest, int(body[1]&3)+1)
}

// filters opens the block's chain, which must end in LZMA2.
func (x *XZ) filters(rest []byte, count int) error {
	var chain []func(io.Reader) io.Reader
	for i := range count {
		var id, n uint64
		if id, rest = vli(rest); rest == nil {
			return errXZ
		}
		if n, rest = vli(rest); rest == nil || n > uint64(len(rest)) {
			return errXZ
		}
		props := rest[:n]
		rest = rest[n:]
		if last := i == count-1; last != (id == filterLZMA2) {
			return fmt.Errorf("xz filter %#x: %w", id, ErrUnsupported)
		}
		switch {
		case id == filterLZMA2 && n == 1:
			r, err := x.l2.Open(x.r, x.budget, props[0])
			if err != nil {
				return err
			}
			x.block = r
		case id == filterDelta && n == 1:
			chain = append(chain, func(r io.Reader) io.Reader { return Delta(r, int(props[0])+1) })
		case id == filterX86 && n == 0:
			chain = append(chain, X86)
		default:
			return fmt.Errorf("xz filter %#x: %w", id, ErrUnsupported)
		}
	}
	if x.linear && len(chain) > 0 {
		return fmt.Errorf("xz filters in some blocks only: %w", ErrUnsupported)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		x.block = chain[i](x.block)
	}
	return nil
}

// endBlock reads padding and check.
func (x *XZ) endBlock() error {
	x.block = nil
	var tail [3 + 64]byte
	pad := int((4 - (x.src.Consumed()-x.start)%4) % 4)
	n := checkSize(x.check)
	if _, err := io.ReadFull(x.r, tail[:pad+n]); err != nil {
		return unexpected(err)
	}
	if x.sum == nil {
		return nil
	}
	got := x.sum.Sum(nil)
	if x.check != 10 { // the CRCs are stored low byte first
		for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
			got[i], got[j] = got[j], got[i]
		}
	}
	if !bytes.Equal(got, tail[pad:pad+n]) {
		return errXZSum
	}
	return nil
}

// index goes over the index and the footer.
func (x *XZ) index() error {
	start := x.src.Consumed() - 1
	count, err := x.readVLI()
	if err != nil || count > xzMaxBlocks {
		return firstOf(err, errXZ)
	}
	for range 2 * count {
		if _, err := x.readVLI(); err != nil {
			return err
		}
	}
	pad := (4 - (x.src.Consumed()-start)%4) % 4
	if _, err := io.CopyN(io.Discard, x.r, pad+4); err != nil {
		return unexpected(err)
	}
	var f [xzHeader]byte
	if _, err := io.ReadFull(x.r, f[:]); err != nil {
		return unexpected(err)
	}
	if string(f[10:]) != "YZ" {
		return errXZ
	}
	x.inside = false
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *XZ) readVLI() (uint64, error) {
	var v uint64
	for i := range 9 {
		c, err := x.r.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, nil
		}
	}
	return 0, errXZ
}

// vli reads a variable length integer; nil rest says that there is none.
func vli(p []byte) (uint64, []byte) {
	var v uint64
	for i := 0; i < 9 && i < len(p); i++ {
		v |= uint64(p[i]&0x7f) << (7 * i)
		if p[i] < 0x80 {
			return v, p[i+1:]
		}
	}
	return 0, nil
}
