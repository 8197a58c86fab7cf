package statement

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestMatch(t *testing.T) {
	a, b := hexOf("a", 64), hexOf("b", 64)
	for name, c := range map[string]struct {
		x, y Digests
		want bool
	}{
		"the same":                     {SHA256(a), SHA256(a), true},
		"another":                      {SHA256(a), SHA256(b), false},
		"nothing in common":            {SHA256(a), Digests{"blake3": a}, false},
		"one of several":               {Digests{"sha256": a, "blake3": b}, SHA256(a), true},
		"one contradicts":              {Digests{"sha256": a, "blake3": b}, Digests{"sha256": a, "blake3": a}, false},
		"a weak one contradicts":       {Digests{"sha256": a, "md5": b[:32]}, Digests{"sha256": a, "md5": a[:32]}, false},
		"only a weak one":              {Digests{"sha1": a[:40]}, Digests{"sha1": a[:40]}, false},
		"the same value, other name":   {Digests{"sha3_256": a}, SHA256(a), false},
		"unknown algorithm":            {Digests{"cool": a}, Digests{"cool": a}, false},
		"unknown contradicts, ignored": {Digests{"sha256": a, "cool": a}, Digests{"sha256": a, "cool": b}, true},
		"a commit":                     {Digests{"gitCommit": a[:40]}, Digests{"gitCommit": a[:40]}, true},
		"nothing":                      {nil, nil, false},
	} {
		if got := c.x.Match(c.y); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if got := c.y.Match(c.x); got != c.want {
			t.Errorf("%s, the other way round: %v", name, got)
		}
	}
}

func TestParseDigest(t *testing.T) {
	for text, ok := range map[string]bool{
		"sha256:" + hexOf("a", 64): true, "gitCommit:" + hexOf("1", 40): true, "gitCommit:" + hexOf("1", 64): true, "blake2b:" + hexOf("1", 128): true,
		"sha256:" + hexOf("A", 64): false, "sha256:" + hexOf("a", 63): false, "sha257:" + hexOf("a", 64): false, hexOf("a", 64): false, "": false, ":": false,
	} {
		d, err := ParseDigest(text)
		if ok != (err == nil) || ok && d.String() != text {
			t.Errorf("%q: %v %v", text, d, err)
		}
	}
}

func TestAnnotations(t *testing.T) {
	var d Descriptor
	d.Annotate("a", "x\"\u2028\xff")
	if got := d.Annotation("a"); got != "x\"\u2028\ufffd" {
		t.Errorf("%q", got)
	}
	d.Annotations["n"] = jsontext.Value("1")
	if d.Annotation("n") != "" || d.Annotation("none") != "" {
		t.Error("a text out of nothing")
	}
	before := Descriptor{Name: "x"}
	if before.WithRole(RoleCode); before.Annotations != nil {
		t.Error("WithRole changed its receiver")
	}
}
