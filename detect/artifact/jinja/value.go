package jinja

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// hole stands in a text for a part that is not constant.
const hole = "\uFFFC"

// Bounds of what is folded.
const (
	maxText = 32 << 10 // bytes of a folded text; longer ones keep their begin
	maxList = 4096     // items of a folded list
	maxAlts = 6        // values that one variable may have after branches
)

type valueKind uint8

const (
	vUnknown valueKind = iota
	vText
	vInt
	vBool
	vNone
	vList // tuples too
	vDict // items: key, value …
	vSpace
	vMacro
	vUnion
	vLoop
)

// origin says where an unknown value comes from.
type origin uint8

const (
	fromOther    origin = iota
	fromMessages        // the conversation
	fromMessage         // one message
	fromContent         // what somebody wrote
	fromMeta            // role, type, name: what a caller sets
	fromTools
	fromDate
	fromIndex  // positions and counts of messages
	fromGlobal // one of the environment's own objects; name says which
)

// depends is what a value hangs on. The lower ones say where data came from, the
// keyed ones that it came from comparing data with a constant.
type depends uint16

const (
	onContent depends = 1 << iota
	onDate
	onIndex
	keyTrigger // content compared with words
	keyMarker  // content compared with a control token
	keyMode    // content compared with a documented switch such as /no_think
	keyWeak    // content compared with one character, punctuation, a length
	keyDate    // a date compared with a constant
	keyIndex   // a position or count compared with an unusual constant
	onUser     // the role is user
	onTools    // tools are given
	onBuilt    // put together from constants in a way that is not followed
	onDynamic  // an item whose name is not constant
	keyFar     // keyed through a variable that was set under a condition

	keyed = keyTrigger | keyMarker | keyMode | keyWeak | keyDate | keyIndex
)

// value is an abstract value. It is immutable once made.
type value struct {
	kind  valueKind
	from  origin
	dep   depends
	exact bool   // text has no holes and is whole
	text  string // vText; the name of a global, a namespace's id
	num   int64
	items []*value
	size  int64  // estimated length of a text or list when rendered
	key   string // the constants that keyed dependence came from, shortened
	macro *Stmt
}

var unknown = &value{size: 1}

func textValue(s string) *value {
	v := &value{kind: vText, text: s, exact: true, size: int64(len(s))}
	if len(s) > maxText { // begin and end stay
		v.text, v.exact = cut(s, maxText-maxTail)+hole+tail(s, maxTail), false
	}
	return v
}

const maxTail = maxText / 4

// tail gives at most n last bytes of s, whole characters only.
func tail(s string, n int) string {
	i := max(len(s)-n, 0)
	for i < len(s) && !utf8.RuneStart(s[i]) {
		i++
	}
	return s[i:]
}

// skeleton is a text with holes.
func skeleton(s string, dep depends, key string) *value {
	v := textValue(s)
	if strings.Contains(s, hole) {
		v.exact = false
	}
	v.dep, v.key = dep, key
	return v
}

func intValue(n int64) *value { return &value{kind: vInt, num: n, exact: true, size: 1} }

func boolValue(b bool) *value {
	v := &value{kind: vBool, exact: true, size: 1}
	if b {
		v.num = 1
	}
	return v
}

func listValue(items []*value) *value {
	v := &value{kind: vList, items: items, size: int64(len(items)), exact: true}
	if len(items) > maxList {
		v.items, v.exact = items[:maxList], false
	}
	return v
}

// opaque is an unknown value that hangs on others.
func opaque(from origin, vs ...*value) *value {
	v := &value{from: from, size: 1}
	for _, x := range vs {
		v.absorb(x)
	}
	return v
}

// absorb adds the dependence of x; only for values that are still being made.
func (v *value) absorb(x *value) {
	if x == nil {
		return
	}
	v.dep |= x.dep
	if v.key == "" {
		v.key = x.key
	}
}

