package records

import (
	"bytes"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestCanonicalJSON(t *testing.T) {
	for in, want := range map[string]string{
		` { "b" : 1 , "a" : [ ] } `:      `{"a":[],"b":1}`,
		`{"a":{"d":1,"c":2},"A":null}`:   `{"A":null,"a":{"c":2,"d":1}}`,
		`1.50`:                           `15e-1`,
		`100`:                            `1e2`,
		`1e2`:                            `1e2`,
		`0.001e5`:                        `1e2`,
		`-0`:                             `0`,
		`-0.000e-7`:                      `0`,
		`-12`:                            `-12`,
		`0.1`:                            `1e-1`,
		`12345678901234567891`:           `12345678901234567891`,
		`1E+000000000000000000005`:       `1e5`,
		`"\u0041\/\u00e9\n\u001f\u007f"`: `"A/é\n\u001f` + "\x7f" + `"`,
		`"\ud83d\ude00"`:                 `"😀"`,
		`"😀"`:                            `"😀"`,
		`"\"\\"`:                         `"\"\\"`,
		"{\"\uFB33\":1,\"😀\":2,\"\\u0080\":3}": "{\"\u0080\":3,\"😀\":2,\"\uFB33\":1}", // by UTF-16
		`{"\u0062":1,"a":2}`:                   `{"a":2,"b":1}`,
		`[true,false,null]`:                    `[true,false,null]`,
	} {
		got, err := AppendCanonical([]byte("kept "), []byte(in))
		if err != nil || string(got) != "kept "+want {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
	}
}

func TestNoCanonicalJSON(t *testing.T) {
	for _, in := range []string{
		``, ` `, `{`, `}`, `[`, `[1`, `[1,`, `[,]`, `[1,]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `1 2`, `{} {}`,
		`{"a":1,"a":2}`, `{"a":1,"b":0,"\u0061":2}`, `01`, `-`, `+1`, `.5`, `5.`, `1e`, `1e+`, `0x10`, `NaN`, `Infinity`, `nul`, `truee`,
		`1e1000000000`, `"`, `"\x"`, `"\u12"`, `"\uZZZZ"`, `"\ud800"`, `"\udc00"`, `"\ud800\u0041"`, `"\ud800\ud800"`, "\"\n\"", "\"\xff\"", "\"\xc0\x80\"",
		"\xEF\xBB\xBF1", strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), "// a\n1",
	} {
		if got, err := AppendCanonical(nil, []byte(in)); err == nil {
			t.Errorf("%q: %s", in, got)
		}
	}
	if _, err := AppendCanonical(nil, []byte(strings.Repeat("[", MaxDepth)+strings.Repeat("]", MaxDepth))); err != nil {
		t.Errorf("as deep as is allowed: %v", err)
	}
}

var numbers = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*`)

// FuzzCanonicalJSON compares with the RFC 8785 form of another implementation:
// the same texts are accepted, and but for numbers the same is written. Numbers
// keep their exact value. What is canonical stays as it is.
func FuzzCanonicalJSON(f *testing.F) {
	for _, s := range []string{`{"b":1.50,"a":["x",null,true]}`, `"\ud83d\ude00"`, `{"\uFB33":1,"😀":2}`, `-0.0`, `1e-7`, `[[[]]]`, `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := AppendCanonical(nil, in)
		other := jsontext.Value(bytes.Clone(in))
		otherErr := other.Canonicalize()
		if err != nil {
			if otherErr == nil && !strings.Contains(err.Error(), "nested") && !strings.Contains(err.Error(), "exponent") {
				t.Fatalf("%q: %v, but it is canonical as %s", in, err, other)
			}
			return
		}
		if otherErr != nil {
			t.Fatalf("%q: %s, but: %v", in, got, otherErr)
		}
		blank := func(b []byte) string {
			return numbers.ReplaceAllStringFunc(string(b), func(s string) string {
				if s[0] == '"' {
					return s
				}
				return "0"
			})
		}
		if blank(got) != blank(other) {
			t.Fatalf("%q: %s, want %s", in, got, other)
		}
		again, err := AppendCanonical(nil, got)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q: %s becomes %s, %v", in, got, again, err)
		}
	})
}

// FuzzNumber holds numbers against exact arithmetic.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0.0", "1.50", "100e-2", "123456789012345678901234567890", "1e-300", "0.00012e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := AppendCanonical(nil, []byte(s))
		if err != nil || len(s) > 60 || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
			return
		}
		if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 4 {
			return // exact, but slow to compare
		}
		want, ok := new(big.Rat).SetString(strings.TrimSpace(s))
		is, ok2 := new(big.Rat).SetString(string(got))
		if !ok || !ok2 || want.Cmp(is) != 0 {
			t.Fatalf("%q: %s", s, got)
		}
		if m := regexp.MustCompile(`^(0|-?[1-9]([0-9]*[1-9])?(e-?[1-9][0-9]*)?)$`); !m.Match(got) {
			t.Fatalf("%q: %s is not in its one form", s, got)
		}
	})
}
