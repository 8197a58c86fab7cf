package pickle

import (
	"fmt"
	"strings"
)

// listing writes a stream as pseudo-code, a statement a line. A nil listing
// writes nothing.
type listing struct {
	lines []string
	names map[val]string
	made  int // names given so far
	full  bool
}

// maxLines bounds a listing.
const maxLines = 2000

func (l *listing) add(line string) {
	if len(l.lines) >= maxLines {
		l.full = true
		return
	}
	l.lines = append(l.lines, line)
}

// len is how many lines there are; reset takes back those behind n, and the
// names, which belong to one reading.
func (l *listing) len() int {
	if l == nil {
		return 0
	}
	return len(l.lines)
}

func (l *listing) reset(n int) {
	if l == nil {
		return
	}
	l.lines = l.lines[:min(n, len(l.lines))]
	clear(l.names)
}

// text is the whole listing.
func (l *listing) text() string {
	s := strings.Join(l.lines, "\n")
	if l.full {
		s += "\n# … cut"
	}
	return s
}

func (l *listing) global(m *machine, v val, ref *symbolRef) {
	if l == nil {
		return
	}
	l.add(fmt.Sprintf("from %s import %s", escape(ref.module), escape(ref.name)))
}

func (l *listing) call(m *machine, op byte, result, callee, args, kwargs val) {
	if l == nil {
		return
	}
	how := m.render(callee, 0)
	if op == opNewObj || op == opNewObjEx {
		how += ".__new__"
	}
	line := how + m.renderArgs(args, 0)
	if kwargs != 0 {
		line += " # **" + m.render(kwargs, 0)
	}
	name := fmt.Sprintf("_%d", l.made)
	l.made++
	l.names[result] = name
	l.add(name + " = " + line)
}

func (l *listing) build(m *machine, target, state val) {
	if l == nil {
		return
	}
	l.add(m.render(target, 0) + ".__setstate__(" + m.render(state, 0) + ")")
}

func (l *listing) fill(m *machine, target val, method string, arg val) {
	if l == nil {
		return
	}
	l.add(m.render(target, 0) + "." + method + m.renderArgs(arg, 0))
}

// result is what the stream gives.
func (l *listing) result(m *machine) {
	if l == nil {
		return
	}
	if n := len(m.stack); n > 0 {
		l.add("return " + m.render(m.stack[n-1], 0))
	}
}

func escape(s string) string {
	q := quote([]byte(s), 200)
	return q[1 : len(q)-1]
}
