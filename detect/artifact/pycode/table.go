package pycode

import (
	"sort"

	"bartizan/detect/artifact/marshal"
)

//go:generate python3 ../../../tools/opcodes/generate.py opcodes_gen.go

// op is an instruction, one number for all versions.
type op uint16

// argKind says what an instruction's argument means.
type argKind uint8

const (
	argNone argKind = iota
	argPlain
	argName
	argConst
	argLocal
	argFree
	argJrel
	argJabs
)

// effectVaries marks a stack effect that depends on the argument, or that the
// generator could not learn.
const effectVaries = -128

// entry says what one opcode byte is in one version.
type entry struct {
	op     op
	arg    argKind
	caches uint8 // inline cache words that follow
	// special marks specialised and instrumented forms, which no compiler emits
	// and only a running interpreter writes.
	special    bool
	fall, jump int8 // stack effects
}

// table is the opcodes of one version.
type table struct {
	version marshal.Version
	entries [256]entry
}

func (t *table) at(minor uint8) bool {
	return t.version.Major == 3 && t.version.Minor >= minor
}

// word says whether instructions are two bytes each (3.6 and later).
func (t *table) word() bool { return t.version.Major == 3 }

// candidates are the tables that can read code of that layout and version.
func candidates(layout marshal.Layout, v marshal.Version) []*table {
	var fit []*table
	for i := range tables {
		t := &tables[i]
		if v.Known() && t.version != v {
			continue
		}
		if layout == marshal.LayoutAny || t.version.Layout() == layout {
			fit = append(fit, t)
		}
	}
	return fit
}

func isBuiltin(name string) bool {
	i := sort.SearchStrings(builtinNames[:], name)
	return i < len(builtinNames) && builtinNames[i] == name
}
