package unpack

import (
	"io"

	"github.com/klauspost/compress/flate"
)

// Deflate is a decoder of raw deflate streams (RFC 1951) that can be used
// again and again. The zero value is ready.
type Deflate struct{ r io.ReadCloser }

// Open decodes the stream that starts at r. A stream opened before ends.
func (d *Deflate) Open(r ByteReader) (io.Reader, error) {
	if d.r == nil {
		d.r = flate.NewReader(r)
		return d.r, nil
	}
	return d.r, d.r.(flate.Resetter).Reset(r, nil)
}
