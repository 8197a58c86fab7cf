package pycode

import (
	"errors"
	"fmt"

	"bartizan/detect/artifact/marshal"
)

// ErrArgs says that arguments are not those of a code object, or not all known.
var ErrArgs = errors.New("not the arguments of a code object")

// FromCodeArgs makes a code object of the arguments that pickles carry: those of
// types.CodeType for 2.7 (12 to 14 arguments), 3.0 to 3.7 (13 to 15), 3.8 to
// 3.10 (14 to 16) and 3.11 to 3.14 (16 to 18), as cloudpickle passes them; and,
// with dill set, those of dill._dill._create_code, which may begin with
// co_lnotab, know PyPy's and 3.11 alpha's shapes too (17, 20), and are turned
// into whatever the loading interpreter wants: any version's opcodes may apply.
//
// What the caller cannot tell is a Value of kind Unknown. On an error the code
// object still holds every name and constant that stands in the arguments.
func FromCodeArgs(args []*Value, dill bool) (*Code, error) {
	all := args
	if dill && len(args) > 0 && !isInt(args[0]) {
		args = args[1:]
	}
	ints := 0
	for ints < len(args) && ints < 9 && isInt(args[ints]) {
		ints++
	}
	c := &Code{}
	rest := args[min(ints, len(args)):]
	var err error
	switch {
	case ints == 4 && len(rest) >= 8:
		c.Layout = marshal.Layout27
		setInts(args, &c.ArgCount, &c.NLocals, &c.StackSize)
	case ints == 5 && len(rest) >= 8:
		c.Layout = marshal.Layout30
		setInts(args, &c.ArgCount, &c.KwOnlyArgs, &c.NLocals, &c.StackSize)
	case ints == 6 && len(rest) >= 8:
		c.Layout = marshal.Layout38
		if len(rest) >= 10 && !isInt(rest[6]) {
			c.Layout = marshal.Layout311
		}
		setInts(args, &c.ArgCount, &c.PosOnlyCount, &c.KwOnlyArgs, &c.NLocals, &c.StackSize)
	default:
		err = fmt.Errorf("%d arguments, %d numbers first: %w", len(args), ints, ErrArgs)
		salvage(c, all)
		return c, err
	}
	c.Flags = uint32(args[ints-1].Int)
	if !fill(c, rest) {
		err = fmt.Errorf("an argument is of another type or not known: %w", ErrArgs)
		salvage(c, all)
	}
	if dill {
		c.Layout = marshal.LayoutAny
	}
	return c, err
}

func isInt(v *Value) bool {
	return v != nil && (v.Kind == marshal.Int || v.Kind == marshal.True || v.Kind == marshal.False)
}

func setInts(args []*Value, fields ...*int) {
	for i, f := range fields {
		*f = int(args[i].Int)
		if args[i].Kind == marshal.True {
			*f = 1
		}
	}
}

// fill reads code, consts, names, varnames, filename, name, [qualname,]
// firstlineno, linetable, [more tables,] and, last, freevars and cellvars.
func fill(c *Code, rest []*Value) bool {
	ok := true
	take := func() *Value {
		if len(rest) == 0 {
			ok = false
			return &Value{Kind: marshal.Unknown}
		}
		v := rest[0]
		rest = rest[1:]
		return v
	}
	c.Bytecode = raw(take(), &ok)
	c.Consts = tuple(take(), &ok)
	c.Names, c.VarNames = names(take(), &ok), names(take(), &ok)
	c.Filename, c.Name = name(take()), name(take())
	c.QualName = c.Name
	if c.Layout == marshal.Layout311 {
		c.QualName = name(take())
	}
	if first := take(); isInt(first) {
		c.FirstLine = int(first.Int)
	}
	c.LineTable = []byte(take().Text)
	for len(rest) > 0 && rest[0] != nil && rest[0].Kind != marshal.Tuple && rest[0].Kind != marshal.List {
		c.ExceptionTable = []byte(take().Text) // the last one counts
	}
	if len(rest) > 0 {
		c.FreeVars = names(take(), &ok)
	}
	if len(rest) > 0 {
		c.CellVars = names(take(), &ok)
	}
	return ok && len(rest) == 0
}

// raw takes text as well: dill encodes it.
func raw(v *Value, ok *bool) []byte {
	if v == nil || v.Kind != marshal.Bytes && v.Kind != marshal.Text {
		*ok = false
		return nil
	}
	return []byte(v.Text)
}

func tuple(v *Value, ok *bool) []*Value {
	if v == nil || v.Kind != marshal.Tuple && v.Kind != marshal.List {
		*ok = false
		return nil
	}
	return v.Items
}

func names(v *Value, ok *bool) []string {
	var list []string
	for _, item := range tuple(v, ok) {
		if item == nil || item.Kind != marshal.Text && item.Kind != marshal.Bytes {
			*ok = false
			continue
		}
		list = append(list, item.Text)
	}
	return list
}

func name(v *Value) string {
	if v == nil || v.Kind != marshal.Text && v.Kind != marshal.Bytes {
		return ""
	}
	return v.Text
}

// salvage takes every tuple of strings for names and everything for constants.
func salvage(c *Code, args []*Value) {
	for _, v := range args {
		if v == nil {
			continue
		}
		c.Consts = append(c.Consts, v)
		ok := true
		if list := names(v, &ok); ok {
			c.Names = append(c.Names, list...)
		}
	}
}
