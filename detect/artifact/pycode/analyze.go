// Package pycode says what Python bytecode names and calls, without running it.
//
// It takes code objects (from marshal, from .pyc files, or from the arguments
// of types.CodeType as pickles carry them), decodes their bytecode with the
// opcode tables of CPython 2.7 and 3.6 to 3.14, and follows values through
// stack, variables, closures and attributes far enough to say "os.system" where
// the code says so in pieces: imports and their aliases, getattr with a name
// that is put together from constants, __import__, sys.modules, __dict__ and
// globals() by key, functools.partial, decoding calls on constants.
//
// It judges nothing: whether a name is dangerous is the caller's business. It is
// no emulator either. A name that is computed in a loop, read from input or
// received as an argument from elsewhere is not found; what remains visible is
// then the call of getattr, exec or __import__ with an argument "…". Names and
// constants are reported even where the bytecode cannot be read.
package pycode

import (
	"sort"

	"bartizan/detect/artifact/marshal"
)

// Code is a plain struct that a caller may fill in itself.
type Code = marshal.Code

// Value is a constant of a Code, a plain struct as well.
type Value = marshal.Value

// Bounds of what one analysis reports. What exceeds them sets Unknown.
const (
	MaxNames     = 1 << 15
	MaxCalls     = 1 << 15
	MaxConstants = 1 << 15
	MaxConstText = 4 << 20 // bytes of all constants together
	maxPath      = 300     // bytes of a dotted path
	maxArgs      = 32      // arguments shown of one call
	maxArgText   = 200     // bytes shown of one argument
	maxUnits     = 4096    // code objects analysed
	maxWork      = 1 << 24 // steps and stack slots copied
	workBase     = 200_000 // of that for any code with one table …
	workRate     = 400     // … and for each byte of bytecode on top; a module of the standard library takes 131 at most
)

// Call is one call that the code makes.
type Call struct {
	// Target is the dotted path of what is called. "builtins.exec" is the builtin;
	// a path that begins with "%" starts at a local variable whose value is not
	// known; "()" stands for the result of a call, so "builtins.open().read" is a method of
	// what open gave; "builtins.str.join" and the like are methods of constants.
	Target string
	// Args are the arguments as Python would write them, cut to a bound; "…" is
	// one that is not known, "name=…" a keyword.
	Args []string
	// In is the qualified name of the code object that makes the call.
	In string
}

// Result is what the code names and calls. All lists are sorted and without
// repetition, except Calls, which are in order of appearance.
type Result struct {
	// Names are all co_names as they stand, dead code included.
	Names []string
	// Imports are the modules and members that import statements and import
	// calls name: "os", "os.path", "os.system" (from os import system), "os.*".
	Imports []string
	// References are the dotted paths that the code reaches: "os.system",
	// "builtins.eval". The caller judges each of them. A first part that is in
	// Defined may be a name of the code's own.
	References []string
	// Defined are global names that the code itself binds.
	Defined []string
	Calls   []Call
	// Constants are strings and bytes in the code, and those that calls on
	// constants give (decoded, joined).
	Constants []string
	// Unknown says that not all was seen: no table decodes the bytecode, or a
	// bound was met. Names and Constants are then all that can be relied upon.
	Unknown bool
	// Irregular lists what no compiler writes: indices out of range, stack
	// underflow, opcodes that only a running interpreter makes. CPython checks
	// none of it, so such bytecode can corrupt memory without naming anything.
	Irregular []string
	// Versions are those whose tables read the bytecode, newest first.
	Versions []marshal.Version
	// Codes is how many code objects there were.
	Codes int
}

// Analyze says what running any of the code objects, or those within them,
// names and calls. Where the version is not known, every version of the code's
// layout that can read it counts, and the result is the union. Time and memory
// are bounded by the constants above and linear in the size of the code.
func Analyze(version marshal.Version, codes ...*Code) Result {
	out := newCollector()
	var units []*Code
	for _, c := range codes {
		units = append(units, marshal.Codes(&Value{Kind: marshal.CodeObject, Code: c})...)
	}
	units = unique(units)
	if len(units) > maxUnits {
		units, out.unknown = units[:maxUnits], true
	}
	layout := marshal.LayoutAny
	if len(units) > 0 {
		layout = units[0].Layout
	}
	for _, c := range units {
		out.static(c)
	}
	out.read(candidates(layout, version), units)
	return out.result(len(units))
}

// reading is what one table makes of the code.
type reading struct {
	table *table
	out   *collector
}

func (r *reading) clean() bool { return len(r.out.irregular) == 0 && !r.out.undecoded }

// read interprets the units with every table that reads them all without a
// fault; where none does, with all tables, as far as each goes. A reading with
// faults next to one without is that of another version: it counts for nothing.
func (c *collector) read(fit []*table, units []*Code) {
	var chosen []reading
	w := newWork(units)
	for i := len(fit) - 1; i >= 0; i-- {
		r := reading{fit[i], newCollector()}
		w.share(func(left *int) { newAnalysis(r.table, units, r.out, left).fixpoint(false) })
		if r.clean() {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) > 0 {
		for _, r := range chosen {
			c.merge(r.out)
			c.versions = append(c.versions, r.table.version)
		}
		return
	}
	c.readFaulty(fit, units, w)
}

// work is what all readings together may cost.
type work struct{ left, each int }

func newWork(units []*Code) *work {
	size := 0
	for _, c := range units {
		size += len(c.Bytecode)
	}
	return &work{left: maxWork, each: workBase + workRate*min(size, maxWork)}
}

// share gives one reading its part.
func (w *work) share(do func(left *int)) {
	part := max(min(w.each, w.left), 0)
	left := part
	do(&left)
	w.left -= part - left
}

// readFaulty takes what every table finds, faults or not. The faults reported
// are those of the version with the fewest.
func (c *collector) readFaulty(fit []*table, units []*Code, w *work) {
	var best *collector
	for i := len(fit) - 1; i >= 0; i-- {
		r := reading{fit[i], newCollector()}
		w.share(func(left *int) { newAnalysis(r.table, units, r.out, left).fixpoint(true) })
		c.merge(r.out)
		if !r.out.undecoded {
			c.versions = append(c.versions, r.table.version)
		}
		if best == nil || len(r.out.irregular) < len(best.irregular) {
			best = r.out
		}
	}
	c.unknown = c.unknown || len(c.versions) == 0
	if best != nil {
		c.irregular = best.irregular
	}
}

func unique(codes []*Code) []*Code {
	seen := map[*Code]bool{}
	kept := codes[:0]
	for _, c := range codes {
		if c != nil && !seen[c] {
			seen[c] = true
			kept = append(kept, c)
		}
	}
	return kept
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	sort.Strings(list)
	return list
}
