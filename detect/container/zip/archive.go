package zip

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

	"bartizan/detect/input"
)

// Limits of what is read of one archive.
const (
	maxEnds    = 32      // end records considered, from the end of the file
	maxRecords = 1 << 17 // central headers, over all directories
)

// Directory is one central directory that some reader would use.
type Directory struct {
	At, End int64 // where it lies; End is where its records stopped
	Bound   int64 // where the record lies that led to it
	EndAt   int64 // its end of central directory record
	Base    int64 // what some reader adds to the offsets in it
	Zip64   bool
	// Count and Size are as declared, Parsed is how many records there are.
	Count, Size int64
	Parsed      int
	Disk        uint32
}

// Record is one central header, kept small; Archive.Central reads it again.
type Record struct {
	At           int64 // of the central header
	Local        int64 // of the local header it names, base included
	Packed, Size int64
	NameHash     uint64
	CRC          uint32
	Flags        uint16
	Method       uint16
	Directory    uint16
}

// Archive is the structure of one archive.
type Archive struct {
	Directories []Directory
	Records     []Record
	// Truncated says that there were more records than are kept.
	Truncated bool
	// Comment is the first comment that reaches the end of the file, or the
	// last end record's.
	CommentAt, CommentLen int64
	// Ends are the places of all end records considered, last first.
	Ends []int64

	exact    map[int64]bool // end records whose comment reaches the end of the file
	dir, loc reader
	seed     maphash.Seed
}

