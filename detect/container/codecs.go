package container

import (
	"fmt"
	"io"

	"bartizan/detect/container/unpack"
	"bartizan/detect/container/zip"
	"bartizan/detect/input"
)

// codecs are the decoders of one walk, used again for each member.
type codecs struct {
	source  *unpack.Source
	deflate unpack.Deflate
	lzma    unpack.LZMA
	xz      unpack.XZ
}

// open reads b anew. The source read before ends.
func (c *codecs) open(b input.Blob) *unpack.Source {
	if c.source == nil {
		c.source = unpack.NewSource(b)
	} else {
		c.source.Reset(b)
	}
	return c.source
}

// zipLZMA opens LZMA data as zip has it (APPNOTE 5.8.8): a version, the length
// of the properties, the properties. The length of the data is the member's.
func (c *codecs) zipLZMA(src *unpack.Source, budget *input.Budget, size int64) (io.Reader, error) {
	r := src.Reader()
	var h [9]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	if h[2] != 5 || h[3] != 0 {
		return nil, fmt.Errorf("LZMA properties: %w", unpack.ErrUnsupported)
	}
	return c.lzma.Raw(r, budget, h[4:], size)
}

// zipMethod opens a zip member's data by its method.
func (w *walker) zipMethod(m *Member, data input.Blob, method uint16) {
	c := &w.codecs
	m.open = func() (io.Reader, error) {
		src := c.open(data)
		m.consumed = src.Consumed
		switch method {
		case zip.Stored:
			return src.Reader(), nil
		case zip.Deflated:
			return c.deflate.Open(src.Reader())
		case zip.BZip2:
			return unpack.BZip2(src, data, w.in.Budget)
		case zip.LZMA:
			return c.zipLZMA(src, w.in.Budget, m.Size)
		case zip.Zstd, 20:
			return unpack.Zstd(src, data, w.in.Budget)
		case zip.XZ:
			return c.xz.Open(src, data, w.in.Budget), nil
		}
		return nil, fmt.Errorf("zip method %d: %w", method, unpack.ErrUnsupported)
	}
}
