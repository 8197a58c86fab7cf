package container

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bartizan/detect/container/zip"
	"bartizan/finding"
)

func zipFormat() Format {
	return &kind{
		name: "zip", title: "ZIP archive",
		extensions: []string{".zip", ".pt", ".pth", ".npz", ".keras", ".skops", ".jar", ".whl", ".docx", ".xlsx", ".pptx", ".nupkg", ".mar", ".ptl", ".bin", ".egg"},
		match:      matchZip,
		walk:       func(w *walker) error { return (&zipWalk{walker: w}).run() },
	}
}

// matchZip accepts what starts with a member or an empty directory, and what
// ends with a plausible end record.
func matchZip(head, tail []byte, size int64) bool {
	if len(head) >= 4 && head[0] == 'P' && head[1] == 'K' {
		switch binary.LittleEndian.Uint32(head) {
		case 0x04034b50, 0x06054b50, 0x08074b50, 0x30304b50:
			return true
		}
	}
	for rest, n := tail, 0; n < 8; n++ {
		i := bytes.LastIndex(rest, []byte("PK\x05\x06"))
		if i < 0 {
			return false
		}
		if p := tail[i:]; len(p) >= 22 && plausibleEnd(p, size-int64(len(p))) {
			return true
		}
		rest = rest[:i]
	}
	return false
}

// plausibleEnd judges an end record at offset at by its own figures.
func plausibleEnd(p []byte, at int64) bool {
	le := binary.LittleEndian
	count, size, off := int64(le.Uint16(p[10:])), int64(le.Uint32(p[12:])), int64(le.Uint32(p[16:]))
	if size == 0xffffffff || off == 0xffffffff || count == 0xffff {
		return true
	}
	return size >= 46*count && size <= at && off <= at && (count > 0) == (size > 0)
}

// emptyDeflate is the length of nothing, deflated: what some tools store for a
// directory.
const emptyDeflate = 2

// zipWalk is one walk over one zip.
type zipWalk struct {
	*walker
	a       *zip.Archive
	c, l    zip.Header
	spans   spans
	starts  []int64            // offsets of the local headers of all records, sorted
	orphans map[int64]struct{} // and of those that no directory lists
	pending []int64            // offsets of local headers that a mismatch leads to
	names   map[uint64]int32
	scan    scanner
	slack   [][2]int64 // ranges in members that their decoder did not use
	one     Member     // filled in anew for each record: there may be many
}

// Views that members share; they are never changed.
var (
	bothViews   = []string{ViewCentral, ViewLocal}
	centralView = []string{ViewCentral}
	localView   = []string{ViewLocal}
	orphanView  = []string{ViewOrphan}
)

func (z *zipWalk) run() error {
	a, err := zip.Read(z.in.Blob)
	if err != nil {
		return fmt.Errorf("%s: reading the zip directory: %w", z.in.Path, err)
	}
	z.a = a
	z.names = make(map[uint64]int32, len(a.Records))
	z.checkDirectories()
	z.checkDeclared()
	for i := range a.Records {
		if err := z.record(i); err != nil {
			return ended(err)
		}
	}
	z.starts, z.orphans = z.spans.starts(), map[int64]struct{}{}
	for _, off := range z.pending {
		if err := z.chain(off); err != nil {
			return ended(err)
		}
	}
	return ended(z.rest())
}

// checkDirectories says where end records lead to different or wrong directories.
func (z *zipWalk) checkDirectories() {
	a := z.a
	if len(a.Directories) == 0 {
		z.incomplete(CodeTruncated, "", "no central directory")
		return
	}
	if a.Truncated {
		z.incomplete(CodeMembers, "", "more directory entries than are kept")
	}
	if n := len(a.Directories); n > 1 {
		severity := finding.Medium
		if z.directoriesClash() {
			severity = finding.High
		}
		z.add(rule(ruleAmbiguous), a.Directories[1].At, 0, severity, fmt.Sprintf("the archive has %d central directories", n),
			map[string]any{"directories": n})
	}
	for _, d := range a.Directories {
		if d.Disk != 0 && d.Disk != 0xffff && d.Disk != 0xffffffff {
			z.incomplete(CodeDamaged, "", "archive is split over several files")
		}
		count := d.Count
		if !d.Zip64 {
			count = int64(d.Parsed)&^0xffff | count // some writers keep the low 16 bits only
		}
		sized := d.Size == d.End-d.At || d.Size == 0xffffffff || d.Size == d.Bound-d.At
		if !a.Truncated && (count != int64(d.Parsed) || !sized) {
			z.add(rule(ruleAmbiguous), d.EndAt, 22, finding.Medium,
				fmt.Sprintf("the end record declares %d members in %d bytes, there are %d in %d", d.Count, d.Size, d.Parsed, d.End-d.At),
				map[string]any{"declared": d.Count, "found": d.Parsed})
		}
	}
}

