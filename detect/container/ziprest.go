package container

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"bartizan/detect/container/zip"
	"bartizan/detect/input"
	"bartizan/finding"
)

// Bounds of what lies between members.
const (
	padding    = 1 << 20   // zero bytes in one gap that count as padding
	shebang    = 4 << 10   // bytes of a script before a zip application
	gapWork    = 256 << 20 // bytes of gaps searched for headers
	searchStep = 64 << 10
	// triedHeader is what looking at a signature costs, in bytes searched.
	triedHeader = 256
)

// chain visits hidden members from off on, as a reader of local headers goes
// from each to the next.
func (z *zipWalk) chain(off int64) error {
	for {
		if z.known(off) {
			return nil
		}
		end, err := z.orphan(off, func() error { return nil })
		if err != nil || end < 0 {
			return err
		}
		off = end
	}
}

// known says whether the local header at off was visited.
func (z *zipWalk) known(off int64) bool {
	if _, ok := z.orphans[off]; ok {
		return true
	}
	_, ok := slices.BinarySearch(z.starts, off)
	return ok
}

// orphan visits the member of a local header that no directory lists; -1 says
// that there is none at off. What lies before it is visited first.
func (z *zipWalk) orphan(off int64, before func() error) (end int64, err error) {
	ok, err := z.a.Local(off, &z.l)
	if err != nil {
		return -1, fmt.Errorf("%s: zip local header at %d: %w", z.in.Path, off, err)
	}
	if !ok || !plausibleLocal(&z.l) {
		return -1, nil
	}
	z.orphans[off] = struct{}{}
	l := z.l
	l.Name, l.Extra = bytes.Clone(l.Name), bytes.Clone(l.Extra)
	if err := before(); err != nil {
		return -1, err
	}
	dataAt := off + l.Length
	m := z.member(new(Member), &l, orphanView)
	if l.Flags&zip.FlagDescriptor != 0 && l.Packed == 0 {
		if l.Packed, err = z.untilHeader(dataAt); err != nil {
			return -1, err
		}
		m.Packed, m.Size, m.hasCRC = l.Packed, -1, false
		if l.Method == zip.Stored {
			l.Size = l.Packed
		}
	}
	if err := z.setData(m, &l, dataAt); err != nil {
		return -1, err
	}
	z.add(rule(ruleHidden), off, l.Length, finding.Medium, quote(m.Name)+" is in no directory",
		map[string]any{"member": m.Label()})
	end = dataAt + min(max(l.Packed, 0), z.in.Blob.Size())
	if l.Flags&zip.FlagDescriptor != 0 {
		n, _, err := z.a.Descriptor(end, l.CRC, l.Packed, l.Size)
		if err != nil {
			return -1, err
		}
		end += n
	}
	z.spans.add(off, end)
	return end, z.emit(m)
}

// plausibleLocal tells headers from chance: a signature within other data.
func plausibleLocal(h *zip.Header) bool {
	switch h.Method {
	case zip.Stored, zip.Deflated, zip.Deflate64, zip.BZip2, zip.LZMA, zip.Zstd, zip.XZ, zip.AES, 1, 6, 98:
	default:
		return false
	}
	return len(h.Name) > 0 && h.Packed >= 0 && h.Size >= 0
}

// untilHeader is how many bytes there are before the next record of any sort.
func (z *zipWalk) untilHeader(from int64) (int64, error) {
	for off := from; ; {
		i, err := z.search(off, z.in.Blob.Size(), "PK")
		if err != nil || i < 0 {
			return z.in.Blob.Size() - from, err
		}
		p, err := z.scan.at(z.in.Blob, i, min(4, z.in.Blob.Size()-i))
		if err != nil {
			return 0, err
		}
		if len(p) == 4 && (p[2] == 1 && p[3] == 2 || p[2] == 3 && p[3] == 4 || p[2] == 5 && p[3] == 6 || p[2] == 7 && p[3] == 8) {
			return i - from, nil
		}
		off = i + 2
	}
}

// search finds pattern in [from, to), or gives -1. What it goes over costs the
// subject work.
func (z *zipWalk) search(from, to int64, pattern string) (int64, error) {
	for from < to {
		p, err := z.scan.at(z.in.Blob, from, min(searchStep, to-from))
		if err != nil {
			return -1, fmt.Errorf("%s: searching at %d: %w", z.in.Path, from, err)
		}
		i := bytes.Index(p, []byte(pattern))
		cost := int64(len(p))
		if i >= 0 {
			cost = int64(i) + triedHeader
		}
		if !z.in.Budget.Work(cost) {
			z.incomplete(CodeWork, "", fmt.Sprintf("bytes from %d on were not searched for hidden members", from))
			return -1, nil
		}
		if i >= 0 {
			return from + int64(i), nil
		}
		z.in.Blob.Forget(from, from+int64(len(p)))
		if from+int64(len(p)) >= to || len(p) < len(pattern) {
			return -1, nil
		}
		from += int64(len(p) - len(pattern) + 1)
	}
	return -1, nil
}

