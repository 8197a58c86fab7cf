package jinja

import (
	"regexp"
	"strings"
)

// internal matches names of Python's internals: dunders, mangled names.
var internal = regexp.MustCompile(`^(__\w+|_[A-Za-z]\w*__\w+)$`)

// internalNames reach frames, code or globals without a dunder. An attribute
// called mro or gi_frame means nothing in a chat.
var internalNames = map[string]bool{
	"mro": true, "gi_frame": true, "gi_code": true, "gi_yieldfrom": true, "cr_frame": true, "cr_code": true, "ag_frame": true, "ag_code": true,
	"f_globals": true, "f_builtins": true, "f_locals": true, "f_back": true, "f_code": true, "tb_frame": true, "tb_next": true,
	"func_globals": true, "func_code": true, "func_closure": true, "im_func": true, "im_self": true, "co_code": true, "co_consts": true,
}

func isInternal(name string) bool {
	return internal.MatchString(strings.TrimSpace(name)) || internalNames[name]
}

// access reports an attribute or item whose name reaches Python's internals.
// A chain of them is one issue, at its root, with the longest path as symbol.
func (w *walker) access(e, base *Expr, name, detail string) {
	if !isInternal(name) {
		return
	}
	root := base
	for root != nil && len(root.X) > 0 && root.X[0] != nil && chained(root) {
		root = root.X[0]
	}
	off := e.Off
	if root != nil {
		off = root.Off
	}
	symbol := name
	if base != nil {
		symbol = path(base) + "." + name
	}
	w.dunder(off, symbol, detail)
}

func chained(e *Expr) bool {
	return e.Op == Getattr || e.Op == Getitem || e.Op == Call || e.Op == Filter
}

func (w *walker) dunder(off int, symbol, detail string) {
	for i, is := range w.out.list {
		if is.Kind == DunderAccess && is.Off == off {
			if len(symbol) > len(is.Symbol) && !strings.HasSuffix(is.Symbol, "…") {
				w.out.list[i].Symbol = short(symbol, 200)
			}
			return
		}
	}
	w.issue(Issue{Kind: DunderAccess, Weight: Critical, Off: off, Symbol: symbol, Detail: detail,
		Message: "template reaches for Python's internals (" + short(symbol, 120) + ")"})
}

// path writes an access chain as a person would.
func path(e *Expr) string {
	var parts []string
	for n := 0; e != nil && n < 32; n++ {
		switch e.Op {
		case Name:
			parts = append(parts, e.Text)
			e = nil
			continue
		case Getattr:
			parts = append(parts, "."+e.Text)
		case Getitem:
			if e.X[1].Op == Str {
				parts = append(parts, "["+quoteShort(e.X[1].Text)+"]")
			} else {
				parts = append(parts, "["+e.X[1].Text+"]")
			}
		case Call:
			parts = append(parts, "()")
		case Filter:
			arg := ""
			if len(e.Args) > 0 && e.Args[0].Value.Op == Str {
				arg = "(" + quoteShort(e.Args[0].Value.Text) + ")"
			}
			parts = append(parts, "|"+e.Text+arg)
		case Str:
			parts = append(parts, "''")
		case List:
			parts = append(parts, "[]")
		case Tuple:
			parts = append(parts, "()")
		case Dict:
			parts = append(parts, "{}")
		default:
			parts = append(parts, "(…)")
		}
		if !chained(e) {
			break
		}
		e = e.X[0]
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
	}
	return b.String()
}

func (w *walker) getattr(e *Expr) *value {
	base := w.evalBase(e.X[0])
	w.access(e, e.X[0], e.Text, "attribute")
	w.globalAttribute(e)
	return w.attribute(base, e.Text, path2(e))
}

// path2 names an attribute of a variable for the sticky table; "" where it is deeper.
func path2(e *Expr) string {
	if e.Op == Getattr && e.X[0].Op == Name {
		return path(e)
	}
	return ""
}

func (w *walker) attribute(base *value, name, sticky string) *value {
	return each(base, func(b *value) *value {
		switch b.kind {
		case vSpace:
			v, ok := w.scope.get("#" + b.text + "." + name)
			if !ok {
				v = unknown
			}
			if s, ok := w.sticky[sticky]; ok {
				v = v.with(s.dep, s.key)
			}
			return v
		case vLoop:
			return loopAttribute(b, name)
		case vDict:
			if v, ok := lookup(b, name); ok {
				return v
			}
		}
		return member(b, name)
	})
}

func loopAttribute(loop *value, name string) *value {
	switch name {
	case "index", "index0", "revindex", "revindex0", "length":
		return &value{from: fromIndex, dep: onIndex, size: 1}
	case "previtem", "nextitem":
		return loop.items[0]
	}
	return unknown
}

func lookup(d *value, key string) (*value, bool) {
	var found *value
	for i := 0; i+1 < len(d.items); i += 2 {
		if k := d.items[i]; k.kind == vText && k.exact && k.text == key {
			found = d.items[i+1]
		}
	}
	return found, found != nil
}

