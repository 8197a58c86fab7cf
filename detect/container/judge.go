package container

import (
	"fmt"

	"bartizan/finding"
)

// bombRatio is the least amplification that is called a bomb: deflate's limit
// is 1032, and data that is not nearly constant stays far below 100.
const bombRatio = 100

// compare says whether content is as declared.
func (w *walker) compare(m *Member, size int64, crc uint32) {
	sizeOff := m.Size >= 0 && m.Size != size
	crcOff := m.hasCRC && m.crc != crc
	if !sizeOff && !crcOff || m.synthetic {
		return
	}
	w.add(rule(ruleChecksum), m.Offset, 0, finding.Medium, fmt.Sprintf("%s does not match its checksum or size", quote(m.Name)),
		map[string]any{
			"member":   m.Label(),
			"declared": fmt.Sprintf("%08x, %d bytes", m.crc, m.Size),
			"computed": fmt.Sprintf("%08x, %d bytes", crc, size),
		})
}

// overlong records a member that does not fit in memory, and whether what is
// left of it makes it a bomb: by what it declares, or by the ratio so far.
func (w *walker) overlong(m *Member) {
	got := int64(len(m.buf))
	m.stop(CodeMemory, fmt.Sprintf("unpacked the first %d bytes of %s", got, declared(m.Size)))
	if m.Size >= 0 && got > m.Size {
		w.compare(m, got, m.crc)
	}
	w.amplifies(m)
}

// amplifies says of a member that was not unpacked to its end whether all of it
// is more than the subject may unpack to.
func (w *walker) amplifies(m *Member) {
	got := int64(len(m.buf))
	used := m.Packed
	if m.consumed != nil {
		used = max(m.consumed(), 1)
	}
	if used <= 0 || got/used < bombRatio {
		return
	}
	whole := max(m.Size, saturated(m.Packed, got/used))
	if whole > w.in.Budget.ExpandLeft()+got {
		w.bomb(m, whole)
	}
}

func declared(size int64) string {
	if size < 0 {
		return "more"
	}
	return fmt.Sprint(size)
}

// manyBombs is how many findings a blocked subject may have before further
// bombs are left out: archives within archives would repeat it for ever.
const manyBombs = 100

func (w *walker) enoughBombs() bool { return w.in.Out.Blocked() && w.in.Out.Len() > manyBombs }

// bomb records that a member goes past what the subject may unpack to.
func (w *walker) bomb(m *Member, unpacked int64) {
	if w.enoughBombs() {
		return
	}
	packed := max(m.Packed, 0)
	if packed == 0 {
		packed = w.in.Blob.Size()
	}
	ratio := unpacked / max(packed, 1)
	w.add(rule(ruleBomb), m.Offset, 0, finding.High,
		fmt.Sprintf("%s unpacks past the budget of the file (%d bytes from %d)", quote(m.Name), unpacked, packed),
		map[string]any{"member": m.Label(), "packed": packed, "unpacked": unpacked, "ratio": ratio})
}

func saturated(a, b int64) int64 {
	if a > 0 && b > (1<<62)/a {
		return 1 << 62
	}
	return a * b
}

// quote writes a stored name for a message.
func quote(name string) string { return `"` + Label(name) + `"` }
