package pycode

import (
	"strings"

	"bartizan/detect/artifact/marshal"
)

// collector gathers what is seen, within the bounds.
type collector struct {
	names, imports, refs, defined map[string]bool
	constants                     map[string]bool
	constText                     int
	calls                         []Call
	callKeys                      map[string]bool
	irregular                     []string
	irregularKeys                 map[string]bool
	versions                      []marshal.Version
	unknown                       bool // a bound was met
	undecoded                     bool // an opcode that the table lacks is reached
}

func newCollector() *collector {
	c := &collector{irregularKeys: map[string]bool{}, constants: map[string]bool{}, names: map[string]bool{}}
	c.reset()
	return c
}

// reset forgets what a further pass over the same code finds again.
func (c *collector) reset() {
	c.imports, c.refs, c.defined = map[string]bool{}, map[string]bool{}, map[string]bool{}
	c.calls, c.callKeys = nil, map[string]bool{}
}

func (c *collector) put(set map[string]bool, s string) {
	if s == "" || set[s] {
		return
	}
	if len(set) >= MaxNames {
		c.unknown = true
		return
	}
	set[s] = true
}

// ref records a path that was reached, unless it starts at a local variable.
func (c *collector) ref(p string) {
	if !strings.HasPrefix(p, "%") && !strings.HasPrefix(p, "?") {
		c.put(c.refs, p)
	}
}

func (c *collector) constant(s string) {
	if s == "" || c.constants[s] {
		return
	}
	if len(c.constants) >= MaxConstants || c.constText+len(s) > MaxConstText {
		c.unknown = true
		return
	}
	c.constText += len(s)
	c.constants[s] = true
}

func (c *collector) call(call Call) {
	key := call.Target + "\x00" + strings.Join(call.Args, "\x00") + "\x00" + call.In
	if c.callKeys[key] {
		return
	}
	if len(c.calls) >= MaxCalls {
		c.unknown = true
		return
	}
	c.callKeys[key] = true
	c.calls = append(c.calls, call)
}

func (c *collector) strange(what string) {
	if len(c.irregular) < 32 && !c.irregularKeys[what] {
		c.irregularKeys[what] = true
		c.irregular = append(c.irregular, what)
	}
}

// static records what a code object holds whatever its bytecode does.
func (c *collector) static(code *Code) {
	for _, n := range code.Names {
		c.put(c.names, n)
	}
	for _, k := range code.Consts {
		marshal.Walk(k, func(v *Value) bool {
			if v.Kind == marshal.Text || v.Kind == marshal.Bytes {
				c.constant(v.Text)
			}
			return v.Kind != marshal.CodeObject
		})
	}
}

func (c *collector) merge(o *collector) {
	for _, pair := range [][2]map[string]bool{{c.names, o.names}, {c.imports, o.imports}, {c.refs, o.refs}, {c.defined, o.defined}} {
		for _, s := range sorted(pair[1]) {
			c.put(pair[0], s)
		}
	}
	for _, s := range sorted(o.constants) {
		c.constant(s)
	}
	for _, call := range o.calls {
		c.call(call)
	}
	c.unknown = c.unknown || o.unknown
}

func (c *collector) result(codes int) Result {
	return Result{
		Names: sorted(c.names), Imports: sorted(c.imports), References: sorted(c.refs), Defined: sorted(c.defined),
		Calls: c.calls, Constants: sorted(c.constants), Unknown: c.unknown,
		Irregular: c.irregular, Versions: c.versions, Codes: codes,
	}
}
