package pickle

import (
	"strings"

	"bartizan/detect/artifact/symbol"
)

// symbolRef is one global that a stream resolves, with what is known of it.
type symbolRef struct {
	module, name string // as the stream names it
	off          int
	status       symbol.Status
	kind         symbol.Kind
	sym          symbol.Symbol
	onImport     symbol.Effect
	via          string
	chain        []string // the symbols through which it was reached, if not by name
	called       bool
	reported     bool // a finding says what its call does
}

// display is the symbol as the stream names it, module.name.
func (r *symbolRef) display() string {
	if r.module == "" {
		return r.name
	}
	if r.name == "" {
		return r.module
	}
	return r.module + "." + r.name
}

// canonical is the symbol at its home, or as named where it is not known.
func (r *symbolRef) canonical() string {
	if r.status != symbol.Found {
		return r.display()
	}
	if r.sym.Name == "" {
		return r.sym.Module
	}
	return r.sym.Module + "." + r.sym.Name
}

// inert says whether calling it is proven to do nothing but build a value.
func (r *symbolRef) inert() bool {
	return r.status == symbol.Found && r.sym.Call == 0 && r.sym.New == 0
}

// shared says that a name stands for something of the interpreter's own that
// everyone uses: a module, or an object like sys.modules and os.environ.
func (r *symbolRef) shared() bool {
	if r.status != symbol.Found {
		return false
	}
	return r.kind == symbol.Module ||
		r.kind == symbol.Data && r.sym.Library == "cpython" && (r.sym.SetState|r.sym.Items)&symbol.State != 0
}

// strong are the effects that no analysis finds by being too careful.
const strong = symbol.Exec | symbol.Process | symbol.Import | symbol.Load | symbol.Write | symbol.Net | symbol.Native

// decided gives the part of an effect on which a verdict can rest. In the code of
// third parties the derivation could not follow everything where it says
// undecided, and then takes the union of whatever may be reached: what is left
// of that counts where it is strong. The standard library was gone through by hand.
func (r *symbolRef) decided(effect symbol.Effect) symbol.Effect {
	if effect&symbol.Undecided != 0 && r.sym.Library != "cpython" {
		return effect & strong
	}
	return effect &^ (symbol.Undecided | symbol.CallArg)
}

// resolve is find_class: it gives the value of module.name, and remembers it.
func (m *machine) resolve(module, name []byte, off int) val {
	m.symKey = append(append(append(m.symKey[:0], module...), 0), name...)
	if m.proto > 2 {
		m.symKey = append(m.symKey, 1)
	}
	i, known := m.symIndex[string(m.symKey)]
	if !known {
		ref := m.lookup(string(module), string(name))
		ref.off = off
		i = m.addRef(ref)
		m.symIndex[string(m.symKey)] = i
		m.events.resolved(ref)
	}
	v, n := m.newNode(nGlobal, off)
	n.sym = i + 1
	m.listing.global(m, v, m.syms[i])
	return v
}

func (m *machine) addRef(ref *symbolRef) uint32 {
	if len(m.syms) > maxSymbols {
		m.fail("memory-limit", ref.off, "the stream names more than a model has reason to")
	}
	m.syms = append(m.syms, ref)
	return uint32(len(m.syms) - 1)
}

func (m *machine) ref(n *node) *symbolRef {
	if n == nil || n.sym == 0 {
		return nil
	}
	return m.syms[n.sym-1]
}

// lookup judges a name as every interpreter would resolve it: Python 3 maps the
// names of Python 2 in pickles of protocols 0 to 2 (fix_imports), Python 2 does
// not. Where both exist the effects of both count.
func (m *machine) lookup(module, name string) *symbolRef {
	ref := &symbolRef{module: module, name: name}
	if m.script && (module == "__torch__" || strings.HasPrefix(module, "__torch__.")) {
		// A TorchScript type: torch.jit finds it among the archive's own code.
		ref.take(symbol.Resolution{Status: symbol.Found, Symbol: symbol.Symbol{Module: module, Name: name, Kind: symbol.Class}})
		return ref
	}
	res := m.db.Resolve(module, name)
	if mod3, name3 := symbol.FixImports(module, name); mod3 != module || name3 != name {
		res = m.mapped(res, m.db.Resolve(mod3, name3))
	}
	ref.take(res)
	if ref.status == symbol.UnknownName && throughDunder(name) {
		ref.status, ref.via = symbol.Dunder, name
	}
	return ref
}

// throughDunder says that a dotted name passes through the interpreter's own
// structure, whatever stands before it.
func throughDunder(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if isDunder(part) && !plainDunder[part] {
			return true
		}
	}
	return false
}

// plainDunder are data that modules and classes hold.
var plainDunder = map[string]bool{"__version__": true, "__name__": true, "__doc__": true, "__author__": true, "__all__": true,
	"__file__": true, "__qualname__": true, "__module__": true, "__slots__": true, "__annotations__": true}

// mapped joins a name as it stands with what Python 3 maps it to. From protocol
// 3 on nothing is mapped: the old name is then a module that Python 3 does not
// have, and only what is dangerous is taken over.
func (m *machine) mapped(asNamed, as3 symbol.Resolution) symbol.Resolution {
	if m.proto <= 2 {
		return worse(as3, asNamed)
	}
	if as3.Status == symbol.Found && as3.Symbol.Call|as3.Symbol.New != 0 {
		return worse(as3, asNamed)
	}
	return symbol.Resolution{Status: symbol.UnknownModule}
}