// directoriesClash says whether two directories give one name to different members.
func (z *zipWalk) directoriesClash() bool {
	type claim struct {
		local int64
		crc   uint32
	}
	first := map[uint64]claim{}
	for _, r := range z.a.Records {
		if r.Directory == 0 {
			first[r.NameHash] = claim{r.Local, r.CRC}
		}
	}
	for _, r := range z.a.Records {
		if f, ok := first[r.NameHash]; ok && r.Directory > 0 && f.local != r.Local && f.crc != r.CRC {
			return true
		}
	}
	return false
}

// checkDeclared finds archives whose members together are declared to unpack
// past the budget. A size that no method could reach is not believed.
func (z *zipWalk) checkDeclared() {
	var packed, size int64
	worst := -1
	for i, r := range z.a.Records {
		if r.Packed <= 0 || r.Method == zip.Stored {
			continue
		}
		n := r.Size
		if r.Method == zip.Deflated || r.Method == zip.Deflate64 {
			n = min(n, saturated(r.Packed, 1100))
		}
		packed, size = packed+min(r.Packed, z.in.Blob.Size()), min(size+n, 1<<62)
		if worst < 0 || n > z.a.Records[worst].Size {
			worst = i
		}
	}
	packed = min(packed, z.in.Blob.Size())
	if worst < 0 || z.enoughBombs() || size <= z.in.Budget.ExpandLeft() || size/max(packed, 1) < bombRatio {
		return
	}
	z.add(rule(ruleBomb), z.a.Records[worst].At, 0, finding.High,
		fmt.Sprintf("the members declare %d bytes unpacked from %d", size, packed),
		map[string]any{"packed": packed, "unpacked": size, "ratio": size / max(packed, 1)})
	z.incomplete(CodeExpand, "", fmt.Sprintf("members declare %d bytes", size))
}

// record visits one entry of a directory: once where both headers agree, else
// once for each reading.
func (z *zipWalk) record(i int) error {
	r := &z.a.Records[i]
	if err := z.a.Central(i, &z.c); err != nil {
		return fmt.Errorf("%s: zip directory entry at %d: %w", z.in.Path, r.At, err)
	}
	if z.c.Offset != r.At {
		return nil
	}
	found, err := z.local(r)
	if err != nil {
		return err
	}
	m := z.member(&z.one, &z.c, bothViews)
	if !found {
		m.Views = centralView
		z.add(rule(ruleMismatch), r.At, z.c.Length, finding.Medium, quote(m.Name)+" has no local header where the directory says",
			map[string]any{"member": m.Label(), "fields": "offset"})
		z.incomplete(CodeDamaged, m.Name, "no local header")
		m.Packed = -1
		m.open = nil
		return z.emit(m)
	}
	fields := z.differ()
	dataAt := z.l.Offset + z.l.Length
	if err := z.setData(m, &z.c, dataAt); err != nil {
		return err
	}
	end, err := z.end(dataAt)
	if err != nil {
		return err
	}
	z.spans.add(z.l.Offset, end)
	z.duplicate(i, m)
	if fields.any() {
		return z.twoReadings(m, fields, dataAt)
	}
	err = z.emit(m)
	if m.ended && m.used < m.Packed && m.used > 0 { // bytes behind the end of the compressed data
		z.slack = append(z.slack, [2]int64{dataAt + m.used, dataAt + min(m.Packed, z.in.Blob.Size()-dataAt)})
	}
	return err
}

// local reads the local header that a record leads to: at the offset with the
// base of its directory, or as written where that is no header (miniz).
func (z *zipWalk) local(r *zip.Record) (bool, error) {
	for _, off := range []int64{r.Local, z.c.Local} {
		ok, err := z.a.Local(off, &z.l)
		if err != nil {
			return false, fmt.Errorf("%s: zip local header at %d: %w", z.in.Path, off, err)
		}
		if ok {
			return true, nil
		}
	}
	return false, nil
}

