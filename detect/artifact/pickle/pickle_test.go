package pickle_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact"
	"bartizan/detect/artifact/pickle"
	"bartizan/detect/input"
	"bartizan/finding"
	"bartizan/internal/pickleasm"
)

func examine(t *testing.T, data []byte) finding.Result {
	t.Helper()
	e, err := artifact.New(artifact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out finding.Collector
	if err := e.Examine(context.Background(), "x.pkl", "x.pkl", input.FromBytes(data), &out); err != nil {
		t.Fatal(err)
	}
	return out.Result("x.pkl")
}

// says lists what a result shows, for messages.
func says(r finding.Result) string {
	lines := []string{r.Verdict.String(), r.Coverage.String()}
	lines = append(lines, r.Reasons...)
	for _, f := range r.Findings {
		lines = append(lines, f.Severity.String()+" "+f.Rule+" "+f.Message)
	}
	return strings.Join(lines, "\n  ")
}

func rules(r finding.Result) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Rule)
	}
	return out
}

func wrap(t *testing.T, data []byte, how pickleasm.Wrapping) string {
	t.Helper()
	b, err := pickleasm.Wrap(data, how)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func system() []byte {
	return pickleasm.New().Proto(2).Global("os", "system").BinUnicode("id").Op(pickleasm.TUPLE1).Reduce().Stop().Bytes()
}

// TestBlocks holds streams that must block, each with a rule that must be among
// the findings.
func TestBlocks(t *testing.T) {
	asm := pickleasm.New
	tests := []struct {
		name, rule string
		data       []byte
	}{
		{"call", "pickle/dangerous-call", system()},
		{"resolved only", "pickle/dangerous-global", []byte("cos\nsystem\n.")},
		{"broken after the call", "pickle/dangerous-call", []byte("cos\nsystem\n(S'id'\ntR\xff")},
		{"cut off after the call", "pickle/dangerous-call", []byte("cos\nsystem\n(S'id'\ntR")},
		{"second stream", "pickle/dangerous-call", append([]byte("N."), system()...)},
		{"dropped by POP", "pickle/dangerous-call", []byte("(cos\nsystem\nS'id'\no0N.")},
		{"INST", "pickle/dangerous-call", []byte("(S'id'\nios\nsystem\n.")},
		{"Python 2 name", "pickle/dangerous-call", []byte("c__builtin__\neval\n(S'1'\ntR.")},
		{"dotted through a safe module", "pickle/dangerous-call", asm().Proto(4).ShortBinUnicode("pathlib").ShortBinUnicode("os.system").StackGlobal().ShortBinUnicode("id").Op(pickleasm.TUPLE1).Reduce().Stop().Bytes()},
		{"getattr of a module, by a callable", "pickle/handed-on", []byte("cbuiltins\ngetattr\n(cos\n__name__\ncos\nsystem\ntR.")},
		{"getattr by text", "pickle/dangerous-global", []byte("cbuiltins\ngetattr\n(cimportlib\nimport_module\n(S'os'\ntRS'system'\ntR.")},
		{"partial", "pickle/dangerous-call", []byte("cfunctools\npartial\n(cos\nsystem\nS'id'\ntR(tR.")},
		{"attrgetter of a call", "pickle/dangerous-call", []byte("coperator\nattrgetter\n(S'system'\ntR(cbuiltins\n__import__\n(S'os'\ntRtR(S'id'\ntR.")},
		{"methodcaller", "pickle/dangerous-call", []byte("coperator\nmethodcaller\n(S'system'\nS'id'\ntR(cbuiltins\n__import__\n(S'os'\ntRtR.")},
		{"resolve_name", "pickle/dangerous-call", []byte("cpkgutil\nresolve_name\n(S'os:system'\ntR(S'id'\ntR.")},
		{"Python 2 apply", "pickle/dangerous-call", []byte("c__builtin__\napply\n(cos\nsystem\n(S'id'\nttR.")},
		{"map", "pickle/dangerous-call", []byte("cbuiltins\nmap\n(cos\nsystem\n(lp0\nS'id'\natR.")},
		{"BUILD on a module", "pickle/overwrite", []byte("cos\npath\n}(S'sep'\nS'x'\nub.")},
		{"APPEND on sys.path", "pickle/overwrite", []byte("csys\npath\nS'/tmp/x'\na.")},
		{"SETITEM on sys.modules", "pickle/overwrite", []byte("csys\nmodules\nS'os'\nNs.")},
		{"computed name", "pickle/computed-name", asm().Proto(4).PersID("x").ShortBinUnicode("system").StackGlobal().Stop().Bytes()},
		{"folded name", "pickle/dangerous-global", []byte("\x80\x04cbuiltins\ngetattr\n(S''\nS'join'\ntR((lS'o'\naS's'\natRS'system'\n\x93.")},
		{"call of a persistent id", "pickle/unresolvable-target", []byte("Pevil\n(S'id'\ntR.")},
		{"call of an extension", "pickle/unresolvable-target", []byte("\x80\x02\x82\x05(S'id'\ntR.")},
		{"unknown callable with code", "pickle/unknown-call", []byte("cmylib\nrun\n(S'import os; os.system(\"id\")'\ntR.")},
		{"unknown callable with bytes", "pickle/unknown-call", []byte("\x80\x03cmylib\nload\nC\x08\xde\xad\xbe\xef\x00\x01\x02\x03\x85R.")},
		{"unknown callable with a callable", "pickle/unknown-call", []byte("cmylib\nrun\n(cother\nthing\ntR.")},
		{"dunder", "pickle/dangerous-global", asm().Proto(4).ShortBinUnicode("statistics").ShortBinUnicode("mean.__globals__").StackGlobal().Stop().Bytes()},
		{"nested in bytes", "pickle/dangerous-call", asm().Proto(4).ShortBinBytes(system()).Stop().Bytes()},
		{"nested in base64", "pickle/dangerous-call", asm().Proto(4).BinUnicode(wrap(t, system(), pickleasm.Base64)).Stop().Bytes()},
		{"nested in hex", "pickle/dangerous-call", asm().Proto(4).BinUnicode(wrap(t, system(), pickleasm.Hex)).Stop().Bytes()},
		{"nested in zlib", "pickle/dangerous-call", asm().Proto(4).BinBytes([]byte(wrap(t, system(), pickleasm.Zlib))).Stop().Bytes()},
		{"nested in gzip in base64", "pickle/dangerous-call", asm().Proto(4).BinUnicode(wrap(t, []byte(wrap(t, system(), pickleasm.Gzip)), pickleasm.Base64)).Stop().Bytes()},
		{"base64 twice", "pickle/dangerous-call", asm().Proto(4).BinUnicode(wrap(t, []byte(wrap(t, system(), pickleasm.Base64)), pickleasm.Base64)).Stop().Bytes()},
		{"behind a short frame", "pickle/dangerous-call", frameDivergence()},
		{"setstate hook", "pickle/hook", []byte("ccollections\nUserDict\n)\x81}(S'__setstate__'\ncmylib\nf\nub.")},
		{"tensor beyond its storage", "pickle/tensor-bounds", tensor("K\x04", "K\x05\x85")},
		{"items of a tensor", "pickle/filled-object", append(tensor("K\x04", "K\x04\x85")[:len(tensor("K\x04", "K\x04\x85"))-1], "K\x00K\x01s."...)},
		{"replace with a count", "pickle/computed-name", []byte("\x80\x04cbuiltins\nstr.replace\n(S'os'\nS'os'\nS'collections'\nK\x00tRS'system'\n\x93S'id'\n\x85R.")},
		{"list changed before it is read", "pickle/computed-name", []byte("\x80\x04(lp0\n0cbuiltins\nlist.append\n(g0\nS'o'\ntR0cbuiltins\nstr.join\n(S''\ng0\ntRS'system'\n\x93.")},
		{"methodcaller planted in an object", "pickle/handed-on", []byte("cargparse\nNamespace\n)\x81}S'append'\ncoperator\nmethodcaller\n(S'write_text'\nS'x'\ntRsb.")},
		{"methodcaller in the state of another dict", "pickle/handed-on", []byte("cargparse\nNamespace\n)\x81ccollections\nOrderedDict\n)RS'append'\ncoperator\nmethodcaller\n(S'system'\nS'id'\ntRsb.")},
		{"sys.modules handed to a method", "pickle/handed-on", []byte("cbuiltins\ndict.get\n(csys\nmodules\nS'os'\ntR.")},
		{"keywords of a partial", "pickle/handed-on", []byte("cfunctools\npartial\n(cbuiltins\nsorted\ntR(cbuiltins\nsorted\n((lt}S'key'\ncoperator\nmethodcaller\n(S'write_text'\nS'x'\ntRsNtb)R.")},
		{"behind two thousand findings", "pickle/dangerous-call", []byte(strings.Repeat("cmylib\nf\n(K\x01tR0", 2500) + "cos\nsystem\n(S'id'\ntR.")},
		{"behind text without an extension", "pickle/dangerous-call", []byte("V" + strings.Repeat("a ", 4000) + "\n0cos\nsystem\n(S'id'\ntR.")},
		{"unterminated name", "pickle/dangerous-global", []byte("cos\nsystemX")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := examine(t, tt.data)
			if r.Verdict != finding.Block || !slices.Contains(rules(r), tt.rule) {
				t.Errorf("want block by %s, got\n  %s", tt.rule, says(r))
			}
		})
	}
}

