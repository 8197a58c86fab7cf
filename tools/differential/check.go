package main

import (
	"slices"
	"strconv"
	"strings"
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
		return t.unfolded || slices.Contains(t.names, [2]string{e.a, e.b})
	case callEvent:
		return t.unfolded || t.coversCall(e.a)
	default:
		return t.persistent
	}
}

// coversCall looks for the target of a call. Stubs of extension codes and of persistent ids have no name that
// the scanner could know: there the code or the persistent id must have been seen.
func (t *trace) coversCall(target string) bool {
	if slices.Contains(t.calls, target) {
		return true
	}
	if rest, ok := strings.CutPrefix(target, "extension."); ok {
		code := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		return t.hasExtension(code)
	}
	return strings.HasPrefix(target, "persistent") && t.persistent
}

func (t *trace) hasExtension(code string) bool {
	n, err := strconv.Atoi(code)
	return err == nil && slices.Contains(t.extensions, n)
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