// member fills in the member that a header describes, without its data.
func (z *zipWalk) member(m *Member, h *zip.Header, views []string) *Member {
	*m = Member{
		Name: string(h.Name), Size: h.Size, Packed: h.Packed, Offset: h.Offset, Views: views, crc: h.CRC, hasCRC: true,
	}
	if n := len(m.Name); n > 0 && (m.Name[n-1] == '/' || m.Name[n-1] == '\\') && h.Size == 0 && h.Packed <= emptyDeflate {
		m.Kind = Dir
	}
	// Loaders that read members by name do not look at modes: a symlink is what
	// can be one, whatever else the mode says is a file.
	if mode, ok := h.UnixMode(); ok && mode&0xf000 == 0xa000 {
		m.Kind = Symlink
	}
	if name, ok := h.UnicodeName(); ok && name != m.Name {
		m.Aliases = append(m.Aliases, name)
	}
	return m
}

// setData gives the member its bytes: in place where they are stored, through
// a decoder else. The bytes of a member that only claims to be encrypted are
// read; readers that ignore the flag read them too.
func (z *zipWalk) setData(m *Member, h *zip.Header, at int64) error {
	data := z.in.Blob.Slice(at, h.Packed)
	if h.Short {
		z.incomplete(CodeDamaged, m.Name, "the zip64 field is missing or too short")
	}
	if data.Size() < h.Packed {
		m.checked = true
		z.incomplete(CodeTruncated, m.Name, fmt.Sprintf("%d of %d bytes there", data.Size(), h.Packed))
	}
	if h.Method == zip.Stored {
		m.isStored, m.stored = true, data
		if h.Size != h.Packed && h.Flags&zip.FlagEncrypted == 0 {
			m.checked = true
			m.stored = z.in.Blob.Slice(at, max(h.Packed, h.Size)) // miniz reads by the one, others by the other
			z.add(rule(ruleMismatch), h.Offset, h.Length, finding.Medium,
				fmt.Sprintf("%s is stored, but %d bytes unpack to %d", quote(m.Name), h.Packed, h.Size),
				map[string]any{"member": m.Label(), "fields": "size"})
		}
	} else {
		z.zipMethod(m, data, h.Method)
	}
	if h.Flags&zip.FlagEncrypted != 0 || h.Method == zip.AES {
		return z.encrypted(m, h)
	}
	return z.readLink(m)
}

// encrypted decides whether a member with the encrypted bit is encrypted:
// traditional encryption puts 12 bytes before the data, so that stored data of
// its own length is plain; what unpacks cleanly is plain too. Stored bytes stay
// readable in any case: readers that ignore the bit read them as they are.
func (z *zipWalk) encrypted(m *Member, h *zip.Header) error {
	plain := h.Method == zip.Stored && h.Packed == h.Size
	if h.Method != zip.Stored && h.Method != zip.AES {
		ok, err := m.intact(z.walker, false)
		if err != nil {
			return err
		}
		plain = ok
	}
	if plain {
		z.add(rule(ruleMismatch), h.Offset, h.Length, finding.Medium, quote(m.Name)+" is marked as encrypted and is not",
			map[string]any{"member": m.Label(), "fields": "flags"})
		return nil
	}
	m.Encrypted, m.checked, m.open = true, true, nil
	z.incomplete(CodeEncrypted, m.Name, "")
	return nil
}

// end is where the member's data and descriptor stop.
func (z *zipWalk) end(dataAt int64) (int64, error) {
	end := dataAt + min(max(z.c.Packed, 0), z.in.Blob.Size())
	if (z.c.Flags|z.l.Flags)&zip.FlagDescriptor == 0 {
		return end, nil
	}
	n, _, err := z.a.Descriptor(end, z.c.CRC, z.c.Packed, z.c.Size)
	return end + n, err
}

// duplicate says where a name came before with other content.
func (z *zipWalk) duplicate(i int, m *Member) {
	r := &z.a.Records[i]
	j, ok := z.names[r.NameHash]
	if !ok {
		z.names[r.NameHash] = int32(i)
		return
	}
	first := &z.a.Records[j]
	if m.Kind == Dir || first.Directory != r.Directory || first.Local == r.Local || first.CRC == r.CRC && first.Size == r.Size {
		return
	}
	z.add(rule(ruleDuplicate), r.At, z.c.Length, finding.Medium, quote(m.Name)+" stands twice with different content",
		map[string]any{"member": m.Label(), "first": first.At, "second": r.At})
}