// tensor rebuilds a tensor of that size over a storage of so many elements.
func tensor(elements, size string) []byte {
	return []byte("\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" +
		elements + "tQK\x00" + size + "K\x01\x85\x89ccollections\nOrderedDict\n)RtR.")
}

// frameDivergence hides a call from readers that go straight on: its frame ends
// within a bytes value of four bytes; readers of files leave the two that the
// frame holds, take four others, and so read the next literal's content as opcodes.
func frameDivergence() []byte {
	payload := "cos\nsystem\n(S'id'\ntR."
	return pickleasm.New().Proto(4).Frame(7).Text("B\x04\x00\x00\x00xx").Text("xx").
		Text("C" + string(rune(len(payload))) + payload).Stop().Bytes()
}

// TestReviews holds streams of which something is unknown or not wholly seen.
func TestReviews(t *testing.T) {
	tests := map[string][]byte{
		"unknown class":                        []byte("\x80\x02cmylib\nThing\n)\x81}X\x01\x00\x00\x00aK\x01sb."),
		"TorchScript type outside its archive": []byte("\x80\x02c__torch__.model\nNet\n)\x81}X\x01\x00\x00\x00aK\x01sb."),
		"Python 2's name in protocol 4":        []byte("\x80\x04\x8c\x05Queue\x8c\x05Queue\x93."),
		"unknown callable":                     []byte("cmylib\nmake\n(I1\ntR."),
		"cut off":                              []byte("\x80\x04]\x94(K\x01"),
		"bad opcode":                           []byte("\x80\x04N\xff"),
		"out-of-band buffer":                   []byte("\x80\x05\x97."),
		"extension code":                       []byte("\x80\x02\x82\x05."),
		"operand after frame":                  []byte("\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00\x8c\x01x."),
		"deep nesting":                         []byte(strings.Repeat("]", 120_000) + strings.Repeat("a", 119_999) + "."),
		"huge decimal":                         []byte("I" + strings.Repeat("9", 200_000) + "\n."),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if r := examine(t, data); r.Verdict != finding.Review {
				t.Errorf("want review, got\n  %s", says(r))
			}
		})
	}
}

