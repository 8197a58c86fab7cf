package pycode

import (
	"bytes"
	"slices"
	"testing"

	"bartizan/detect/artifact/marshal"
)

// Code objects that would be slow or large to follow. What they cost is bounded
// by a count, and said.
func TestHostileCode(t *testing.T) {
	big := str(string(bytes.Repeat([]byte("ab"), 1<<20)))
	none := &Value{Kind: marshal.None}
	for name, c := range hostile(t, big, none) {
		for _, layout := range []marshal.Layout{c.Layout, marshal.LayoutAny} {
			copied := *c
			copied.Layout = layout
			r := Analyze(marshal.Version{}, &copied)
			if !slices.Contains(r.Names, "system") {
				t.Errorf("%s: the names are lost", name)
			}
			t.Logf("%s, %v: unknown %v, irregular %q", name, layout, r.Unknown, r.Irregular)
		}
	}
}

func hostile(t *testing.T, big, none *Value) map[string]*Code {
	repeat := func(v marshal.Version, n int, before, each, after string) []byte {
		out := asm(t, v, before)
		out = append(out, bytes.Repeat(asm(t, v, each), n)...)
		return append(out, asm(t, v, after)...)
	}
	const end = "LOAD_CONST 0; RETURN_VALUE"
	code := func(bytecode []byte) *Code {
		return &Code{Layout: marshal.Layout311, Bytecode: bytecode, Names: []string{"system", "f"}, LocalsPlus: []string{"x"}, Consts: []*Value{none, big, str("a")}}
	}
	table := bytes.Repeat([]byte{0x80 >> 1, 0, 0x3f, 0, 1}, 40_000)
	guarded := code(repeat(py(12), 100_000, "RESUME 0", "NOP", end))
	guarded.ExceptionTable = table
	return map[string]*Code{
		"iterators":         code(repeat(py(12), 50_000, "RESUME 0; LOAD_CONST 0", "FOR_ITER 0", end)),
		"pushes":            code(repeat(py(12), 200_000, "RESUME 0", "LOAD_CONST 0", end)),
		"pushes and jumps":  code(repeat(py(12), 50_000, "RESUME 0", "LOAD_CONST 0; LOAD_CONST 0; POP_JUMP_IF_TRUE 0", end)),
		"big constants":     code(repeat(py(12), 20_000, "RESUME 0", "LOAD_CONST 1; LOAD_CONST 1; BINARY_OP 0; POP_TOP", end)),
		"big slices":        code(repeat(py(12), 20_000, "RESUME 0", "LOAD_CONST 1; LOAD_CONST 0; LOAD_CONST 0; BINARY_SLICE; POP_TOP", end)),
		"growing string":    code(repeat(py(12), 20_000, "RESUME 0; LOAD_CONST 2", "COPY 1; BINARY_OP 0", end)),
		"growing variable":  code(repeat(py(12), 20_000, "RESUME 0; LOAD_CONST 2; STORE_FAST 0", "LOAD_FAST 0; LOAD_CONST 2; BINARY_OP 0; STORE_FAST 0", end)),
		"growing list":      code(repeat(py(12), 20_000, "RESUME 0; BUILD_LIST 0", "COPY 1; LIST_EXTEND 1; LOAD_CONST 2; BUILD_LIST 1; LIST_EXTEND 1", end)),
		"attribute chain":   code(repeat(py(12), 20_000, "RESUME 0; LOAD_NAME 0", "LOAD_ATTR 0", end)),
		"calls of results":  code(repeat(py(12), 20_000, "RESUME 0; LOAD_NAME 0", "PUSH_NULL; SWAP 2; CALL 0", end)),
		"tuples of tuples":  code(repeat(py(12), 50_000, "RESUME 0; LOAD_CONST 0", "COPY 1; BUILD_TUPLE 2", end)),
		"prefixes":          code(repeat(py(12), 200_000, "RESUME 0", "EXTENDED_ARG 255", end)),
		"jumps backwards":   code(repeat(py(12), 50_000, "RESUME 0", "LOAD_CONST 0; POP_JUMP_IF_TRUE 1; JUMP_BACKWARD 2", end)),
		"exception table":   guarded,
		"joins":             code(repeat(py(12), 10_000, "RESUME 0", "LOAD_CONST 2; LOAD_ATTR 3; LOAD_CONST 1; CALL 1; POP_TOP", end)),
		"functions of code": code(repeat(py(12), 20_000, "RESUME 0", "LOAD_NAME 0; STORE_NAME 0; LOAD_NAME 0; STORE_NAME 1", end)),
	}
}
