package pickleasm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
)

// disassemble lists opcode names and arguments as Python's own pickletools reads them.
const disassemble = `
import sys, json, pickletools
out = []
try:
    for op, arg, pos in pickletools.genops(sys.stdin.buffer.read()):
        out.append([op.name, arg.decode("latin1") if isinstance(arg, (bytes, bytearray)) else arg])
except Exception as e:
    out.append(["error", str(e)])
json.dump(out, sys.stdout)
`

func pickletools(t *testing.T, stream []byte) [][2]any {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: no python3 on PATH, so the assembler is not compared with pickletools")
	}
	cmd := exec.Command(python, "-c", disassemble)
	cmd.Stdin = bytes.NewReader(stream)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pickletools: %v", err)
	}
	var ops [][2]any
	if err := json.Unmarshal(out, &ops); err != nil {
		t.Fatal(err)
	}
	return ops
}

// everyOpcode writes each of the 68 opcodes once, and says what pickletools should read.
func everyOpcode() (stream []byte, want [][2]any) {
	b := New()
	add := func(name string, arg any, write func(*Builder) *Builder) {
		write(b)
		want = append(want, [2]any{name, arg})
	}
	frame := func(b *Builder) *Builder { return b.Frame(5) }
	add("PROTO", 5., func(b *Builder) *Builder { return b.Proto(5) })
	add("FRAME", 5., frame)
	add("MARK", nil, (*Builder).Mark)
	add("POP", nil, (*Builder).Pop)
	add("POP_MARK", nil, (*Builder).PopMark)
	add("DUP", nil, (*Builder).Dup)
	add("FLOAT", 1.5, func(b *Builder) *Builder { return b.Float("1.5") })
	add("BINFLOAT", 2.5, func(b *Builder) *Builder { return b.BinFloat(2.5) })
	add("INT", 7., func(b *Builder) *Builder { return b.Int("7") })
	add("BININT", -70000., func(b *Builder) *Builder { return b.BinInt(-70000) })
	add("BININT1", 200., func(b *Builder) *Builder { return b.BinInt1(200) })
	add("BININT2", 60000., func(b *Builder) *Builder { return b.BinInt2(60000) })
	add("LONG", 12., func(b *Builder) *Builder { return b.Long("12L") })
	add("LONG1", -2., func(b *Builder) *Builder { return b.Long1([]byte{0xfe}) })
	add("LONG4", 256., func(b *Builder) *Builder { return b.Long4([]byte{0, 1}) })
	add("NONE", nil, (*Builder).None)
	add("NEWTRUE", nil, (*Builder).NewTrue)
	add("NEWFALSE", nil, (*Builder).NewFalse)
	add("STRING", "a'b", func(b *Builder) *Builder { return b.Str(AsString, "a'b") })
	add("BINSTRING", "cd", func(b *Builder) *Builder { return b.BinString("cd") })
	add("SHORT_BINSTRING", "e", func(b *Builder) *Builder { return b.ShortBinString("e") })
	add("UNICODE", "é\n", func(b *Builder) *Builder { return b.Str(AsUnicode, "é\n") })
	add("BINUNICODE", "é", func(b *Builder) *Builder { return b.BinUnicode("é") })
	add("SHORT_BINUNICODE", "f", func(b *Builder) *Builder { return b.ShortBinUnicode("f") })
	add("BINUNICODE8", "g", func(b *Builder) *Builder { return b.BinUnicode8("g") })
	add("BINBYTES", "h", func(b *Builder) *Builder { return b.BinBytes([]byte("h")) })
	add("SHORT_BINBYTES", "i", func(b *Builder) *Builder { return b.ShortBinBytes([]byte("i")) })
	add("BINBYTES8", "j", func(b *Builder) *Builder { return b.BinBytes8([]byte("j")) })
	add("BYTEARRAY8", "k", func(b *Builder) *Builder { return b.ByteArray8([]byte("k")) })
	add("NEXT_BUFFER", nil, (*Builder).NextBuffer)
	add("READONLY_BUFFER", nil, (*Builder).ReadonlyBuffer)
	for _, c := range []struct {
		name  string
		write func(*Builder) *Builder
	}{
		{"EMPTY_LIST", (*Builder).EmptyList}, {"APPEND", (*Builder).Append}, {"APPENDS", (*Builder).Appends}, {"LIST", (*Builder).List},
		{"EMPTY_TUPLE", (*Builder).EmptyTuple}, {"TUPLE", (*Builder).Tuple}, {"TUPLE1", (*Builder).Tuple1},
		{"TUPLE2", (*Builder).Tuple2}, {"TUPLE3", (*Builder).Tuple3}, {"EMPTY_DICT", (*Builder).EmptyDict},
		{"DICT", (*Builder).Dict}, {"SETITEM", (*Builder).SetItem}, {"SETITEMS", (*Builder).SetItems},
		{"EMPTY_SET", (*Builder).EmptySet}, {"ADDITEMS", (*Builder).AddItems}, {"FROZENSET", (*Builder).FrozenSet},
		{"MEMOIZE", (*Builder).Memoize}, {"STACK_GLOBAL", (*Builder).StackGlobal}, {"REDUCE", (*Builder).Reduce},
		{"BUILD", (*Builder).Build}, {"OBJ", (*Builder).Obj}, {"NEWOBJ", (*Builder).NewObj}, {"NEWOBJ_EX", (*Builder).NewObjEx},
		{"BINPERSID", (*Builder).BinPersID},
	} {
		add(c.name, nil, c.write)
	}
	add("PUT", 3., func(b *Builder) *Builder { return b.Put("3") })
	add("BINPUT", 4., func(b *Builder) *Builder { return b.BinPut(4) })
	add("LONG_BINPUT", 500., func(b *Builder) *Builder { return b.LongBinPut(500) })
	add("GET", 3., func(b *Builder) *Builder { return b.Get("3") })
	add("BINGET", 4., func(b *Builder) *Builder { return b.BinGet(4) })
	add("LONG_BINGET", 500., func(b *Builder) *Builder { return b.LongBinGet(500) })
	add("GLOBAL", "m n", func(b *Builder) *Builder { return b.Global("m", "n") })
	add("INST", "m n", func(b *Builder) *Builder { return b.Inst("m", "n") })
	add("EXT1", 1., func(b *Builder) *Builder { return b.Ext1(1) })
	add("EXT2", 300., func(b *Builder) *Builder { return b.Ext2(300) })
	add("EXT4", 70000., func(b *Builder) *Builder { return b.Ext4(70000) })
	add("PERSID", "p", func(b *Builder) *Builder { return b.PersID("p") })
	add("STOP", nil, (*Builder).Stop)
	return b.Bytes(), want
}

