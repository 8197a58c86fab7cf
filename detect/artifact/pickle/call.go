package pickle

import (
	"bartizan/detect/artifact/symbol"
	"bartizan/detect/text/codelike"
)

// maxChain bounds calls that are evaluated within one another.
const maxChain = 64

// call is what REDUCE, OBJ, INST, NEWOBJ and NEWOBJ_EX do: it judges the call
// and gives its abstract result.
func (m *machine) call(op byte, callee, args, kwargs val, off int) val {
	m.chain++
	defer func() { m.chain-- }()
	if m.chain > maxChain {
		m.events.unresolvable(m, off, "calls nested too deep to follow", callee, args)
		return m.unknown(callee, args, off)
	}
	callee = m.sourced(callee)
	n := m.node(callee)
	if n == nil || n.kind <= nDict {
		if k := callee.kind(); k == kMark || k == kNothing {
			m.fail("bad-call", off, "calls a MARK")
			return m.unknown(callee, args, off)
		}
		m.fail("not-callable", off, "calls a value that is not callable")
		return m.unknown(callee, args, off)
	}
	m.events.trace.call(m, callee)
	var result val
	switch n.kind {
	case nGlobal:
		result = m.callSymbol(op, callee, args, kwargs, off)
	case nBound:
		result = m.callBound(n, callee, args, kwargs, off)
	case nPartial:
		result = m.callPartial(n, args, kwargs, off)
	case nGetter:
		result = m.callGetter(n, args, off)
	}
	if result == 0 { // also for instances: what their __call__ does is not known
		m.events.unresolvable(m, off, "calls something that only the loader knows", callee, args)
		result = m.unknown(callee, args, off)
	}
	m.events.trace.result(m, callee, result)
	m.listing.call(m, op, result, callee, args, kwargs)
	return result
}

// sourced gives the class for which a persistent id of torch's legacy format
// stands: ("module", class, file, source) is the class (torch/serialization.py
// persistent_load); its source is only compared, never run.
func (m *machine) sourced(callee val) val {
	n := m.node(callee)
	if n == nil || n.kind != nPers {
		return callee
	}
	vs, whole := m.arguments(m.elems(n)[0])
	if !whole || len(vs) != 4 || string(m.text(vs[0])) != "module" || m.globalOf(m.node(vs[1])) == nil {
		return callee
	}
	return vs[1]
}

// unknown is a value that cannot be computed.
func (m *machine) unknown(callee, args val, off int) val {
	return m.newFrom(nUnknown, off, []val{callee, args})
}

// instance is what an inert or judged call of a symbol gives.
func (m *machine) instance(sym uint32, callee, args val, off int) val {
	v := m.newFrom(nInstance, off, []val{callee, args})
	m.node(v).sym = sym
	return v
}

// callSymbol judges the call of a named global.
func (m *machine) callSymbol(op byte, callee, args, kwargs val, off int) val {
	n := m.node(callee)
	ref := m.ref(n)
	ref.called = true
	if ref.status == symbol.Found && ref.sym.Combinator != symbol.None {
		if v := m.combine(op, ref, callee, args, kwargs, off); v != 0 {
			return v
		}
	}
	if kwargs == 0 {
		if v := m.foldCall(ref, args, off); v != 0 {
			return v
		}
	}
	m.checkTensor(ref, args, off)
	if v := m.dillArray(ref, args, kwargs, off); v != 0 {
		return v
	}
	m.judge(ref, m.effectOf(op, ref), args, kwargs, off, op)
	return m.made(n.sym, callee, args, kwargs, off)
}

// made is the result of a judged call. The call may keep or change whatever it
// was given.
func (m *machine) made(sym uint32, callee, args, kwargs val, off int) val {
	m.escape(args, 0)
	v := m.instance(sym, callee, args, off)
	if kwargs != 0 {
		m.escape(kwargs, 0)
		m.extend(m.node(v), []val{kwargs})
	}
	return v
}

