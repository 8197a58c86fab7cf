// Package marshal reads Python's marshal format: what marshal.loads takes, what
// .pyc files hold, and how Keras, dill and others carry code objects.
//
// It decides nothing about danger. It turns bytes into values and code objects,
// as CPython 2.7 and 3.0 to 3.14 would read them. The format does not say which
// interpreter wrote it, so Parse tries the layouts that code objects have had
// and gives every reading that holds together. It never builds more than a
// bounded number of values and never runs anything.
//
// The source is CPython's Python/marshal.c of the versions named. Marshal
// versions 0 to 5 are read; PyPy's own code objects are not.
package marshal

// Kind says what a value is.
type Kind uint8

// The kinds of values.
const (
	None Kind = iota
	StopIteration
	Ellipsis
	False
	True
	Int     // Value.Int
	BigInt  // Value.Text: hexadecimal with sign, "-0x1f…"
	Float   // Value.Float
	Complex // Value.Float and Value.Imag
	Bytes   // Value.Text: the bytes (Python 2's str, too)
	Text    // Value.Text: UTF-8, surrogates as three bytes each
	Tuple   // Value.Items
	List    // Value.Items
	Dict    // Value.Items: key, value, key, value, …
	Set     // Value.Items
	FrozenSet
	Slice      // Value.Items: start, stop, step
	CodeObject // Value.Code
	Unknown    // stands for what a caller cannot tell; Parse never gives it
)

// Value is one Python value. Values may be shared and containers may contain
// themselves, as references allow: use Walk, or keep count.
type Value struct {
	Kind        Kind
	Text        string
	Int         int64
	Float, Imag float64
	Items       []*Value
	Code        *Code
}

// Code is a code object. Fields that a layout lacks are empty.
type Code struct {
	// Layout is the shape it was read in: which interpreters can have written it.
	Layout                             Layout
	ArgCount, PosOnlyCount, KwOnlyArgs int
	NLocals, StackSize                 int
	Flags                              uint32
	Bytecode                           []byte
	Consts                             []*Value
	Names                              []string
	VarNames, FreeVars, CellVars       []string
	// LocalsPlus and LocalKinds are how 3.11 and later index variables.
	LocalsPlus []string
	LocalKinds []byte
	Filename   string
	Name       string
	QualName   string
	FirstLine  int
	// LineTable is co_lnotab before 3.10.
	LineTable      []byte
	ExceptionTable []byte
}

// Layout is the shape of marshalled code objects.
type Layout uint8

// The layouts, by the interpreters that use them.
const (
	LayoutAny Layout = iota
	Layout27         // Python 2.3 to 2.7
	Layout30         // 3.0 to 3.7: kwonlyargcount
	Layout38         // 3.8 to 3.10: posonlyargcount
	Layout311        // 3.11 to 3.14: qualname, exceptiontable, localsplus
)

// String names the first and last interpreter of the layout.
func (l Layout) String() string {
	switch l {
	case Layout27:
		return "2.7"
	case Layout30:
		return "3.0-3.7"
	case Layout38:
		return "3.8-3.10"
	case Layout311:
		return "3.11-3.14"
	}
	return "any"
}

// Walk visits v and everything within it, each distinct value once, code
// objects' constants included, until visit returns false.
func Walk(v *Value, visit func(*Value) bool) {
	seen := map[*Value]bool{}
	todo := []*Value{v}
	for len(todo) > 0 {
		v = todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if v == nil || seen[v] {
			continue
		}
		seen[v] = true
		if !visit(v) {
			return
		}
		children := v.Items
		if v.Kind == CodeObject && v.Code != nil {
			children = v.Code.Consts
		}
		for i := len(children) - 1; i >= 0; i-- {
			todo = append(todo, children[i])
		}
	}
}

// Codes gives the code objects in v, outermost first, each once.
func Codes(v *Value) []*Code {
	var codes []*Code
	Walk(v, func(v *Value) bool {
		if v.Kind == CodeObject && v.Code != nil {
			codes = append(codes, v.Code)
		}
		return true
	})
	return codes
}
