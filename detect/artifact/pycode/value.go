package pycode

import (
	"bartizan/detect/artifact/marshal"
)

// altKind says what one possible value is.
type altKind uint8

const (
	altConst   altKind = iota // c
	altPath                   // text: a dotted path from a global, builtin or module
	altSeq                    // items: tuple, list
	altFunc                   // code: a function made here, or a code object's function
	altMethod                 // a method named text of the constant or sequence *recv
	altNull                   // the NULL that calls push
	altAttrs                  // operator.attrgetter(text)
	altCaller                 // operator.methodcaller(text, items…)
	altPartial                // functools.partial: *recv with items before the arguments
)

// alt is one possible value.
type alt struct {
	kind  altKind
	text  string
	c     *marshal.Value
	items []value
	code  *marshal.Code
	recv  *alt
}

// value is what a variable or stack slot may hold: one of alts, or, where open
// is set, something that was not followed.
type value struct {
	alts []alt
	open bool
}

// How many possible values are followed: paths are worth more than constants,
// which a program has cheaply.
const (
	maxPaths = 24
	maxAlts  = 6
)

var unknown = value{open: true}

func one(a alt) value { return value{alts: []alt{a}} }

func constant(c *marshal.Value) value {
	if c == nil {
		return unknown
	}
	if c.Kind == marshal.Unknown {
		return unknown
	}
	return one(alt{kind: altConst, c: c})
}

func text(s string) value {
	return constant(&marshal.Value{Kind: marshal.Text, Text: s})
}

func path(p string) value { return one(alt{kind: altPath, text: p}) }

func seq(items []value) value { return one(alt{kind: altSeq, text: "list", items: items}) }

func tupleOf(items []value) value { return one(alt{kind: altSeq, text: "tuple", items: items}) }

// join gives what may be either. grew says whether b added anything to a.
func join(a, b value) (v value, grew bool) {
	v = a
	if b.open && !a.open {
		v.open, grew = true, true
	}
	for _, x := range b.alts {
		if has(v.alts, x) {
			continue
		}
		if full(v.alts, x.kind) {
			if !v.open {
				v.open, grew = true, true
			}
			continue
		}
		v.alts = append(v.alts[:len(v.alts):len(v.alts)], x)
		grew = true
	}
	return v, grew
}

func full(alts []alt, kind altKind) bool {
	n := 0
	for i := range alts {
		if (alts[i].kind == altPath) == (kind == altPath) {
			n++
		}
	}
	return kind == altPath && n >= maxPaths || kind != altPath && n >= maxAlts
}

func has(alts []alt, x alt) bool {
	for i := range alts {
		if same(&alts[i], &x) {
			return true
		}
	}
	return false
}

func same(a, b *alt) bool {
	if a.kind != b.kind || a.text != b.text || a.code != b.code || len(a.items) != len(b.items) {
		return false
	}
	switch a.kind {
	case altConst:
		return sameConst(a.c, b.c)
	case altMethod, altPartial:
		return same(a.recv, b.recv)
	case altSeq, altCaller:
		return len(a.items) == 0 || &a.items[0] == &b.items[0]
	}
	return true
}

func sameConst(a, b *marshal.Value) bool {
	if a == b {
		return true
	}
	if a.Kind != b.Kind || len(a.Items) > 0 || len(b.Items) > 0 || a.Code != b.Code {
		return false
	}
	return a.Text == b.Text && a.Int == b.Int && a.Float == b.Float && a.Imag == b.Imag
}

// str gives the text of a string or bytes constant.
func (a *alt) str() (string, bool) {
	if a.kind == altConst && (a.c.Kind == marshal.Text || a.c.Kind == marshal.Bytes) {
		return a.c.Text, true
	}
	return "", false
}

// integer gives the number of an int or bool constant.
func (a *alt) integer() (int64, bool) {
	if a.kind != altConst {
		return 0, false
	}
	switch a.c.Kind {
	case marshal.Int:
		return a.c.Int, true
	case marshal.True:
		return 1, true
	case marshal.False:
		return 0, true
	}
	return 0, false
}

// maxElements bounds what is iterated over.
const maxElements = 4096

// elements gives what iterating over the value yields, where that is known and
// not more than a bound.
func (a *alt) elements() ([]value, bool) {
	const most = maxElements
	if a.kind == altSeq {
		return a.items, len(a.items) <= most
	}
	if a.kind != altConst {
		return nil, false
	}
	var out []value
	switch a.c.Kind {
	case marshal.Tuple, marshal.List, marshal.Set, marshal.FrozenSet:
		if len(a.c.Items) > most {
			return nil, false
		}
		for _, item := range a.c.Items {
			out = append(out, constant(item))
		}
	case marshal.Text:
		if len(a.c.Text) > most {
			return nil, false
		}
		for _, r := range a.c.Text {
			out = append(out, text(string(r)))
		}
	case marshal.Bytes:
		if len(a.c.Text) > most {
			return nil, false
		}
		for i := 0; i < len(a.c.Text); i++ {
			out = append(out, number(int64(a.c.Text[i])))
		}
	default:
		return nil, false
	}
	return out, true
}

func number(n int64) value { return constant(&marshal.Value{Kind: marshal.Int, Int: n}) }

// single gives the only value that is worked out. Where a name may come from
// outside as well (a path), what the code itself binds to it is taken: the
// question is what can be reached, not what must be.
func (v value) single() (*alt, bool) {
	var found *alt
	for i := range v.alts {
		if v.alts[i].kind == altPath {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = &v.alts[i]
	}
	if found == nil && len(v.alts) == 1 {
		found = &v.alts[0]
	}
	return found, found != nil
}

// maxCombinations bounds how many choices of possible arguments are tried.
const maxCombinations = 24

// combinations gives the ways to choose one possible value for each argument.
func combinations(args []value) [][]value {
	ways := [][]value{make([]value, 0, len(args))}
	for _, arg := range args {
		var known []alt
		for _, a := range arg.alts {
			if a.kind != altPath || len(arg.alts) == 1 {
				known = append(known, a)
			}
		}
		if len(known) <= 1 || len(ways)*len(known) > maxCombinations {
			for i := range ways {
				ways[i] = append(ways[i], arg)
			}
			continue
		}
		var more [][]value
		for _, way := range ways {
			for _, a := range known {
				more = append(more, append(append(make([]value, 0, len(args)), way...), one(a)))
			}
		}
		ways = more
	}
	return ways
}

// first gives the first possible value, if any is known.
func (v value) first() *alt {
	if len(v.alts) == 0 {
		return &alt{kind: altPath, text: "?"}
	}
	return &v.alts[0]
}

// weight is roughly what it costs to take a value apart or to copy it, in steps.
func (v value) weight() int {
	n := 0
	for i := range v.alts {
		a := &v.alts[i]
		n += len(a.items)
		if a.kind == altMethod {
			n += one(*a.recv).weight()
		}
		if a.c != nil {
			n += len(a.c.Items) + min(len(a.c.Text), maxElements) + len(a.c.Text)/16
		}
	}
	return n
}
