package jinja

import (
	"html"
	"regexp"
	"strings"
)

// filterBlock applies the filters of a filter or set block to what it captured.
func (w *walker) filterBlock(e *Expr, input *value) *value {
	before := w.filtered
	w.filtered = input
	v := w.eval(e)
	w.filtered = before
	return v
}

// filter is x | name(args).
func (w *walker) filter(e *Expr) *value {
	recv := w.filtered
	if e.X[0] != nil {
		recv = w.eval(e.X[0])
	}
	if recv == nil {
		recv = unknown
	}
	args := w.evalArgs(e.Args)
	w.namesAttributes(e, args)
	if e.Text == "attr" && len(args) > 0 {
		return w.attrFilter(e, recv, args[0].value)
	}
	if e.Text == "default" || e.Text == "d" {
		w.defaulted(e, recv, args)
	}
	return each(recv, func(r *value) *value { return w.filterOne(e, r, args) })
}

// attrFilter is x|attr(name): the usual way around a filter on dots.
func (w *walker) attrFilter(e *Expr, recv, name *value) *value {
	out := unknown
	for _, a := range name.alts() {
		if a.kind == vText && a.exact {
			w.access(e, e.X[0], a.text, "filter")
			out = w.attribute(recv, a.text, "")
			continue
		}
		w.issue(Issue{Kind: DynamicAttribute, Weight: High, Off: e.Off, Symbol: path(e), Text: visible(a.str()), Detail: "filter",
			Message: "attr takes a name that is not constant"})
	}
	return out
}

// defaulted judges a default for a value that a keyed condition makes empty.
func (w *walker) defaulted(e *Expr, recv *value, args []argument) {
	if recv.dep&keyed == 0 || len(args) == 0 || args[0].value.kind != vText {
		return
	}
	w.judgeText(args[0].value.text, "", recv.dep, recv.key, e.Off)
}

// attributeFilters take the dotted path of an attribute as this argument.
var attributeFilters = map[string]int{
	"map": -1, "selectattr": 0, "rejectattr": 0, "groupby": 0, "sort": 2, "sum": 0, "unique": 1, "min": 1, "max": 1,
}

// namesAttributes judges the filters that read attributes by name.
func (w *walker) namesAttributes(e *Expr, args []argument) {
	pos, ok := attributeFilters[e.Text]
	if !ok {
		return
	}
	n := 0
	for i, a := range args {
		named := a.name == "attribute"
		if a.name == "" {
			named = named || n == pos
			n++
		}
		if e.Text == "map" && a.name == "" && i == 0 {
			w.mapped(e, a.value, args)
			continue
		}
		if named {
			w.attributePath(e, a.value)
		}
	}
}

// mapped is map('filter', …).
func (w *walker) mapped(e *Expr, filter *value, args []argument) {
	for _, f := range filter.alts() {
		switch {
		case f.kind == vText && f.exact && f.text == "attr" && len(args) > 1:
			w.attributePath(e, args[1].value)
			if !args[1].value.known() {
				w.issue(Issue{Kind: DynamicAttribute, Weight: High, Off: e.Off, Symbol: path(e), Detail: "filter",
					Message: "map takes the name of an attribute that is not constant"})
			}
		case f.kind == vText && f.exact:
		default:
			w.issue(Issue{Kind: DynamicAttribute, Weight: High, Off: e.Off, Symbol: path(e), Detail: "filter",
				Message: "map takes the name of a filter that is not constant"})
		}
	}
}

func (w *walker) attributePath(e *Expr, name *value) {
	for _, a := range name.alts() {
		switch {
		case a.kind == vInt:
		case a.kind == vText && a.exact:
			for _, part := range strings.FieldsFunc(a.text, func(r rune) bool { return r == '.' || r == ',' }) {
				w.access(e, e.X[0], part, "filter")
			}
		case a.kind == vText && strings.Contains(a.text, "__"), a.from == fromContent:
			w.issue(Issue{Kind: DynamicAttribute, Weight: High, Off: e.Off, Symbol: path(e), Text: visible(a.str()), Detail: "filter",
				Message: e.Text + " takes the name of an attribute that is not constant"})
		}
	}
}

// filterOne folds one filter over one value.
func (w *walker) filterOne(e *Expr, r *value, args []argument) *value {
	w.step(len(r.text) / 16)
	dep := opaque(r.from, r, w.opaqueCall(args))
	if textual[e.Text] {
		r = w.stringOf(r)
		dep.absorb(r)
	}
	if f, ok := textFolds[e.Text]; ok && r.kind == vText {
		return skeleton(f(r.text), dep.dep, dep.key)
	}
	switch e.Text {
	case "string", "safe", "e", "escape", "forceescape":
		return w.stringOf(r)
	case "trim":
		if r.kind == vText {
			return skeleton(strings.TrimSpace(r.text), dep.dep, dep.key)
		}
	case "replace":
		return w.replaceFilter(e, r, args, dep)
	case "join":
		sep := ""
		if a, ok := pick(args, 0, "d"); ok && a.kind == vText {
			sep = a.text
		}
		return w.joined(r, sep, e.Off)
	case "format":
		if r.kind == vText {
			return w.percentFilter(r, args, dep, e.Off)
		}
	case "default", "d":
		return defaultFilter(r, args, dep)
	case "list", "reverse", "first", "last", "sort", "unique", "slice", "batch", "items", "dictsort", "random":
		return w.sequence(e, r, dep)
	case "length", "count", "wordcount":
		return lengthOf(r, dep)
	case "int", "float", "abs", "round":
		if r.kind == vInt {
			return r
		}
		return dep
	case "tojson", "pprint", "urlencode", "xmlattr":
		return w.jsonOf(r, dep)
	case "center", "indent":
		w.width(args, e.Off)
		if r.kind == vText {
			return approximate(r.text, dep)
		}
	case "select", "reject", "selectattr", "rejectattr":
		return w.selection(e, r, args, dep)
	case "map":
		return mapOf(r, args, dep)
	}
	return w.otherFilter(e, r, args, dep)
}

