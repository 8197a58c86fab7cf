package pycode

import (
	"encoding/binary"

	"bartizan/detect/artifact/marshal"
)

// instr is one instruction with its prefixes and caches.
type instr struct {
	entry
	arg  int
	off  int // of the first prefix
	next int // after the inline caches
	// target is where a jump leads; -1 where the instruction has none.
	target int
	dirty  bool // an inline cache is not zero: no compiler writes that
}

// maxPrefixes bounds EXTENDED_ARG chains; a 32-bit argument needs three.
const maxPrefixes = 16

// decode reads the instruction at off. ok is false where there is none: the
// code ends within it, or the version has no such opcode.
func decode(t *table, code []byte, off int) (in instr, ok bool) {
	in.off, in.target = off, -1
	arg, special := uint32(0), false
	for prefixes := 0; prefixes <= maxPrefixes; prefixes++ {
		if off < 0 || off >= len(code) {
			return in, false
		}
		in.entry = t.entries[code[off]]
		special = special || in.special
		size := 2
		if !t.word() {
			if size = 1; in.entry.arg != argNone {
				size = 3
			}
		}
		if in.op == opInvalid || off+size > len(code) {
			return in, false
		}
		switch size {
		case 2:
			arg = arg<<8 | uint32(code[off+1])
		case 3:
			arg = arg<<16 | uint32(binary.LittleEndian.Uint16(code[off+1:]))
		}
		off += size
		if in.op == opExtendedArg {
			continue
		}
		in.arg, in.next, in.special = int(int32(arg)), off, special
		in.skipCaches(code)
		in.findTarget(t)
		return in, true
	}
	return in, false
}

// skipCaches steps over the inline caches. A code object that ends within them
// is cut; the interpreter would run on behind its end.
func (in *instr) skipCaches(code []byte) {
	end := in.next + 2*int(in.caches)
	for i := in.next; i < end && i < len(code); i++ {
		in.dirty = in.dirty || code[i] != 0
	}
	in.next = end
}

func (in *instr) findTarget(t *table) {
	unit := 1
	if t.at(10) {
		unit = 2
	}
	if in.arg < 0 || in.arg > 1<<28 {
		return
	}
	switch in.entry.arg {
	case argJabs:
		in.target = in.arg * unit
	case argJrel:
		switch in.op {
		case opJumpBackward, opJumpBackwardNoInterrupt, opPopJumpBackwardIfFalse, opPopJumpBackwardIfTrue,
			opPopJumpBackwardIfNone, opPopJumpBackwardIfNotNone:
			in.target = in.next - in.arg*unit
		case opEndAsyncFor:
		default:
			in.target = in.next + in.arg*unit
		}
	}
}

// localNames are the names that argLocal and, from 3.11 on, argFree index.
func localNames(t *table, c *marshal.Code) []string {
	if !t.at(11) {
		return c.VarNames
	}
	if c.LocalsPlus != nil {
		return c.LocalsPlus
	}
	names := append([]string(nil), c.VarNames...)
	have := map[string]bool{}
	for _, n := range names {
		have[n] = true
	}
	for _, n := range c.CellVars {
		if !have[n] {
			names = append(names, n)
		}
	}
	return append(names, c.FreeVars...)
}

// cellNames are the names that argFree indexes.
func cellNames(t *table, c *marshal.Code) []string {
	if t.at(11) {
		return localNames(t, c)
	}
	return append(append([]string(nil), c.CellVars...), c.FreeVars...)
}

// handler is one entry of the exception table of 3.11 and later.
type handler struct {
	start, end, target int
	depth              int
	lasti              bool
}

// handlers reads an exception table (Objects/exception_handling_notes.txt):
// numbers of six bits, most significant first, 0x40 where more follow. A broken
// table gives the entries before the fault.
func handlers(table []byte) (list []handler, ok bool) {
	for i := 0; i < len(table); {
		var v [4]int
		for k := range v {
			n, more := 0, true
			for ; more; i++ {
				if i >= len(table) || n > 1<<24 {
					return list, false
				}
				n = n<<6 | int(table[i]&0x3f)
				more = table[i]&0x40 != 0
			}
			v[k] = n
		}
		list = append(list, handler{
			start: 2 * v[0], end: 2 * (v[0] + v[1]), target: 2 * v[2], depth: v[3] >> 1, lasti: v[3]&1 != 0,
		})
	}
	return list, true
}
