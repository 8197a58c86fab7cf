package tree_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"bartizan/attest"
	"bartizan/attest/tree"
)

const (
	escapes   = attest.OMSNameEscapesRoot
	invalid   = attest.OMSNameInvalid
	duplicate = attest.OMSNameDuplicate
	collision = attest.OMSNameCollision
)

func TestCheckName(t *testing.T) {
	for name, want := range map[string]attest.Code{
		"config.json":                      "",
		"weights/model-00001.safetensors":  "",
		"a b/c+d%20(1).txt":                "",
		"näme/模型 ☃.bin":                    "",
		".hidden":                          "",
		"...":                              "",
		"..a/b..":                          "",
		"name:1:2.txt":                     "",
		"CON":                              "",
		strings.Repeat("x", 255):           "",
		strings.Repeat("d/", 255) + "x":    "",
		strings.Repeat("xxx/", 255) + "xx": "",

		"":                                invalid,
		".":                               invalid,
		"./a":                             invalid,
		"a/.":                             invalid,
		"a/./b":                           invalid,
		"a//b":                            invalid,
		"a/":                              invalid,
		"a\\b":                            invalid,
		"C:\\x":                           invalid,
		"a\x00":                           invalid,
		"a\nb":                            invalid,
		"a\x1b[31m":                       invalid,
		"a\x7f":                           invalid,
		"a\u0085b":                        invalid,
		"a\u009b31m":                      invalid,
		"\xff":                            invalid,
		"a\xc0\xafb":                      invalid,
		"\xed\xa0\x80":                    invalid, // a lone surrogate
		strings.Repeat("x", 256):          invalid,
		strings.Repeat("x", 5000):         invalid,
		strings.Repeat("d/", 256) + "x":   invalid,
		strings.Repeat("xxx/", 256) + "x": invalid,

		"..":                escapes,
		"../outside":        escapes,
		"a/../../outside":   escapes,
		"weights/../config": escapes,
		"a/..":              escapes,
		"/etc/passwd":       escapes,
		"/":                 escapes,
		"//a":               escapes,
	} {
		err := tree.CheckName(name)
		if got := attest.CodeOf(err); got != want || (err == nil) != (want == "") {
			t.Errorf("%.40q: %v, want %q", name, err, want)
		}
	}
}

