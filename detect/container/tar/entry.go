package tar

import (
	"errors"
	"io"

	"bartizan/detect/input"
)

// Limits of extensions, which lie in memory while they are read.
const (
	maxExtension = 1 << 20 // bytes of one pax header or long name
	maxChain     = 64      // extension headers before one member
)

// Faults of a tar. They end an archive but for what a resynchronisation finds.
var (
	ErrHeader    = errors.New("no header where one must be")
	ErrExtension = errors.New("extension header is broken")
	ErrTooLong   = errors.New("extension header is larger than 1 MiB")
)

// Entry is one member with its extensions applied.
type Entry struct {
	Offset int64 // of the first header that belongs to it
	Header       // the plain header
	// Name and Link are the effective ones; Names are all that some reader uses.
	Name, Link string
	Names      []string
	// Size is the effective length of the data, which lies at DataAt.
	Size   int64
	DataAt int64
	// Next is the offset behind the data, NextPlain by the plain header alone.
	Next, NextPlain int64
	// Global says that a global pax header set name, link or size.
	Global bool
	// Sparse is the map where the member is sparse.
	Sparse *Sparse
}

// Reader goes through an archive. The zero value with a blob is ready.
type Reader struct {
	B      input.Blob
	global map[string]string
}

// NewReader reads b.
func NewReader(b input.Blob) *Reader { return &Reader{B: b} }

// pending is what extension headers said before the member they belong to.
type pending struct {
	longName, longLink string
	pax                *records
	first              int64
	chain              int
}

// At reads the entry whose first header is at off. io.EOF is the end of the
// bytes, ErrEnd-like states are given as Zero or Invalid with no entry.
func (r *Reader) At(off int64) (*Entry, State, error) {
	ext := pending{first: off}
	for {
		p, err := r.B.Bytes(off, min(Block, max(r.B.Size()-off, 0)))
		if err != nil {
			return nil, Invalid, err
		}
		if len(p) == 0 {
			return nil, Zero, io.EOF
		}
		if len(p) < Block {
			return nil, Invalid, io.ErrUnexpectedEOF
		}
		h, state := Parse(p)
		if state != Valid {
			if ext.chain > 0 && state == Zero {
				return nil, Invalid, ErrExtension
			}
			return nil, state, nil
		}
		extension, err := r.extension(&ext, &h, off)
		if err != nil {
			return nil, Invalid, err
		}
		if !extension {
			e, err := r.entry(&ext, h, off)
			return e, Valid, err
		}
		if ext.chain++; ext.chain > maxChain {
			return nil, Invalid, ErrExtension
		}
		off += Block + round(h.Size)
	}
}

// extension takes a header that describes the next one.
func (r *Reader) extension(ext *pending, h *Header, off int64) (bool, error) {
	switch h.Type {
	case TypePax, TypePaxSun, TypePaxGlobal, TypeLongName, TypeLongLink:
	default:
		return false, nil
	}
	if !h.SizeOK || h.Size < 0 {
		return false, ErrExtension
	}
	if h.Size > maxExtension {
		return false, ErrTooLong
	}
	p, err := r.B.Bytes(off+Block, h.Size)
	if err != nil {
		return false, err
	}
	switch h.Type {
	case TypeLongName:
		ext.longName = text(p)
	case TypeLongLink:
		ext.longLink = text(p)
	case TypePaxGlobal:
		rec, err := parseRecords(p)
		if err != nil {
			return false, err
		}
		if r.global == nil {
			r.global = map[string]string{}
		}
		for k, v := range rec.last {
			if len(r.global) < 1000 {
				r.global[k] = v
			}
		}
	default:
		if ext.pax, err = parseRecords(p); err != nil {
			return false, err
		}
	}
	return true, nil
}

// round is a length in whole blocks.
func round(n int64) int64 {
	if n > 1<<62 {
		return n
	}
	return (n + Block - 1) &^ (Block - 1)
}

// entry applies the extensions to the header at off.
func (r *Reader) entry(ext *pending, h Header, off int64) (*Entry, error) {
	e := &Entry{Offset: ext.first, Header: h, Name: h.Name, Link: h.Link, Size: h.Size, DataAt: off + Block}
	if !h.SizeOK || h.Size < 0 {
		e.Size = 0
	}
	e.NextPlain = e.DataAt + e.dataBlocks(e.Size)
	if ext.longName != "" {
		e.rename(ext.longName)
	}
	if ext.longLink != "" {
		e.Link = ext.longLink
	}
	get := func(key string) (string, bool) {
		if ext.pax != nil {
			if v, ok := ext.pax.last[key]; ok {
				return v, true
			}
		}
		v, ok := r.global[key]
		e.Global = e.Global || ok && (key == "path" || key == "linkpath" || key == "size")
		return v, ok
	}
	if v, ok := get("path"); ok && v != "" {
		e.rename(v)
	}
	if ext.pax != nil {
		for _, v := range ext.pax.paths {
			e.alias(v)
		}
	}
	if v, ok := get("linkpath"); ok && v != "" {
		e.Link = v
	}
	if v, ok := get("size"); ok {
		n, ok := decimal(v)
		if !ok {
			return nil, ErrExtension
		}
		e.Size = n
	}
	err := e.sparse(r.B, ext.pax, get)
	e.Next = e.DataAt + e.dataBlocks(e.Size)
	if e.Sparse != nil {
		e.Next = max(e.Next, e.Sparse.dataAt)
	}
	return e, err
}

// rename sets the effective name and keeps the one before as another.
func (e *Entry) rename(name string) {
	if e.Name != e.Header.Name {
		e.alias(e.Name)
	}
	e.Name = name
}

func (e *Entry) alias(name string) {
	if name == e.Name || len(e.Names) >= 8 {
		return
	}
	for _, n := range e.Names {
		if n == name {
			return
		}
	}
	e.Names = append(e.Names, name)
}

// dataBlocks is how far the next header is behind this one for a size: members
// that are no files have no data, whatever size they give (tarfile, Go).
func (e *Entry) dataBlocks(size int64) int64 {
	if e.HeaderOnly() {
		return 0
	}
	return round(size)
}

// HeaderOnly says that the member's type has no data.
func (e *Entry) HeaderOnly() bool {
	switch e.Type {
	case TypeLink, TypeSymlink, TypeChar, TypeBlock, TypeDir, TypeFifo:
		return true
	}
	return false
}