// escape marks the containers that a call was given, at any depth that a fold
// may look into.
func (m *machine) escape(v val, depth int) {
	n := m.node(v)
	if n == nil || n.kind > nDict || depth > 6 {
		return
	}
	n.flags |= fEscaped
	for _, e := range m.elems(n)[:min(int(n.kept), 64)] {
		if e.kind() == kNode {
			m.escape(e, depth+1)
		}
	}
	if n.kept > 64 {
		n.flags |= fDropped
	}
}

func (m *machine) effectOf(op byte, ref *symbolRef) symbol.Effect {
	if (op == opNewObj || op == opNewObjEx) && ref.kind == symbol.Class {
		return ref.sym.New
	}
	return ref.sym.Call
}

// judge decides what a call of ref with these arguments amounts to.
func (m *machine) judge(ref *symbolRef, effect symbol.Effect, args, kwargs val, off int, op byte) {
	switch ref.status {
	case symbol.Dunder:
		m.events.dangerous(m, ref, symbol.Inspect, args, off)
		return
	case symbol.UnknownModule, symbol.UnknownName:
		m.judgeUnknown(ref, args, kwargs, off, op)
		return
	}
	if m.handsOn(ref, args, kwargs, off) || m.matches(ref.sym.Signatures, args, kwargs) {
		return
	}
	switch {
	case effect == 0:
		if len(ref.sym.Signatures) > 0 {
			m.judgeShape(ref, args, kwargs, off)
		}
	case effect == symbol.CallArg:
		m.judgeCallbacks(ref, args, kwargs, off)
	case ref.decided(effect) != 0:
		if m.loadsNested(ref, args, off) {
			return
		}
		m.events.dangerous(m, ref, effect, args, off)
	default:
		m.judgeUnknown(ref, args, kwargs, off, op)
	}
}

// handsOn says, with a finding, that a call is given something that acts by
// itself in whoever gets it: a callable that reaches its target by a name in the
// stream (methodcaller, attrgetter, a partial of one), or an object that belongs
// to the interpreter (a module, sys.modules, os.environ). What the callee's own
// effects are does not matter then: it may call, keep or change what it was given.
func (m *machine) handsOn(ref *symbolRef, args, kwargs val, off int) bool {
	h := m.holds(args)
	h.join(m.holds(kwargs))
	if h.acts == "" {
		return false
	}
	m.events.handedOn(m, ref, h.acts, args, off)
	return true
}

// judgeUnknown is for callables of which nothing is proven: plain data is for
// review; code, opaque bytes or a callable handed to one is for block.
func (m *machine) judgeUnknown(ref *symbolRef, args, kwargs val, off int, op byte) {
	h := m.holds(args)
	h.join(m.holds(kwargs))
	why := ""
	switch {
	case h.code != "":
		why = "text that looks like code"
	case h.callable:
		why = "another callable"
	case h.unknown:
		why = "a value that only the loader knows"
	case h.opaque && op != opNewObj && op != opNewObjEx:
		why = "opaque bytes"
	}
	m.events.unknownCall(m, ref, why, args, off)
}

// judgeShape is for a callable that is inert for the signatures it has, called
// with arguments of another shape.
func (m *machine) judgeShape(ref *symbolRef, args, kwargs val, off int) {
	h := m.holds(args)
	h.join(m.holds(kwargs))
	m.events.shape(m, ref, h.code != "" || h.callable || h.unknown, args, off)
}

// judgeCallbacks is for a callable whose only effect is to call what it is
// given: it is as dangerous as the callables among its arguments.
func (m *machine) judgeCallbacks(ref *symbolRef, args, kwargs val, off int) {
	h := m.holds(args)
	h.join(m.holds(kwargs))
	switch {
	case h.callable || h.unknown:
		m.events.dangerous(m, ref, symbol.CallArg, args, off)
	case ref.kind != symbol.Class && ref.sym.Library == "cpython" && ref.sym.Combinator == symbol.None && !h.named:
		// It calls something, and was given nothing to call: a default that the
		// derivation did not follow, or a value that turns callable.
		m.events.unknownCall(m, ref, "", args, off)
	}
}

