package sevenz

import (
	"bufio"
	"fmt"
	"io"

	"bartizan/detect/container/unpack"
	"bartizan/detect/input"
)

// Coders by id (7-Zip's Methods.txt).
const (
	coderCopy    = 0x00
	coderDelta   = 0x03
	coderX86     = 0x04
	coderLZMA2   = 0x21
	coderLZMA    = 0x030101
	coderBCJ     = 0x03030103
	coderDeflate = 0x040108
	coderBZip2   = 0x040202
	coderZstd    = 0x04f71101
	coderLZ4     = 0x04f71104
	coderAES     = 0x06f10701
)

// Decoder opens folders one after another.
type Decoder struct {
	deflate unpack.Deflate
	lzma    unpack.LZMA
	lzma2   unpack.LZMA2
	source  *unpack.Source
	closers []io.Closer
}

// Stored gives the folder's data in place where it is not packed at all.
func (a *Archive) Stored(f *Folder) (input.Blob, bool) {
	if len(f.coders) != 1 || f.coders[0].id != coderCopy || len(f.at) != 1 {
		return input.Blob{}, false
	}
	return a.b.Slice(f.at[0][0], min(f.at[0][1], f.Size())), true
}

// PackedSize is the length of the folder's packed streams.
func (f *Folder) PackedSize() (n int64) {
	for _, p := range f.at {
		n += p[1]
	}
	return n
}

// Consumed is how many packed bytes the open folder was read of.
func (d *Decoder) Consumed() int64 {
	if d.source == nil {
		return 0
	}
	return d.source.Consumed()
}

// Open decodes a folder. It follows one input from the main output to the
// packed stream; folders with coders of several inputs (BCJ2) are not supported.
func (d *Decoder) Open(a *Archive, f *Folder) (io.Reader, error) {
	d.Close()
	chain, err := f.chain()
	if err != nil {
		return nil, err
	}
	if len(f.at) != 1 {
		return nil, ErrHeader
	}
	packed := a.b.Slice(f.at[0][0], f.at[0][1])
	d.source = unpack.NewSource(packed)
	var r io.Reader = d.source.Reader()
	for i := len(chain) - 1; i >= 0; i-- {
		first := i == len(chain)-1
		if r, err = d.coder(&f.coders[chain[i]], r, f.sizes[chain[i]], packed, first, a.budget); err != nil {
			return nil, err
		}
		r = io.LimitReader(r, f.sizes[chain[i]])
	}
	if packed.Size() < f.at[0][1] {
		return &cut{r}, nil
	}
	return r, nil
}

// cut turns an early end into a fault where packed bytes are missing.
type cut struct{ io.Reader }

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chain lists the coders from the main output to the packed stream.
func (f *Folder) chain() ([]int, error) {
	for _, c := range f.coders {
		if c.id == coderAES {
			return nil, unpack.ErrEncrypted
		}
	}
	for _, c := range f.coders {
		if c.in != 1 || c.out != 1 {
			return nil, fmt.Errorf("7z coder %#x with %d inputs: %w", c.id, c.in, unpack.ErrUnsupported)
		}
	}
	at := f.mainOutput()
	var chain []int
	for at >= 0 && len(chain) < len(f.coders) {
		chain = append(chain, at)
		next := -1
		for _, b := range f.binds {
			if b[0] == uint64(at) {
				next = int(b[1])
			}
		}
		at = next
	}
	if len(chain) != len(f.coders) {
		return nil, ErrHeader
	}
	return chain, nil
}

// coder puts one coder's decoder over r. Decoders that read frames ahead work
// on the packed stream only.
func (d *Decoder) coder(c *coder, r io.Reader, size int64, packed input.Blob, first bool, budget *input.Budget) (io.Reader, error) {
	br, ok := r.(unpack.ByteReader)
	if !ok {
		br = bufio.NewReaderSize(r, 16<<10)
	}
	switch c.id {
	case coderCopy:
		return r, nil
	case coderDelta:
		if len(c.props) != 1 {
			return nil, ErrHeader
		}
		return unpack.Delta(r, int(c.props[0])+1), nil
	case coderX86, coderBCJ:
		return unpack.X86(r), nil
	case coderLZMA:
		d.closers = append(d.closers, &d.lzma)
		return d.lzma.Raw(br, budget, c.props, size)
	case coderLZMA2:
		if len(c.props) != 1 {
			return nil, ErrHeader
		}
		d.closers = append(d.closers, &d.lzma2)
		return d.lzma2.Open(br, budget, c.props[0])
	case coderDeflate:
		return d.deflate.Open(br)
	}
	if !first {
		return nil, fmt.Errorf("7z coder %#x behind another: %w", c.id, unpack.ErrUnsupported)
	}
	switch c.id {
	case coderBZip2:
		return unpack.BZip2(d.source, packed, budget)
	case coderZstd:
		z, err := unpack.Zstd(d.source, packed, budget)
		if err == nil {
			d.closers = append(d.closers, z)
		}
		return z, err
	case coderLZ4:
		z, err := unpack.LZ4(d.source, packed, budget)
		if err == nil {
			d.closers = append(d.closers, z)
		}
		return z, err
	}
	return nil, fmt.Errorf("7z coder %#x: %w", c.id, unpack.ErrUnsupported)
}

// Close gives the memory of the open folder back.
func (d *Decoder) Close() {
	for _, c := range d.closers {
		_ = c.Close() // gives windows back; what it says of the data was said before
	}
	d.closers = nil
}