// What a message shows of a name never acts on a terminal and is never long.
func TestShow(t *testing.T) {
	for name, want := range map[string]string{
		"plain":     "plain",
		"模型":        "模型",
		"a\x1b[31m": `"a\x1b[31m"`,
		"\xff":      `"\xff"`,
	} {
		if got := tree.Show(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	if got := tree.Show(strings.Repeat("模", 500)); len(got) > 210 || !utf8.ValidString(got) {
		t.Errorf("a long name is shown as %q", got)
	}
}

func TestCheckNames(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  attest.Code
	}{
		{nil, ""},
		{[]string{"a"}, ""},
		{[]string{"a", "b", "a-b", "a.b", "aa", "b/a", "c/b"}, "b is a folder of b/a"},
		{[]string{"a/b", "a-b", "aa", "A-c", "b/a"}, ""},
		{[]string{"A/x", "a/y"}, ""}, // one folder elsewhere, but two files
		{[]string{"a", "b", "a"}, duplicate},
		{[]string{"model.bin", "Model.bin"}, collision},
		{[]string{"W/model.bin", "x", "w/model.bin"}, collision},
		{[]string{"caf\u00e9", "cafe\u0301"}, collision},
		{[]string{"CAF\u00c9", "cafe\u0301"}, collision},
		{[]string{"\u212a.bin", "k.bin"}, collision}, // the Kelvin sign
		{[]string{"straße", "STRASSE"}, collision},
		{[]string{"\u03c3", "\u03c2"}, collision}, // two small sigmas
		{[]string{"\u1e9b\u0323", "\u1e9b\u0323"}, duplicate},
		{[]string{"a", "a/b"}, collision},
		{[]string{"A", "a-b", "aa", "a/b/c"}, collision},
		{[]string{"a", "../b"}, escapes},
		{[]string{"a", ""}, invalid},
	} {
		err := tree.CheckNames(c.names)
		want := c.want
		if strings.Contains(string(want), " ") {
			want = collision
		}
		if got := attest.CodeOf(err); got != want || (err == nil) != (want == "") {
			t.Errorf("%q: %v, want %q", c.names, err, want)
		}
	}
}

func TestCheckNamesLimits(t *testing.T) {
	names := make([]string, tree.MaxFiles+1)
	for i := range names {
		names[i] = fmt.Sprint("f", i)
	}
	if err := tree.CheckNames(names); attest.CodeOf(err) != attest.OMSLimit {
		t.Errorf("%d names: %v", len(names), err)
	}
	for i := range names {
		names[i] = "../x"
	}
	if got := attest.Refusals(tree.CheckNames(names[1:])); len(got) != 100 {
		t.Errorf("%d refusals in one error", len(got))
	}
}

// A name that is accepted means one place beneath any root, for every reader.
func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"a", "a/b", "..", "a/../b", "/a", "a//b", "a\\b", "a\x00b", "näme/模型", "\xff", "a/./b", "C:x", strings.Repeat("d/", 300), strings.Repeat("x", 256)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := tree.CheckName(name)
		var refused *attest.Error
		if err != nil && (!errors.As(err, &refused) || refused.Code != invalid && refused.Code != escapes) {
			t.Fatalf("%q: %v", name, err)
		}
		shown := tree.Show(name)
		if strings.ContainsAny(shown, "\x00\x1b\n\r\u0085\u009b") || !utf8.ValidString(shown) || len(shown) > 900 {
			t.Fatalf("%q is shown as %q", name, shown)
		}
		if err != nil {
			return
		}
		if !filepath.IsLocal(name) || !fs.ValidPath(name) || path.Clean(name) != name || path.Join("/root", name) != "/root/"+name {
			t.Fatalf("%q is accepted", name)
		}
		if len(name) > 1024 || strings.ContainsAny(name, "\\\x00") || !utf8.ValidString(name) {
			t.Fatalf("%q is accepted", name)
		}
	})
}

// Names that are accepted together are different files on every file system.
func FuzzCheckNames(f *testing.F) {
	f.Add("a", "b", "c")
	f.Add("a", "A", "a/b")
	f.Add("caf\u00e9", "cafe\u0301", "x")
	f.Add("\u212a", "k", "\u0130")
	f.Add("a-b", "a", "a/b")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		names := []string{a, b, c}
		one, two := tree.CheckNames(names), tree.CheckNames([]string{c, a, b})
		if attest.CodeOf(one) == "" != (attest.CodeOf(two) == "") {
			t.Fatalf("the order of %q decides: %v, %v", names, one, two)
		}
		if one != nil {
			return
		}
		for i := range names {
			for j := range names {
				if i != j && (strings.EqualFold(names[i], names[j]) || strings.HasPrefix(names[i], names[j]+"/")) {
					t.Fatalf("%q and %q are accepted", names[i], names[j])
				}
			}
		}
	})
}

// Directory entries come from the kernel, but a file system may be somebody
// else's program.
func FuzzDirent(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x18\x00\x08name\x00"))
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08"))
	f.Fuzz(func(t *testing.T, buf []byte) {
		for len(buf) > 0 {
			_, _, rest, ok := tree.Dirent(buf)
			if !ok {
				return
			}
			if len(rest) >= len(buf) {
				t.Fatal("no progress")
			}
			buf = rest
		}
	})
}

func BenchmarkCheckNames(b *testing.B) {
	for _, upper := range []string{"", "W", "ü"} {
		names := make([]string, 100_000)
		for i := range names {
			names[i] = fmt.Sprintf("data/folder-%02d/%srecord-%06d.json", i%100, upper, i)
		}
		b.Run("prefix="+upper, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := tree.CheckNames(names); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
