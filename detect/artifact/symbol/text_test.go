package symbol

import (
	"strings"
	"testing"
)

const head = "# bartizan symbols v1\n# source: lib 1.0\n"

// compileOne makes a database of one derived file and one overlay.
func compileOne(t *testing.T, derived, overlay string) *DB {
	t.Helper()
	blob, err := Compile([]Source{
		{Name: "lib.txt", Text: head + derived},
		{Name: "curated.txt", Text: textHeader + "\nlibrary lib\n" + overlay, Overlay: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(string(blob))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestRowsOfTheContract(t *testing.T) {
	db := compileOne(t, `module collections
c OrderedDict call=- new=- state=- items=-
m OrderedDict.move_to_end call=-
f namedtuple call=exec
a abc collections.abc
r Mapping collections.abc:Mapping
d some_constant
module collections.abc
c Mapping call=? new=- state=read,write items=-
`, "")
	tests := []struct {
		module, name             string
		kind                     Kind
		call, new, setState, its string
	}{
		{"collections", "OrderedDict", Class, "-", "-", "-", "-"},
		{"collections", "OrderedDict.move_to_end", Method, "-", "-", "?", "?"},
		{"collections", "namedtuple", Function, "exec", "exec", "?", "?"},
		{"collections", "abc", Module, "-", "-", "state", "state"},
		{"collections", "Mapping", Class, "?", "-", "read,write", "-"},
		{"collections", "abc.Mapping", Class, "?", "-", "read,write", "-"},
		{"collections", "some_constant", Data, "?", "?", "state", "state"},
	}
	for _, tt := range tests {
		r := db.Resolve(tt.module, tt.name)
		s := r.Symbol
		got := []string{s.Call.String(), s.New.String(), s.SetState.String(), s.Items.String()}
		want := []string{tt.call, tt.new, tt.setState, tt.its}
		if r.Status != Found || s.Kind != tt.kind || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s:%s is %v %v %v, want %v %v", tt.module, tt.name, r.Status, s.Kind, got, tt.kind, want)
		}
		if s.Library != "lib" {
			t.Errorf("%s:%s is of library %q", tt.module, tt.name, s.Library)
		}
	}
	if lib, ok := db.TopLevel("collections"); lib != "lib" || !ok {
		t.Errorf("TopLevel gives %q, %v", lib, ok)
	}
}

func TestOverlayReplacesAndFilesUnite(t *testing.T) {
	blob, err := Compile([]Source{
		{Name: "curated.txt", Text: textHeader + "\nlibrary a\nmodule m\nf g call=process\nmodule only.here\nf x call=-\n", Overlay: true},
		{Name: "b.txt", Text: head + "module m\nf f call=read\nf g call=-\nc k call=- new=- state=- items=-\n"},
		{Name: "a.txt", Text: head + "module m\nf f call=net\nf g call=exec\nr k m:f\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(string(blob))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"f": "net,read", "g": "process", "k": "?"} {
		if got := db.Resolve("m", name).Symbol.Call.String(); got != want {
			t.Errorf("m:%s does %s, want %s", name, got, want)
		}
	}
	if _, ok := db.TopLevel("only"); ok {
		t.Error("a package that only the overlay names counts as covered")
	}
	if !db.KnownModule("only.here") || db.KnownModule("only.there") {
		t.Error("KnownModule is wrong about the overlay's module")
	}
}

func TestWalk(t *testing.T) {
	db := compileOne(t, `module pkg
a sub pkg.sub
a far other.mod
r loop pkg:pool
r pool pkg:loop
r moved pkg.sub:Inner.deep
r gone missing.lib:thing
c Base call=- new=- state=- items=-
m Base.run call=process
c Derived call=- new=- state=- items=- bases=pkg:Base
c Again call=- new=- state=- items=- bases=pkg:Again,pkg:Derived
module pkg.sub
c Inner call=- new=- state=- items=-
m Inner.deep call=net
module pkg.sub.below
f f call=read
module other.mod
f g call=native
`, `module wild
f * call=state
f known call=-
module tree
f ** call=exec
module effect import=net
d x
`)
	tests := []struct {
		module, name string
		status       Status
		call, via    string
	}{
		{"pkg", "sub.Inner.deep", Found, "net", ""},
		{"pkg", "far.g", Found, "native", ""},
		{"pkg.far", "g", Found, "native", "pkg.far"},
		{"pkg", "moved", Found, "net", ""},
		{"pkg", "sub.below.f", Found, "read", ""},
		{"pkg", "Derived.run", Found, "process", ""},
		{"pkg", "Again.run", UnknownName, "?", ""},
		{"pkg", "loop", UnknownName, "?", ""},
		{"pkg", "loop.x", UnknownName, "?", ""},
		{"pkg", "gone", UnknownModule, "?", ""},
		{"pkg", "nothing", UnknownName, "?", ""},
		{"pkg.nothing", "f", UnknownModule, "?", ""},
		{"wild", "known", Found, "-", ""},
		{"wild", "any.thing", Found, "state", "wild:*"},
		{"wild.deeper", "f", UnknownModule, "?", ""},
		{"tree", "x", Found, "exec", "tree:**"},
		{"tree.a.b", "x.y", Found, "exec", "tree:**"},
		{"tree", "f.__globals__", Found, "exec", "tree:**"},
		{"unknown", "pkg.moved", Found, "net", "pkg"},
		{"unknown", "a.b.__class__", Dunder, "?,inspect", "__class__"},
		{"effect", "x", Found, "?", ""},
	}
	for _, tt := range tests {
		r := db.Resolve(tt.module, tt.name)
		if r.Status != tt.status || r.Symbol.Call.String() != tt.call || r.Via != tt.via {
			t.Errorf("%s:%s is %v, does %v, via %q; want %v, %s, %q", tt.module, tt.name,
				r.Status, r.Symbol.Call, r.Via, tt.status, tt.call, tt.via)
		}
	}
	if got := db.Resolve("effect", "x").OnImport; got != Net {
		t.Errorf("importing effect does %v", got)
	}
	if got := db.Resolve("effect.below", "x").OnImport; got != Net {
		t.Errorf("importing effect.below does %v", got)
	}
}

func TestTextErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "1: want"},
		{"# bartizan symbols v2\n", "1: want"},
		{textHeader + "\nmodule m\n", "no '# source:' line"},
		{head + "f f call=-\n", "3: row before any module"},
		{head + "module m\nf f call=boom\n", `4: unknown effect "boom"`},
		{head + "module m\nf f call=\n", `4: unknown effect ""`},
		{head + "module m\nf f call=- call=-\n", "4: call= twice"},
		{head + "module m\nx f\n", `4: unknown row "x"`},
		{head + "module m\nm f call=-\n", "4: method"},
		{head + "module m\nf a..b call=-\n", "4: bad name"},
		{head + "module m\nf a b call=-\n", "4: f takes one name"},
		{head + "module m\nf f call=- sig=(str)\n", `4: unknown key "sig"`},
		{head + "module m\nf f call=- colour=red\n", `4: unknown key "colour"`},
		{head + "module m\na x m:y\n", "4: bad name or target"},
		{head + "module m\nr x m\n", "4: bad name or target"},
		{head + "module m\nr x\n", "4: r takes a name"},
		{head + "module m\nc * call=-\n", "4: a wildcard"},
		{head + "module a b\n", "3: module takes one name"},
		{head + "library x\n", "3: library takes"},
		{head + "module m\nf f call=(\n", "4: unbalanced"},
		{head + "module m\nf f\tcall=-\n", "4: control character"},
	}
	for _, tt := range tests {
		_, err := Compile([]Source{{Name: "lib.txt", Text: tt.text}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q gives %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestOverlayErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"f f call=- sig=(strange)\n", "unknown type"},
		{"f f call=- combinator=none\n", "unknown combinator"},
		{"f f call=- combinator=Walk\n", "unknown combinator"},
		{"f f call=-\nf f call=-\n", "m:f is there already"},
	}
	for _, tt := range tests {
		_, err := Compile([]Source{{Name: "curated.txt", Text: textHeader + "\nlibrary l\nmodule m\n" + tt.text, Overlay: true}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q gives %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestSignatures(t *testing.T) {
	good := []string{
		"()", "(str)", "(str, str{latin1,latin-1})", "(storage|pers|object, int, ints, ints, bool, dict, any?)",
		"(=builtins.object)", "(=a.b.c|none, any...)", "(tuple[int|none], list[=builtins.int]?)", "(any...)",
		"(int{0,1}, bytes{b}?)", "(int?, str?, any...)", "(=a.b...)",
	}
	for _, text := range good {
		sig, err := ParseSignature(text)
		if err != nil {
			t.Error(err)
		} else if sig.String() != text {
			t.Errorf("%s comes back as %s", text, sig)
		}
	}
	bad := []string{
		"", "(", ")", "(str", "(str) ", "(str,)", "(, str)", "(strange)", "(any..., int)", "(int?, str)", "(int{1)",
		"(dict{a})", "(int[str])", "(=)", "(=.a)", "(tuple[tuple[tuple[tuple[tuple[tuple[int]]]]]])", "(int??)",
		"(" + strings.Repeat("int, ", 40) + "int)",
	}
	for _, text := range bad {
		if _, err := ParseSignature(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestEffectText(t *testing.T) {
	for _, text := range []string{"-", "?", "exec", "?,attr,block,callarg,exec,import,inspect,load,native,net,process,read,state,write"} {
		e, err := ParseEffect(text)
		if err != nil {
			t.Error(err)
		} else if e.String() != text {
			t.Errorf("%s comes back as %s", text, e)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add(head+"module m\nc K call=- new=- state=- items=- bases=m:K\nr a m:K\na b m\n", false)
	f.Add(textHeader+"\nlibrary l\nmodule m n import=net\nf * call=?\nf f g all=- sig=(str, any...) combinator=Getattr\nr x y m:*\n", true)
	f.Fuzz(func(t *testing.T, text string, overlay bool) {
		blob, err := Compile([]Source{{Name: "fuzz", Text: text, Overlay: overlay}})
		if err != nil {
			return
		}
		db, err := Open(string(blob))
		if err != nil {
			t.Fatal(err)
		}
		db.Resolve("m", "a.b.K")
	})
}

func FuzzSignature(f *testing.F) {
	f.Add("(str, str{latin1,latin-1}, =a.b.c|none?, tuple[int]..., any...)")
	f.Fuzz(func(t *testing.T, text string) {
		sig, err := ParseSignature(text)
		if err != nil {
			return
		}
		again, err := ParseSignature(sig.String())
		if err != nil || again.String() != sig.String() {
			t.Fatalf("%q becomes %q: %v", text, sig, err)
		}
	})
}
