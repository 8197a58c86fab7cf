package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"io"
)

// Faults of a zlib stream.
var (
	errZlibHeader = errors.New("no zlib header")
	errZlibDict   = errors.New("zlib stream needs a preset dictionary")
	errAdler      = errors.New("zlib checksum does not match")
)

// IsZlib says whether two bytes are a header of RFC 1950 without a preset
// dictionary.
func IsZlib(cmf, flg byte) bool {
	return cmf&0x0f == 8 && cmf>>4 <= 7 && flg&0x20 == 0 && (uint16(cmf)<<8|uint16(flg))%31 == 0
}

// LooksZlib says whether head starts a zlib stream: the header is valid and
// what follows inflates, to the end with the right checksum or until head ends.
// Text that starts like a header does not pass.
func LooksZlib(head []byte, size int64) bool {
	if len(head) < 8 || !IsZlib(head[0], head[1]) {
		return false
	}
	var d Deflate
	z, err := Zlib(&d, bytes.NewReader(head))
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, 1<<20))
	if err == nil {
		return true
	}
	return errors.Is(err, io.ErrUnexpectedEOF) && int64(len(head)) < size && n >= 32
}

// Zlib decodes an RFC 1950 stream and verifies its checksum.
func Zlib(d *Deflate, r ByteReader) (io.Reader, error) {
	var h [2]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, unexpected(err)
	}
	if h[0]&0x0f != 8 || h[0]>>4 > 7 || (uint16(h[0])<<8|uint16(h[1]))%31 != 0 {
		return nil, errZlibHeader
	}
	if h[1]&0x20 != 0 {
		return nil, errZlibDict
	}
	f, err := d.Open(r)
	if err != nil {
		return nil, err
	}
	return &zlibReader{src: r, z: f, sum: adler32.New()}, nil
}

type zlibReader struct {
	src ByteReader
	z   io.Reader
	sum hash.Hash32
	err error
}

func (z *zlibReader) Read(p []byte) (int, error) {
	if z.err != nil {
		return 0, z.err
	}
	n, err := z.z.Read(p)
	z.sum.Write(p[:n])
	if err == io.EOF {
		var t [4]byte
		if _, e := io.ReadFull(z.src, t[:]); e != nil {
			err = unexpected(e)
		} else if binary.BigEndian.Uint32(t[:]) != z.sum.Sum32() {
			err = errAdler
		}
	}
	z.err = err
	return n, err
}
