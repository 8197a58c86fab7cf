package jinja

import (
	"regexp"
	"strconv"
	"strings"
)

// percentSpec is a conversion of Python's % operator.
var percentSpec = regexp.MustCompile(`%(\((\w*)\))?[-+ #0]*(\*|\d+)?(\.(\*|\d+))?[hlL]?([a-zA-Z%])`)

// percent is text % arguments and text|format(arguments).
func (w *walker) percent(f, args, dep *value, off int) *value {
	list := []*value{args}
	if args.kind == vList {
		list = args.items
	}
	var b strings.Builder
	last, n := 0, 0
	for _, m := range percentSpec.FindAllStringSubmatchIndex(f.text, -1) {
		b.WriteString(f.text[last:m[0]])
		last = m[1]
		conv := f.text[m[12]:m[13]]
		if m[6] >= 0 {
			if width, err := strconv.ParseInt(f.text[m[6]:m[7]], 10, 64); err == nil && width >= hugeWidth || err != nil && f.text[m[6]:m[7]] != "*" {
				w.exhausts(off, "width", "a text is padded to a huge width")
			}
		}
		if conv == "%" {
			b.WriteByte('%')
			continue
		}
		v := unknown
		if m[4] >= 0 {
			if x, ok := lookup(args, f.text[m[4]:m[5]]); ok && args.kind == vDict {
				v = x
			}
		} else if n < len(list) {
			v = list[n]
			n++
		}
		if v.kind == vUnknown {
			v = w.stringOf(v)
			dep.absorb(v)
		}
		b.WriteString(converted(v, conv))
		if b.Len() > maxText {
			break
		}
	}
	b.WriteString(f.text[min(last, len(f.text)):])
	return w.sized(b.String(), int64(b.Len()), dep, off)
}

func converted(v *value, conv string) string {
	switch {
	case conv == "c" && v.kind == vInt && v.exact && v.num >= 0 && v.num <= 0x10FFFF:
		return string(rune(v.num))
	case (conv == "x" || conv == "X" || conv == "o") && v.kind == vInt && v.exact:
		base := 16
		if conv == "o" {
			base = 8
		}
		return strconv.FormatInt(v.num, base)
	}
	return v.str()
}

// formatted is text.format(…): its fields may reach attributes themselves.
func (w *walker) formatted(e *Expr, f *value, args []argument, dep *value) *value {
	var b strings.Builder
	auto := 0
	for i := 0; i < len(f.text); {
		c := f.text[i]
		if (c == '{' || c == '}') && i+1 < len(f.text) && f.text[i+1] == c {
			b.WriteByte(c)
			i += 2
			continue
		}
		end := -1
		if c == '{' {
			end = closing(f.text[i:])
		}
		if end < 0 {
			b.WriteByte(c)
			i++
			continue
		}
		b.WriteString(w.field(e, f.text[i+1:i+end], args, &auto))
		i += end + 1
		if b.Len() > maxText {
			break
		}
	}
	return w.sized(b.String(), int64(b.Len()), dep, e.Off)
}

// closing finds the end of a replacement field, which may hold fields itself.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s) && i < 1024; i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// field judges and folds one replacement field.
func (w *walker) field(e *Expr, spec string, args []argument, auto *int) string {
	name, form, _ := strings.Cut(spec, ":")
	name, conversion, _ := strings.Cut(name, "!")
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if isInternal(part) {
			w.dunder(e.Off, "{"+name+"}", "format")
		}
	}
	if n, err := strconv.ParseInt(strings.TrimLeft(form, "<>^=+- #0abcdefghijklmnopqrstuvwxyz_*."), 10, 64); err == nil && n >= hugeWidth {
		w.exhausts(e.Off, "width", "a text is padded to a huge width")
	}
	head := name
	if i := strings.IndexAny(name, ".["); i >= 0 {
		return hole
	}
	pos := -1
	if head == "" {
		pos = *auto
		*auto++
	} else if n, err := strconv.Atoi(head); err == nil {
		pos = n
	}
	v, ok := pick(args, pos, head)
	if !ok {
		return hole
	}
	if form == "c" {
		return converted(v, "c")
	}
	if conversion == "r" && v.kind == vText {
		return "'" + v.text + "'"
	}
	return v.str()
}
