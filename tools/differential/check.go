package main

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// trace is what the scanner says that a stream may do.
type trace struct {
	names      [][2]string // module and name, as the stream gives them
	calls      []string    // "module.name", "module.name()" for a result, "module.name().append" for its method
	unfolded   bool        // a name or a target could not be computed: the scanner blocks
	extensions []int
	persistent bool
}

// tracer gives the trace of a stream.
type tracer func(data []byte) trace

// covers says whether the scanner reported what an interpreter did. A trace that is unfolded covers every name and
// call, since the scanner blocks on it.
func (t *trace) covers(e event) bool {
	switch e.kind {
	case nameEvent:
		if e.a == "extension" && t.hasExtension(e.b) {
			return true
		}
		return t.unfolded || slices.ContainsFunc(t.names, func(n [2]string) bool { return sameText(n[0], e.a) && sameText(n[1], e.b) })
	case callEvent:
		return t.unfolded || t.coversCall(e.a)
	default:
		return t.persistent
	}
}

// coversCall looks for the target of a call. What is called on the result of a combinator is told under the name of
// what the combinator gives, which stubs do not know: there the combinator's call must have been seen. Attributes
// that BUILD sets on a name are told as its __setstate__.
func (t *trace) coversCall(target string) bool {
	if t.hasCall(target) {
		return true
	}
	object, method := cutLast(target)
	if slices.Contains(fillers, method) {
		return slices.ContainsFunc(fillers, func(m string) bool { return t.hasCall(object + "." + m) })
	}
	if method == "__setattr__" {
		return t.hasCall(object + ".__setstate__")
	}
	return slices.ContainsFunc(combinators, func(c string) bool { return strings.HasPrefix(target, c+"()") && t.hasCall(c) })
}

// hasCall says whether a call was reported. Stubs of extension codes and of persistent ids have no name that the
// scanner could know: there the code or the persistent id must have been seen.
func (t *trace) hasCall(target string) bool {
	if slices.ContainsFunc(t.calls, func(c string) bool { return sameText(c, target) }) {
		return true
	}
	if rest, ok := strings.CutPrefix(target, "extension."); ok {
		return t.hasExtension(rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))])
	}
	return strings.HasPrefix(target, "persistent") && t.persistent
}

func (t *trace) hasExtension(code string) bool {
	n, err := strconv.Atoi(code)
	return err == nil && slices.Contains(t.extensions, n)
}

// combinators are the names in generated streams whose results the engine computes.
var combinators = []string{"builtins.getattr", "__builtin__.getattr"}

// fillers are the methods that readers call to fill an object: which of them depends on the interpreter's version.
var fillers = []string{"append", "extend", "add", "update", "__setitem__"}

func cutLast(target string) (object, method string) {
	i := strings.LastIndexByte(target, '.')
	return target[:max(i, 0)], target[i+1:]
}

// sameText compares a text that the scanner reports with one that an interpreter saw. Beyond ASCII it only asks that
// there is something in the same place: what 8-bit text and lone surrogates mean depends on the encoding that a reader
// is given, and no such name is taken for a known one.
func sameText(reported, seen string) bool {
	return reported == seen || !isASCII(seen) && skeleton(reported) == skeleton(seen)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// skeleton puts one question mark for each run of bytes beyond ASCII.
func skeleton(s string) string {
	var out strings.Builder
	for i := range len(s) {
		switch {
		case s[i] < utf8.RuneSelf:
			out.WriteByte(s[i])
		case i == 0 || s[i-1] < utf8.RuneSelf:
			out.WriteByte('?')
		}
	}
	return out.String()
}

// miss is something that an interpreter did and the scanner did not report.
type miss struct {
	event
	interpreter *interpreter
}

// missesOf gives what is not covered in the outcomes of one stream, by interpreter.
func missesOf(t *trace, interpreters []*interpreter, outcomes []outcome) []miss {
	var misses []miss
	for i, o := range outcomes {
		for _, e := range o.events {
			if !t.covers(e) {
				misses = append(misses, miss{e, interpreters[i]})
			}
		}
	}
	return misses
}