// getitem is x[y]; Jinja2 looks for an item first and for an attribute then.
func (w *walker) getitem(e *Expr) *value {
	base := w.evalBase(e.X[0])
	if e.X[1].Op == Slice {
		return w.slice(e, base)
	}
	index := w.eval(e.X[1])
	for _, a := range index.alts() {
		if a.kind == vText {
			w.itemName(e, a, "item")
		}
	}
	w.dynamicItem(e, base, index)
	v := each2(base, index, func(b, i *value) *value { return w.item(e, b, i) })
	constant := base.holds()
	if index.kind == vUnknown && index.from != fromIndex && !constant || index.kind == vText && !index.exact {
		v = v.with(onDynamic, "")
	}
	return v
}

// holds says that a value is a list or dict that is not empty, or may be one.
func (v *value) holds() bool {
	for _, a := range v.alts() {
		if (a.kind == vList || a.kind == vDict) && len(a.items) > 0 {
			return true
		}
	}
	return false
}

// itemName judges a constant or half-constant key.
func (w *walker) itemName(e *Expr, key *value, detail string) {
	if key.exact {
		w.access(e, e.X[0], key.text, detail)
		return
	}
	if strings.Contains(key.text, "__") || key.dep&onBuilt != 0 {
		w.issue(Issue{Kind: DynamicAttribute, Weight: High, Off: e.Off, Symbol: path(e.X[0]), Text: visible(key.text), Detail: detail,
			Message: "the name of an attribute is built from parts that are not followed"})
	}
}

// dynamicItem reports names that somebody who writes to the model chooses.
func (w *walker) dynamicItem(e *Expr, base, index *value) {
	if index.kind == vUnknown && index.dep&onBuilt != 0 && index.from == fromOther {
		w.issue(Issue{Kind: DynamicAttribute, Weight: High, Off: e.Off, Symbol: path(e.X[0]), Detail: "item",
			Message: "the name of an item is computed from constants in a way that is not followed"})
		return
	}
	if index.kind != vUnknown || index.from != fromContent || base.kind == vDict || base.kind == vList {
		return
	}
	if base.from != fromOther && base.from != fromMessage {
		return // positions within the content itself, in a list of calls
	}
	w.issue(Issue{Kind: DynamicAttribute, Weight: Medium, Off: e.Off, Symbol: path(e.X[0]), Detail: "item",
		Message: "a message's content chooses which item or attribute is read"})
}

func (w *walker) item(e *Expr, b, i *value) *value {
	switch {
	case b.kind == vSpace && i.kind == vUnknown && i.dep&onContent != 0:
		return opaque(fromOther, i).with(keyTrigger, "the names of a namespace")
	case i.kind == vText && i.exact && (b.kind == vSpace || b.kind == vDict || b.kind == vLoop):
		return w.attribute(b, i.text, "")
	case b.kind == vDict, b.kind == vList && (i.kind != vInt || !i.exact):
		return w.choose(e.Off, b, i)
	case b.kind == vList && (b.exact || i.num >= 0):
		if n, ok := position(i.num, len(b.items)); ok {
			return b.items[n].with(i.dep, i.key)
		}
	case b.kind == vList:
		return opaque(fromOther, b, i).with(onBuilt, "")
	case b.kind == vText && i.kind == vInt && i.exact:
		return characterAt(b, i.num)
	case b.kind == vText && i.dep&keyed != 0:
		w.judgeText(b.text, "", i.dep, i.key, e.Off)
	case i.kind == vText && i.exact:
		return member(b, i.text).with(i.dep, i.key)
	case b.from == fromMessages:
		return element(b).with(i.dep&^onIndex, i.key)
	case b.from == fromMessage:
		return &value{from: fromContent, dep: b.dep | onContent | i.dep, size: 1}
	}
	return opaque(b.from, b, i)
}

// choose takes one of constant items by a value that is not constant. Where the
// content of a message chooses, the keys are triggers and the items what they let out.
func (w *walker) choose(off int, b, i *value) *value {
	items, dep, key := b.items, i.dep, i.key
	if b.kind == vList {
		k, word := computed(i)
		dep |= k
		if key == "" {
			key = word
		}
	}
	if b.kind == vDict {
		items = nil
		for n := 0; n+1 < len(b.items); n += 2 {
			items = append(items, b.items[n+1])
			if k, word := w.keys(i, b.items[n]); k != 0 {
				dep |= k
				key = word
			}
		}
	}
	if dep&keyed != 0 {
		for _, x := range items {
			if x.kind == vText {
				w.judgeText(x.text, "", dep, key, off)
			}
		}
	}
	if len(items) == 0 {
		return opaque(fromOther, i)
	}
	return union(items...).with(dep, key)
}

