// Package sevenz reads the structure of 7z archives (7zFormat.txt of 7-Zip) and
// decodes their folders. Every count in a header is checked against the bytes
// that are left before anything is allocated for it.
//
// It knows the coders that ordinary archives have (see decode.go); what it does
// not know is unpack.ErrUnsupported, what needs a password unpack.ErrEncrypted.
package sevenz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"bartizan/detect/container/unpack"
	"bartizan/detect/input"
)

// Magic starts every archive.
const Magic = "7z\xbc\xaf\x27\x1c"

// Limits of what is read.
const (
	headerLen   = 32
	maxHeader   = 8 << 20 // bytes of a header, packed or not
	maxEncoded  = 4       // headers that are packed within one another
	maxCoders   = 8
	maxStreams  = 16 // inputs of the coders of one folder
	maxFiles    = 1 << 18
	maxPropSize = 1 << 10
)

// Faults.
var (
	ErrHeader    = errors.New("7z header is broken")
	ErrTruncated = errors.New("7z header lies behind the end of the file")
)

// File is one entry of an archive.
type File struct {
	Name       string
	Dir        bool
	Attributes uint32
	Stream     bool // has data: Folder and Size are set
	Folder     int
	Size       int64
	CRC        uint32
	HasCRC     bool
}

// Archive is the structure of one archive.
type Archive struct {
	Files   []File
	Folders []Folder
	// Packed are the ranges of the file that folders and headers use.
	Packed [][2]int64
	// End is where the archive ends.
	End int64
	// BadSum says that a header did not match its checksum.
	BadSum bool

	b      input.Blob
	budget *input.Budget
}

// Read reads the headers of b.
func Read(b input.Blob, budget *input.Budget) (*Archive, error) {
	p, err := b.Bytes(0, headerLen)
	if err != nil {
		return nil, err
	}
	if string(p[:6]) != Magic {
		return nil, ErrHeader
	}
	le := binary.LittleEndian
	a := &Archive{b: b, budget: budget, BadSum: crc32.ChecksumIEEE(p[12:32]) != le.Uint32(p[8:])}
	off, size, sum := int64(le.Uint64(p[12:])), int64(le.Uint64(p[20:])), le.Uint32(p[28:])
	a.Packed = append(a.Packed, [2]int64{0, headerLen})
	if size == 0 {
		a.End = headerLen
		return a, nil
	}
	if off < 0 || size < 0 || off > b.Size() || size > b.Size() || headerLen+off+size > b.Size() {
		return nil, ErrTruncated
	}
	if size > maxHeader {
		return nil, fmt.Errorf("7z header of %d bytes: %w", size, unpack.ErrMemory)
	}
	a.End = headerLen + off + size
	a.Packed = append(a.Packed, [2]int64{headerLen + off, a.End})
	header, err := b.Bytes(headerLen+off, size)
	if err != nil {
		return nil, err
	}
	return a, a.header(header, sum)
}

// header reads a header, which may be packed itself.
func (a *Archive) header(p []byte, sum uint32) error {
	for range maxEncoded {
		a.BadSum = a.BadSum || crc32.ChecksumIEEE(p) != sum
		r := &cursor{p: p}
		switch r.byte() {
		case idHeader:
			return a.main(r)
		case idEncodedHeader:
			s, err := a.streams(r)
			if err != nil {
				return err
			}
			if len(s.folders) == 0 {
				return ErrHeader
			}
			if p, err = a.unpackHeader(&s.folders[0]); err != nil {
				return err
			}
			if sum = crc32.ChecksumIEEE(p); s.folders[0].HasCRC {
				sum = s.folders[0].CRC
			}
		default:
			return ErrHeader
		}
	}
	return ErrHeader
}

// unpackHeader decodes a packed header into memory.
func (a *Archive) unpackHeader(f *Folder) ([]byte, error) {
	if f.Size() > maxHeader {
		return nil, fmt.Errorf("7z header of %d bytes: %w", f.Size(), unpack.ErrMemory)
	}
	if !a.budget.Expand(f.Size()) {
		return nil, fmt.Errorf("7z header: %w", unpack.ErrMemory)
	}
	var d Decoder
	r, err := d.Open(a, f)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var p []byte
	chunk := make([]byte, min(f.Size(), 64<<10))
	for int64(len(p)) < f.Size() {
		n, err := r.Read(chunk)
		p = append(p, chunk[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// main reads a plain header.
func (a *Archive) main(r *cursor) error {
	var s streams
	for {
		id := r.byte()
		if r.bad {
			return ErrHeader
		}
		switch id {
		case idEnd:
			return nil
		case idArchiveProperties:
			for r.byte() != 0 && !r.bad {
				r.bytes(r.number())
			}
		case idAdditionalStreams:
			if _, err := a.streams(r); err != nil {
				return err
			}
		case idMainStreams:
			var err error
			if s, err = a.streams(r); err != nil {
				return err
			}
			a.Folders = s.folders
		case idFilesInfo:
			if err := a.files(r, &s); err != nil {
				return err
			}
		default:
			return ErrHeader
		}
	}
}
