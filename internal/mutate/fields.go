package mutate

import (
	"strings"
	"unicode"
)

// change is one way to alter the field at a place.
type change struct {
	how   string
	apply func(parent *value, i int)
}

// changesOf gives the ways to alter the field, by what it holds.
func changesOf(root *value, p place) []change {
	parent, i := root.parent(p)
	old := parent.child(i)
	all := []change{
		{"drop", func(v *value, i int) {
			if v.kind == '{' {
				v.members = append(v.members[:i:i], v.members[i+1:]...)
			} else {
				v.items = append(v.items[:i:i], v.items[i+1:]...)
			}
		}},
		{"null", func(v *value, i int) { v.setChild(i, of(nil)) }},
	}
	for how, other := range map[string]*value{"object": object(), "list": list(), "string": of("x"), "number": of(7), "boolean": of(true)} {
		if other.kind == old.kind && other.kind != 'r' || other.text == old.text && other.kind == old.kind {
			continue
		}
		if other.kind == 'r' && old.kind == 'r' && strings.ContainsAny(old.text[:1], "0123456789tf") && (old.text[0] <= '9') == (other.text[0] <= '9') {
			continue // a number for a number
		}
		all = append(all, change{"type " + how, func(v *value, i int) { v.setChild(i, other.clone()) }})
	}
	if old.kind == '[' || old.kind == '{' {
		all = append(all, change{"wrapped", func(v *value, i int) { v.setChild(i, list(old.clone())) }})
	}
	if old.kind == '"' {
		all = append(all, change{"empty", func(v *value, i int) { v.setChild(i, of("")) }})
	}
	if old.kind == 'r' && old.text[0] >= '0' && old.text[0] <= '9' {
		all = append(all, change{"number as string", func(v *value, i int) { v.setChild(i, of(old.text)) }})
	}
	if parent.kind == '{' {
		all = append(all, keyChanges(parent.members[i].key)...)
	}
	sortChanges(all)
	return all
}

func sortChanges(all []change) {
	for i := 1; i < len(all); i++ {
		for j := i; j > 0 && all[j].how < all[j-1].how; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
}

// keyChanges alter a member's key, or add another member of the same key.
func keyChanges(key string) []change {
	insert := func(before bool, x *value) func(v *value, i int) {
		return func(v *value, i int) {
			m := member{key: key, value: x}
			if x == nil {
				m.value = v.members[i].value.clone()
			}
			at := i
			if !before {
				at++
			}
			v.members = append(v.members[:at:at], append([]member{m}, v.members[at:]...)...)
		}
	}
	rename := func(to string) func(v *value, i int) {
		return func(v *value, i int) { v.members[i].key = to }
	}
	escaped := `"\u00` + string("0123456789abcdef"[key[0]>>4]) + string("0123456789abcdef"[key[0]&15]) + key[1:] + `"`
	return []change{
		{"twice, the same", insert(false, nil)},
		{"twice, null first", insert(true, of(nil))},
		{"twice, null last", insert(false, of(nil))},
		{"twice, another first", insert(true, of("other"))},
		{"twice, another last", insert(false, of("other"))},
		{"twice, by an escape", func(v *value, i int) {
			m := member{key: key, rawKey: escaped, value: of(nil)}
			v.members = append([]member{m}, v.members...)
		}},
		{"key of other case", rename(swapCase(key))},
		{"key in capitals", rename(strings.ToUpper(key) + strings.Repeat("_", boolInt(strings.ToUpper(key) == key)))},
		{"key with a space", rename(key + " ")},
		{"key with NUL", rename(key + "\x00")},
		{"key in snake case", rename(snake(key))},
		{"key by an escape", func(v *value, i int) { v.members[i].rawKey = escaped }},
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// swapCase changes the case of the first letter.
func swapCase(s string) string {
	out := []rune(s)
	for i, r := range out {
		switch {
		case unicode.IsUpper(r):
			out[i] = unicode.ToLower(r)
			return string(out)
		case unicode.IsLower(r):
			out[i] = unicode.ToUpper(r)
			return string(out)
		}
	}
	return s + "_"
}

// snake is the other spelling that readers of protocol buffers take.
func snake(s string) string {
	var out strings.Builder
	for _, r := range s {
		if unicode.IsUpper(r) {
			out.WriteByte('_')
			r = unicode.ToLower(r)
		}
		out.WriteRune(r)
	}
	if out.String() == s {
		return s + "_"
	}
	return out.String()
}

// altered applies the change to a copy.
func altered(root *value, p place, c change) *value {
	copied := root.clone()
	parent, i := copied.parent(p)
	c.apply(parent, i)
	return copied
}