// Read finds the directories of b and reads their records. An archive without
// any has no records. The error is the blob's reader's.
func Read(b input.Blob) (*Archive, error) {
	a := &Archive{dir: reader{b: b, window: 64 << 10}, loc: reader{b: b, window: 512}, seed: maphash.MakeSeed(), exact: map[int64]bool{}}
	if err := a.findEnds(b); err != nil {
		return nil, err
	}
	for _, at := range a.Ends {
		dirs, err := a.directories(at)
		if err != nil {
			return nil, err
		}
		for _, d := range dirs {
			if a.known(d) || a.inside(at) {
				continue
			}
			if err := a.readRecords(d); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

// findEnds collects the signatures of end records in the last 64 KiB.
func (a *Archive) findEnds(b input.Blob) error {
	n := min(b.Size(), endLen+65535)
	tail, err := b.Tail(n)
	if err != nil {
		return err
	}
	start := b.Size() - n
	rest := tail
	for len(a.Ends) < maxEnds {
		i := bytes.LastIndex(rest, []byte("PK\x05\x06"))
		if i < 0 {
			break
		}
		if len(tail)-i >= endLen {
			a.Ends = append(a.Ends, start+int64(i))
			a.comment(start+int64(i), tail[i:])
		}
		rest = rest[:i]
	}
	return nil
}

func (a *Archive) comment(at int64, p []byte) {
	declared := int64(binary.LittleEndian.Uint16(p[20:]))
	have := int64(len(p) - endLen)
	if declared == have {
		a.exact[at] = true
	}
	if len(a.Ends) == 1 || declared == have && a.CommentAt+a.CommentLen < at+int64(len(p)) {
		a.CommentAt, a.CommentLen = at+endLen, min(declared, have)
	}
}

// place is a directory's declared extent.
type place struct {
	count, size, offset int64
	disk                uint32
}

// directories gives every directory that a reader would find from the end
// record at: by the declared offset (miniz, libarchive), or by its size back
// from the record (Python, Info-ZIP); by the 32 bit values or by zip64's, found
// by the locator or right before it.
func (a *Archive) directories(at int64) ([]Directory, error) {
	p, err := a.loc.bytes(at, endLen)
	if err != nil {
		return nil, nothing(err)
	}
	le := binary.LittleEndian
	v := place{
		count: int64(le.Uint16(p[10:])), size: int64(le.Uint32(p[12:])), offset: int64(le.Uint32(p[16:])),
		disk: uint32(le.Uint16(p[4:])),
	}
	bounds, wide, err := a.zip64(at)
	if err != nil {
		return nil, err
	}
	var dirs []Directory
	differ := len(wide) == 0
	for i, w := range wide {
		if err := a.locate(&dirs, w, bounds[i], at, true); err != nil {
			return nil, err
		}
		if v.offset != 0xffffffff && v.offset != w.offset || v.size != 0xffffffff && v.size != w.size {
			differ = true
		}
	}
	if differ {
		err = a.locate(&dirs, v, at, at, false)
	}
	return dirs, err
}

// zip64 reads the zip64 end records that the locator before at leads to.
func (a *Archive) zip64(at int64) (bounds []int64, values []place, err error) {
	p, err := a.loc.bytes(at-locator64Len, locator64Len)
	if err != nil || binary.LittleEndian.Uint32(p) != sigLocator64 {
		return nil, nil, nothing(err)
	}
	declared := int64(binary.LittleEndian.Uint64(p[8:]))
	adjacent := at - locator64Len - end64Len
	for i, off := range []int64{declared, adjacent} {
		if i == 1 && off == declared {
			break
		}
		p, err := a.loc.bytes(off, end64Len)
		if err != nil {
			if nothing(err) != nil {
				return nil, nil, err
			}
			continue
		}
		le := binary.LittleEndian
		if le.Uint32(p) != sigEnd64 {
			continue
		}
		bounds = append(bounds, off)
		values = append(values, place{
			count: int64(le.Uint64(p[32:])), size: int64(le.Uint64(p[40:])), offset: int64(le.Uint64(p[48:])),
			disk: le.Uint32(p[16:]),
		})
	}
	return bounds, values, nil
}

// locate adds the directories at the places that v allows.
func (a *Archive) locate(dirs *[]Directory, v place, bound, endAt int64, zip64 bool) error {
	adjacent := bound - v.size
	for i, at := range []int64{adjacent, v.offset} {
		if i == 1 && at == adjacent || at < 0 || at > bound {
			continue
		}
		if v.count != 0 || v.size != 0 {
			p, err := a.loc.bytes(at, 4)
			if err != nil {
				if nothing(err) != nil {
					return err
				}
				continue
			}
			if binary.LittleEndian.Uint32(p) != sigCentral {
				continue
			}
		}
		*dirs = append(*dirs, Directory{
			At: at, Bound: bound, EndAt: endAt, Base: at - v.offset, Zip64: zip64,
			Count: v.count, Size: v.size, Disk: v.disk,
		})
	}
	return nil
}

func (a *Archive) known(d Directory) bool {
	for _, k := range a.Directories {
		if k.At == d.At && k.Base == d.Base {
			return true
		}
	}
	return false
}

// inside says whether an earlier end record lies in a member or a directory of
// the reading that is there already: a zip stored within this one. One whose
// comment reaches the end of the file is none of these.
func (a *Archive) inside(at int64) bool {
	if len(a.Directories) == 0 || a.exact[at] {
		return false
	}
	for _, d := range a.Directories {
		if at >= d.At && at < d.End {
			return true
		}
	}
	return at < a.Directories[0].At
}

// readRecords reads the central headers of d until they stop, whatever count
// is declared.
func (a *Archive) readRecords(d Directory) error {
	var h Header
	off := d.At
	if most := min(d.Count, (d.Bound-d.At)/centralLen, maxRecords); len(a.Records) == 0 && most > 0 {
		a.Records = make([]Record, 0, most)
	}
	for off < d.Bound {
		ok, err := a.dir.central(off, d.Bound, &h)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if len(a.Records) >= maxRecords {
			a.Truncated = true
			break
		}
		a.Records = append(a.Records, Record{
			At: off, Local: h.Local + d.Base, Packed: h.Packed, Size: h.Size, NameHash: maphash.Bytes(a.seed, h.Name),
			CRC: h.CRC, Flags: h.Flags, Method: h.Method, Directory: uint16(len(a.Directories)),
		})
		off += h.Length
		d.Parsed++
	}
	d.End = off
	a.Directories = append(a.Directories, d)
	return nil
}

// Central reads the record's header again.
func (a *Archive) Central(i int, h *Header) error {
	_, err := a.dir.central(a.Records[i].At, a.Directories[a.Records[i].Directory].Bound, h)
	return err
}

// Local reads the local header at off; false says that there is none.
func (a *Archive) Local(off int64, h *Header) (bool, error) {
	ok, err := a.loc.local(off, h)
	return ok, nothing(err)
}

// Descriptor gives the length of the data descriptor at off, with or without
// signature, of 32 or 64 bit, and whether it says what the arguments say.
func (a *Archive) Descriptor(off int64, crc uint32, packed, size int64) (n int64, agrees bool, err error) {
	p, err := a.loc.bytes(off, min(24, max(a.loc.b.Size()-off, 0)))
	if err != nil {
		return 0, false, nothing(err)
	}
	skip := 0
	if len(p) >= 4 && binary.LittleEndian.Uint32(p) == sigData {
		skip = 4
	}
	le := binary.LittleEndian
	for _, s := range []int{skip, 0} {
		q := p[s:]
		if len(q) >= 20 && le.Uint32(q) == crc && le.Uint64(q[4:]) == uint64(packed) && le.Uint64(q[12:]) == uint64(size) {
			return int64(s + 20), true, nil
		}
		if len(q) >= 12 && le.Uint32(q) == crc && le.Uint32(q[4:]) == uint32(packed) && le.Uint32(q[8:]) == uint32(size) {
			return int64(s + 12), true, nil
		}
	}
	if skip == 4 && len(p) >= 16 {
		return 16, false, nil
	}
	return 0, false, nil
}
