package pickle

import "bartizan/detect/artifact/symbol"

// nestedLoaders deserialise the bytes that they are given, as files of plain
// pickle carry torch tensors: the bytes are scanned, and decide.
var nestedLoaders = map[string]bool{"torch.storage._load_from_bytes": true}

// loadsNested hands the bytes of such a call to the scan; false where the call
// is anything else.
func (m *machine) loadsNested(ref *symbolRef, args val, off int) bool {
	vs, whole := m.arguments(args)
	if !whole || len(vs) != 1 || !nestedLoaders[ref.canonical()] || ref.status != symbol.Found {
		return false
	}
	s := m.text(vs[0])
	if k := m.realKind(vs[0]); len(s) == 0 || k != kBytes && k != kStr {
		return false
	}
	m.literal.found = append(m.literal.found, hidden{"loaded", off, s})
	return true
}

// codeEvidence names what code objects among the arguments do.
func (m *machine) codeEvidence(ref *symbolRef, args val) map[string]any { return nil }
