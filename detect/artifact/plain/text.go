package plain

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// window is how much of a text is read at a time.
const window = 256 << 10

// Text is text of kinds that nobody executes: documents, tables, word lists.
type Text struct{}

// Name implements format.Format.
func (Text) Name() string { return "text" }

// Title implements format.Format.
func (Text) Title() string { return "Plain text" }

// Extensions implements format.Format.
func (Text) Extensions() []string {
	return []string{".txt", ".md", ".csv", ".tsv", ".rst", ".log", ".html"}
}

// Rules implements format.Format.
func (Text) Rules() []finding.Rule { return nil }

// Match accepts text that is no code, no pointer, not claimed by name by another
// format, and not under the name of a model file: a loader would read it as such.
func (Text) Match(p *format.Probe) bool {
	if p.Hint != "" && p.Hint != "text" || len(p.Head) == 0 {
		return false
	}
	e := extension(p.Name)
	if others[e] || models[e] || kindOf(p) != "" || isPointer(p) {
		return false
	}
	return p.Once("encoding", probedEncoding) != ""
}

// Scan implements format.Format: the whole must be text, not only its start.
func (Text) Scan(ctx context.Context, a *format.Artifact) error {
	head, err := a.Blob.Head(format.HeadBytes)
	if err != nil {
		return err
	}
	size := a.Blob.Size()
	c := checker{encoding: encodingOf(head, size > int64(len(head)))}
	buf, inMemory := a.Blob.Mem()
	if !inMemory {
		lent, ok := a.Budget.Lend(window)
		if !ok {
			a.Incomplete("memory-limit", "text")
			return nil
		}
		defer a.Budget.GiveBack(lent)
		buf = lent[:window]
	}
	for at := int64(0); at < size; at += window {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(window, size-at)
		part := buf[:min(int64(len(buf)), n)]
		if inMemory {
			part = buf[at : at+n]
		} else if _, err := a.Blob.ReadAt(part, at); err != nil {
			return err
		}
		bad := c.check(part, at+n == size)
		if bad >= 0 && c.encoding == "utf-8" { // the first letter of an older encoding comes late
			c.encoding = "latin"
			bad = c.check(part, at+n == size)
		}
		if bad >= 0 {
			a.Incomplete("not-text", fmt.Sprintf("text up to byte %d, then other data", at+int64(bad)))
			return nil
		}
		if inMemory {
			a.Blob.Forget(at, at+n)
		}
	}
	return nil
}

func probedEncoding(p *format.Probe) string {
	return encodingOf(p.Head, p.Size > int64(len(p.Head)))
}

// encodingOf names the encoding of a text by its start, or is empty where that
// is no text. cut says that the text goes on.
func encodingOf(head []byte, cut bool) string {
	if bytes.IndexByte(head[:min(len(head), 64)], 0) >= 0 && !bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return "" // most binaries end here
	}
	for _, enc := range []string{"utf-8", "utf-16le", "utf-16be", "latin"} {
		c := checker{encoding: enc}
		switch enc {
		case "utf-16le":
			if !bytes.HasPrefix(head, []byte("\xff\xfe")) {
				continue
			}
		case "utf-16be":
			if !bytes.HasPrefix(head, []byte("\xfe\xff")) {
				continue
			}
		case "latin":
			if !mostlyASCII(head) {
				continue
			}
		}
		if c.check(head, !cut) < 0 {
			return enc
		}
	}
	return ""
}

func mostlyASCII(b []byte) bool {
	high := 0
	for _, c := range b {
		if c >= 0x80 {
			high++
		}
	}
	return high*10 < len(b)*3
}

// checker follows a text over windows; pending are the bytes of a rune or unit
// that a window cut.
type checker struct {
	encoding string
	pending  [4]byte
	n        int
	units    int
}

// check gives the index of the first byte that is not text, or -1.
func (c *checker) check(b []byte, last bool) int {
	switch c.encoding {
	case "utf-8":
		return c.utf8(b, last)
	case "utf-16le":
		return c.utf16(b, last, binary.LittleEndian)
	case "utf-16be":
		return c.utf16(b, last, binary.BigEndian)
	case "latin":
		return control(b)
	}
	return 0
}

func (c *checker) utf8(b []byte, last bool) int {
	start := 0
	if c.n > 0 { // the rest of a rune
		joined := append(append(make([]byte, 0, 8), c.pending[:c.n]...), b[:min(len(b), 4)]...)
		r, size := utf8.DecodeRune(joined)
		if r == utf8.RuneError && size <= 1 {
			return 0
		}
		start, c.n = size-c.n, 0
	}
	if i := control(b[start:]); i >= 0 {
		return start + i
	}
	end := len(b)
	if !last {
		for i := 1; i <= 3 && i <= end-start; i++ {
			if tail := b[end-i:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					c.n = copy(c.pending[:], tail)
					end -= i
				}
				break
			}
		}
	}
	if utf8.Valid(b[start:end]) {
		return -1
	}
	for i := start; i < end; {
		r, size := utf8.DecodeRune(b[i:end])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

func (c *checker) utf16(b []byte, last bool, order binary.ByteOrder) int {
	i := 0
	if c.n > 0 && len(b) > 0 {
		b0 := [2]byte{c.pending[0], b[0]}
		if !c.unit(order.Uint16(b0[:])) {
			return 0
		}
		i, c.n = 1, 0
	}
	for ; i+1 < len(b); i += 2 {
		if !c.unit(order.Uint16(b[i:])) {
			return i
		}
	}
	if i < len(b) {
		if last {
			return i
		}
		c.pending[0], c.n = b[i], 1
	}
	return -1
}

func (c *checker) unit(u uint16) bool {
	c.units++
	return u >= ' ' && u != 0x7f && u != 0xffff && u != 0xfffe && (u != 0xfeff || c.units == 1) || u == '\t' || u == '\n' || u == '\r'
}

// controls are the bytes that text does not hold: C0 but blanks and escape.
// Read only.
var controls = func() (t [256]bool) {
	for c := range 32 {
		t[c] = c < 9 || c > 13 && c != 27
	}
	t[0x7f] = true
	return t
}()

func control(b []byte) int {
	for i, c := range b {
		if controls[c] {
			return i
		}
	}
	return -1
}
