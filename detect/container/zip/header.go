// Package zip reads the structure of zip archives (PKWARE APPNOTE 6.3.10) as
// every reader sees it: all end records that some reader would choose, the
// central directories they lead to, the local headers those lead to, and the
// ranges that belong to nothing.
//
// It keeps some 80 bytes a member, whatever names and fields are, and reads
// headers only: content is the caller's.
package zip

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"bartizan/detect/input"
)

// Signatures of records, little endian.
const (
	sigLocal     = 0x04034b50
	sigCentral   = 0x02014b50
	sigEnd       = 0x06054b50
	sigEnd64     = 0x06064b50
	sigLocator64 = 0x07064b50
	sigData      = 0x08074b50
	sigSignature = 0x05054b50
)

// Lengths of the fixed parts of records, bytes.
const (
	localLen     = 30
	centralLen   = 46
	endLen       = 22
	end64Len     = 56
	locator64Len = 20
)

// Flag bits of a member.
const (
	FlagEncrypted  = 1 << 0
	FlagDescriptor = 1 << 3
	FlagStrong     = 1 << 6
	FlagUTF8       = 1 << 11
	FlagMasked     = 1 << 13
)

// Compression methods that have names here.
const (
	Stored    = 0
	Deflated  = 8
	Deflate64 = 9
	BZip2     = 12
	LZMA      = 14
	Zstd      = 93
	XZ        = 95
	AES       = 99
)

// Header is one central or local header with its variable fields. The slices
// are valid until the next read through the same Archive.
type Header struct {
	Offset       int64 // of the header itself
	Length       int64 // of the header with its variable fields
	Creator      uint16
	Flags        uint16
	Method       uint16
	CRC          uint32
	Packed, Size int64
	Local        int64  // as written, without the base (central only)
	Disk         uint32 // (central only)
	Attributes   uint32 // (central only)
	Name, Extra  []byte
	Comment      []byte // (central only)
	// Zip64 says that a zip64 field gave a value; Short that one was needed
	// and not there.
	Zip64, Short bool
}

// UnixMode gives the mode where the creator is a Unix or Darwin.
func (h *Header) UnixMode() (uint32, bool) {
	if os := h.Creator >> 8; os != 3 && os != 19 {
		return 0, false
	}
	return h.Attributes >> 16, true
}

// parseLocal reads a local header's fixed part.
func parseLocal(p []byte, h *Header) (names, extras int, ok bool) {
	le := binary.LittleEndian
	if len(p) < localLen || le.Uint32(p) != sigLocal {
		return 0, 0, false
	}
	*h = Header{
		Flags: le.Uint16(p[6:]), Method: le.Uint16(p[8:]), CRC: le.Uint32(p[14:]),
		Packed: int64(le.Uint32(p[18:])), Size: int64(le.Uint32(p[22:])),
	}
	return int(le.Uint16(p[26:])), int(le.Uint16(p[28:])), true
}

// parseCentral reads a central header's fixed part.
func parseCentral(p []byte, h *Header) (names, extras, comments int, ok bool) {
	le := binary.LittleEndian
	if len(p) < centralLen || le.Uint32(p) != sigCentral {
		return 0, 0, 0, false
	}
	*h = Header{
		Creator: le.Uint16(p[4:]), Flags: le.Uint16(p[8:]), Method: le.Uint16(p[10:]), CRC: le.Uint32(p[16:]),
		Packed: int64(le.Uint32(p[20:])), Size: int64(le.Uint32(p[24:])), Disk: uint32(le.Uint16(p[34:])),
		Attributes: le.Uint32(p[38:]), Local: int64(le.Uint32(p[42:])),
	}
	return int(le.Uint16(p[28:])), int(le.Uint16(p[30:])), int(le.Uint16(p[32:])), true
}

// field finds the first extra field of that id. Padding that is no field (as
// zipalign writes it) ends the search.
func field(extra []byte, id uint16) ([]byte, bool) {
	for len(extra) >= 4 {
		n := int(binary.LittleEndian.Uint16(extra[2:]))
		if n > len(extra)-4 {
			return nil, false
		}
		if binary.LittleEndian.Uint16(extra) == id {
			return extra[4 : 4+n], true
		}
		extra = extra[4+n:]
	}
	return nil, false
}

