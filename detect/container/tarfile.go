package container

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"bartizan/detect/container/tar"
	"bartizan/detect/container/unpack"
	"bartizan/finding"
)

func tarFormat() Format {
	return &kind{
		name: "tar", title: "tar archive", extensions: []string{".tar", ".nemo", ".ova", ".gem"},
		match: func(head, _ []byte, _ int64) bool { return tar.Looks(head) },
		walk:  func(w *walker) error { return (&tarWalk{walker: w, seed: maphash.MakeSeed()}).run() },
	}
}

// largestPlain is the largest size that a plain header's octal field holds;
// what is larger has another size there, or none.
const largestPlain = 1<<33 - 1

// resyncBlocks is how many blocks are looked at for a header after a fault.
const resyncBlocks = 1 << 16

// tarWalk is one walk over one tar.
type tarWalk struct {
	*walker
	seen    map[int64]struct{} // offsets of headers that were visited
	names   map[uint64]int64
	seed    maphash.Seed
	pending []int64  // where another reading of a size would go on
	forward *forward // the blob, where it can be read once only
}

func (t *tarWalk) run() error {
	t.seen = map[int64]struct{}{}
	t.names = map[uint64]int64{}
	end, err := t.sequence(0, ViewCentral)
	for len(t.pending) > 0 && err == nil {
		off := t.pending[0]
		t.pending = t.pending[1:]
		_, err = t.sequence(off, ViewOrphan)
	}
	if err != nil {
		return ended(err)
	}
	return ended(t.behind(end))
}

// sequence visits the members from off until an end, a fault or a header that
// was seen; it gives where it stopped.
func (t *tarWalk) sequence(off int64, view string) (int64, error) {
	r := tar.NewReader(t.in.Blob)
	for {
		if _, twice := t.seen[off]; twice {
			return off, nil
		}
		e, state, err := r.At(off)
		if err == io.EOF {
			return off, nil
		}
		if fault := tarFault(err); err != nil && e == nil && !fault {
			return off, fmt.Errorf("%s: tar header at %d: %w", t.in.Path, off, err)
		}
		if state == tar.Zero {
			return off, nil
		}
		if e == nil {
			if view == ViewOrphan && err == nil {
				return off, nil
			}
			if off, err = t.resync(off, err); err != nil || off < 0 {
				return t.in.Blob.Size(), err
			}
			continue
		}
		t.seen[off] = struct{}{}
		if err := t.entry(e, err, view); err != nil {
			return off, err
		}
		if e.Next <= off {
			return off, nil
		}
		if off = e.Next; off > t.in.Blob.Size() {
			return t.in.Blob.Size(), nil
		}
	}
}

// tarFault tells broken bytes from a reader that failed.
func tarFault(err error) bool {
	return errors.Is(err, tar.ErrHeader) || errors.Is(err, tar.ErrExtension) || errors.Is(err, tar.ErrTooLong) ||
		errors.Is(err, tar.ErrSparse) || errors.Is(err, io.ErrUnexpectedEOF)
}

// resync records a fault and looks for the next header, since readers differ
// in whether they stop there. -1 says that there is none.
func (t *tarWalk) resync(off int64, fault error) (int64, error) {
	switch {
	case errors.Is(fault, io.ErrUnexpectedEOF):
		t.incomplete(CodeTruncated, "", fmt.Sprintf("header at %d", off))
	case errors.Is(fault, tar.ErrTooLong):
		t.incomplete(CodeMemory, "", fmt.Sprintf("header at %d: %v", off, fault))
	default:
		t.incomplete(CodeDamaged, "", fmt.Sprintf("no valid header at %d", off))
	}
	for range resyncBlocks {
		off += tar.Block
		if off+tar.Block > t.in.Blob.Size() || t.forward != nil && t.forward.ended {
			return -1, nil
		}
		if !t.in.Budget.Work(tar.Block) {
			t.incomplete(CodeWork, "", "no more search for headers")
			return -1, nil
		}
		p, err := t.in.Blob.Bytes(off, tar.Block)
		if err != nil {
			return -1, fmt.Errorf("%s: tar block at %d: %w", t.in.Path, off, err)
		}
		if tar.Looks(p) {
			return off, nil
		}
	}
	return -1, nil
}

// entry visits one member.
func (t *tarWalk) entry(e *tar.Entry, fault error, view string) error {
	m := &Member{
		Name: e.Name, Aliases: e.Names, Link: e.Link, Size: e.Size, Packed: e.Size, Offset: e.Offset,
		Views: []string{view}, Kind: tarKind(e),
	}
	if plain := escapes(e.Header.Name); e.Header.Name != e.Name && plain > climbsWithin {
		m.Aliases = append(m.Aliases, e.Header.Name)
	}
	if fault != nil {
		t.incomplete(CodeDamaged, m.Name, fault.Error())
	}
	if !e.SizeOK {
		t.incomplete(CodeDamaged, m.Name, "size field is no number")
	}
	if view == ViewOrphan {
		t.add(rule(ruleHidden), e.Offset, tar.Block, finding.Medium, quote(m.Name)+" lies where only some readers look",
			map[string]any{"member": m.Label()})
	}
	if err := t.sizes(e, m); err != nil {
		return err
	}
	t.setData(e, m)
	t.duplicate(e, m)
	return t.emit(m)
}

func tarKind(e *tar.Entry) Kind {
	switch e.Type {
	case tar.TypeLink:
		return Hardlink
	case tar.TypeSymlink:
		return Symlink
	case tar.TypeDir:
		return Dir
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return Other
	case tar.TypeOld:
		if n := len(e.Name); n > 0 && e.Name[n-1] == '/' && e.Size == 0 {
			return Dir
		}
	}
	return File
}

