package unpack

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Faults of a gzip stream.
var (
	errGzipHeader = errors.New("no gzip header")
	errGzipSum    = errors.New("gzip checksum does not match")
	errGzipSize   = errors.New("gzip length does not match")
)

// maxGzipField bounds the text fields of a gzip header.
const maxGzipField = 64 << 10

// GzipHeader is what is kept of a gzip member's header (RFC 1952).
type GzipHeader struct{ Name string }

// ReadGzipHeader reads a header.
func ReadGzipHeader(r ByteReader) (GzipHeader, error) {
	var h GzipHeader
	var fixed [10]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return h, unexpected(err)
	}
	if fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != 8 {
		return h, errGzipHeader
	}
	flags := fixed[3]
	if flags&4 != 0 {
		var n [2]byte
		if _, err := io.ReadFull(r, n[:]); err != nil {
			return h, unexpected(err)
		}
		if _, err := io.CopyN(io.Discard, r, int64(binary.LittleEndian.Uint16(n[:]))); err != nil {
			return h, unexpected(err)
		}
	}
	var err error
	if flags&8 != 0 {
		if h.Name, err = gzipText(r); err != nil {
			return h, err
		}
	}
	if flags&16 != 0 {
		if _, err = gzipText(r); err != nil {
			return h, err
		}
	}
	if flags&2 != 0 {
		if _, err := io.CopyN(io.Discard, r, 2); err != nil {
			return h, unexpected(err)
		}
	}
	return h, nil
}

func gzipText(r ByteReader) (string, error) {
	var text []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return "", unexpected(err)
		}
		if c == 0 {
			return string(text), nil
		}
		if len(text) >= maxGzipField {
			return "", errGzipHeader
		}
		text = append(text, c)
	}
}

// Gzip decodes concatenated gzip members as one stream, as gunzip does, and
// verifies each sum. It ends before the first bytes that are no further
// member: OnMember, if set, is told where members end.
type Gzip struct {
	D        *Deflate
	R        ByteReader
	OnMember func()
	// Next says whether a further member follows; it must not consume it.
	Next func() bool

	z      io.Reader
	opened bool
	crc    uint32
	size   uint32
	err    error
}

func (g *Gzip) Read(p []byte) (int, error) {
	for g.err == nil {
		if g.z == nil {
			if g.err = g.begin(); g.err != nil {
				break
			}
		}
		n, err := g.z.Read(p)
		g.crc = crc32.Update(g.crc, crc32.IEEETable, p[:n])
		g.size += uint32(n)
		if err == io.EOF {
			err = g.end()
		}
		g.err = err
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, g.err
}

func (g *Gzip) begin() error {
	if g.opened && (g.Next == nil || !g.Next()) {
		return io.EOF
	}
	if _, err := ReadGzipHeader(g.R); err != nil {
		return err
	}
	z, err := g.D.Open(g.R)
	g.z, g.opened, g.crc, g.size = z, true, 0, 0
	return err
}

func (g *Gzip) end() error {
	var t [8]byte
	if _, err := io.ReadFull(g.R, t[:]); err != nil {
		return unexpected(err)
	}
	g.z = nil
	if g.OnMember != nil {
		g.OnMember()
	}
	if binary.LittleEndian.Uint32(t[:]) != g.crc {
		return errGzipSum
	}
	if binary.LittleEndian.Uint32(t[4:]) != g.size {
		return errGzipSize
	}
	return nil
}