func (w *walker) otherFilter(e *Expr, r *value, args []argument, dep *value) *value {
	switch e.Text {
	case "b64decode", "base64decode", "b64_decode", "from_hex", "unhexlify":
		if s := decoded(r.text); r.kind == vText && s != "" {
			if codeText.MatchString(s) {
				w.codeArguments(e, e.Text, []argument{{value: r}})
			}
			return skeleton(s, dep.dep, dep.key)
		}
	case "striptags":
		if r.kind == vText {
			return skeleton(squeezed(html.UnescapeString(markup.ReplaceAllString(r.text, ""))), dep.dep, dep.key)
		}
	case "truncate", "wordwrap", "urlize", "nl2br", "filesizeformat":
		if r.kind == vText {
			return approximate(r.text, dep)
		}
	case "groupby":
		if len(args) > 0 && r.from == fromMessages && contentNames[args[0].value.str()] {
			return &value{from: fromContent, dep: dep.dep | onContent, key: dep.key, size: 1}
		}
	}
	if r.dep&onContent != 0 {
		for _, a := range args {
			k, key := w.keys(r, a.value)
			dep = dep.with(k, key)
		}
		return dep
	}
	if !knownFilters[e.Text] {
		w.codeArguments(e, e.Text, append([]argument{{value: r}}, args...))
	}
	w.keyedArguments(e, r, args)
	switch {
	case r.kind == vText:
		return approximate(r.text, dep)
	case r.kind == vList || r.kind == vDict:
		dep = dep.with(onBuilt, "")
	}
	return dep
}

// approximate is a text of which a filter leaves something that is not followed.
func approximate(s string, dep *value) *value {
	return skeleton(hole+s+hole, dep.dep|onBuilt, dep.key)
}