// setData gives the member its bytes, with holes filled where that fits.
func (t *tarWalk) setData(e *tar.Entry, m *Member) {
	if e.HeaderOnly() {
		m.isStored = true
		m.Size, m.Packed = 0, 0
		return
	}
	if t.forward != nil {
		t.setPassing(e, m)
		return
	}
	m.stored = t.in.Blob.Slice(e.DataAt, e.Size)
	m.isStored = true
	if m.stored.Size() < e.Size {
		t.incomplete(CodeTruncated, m.Name, fmt.Sprintf("%d of %d bytes there", m.stored.Size(), e.Size))
	}
	if e.Sparse == nil {
		return
	}
	m.stored = e.Sparse.Stored(t.in.Blob)
	m.Size, m.Packed = e.Sparse.Real, m.stored.Size()
	if m.Size > t.in.Budget.MemberBytes {
		t.incomplete(CodeMemory, m.Name, fmt.Sprintf("sparse file of %d bytes: its data was seen without the holes", m.Size))
		return
	}
	m.isStored = false
	src := unpack.NewSource(m.stored)
	m.open = func() (io.Reader, error) { return e.Sparse.Reader(src.Reader()), nil }
}

// setPassing gives a member that can be read once, before the next one is.
func (t *tarWalk) setPassing(e *tar.Entry, m *Member) {
	m.paid, m.Packed = true, -1
	if e.Sparse != nil {
		m.Size = e.Size
		t.incomplete(CodeMemory, m.Name, "sparse file in a stream: its data was seen without the holes")
	}
	m.open = func() (io.Reader, error) { return t.forward.section(e.DataAt, e.Size), nil }
}

// sizes compares the two sizes that readers go by: with extensions and without
// (CVE-2025-62518), and for members that have no data the one that they give.
// Where the other one leads to a header too, both sequences are walked.
func (t *tarWalk) sizes(e *tar.Entry, m *Member) error {
	other := e.NextPlain
	if e.HeaderOnly() && e.SizeOK && e.Header.Size > 0 {
		other = e.DataAt + (e.Header.Size+tar.Block-1)&^(tar.Block-1)
	}
	same := other == e.Next && (e.HeaderOnly() || !e.SizeOK || e.Header.Size == e.Size)
	if same || e.Sparse != nil || e.Size > largestPlain {
		return nil
	}
	if t.forward != nil {
		t.incomplete(CodeDamaged, m.Name, "two sizes in a stream: the one of the extended header was followed")
		return nil
	}
	forks, err := t.isHeader(other)
	if err != nil {
		return err
	}
	forks = forks && other != e.Next
	severity := finding.Medium
	switch {
	case e.HeaderOnly() && !forks:
		return nil
	case e.HeaderOnly():
		here, err := t.isHeader(e.Next)
		if err != nil {
			return err
		}
		if !here { // the member does have data: go by its size
			e.Next = other
			return nil
		}
		if e.Type == tar.TypeLink { // old tools give the size of what is linked
			return nil
		}
		severity = finding.High
	case forks:
		severity = finding.High
	}
	if forks {
		t.pending = append(t.pending, other)
	}
	t.add(rule(ruleMismatch), e.Offset, tar.Block, severity,
		fmt.Sprintf("%s: the plain header says %d bytes, the extended one %d", quote(m.Name), e.Header.Size, e.Size),
		map[string]any{"member": m.Label(), "fields": "size", "central": e.Size, "local": e.Header.Size})
	return nil
}

func (t *tarWalk) isHeader(off int64) (bool, error) {
	if off < 0 || off+tar.Block > t.in.Blob.Size() {
		return false, nil
	}
	p, err := t.in.Blob.Bytes(off, tar.Block)
	if err != nil {
		return false, fmt.Errorf("%s: tar block at %d: %w", t.in.Path, off, err)
	}
	return tar.Looks(p), nil
}

// duplicate notes a name that came before: the later member counts, and tools
// that append make such archives, so that it is only noted.
func (t *tarWalk) duplicate(e *tar.Entry, m *Member) {
	if m.Kind == Dir {
		return
	}
	h := maphash.String(t.seed, m.Name)
	first, twice := t.names[h]
	if !twice {
		t.names[h] = e.Offset
		return
	}
	t.add(rule(ruleDuplicate), e.Offset, tar.Block, finding.Low, quote(m.Name)+" stands twice",
		map[string]any{"member": m.Label(), "first": first, "second": e.Offset})
}

// behind looks at what follows the end: members that readers who skip zero
// blocks see, or bytes that are none.
func (t *tarWalk) behind(off int64) error {
	size := t.in.Blob.Size()
	for off < size {
		n := min(searchStep, size-off)
		if !t.in.Budget.Work(n) {
			t.incomplete(CodeWork, "", fmt.Sprintf("bytes from %d on were not searched", off))
			return nil
		}
		p, err := t.in.Blob.Bytes(off, n)
		if err != nil {
			return fmt.Errorf("%s: behind the end at %d: %w", t.in.Path, off, err)
		}
		i := 0
		for i < len(p) && p[i] == 0 {
			i++
		}
		if i == len(p) {
			off += n
			continue
		}
		off += int64(i) &^ (tar.Block - 1)
		ok, err := t.isHeader(off)
		if err != nil {
			return err
		}
		if _, twice := t.seen[off]; !ok || twice {
			return t.stray(off, size-off, ViewSuffix)
		}
		next, err := t.sequence(off, ViewOrphan)
		if err != nil {
			return err
		}
		off = max(next, off+tar.Block)
	}
	return nil
}
