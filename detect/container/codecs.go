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

func (c *codecs) close() {}

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
		}
		return nil, fmt.Errorf("zip method %d: %w", method, unpack.ErrUnsupported)
	}
}
