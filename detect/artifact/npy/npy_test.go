package npy

import (
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/format/formattest"
	"bartizan/finding"
)

// file is an array of version 1.0 with n bytes of data.
func file(header string, n int) []byte {
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func long(major byte, header string, n int) []byte {
	b := append([]byte(magic), major, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func dictOf(descr, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': %s, }  \n", descr, shape)
}

func TestScan(t *testing.T) {
	tests := []struct {
		name    string
		file    []byte
		verdict finding.Verdict
		rules   []string
		reason  string
		child   string
	}{
		{name: "floats", file: file(dictOf("'<f8'", "(2, 3)"), 48)},
		{name: "scalar", file: file(dictOf("'<f8'", "()"), 8)},
		{name: "one dimension", file: file(dictOf("'|b1'", "(5,)"), 5)},
		{name: "Python 2", file: file("{'descr': '<i4', 'fortran_order': True, 'shape': (2L,), }", 8)},
		{name: "unicode prefix", file: file("{u'descr': u'<i4', 'fortran_order': True, 'shape': (2,)}", 8)},
		{name: "times", file: file(dictOf("'<M8[ns]'", "(2,)"), 16)},
		{name: "text", file: file(dictOf("'<U3'", "(2,)"), 24)},
		{name: "empty", file: file(dictOf("'<f8'", "(0, 99999999999999)"), 0)},
		{name: "void", file: file(dictOf("'|V2'", "(4,)"), 8)},
		{name: "fields", file: file(dictOf("[('a', '<f4'), (('title', 'b'), '|u1', (2, 2)), ('', '|V3'), ('n', [('x', '<i2')], 2)]", "(2,)"), 2*(4+4+3+4))},
		{name: "version 2", file: long(2, dictOf("'<f8'", "(1,)"), 8)},
		{name: "version 3", file: long(3, dictOf("[('é', '<f8')]", "(1,)"), 8)},
		{name: "two arrays", file: append(file(dictOf("'<f8'", "(1,)"), 8), file(dictOf("'|u1'", "(3,)"), 3)...)},

		{name: "objects", file: file(dictOf("'|O'", "(1,)"), 5), child: "data.pkl"},
		{name: "objects with a size", file: file(dictOf("'|O8'", "(1,)"), 5), child: "data.pkl"},
		{name: "objects in a field", file: file(dictOf("[('a', '<f4'), ('b', [('c', 'O', (1,))])]", "(1,)"), 5), child: "data.pkl"},
		{name: "second array of objects", file: append(file(dictOf("'<f8'", "(1,)"), 8), file(dictOf("'|O'", "(3,)"), 3)...), child: "data.pkl"},
		{name: "objects by a comma", file: file(dictOf("'f8,O'", "(1,)"), 5), verdict: finding.Review, reason: "malformed", child: "data.pkl"},
		{name: "objects by two strings", file: file(dictOf("'|' 'O'", "(1,)"), 5), verdict: finding.Review, reason: "malformed", child: "data.pkl"},
		{name: "objects by an escape", file: file(dictOf("'\\x7c\\x4f'", "(1,)"), 5), verdict: finding.Review, reason: "malformed", child: "data.pkl"},
		{name: "objects by a second key", file: file("{'descr': '<f8', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 5), verdict: finding.Review, reason: "malformed", child: "data.pkl"},
		{name: "objects without data", file: file(dictOf("'|O'", "(1,)"), 0), verdict: finding.Review, reason: "truncated"},

		{name: "trailing", file: file(dictOf("'<f8'", "(1,)"), 9), rules: []string{"npy/trailing-data"}, child: "trailing@"},
		{name: "short", file: file(dictOf("'<f8'", "(2,)"), 9), verdict: finding.Review, reason: "truncated"},
		{name: "cut header", file: file(dictOf("'<f8'", "(2,)"), 9)[:30], verdict: finding.Review, reason: "truncated"},
		{name: "only magic", file: []byte(magic), verdict: finding.Review, reason: "truncated"},
		{name: "version 9", file: append([]byte(magic), 9, 0, 0, 0, 0, 0), verdict: finding.Review, reason: "unsupported-version"},
		{name: "overflow", file: file(dictOf("'<f8'", "(4294967296, 4294967296)"), 8), verdict: finding.Block, rules: []string{"npy/shape-overflow"}},
		{name: "overflow of the sign", file: file(dictOf("'|u1'", "(9223372036854775808,)"), 8), verdict: finding.Review, reason: "truncated"},
		{name: "negative", file: file(dictOf("'<f8'", "(-1,)"), 8), verdict: finding.Review, reason: "malformed"},
		{name: "unknown type", file: file(dictOf("'<q8'", "(1,)"), 8), verdict: finding.Review, reason: "malformed"},
		{name: "key missing", file: file("{'descr': '<f8', 'shape': (1,)}", 8), verdict: finding.Review, reason: "malformed"},
		{name: "key twice", file: file("{'descr': '<f8', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8), verdict: finding.Review, reason: "malformed"},
		{name: "key too many", file: file("{'descr': '<f8', 'x': 1, 'fortran_order': False, 'shape': (1,)}", 8), verdict: finding.Review, reason: "malformed"},
		{name: "nesting", file: file(dictOf(strings.Repeat("[", 99), "(1,)"), 8), verdict: finding.Review, reason: "malformed"},
		{name: "call", file: file(dictOf("__import__('os').system('id')", "(1,)"), 8), verdict: finding.Block, rules: []string{"npy/header-code"}, reason: "malformed"},
		{name: "call as shape", file: file(dictOf("'<f8'", "(exec('x'),)"), 8), verdict: finding.Block, rules: []string{"npy/header-code"}, reason: "malformed"},
		{name: "method of a text", file: file(dictOf("'<f8'.join", "(1,)"), 8), verdict: finding.Block, rules: []string{"npy/header-code"}, reason: "malformed"},
		{name: "expression goes on", file: file("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}.update(x)", 8), verdict: finding.Block, rules: []string{"npy/header-code"}, reason: "malformed"},
		{name: "text after", file: file("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} ;", 8), verdict: finding.Review, reason: "malformed"},
		{name: "large header", file: file(dictOf("'<f8'", "(1,)")+strings.Repeat(" ", 20000), 8), rules: []string{"npy/large-header"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := formattest.Bytes(t, "a.npy", tt.file, New())
			if !o.Matched || o.Verdict != tt.verdict || !slices.Equal(o.Rules(), tt.rules) {
				t.Errorf("verdict %v, rules %v, reasons %v; want %v, %v", o.Verdict, o.Rules(), o.Reasons, tt.verdict, tt.rules)
			}
			if (tt.reason != "") != (len(o.Reasons) > 0) || tt.reason != "" && !o.Has(tt.reason) {
				t.Errorf("reasons %v, want %q", o.Reasons, tt.reason)
			}
			if tt.child == "" && len(o.Children) > 0 && !o.Has("malformed") || tt.child != "" && len(o.Children) == 0 || tt.child != "" && !strings.HasPrefix(o.Children[0].Name, tt.child) {
				t.Errorf("children %v, want %q", o.Children, tt.child)
			}
		})
	}
}

// TestUnreadHeaderHidesNoPickle: where NumPy may read an object type that is not
// understood here, the data goes to the pickle scanner whatever it looks like.
func TestUnreadHeaderHidesNoPickle(t *testing.T) {
	for _, descr := range []string{"'f8,O'", "'|' 'O'", `'\x7c\x4f'`, "'object'", "'2O'"} {
		o := formattest.Bytes(t, "a.npy", append(file(dictOf(descr, "(1,)"), 0), "cos\nsystem\n."...), New())
		if len(o.Children) != 1 || o.Children[0].Hint != "pickle" || o.Children[0].Probed {
			t.Errorf("%s: children %+v", descr, o.Children)
		}
	}
}

func TestPickleOfObjectsIsHandedOn(t *testing.T) {
	o := formattest.Bytes(t, "a.npy", append(file(dictOf("'|O'", "(1,)"), 0), "cos\nsystem\n."...), New())
	if len(o.Children) != 1 || o.Children[0].Hint != "pickle" || o.Children[0].Probed {
		t.Fatalf("children %+v", o.Children)
	}
	if b, _ := o.Children[0].Blob.Load(99); string(b) != "cos\nsystem\n." {
		t.Errorf("child %q", b)
	}
}

func TestSparseFileIsNotRead(t *testing.T) {
	const size = 10 << 30
	h := dictOf("'|u1'", fmt.Sprint("(", size-1024, ",)"))
	h += strings.Repeat(" ", 1024-10-len(h))
	b, c := formattest.Sparse(t, file(h, 0), size)
	if o := formattest.Run(t, "a.npy", b, New()); o.Verdict != finding.Clean {
		t.Errorf("%v %v", o.Verdict, o.Reasons)
	}
	if c.Read >= 1<<20 {
		t.Errorf("%d bytes read", c.Read)
	}
}

func TestCorpus(t *testing.T) {
	objects := map[string]bool{"dns_exfiltration.npy": true, "object_array.npy": true}
	seen := 0
	for _, archive := range []string{"picklescan", "joblib", "modelaudit"} {
		formattest.Corpus(t, archive, func(name string, b []byte) {
			if !strings.HasSuffix(name, ".npy") {
				return
			}
			seen++
			o := formattest.Bytes(t, name, b, New())
			if o.Verdict != finding.Clean || len(o.Findings) > 0 {
				t.Errorf("%s: %v %v %v", name, o.Verdict, o.Rules(), o.Reasons)
			}
			pickled := objects[path.Base(name)] || strings.HasSuffix(name, "_03.npy")
			if pickled != (len(o.Children) == 1) {
				t.Errorf("%s: children %v", name, o.Children)
			}
		})
	}
	if seen != 24 {
		t.Errorf("%d files, want 24", seen)
	}
}

func TestRules(t *testing.T) {
	if _, err := finding.NewCatalogue(Rules()); err != nil {
		t.Error(err)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(file(dictOf("'<f8'", "(2, 3)"), 48))
	f.Add(file(dictOf("[('a', '<f4'), ('b', [('c', 'O', (1,))])]", "(1,)"), 5))
	f.Add(long(3, dictOf("('<f8', {'m': 1})", "[1]"), 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := formattest.Bytes(t, "a.npy", b, New())
		for _, c := range o.Children {
			if c.Blob.Size() > int64(len(b)) {
				t.Error("child larger than the file")
			}
		}
	})
}