// holding is what a value holds, at any depth.
type holding struct {
	callable bool   // a callable that is not proven inert
	unknown  bool   // a value that is not known before it runs, or too much to look through
	object   bool   // something built by a call
	named    bool   // something resolved by name
	acts     string // a value that acts by itself in whoever gets it
	opaque   bool   // bytes
	code     string // why some text looks like code
}

func (h *holding) join(o holding) {
	h.callable = h.callable || o.callable
	h.unknown = h.unknown || o.unknown
	h.object = h.object || o.object
	h.opaque = h.opaque || o.opaque
	h.named = h.named || o.named
	if h.acts == "" {
		h.acts = o.acts
	}
	if h.code == "" {
		h.code = o.code
	}
}

// maxVisits bounds how many values one look through arguments takes in, maxLooks
// and two for each byte all looks of a stream.
const (
	maxVisits = 20_000
	maxLooks  = 4 << 20
)

// minOpaque is the length from which bytes can carry something.
const minOpaque = 4

func (m *machine) holds(v val) holding {
	var h holding
	if v == 0 {
		return h
	}
	m.visits = m.visits[:0]
	m.visits = append(m.visits, v)
	if m.visited == nil {
		m.visited = map[val]struct{}{}
	}
	clear(m.visited)
	for seen := 0; len(m.visits) > 0; seen++ {
		v := m.visits[len(m.visits)-1]
		m.visits = m.visits[:len(m.visits)-1]
		if m.looked++; seen > maxVisits || m.looked > maxLooks+2*len(m.data) {
			if seen <= maxVisits {
				m.fail("work-limit", 0, "its calls hold one another too many times over")
			}
			h.unknown = true
			return h
		}
		m.look(v, &h)
	}
	return h
}

func (m *machine) look(v val, h *holding) {
	switch m.realKind(v) {
	case kStr:
		if h.code == "" {
			if s := m.text(v); codelike.IsCode(s) {
				h.code = "code"
			}
		}
		return
	case kBytes, kByteArray, kBuffer:
		s := m.text(v)
		if len(s) >= minOpaque || v.kind() == kBuffer {
			h.opaque = true
		}
		if h.code == "" && codelike.IsCode(s) {
			h.code = "code"
		}
		return
	case kPlain:
		h.unknown = true // it is plain, but its text is no longer known
		return
	case kNode:
	default:
		return
	}
	if _, twice := m.visited[v]; twice {
		return
	}
	m.visited[v] = struct{}{}
	n := m.node(v)
	m.lookNode(n, v, h)
	switch vs := m.elems(n); n.kind {
	case nGlobal, nPers:
	case nInstance: // the call of vs[0] was judged when it was made
		for _, part := range vs[1:] {
			m.visitPart(n, part)
		}
	default:
		m.visits = append(m.visits, vs...)
	}
}

// visitPart goes on to what an instance was made of and given. The bytes of a
// numpy array are its numbers, and opaque to nobody.
func (m *machine) visitPart(n *node, part val) {
	ref, tuple := m.ref(n), m.node(part)
	if ref == nil || ref.sym.Library != "numpy" || !ref.inert() || tuple == nil || tuple.kind != nTuple {
		m.visits = append(m.visits, part)
		return
	}
	for _, e := range m.elems(tuple) {
		if k := m.realKind(e); k != kBytes && k != kByteArray && k != kBuffer {
			m.visits = append(m.visits, e)
		}
	}
}

func (m *machine) lookNode(n *node, v val, h *holding) {
	if n.flags&fActive != 0 {
		h.unknown = true
	}
	switch n.kind {
	case nGlobal, nBound:
		h.named = true
		ref := m.ref(n)
		if ref == nil || !ref.inert() && ref.kind != symbol.Data {
			h.callable = true
		}
		if ref != nil && ref.shared() && h.acts == "" {
			h.acts = ref.display()
		}
	case nGetter:
		h.callable = true
		if ref := m.ref(n); ref.sym.Combinator != symbol.ItemGetter && h.acts == "" {
			h.acts = m.render(v, 0)
		}
	case nInstance, nPartial:
		h.object = true
	case nExt, nUnknown:
		h.unknown = true
	case nPers:
		h.object = true
	}
}
