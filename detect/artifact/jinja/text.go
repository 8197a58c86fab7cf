package jinja

import (
	"strings"
	"unicode"
)

// textMethod folds the methods of Python's str on a constant.
func (w *walker) textMethod(e *Expr, r *value, name string, args []argument) *value {
	w.step(len(r.text) / 16)
	w.keyedArguments(e, r, args)
	dep := opaque(fromOther, r, w.opaqueCall(args))
	done := func(s string) *value { return skeleton(s, dep.dep, dep.key) }
	arg := func(i int) (string, bool) {
		if i < len(args) && args[i].value.kind == vText && args[i].value.exact && args[i].name == "" {
			return args[i].value.text, true
		}
		return "", false
	}
	if f, ok := textFolds[name]; ok && len(args) == 0 {
		return done(f(r.text))
	}
	switch name {
	case "strip", "lstrip", "rstrip":
		set, ok := arg(0)
		if !ok {
			set = " \t\n\r\f\v"
		}
		return done(stripped(name, r.text, set))
	case "replace":
		a, ok1 := arg(0)
		b, ok2 := arg(1)
		if ok1 && ok2 {
			return w.replaced(r, a, b, dep, e.Off)
		}
	case "split", "rsplit", "splitlines":
		sep, _ := arg(0)
		return split(r, sep, name, len(args)).with(dep.dep, dep.key)
	case "join":
		if len(args) == 1 {
			return w.joined(args[0].value, r.text, e.Off)
		}
	case "format", "format_map":
		return w.formatted(e, r, args, dep)
	case "center", "ljust", "rjust", "zfill":
		w.width(args, e.Off)
	case "startswith", "endswith", "find", "count", "index", "isdigit", "isalpha", "isupper", "islower":
		return dep
	case "removeprefix", "removesuffix":
		if a, ok := arg(0); ok {
			if name == "removeprefix" {
				return done(strings.TrimPrefix(r.text, a))
			}
			return done(strings.TrimSuffix(r.text, a))
		}
	case "decode":
		if s := decoded(r.text); s != "" {
			return done(s)
		}
		return r
	case "fromhex":
		if a, ok := arg(0); ok {
			return done(decoded(a))
		}
	case "encode":
		return r
	}
	return dep.with(onBuilt, "")
}

// textFolds are the functions of one text that filters and methods share.
var textFolds = map[string]func(string) string{
	"lower": strings.ToLower, "casefold": casefold, "upper": upper,
	"title": title, "capitalize": capitalize, "swapcase": swapcase,
}

// special are the letters whose upper case is more than one, as Python has it.
var special = strings.NewReplacer("ß", "SS", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST", "ŉ", "ʼN", "ǰ", "J̌")

func upper(s string) string    { return strings.ToUpper(special.Replace(s)) }
func casefold(s string) string { return strings.ToLower(special.Replace(s)) }

func title(s string) string {
	rs, start := []rune(strings.ToLower(s)), true
	for i, r := range rs {
		if start {
			rs[i] = unicode.ToTitle(r)
		}
		start = !unicode.IsLetter(r)
	}
	return string(rs)
}

func capitalize(s string) string {
	rs := []rune(strings.ToLower(s))
	if len(rs) > 0 {
		rs[0] = unicode.ToTitle(rs[0])
	}
	return string(rs)
}

func swapcase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func stripped(how, s, set string) string {
	switch how {
	case "lstrip":
		return strings.TrimLeft(s, set)
	case "rstrip":
		return strings.TrimRight(s, set)
	}
	return strings.Trim(s, set)
}

func (w *walker) replaced(r *value, a, b string, dep *value, off int) *value {
	n := strings.Count(r.text, a)
	size := addSize(r.size, mulSize(int64(n), int64(len(b))))
	if size > 4*maxText {
		w.grown(size, off)
		v := skeleton(r.text+hole, dep.dep, dep.key)
		v.size = size
		return v
	}
	w.step(int(size) / 16)
	return skeleton(strings.ReplaceAll(r.text, a, b), dep.dep, dep.key)
}

func split(r *value, sep, how string, args int) *value {
	var parts []string
	switch {
	case how == "splitlines":
		parts = strings.Split(r.text, "\n")
	case sep == "" && args == 0:
		parts = strings.Fields(r.text)
	case sep == "":
		return opaque(fromOther, r)
	default:
		parts = strings.Split(r.text, sep)
	}
	items := make([]*value, 0, min(len(parts), maxList))
	for _, p := range parts {
		if len(items) == maxList {
			break
		}
		items = append(items, skeleton(p, 0, ""))
	}
	v := listValue(items)
	v.exact = r.exact && args < 2
	return v
}

// joined is sep.join(list) and list|join(sep).
func (w *walker) joined(list *value, sep string, off int) *value {
	return each(list, func(l *value) *value {
		items := l.items
		switch {
		case l.kind == vText && l.exact && l.text != "":
			items = nil
			for _, r := range l.text {
				items = append(items, textValue(string(r)))
			}
		case l.kind == vDict:
			items = nil
			for i := 0; i < len(l.items); i += 2 {
				items = append(items, l.items[i])
			}
		case l.kind != vList:
			if l.dep&onContent != 0 && sep != "" {
				w.judgeText(sep, "", l.dep&keyed|keyWeak, l.key, off)
			}
			return w.stringOf(l)
		}
		return w.joinItems(items, sep, l, off)
	})
}

func (w *walker) joinItems(items []*value, sep string, dep *value, off int) *value {
	vs := make([]*value, 0, 2*len(items))
	for i, x := range items {
		if i > 0 && sep != "" {
			vs = append(vs, textValue(sep))
		}
		vs = append(vs, x)
	}
	if len(vs) == 0 {
		return textValue("").with(dep.dep, dep.key)
	}
	v := w.concat(vs, off)
	if !dep.exact && v.kind == vText {
		v = skeleton(v.text+hole, v.dep, v.key)
	}
	return v.with(dep.dep, dep.key)
}

// stringOf is str(x) and x|string.
func (w *walker) stringOf(v *value) *value {
	return each(v, func(a *value) *value {
		switch a.kind {
		case vText:
			return a
		case vInt, vBool, vNone, vList, vDict:
			return skeleton(a.str(), a.dep, a.key)
		case vUnknown:
			if a.text != "" {
				return skeleton(a.text, a.dep, a.key)
			}
		}
		switch a.from {
		case fromMessages, fromMessage:
			return &value{from: fromContent, dep: a.dep | onContent, key: a.key, size: 1}
		}
		return a
	})
}
