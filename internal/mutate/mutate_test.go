package mutate

import (
	"bytes"
	"testing"
)

// The same seed gives the same bytes, another seed others; names are unique.
func TestGenerate(t *testing.T) {
	const n = 3000
	one, err := Generate(7, n)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Generate(7, n)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Generate(8, n)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.Cases) != n || len(two.Cases) != n {
		t.Fatalf("%d and %d cases, want %d", len(one.Cases), len(two.Cases), n)
	}
	names := map[string]bool{}
	alike := 0
	for i := range one.Cases {
		a, b := &one.Cases[i], &two.Cases[i]
		if names[a.Name] {
			t.Errorf("two cases named %s", a.Name)
		}
		names[a.Name] = true
		if a.Name != b.Name || a.Want != b.Want || !bytes.Equal(a.Bundle, b.Bundle) {
			t.Fatalf("case %d differs: %s and %s", i, a.Name, b.Name)
		}
		if bytes.Equal(a.Bundle, other.Cases[i].Bundle) {
			alike++
		}
		if a.Want == Reject && len(a.Codes) == 0 {
			t.Errorf("%s may be refused by no code", a.Name)
		}
	}
	if alike > n/10 {
		t.Errorf("%d cases of another seed are the same", alike)
	}
}

func TestGenerateWantsRoom(t *testing.T) {
	if _, err := Generate(1, 10); err == nil {
		t.Error("ten cases hold them all")
	}
}

func TestEncode(t *testing.T) {
	v := object("a", list(1, "x\n", nil), "b", object(), "c", true)
	if got, want := string(v.encode("")), `{"a":[1,"x\n",null],"b":{},"c":true}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := string(v.encode(" ")), "{\n \"a\": [\n  1,\n  \"x\\n\",\n  null\n ],\n \"b\": {},\n \"c\": true\n}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
