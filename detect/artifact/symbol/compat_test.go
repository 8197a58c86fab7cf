package symbol

import (
	"slices"
	"testing"
)

func TestFixImports(t *testing.T) {
	tests := []struct{ module, name, toModule, toName string }{
		{"__builtin__", "eval", "builtins", "eval"},
		{"__builtin__", "xrange", "builtins", "range"},
		{"__builtin__", "reduce", "functools", "reduce"},
		{"__builtin__", "unicode", "builtins", "str"},
		{"exceptions", "StandardError", "builtins", "Exception"},
		{"copy_reg", "_reconstructor", "copyreg", "_reconstructor"},
		{"commands", "getoutput", "subprocess", "getoutput"},
		{"urllib", "urlopen", "urllib.request", "urlopen"},
		{"urllib", "no_such", "urllib", "no_such"},
		{"urllib2", "urlopen", "urllib.request", "urlopen"},
		{"itertools", "imap", "builtins", "map"},
		{"UserDict", "UserDict", "collections", "UserDict"},
		{"UserDict", "DictMixin", "collections", "DictMixin"},
		{"whichdb", "whichdb", "dbm", "whichdb"},
		{"cPickle", "loads", "pickle", "loads"},
		{"_elementtree", "Element", "xml.etree.ElementTree", "Element"},
		{"os", "system", "os", "system"},
		{"", "", "", ""},
	}
	for _, tt := range tests {
		if m, n := FixImports(tt.module, tt.name); m != tt.toModule || n != tt.toName {
			t.Errorf("%s:%s becomes %s:%s, want %s:%s", tt.module, tt.name, m, n, tt.toModule, tt.toName)
		}
	}
}

func TestReverseImports(t *testing.T) {
	tests := []struct{ module, name, toModule, toName string }{
		{"builtins", "eval", "__builtin__", "eval"},
		{"builtins", "range", "__builtin__", "xrange"},
		{"builtins", "map", "itertools", "imap"},
		{"builtins", "ConnectionError", "exceptions", "OSError"},
		{"functools", "reduce", "__builtin__", "reduce"},
		{"subprocess", "getoutput", "commands", "getoutput"},
		{"collections", "OrderedDict", "collections", "OrderedDict"},
	}
	for _, tt := range tests {
		if m, n := ReverseImports(tt.module, tt.name); m != tt.toModule || n != tt.toName {
			t.Errorf("%s:%s becomes %s:%s, want %s:%s", tt.module, tt.name, m, n, tt.toModule, tt.toName)
		}
	}
}

// TestCompatTablesAreSorted guards the binary search.
func TestCompatTablesAreSorted(t *testing.T) {
	for _, names := range [][]compatName{compatNames[:], reverseNames[:]} {
		for i := 1; i < len(names); i++ {
			a, b := names[i-1], names[i]
			if a.module > b.module || a.module == b.module && a.name >= b.name {
				t.Errorf("%v is not below %v", a, b)
			}
		}
	}
	for _, modules := range [][]compatModule{compatModules[:], reverseModules[:]} {
		if !slices.IsSortedFunc(modules, func(a, b compatModule) int { return slices.Compare([]byte(a.module), []byte(b.module)) }) {
			t.Error("a module table is not sorted")
		}
	}
}
