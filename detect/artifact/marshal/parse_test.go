package marshal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var sampleVersions = []Version{{2, 7}, {3, 6}, {3, 7}, {3, 8}, {3, 9}, {3, 10}, {3, 11}, {3, 12}, {3, 13}}

func sampleName(v Version) string { return fmt.Sprintf("sample-%d%d.pyc", v.Major, v.Minor) }

func TestPycOfEveryVersion(t *testing.T) {
	for _, v := range sampleVersions {
		t.Run(sampleName(v), func(t *testing.T) {
			data := read(t, sampleName(v))
			if !MatchPyc(data) {
				t.Error("not recognised as .pyc")
			}
			p := ParsePyc(data)
			if p.Version != v || len(p.Readings) != 1 || p.Readings[0].Consumed != len(data)-p.Body {
				t.Fatalf("version %v, %d readings, fault %v", p.Version, len(p.Readings), p.Fault)
			}
			codes := map[string]*Code{}
			for _, c := range p.Codes() {
				codes[c.Name] = c
			}
			if len(codes) != 5 {
				t.Fatalf("code objects: %v", codes)
			}
			module, outer, inner, method := codes["<module>"], codes["outer"], codes["inner"], codes["method"]
			for _, name := range []string{"os.path", "osp", "base64", "b64decode", "decode", "outer", "Thing"} {
				if !contains(module.Names, name) {
					t.Errorf("module lacks %q: %q", name, module.Names)
				}
			}
			if module.Filename != "sample.py" || len(module.Bytecode) == 0 || module.StackSize < 2 {
				t.Errorf("module: %+v", module)
			}
			wantVars := []string{"a", "b", "rest", "more", "inner"}
			for _, name := range wantVars {
				if !contains(outer.VarNames, name) && !contains(outer.CellVars, name) {
					t.Errorf("outer lacks %q: %q %q", name, outer.VarNames, outer.CellVars)
				}
			}
			if !reflect.DeepEqual(inner.FreeVars, []string{"a", "big", "text"}) || inner.ArgCount != 1 || outer.ArgCount != 2 {
				t.Errorf("inner: %q, %d and %d arguments", inner.FreeVars, inner.ArgCount, outer.ArgCount)
			}
			if v.Minor >= 11 && method.QualName != "Thing.method" {
				t.Errorf("qualname %q", method.QualName)
			}
			if got := describe(&Value{Kind: Tuple, Items: outer.Consts}); !strings.Contains(got, "0x18ee90ff6c373e0ee4e3f0ad2") || !strings.Contains(got, `"grüße"`) {
				t.Errorf("outer's constants: %s", got)
			}
			if got := describe(&Value{Kind: Tuple, Items: inner.Consts}); !strings.Contains(got, `b"\x00\xff"`) {
				t.Errorf("inner's constants: %s", got)
			}
		})
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Without the version, the layout must come out alone: no sample may be read
// in a layout that is not its own.
func TestLayoutIsFound(t *testing.T) {
	for _, v := range sampleVersions {
		data := read(t, sampleName(v))
		res := Parse(data[headerSize(v):])
		if len(res.Readings) != 1 || res.Readings[0].Layout != v.Layout() {
			t.Errorf("%v: readings %+v", v, res.Readings)
		}
		// An unknown magic number: the header's length is found, too.
		data = append([]byte{0x01, 0x00, '\r', '\n'}, data[4:]...)
		if p := ParsePyc(data); p.Version.Known() || p.Body != headerSize(v) || len(p.Codes()) != 5 {
			t.Errorf("%v without magic: body at %d, %d code objects", v, p.Body, len(p.Codes()))
		}
	}
}

// What make.py wrote, as describe prints it.
const values = `[None, True, False, 0, -1, 2147483647, -2147483648, 4611686018427387904, -9223372036854775808, ` +
	`0x1d6329f1c35ca4bfabb9f5610000000000, -0x1d6329f1c35ca4bfabb9f5610000000000, 1.5, -0, 1e+300, (2-3j), b"bytes\xff", ` +
	`"text", "€😀", (), (1, (2, (3))), [1, [2]], {"k": [1], 2: None}, set(1), frozenset("f"), ..., StopIteration]`

func TestValues(t *testing.T) {
	for _, tag := range []string{"27", "313"} {
		for version := 0; version <= 4; version++ {
			if tag == "27" && version > 2 {
				continue
			}
			want := values
			if version < 2 { // sets came with version 2
				want = strings.Replace(want, `set(1), frozenset("f"), `, "", 1)
			}
			res := Parse(read(t, fmt.Sprintf("value-%s-v%d.marshal", tag, version)))
			if len(res.Readings) == 0 {
				t.Errorf("%s v%d: %v", tag, version, res.Fault)
				continue
			}
			reading := res.Readings[0]
			if tag == "27" {
				reading = res.Readings[len(res.Readings)-1]
			}
			if got := describe(reading.Value); !sameValue(got, want) {
				t.Errorf("%s v%d:\n got %s\nwant %s", tag, version, got, want)
			}
		}
	}
}

// -2**63 is a long of five digits, and kept as text.
func sameValue(got, want string) bool {
	got = strings.Replace(got, "-0x8000000000000000", "-9223372036854775808", 1)
	return strings.Replace(got, "0x4000000000000000", "4611686018427387904", 1) == want
}

func describe(v *Value) string {
	list := func(open, close string) string {
		var parts []string
		for _, item := range v.Items {
			parts = append(parts, describe(item))
		}
		return open + strings.Join(parts, ", ") + close
	}
	switch v.Kind {
	case None:
		return "None"
	case True:
		return "True"
	case False:
		return "False"
	case Ellipsis:
		return "..."
	case StopIteration:
		return "StopIteration"
	case Int:
		return strconv.FormatInt(v.Int, 10)
	case BigInt:
		return v.Text
	case Float:
		return strconv.FormatFloat(v.Float, 'g', -1, 64)
	case Complex:
		return fmt.Sprintf("(%g%+gj)", v.Float, v.Imag)
	case Bytes:
		return "b" + strconv.QuoteToASCII(v.Text)
	case Text:
		return strconv.Quote(v.Text)
	case Tuple:
		return list("(", ")")
	case List:
		return list("[", "]")
	case Set:
		return list("set(", ")")
	case FrozenSet:
		return list("frozenset(", ")")
	case Slice:
		return list("slice(", ")")
	case Dict:
		var parts []string
		for i := 0; i+1 < len(v.Items); i += 2 {
			parts = append(parts, describe(v.Items[i])+": "+describe(v.Items[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "<code>"
}

func TestSmall(t *testing.T) {
	for _, c := range []struct{ name, hex, want string }{
		{"short ascii", "7a0361e962", `"aéb"`}, // not checked to be ASCII: Latin-1
		{"interned short ascii with reference", "290 2 da0161 7200000000", `("a", "a")`},
		{"slice of 3.14", "3a 6900000000 4e 69ffffffff", `slice(0, None, -1)`},
		{"reference to a slice", "2902 ba4e4e4e 7200000000", `(slice(None, None, None), slice(None, None, None))`},
		{"text float", "66 03 312e35", "1.5"},
		{"text float that is infinite", "66 03 696e66", "+Inf"},
		{"empty frozenset with reference", "2902 be00000000 7200000000", `(frozenset(), frozenset())`},
		{"dict closed where a value should stand", "7b 4e 30", "{}"},
		{"Python 2 string reference", "2802000000 7401000000 61 5200000000", `(b"a", b"a")`},
	} {
		data, err := hex.DecodeString(strings.ReplaceAll(c.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		res := Parse(data)
		if len(res.Readings) == 0 {
			t.Errorf("%s: %v", c.name, res.Fault)
			continue
		}
		if got := describe(res.Readings[0].Value); got != c.want || res.Readings[0].Consumed != len(data) {
			t.Errorf("%s: got %s (%d bytes), want %s", c.name, got, res.Readings[0].Consumed, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	nested := strings.Repeat("2901", MaxDepth+1) + "4e"
	for _, c := range []struct{ name, hex, reason string }{
		{"empty", "", "truncated"},
		{"giant tuple", "28ffffff7f", "length out of range"},
		{"negative list", "5bffffffff", "length out of range"},
		{"giant bytes", "73ffffff7f", "truncated or length"},
		{"giant long", "6cffffff7f", "truncated or length"},
		{"long of the least count", "6c00000080", "truncated or length"},
		{"unknown type", "7e", "unknown type code"},
		{"reference out of range", "7205000000", "invalid reference"},
		{"reference to what is not done", "be01000000 7200000000", "invalid reference"},
		{"NULL at the top", "30", "NULL"},
		{"NULL in a tuple", "290130", "NULL"},
		{"deep", nested, "nested deeper"},
	} {
		data, err := hex.DecodeString(strings.ReplaceAll(c.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		res := Parse(data)
		if len(res.Readings) > 0 {
			t.Errorf("%s: read as %s", c.name, describe(res.Readings[0].Value))
			continue
		}
		var fault *Error
		if !errors.As(error(res.Fault), &fault) || !strings.Contains(fault.Error(), c.reason) {
			t.Errorf("%s: fault %v, want %q", c.name, res.Fault, c.reason)
		}
	}
}

// A chain of references doubles at each step: what is counted as a tree is
// 2^400 values, and must be walked as the 400 that they are. The last tuple
// contains itself.
func TestSharedAndCyclicValues(t *testing.T) {
	data := []byte{')', 2, ')' | flagRef, 1, 'r', 0, 0, 0, 0, '('}
	n := 400
	data = append(data, byte(n), byte(n>>8), 0, 0)
	for i := 0; i < n; i++ {
		data = append(data, ')'|flagRef, 2, 'r', byte(i), byte(i>>8), 0, 0, 'r', byte(i), byte(i>>8), 0, 0)
	}
	res := Parse(data, Layout311)
	if len(res.Readings) != 1 {
		t.Fatal(res.Fault)
	}
	count := 0
	Walk(res.Readings[0].Value, func(*Value) bool { count++; return true })
	if count != n+3 {
		t.Errorf("walked %d values, want %d", count, n+3)
	}
}

func TestBrokenCodeKeepsFragments(t *testing.T) {
	data := read(t, "sample-313.pyc")[16:]
	res := Parse(data[:len(data)-40])
	if len(res.Readings) != 0 || len(res.Codes()) < 3 {
		t.Fatalf("%d readings, %d code objects", len(res.Readings), len(res.Codes()))
	}
	found := false
	for _, v := range res.Fragments {
		found = found || v.Text == "b64decode"
	}
	if !found {
		t.Error("a string that was read before the fault is lost")
	}
}

func TestEveryPrefix(t *testing.T) {
	for _, v := range sampleVersions {
		data := read(t, sampleName(v))
		for n := range data {
			if p := ParsePyc(data[:n]); len(p.Readings) > 0 {
				t.Fatalf("%v: a reading of the first %d of %d bytes", v, n, len(data))
			}
		}
	}
}

func FuzzMarshal(f *testing.F) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".py") || e.IsDir() {
			continue
		}
		data := read(f, e.Name())
		f.Add(data)
		if strings.HasSuffix(e.Name(), ".pyc") {
			f.Add(data[16:])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		MatchPyc(data)
		for _, res := range []Result{Parse(data), ParsePyc(data).Result} {
			if len(res.Readings) == 0 && res.Fault == nil {
				t.Fatal("neither a reading nor a fault")
			}
			for _, r := range res.Readings {
				if r.Consumed < 1 || r.Consumed > len(data) {
					t.Fatalf("consumed %d of %d", r.Consumed, len(data))
				}
				for _, c := range Codes(r.Value) {
					if c.Layout == Layout311 && len(c.LocalKinds) != len(c.LocalsPlus) {
						t.Fatal("variables without a kind")
					}
				}
			}
		}
	})
}