func TestEveryOpcodeReadsBackInPickletools(t *testing.T) {
	stream, want := everyOpcode()
	if len(want) != 68 || len(Opcodes()) != 68 {
		t.Fatalf("%d opcodes written, %d in the table, want 68", len(want), len(Opcodes()))
	}
	got := pickletools(t, stream)
	for i := 0; i < len(want) && i < len(got); i++ {
		if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
			t.Errorf("opcode %d: pickletools reads %v, want %v", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("pickletools reads %d opcodes, want %d", len(got), len(want))
	}
}

func TestHelpersReadBackInPickletools(t *testing.T) {
	n := Name{"os.path", "join"}
	cases := map[string]struct {
		build *Builder
		want  string
	}{
		"call": {New().Call("os", "system", "id").Stop(),
			"[[GLOBAL os system] [MARK <nil>] [SHORT_BINUNICODE id] [TUPLE <nil>] [REDUCE <nil>] [STOP <nil>]]"},
		"inst": {New().CallByInst("m", "n", 1).Stop(), "[[MARK <nil>] [BININT1 1] [INST m n] [STOP <nil>]]"},
		"obj":  {New().CallByObj("m", "n").Stop(), "[[MARK <nil>] [GLOBAL m n] [OBJ <nil>] [STOP <nil>]]"},
		"memo": {New().NamedThroughMemo(ByLongBinPut, ByGet, 9, n).Stop(),
			"[[BINUNICODE os.path] [LONG_BINPUT 9] [POP <nil>] [BINUNICODE join] [LONG_BINPUT 10] [POP <nil>] [GET 9] [GET 10] [STACK_GLOBAL <nil>] [STOP <nil>]]"},
		"frame": {New().Proto(4).Framed(func(b *Builder) { b.None().Stop() }), "[[PROTO 4] [FRAME 2] [NONE <nil>] [STOP <nil>]]"},
		"value": {New().Value(map[string]any{"b": Tuple{nil, true}, "a": []any{-1, 70000, 1 << 40}}).Stop(),
			"[[EMPTY_DICT <nil>] [MARK <nil>] [SHORT_BINUNICODE a] [EMPTY_LIST <nil>] [MARK <nil>] [BININT -1] [BININT 70000] [LONG 1.099511627776e+12] [APPENDS <nil>] " +
				"[SHORT_BINUNICODE b] [MARK <nil>] [NONE <nil>] [NEWTRUE <nil>] [TUPLE <nil>] [SETITEMS <nil>] [STOP <nil>]]"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(pickletools(t, c.build.Bytes())); got != c.want {
				t.Errorf("pickletools reads\n%s, want\n%s", got, c.want)
			}
		})
	}
}

func TestEveryTextFormHoldsTheSameText(t *testing.T) {
	const text = `it's "a" \ path` + "\n"
	for _, form := range TextForms() {
		got := pickletools(t, New().Str(form, text).Stop().Bytes())
		if got[0][1] != text {
			t.Errorf("form %d: pickletools reads %q, want %q", form, got[0][1], text)
		}
	}
}
