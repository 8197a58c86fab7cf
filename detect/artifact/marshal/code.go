package marshal

// code reads a code object after its type byte, in the reader's layout.
func (r *reader) code() *Code {
	r.codes++
	c := &Code{Layout: r.layout}
	c.ArgCount = int(r.int32())
	switch r.layout {
	case Layout30:
		c.KwOnlyArgs = int(r.int32())
	case Layout38, Layout311:
		c.PosOnlyCount = int(r.int32())
		c.KwOnlyArgs = int(r.int32())
	}
	if r.layout != Layout311 {
		c.NLocals = int(r.int32())
	}
	c.StackSize = int(r.int32())
	c.Flags = uint32(r.int32())
	c.Bytecode = r.codeBytes()
	c.Consts = r.tuple()
	c.Names = r.names()
	if r.layout == Layout311 {
		r.variables311(c)
	} else {
		c.VarNames, c.FreeVars, c.CellVars = r.names(), r.names(), r.names()
	}
	c.Filename, c.Name = r.name(), r.name()
	c.QualName = c.Name
	if r.layout == Layout311 {
		c.QualName = r.name()
	}
	c.FirstLine = int(r.int32())
	c.LineTable = r.codeBytes()
	if r.layout == Layout311 {
		c.ExceptionTable = r.codeBytes()
	}
	// CPython's constructor refuses negative counts.
	if r.err == nil && (c.ArgCount < 0 || c.PosOnlyCount < 0 || c.KwOnlyArgs < 0 || c.NLocals < 0 || c.StackSize < 0) {
		r.fail("negative count in a code object")
	}
	return c
}

// Kinds of variables in co_localspluskinds (Include/internal/pycore_code.h).
const (
	fastLocal = 0x20
	fastCell  = 0x40
	fastFree  = 0x80
)

func (r *reader) variables311(c *Code) {
	c.LocalsPlus = r.names()
	c.LocalKinds = r.codeBytes()
	if r.err != nil {
		return
	}
	if len(c.LocalKinds) != len(c.LocalsPlus) {
		r.fail("localspluskinds do not fit the names")
		return
	}
	for i, kind := range c.LocalKinds {
		if kind&fastLocal != 0 {
			c.VarNames = append(c.VarNames, c.LocalsPlus[i])
		}
		if kind&fastCell != 0 {
			c.CellVars = append(c.CellVars, c.LocalsPlus[i])
		}
		if kind&fastFree != 0 {
			c.FreeVars = append(c.FreeVars, c.LocalsPlus[i])
		}
	}
	c.NLocals = len(c.VarNames)
}

// part reads a part of a code object, which must not be NULL.
func (r *reader) part() *Value {
	if r.err != nil {
		return nil
	}
	v := r.object()
	if v == nil {
		r.fail("NULL in a code object")
	}
	return v
}

// codeBytes takes text, too: Python 2 takes any buffer.
func (r *reader) codeBytes() []byte {
	v := r.part()
	if v == nil {
		return nil
	}
	if v.Kind != Bytes && (v.Kind != Text || r.layout != Layout27) {
		r.fail("code object without bytes where bytes must stand")
		return nil
	}
	return []byte(v.Text)
}

func (r *reader) tuple() []*Value {
	v := r.part()
	if v == nil {
		return nil
	}
	if v.Kind != Tuple {
		r.fail("code object without a tuple where a tuple must stand")
		return nil
	}
	return v.Items
}

func (r *reader) names() []string {
	items := r.tuple()
	names := make([]string, 0, len(items))
	for _, v := range items {
		if !isName(v) {
			r.fail("name in a code object is not a string")
			return nil
		}
		names = append(names, v.Text)
	}
	return names
}

func (r *reader) name() string {
	v := r.part()
	if v == nil {
		return ""
	}
	if !isName(v) {
		r.fail("name in a code object is not a string")
		return ""
	}
	return v.Text
}

func isName(v *Value) bool { return v.Kind == Text || v.Kind == Bytes }
