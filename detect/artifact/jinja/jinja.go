// Package jinja reads chat templates (Jinja2, as transformers, llama-cpp-python,
// vLLM and minja use it) into a syntax tree and judges the tree. Nothing is ever
// rendered.
//
// Judge walks the tree with abstract values: constants are folded through
// operators, filters, string methods, variables, macros and namespaces; what
// comes from outside stays unknown but carries what it depends on. On that
// evidence it reports access to Python's internals (CVE-2024-34359), dangerous
// globals, attribute names that are not constant, exhausting constructs,
// includes, hidden characters, and text that is emitted only where the content
// of a message, a date or a count matches a constant: a backdoor in the template.
//
// It cannot see what a loader adds to the environment (own filters or globals),
// and it judges prose by words: a steering sentence that reads like any system
// prompt and is emitted without a condition passes.
package jinja

import (
	"sort"
	"strings"
)

// Limits bound what one template may cost. The zero value of a field means its default.
type Limits struct {
	Bytes int // of the source; what lies behind is not read
	Nodes int // of the tree
	Depth int // of nesting
	Steps int // of evaluation
}

// Defaults of Limits.
const (
	DefaultBytes = 1 << 20
	DefaultNodes = 400_000
	DefaultDepth = 200
	DefaultSteps = 1_000_000
)

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Bytes, DefaultBytes)
	def(&l.Nodes, DefaultNodes)
	def(&l.Depth, DefaultDepth)
	def(&l.Steps, DefaultSteps)
	return l
}

// Template is a parsed template. It is immutable.
type Template struct {
	Body     []*Stmt
	Problems []Problem // in order of offset; empty where the template is valid

	src    string
	lines  []int // offsets at which lines begin
	limits Limits
}

// Problems past this many are not kept.
const maxProblems = 20

// Parse reads a template. It never fails: what is wrong is in Problems, and what
// stands before and after a fault is kept.
func Parse(src string, limits Limits) *Template {
	t := &Template{limits: limits.withDefaults()}
	t.src = src
	if len(src) > t.limits.Bytes {
		t.src = src[:t.limits.Bytes]
	}
	t.lines = append(t.lines, 0)
	for i := 0; i < len(t.src); {
		n := strings.IndexByte(t.src[i:], '\n')
		if n < 0 {
			break
		}
		i += n + 1
		t.lines = append(t.lines, i)
	}
	if len(src) > t.limits.Bytes {
		t.problem(t.limits.Bytes, "the template is larger than the limit: the rest was not read")
	}
	lx := lexer{t: t, src: t.src}
	lx.run()
	p := parser{t: t, toks: lx.toks}
	t.Body = p.template()
	sort.SliceStable(t.Problems, func(i, j int) bool { return t.Problems[i].Off < t.Problems[j].Off })
	return t
}

// Position gives line and column (in bytes) of an offset, both from 1.
func (t *Template) Position(off int) (line, column int) {
	off = max(0, min(off, len(t.src)))
	i := sort.Search(len(t.lines), func(i int) bool { return t.lines[i] > off }) - 1
	return i + 1, off - t.lines[i] + 1
}

func (t *Template) problem(off int, message string) {
	if len(t.Problems) >= maxProblems {
		return
	}
	line, col := t.Position(off)
	t.Problems = append(t.Problems, Problem{Off: off, Line: line, Column: col, Message: message})
}

// Looks says whether a text holds a Jinja2 tag at all.
func Looks(src string) bool {
	return strings.Contains(src, "{{") || strings.Contains(src, "{%")
}