// widen replaces the values that a header says are in its zip64 field, in the
// order of APPNOTE 4.5.3: size, packed size, offset.
func (h *Header) widen(central bool) {
	const mark = 0xffffffff
	if h.Size != mark && h.Packed != mark && (!central || h.Local != mark) {
		return
	}
	f, ok := field(h.Extra, 1)
	if !ok {
		h.Short = true
		return
	}
	take := func(v *int64) {
		if *v != mark {
			return
		}
		if len(f) < 8 {
			h.Short = true
			return
		}
		wide := int64(binary.LittleEndian.Uint64(f))
		if wide < 0 {
			h.Short = true
			return
		}
		*v, f, h.Zip64 = wide, f[8:], true
	}
	take(&h.Size)
	take(&h.Packed)
	if central {
		take(&h.Local)
	}
}

// UnicodeName is the name in the Info-ZIP Unicode Path field, which some
// readers use instead of the header's where its checksum fits that one.
func (h *Header) UnicodeName() (string, bool) {
	f, ok := field(h.Extra, 0x7075)
	if !ok || len(f) < 5 || f[0] != 1 || binary.LittleEndian.Uint32(f[1:]) != crc32.ChecksumIEEE(h.Name) {
		return "", false
	}
	return string(f[5:]), true
}

// reader reads headers through a window on the blob.
type reader struct {
	b      input.Blob
	window int64
	buf    []byte
	start  int64
}

// bytes gives n bytes at off, in place where they lie in memory, else in the
// window, which the next call may move.
func (r *reader) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > r.b.Size() || n > r.b.Size()-off {
		return nil, io.ErrUnexpectedEOF
	}
	if _, ok := r.b.Mem(); ok {
		return r.b.Bytes(off, n)
	}
	if off >= r.start && off+n <= r.start+int64(len(r.buf)) {
		return r.buf[off-r.start:][:n], nil
	}
	want := min(max(n, r.window), r.b.Size()-off)
	if int64(cap(r.buf)) < want {
		r.buf = make([]byte, want)
	}
	r.start, r.buf = off, r.buf[:want]
	got, err := r.b.ReadAt(r.buf, off)
	if int64(got) < n {
		r.buf = r.buf[:0]
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	r.buf = r.buf[:got]
	return r.buf[:n], nil
}

// local reads the local header at off with about that many bytes of name and extra.
func (r *reader) local(off int64, h *Header) (bool, error) {
	const guess = localLen + 226
	p, err := r.bytes(off, min(guess, max(r.b.Size()-off, 0)))
	if err != nil {
		return false, nothing(err)
	}
	names, extras, ok := parseLocal(p, h)
	if !ok {
		return false, nil
	}
	n := int64(localLen + names + extras)
	if n > int64(len(p)) {
		if p, err = r.bytes(off, n); err != nil {
			return false, nothing(err)
		}
	}
	h.Offset, h.Length = off, n
	h.Name, h.Extra = p[localLen:localLen+names], p[localLen+names:n]
	h.widen(false)
	return true, nil
}

// central reads the central header at off, which must end by end.
func (r *reader) central(off, end int64, h *Header) (bool, error) {
	const guess = centralLen + 210
	p, err := r.bytes(off, min(guess, max(end-off, 0)))
	if err != nil {
		return false, nothing(err)
	}
	names, extras, comments, ok := parseCentral(p, h)
	n := int64(centralLen + names + extras + comments)
	if !ok || n > end-off {
		return false, nil
	}
	if n > int64(len(p)) {
		if p, err = r.bytes(off, n); err != nil {
			return false, nothing(err)
		}
	}
	h.Offset, h.Length = off, n
	h.Name, h.Extra = p[centralLen:centralLen+names], p[centralLen+names:centralLen+names+extras]
	h.Comment = p[centralLen+names+extras : n]
	h.widen(true)
	return true, nil
}

// nothing takes the end of the bytes for the absence of a record.
func nothing(err error) error {
	if err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
