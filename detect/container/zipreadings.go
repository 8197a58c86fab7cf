package container

import (
	"bytes"
	"fmt"
	"strings"

	"bartizan/detect/container/zip"
	"bartizan/finding"
)

// difference is what a central and a local header disagree on.
type difference struct{ name, size, method, flags, crc, descriptor bool }

func (d difference) any() bool {
	return d.name || d.size || d.method || d.flags || d.crc || d.descriptor
}

// content says whether the two headers describe different bytes.
func (d difference) content() bool { return d.size || d.method }

func (d difference) String() string {
	var words []string
	for _, f := range []struct {
		on   bool
		word string
	}{{d.name, "name"}, {d.size, "size"}, {d.method, "method"}, {d.flags, "flags"}, {d.crc, "crc"}, {d.descriptor, "descriptor"}} {
		if f.on {
			words = append(words, f.word)
		}
	}
	return strings.Join(words, ", ")
}

// differ compares the two headers of the current record. Sizes and checksum of
// a local header with a data descriptor count only where they are set.
func (z *zipWalk) differ() difference {
	c, l := &z.c, &z.l
	const bits = zip.FlagEncrypted | zip.FlagStrong
	d := difference{
		name:   !bytes.Equal(c.Name, l.Name) && (c.Flags|l.Flags)&zip.FlagMasked == 0,
		method: c.Method != l.Method,
		flags:  c.Flags&bits != l.Flags&bits,
	}
	streamed := (c.Flags|l.Flags)&zip.FlagDescriptor != 0
	d.size = l.Packed != c.Packed || l.Size != c.Size
	d.crc = l.CRC != c.CRC
	if streamed {
		d.size = l.Packed != c.Packed && l.Packed != 0 && l.Packed != 0xffffffff || l.Size != c.Size && l.Size != 0 && l.Size != 0xffffffff
		d.crc = d.crc && l.CRC != 0
	}
	return d
}

// twoReadings visits a member whose headers disagree: as the directory has it,
// and as the local header has it where that means other bytes or another kind.
func (z *zipWalk) twoReadings(m *Member, d difference, dataAt int64) error {
	l := z.l
	other := z.member(new(Member), &l, localView)
	name, extra := other.Name, string(l.Extra)
	l.Name, l.Extra = []byte(name), []byte(extra) // visits move the buffer that they lie in
	if d.name {
		m.Aliases = append(m.Aliases, name)
	}
	evidence := map[string]any{
		"member": m.Label(), "fields": d.String(),
		"central": describe(&z.c), "local": describe(&l),
	}
	severity := finding.Medium
	if d.content() {
		if err := z.setData(other, &l, dataAt); err != nil {
			return err
		}
		whole, err := z.bothWhole(m, other)
		if err != nil {
			return err
		}
		if whole {
			severity = finding.High
		}
		other.checked = true // that it is not as declared is said already
		if l.Packed != z.c.Packed && (l.Flags&zip.FlagDescriptor == 0 || l.Packed != 0) {
			z.pending = append(z.pending, dataAt+l.Packed)
		}
	}
	z.add(rule(ruleMismatch), l.Offset, l.Length, severity, quote(m.Name)+": central and local header differ in "+d.String(), evidence)
	if !d.content() {
		return z.emit(m)
	}
	m.Views = centralView
	other.Aliases = append(other.Aliases, m.Name)
	if err := z.emit(m); err != nil {
		return err
	}
	return z.emit(other)
}

// bothWhole says whether both readings give the content that they declare, so
// that two loaders see two things. It reads at most the memory of a member.
func (z *zipWalk) bothWhole(a, b *Member) (bool, error) {
	for _, m := range []*Member{a, b} {
		if m.Encrypted {
			return false, nil
		}
		ok, err := m.intact(z.walker, true)
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func describe(h *zip.Header) string {
	return fmt.Sprintf("%s, method %d, flags %#x, crc %08x, %d bytes packed, %d unpacked",
		Label(string(h.Name)), h.Method, h.Flags, h.CRC, h.Packed, h.Size)
}