func (r *symbolRef) take(res symbol.Resolution) {
	r.status, r.sym, r.kind = res.Status, res.Symbol, res.Symbol.Kind
	r.onImport, r.via = res.OnImport, res.Via
}

// worse joins what two interpreters make of one name; a comes first where both
// know it.
func worse(a, b symbol.Resolution) symbol.Resolution {
	switch {
	case a.Status == symbol.Dunder || b.Status == symbol.UnknownModule || b.Status == symbol.UnknownName && a.Status == symbol.Found:
		return a
	case a.Status != symbol.Found || b.Status == symbol.Dunder:
		return b
	}
	a.Symbol.Call |= b.Symbol.Call
	a.Symbol.New |= b.Symbol.New
	a.Symbol.SetState |= b.Symbol.SetState
	a.Symbol.Items |= b.Symbol.Items
	a.OnImport |= b.OnImport
	return a
}

// attribute is getattr(v, name): what the name leads to from what v is known to
// be. It gives 0 where that cannot be told.
func (m *machine) attribute(v val, name string, off int) val {
	if name == "" {
		return 0
	}
	if n := m.node(v); n != nil {
		switch n.kind {
		case nGlobal:
			ref := m.ref(n)
			module, outer := ref.module, ref.name
			if ref.status == symbol.Found {
				module, outer = ref.sym.Module, ref.sym.Name
			}
			return m.reached(module, join(outer, name), ref, nGlobal, v, off)
		case nInstance, nBound, nPartial:
			if n.flags&fBuilt != 0 {
				if own, known := m.ownAttribute(n, name); own != 0 || !known {
					return own
				}
			}
			if ref := m.ref(n); ref != nil && ref.status == symbol.Found && ref.kind == symbol.Class {
				return m.reached(ref.sym.Module, join(ref.sym.Name, name), ref, nBound, v, off)
			}
			return 0
		}
	}
	if t := m.builtinType(v); t != "" {
		return m.reached("builtins", t+"."+name, nil, nBound, v, off)
	}
	return 0
}

// ownAttribute looks an attribute up in what an instance was given: the value
// where its state holds it, known and 0 where it surely does not.
func (m *machine) ownAttribute(n *node, name string) (own val, known bool) {
	vs := m.elems(n)
	if n.flags&fDropped != 0 || len(vs) < 2 {
		return 0, false
	}
	for _, state := range vs[2:] {
		d := m.node(state)
		if d == nil || d.kind != nDict || d.flags&(fDropped|fActive) != 0 {
			return 0, false
		}
		for i, e := range m.elems(d) {
			if i%2 == 0 && e.kind() != kStr {
				return 0, false
			}
		}
		if v := m.dictGet(d, name); v != 0 {
			own = v
		}
	}
	return own, true
}

func join(outer, name string) string {
	if outer == "" {
		return name
	}
	return outer + "." + name
}

// reached makes the value of a symbol that was reached and not named.
func (m *machine) reached(module, name string, from *symbolRef, k nodeKind, self val, off int) val {
	ref := &symbolRef{module: module, name: name, off: off}
	ref.take(m.db.Resolve(module, name))
	if from != nil {
		ref.chain = append(append(ref.chain, from.chain...), from.display())
	}
	i := m.addRef(ref)
	v, n := m.newNode(k, off)
	n.sym = i + 1
	if k == nBound {
		m.extend(n, []val{self})
	}
	return v
}

// builtinType names the type of a plain value.
func (m *machine) builtinType(v val) string {
	switch m.realKind(v) {
	case kStr:
		return "str"
	case kBytes, kBuffer:
		return "bytes"
	case kByteArray:
		return "bytearray"
	case kInt:
		return "int"
	case kBool:
		return "bool"
	case kFloat:
		return "float"
	case kNode, kPlain:
		k, ok := m.container(v)
		if !ok {
			return ""
		}
		return [...]string{nTuple: "tuple", nList: "list", nSet: "set", nFrozenSet: "frozenset", nDict: "dict"}[k]
	}
	return ""
}

// extension is EXT1, EXT2 and EXT4: the reader's own registry says what the
// code means, so nothing is known of it here.
func (m *machine) extension(code, off int) val {
	if code <= 0 {
		m.fail("bad-extension", off, "extension codes are positive")
		return 0
	}
	m.events.extension(m, code, off)
	v, _ := m.newNode(nExt, off)
	return v
}

// persistent is PERSID and BINPERSID: the loader decides what the id stands for.
func (m *machine) persistent(off int, id val) {
	m.events.trace.persistent()
	m.push(m.newFrom(nPers, off, []val{id}))
}

// unfoldedName is STACK_GLOBAL on operands that are only known when it runs.
func (m *machine) unfoldedName(module, name val, off int) val {
	m.events.unfolded(m, off, map[string]any{"module": m.render(module, 0), "name": m.render(name, 0)})
	v, _ := m.newNode(nUnknown, off)
	return v
}

func isDunder(s string) bool {
	return len(s) > 4 && strings.HasPrefix(s, "__") && strings.HasSuffix(s, "__")
}
