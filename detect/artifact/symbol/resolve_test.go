package symbol

import (
	"strings"
	"testing"
)

// want is a symbol and the effects of calling it.
type want struct {
	module, name string
	call         string
}

func TestDangerousSymbols(t *testing.T) {
	db := Builtin()
	for _, w := range dangerous {
		r := db.Resolve(w.module, w.name)
		if r.Status != Found {
			t.Errorf("%s:%s is %v, want found", w.module, w.name, r.Status)
			continue
		}
		wantEffect, err := ParseEffect(w.call)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Symbol.Call.Has(wantEffect) {
			t.Errorf("%s:%s does %v, want at least %v", w.module, w.name, r.Symbol.Call, wantEffect)
		}
	}
}

// TestInertSymbols wants that a call does nothing, or that a signature says
// with which arguments it does nothing.
func TestInertSymbols(t *testing.T) {
	db := Builtin()
	for _, w := range inert {
		r := db.Resolve(w.module, w.name)
		if r.Status != Found {
			t.Errorf("%s:%s is %v, want found", w.module, w.name, r.Status)
			continue
		}
		if r.Symbol.Call != 0 && len(r.Symbol.Signatures) == 0 {
			t.Errorf("%s:%s does %v, want nothing", w.module, w.name, r.Symbol.Call)
		}
		if w.call == "instance" && (r.Symbol.New != 0 || r.Symbol.SetState != 0 || r.Symbol.Items != 0) {
			t.Errorf("%s:%s: new=%v state=%v items=%v, want none", w.module, w.name,
				r.Symbol.New, r.Symbol.SetState, r.Symbol.Items)
		}
	}
}

func TestResolveStatus(t *testing.T) {
	db := Builtin()
	tests := []struct {
		module, name string
		status       Status
		via          string
	}{
		{"builtins", "len", Found, ""},
		{"no_such_package", "thing", UnknownModule, ""},
		{"no_such_package.sub", "thing", UnknownModule, ""},
		{"", "", UnknownModule, ""},
		{"os", "no_such_function", UnknownName, ""},
		{"os", "", UnknownName, ""},
		{"os", ".", UnknownName, ""},
		{"os", "system.", UnknownName, ""},
		{"os", "..system", UnknownName, ""},
		{"collections", "OrderedDict.no_such_method", UnknownName, ""},
		{"statistics", "mean.__globals__", Dunder, "__globals__"},
		{"builtins", "object.__subclasses__", Dunder, "__subclasses__"},
		{"builtins", "object.__reduce_ex__", Dunder, "__reduce_ex__"},
		{"builtins", "dict.__class__.__base__", Dunder, "__class__"},
		{"builtins", "__dict__", Dunder, "__dict__"},
		{"builtins", "__loader__.load_module", Dunder, "__loader__"},
		{"builtins", "type.mro", Dunder, "mro"},
		{"collections", "OrderedDict.mro", Dunder, "mro"},
		{"sysconfig", "__builtins__", Dunder, "__builtins__"},
		{"sysconfig", "__builtins__.eval", Dunder, "__builtins__"},
		{"types", "FrameType.f_globals.__get__", Dunder, "f_globals"},
		{"types", "CodeType.__init__", Dunder, "__init__"},
		{"functools", "reduce.__self__", Dunder, "__self__"},
		{"os", "environ.__class__", Dunder, "__class__"},
		{"os", "path.__spec__", Dunder, "__spec__"},
		{"unknown", strings.Repeat("a.", 500) + "__globals__", Dunder, "__globals__"},
		{"numpy", "__version__", Found, ""},
		{"builtins", "dict.__doc__", Found, ""},
		{"builtins", "__import__", Found, ""},
		{"operator", "__add__", Found, ""},
		{"copyreg", "__newobj__", Found, ""},
		{"numpy.random._pickle", "__randomstate_ctor", Found, ""},
	}
	for _, tt := range tests {
		r := db.Resolve(tt.module, tt.name)
		if r.Status != tt.status {
			t.Errorf("%s:%s is %v, want %v", tt.module, tt.name, r.Status, tt.status)
		}
		if tt.via != "" && r.Via != tt.via {
			t.Errorf("%s:%s is decided by %q, want %q", tt.module, tt.name, r.Via, tt.via)
		}
		if r.Status != Found && !r.Symbol.Call.Has(Undecided) {
			t.Errorf("%s:%s is %v, but calling it does only %v", tt.module, tt.name, r.Status, r.Symbol.Call)
		}
	}
}

func TestResolveLeadsTo(t *testing.T) {
	db := Builtin()
	tests := []struct{ module, name, toModule, toName string }{
		{"os", "path.join", "os.path", "join"},
		{"os.path", "os.system", "os", "system"},
		{"posixpath", "os.system", "os", "system"},
		{"pathlib", "os.system", "os", "system"},
		{"__future__", "_ssl.RAND_bytes", "_ssl", "RAND_bytes"},
		{"__builtin__", "eval", "builtins", "eval"},
		{"__builtin__", "object", "builtins", "object"},
		{"exceptions", "ValueError", "builtins", "ValueError"},
		{"copy_reg", "_reconstructor", "copyreg", "_reconstructor"},
		{"numpy.core.multiarray", "ndarray", "numpy", "ndarray"},
		{"subprocess", "os.path.os.system", "os", "system"},
		{"subprocess", "sys.modules", "sys", "modules"},
		{"xml", "etree.ElementTree.parse", "xml.etree.ElementTree", "parse"},
		{"torch", "_utils._rebuild_tensor_v2", "torch._utils", "_rebuild_tensor_v2"},
		{"os", "path", "os.path", ""},
		{"os", strings.Repeat("path.os.", 500) + "system", "os", "system"},
		{"unknown", "a.b.os.system", "os", "system"},
	}
	for _, tt := range tests {
		r := db.Resolve(tt.module, tt.name)
		if r.Status != Found || r.Symbol.Module != tt.toModule || r.Symbol.Name != tt.toName {
			t.Errorf("%s:%s leads to %v %s:%s, want %s:%s", tt.module, tt.name,
				r.Status, r.Symbol.Module, r.Symbol.Name, tt.toModule, tt.toName)
		}
	}
}