// with gives v with further dependence.
func (v *value) with(dep depends, key string) *value {
	if v.dep|dep == v.dep && (key == "" || v.key != "") {
		return v
	}
	c := *v
	c.dep |= dep
	if c.key == "" {
		c.key = key
	}
	return &c
}

// without gives v with less dependence.
func (v *value) without(dep depends) *value {
	if v.dep&dep == 0 {
		return v
	}
	c := *v
	c.dep &^= dep
	return &c
}

// alts gives the values that v may have.
func (v *value) alts() []*value {
	if v.kind == vUnion {
		return v.items
	}
	return []*value{v}
}

// union joins values of one variable after branches.
func union(vs ...*value) *value {
	u := &value{kind: vUnion, size: 1}
	for _, v := range vs {
		for _, a := range v.alts() {
			u.absorb(a)
			u.size = max(u.size, a.size)
			if len(u.items) < maxAlts && !u.has(a) {
				u.items = append(u.items, a)
			}
		}
	}
	if len(u.items) == 1 {
		return u.items[0].with(u.dep, u.key)
	}
	return u
}

func (v *value) has(a *value) bool {
	for _, x := range v.items {
		if x == a || x.kind == a.kind && a.kind <= vNone && x.text == a.text && x.num == a.num && x.from == a.from && x.exact == a.exact {
			return true
		}
	}
	return false
}

// each applies f to every value that v may have.
func each(v *value, f func(*value) *value) *value {
	if v.kind != vUnion {
		return f(v)
	}
	out := make([]*value, 0, len(v.items))
	for _, a := range v.items {
		out = append(out, f(a))
	}
	return union(out...)
}

// each2 applies f to every pair.
func each2(a, b *value, f func(a, b *value) *value) *value {
	return each(a, func(x *value) *value {
		return each(b, func(y *value) *value { return f(x, y) })
	})
}

// str is what a value gives in a text: its constant, or a hole.
func (v *value) str() string {
	switch v.kind {
	case vText:
		return v.text
	case vInt:
		return strconv.FormatInt(v.num, 10)
	case vBool:
		if v.num == 1 {
			return "True"
		}
		return "False"
	case vNone:
		return "None"
	case vList, vDict:
		return v.repr()
	case vUnion:
		best := hole
		for _, a := range v.items {
			if s := a.str(); len(s) > len(best) {
				best = s
			}
		}
		return best
	}
	return hole
}

// repr is Python's text of a list or dict, as far as it is known.
func (v *value) repr() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, x := range v.items {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > maxText {
			b.WriteString(hole)
			break
		}
		if x.kind == vText {
			b.WriteString("'" + x.text + "'")
		} else if x.kind == vList || x.kind == vDict {
			b.WriteString(hole)
		} else {
			b.WriteString(x.str())
		}
	}
	b.WriteByte(']')
	return b.String()
}

// known says that the value is a constant through and through.
func (v *value) known() bool {
	switch v.kind {
	case vText, vInt, vBool:
		return v.exact
	case vNone:
		return true
	case vList, vDict:
		for _, x := range v.items {
			if x.kind == vList || x.kind == vDict || !x.known() {
				return false
			}
		}
		return v.exact
	}
	return false
}

// truth says whether a constant is true; ok is false where that is not known.
func (v *value) truth() (truth, ok bool) {
	switch v.kind {
	case vText:
		return v.text != "", v.exact || strings.Trim(v.text, hole) != ""
	case vInt, vBool:
		return v.num != 0, v.exact
	case vNone:
		return false, true
	case vList, vDict:
		return len(v.items) > 0, v.exact
	}
	return false, false
}

// saturating arithmetic for sizes.
const huge = int64(1) << 60

func addSize(a, b int64) int64 {
	if a > huge-b {
		return huge
	}
	return a + b
}

func mulSize(a, b int64) int64 {
	if a > 0 && b > huge/a {
		return huge
	}
	return a * b
}

// cut gives at most n bytes of s, whole characters only.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
