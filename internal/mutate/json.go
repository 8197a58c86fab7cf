package mutate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// value is a JSON value that keeps the order of members, may hold a member
// twice, and may hold text that is no JSON: what encoding/json cannot write.
type value struct {
	kind    byte // '{', '[', '"', or 'r': text as it stands
	members []member
	items   []*value
	text    string // a string without its quotes and escapes, or the text itself
}

type member struct {
	key    string
	rawKey string // the key with quotes as it is to be written, where it is not the plain form
	value  *value
}

func object(pairs ...any) *value {
	v := &value{kind: '{'}
	for pair := range slices.Chunk(pairs, 2) {
		v.members = append(v.members, member{key: fmt.Sprint(pair[0]), value: of(pair[len(pair)-1])})
	}
	return v
}

func list(items ...any) *value {
	v := &value{kind: '['}
	for _, item := range items {
		v.items = append(v.items, of(item))
	}
	return v
}

func raw(text string) *value { return &value{kind: 'r', text: text} }

// of makes a value of a Go value of a few kinds.
func of(x any) *value {
	switch x := x.(type) {
	case *value:
		return x
	case string:
		return &value{kind: '"', text: x}
	case nil:
		return raw("null")
	}
	return raw(fmt.Sprint(x)) // numbers and booleans
}

// clone copies the value and all that it holds.
func (v *value) clone() *value {
	c := &value{kind: v.kind, text: v.text}
	for _, m := range v.members {
		c.members = append(c.members, member{m.key, m.rawKey, m.value.clone()})
	}
	for _, item := range v.items {
		c.items = append(c.items, item.clone())
	}
	return c
}

// at follows keys and indices; it gives nil where they lead nowhere.
func (v *value) at(path ...any) *value {
	for _, step := range path {
		if v == nil {
			return nil
		}
		switch step := step.(type) {
		case string:
			v = v.member(step)
		case int:
			if step >= len(v.items) {
				return nil
			}
			v = v.items[step]
		}
	}
	return v
}

func (v *value) member(key string) *value {
	for _, m := range v.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// set gives a member of an object another value, or adds it.
func (v *value) set(key string, x any) {
	for i := range v.members {
		if v.members[i].key == key {
			v.members[i].value = of(x)
			return
		}
	}
	v.members = append(v.members, member{key: key, value: of(x)})
}

func (v *value) drop(key string) {
	for i := range v.members {
		if v.members[i].key == key {
			v.members = append(v.members[:i:i], v.members[i+1:]...)
			return
		}
	}
}

// encode writes the value, on one line or with an indentation.
func (v *value) encode(indent string) []byte {
	var out bytes.Buffer
	v.write(&out, indent, "\n")
	return out.Bytes()
}

func (v *value) write(out *bytes.Buffer, indent, end string) {
	switch v.kind {
	case '{', '[':
		v.writeAll(out, indent, end)
	case '"':
		out.WriteString(quote(v.text))
	default:
		out.WriteString(v.text)
	}
}

func (v *value) writeAll(out *bytes.Buffer, indent, end string) {
	count := len(v.members) + len(v.items)
	inner := end + indent
	line := func(s string) {
		if indent != "" {
			out.WriteString(s)
		}
	}
	out.WriteByte(v.kind)
	for i := range count {
		if i > 0 {
			out.WriteByte(',')
		}
		line(inner)
		if v.kind == '[' {
			v.items[i].write(out, indent, inner)
			continue
		}
		m := v.members[i]
		if m.rawKey != "" {
			out.WriteString(m.rawKey)
		} else {
			out.WriteString(quote(m.key))
		}
		out.WriteByte(':')
		line(" ")
		m.value.write(out, indent, inner)
	}
	if count > 0 {
		line(end)
	}
	out.WriteByte(v.kind + 2) // } and ] stand two behind { and [
}

func quote(s string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// place is where a value stands: its parent and its number there.
type place struct {
	name  string // as in predicate.resources[0].name
	steps []int
}

// places lists every member and every item below the value.
func (v *value) places() []place {
	var all []place
	for i, m := range v.members {
		all = append(all, below(place{m.key, []int{i}}, m.value)...)
	}
	for i, item := range v.items {
		all = append(all, below(place{fmt.Sprintf("[%d]", i), []int{i}}, item)...)
	}
	return all
}

func below(p place, v *value) []place {
	all := []place{p}
	for _, inner := range v.places() {
		name := p.name + "." + inner.name
		if strings.HasPrefix(inner.name, "[") {
			name = p.name + inner.name
		}
		all = append(all, place{name, append(append([]int{}, p.steps...), inner.steps...)})
	}
	return all
}

// parent gives the value that holds the place, and the number there.
func (v *value) parent(p place) (*value, int) {
	for _, step := range p.steps[:len(p.steps)-1] {
		v = v.child(step)
	}
	return v, p.steps[len(p.steps)-1]
}

func (v *value) child(i int) *value {
	if v.kind == '{' {
		return v.members[i].value
	}
	return v.items[i]
}

func (v *value) setChild(i int, x *value) {
	if v.kind == '{' {
		v.members[i].value = x
	} else {
		v.items[i] = x
	}
}

// inOrder walks a map by its keys in order, so that a seed gives the same cases.
func inOrder[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
