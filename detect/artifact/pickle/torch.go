package pickle

import (
	"path"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

var ruleTensorBounds = finding.Rule{
	ID: "pickle/tensor-bounds", Title: "A tensor reaches beyond its storage",
	Help: "Size, stride and offset of a rebuilt tensor address more elements than its storage has. " +
		"torch before 2.10 did not check this when only weights are loaded, and reads or writes memory of others (CVE-2026-24747).",
	Severity: finding.High, Confidence: finding.ConfidenceHigh, References: []string{"CVE-2026-24747", "CWE-125", "CWE-787", "AML.T0011.000"},
	Remediation: doNotLoad,
	Evidence:    map[string]string{"elements": "elements that the tensor addresses", "storage": "elements that the storage has", "dangerous_for": evidenceWhom},
}

var ruleFilledObject = finding.Rule{
	ID: "pickle/filled-object", Title: "SETITEM fills something that is no dict",
	Help: "The stream sets items of an object that is neither a dict nor a list of its own. " +
		"torch before 2.10 wrote out of bounds when it did so while loading only weights (CVE-2026-24747); no writer of models does it.",
	Severity: finding.High, Confidence: finding.ConfidenceMedium, References: []string{"CVE-2026-24747", "CWE-787", "AML.T0011.000"},
	Remediation: doNotLoad,
	Evidence:    map[string]string{"symbol": "what made the object", "dangerous_for": evidenceWhom},
}

const (
	beforeTar    = "torch.load(weights_only=True) before 2.6"
	beforeBounds = "torch.load(weights_only=True) before 2.10"
)

// legacyTar says that an artefact is a member by whose name torch reads its
// oldest format, a tar. Before 2.6 it did so without the restrictions of
// weights_only (CVE-2025-32434).
func legacyTar(a *format.Artifact) bool {
	return a.Depth > 0 && (a.Name == "pickle" || a.Name == "storages" || a.Name == "tensors")
}

// scriptMember says that an artefact is a member by whose name torch.jit.load
// finds the pickles of a TorchScript archive; it resolves types in the archive.
func scriptMember(a *format.Artifact) bool {
	if a.Depth == 0 {
		return false
	}
	switch name := path.Base(a.Name); name {
	case "data.pkl", "constants.pkl", "attributes.pkl", "bytecode.pkl":
		return true
	default:
		return strings.HasSuffix(name, ".debug_pkl")
	}
}

// tensorMakers rebuild a tensor from storage, offset, size and stride.
var tensorMakers = map[string]bool{"torch._utils._rebuild_tensor": true, "torch._utils._rebuild_tensor_v2": true}

// checkTensor compares what a rebuilt tensor addresses with what its storage has.
func (m *machine) checkTensor(ref *symbolRef, args val, off int) {
	if !tensorMakers[ref.canonical()] {
		return
	}
	vs, whole := m.arguments(args)
	if !whole || len(vs) < 4 {
		return
	}
	have, ok := m.storageSize(vs[0])
	if !ok {
		return
	}
	want, ok := m.addressed(vs[1], vs[2], vs[3])
	if ok && want <= have {
		return
	}
	m.events.add(&ruleTensorBounds, off, "", "a tensor addresses more than its storage holds",
		map[string]any{"elements": want, "storage": have, "dangerous_for": []string{beforeBounds}})
}

// storageSize is the number of elements that a persistent id of torch states:
// ("storage", type, key, location, numel).
func (m *machine) storageSize(v val) (int64, bool) {
	n := m.node(v)
	if n == nil || n.kind != nPers {
		return 0, false
	}
	id, whole := m.arguments(m.elems(n)[0])
	if !whole || len(id) < 5 || string(m.text(id[0])) != "storage" {
		return 0, false
	}
	return m.integer(id[4])
}

// addressed is one more than the highest element that a tensor reaches; ok is
// false where a part is negative, missing or overflows.
func (m *machine) addressed(offset, size, stride val) (int64, bool) {
	last, ok := m.integer(offset)
	sizes, whole := m.arguments(size)
	strides, alike := m.arguments(stride)
	if !ok || last < 0 || !whole || !alike || len(sizes) != len(strides) {
		return 0, false
	}
	const most = 1 << 50
	for i := range sizes {
		n, ok := m.integer(sizes[i])
		step, fine := m.integer(strides[i])
		switch {
		case !ok || !fine || n < 0 || step < 0 || step > most || n > most:
			return 0, false
		case n == 0:
			return 0, true
		case step > 0 && n-1 > most/step:
			return 0, false
		}
		if last += (n - 1) * step; last > most {
			return 0, false
		}
	}
	return last + 1, true
}

// filled is for SETITEM on an instance: a dict or list by another name is
// filled as one; a tensor or storage is not.
func (m *machine) filled(ref *symbolRef, target *node, off int) {
	name := ref.canonical()
	made := tensorMakers[name] || name == "torch._utils._rebuild_parameter" || name == "torch.Tensor" || name == "torch.nn.parameter.Parameter"
	if target.kind == nInstance && made {
		m.events.add(&ruleFilledObject, off, name, "sets items of what "+name+" made",
			map[string]any{"symbol": ref.display(), "dangerous_for": append(everyLoader(), beforeBounds)})
	}
}
