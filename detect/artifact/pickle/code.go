package pickle

import (
	"bartizan/detect/artifact/marshal"
	"bartizan/detect/artifact/pycode"
	"bartizan/detect/artifact/symbol"
)

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
	ref.reported = true
	m.literal.take(s)
	m.literal.found = append(m.literal.found, hidden{loadedBytes, off, s})
	return true
}

// loadedBytes marks bytes that the stream itself has loaded.
const loadedBytes = "loaded"

const (
	maxCodeValues = 4096
	maxListed     = 24
)

// codeEvidence names what code among the arguments of a dangerous call does:
// marshalled code, or the parts of a code object as dill and cloudpickle carry them.
func (m *machine) codeEvidence(ref *symbolRef, args val) map[string]any {
	vs, whole := m.arguments(args)
	if !whole {
		return nil
	}
	var codes []*pycode.Code
	switch ref.canonical() {
	case "marshal.loads":
		if len(vs) > 0 {
			for _, r := range marshal.Parse(m.text(vs[0])).Readings {
				codes = append(codes, marshal.Codes(r.Value)...)
			}
		}
	case "types.CodeType", "types.code", "builtins.code", "dill._dill._create_code", "dill.dill._create_code":
		budget := maxCodeValues
		values := make([]*pycode.Value, len(vs))
		for i, v := range vs {
			values[i] = m.codeValue(v, 0, &budget)
		}
		code, err := pycode.FromCodeArgs(values, ref.module != "types")
		if code == nil {
			return map[string]any{"code": "not readable: " + err.Error()}
		}
		codes = append(codes, code)
	}
	if len(codes) == 0 {
		return nil
	}
	r := pycode.Analyze(marshal.Version{}, codes...)
	calls := make([]string, 0, len(r.Calls))
	for _, c := range r.Calls {
		calls = append(calls, c.Target)
	}
	return map[string]any{"code": map[string]any{
		"references": first(r.References), "imports": first(r.Imports), "calls": first(calls), "names": first(r.Names)}}
}

func first(list []string) []string {
	out := make([]string, 0, min(len(list), maxListed))
	for _, s := range list[:min(len(list), maxListed)] {
		out = append(out, short(s))
	}
	return out
}

// codeValue turns an abstract value into the form that package pycode reads.
func (m *machine) codeValue(v val, depth int, budget *int) *pycode.Value {
	out := &pycode.Value{Kind: marshal.Unknown}
	if *budget--; *budget < 0 || depth > 8 {
		return out
	}
	switch m.realKind(v) {
	case kNone:
		out.Kind = marshal.None
	case kBool, kInt:
		if n, ok := m.integer(v); ok {
			out.Kind, out.Int = marshal.Int, n
		}
	case kStr:
		out.Kind, out.Text = marshal.Text, string(m.text(v))
	case kBytes, kByteArray:
		out.Kind, out.Text = marshal.Bytes, string(m.text(v))
	case kNode:
		m.codeNode(m.node(v), out, depth, budget)
	}
	return out
}

func (m *machine) codeNode(n *node, out *pycode.Value, depth int, budget *int) {
	switch n.kind {
	case nTuple:
		out.Kind = marshal.Tuple
	case nList:
		out.Kind = marshal.List
	case nInstance:
		m.codeInstance(n, out, depth, budget)
		return
	default:
		return
	}
	for _, e := range m.elems(n) {
		out.Items = append(out.Items, m.codeValue(e, depth+1, budget))
	}
}

// codeInstance is a code object among the constants of another.
func (m *machine) codeInstance(n *node, out *pycode.Value, depth int, budget *int) {
	ref := m.ref(n)
	vs, whole := m.arguments(m.elems(n)[1])
	if ref == nil || !whole {
		return
	}
	switch ref.canonical() {
	case "types.CodeType", "builtins.code", "dill._dill._create_code":
	default:
		return
	}
	values := make([]*pycode.Value, len(vs))
	for i, v := range vs {
		values[i] = m.codeValue(v, depth+1, budget)
	}
	if code, err := pycode.FromCodeArgs(values, ref.module != "types"); err == nil {
		out.Kind, out.Code = marshal.CodeObject, code
	}
}
