package pickle

import (
	"strconv"
	"strings"

	"bartizan/detect/artifact/symbol"
)

// matches says whether the arguments have the shape of one of the signatures.
func (m *machine) matches(sigs []symbol.Signature, args, kwargs val) bool {
	if len(sigs) == 0 || kwargs != 0 && m.size(kwargs) != 0 {
		return false
	}
	vs, whole := m.arguments(args)
	if !whole {
		return false
	}
	for i := range sigs {
		if m.matchesOne(&sigs[i], vs) {
			return true
		}
	}
	return false
}

func (m *machine) matchesOne(sig *symbol.Signature, vs []val) bool {
	i := 0
	for p := range sig.Params {
		param := &sig.Params[p]
		if param.Repeat {
			for ; i < len(vs); i++ {
				if !m.isAny(vs[i], param.Types, 0) {
					return false
				}
			}
			return true
		}
		if i == len(vs) {
			return param.Optional
		}
		if !m.isAny(vs[i], param.Types, 0) {
			return false
		}
		i++
	}
	return i == len(vs)
}

// maxTypeDepth bounds the look into nested containers of a signature.
const maxTypeDepth = 6

func (m *machine) isAny(v val, types []symbol.Type, depth int) bool {
	for i := range types {
		if m.is(v, &types[i], depth) {
			return true
		}
	}
	return false
}

func (m *machine) is(v val, t *symbol.Type, depth int) bool {
	if depth > maxTypeDepth {
		return false
	}
	n, k := m.node(v), m.realKind(v)
	if t.Global != "" {
		ref := m.globalOf(n)
		return ref != nil && (ref.canonical() == t.Global || ref.display() == t.Global)
	}
	switch t.Name {
	case "any":
		return m.harmless(v)
	case "int":
		return k == kInt || k == kBool
	case "bool":
		return k == kBool || m.smallBool(v)
	case "float":
		return k == kFloat
	case "num":
		return k == kInt || k == kBool || k == kFloat
	case "none":
		return k == kNone
	case "str":
		return k == kStr && oneOf(m.text(v), t.OneOf)
	case "bytes":
		return (k == kBytes || k == kByteArray || k == kBuffer || m.builtBytes(n)) && oneOf(m.text(v), t.OneOf)
	case "plain":
		return m.plain(v)
	case "class":
		ref := m.globalOf(n)
		return ref != nil && ref.status == symbol.Found && ref.sym.Call == 0 && ref.sym.New == 0
	case "object":
		return n != nil && (n.kind == nInstance || n.kind == nPartial) && m.harmless(v)
	case "pers":
		return n != nil && n.kind == nPers
	case "storage":
		return m.storage(n)
	}
	return m.isContainer(v, n, t, depth)
}

func (m *machine) isContainer(v val, n *node, t *symbol.Type, depth int) bool {
	if n == nil {
		return false
	}
	elem := t.Elem
	switch t.Name {
	case "tuple":
		if n.kind != nTuple {
			return false
		}
	case "list":
		if n.kind != nList {
			return false
		}
	case "dict":
		if n.kind != nDict && !(m.builtDict(n) && m.harmless(v)) {
			return false
		}
	case "set":
		if n.kind != nSet && n.kind != nFrozenSet {
			return false
		}
	case "ints":
		elem = []symbol.Type{{Name: "int"}}
	case "strs":
		elem = []symbol.Type{{Name: "str"}}
	case "pairs":
		elem = []symbol.Type{{Name: "tuple"}, {Name: "list"}}
	default:
		return false
	}
	if n.kind > nDict {
		return len(elem) == 0 || t.Name == "dict"
	}
	if (t.Name == "ints" || t.Name == "strs" || t.Name == "pairs") && n.kind > nList {
		return false
	}
	if n.flags&fActive != 0 {
		return false
	}
	for _, e := range m.elems(n) {
		if len(elem) > 0 && !m.isAny(e, elem, depth+1) || len(elem) == 0 && !m.harmless(e) {
			return false
		}
	}
	return true
}

func oneOf(s []byte, set []string) bool {
	if len(set) == 0 {
		return true
	}
	for _, w := range set {
		if w == string(s) {
			return true
		}
	}
	return false
}

func (m *machine) globalOf(n *node) *symbolRef {
	if n == nil || n.kind != nGlobal {
		return nil
	}
	return m.ref(n)
}

// smallBool takes protocol 0 and 1's ints that stand for booleans.
func (m *machine) smallBool(v val) bool {
	i, ok := m.integer(v)
	return ok && (i == 0 || i == 1)
}

// harmless says that a value holds no callable that is not proven inert and
// nothing that only the loader knows.
func (m *machine) harmless(v val) bool {
	h := m.holds(v)
	return !h.callable && !h.unknown
}

// plain says that a value holds nothing but scalars, text and containers.
func (m *machine) plain(v val) bool {
	h := m.holds(v)
	return !h.callable && !h.unknown && !h.object
}

// builtBytes is bytes built by a call, as protocols 0 to 2 do.
func (m *machine) builtBytes(n *node) bool {
	return m.builtBy(n, "_codecs.encode", "builtins.bytes", "builtins.bytearray")
}

