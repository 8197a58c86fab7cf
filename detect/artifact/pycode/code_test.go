package pycode

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/marshal"
)

// TestSamples needs no interpreter: one module of every version.
func TestSamples(t *testing.T) {
	paths, _ := filepath.Glob("../marshal/testdata/*.pyc")
	if len(paths) < 9 {
		t.Fatalf("samples: %q", paths)
	}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		pyc := marshal.ParsePyc(data)
		for _, version := range []marshal.Version{pyc.Version, {}} {
			r := Analyze(version, pyc.Codes()[0])
			if r.Unknown || len(r.Irregular) > 0 || r.Codes != 5 || !slices.Contains(r.Versions, pyc.Version) {
				t.Errorf("%s: %+v", p, r)
			}
			for _, want := range []string{"os.system", "os.path.join", "base64.b64decode", "builtins.object"} {
				if !slices.Contains(r.References, want) {
					t.Errorf("%s: %q is not in %q", p, want, r.References)
				}
			}
			if !slices.Contains(r.Imports, "os.path") || !slices.Contains(r.Imports, "base64.b64decode") || !slices.Contains(r.Constants, "YQ==") {
				t.Errorf("%s: imports %q, constants %q", p, r.Imports, r.Constants)
			}
			if !slices.Contains(r.Constants, "a") { // YQ== decoded
				t.Errorf("%s: a decoded constant is missing: %q", p, r.Constants)
			}
			if !slices.ContainsFunc(r.Calls, func(c Call) bool {
				return c.Target == "os.system" && strings.HasSuffix(c.In, "method") && strings.TrimPrefix(c.Args[0], "b") == `"ls"`
			}) {
				t.Errorf("%s: calls %v", p, r.Calls)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	data, err := os.ReadFile("../marshal/testdata/sample-312.pyc")
	if err != nil {
		t.Fatal(err)
	}
	code := marshal.ParsePyc(data).Codes()[0]
	code.Name = "evil\x1b[31m\u202e"
	code.QualName = code.Name
	s := Summary(marshal.Version{}, code)
	if !strings.HasPrefix(s, `evil\x1b[31m\u202e (Python 3.12, sample.py):`) || !strings.Contains(s, "IMPORT_NAME os.path") || !strings.Contains(s, "LOAD_CONST \"ls\"") {
		t.Error(s)
	}
	if strings.ContainsAny(s, "\x1b\u202e") || len(s) > summaryBytes+500 || strings.Count(s, "\n") > summaryLines {
		t.Errorf("%d bytes, %d lines", len(s), strings.Count(s, "\n"))
	}
	broken := &Code{Layout: marshal.Layout311, Name: "f", Names: []string{"system"}, Bytecode: []byte{255, 255}}
	if s := Summary(marshal.Version{}, broken); !strings.Contains(s, "system") || !strings.Contains(s, "not readable") {
		t.Error(s)
	}
}

// TestCodeArgs takes what cloudpickle and dill pass, from every interpreter at hand.
func TestCodeArgs(t *testing.T) {
	for v, python := range interpreters(t) {
		out, err := exec.Command(python, "testdata/codeargs.py").Output()
		if err != nil {
			t.Fatal(v, err)
		}
		res := marshal.Parse(out, v.Layout())
		if len(res.Readings) != 1 {
			t.Fatal(v, res.Fault)
		}
		for i, args := range res.Readings[0].Value.Items {
			dill := i == 1
			c, err := FromCodeArgs(args.Items, dill)
			if err != nil {
				t.Errorf("%v, %d arguments: %v", v, len(args.Items), err)
				continue
			}
			if dill != (c.Layout == marshal.LayoutAny) || !dill && c.Layout != v.Layout() {
				t.Errorf("%v: layout %v", v, c.Layout)
			}
			r := Analyze(marshal.Version{}, c)
			if r.Unknown || !slices.Contains(r.Versions, v) || !slices.Contains(r.References, "os.system") || r.Codes != 2 {
				t.Errorf("%v, dill %v: %+v", v, dill, r)
			}
		}
	}
}

func TestCodeArgsThatAreNone(t *testing.T) {
	number := &Value{Kind: marshal.Int, Int: 1}
	str := func(s string) *Value { return &Value{Kind: marshal.Text, Text: s} }
	names := &Value{Kind: marshal.Tuple, Items: []*Value{str("os"), str("system")}}
	unknown := &Value{Kind: marshal.Unknown}
	for name, args := range map[string][]*Value{
		"none":          nil,
		"nil":           {nil, nil, nil},
		"one":           {number},
		"only numbers":  {number, number, number, number, number, number, number, number, number, number, number, number, number, number},
		"too few":       {number, number, number, number, number, str("code"), names, names},
		"unknown code":  {number, number, number, number, number, unknown, names, names, names, str("f"), str("n"), number, str("")},
		"nogil's":       {number, number, number, number, number, number, number, number, str("c"), names, names, str("f"), str("n"), number, str("")},
		"unknown first": {unknown, number, number, number, str("c"), names, names, names, str("f"), str("n"), number, str(""), names, names},
	} {
		c, err := FromCodeArgs(args, false)
		if err == nil || c == nil {
			t.Errorf("%s: %v, %v", name, c, err)
			continue
		}
		if len(args) > 7 && name != "only numbers" && !slices.Contains(Analyze(marshal.Version{}, c).Names, "system") {
			t.Errorf("%s: names %q", name, c.Names)
		}
	}
}

// asm makes bytecode of names and arguments, with the caches that the version wants.
func asm(t *testing.T, v marshal.Version, program string) []byte {
	t.Helper()
	var tab *table
	for i := range tables {
		if tables[i].version == v {
			tab = &tables[i]
		}
	}
	var code []byte
	for _, line := range strings.Split(program, ";") {
		var name string
		arg := 0
		if _, err := fmt.Sscanf(strings.TrimSpace(line)+" 0", "%s %d", &name, &arg); err != nil {
			t.Fatal(line, err)
		}
		found := false
		for b, e := range tab.entries {
			if e.op != opInvalid && opNames[e.op] == name && !e.special {
				code, found = append(code, byte(b), byte(arg)), true
				code = append(code, make([]byte, 2*int(e.caches))...)
				break
			}
		}
		if !found {
			t.Fatalf("%v has no %s", v, name)
		}
	}
	return code
}

func str(s string) *Value { return &Value{Kind: marshal.Text, Text: s} }

func py(minor uint8) marshal.Version { return marshal.Version{Major: 3, Minor: minor} }

// 3.14 has no interpreter here: its instructions by hand.
func TestPython314(t *testing.T) {
	none := &Value{Kind: marshal.None}
	c := &Code{
		Layout: marshal.Layout311, Name: "f", Names: []string{"os", "system", "getattr"}, Consts: []*Value{none, str("ls"), str("sys"), str("tem")},
		LocalsPlus: []string{"a", "b"}, VarNames: []string{"a", "b"}, ArgCount: 1, StackSize: 5,
		Bytecode: asm(t, py(14), `RESUME 0; LOAD_SMALL_INT 0; LOAD_CONST 0; IMPORT_NAME 0; STORE_FAST 1; LOAD_FAST_BORROW 1; LOAD_ATTR 3; LOAD_CONST 1; CALL 1;
			POP_TOP; LOAD_GLOBAL 5; LOAD_FAST_BORROW 1; LOAD_CONST 2; LOAD_CONST 3; BINARY_OP 0; CALL 2; PUSH_NULL; LOAD_FAST_BORROW_LOAD_FAST_BORROW 1;
			BUILD_TUPLE 2; PUSH_NULL; CALL_FUNCTION_EX 0; POP_TOP; LOAD_FAST 0; LOAD_SMALL_INT 3; BINARY_OP 26; TO_BOOL; POP_JUMP_IF_FALSE 3; NOT_TAKEN;
			LOAD_CONST 0; RETURN_VALUE; LOAD_COMMON_CONSTANT 2; RETURN_VALUE`),
	}
	r := Analyze(marshal.Version{}, c)
	if r.Unknown || len(r.Irregular) > 0 || !slices.Equal(r.Versions, []marshal.Version{py(14)}) {
		t.Errorf("%+v", r)
	}
	calls := 0
	for _, call := range r.Calls {
		if call.Target == "os.system" {
			calls++
		}
	}
	if calls != 2 {
		t.Errorf("calls %+v", r.Calls)
	}
}

// What no compiler writes is reported; CPython would run it.
func TestIrregular(t *testing.T) {
	for _, c := range []struct {
		name, program, want string
		edit                func([]byte) []byte
	}{
		{"constant", "RESUME 0; LOAD_CONST 9; RETURN_VALUE", "constant index out of range", nil},
		{"name", "RESUME 0; LOAD_NAME 9; RETURN_VALUE", "name index out of range", nil},
		{"variable", "RESUME 0; LOAD_FAST 9; RETURN_VALUE", "variable index out of range", nil},
		{"cell", "RESUME 0; LOAD_DEREF 9; RETURN_VALUE", "cell index out of range", nil},
		{"underflow", "RESUME 0; POP_TOP; LOAD_CONST 0; RETURN_VALUE", "stack underflow", nil},
		{"end", "RESUME 0; LOAD_CONST 0; POP_TOP", "flow runs over the end of the code", nil},
		{"jump", "RESUME 0; JUMP_FORWARD 99; LOAD_CONST 0; RETURN_VALUE", "jump out of the code", nil},
		{"cache", "RESUME 0; LOAD_GLOBAL 0; RETURN_VALUE", "inline cache is not empty", func(b []byte) []byte { b[4] = 1; return b }},
		{"opcode", "RESUME 0; LOAD_CONST 0; RETURN_VALUE", "undefined opcode", func(b []byte) []byte { b[2] = 0xf0 - 3; return b }},
	} {
		code := asm(t, py(11), c.program)
		if c.edit != nil {
			code = c.edit(code)
		}
		r := Analyze(py(11), &Code{Layout: marshal.Layout311, Bytecode: code, Names: []string{"n"}, Consts: []*Value{str("k")}})
		if !slices.Contains(r.Irregular, c.want) {
			t.Errorf("%s: %q", c.name, r.Irregular)
		}
		if !slices.Contains(r.Names, "n") || !slices.Contains(r.Constants, "k") {
			t.Errorf("%s: names %q, constants %q", c.name, r.Names, r.Constants)
		}
		if c.name == "opcode" && !r.Unknown {
			t.Error("undecodable bytecode is not unknown")
		}
	}
}

// A specialised instruction can be written into a code object and is run as it stands.
func TestSpecialisedOpcode(t *testing.T) {
	for i := range tables {
		for b, e := range tables[i].entries {
			if !e.special {
				continue
			}
			r := Analyze(tables[i].version, &Code{Layout: tables[i].version.Layout(), Bytecode: append([]byte{byte(b), 0}, make([]byte, 40)...)})
			if !slices.Contains(r.Irregular, "opcode that only a running interpreter makes") {
				t.Fatalf("%v %d: %q", tables[i].version, b, r.Irregular)
			}
		}
	}
}

// Instructions hidden in inline caches, which a jump enters.
func TestJumpIntoCaches(t *testing.T) {
	v := py(12)
	hiddenCode := asm(t, v, "LOAD_NAME 0; LOAD_ATTR 2")[:6] // os.system: two words of LOAD_ATTR's own cache
	code := asm(t, v, "RESUME 0; JUMP_FORWARD 1; LOAD_ATTR 0")
	copy(code[6:], hiddenCode)
	code = append(code, asm(t, v, "POP_TOP; LOAD_CONST 0; RETURN_VALUE")...)
	r := Analyze(v, &Code{Layout: marshal.Layout311, Bytecode: code, Names: []string{"os", "system"}, Consts: []*Value{{Kind: marshal.None}}})
	if !slices.Contains(r.References, "os.system") {
		t.Errorf("%+v", r)
	}
}

// Code that two versions read: what either would do counts.
func TestAmbiguousVersion(t *testing.T) {
	code := asm(t, py(8), "LOAD_NAME 0; LOAD_ATTR 1; LOAD_CONST 0; CALL_FUNCTION 1; RETURN_VALUE")
	r := Analyze(marshal.Version{}, &Code{Layout: marshal.Layout38, Bytecode: code, Names: []string{"os", "system"}, Consts: []*Value{str("ls")}, StackSize: 3})
	if !slices.Contains(r.References, "os.system") || len(r.Versions) < 2 {
		t.Errorf("%+v", r)
	}
}

// Bounds that are met are said.
func TestBounds(t *testing.T) {
	c := &Code{Layout: marshal.Layout311, Bytecode: asm(t, py(12), "RESUME 0; LOAD_CONST 0; RETURN_VALUE"), Consts: []*Value{str("x")}}
	for i := range MaxNames + 1 {
		c.Names = append(c.Names, fmt.Sprint("n", i))
	}
	if r := Analyze(marshal.Version{}, c); !r.Unknown || len(r.Names) != MaxNames {
		t.Errorf("%d names, unknown %v", len(r.Names), r.Unknown)
	}
	c.Names = nil
	for i := range maxUnits + 1 {
		c.Consts = append(c.Consts, &Value{Kind: marshal.CodeObject, Code: &Code{Layout: marshal.Layout311, Name: fmt.Sprint(i)}})
	}
	if r := Analyze(marshal.Version{}, c); !r.Unknown {
		t.Error("too many code objects, and nothing said")
	}
	cyclic := &Value{Kind: marshal.Tuple}
	cyclic.Items = []*Value{cyclic, str("deep")}
	c = &Code{Layout: marshal.Layout311, Bytecode: c.Bytecode, Consts: []*Value{cyclic}}
	if r := Analyze(marshal.Version{}, c); !slices.Contains(r.Constants, "deep") {
		t.Errorf("%q", r.Constants)
	}
}

func FuzzDisassemble(f *testing.F) {
	paths, _ := filepath.Glob("../marshal/testdata/*.pyc")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range marshal.ParsePyc(data).Codes() {
			f.Add(uint8(c.Layout), c.Bytecode, c.ExceptionTable)
		}
	}
	f.Fuzz(func(t *testing.T, layout uint8, code, exceptions []byte) {
		nested := &Code{Layout: marshal.Layout(layout % 5), Name: "g", Bytecode: code, Names: []string{"os", "system"}}
		c := &Code{
			Layout: marshal.Layout(layout % 5), Name: "f", Bytecode: code, ExceptionTable: exceptions, ArgCount: 1,
			Names: []string{"os", "system", "getattr", "x"}, VarNames: []string{"a", "b"}, CellVars: []string{"b"}, FreeVars: []string{"c"},
			Consts: []*Value{{Kind: marshal.None}, str("s"), {Kind: marshal.Int, Int: 3}, {Kind: marshal.CodeObject, Code: nested},
				{Kind: marshal.Tuple, Items: []*Value{str("t"), str("u")}}},
		}
		r := Analyze(marshal.Version{}, c)
		if len(r.Names) < 4 || len(r.Constants) < 2 {
			t.Fatalf("lost names or constants: %q %q", r.Names, r.Constants)
		}
		if len(r.Versions) == 0 && !r.Unknown {
			t.Fatal("read by no version, and not unknown")
		}
		if s := Summary(marshal.Version{}, c); len(s) > 2*summaryBytes {
			t.Fatalf("summary of %d bytes", len(s))
		}
	})
}

// Marshalled code in a constant is read where the code passes it to marshal.loads.
func TestMarshalledConstant(t *testing.T) {
	data, err := os.ReadFile("../marshal/testdata/sample-312.pyc")
	if err != nil {
		t.Fatal(err)
	}
	c := &Code{
		Layout: marshal.Layout311, Names: []string{"marshal", "loads", "exec"}, StackSize: 6,
		Consts:   []*Value{{Kind: marshal.Int}, {Kind: marshal.None}, {Kind: marshal.Bytes, Text: string(data[16:])}},
		Bytecode: asm(t, py(12), "RESUME 0; LOAD_CONST 0; LOAD_CONST 1; IMPORT_NAME 0; STORE_NAME 0; PUSH_NULL; LOAD_NAME 2; PUSH_NULL; LOAD_NAME 0; LOAD_ATTR 2; LOAD_CONST 2; CALL 1; CALL 1; RETURN_VALUE"),
	}
	r := Analyze(py(12), c)
	if !slices.Contains(r.References, "os.system") || !slices.Contains(r.Names, "b64decode") || r.Unknown {
		t.Errorf("%+v", r)
	}
}
