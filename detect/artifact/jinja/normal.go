package jinja

import (
	"strconv"
	"strings"
)

// Normalize gives the canonical text of a template's tree: templates that differ
// only in quotes, comments, tags' white space, or in text written as data or as
// a literal have the same. The white space that is rendered counts, as
// transformers renders it (trim_blocks and lstrip_blocks on, one newline at the
// end dropped).
func Normalize(src string) string {
	src = strings.TrimSuffix(strings.TrimPrefix(strings.ReplaceAll(src, "\r\n", "\n"), "\ufeff"), "\n")
	p := printer{}
	p.body(Parse(src, Limits{}).Body)
	p.flush()
	return p.out.String()
}

// Compare compares two parsed templates as Same does.
func Compare(a, b *Template) (same bool, diff string) { return Same(a.src, b.src) }

// Same compares two templates by their canonical texts. Where they differ, diff
// shows the first difference, shortened.
func Same(a, b string) (same bool, diff string) {
	x, y := Normalize(a), Normalize(b)
	if x == y {
		return true, ""
	}
	xs, ys := strings.Split(x, "\n"), strings.Split(y, "\n")
	i := 0
	for i < len(xs) && i < len(ys) && xs[i] == ys[i] {
		i++
	}
	line := func(l []string) string {
		if i >= len(l) {
			return "(end)"
		}
		return short(l[i], 160)
	}
	return false, "- " + line(xs) + "\n+ " + line(ys)
}

// printer writes a tree, one statement a line, constant output joined.
type printer struct {
	out   strings.Builder
	text  strings.Builder
	level int
}

func (p *printer) line(s string) {
	p.flush()
	p.out.WriteString(strings.Repeat(" ", min(p.level, 64)))
	p.out.WriteString(s)
	p.out.WriteByte('\n')
}

func (p *printer) flush() {
	if p.text.Len() == 0 {
		return
	}
	s := p.text.String()
	p.text.Reset()
	p.out.WriteString(strings.Repeat(" ", min(p.level, 64)) + "text(" + strconv.Quote(s) + ")\n")
}

func (p *printer) inner(body []*Stmt) {
	p.flush()
	p.level++
	p.body(body)
	p.flush()
	p.level--
}

func (p *printer) body(body []*Stmt) {
	for _, s := range body {
		p.stmt(s)
	}
}

func (p *printer) stmt(s *Stmt) {
	switch s.Verb {
	case Data:
		p.text.WriteString(s.Text)
		return
	case Output:
		if s.Exprs[0].Op == Str {
			p.text.WriteString(s.Exprs[0].Text)
			return
		}
		p.line("out " + canon(s.Exprs[0]))
		return
	case If:
		for i, b := range s.Branches {
			switch {
			case b.Cond == nil:
				p.line("else")
			case i == 0:
				p.line("if " + canon(b.Cond))
			default:
				p.line("elif " + canon(b.Cond))
			}
			p.inner(b.Body)
		}
		p.line("end")
		return
	}
	p.other(s)
}

var verbNames = [...]string{"text", "out", "if", "for", "set", "setblock", "macro", "call", "filter", "include", "import", "from", "extends", "block", "with", "do", "scope", "jump", "fault"}

func (p *printer) other(s *Stmt) {
	parts := []string{verbNames[s.Verb]}
	if s.Name != "" {
		parts = append(parts, s.Name)
	}
	if s.Target != nil {
		parts = append(parts, canon(s.Target)+" =")
	}
	for _, e := range s.Exprs {
		parts = append(parts, canon(e))
	}
	for _, n := range s.Names {
		parts = append(parts, n[0]+" as "+n[1])
	}
	if len(s.Params) > 0 {
		parts = append(parts, "("+canonArgs(s.Params)+")")
	}
	if s.Recursive {
		parts = append(parts, "recursive")
	}
	p.line(strings.Join(parts, " "))
	if s.Body != nil || s.Else != nil {
		p.inner(s.Body)
		if s.Else != nil {
			p.line("else")
			p.inner(s.Else)
		}
		p.line("end")
	}
}

func canonArgs(args []Arg) string {
	parts := make([]string, 0, len(args))
	for _, a := range args {
		s := strings.Repeat("*", a.Star)
		if a.Name != "" {
			s += a.Name
			if a.Value != nil {
				s += "="
			}
		}
		if a.Value != nil {
			s += canon(a.Value)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

// canon writes an expression with every operation in brackets. An attribute and
// an item of the same name read the same.
func canon(e *Expr) string {
	var b strings.Builder
	canonTo(&b, e)
	return b.String()
}

func canonTo(b *strings.Builder, e *Expr) {
	if e == nil {
		b.WriteByte('_')
		return
	}
	list := func(open string, sep string, end string) {
		b.WriteString(open)
		for i, x := range e.X {
			if i > 0 {
				b.WriteString(sep)
			}
			canonTo(b, x)
		}
		b.WriteString(end)
	}
	switch e.Op {
	case Name, Float:
		b.WriteString(e.Text)
	case Str:
		b.WriteString(strconv.Quote(e.Text))
	case Int, Bool:
		b.WriteString(strconv.FormatInt(e.Num, 10))
		if e.Op == Bool {
			b.WriteByte('b')
		}
	case None:
		b.WriteString("none")
	case List, Tuple, Dict:
		brackets := map[Op]string{List: "[]", Tuple: "()", Dict: "{}"}[e.Op]
		list(brackets[:1], ", ", brackets[1:])
	case Getattr:
		canonTo(b, e.X[0])
		b.WriteString("[" + strconv.Quote(e.Text) + "]")
	case Getitem:
		canonTo(b, e.X[0])
		b.WriteByte('[')
		canonTo(b, e.X[1])
		b.WriteByte(']')
	case Slice:
		list("", ":", "")
	case Call:
		canonTo(b, e.X[0])
		b.WriteString("(" + canonArgs(e.Args) + ")")
	case Filter, Test:
		canonTo(b, e.X[0])
		b.WriteString(map[Op]string{Filter: "|", Test: " is "}[e.Op] + e.Text + "(" + canonArgs(e.Args) + ")")
	case Chain, Comparison:
		b.WriteByte('(')
		for i, x := range e.X {
			if i > 0 {
				b.WriteString(" " + e.Ops[i-1] + " ")
			}
			canonTo(b, x)
		}
		b.WriteByte(')')
	default:
		list("("+e.Text+" ", "; ", ")")
	}
}