// TestClean holds streams that are proven inert.
func TestClean(t *testing.T) {
	tests := map[string][]byte{
		"none":                 []byte("N."),
		"protocol 0":           []byte("(dp0\nVa\np1\nI1\ns."),
		"protocol 4":           []byte("\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s."),
		"ordered dict":         []byte("ccollections\nOrderedDict\n)R."),
		"bytes of protocol 2":  []byte("\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00abX\x06\x00\x00\x00latin1\x86R."),
		"date":                 []byte("\x80\x04\x8c\x08datetime\x8c\x04date\x93C\x04\x07\xe8\x01\x01\x85R."),
		"bound method of zone": []byte("cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\nS'_unpickle'\ntR."),
		"partial of int":       []byte("cfunctools\npartial\n(cbuiltins\nint\ntR(cbuiltins\nint\n(t}N\x74b."),
		"code-like text":       []byte("\x80\x04X\x10\x00\x00\x00os.system('id');."),
		"tensor":               tensor("K\x04", "K\x04\x85"),
		"shared reference":     []byte("\x80\x04]\x94h\x00h\x00\x86."),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if r := examine(t, data); r.Verdict != finding.Clean || r.Coverage != finding.Complete {
				t.Errorf("want clean, got\n  %s", says(r))
			}
		})
	}
}

// TestSymbolEvidence holds that evidence names the symbol as the stream does.
func TestSymbolEvidence(t *testing.T) {
	r := examine(t, []byte("\x80\x04\x8c\x07pathlib\x8c\x09os.system\x93\x8c\x02id\x85R."))
	for _, f := range r.Findings {
		if f.Rule == "pickle/dangerous-call" {
			if f.Evidence["symbol"] != "pathlib.os.system" || f.Evidence["target"] != "os.system" {
				t.Errorf("evidence %v", f.Evidence)
			}
			return
		}
	}
	t.Errorf("no dangerous call\n  %s", says(r))
}

// TestDecompile holds the pseudo-code of a stream.
func TestDecompile(t *testing.T) {
	e, err := artifact.New(artifact.Options{Decompile: true})
	if err != nil {
		t.Fatal(err)
	}
	var out finding.Collector
	data := []byte("(S'a'\ncos\nsystem\n(S'id'\ntRd.")
	if err := e.Examine(context.Background(), "x.pkl", "x.pkl", input.FromBytes(data), &out); err != nil {
		t.Fatal(err)
	}
	want := "from os import system\n_0 = os.system(\"id\")\nreturn {\"a\": _0}"
	if got := out.Result("x.pkl").Listings; len(got) != 1 || got[0].Text != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzScan holds that no bytes make the engine fail, and that a second scan of
// the same bytes says the same.
func FuzzScan(f *testing.F) {
	f.Add(system())
	f.Add([]byte("cos\nsystem\n(S'id'\ntR."))
	f.Add(frameDivergence())
	f.Add([]byte("\x80\x05\x97\x98."))
	f.Add([]byte("\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}b."))
	f.Add(pickleasm.New().Proto(4).BinUnicode("gASVHAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==").Stop().Bytes())
	e, err := artifact.New(artifact.Options{Decompile: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second finding.Collector
		for _, out := range []*finding.Collector{&first, &second} {
			if err := e.Examine(context.Background(), "x.pkl", "x.pkl", input.FromBytes(data), out); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := says(first.Result("x")), says(second.Result("x")); a != b {
			t.Errorf("first scan\n  %s\nsecond scan\n  %s", a, b)
		}
		pickle.TraceBytes(context.Background(), data)
	})
}