// computed says how a number that is computed from a message, a date or a
// position and chooses among constants is keyed.
func computed(i *value) (depends, string) {
	switch {
	case i.dep&onDate != 0:
		return keyDate, "computed from the date"
	case i.dep&onContent != 0:
		return keyWeak, "computed from the content"
	case i.dep&onIndex != 0:
		return keyIndex, "computed from the position"
	}
	return 0, ""
}

func position(i int64, n int) (int, bool) {
	if i < 0 {
		i += int64(n)
	}
	return int(i), i >= 0 && i < int64(n)
}

// characterAt is one character of a constant, where no hole stands before it.
func characterAt(v *value, i int64) *value {
	rs := []rune(v.text)
	n, ok := position(i, len(rs))
	if !ok {
		return opaque(fromOther, v).with(onBuilt, "")
	}
	crossed := rs[:n+1]
	if i < 0 {
		crossed = rs[n:]
	}
	if !v.exact && strings.Contains(string(crossed), hole) {
		return opaque(fromOther, v).with(onBuilt, "")
	}
	return textValue(string(rs[n])).with(v.dep, v.key)
}

// slice is x[a:b:c].
func (w *walker) slice(e *Expr, base *value) *value {
	s := e.X[1]
	var bounds [3]*value
	dep := opaque(fromOther, base)
	exact := true
	for i, x := range s.X {
		if x == nil {
			continue
		}
		v := w.eval(x)
		dep.absorb(v)
		bounds[i] = v
		exact = exact && v.kind == vInt && v.exact
		if k, word := computed(v); base.kind == vText && (v.dep&keyed != 0 || k != 0) {
			w.judgeText(base.text, "", v.dep|k, v.key+word, e.Off)
		}
	}
	return each(base, func(b *value) *value {
		switch {
		case exact && b.kind == vText && b.exact:
			rs := []rune(b.text)
			var out []rune
			w.step(len(rs) / 8)
			pySlice(len(rs), bounds, func(i int) { out = append(out, rs[i]) })
			return textValue(string(out)).with(dep.dep, dep.key)
		case exact && b.kind == vList && b.exact:
			var out []*value
			pySlice(len(b.items), bounds, func(i int) { out = append(out, b.items[i]) })
			return listValue(out).with(dep.dep, dep.key)
		case b.kind == vText && exact:
			if s, ok := cutRange(b.text, bounds); ok {
				return skeleton(s, dep.dep, dep.key)
			}
			return skeleton(hole+b.text+hole, dep.dep|onBuilt, dep.key)
		case b.kind == vText:
			return skeleton(hole+b.text+hole, dep.dep, dep.key)
		case b.kind == vList:
			v := listValue(b.items)
			v.exact = false
			return v.with(dep.dep, dep.key)
		}
		c := opaque(b.from, b, dep)
		c.dep &^= onIndex
		return c
	})
}

// pySlice visits the positions that Python's slice of n items takes.
func pySlice(n int, b [3]*value, visit func(int)) {
	step := int64(1)
	if b[2] != nil {
		step = b[2].num
	}
	if step == 0 {
		return
	}
	lo, hi := int64(0), int64(n)
	if step < 0 {
		lo, hi = int64(n)-1, -1
	}
	clamp := func(v *value, def int64) int64 {
		if v == nil {
			return def
		}
		i := v.num
		if i < 0 {
			i = max(i, -int64(n)) + int64(n)
			if step < 0 && v.num < -int64(n) {
				return -1
			}
		}
		if step < 0 {
			return min(i, int64(n)-1)
		}
		return min(i, int64(n))
	}
	i, end := clamp(b[0], lo), clamp(b[1], hi)
	for ; step > 0 && i < end || step < 0 && i > end; i += max(-int64(n)-1, min(step, int64(n)+1)) {
		visit(int(i))
	}
}

// cutRange slices a text with holes where none stands in or before the range,
// counted from the end for negative bounds.
func cutRange(s string, b [3]*value) (string, bool) {
	if b[2] != nil && b[2].num != 1 {
		return "", false
	}
	rs := []rune(s)
	first, last := len(rs), -1
	for i, r := range rs {
		if string(r) == hole {
			first, last = min(first, i), i
		}
	}
	lo, hi := int64(0), int64(len(rs))
	if b[0] != nil {
		lo = b[0].num
	}
	fromEnd := lo < 0
	if b[1] != nil {
		hi = b[1].num
	} else if !fromEnd {
		return "", false
	}
	if fromEnd {
		lo += int64(len(rs))
		if b[1] != nil {
			hi += int64(len(rs))
		}
		if b[1] != nil && b[1].num >= 0 || lo <= int64(last) || hi < lo || hi > int64(len(rs)) {
			return "", false
		}
		return string(rs[lo:hi]), true
	}
	if hi < lo || hi > int64(first) {
		return "", false
	}
	return string(rs[lo:hi]), true
}

// visible shows holes as dots.
func visible(s string) string { return strings.ReplaceAll(s, hole, "…") }
