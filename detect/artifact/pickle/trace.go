package pickle

import "context"

// Name is a global as a stream names it.
type Name struct{ Module, Name string }

// Trace is what the readings of a stream may resolve and call, for comparison
// with interpreters.
type Trace struct {
	// Names are all names that some reading may resolve.
	Names []Name
	// Calls are the callables that some reading may call: "module.name", and
	// "module.name()" for the result of such a call.
	Calls []string
	// Unfolded says that a name or a target could not be computed, so that
	// any may be meant; the stream blocks.
	Unfolded   bool
	Extensions []int
	Persistent bool
	Findings   int
	Incomplete bool
}

// TraceBytes runs every reading of data and tells what may be resolved and called.
func TraceBytes(ctx context.Context, data []byte) Trace {
	t := newTrace()
	findings, complete := analyse(ctx, data, t)
	t.out.Findings, t.out.Incomplete = findings, !complete
	return t.out
}

// trace collects a Trace; a nil trace collects nothing.
type trace struct {
	out   Trace
	names map[Name]bool
	calls map[string]bool
	exts  map[int]bool
	alias map[val]string
}

func newTrace() *trace {
	return &trace{names: map[Name]bool{}, calls: map[string]bool{}, exts: map[int]bool{}, alias: map[val]string{}}
}

func (t *trace) name(ref *symbolRef) {
	if t == nil {
		return
	}
	n := Name{ref.module, ref.name}
	if !t.names[n] {
		t.names[n] = true
		t.out.Names = append(t.out.Names, n)
	}
}

func (t *trace) addCall(s string) {
	if s != "" && !t.calls[s] {
		t.calls[s] = true
		t.out.Calls = append(t.out.Calls, s)
	}
}

func (t *trace) call(m *machine, callee val) {
	if t == nil {
		return
	}
	t.addCall(m.traceName(callee, 0))
	if a := t.alias[callee]; a != "" {
		t.addCall(a)
	}
}

// result remembers under which name an interpreter knows what a call gave: to
// it getattr's result is getattr's, whatever it was evaluated to here.
func (t *trace) result(m *machine, callee, result val) {
	if t == nil || result.kind() != kNode {
		return
	}
	name := t.alias[callee]
	if name == "" {
		name = m.traceName(callee, 0)
	}
	if name != "" && len(name) < 1000 {
		t.alias[result] = name + "()"
	}
}

func (t *trace) method(m *machine, target val, method string) {
	if t == nil {
		return
	}
	if name := m.traceName(target, 0); name != "" {
		t.addCall(name + "." + method)
	}
	if a := t.alias[target]; a != "" {
		t.addCall(a + "." + method)
	}
}

// traceName is module.name for a global, name() for what its call gave.
func (m *machine) traceName(v val, depth int) string {
	n := m.node(v)
	if n == nil || depth > 8 {
		return ""
	}
	switch n.kind {
	case nGlobal, nBound:
		return m.ref(n).display()
	case nInstance, nUnknown:
		if vs := m.elems(n); len(vs) > 0 {
			return m.traceName(vs[0], depth+1) + "()"
		}
	case nPartial, nGetter:
		return m.ref(n).display() + "()"
	}
	return ""
}

func (t *trace) persistent() {
	if t != nil {
		t.out.Persistent = true
	}
}

func (t *trace) unfolded() {
	if t != nil {
		t.out.Unfolded = true
	}
}

func (t *trace) extension(code int) {
	if t != nil && !t.exts[code] {
		t.exts[code] = true
		t.out.Extensions = append(t.out.Extensions, code)
	}
}
