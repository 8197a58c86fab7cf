package encode

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "models/übung 日本.pt", "models/übung 日本.pt"},
		{"a backslash alone stays", `C:\models\a.pt`, `C:\models\a.pt`},
		{"terminal sequence", "\x1b[31mred", `\x1b[31mred`},
		{"C1 control", "\u009b31m", `\u009b31m`},
		{"line feed", "a\nb", `a\nb`},
		{"right-to-left override", "a\u202egnp.pt", `a\u202egnp.pt`},
		{"isolates", "\u2066x\u2069", `\u2066x\u2069`},
		{"zero width", "pay\u200bload\u200f", `pay\u200bload\u200f`},
		{"byte order mark", "\ufeffx", `\ufeffx`},
		{"tags", "\U000e0041", `\U000e0041`},
		{"variation selector", "x\ufe01", `x\ufe01`},
		{"blank letter", "\u3164", `\u3164`},
		{"no-break space", "a\u00a0b", `a\u00a0b`},
		{"not UTF-8", "caf\xe9.pt", `caf\xe9.pt`},
		{"escape cannot be forged", "\\x1b\x1b", `\\x1b\x1b`},
		{"replacement character stays", "\ufffd", "\ufffd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Text(c.in); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTextShowsNothingHidden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := texts(true).Draw(t, "s")
		got := Text(s)
		if !isPlain(got) {
			t.Fatalf("%q has something hidden", got)
		}
		if isPlain(s) && got != s {
			t.Fatalf("plain %q became %q", s, got)
		}
	})
}

// Two names never come out the same: a report that shows one file for two would
// let one hide behind the other.
func TestNamesStayApart(t *testing.T) {
	part := rapid.SampledFrom([]string{"\xff", `\xff`, `\`, "x", "ff", `\\`, "a", "\xfe", `\x`, "é"})
	name := rapid.Map(rapid.SliceOfN(part, 0, 5), func(p []string) string { return strings.Join(p, "") })
	rapid.Check(t, func(t *rapid.T) {
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if a != b && validName(a) == validName(b) {
			t.Fatalf("%q and %q both come out as %q", a, b, validName(a))
		}
		if !utf8.ValidString(validName(a)) {
			t.Fatalf("%q is not UTF-8", validName(a))
		}
	})
}

func TestEscapeJSONKeepsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := map[string]any{valid(texts(true).Draw(t, "key")): valid(texts(true).Draw(t, "value"))}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		out := escapeJSON(text)
		checkVisible(t, out)
		var back map[string]any
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatal(err)
		}
		for k, v := range in {
			if back[k] != v {
				t.Fatalf("%q: got %q, want %q", k, back[k], v)
			}
		}
	})
}
