package pickle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"bartizan/finding"
)

// maxIdentity is how many values of a finding are taken in one by one.
const maxIdentity = 1000

// whole is a digest of the stream, made once.
func (m *machine) whole() []byte {
	if m.digest == nil {
		sum := sha256.Sum256(m.data)
		m.digest = sum[:]
	}
	return m.digest
}

// identify mixes the whole of the values that a finding shows shortened into its
// fingerprint, so that a waiver for one payload covers no other.
func (m *machine) identify(f *finding.Finding, vs ...val) {
	if f == nil {
		return
	}
	h := sha256.New()
	seen := map[val]struct{}{}
	todo := append([]val{}, vs...)
	for n := 0; len(todo) > 0; n++ {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if n > maxIdentity {
			h.Write(m.whole()) // too much to look through: the whole stream stands for it
			break
		}
		text := m.text(v)
		if text == nil && v.kind() != kNode {
			text = m.scalar(v)
		}
		h.Write([]byte{byte(m.realKind(v))})
		h.Write(binary.AppendUvarint(nil, uint64(len(text))))
		h.Write(text)
		if _, twice := seen[v]; twice || v.kind() != kNode {
			continue
		}
		seen[v] = struct{}{}
		node := m.node(v)
		h.Write([]byte{byte(node.kind), node.flags})
		h.Write(binary.AppendUvarint(nil, uint64(node.n)))
		if ref := m.ref(node); ref != nil {
			h.Write([]byte(ref.display()))
		}
		if node.flags&fDropped != 0 {
			h.Write(m.whole())
		}
		todo = append(todo, m.elems(node)...)
	}
	f.Identity = hex.EncodeToString(h.Sum(nil)[:16])
}

// scalar is the operand of a number as it stands in the stream.
func (m *machine) scalar(v val) []byte {
	switch v.kind() {
	case kBool, kInt, kFloat:
		off := v.payload()
		return m.data[off:min(off+9, len(m.data))]
	}
	return nil
}
