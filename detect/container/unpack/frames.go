package unpack

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"bartizan/detect/input"
)

// openCost is what opening a decoder with large tables costs of the budget of
// work, bytes, so that many tiny members do not add up.
const openCost = 256 << 10

// Magics of frames, little endian; skippable ones have 16.
const (
	zstdMagic = 0xfd2fb528
	skippable = 0x184d2a50
)

// BZip2 decodes concatenated bzip2 streams. The reader ends before bytes that
// are no further stream.
func BZip2(src *Source, b input.Blob, budget *input.Budget) (io.Reader, error) {
	if !budget.Work(openCost) {
		return nil, ErrWork
	}
	return &bzip2Reader{r: bzip2.NewReader(src.Reader()), tail: tail{src: src, b: b}, budget: budget}, nil
}

// errNoFurther is what the library says of bytes behind the last stream.
const errNoFurther = bzip2.StructuralError("bad magic value in continuation file")

type bzip2Reader struct {
	r io.Reader
	tail
	budget *input.Budget
}

// bzip2Cost is the work of a byte that bzip2 gives: it is the slowest decoder
// by far (20 to 40 MB/s), and a few bytes of it unpack to megabytes.
const bzip2Cost = 3

func (z *bzip2Reader) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	z.some = z.some || n > 0
	if err == nil && !z.budget.Work(bzip2Cost*int64(n)) {
		err = ErrWork
	}
	if err == errNoFurther && z.garbage(2, func(p []byte) bool { return string(p) == "BZ" }) {
		err = io.EOF
	}
	return n, err
}

// Zstd decodes concatenated zstd frames and skips skippable ones (RFC 8878).
func Zstd(src *Source, b input.Blob, budget *input.Budget) (io.ReadCloser, error) {
	head, err := b.Head(18)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRead, err)
	}
	hold := min(zstdWindow(head), MaxWindow)
	if !budget.Work(openCost) {
		return nil, ErrWork
	}
	if !budget.Hold(hold) {
		return nil, ErrMemory
	}
	d, err := zstd.NewReader(src.Reader(), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(MaxWindow), zstd.WithDecoderMaxMemory(1<<40))
	if err != nil {
		budget.Release(hold)
		return nil, err
	}
	return &zstdReader{d: d, tail: tail{src: src, b: b}, budget: budget, hold: hold}, nil
}

// zstdWindow is the window that the first frame's header asks for, bytes.
func zstdWindow(h []byte) int64 {
	if len(h) < 6 || binary.LittleEndian.Uint32(h) != zstdMagic {
		return 1 << 20
	}
	if h[4]&0x20 == 0 {
		e, m := int64(h[5]>>3), int64(h[5]&7)
		return 1<<(10+e) + (1<<(10+e))/8*m
	}
	dict := []int{0, 1, 2, 4}[h[4]&3]
	var size [8]byte
	n := []int{1, 2, 4, 8}[h[4]>>6]
	if len(h) < 5+dict+n {
		return 1 << 20
	}
	copy(size[:n], h[5+dict:])
	v := int64(binary.LittleEndian.Uint64(size[:]))
	if v < 0 {
		return 1 << 62
	}
	return v + 256
}

type zstdReader struct {
	d *zstd.Decoder
	tail
	budget *input.Budget
	hold   int64
}

func (z *zstdReader) Read(p []byte) (int, error) {
	n, err := z.d.Read(p)
	z.some = z.some || n > 0
	switch {
	case errors.Is(err, zstd.ErrMagicMismatch) && z.garbage(4, IsZstd):
		err = io.EOF
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		err = fmt.Errorf("zstd window: %w", ErrMemory)
	case errors.Is(err, zstd.ErrUnknownDictionary):
		err = fmt.Errorf("zstd dictionary: %w", ErrUnsupported)
	}
	return n, err
}

func (z *zstdReader) Close() error {
	z.d.Close()
	z.budget.Release(z.hold)
	z.hold = 0
	return nil
}

// IsZstd says whether p starts a zstd frame or a skippable one.
func IsZstd(p []byte) bool {
	if len(p) < 4 {
		return false
	}
	return binary.LittleEndian.Uint32(p) == zstdMagic || isSkippable(p)
}

func isSkippable(p []byte) bool {
	return len(p) >= 4 && binary.LittleEndian.Uint32(p)&^0xf == skippable
}

// IsLZ4 says whether p starts an lz4 frame or a legacy one. Skippable frames
// are zstd's too, and are told apart by what follows.
func IsLZ4(p []byte) bool {
	return bytes.HasPrefix(p, []byte{0x04, 0x22, 0x4d, 0x18}) || bytes.HasPrefix(p, []byte{0x02, 0x21, 0x4c, 0x18})
}

// AfterSkippable gives the offset of the first frame of b that is not
// skippable; the end of b where there is none.
func AfterSkippable(b input.Blob) (int64, error) {
	off := int64(0)
	for off+8 <= b.Size() {
		p, err := b.Bytes(off, 8)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", ErrRead, err)
		}
		if binary.LittleEndian.Uint32(p)&^0xf != skippable {
			return off, nil
		}
		off += int64(binary.LittleEndian.Uint32(p[4:])) + 8
	}
	return min(off, b.Size()), nil
}

// LZ4 decodes concatenated lz4 frames, legacy ones too, and skips skippable
// ones. The reader ends before bytes that are no further frame.
func LZ4(src *Source, b input.Blob, budget *input.Budget) (io.ReadCloser, error) {
	at, err := AfterSkippable(b)
	if err != nil {
		return nil, err
	}
	head, err := b.Slice(at, 6).Head(6)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRead, err)
	}
	if !budget.Work(openCost) {
		return nil, ErrWork
	}
	hold := 2 * lz4Block(head)
	if !budget.Hold(hold) {
		return nil, ErrMemory
	}
	return &lz4Reader{r: lz4.NewReader(src.Reader()), tail: tail{src: src, b: b}, budget: budget, hold: hold}, nil
}

// lz4Block is the largest block of a frame by its header, bytes.
func lz4Block(head []byte) int64 {
	if len(head) < 6 || head[0] != 0x04 {
		return 8 << 20 // legacy frames
	}
	return 64 << 10 << (2 * (max(head[5]>>4&7, 4) - 4))
}

type lz4Reader struct {
	r *lz4.Reader
	tail
	budget *input.Budget
	hold   int64
}

func (z *lz4Reader) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	z.some = z.some || n > 0
	if errors.Is(err, lz4.ErrInvalidFrame) && z.garbage(4, func(p []byte) bool { return IsLZ4(p) || isSkippable(p) }) {
		err = io.EOF
	}
	return n, err
}

func (z *lz4Reader) Close() error {
	z.budget.Release(z.hold)
	z.hold = 0
	return nil
}

// tail tells bytes behind the last stream from a broken stream, for decoders
// that read on until they find no further magic.
type tail struct {
	src  *Source
	b    input.Blob
	some bool  // something was decoded
	back int64 // bytes that were read of what is no further stream
}

// garbage says whether the decoder stopped at a magic of n bytes that is none.
func (t *tail) garbage(n int64, magic func([]byte) bool) bool {
	at := t.src.Consumed() - n
	if !t.some || at < 0 {
		return false
	}
	p, err := t.b.Slice(at, n).Head(n)
	if err != nil || magic(p) {
		return false
	}
	t.back = n
	return true
}

// Unread is how many bytes were taken from the source and belong to nothing.
func (t *tail) Unread() int64 { return t.back }