// scanner keeps the piece of a blob that was searched last.
type scanner struct {
	buf   []byte
	start int64
}

// at gives some bytes from off on, at most n.
func (s *scanner) at(b input.Blob, off, n int64) ([]byte, error) {
	if _, ok := b.Mem(); ok {
		return b.Bytes(off, n)
	}
	if have := s.start + int64(len(s.buf)) - off; off < s.start || have < min(n, 1<<10) {
		if s.buf == nil {
			s.buf = make([]byte, searchStep)
		}
		s.buf = s.buf[:min(searchStep, b.Size()-off)]
		got, err := b.ReadAt(s.buf, off)
		if s.buf = s.buf[:got]; err != nil && err != io.EOF {
			return nil, err
		}
		s.start = off
	}
	p := s.buf[off-s.start:]
	return p[:min(n, int64(len(p)))], nil
}

// rest looks at everything that belongs to no listed member.
func (z *zipWalk) rest() error {
	if n, first := z.spans.overlaps(); n > 0 {
		z.add(rule(ruleOverlap), first, 0, finding.Medium, fmt.Sprintf("%d members lie within others", n), map[string]any{"pairs": n})
	}
	size := z.in.Blob.Size()
	stop := size
	for _, d := range z.a.Directories {
		z.spans.add(d.At, d.End)
		z.spans.add(d.Bound, d.EndAt+22)
	}
	if len(z.a.Directories) > 0 {
		stop = z.a.CommentAt
		z.spans.add(z.a.CommentAt-22, z.a.CommentAt+z.a.CommentLen)
	}
	first := int64(-1)
	if z.spans.sort(); len(z.spans.list) > 0 {
		first = z.spans.list[0][0]
	}
	for _, g := range z.slack {
		if err := z.gap(g[0], g[1], ViewGap); err != nil {
			return err
		}
	}
	for _, g := range z.spans.gaps(0, size) {
		view := ViewGap
		switch {
		case g[0] == 0 && (first > 0 || first < 0):
			view = ViewPrefix
		case g[0] >= stop:
			view = ViewSuffix
		}
		if err := z.gap(g[0], g[1], view); err != nil {
			return err
		}
	}
	if z.a.CommentLen >= 16 {
		return z.region("comment", ViewComment, z.a.CommentAt, z.a.CommentLen)
	}
	return nil
}

// gap searches one range for hidden members and hands on what is left of it.
func (z *zipWalk) gap(from, to int64, view string) error {
	stop := min(to, from+gapWork)
	for next := from; from < to; {
		at, err := z.search(next, stop, "PK\x03\x04")
		if err != nil {
			return err
		}
		if at < 0 {
			break
		}
		end, err := z.orphan(at, func() error { return z.leftover(from, at, view) })
		if err != nil {
			return err
		}
		if end < 0 { // chance: the signature alone
			next = at + 4
			continue
		}
		from, view = max(end, at+1), afterOrphan(view)
		next = from
	}
	if stop < to {
		z.incomplete(CodeWork, "", fmt.Sprintf("bytes from %d on were not searched for hidden members", stop))
	}
	return z.leftover(from, to, view)
}

func afterOrphan(view string) string {
	if view == ViewPrefix {
		return ViewGap
	}
	return view
}

// leftover hands on a range that is no member, unless it is padding.
func (z *zipWalk) leftover(from, to int64, view string) error {
	n := to - from
	if n <= 0 {
		return nil
	}
	if view == ViewGap && z.isSigningBlock(from, to) {
		return nil
	}
	if view == ViewGap && to == z.in.Blob.Size() {
		view = ViewSuffix
	}
	return z.strayUnlessZero(from, n, view)
}

// isSigningBlock knows the APK signing block, which lies before the directory.
func (z *zipWalk) isSigningBlock(from, to int64) bool {
	magic := []byte("APK Sig Block 42")
	tail, err := z.in.Blob.Slice(from, to-from).Tail(int64(len(magic)))
	return err == nil && bytes.Equal(tail, magic)
}

// stray records and hands on bytes that belong to nothing.
func (w *walker) stray(from, n int64, view string) error {
	head, err := w.in.Blob.Slice(from, n).Head(2)
	if err != nil {
		return err
	}
	severity := finding.Medium
	if n < 16 || view == ViewPrefix && n <= shebang && string(head) == "#!" {
		severity = finding.Low
	}
	r, where := rule(rulePrefix), "before the first member"
	switch view {
	case ViewSuffix:
		r, where = rule(ruleSuffix), "behind the end"
	case ViewGap:
		where = "between members"
	}
	evidence := map[string]any{"bytes": n}
	if view != ViewSuffix {
		evidence["where"] = view
	}
	w.add(r, from, n, severity, fmt.Sprintf("%d bytes %s", n, where), evidence)
	return w.region(fmt.Sprintf("%s@%d", view, from), view, from, n)
}