// markup is what striptags removes.
var markup = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>`)

// textual are the filters that read whatever they are given as text.
var textual = map[string]bool{
	"lower": true, "upper": true, "title": true, "capitalize": true, "trim": true, "replace": true, "striptags": true, "truncate": true,
	"wordwrap": true, "urlize": true, "center": true, "indent": true, "format": true, "wordcount": true, "urlencode": true, "pprint": true, "tojson": true,
}

var knownFilters = map[string]bool{
	"tojson": true, "sum": true, "min": true, "max": true, "groupby": true, "attr": true, "from_json": true, "fromjson": true,
	"items": true, "strftime": true, "to_json": true, "to_yaml": true,
}

func (w *walker) replaceFilter(e *Expr, r *value, args []argument, dep *value) *value {
	if len(args) < 2 {
		return dep
	}
	from, to := args[0].value, args[1].value
	if r.kind == vText && from.kind == vText && from.exact && to.kind == vText {
		return w.replaced(r, from.text, to.text, dep, e.Off)
	}
	w.rewrites(e.Off, r, from, to)
	if r.dep&onContent != 0 {
		k, key := w.keys(r, from)
		return dep.with(k, key)
	}
	return dep
}

func (w *walker) percentFilter(r *value, args []argument, dep *value, off int) *value {
	var list, kw []*value
	for _, a := range args {
		if a.name != "" {
			kw = append(kw, textValue(a.name), a.value)
		} else {
			list = append(list, a.value)
		}
	}
	in := listValue(list)
	if len(kw) > 0 {
		in = listValue(kw)
		in.kind = vDict
	}
	return w.percent(r, in, dep, off)
}

// defaultFilter takes the default for what is not defined, and with a second
// argument for what is false as well.
func defaultFilter(r *value, args []argument, dep *value) *value {
	if len(args) == 0 {
		return r
	}
	truth, known := r.truth()
	if r.kind == vUnknown || len(args) > 1 && !(known && truth) {
		return union(r, args[0].value).with(dep.dep, dep.key)
	}
	return r
}

// sequence folds what lists and takes apart.
func (w *walker) sequence(e *Expr, r, dep *value) *value {
	items := r.items
	if e.Text == "random" {
		dep = dep.with(keyDate, "random")
		for _, x := range items {
			if x.kind == vText {
				w.judgeText(x.text, "", keyDate, "random", e.Off)
			}
		}
	}
	switch {
	case r.kind == vText && e.Text == "items", r.kind == vUnknown && r.from == fromMessages && (e.Text == "first" || e.Text == "last" || e.Text == "random"):
		return element(r)
	case r.kind == vDict && (e.Text == "items" || e.Text == "dictsort"):
		return pairs(r).with(dep.dep, dep.key)
	case r.kind == vDict:
		items = nil
		for i := 0; i < len(r.items); i += 2 {
			items = append(items, r.items[i])
		}
	case r.kind == vText && e.Text == "reverse":
		return skeleton(reversed(r.text), dep.dep, dep.key)
	case r.kind == vText:
		items = nil
		for _, c := range r.text {
			if len(items) >= maxList {
				break
			}
			items = append(items, skeleton(string(c), 0, ""))
		}
	case r.kind != vList:
		return dep
	}
	w.step(len(items) / 4)
	return ordered(e.Text, items, r, dep)
}

func ordered(how string, items []*value, r, dep *value) *value {
	switch {
	case len(items) == 0:
		return opaque(fromOther, dep)
	case how == "first":
		return items[0].with(dep.dep, dep.key)
	case how == "last" && r.exact:
		return items[len(items)-1].with(dep.dep, dep.key)
	case how == "last":
		return opaque(fromOther, dep).with(onBuilt, "")
	case how == "random":
		return union(items...).with(dep.dep|keyDate, "random")
	case how == "batch" || how == "slice":
		rows := listValue(items)
		rows.exact = false
		items = []*value{rows}
	case how == "reverse":
		out := make([]*value, len(items))
		for i, x := range items {
			out[len(items)-1-i] = x
		}
		items = out
	}
	v := listValue(items)
	v.exact = v.exact && r.exact && how != "sort" && how != "unique" && how != "batch" && how != "slice"
	return v.with(dep.dep, dep.key)
}

func reversed(s string) string {
	rs := []rune(s)
	for i, j := 0, len(rs)-1; i < j; i, j = i+1, j-1 {
		rs[i], rs[j] = rs[j], rs[i]
	}
	return string(rs)
}

func lengthOf(r, dep *value) *value {
	switch {
	case (r.kind == vText || r.kind == vList) && r.exact:
		n := len(r.items)
		if r.kind == vText {
			n = len([]rune(r.text))
		}
		return intValue(int64(n)).with(dep.dep, dep.key)
	case r.from == fromMessages:
		return &value{from: fromIndex, dep: dep.dep | onIndex, key: dep.key, size: 1}
	}
	return opaque(r.from, dep)
}

func (w *walker) jsonOf(r, dep *value) *value {
	switch {
	case r.kind == vText:
		return skeleton("\""+r.text+"\"", dep.dep, dep.key)
	case r.kind == vList || r.kind == vDict:
		return skeleton(r.repr(), dep.dep, dep.key)
	}
	return w.stringOf(r).with(dep.dep, dep.key)
}

// selection is select, reject, selectattr, rejectattr: a test on every item.
func (w *walker) selection(e *Expr, r *value, args []argument, dep *value) *value {
	subject, first := element(r), 0
	if strings.HasSuffix(e.Text, "attr") {
		first = 1
		if len(args) > 0 && args[0].value.kind == vText {
			subject = member(subject, args[0].value.text)
		}
	}
	if subject.dep&(onContent|onDate) != 0 && len(args) > first+1 {
		for _, a := range args[first+1:] {
			k, key := w.keys(subject, a.value)
			dep = dep.with(k, key)
		}
	}
	if r.kind == vList {
		return &value{text: generatorText, dep: dep.dep, key: dep.key, size: 1}
	}
	return dep
}

// generatorText is how a generator reads: the usual source of an underscore for
// those who may not write one.
const generatorText = "<generator object select_or_reject at 0x" + hole

func mapOf(r *value, args []argument, dep *value) *value {
	for _, a := range args {
		if a.name == "attribute" && a.value.kind == vText && r.from == fromMessages {
			out := member(element(r), a.value.text)
			return out.with(dep.dep&^onIndex, dep.key)
		}
	}
	if r.kind == vList && len(args) == 1 && args[0].value.kind == vText {
		if f, ok := textFolds[args[0].value.text]; ok {
			var out []*value
			for _, x := range r.items {
				if x.kind == vText {
					x = skeleton(f(x.text), x.dep, x.key)
				}
				out = append(out, x)
			}
			return listValue(out)
		}
	}
	if r.kind == vList {
		return mapItems(r, args, dep)
	}
	return dep
}

// mapItems is map(attribute=…) over constants; other filters are not followed.
func mapItems(r *value, args []argument, dep *value) *value {
	name, ok := pick(args, -1, "attribute")
	if !ok || name.kind != vText && name.kind != vInt {
		return dep.with(onBuilt, "")
	}
	var out []*value
	for _, x := range r.items {
		v, found := lookup(x, name.text)
		if n, in := position(name.num, len(x.items)); name.kind == vInt && x.kind == vList && in {
			v, found = x.items[n], true
		}
		if !found {
			return dep.with(onBuilt, "")
		}
		out = append(out, v)
	}
	return listValue(out).with(dep.dep, dep.key)
}
