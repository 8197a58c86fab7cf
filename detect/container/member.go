package container

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf8"

	"bartizan/detect/container/unpack"
	"bartizan/detect/input"
	"bartizan/finding"
)

// Kind is what a member is to an extractor.
type Kind uint8

// Kinds of members.
const (
	File Kind = iota
	Dir
	Symlink
	Hardlink
	Other // devices, pipes, volume labels
)

// Views say which readers see a member.
const (
	ViewCentral = "central" // by the central directory (zip), the header with its extensions (tar)
	ViewLocal   = "local"   // by the local header (zip), the header without its extensions (tar)
	ViewOrphan  = "orphan"  // in no directory, found where a reader of local headers would look
	ViewPrefix  = "prefix"  // bytes before the first member
	ViewGap     = "gap"     // bytes between members
	ViewSuffix  = "suffix"  // bytes behind the end
	ViewComment = "comment" // the archive's comment
)

// Sizes below which a stored member's checksum is verified when it is opened.
const verifyStored = 1 << 20

// Member is one thing within a container. It is valid during the visit.
type Member struct {
	// Name is as stored: any bytes, any separators. Use Label for people.
	Name string
	// Aliases are other names under which some reader knows the same bytes.
	Aliases []string
	// Size and Packed are as declared, -1 where not declared. Neither is to be trusted.
	Size, Packed int64
	// Offset is where the member's header lies in the container.
	Offset int64
	// Index counts the members of the walk from 0.
	Index     int
	Views     []string
	Encrypted bool
	Kind      Kind
	// Link is the target of a symlink or hardlink, as stored.
	Link string

	w         *walker
	within    string // the container between this one and the member, if it was walked in passing
	paid      bool   // who reads the bytes charges the budget
	isStored  bool
	stored    input.Blob
	synthetic bool
	open      func() (io.Reader, error)
	consumed  func() int64 // packed bytes read so far
	crc       uint32
	hasCRC    bool

	r       io.Reader
	linear  unpack.Linear // set where r's window is buf
	rest    *exactly      // what a closed member left of a solid stream
	buf     []byte
	lent    bool
	done    bool // everything there is was read, or a reason recorded
	cut     bool // the reason was recorded: sizes and sums need no check
	checked bool
	ended   bool  // the decoder came to its end
	used    int64 // packed bytes that were used, once ended
}

// Probed says that the bytes are no member of their own (a prefix, a gap, a
// comment), so that unknown content is no fault.
func (m *Member) Probed() bool { return m.synthetic }

// Label is the member's name fit for a path in a report. A tar that is too
// large for memory is walked while it is unpacked: its members are visited as
// members of the stream, and their labels go through the tar ("a.tar!/b").
func (m *Member) Label() string {
	if m.within != "" {
		return m.within + "!/" + Label(m.Name)
	}
	return Label(m.Name)
}

