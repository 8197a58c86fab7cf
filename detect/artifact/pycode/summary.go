package pycode

import (
	"fmt"
	"strings"

	"bartizan/detect/artifact/marshal"
)

// Bounds of a summary.
const (
	summaryLines = 80
	summaryBytes = 6000
)

// Summary writes the first instructions of the code and of the code objects
// within it, for evidence: one a line, names and constants resolved, escaped
// and cut. The version is taken from the layout where it is not known.
func Summary(version marshal.Version, code *Code) string {
	s := &summary{}
	for _, c := range marshal.Codes(&Value{Kind: marshal.CodeObject, Code: code}) {
		if !s.unit(version, c) {
			break
		}
	}
	return strings.TrimRight(s.out.String(), "\n")
}

type summary struct {
	out   strings.Builder
	lines int
}

// line writes one line; false means that the bound is met.
func (s *summary) line(format string, args ...any) bool {
	if s.lines >= summaryLines || s.out.Len() >= summaryBytes {
		s.out.WriteString("…\n")
		return false
	}
	s.lines++
	fmt.Fprintf(&s.out, format+"\n", args...)
	return true
}

func (s *summary) unit(version marshal.Version, c *Code) bool {
	t, length := bestTable(version, c)
	name := c.QualName
	if name == "" {
		name = c.Name
	}
	if t == nil {
		return s.line("%s: bytecode not readable; names %s", clip(name), clip(strings.Join(c.Names, ", ")))
	}
	if !s.line("%s (Python %d.%d, %s):", clip(name), t.version.Major, t.version.Minor, clip(c.Filename)) {
		return false
	}
	for off := 0; off < length; {
		in, ok := decode(t, c.Bytecode, off)
		if !ok {
			break
		}
		if quietInSummary(in.op) || s.line("%5d %s%s", in.off, opNames[in.op], operand(t, c, &in)) {
			off = in.next
			continue
		}
		return false
	}
	if length < len(c.Bytecode) {
		return s.line("%5d … not readable", length)
	}
	return true
}

func quietInSummary(o op) bool {
	switch o {
	case opResume, opCache, opNop, opPrecall, opPushNull, opNotTaken, opCopyFreeVars, opMakeCell:
		return true
	}
	return false
}

// bestTable is the newest version whose table reads most of the bytecode.
func bestTable(version marshal.Version, c *Code) (best *table, length int) {
	fit := candidates(c.Layout, version)
	for i := len(fit) - 1; i >= 0; i-- {
		off, clean := 0, true
		for off < len(c.Bytecode) {
			in, ok := decode(fit[i], c.Bytecode, off)
			if !ok || in.special || in.dirty || !indexed(fit[i], c, &in) {
				clean = false
				break
			}
			off = in.next
		}
		if clean && off == len(c.Bytecode) {
			return fit[i], off
		}
		if off > length {
			best, length = fit[i], off
		}
	}
	return best, length
}

// indexed says whether the argument names something that is there.
func indexed(t *table, c *Code, in *instr) bool {
	switch in.entry.arg {
	case argConst:
		return in.arg >= 0 && in.arg < len(c.Consts)
	case argName:
		i := nameIndex(t, in)
		return i >= 0 && i < len(c.Names)
	case argJrel, argJabs:
		return in.target <= len(c.Bytecode)
	}
	return true
}

// nameIndex takes off the flags that newer versions keep in the argument.
func nameIndex(t *table, in *instr) int {
	switch {
	case in.op == opLoadGlobal && t.at(11), in.op == opLoadAttr && t.at(12):
		return in.arg >> 1
	case in.op == opLoadSuperAttr:
		return in.arg >> 2
	}
	return in.arg
}

func operand(t *table, c *Code, in *instr) string {
	pick := func(list []string, i int) string {
		if i < 0 || i >= len(list) {
			return fmt.Sprintf(" <%d: out of range>", i)
		}
		return " " + clip(list[i])
	}
	switch in.entry.arg {
	case argNone:
		return ""
	case argConst:
		if in.arg < 0 || in.arg >= len(c.Consts) {
			return fmt.Sprintf(" <%d: out of range>", in.arg)
		}
		return " " + showConst(c.Consts[in.arg], 2)
	case argName:
		return pick(c.Names, nameIndex(t, in))
	case argLocal:
		if in.op == opLoadFastLoadFast || in.op == opStoreFastLoadFast || in.op == opStoreFastStoreFast || in.op == opLoadFastBorrowLoadFastBorrow {
			return pick(localNames(t, c), in.arg>>4) + pick(localNames(t, c), in.arg&15)
		}
		return pick(localNames(t, c), in.arg)
	case argFree:
		return pick(cellNames(t, c), in.arg)
	case argJrel, argJabs:
		return fmt.Sprintf(" to %d", in.target)
	}
	return fmt.Sprintf(" %d", in.arg)
}