func (m *machine) builtDict(n *node) bool {
	return m.builtBy(n, "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict")
}

func (m *machine) builtBy(n *node, names ...string) bool {
	if n == nil || n.kind != nInstance {
		return false
	}
	ref := m.ref(n)
	if ref == nil {
		return false
	}
	name := ref.canonical()
	for _, want := range names {
		if name == want {
			return true
		}
	}
	return false
}

// storage is what torch tensors are rebuilt from: a persistent id, or what one of
// torch's storage classes or loaders gave.
func (m *machine) storage(n *node) bool {
	if n == nil || n.kind != nInstance {
		return n != nil && n.kind == nPers
	}
	ref := m.ref(n)
	return ref != nil && strings.HasPrefix(ref.canonical(), "torch.") && (strings.Contains(ref.canonical(), "torage") || nestedLoaders[ref.canonical()])
}

// render gives a value as short pseudo-code.
func (m *machine) render(v val, depth int) string {
	const maxElems, maxDepth = 6, 4
	if v == 0 {
		return "?"
	}
	if text := m.renderData(v); text != "" {
		return text
	}
	if v.kind() != kNode {
		return "?"
	}
	if m.listing != nil {
		if name, ok := m.listing.names[v]; ok {
			return name
		}
	}
	if depth >= maxDepth {
		return "…"
	}
	n := m.node(v)
	switch n.kind {
	case nGlobal:
		return m.ref(n).display()
	case nPers:
		return "persistent_load(" + m.renderAll(m.elems(n), depth, maxElems, "") + ")"
	case nExt:
		return "<extension>"
	case nInstance, nUnknown:
		vs := m.elems(n)
		if len(vs) < 2 {
			return "<object>"
		}
		return m.render(vs[0], depth+1) + m.renderArgs(vs[1], depth)
	case nPartial, nGetter:
		return m.ref(n).display() + "(" + m.renderAll(m.elems(n), depth, maxElems, "") + ")"
	case nBound:
		ref := m.ref(n)
		return ref.display()
	case nDict:
		return "{" + m.renderPairs(m.elems(n), depth, maxElems) + "}"
	}
	open, end := "(", ")"
	switch n.kind {
	case nList:
		open, end = "[", "]"
	case nSet:
		open, end = "{", "}"
	case nFrozenSet:
		open, end = "frozenset({", "})"
	case nTuple:
		if n.n == 1 {
			end = ",)"
		}
	}
	return open + m.renderAll(m.elems(n), depth, maxElems, more(n)) + end
}

// renderData renders what holds no other values; "" is for what does.
func (m *machine) renderData(v val) string {
	const maxText = 120
	switch m.realKind(v) {
	case kNone:
		return "None"
	case kBool, kInt:
		if n, ok := m.integer(v); ok {
			return strconv.FormatInt(n, 10)
		}
		return "<int>"
	case kFloat:
		return "<float>"
	case kStr:
		return quote(m.text(v), maxText)
	case kBytes:
		return "b" + quote(m.text(v), maxText)
	case kByteArray:
		return "bytearray(b" + quote(m.text(v), maxText) + ")"
	case kBuffer:
		return "<buffer>"
	case kMark:
		return "<mark>"
	case kPlain:
		return "<data>"
	}
	return ""
}

func more(n *node) string {
	if n.flags&fDropped != 0 {
		return "…"
	}
	return ""
}

func (m *machine) renderArgs(args val, depth int) string {
	n := m.node(args)
	if n == nil || n.kind != nTuple {
		return "(*" + m.render(args, depth+1) + ")"
	}
	return "(" + m.renderAll(m.elems(n), depth, 8, more(n)) + ")"
}

// listed gives arguments for evidence, one by one; a value that is no tuple of
// them stands alone.
func (m *machine) listed(args val) []string {
	const most = 8
	n := m.node(args)
	if n == nil || n.kind != nTuple {
		return []string{short(m.render(args, 0))}
	}
	out := []string{}
	for i, v := range m.elems(n) {
		if i == most {
			return append(out, "…")
		}
		out = append(out, short(m.render(v, 1)))
	}
	return out
}

func (m *machine) renderAll(vs []val, depth, most int, tail string) string {
	out := ""
	for i, v := range vs {
		if i > 0 {
			out += ", "
		}
		if i == most {
			return out + "…"
		}
		out += m.render(v, depth+1)
	}
	if tail != "" {
		out += ", " + tail
	}
	return out
}

func (m *machine) renderPairs(vs []val, depth, most int) string {
	out := ""
	for i := 0; i+1 < len(vs); i += 2 {
		if i > 0 {
			out += ", "
		}
		if i/2 == most {
			return out + "…"
		}
		out += m.render(vs[i], depth+1) + ": " + m.render(vs[i+1], depth+1)
	}
	return out
}

func quote(s []byte, most int) string {
	if len(s) <= most {
		return strconv.QuoteToASCII(string(s))
	}
	return strconv.QuoteToASCII(string(s[:most])) + "…(" + strconv.Itoa(len(s)) + " bytes)"
}