// Label writes a stored name so that it can stand in a path and on a terminal:
// control characters and bytes that are not UTF-8 as \xNN, 200 bytes at most.
func Label(name string) string {
	const most = 200
	clean := len(name) <= most
	for i := 0; clean && i < len(name); i++ {
		clean = name[i] >= 0x20 && name[i] < 0x7f
	}
	if clean {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		if b.Len() >= most {
			fmt.Fprintf(&b, "…(%d bytes)", len(name))
			break
		}
		r, n := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && n <= 1, r < 0x20, r >= 0x7f && r < 0xa0, isBidi(r):
			for _, c := range []byte(name[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// isBidi says whether r reorders text on a screen (CVE-2021-42574) or is invisible.
func isBidi(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff
}

// Head gives up to n first bytes, unpacking no more than it must. The result
// is valid until the visit ends or the member's release is called.
func (m *Member) Head(n int) ([]byte, error) {
	if m.isStored {
		return m.stored.Head(int64(n))
	}
	if err := m.fill(int64(n)); err != nil {
		return nil, err
	}
	return m.buf[:min(n, len(m.buf))], nil
}

// Open gives the content: a slice of the container where it is stored, else a
// buffer that is given back by release or at the end of the visit. Content
// that is damaged, encrypted or larger than the budget gives what could be had
// with the reason in In.Out; an error means that reading itself failed.
func (m *Member) Open(ctx context.Context) (b input.Blob, release func(), err error) {
	if err := ctx.Err(); err != nil {
		return input.Blob{}, func() {}, err
	}
	if m.isStored {
		return m.stored, func() {}, m.verifyStored()
	}
	if err := m.fill(m.w.in.Budget.MemberBytes); err != nil {
		return input.Blob{}, func() {}, err
	}
	if err := m.verifyEnd(); err != nil {
		return input.Blob{}, func() {}, err
	}
	return input.FromBytes(m.buf), m.finish, nil
}

// fill unpacks until want bytes are there or the content ends.
func (m *Member) fill(want int64) error {
	if m.open == nil {
		m.done = true
	}
	budget := m.w.in.Budget
	want = min(want, budget.MemberBytes)
	if !m.done && m.r == nil && !m.paid && budget.ExpandLeft() == 0 {
		m.stop(CodeExpand, "not unpacked")
		return nil
	}
	for !m.done && int64(len(m.buf)) < want {
		if m.r == nil {
			if err := m.start(); err != nil || m.done {
				return err
			}
		}
		if m.linear != nil {
			if err := m.more(); err != nil {
				return err
			}
			continue
		}
		if len(m.buf) == cap(m.buf) && !m.grow() {
			m.w.overlong(m)
			return nil
		}
		room := m.buf[len(m.buf):min(cap(m.buf), len(m.buf)+1<<20)]
		n, err := m.r.Read(room)
		m.buf = m.buf[:len(m.buf)+n]
		if !m.paid && !budget.Expand(int64(n)) {
			m.w.bomb(m, int64(len(m.buf)))
			m.stop(CodeExpand, fmt.Sprintf("unpacked %d bytes", len(m.buf)))
			return nil
		}
		if err != nil {
			return m.fail(err)
		}
		if err := m.w.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Member) start() error {
	r, err := m.open()
	if err != nil {
		return m.fail(err)
	}
	m.r = r
	if l, ok := r.(unpack.Linear); ok && l.Linear(m.w.in.Budget.MemberBytes) {
		m.linear = l
	}
	return nil
}

// more lets a decoder go on whose window is the member's buffer.
func (m *Member) more() error {
	had := len(m.buf)
	buf, err := m.linear.More()
	m.buf = buf
	if !m.w.in.Budget.Expand(int64(len(buf) - had)) {
		m.w.bomb(m, int64(len(buf)))
		m.stop(CodeExpand, fmt.Sprintf("unpacked %d bytes", len(buf)))
		return nil
	}
	if errors.Is(err, unpack.ErrMemory) {
		m.w.overlong(m)
		return nil
	}
	if err != nil {
		return m.fail(err)
	}
	return m.w.ctx.Err()
}

// fail sorts what a decoder said: the end, a limit, broken bytes, or a reader
// that failed.
func (m *Member) fail(err error) error {
	if err == io.EOF {
		m.done, m.ended = true, true
		if m.consumed != nil {
			m.used = m.consumed()
		}
		if u, ok := m.r.(interface{ Unread() int64 }); ok {
			m.used -= u.Unread()
		}
		return nil
	}
	code := m.faultCode(err)
	if code == "" {
		return fmt.Errorf("%s!/%s: %w", m.w.in.Path, m.Label(), err)
	}
	m.stop(code, fmt.Sprintf("%v, after %d bytes", err, len(m.buf)))
	if code == CodeWork || code == CodeMemory {
		m.w.amplifies(m)
	}
	return nil
}

// faultCode is the reason that a decoder's fault is recorded under; none where
// the source's reader failed.
func (m *Member) faultCode(err error) string {
	switch {
	case errors.Is(err, unpack.ErrRead):
		return ""
	case errors.Is(err, unpack.ErrMemory):
		return CodeMemory
	case errors.Is(err, unpack.ErrExpand):
		return CodeExpand
	case errors.Is(err, unpack.ErrWork):
		return CodeWork
	case errors.Is(err, unpack.ErrUnsupported):
		return CodeUnsupported
	case errors.Is(err, unpack.ErrEncrypted):
		return CodeEncrypted
	case errors.Is(err, io.ErrUnexpectedEOF):
		return CodeTruncated
	}
	return CodeDamaged
}

func (m *Member) stop(code, detail string) {
	m.done, m.cut = true, true
	m.w.incomplete(code, m.Name, detail)
}

// grow makes room: what is declared where that is plausible, else steps that
// waste little, since what is outgrown stays resident for a while.
func (m *Member) grow() bool {
	budget := m.w.in.Budget
	most := budget.MemberBytes
	next := int64(64 << 10)
	switch {
	case m.buf == nil && m.Size > 0 && m.Packed > 0 && m.Size/1100 <= m.Packed:
		next = m.Size + 1 // one more shows whether the content is longer
	case m.buf == nil && m.Size == 0:
		next = 512
	case int64(cap(m.buf)) >= 1<<20:
		next = most
	case m.buf != nil:
		next = max(1<<20, int64(cap(m.buf))*2)
	}
	next = min(next, most)
	if next <= int64(cap(m.buf)) {
		return false
	}
	buf, ok := budget.LendMost(next, int64(cap(m.buf)))
	if !ok {
		return false
	}
	buf = append(buf, m.buf...)
	budget.GiveBack(m.buf)
	m.buf, m.lent = buf, true
	return true
}

// verifyEnd looks, once the member fills its limit, whether there was more, and
// compares what was unpacked with what was declared.
func (m *Member) verifyEnd() error {
	if m.checked {
		return nil
	}
	m.checked = true
	if !m.done && m.linear != nil {
		if err := m.more(); err != nil || !m.done {
			return err
		}
	}
	if !m.done {
		var one [1]byte
		n, err := io.ReadFull(m.r, one[:])
		if n > 0 {
			m.w.overlong(m)
			return nil
		}
		if err := m.fail(err); err != nil {
			return err
		}
	}
	if m.cut || m.open == nil {
		return nil
	}
	m.w.compare(m, int64(len(m.buf)), crc32.ChecksumIEEE(m.buf))
	return nil
}

func (m *Member) verifyStored() error {
	if m.checked || !m.hasCRC || m.stored.Size() > verifyStored {
		return nil
	}
	m.checked = true
	p, err := m.stored.Bytes(0, m.stored.Size())
	if err != nil {
		return fmt.Errorf("%s!/%s: %w", m.w.in.Path, m.Label(), err)
	}
	m.w.compare(m, int64(len(p)), crc32.ChecksumIEEE(p))
	return nil
}

// intact says whether the content unpacks cleanly, and, where sums is set, to
// what is declared. It records nothing; a decoder that is not at its end is
// given up, so that the walk can open another member.
func (m *Member) intact(w *walker, sums bool) (bool, error) {
	quiet := &walker{ctx: w.ctx, in: w.in}
	quiet.in.Out = &finding.Collector{}
	m.w = quiet
	defer func() { m.w = w }()
	if m.isStored {
		if m.stored.Size() != m.Size || m.stored.Size() > verifyStored {
			return m.stored.Size() == m.Size, nil
		}
		p, err := m.stored.Bytes(0, m.Size)
		return crc32.ChecksumIEEE(p) == m.crc, err
	}
	err := m.fill(w.in.Budget.MemberBytes)
	got := int64(len(m.buf))
	ok := err == nil && !m.cut
	if ok && m.done {
		whole := got == m.Size || !sums && m.consumed != nil && m.consumed() == m.Packed
		ok = whole && (!sums || crc32.ChecksumIEEE(m.buf) == m.crc)
	}
	if !ok || !m.done {
		m.finish()
		m.done, m.cut = false, false
	}
	return ok, err
}

// finish gives the member's memory back.
func (m *Member) finish() {
	if m.lent {
		m.w.in.Budget.GiveBack(m.buf)
	}
	m.buf, m.lent = nil, false
	if c, ok := m.r.(io.Closer); ok {
		_ = c.Close() // gives windows back; what it says of the data was said before
	}
	if x, ok := m.r.(*exactly); ok {
		m.rest = x
	}
	if m.r != nil {
		m.r, m.linear, m.done = nil, nil, true
	}
}
