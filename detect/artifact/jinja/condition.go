package jinja

import (
	"strings"
	"unicode"
)

// compare is a chain of comparisons. Comparing what a message says, a date or a
// position with a constant makes the result keyed.
func (w *walker) compare(e *Expr) *value {
	vs := w.evalAll(e.X)
	out := opaque(fromOther, vs...)
	for i, op := range e.Ops {
		a, b := vs[i], vs[i+1]
		for _, pair := range [][2]*value{{a, b}, {b, a}} {
			dep, key := w.keys(pair[0], pair[1])
			out = out.with(dep, key)
		}
		if isUser(a, b) && (op == "==" || op == "in") {
			out = out.with(onUser, "")
		}
	}
	if len(vs) == 2 {
		if t, ok := compared(e.Ops[0], vs[0], vs[1]); ok {
			return boolValue(t).with(out.dep, out.key)
		}
	}
	return out
}

func isUser(a, b *value) bool {
	if a.from != fromMeta {
		a, b = b, a
	}
	return a.from == fromMeta && b.kind == vText && (b.text == "user" || b.text == "human")
}

func compared(op string, a, b *value) (truth, ok bool) {
	if !a.known() || !b.known() || a.kind != b.kind || a.kind > vBool {
		return false, false
	}
	c := strings.Compare(a.text, b.text)
	if a.kind != vText {
		c = int(max(-1, min(1, a.num/2-b.num/2)))
		if c == 0 {
			c = int(a.num%2 - b.num%2)
		}
	}
	switch op {
	case "==":
		return c == 0, true
	case "!=":
		return c != 0, true
	case "<":
		return c < 0, true
	case "<=":
		return c <= 0, true
	case ">":
		return c > 0, true
	case ">=":
		return c >= 0, true
	}
	return false, false
}

// keys says how comparing subject with other is keyed, and by which constant.
func (w *walker) keys(subject, other *value) (dep depends, key string) {
	if (subject.from == fromMessages || subject.from == fromMessage) && (other.kind == vDict || other.kind == vList) && len(other.items) > 0 {
		return w.keysWhole(other)
	}
	if subject.dep&(onContent|onDate|onIndex) == 0 || subject.from == fromMeta || subject.from == fromTools {
		return 0, ""
	}
	for _, o := range other.alts() {
		d, k := w.keysOne(subject, o)
		if d > dep || key == "" {
			key = k
		}
		dep |= d
	}
	return dep, key
}

// keysWhole is comparing a whole message with a constant one.
func (w *walker) keysWhole(o *value) (depends, string) {
	for _, x := range o.items {
		if x.kind == vText && len(x.text) > 0 && !structural[strings.ToLower(x.text)] {
			return keyTrigger, visible(x.text)
		}
		if x.kind == vDict || x.kind == vList {
			return keyTrigger, visible(x.str())
		}
	}
	return 0, ""
}

func (w *walker) keysOne(subject, o *value) (depends, string) {
	switch o.kind {
	case vText:
		if subject.dep&onDate != 0 && strings.Trim(o.text, hole+" ") != "" {
			return keyDate, visible(o.text)
		}
		if subject.dep&onContent != 0 && o.text != hole {
			return classify(strings.ReplaceAll(o.text, hole, ""), o.exact), visible(o.text)
		}
	case vInt:
		switch {
		case subject.dep&onDate != 0:
			return keyDate, o.str()
		case subject.dep&onContent != 0 && (o.num > 1 || o.num < -1):
			return keyWeak, o.str()
		case subject.dep&onIndex != 0 && (o.num > 2 || o.num < -2):
			return keyIndex, o.str()
		}
	case vList, vDict:
		var dep depends
		key := ""
		step := 1
		if o.kind == vDict {
			step = 2
		}
		for i := 0; i < len(o.items) && w.step(1); i += step {
			for _, a := range o.items[i].alts() {
				if a.kind == vList || a.kind == vDict || a.kind == vUnion {
					continue
				}
				d, k := w.keysOne(subject, a)
				if d > dep || key == "" {
					key = k
				}
				dep |= d
			}
		}
		return dep, key
	case vUnknown:
		if subject.dep&onContent != 0 && o.dep == 0 && o.from == fromOther && o != unknown {
			return keyWeak, "a variable"
		}
	}
	return 0, ""
}

// modes are switches that model cards document: users write them to turn
// reasoning on and off.
var modes = map[string]bool{
	"/think": true, "/no_think": true, "/nothink": true, "/no_thinking": true, "/thinking": true, "/no-think": true,
	"detailed thinking on": true, "detailed thinking off": true, "/reasoning": true, "/no_reasoning": true, "/system_override": true,
}

// classify says which sort of trigger a constant is.
func classify(s string, exact bool) depends {
	t := strings.TrimSpace(s)
	if t == "" {
		return 0
	}
	if modes[strings.ToLower(t)] {
		return keyMode
	}
	letters := 0
	for _, r := range t {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters++
		}
	}
	switch {
	case letters < 2:
		return keyWeak
	case isMarker(t):
		return keyMarker
	case !exact && letters < 4:
		return keyWeak
	}
	return keyTrigger
}

// parts are the keys of the parts of a message's content: templates ask for them
// with "in" as they ask for words.
var parts = map[string]bool{
	"text": true, "image": true, "image_url": true, "video": true, "video_url": true, "audio": true, "input_audio": true, "audio_url": true,
	"type": true, "file": true, "url": true, "role": true, "content": true,
}

// isMarker says that a constant is markup of the kind that chat formats use:
// it holds a sign that prose does not, and only words of such markup.
func isMarker(t string) bool {
	lower := strings.ToLower(t)
	for _, p := range []string{"http://", "https://", "data:", "data:image", "```", "```json", "http", "https"} {
		if lower == p {
			return true
		}
	}
	if parts[lower] {
		return true
	}
	if !strings.ContainsAny(t, "<>[]{}|#:`\"_｜▁\n") {
		return false
	}
	ws := words(lower)
	if len(ws) > 8 {
		return false
	}
	for _, x := range ws {
		if !structural[x] {
			return false
		}
	}
	return true
}

// test is x is name(args).
func (w *walker) test(e *Expr) *value {
	subject := w.filtered
	if e.X[0] != nil {
		if e.X[0].Op == Name && (e.Text == "defined" || e.Text == "undefined" || e.Text == "callable") {
			subject, _ = w.scope.get(e.X[0].Text)
			if subject == nil {
				if internal.MatchString(e.X[0].Text) {
					w.globalValue(e.X[0])
				}
				subject = unknown
			}
		} else {
			subject = w.eval(e.X[0])
		}
	}
	args := w.evalArgs(e.Args)
	out := opaque(fromOther, subject, w.opaqueCall(args))
	for _, a := range args {
		for _, pair := range [][2]*value{{subject, a.value}, {a.value, subject}} {
			dep, key := w.keys(pair[0], pair[1])
			out = out.with(dep, key)
		}
		if isUser(subject, a.value) {
			out = out.with(onUser, "")
		}
	}
	if (e.Text == "divisibleby") && subject.dep&onIndex != 0 {
		if len(args) > 0 && args[0].value.kind == vInt && args[0].value.num > 2 {
			out = out.with(keyIndex, "divisible by "+args[0].value.str())
		}
	}
	return out
}
