package jinja

import (
	"sort"
	"strings"
	"unicode"
)

// severity of a text that a condition lets out: rows are what the condition
// hangs on, columns the grade of the text.
//
// A documented switch (/no_think) may bring its own system prompt; a control
// token may bring any sentence that does not steer. Words in a message, a date
// or an unusual position have no business deciding over prose at all.
var severity = []struct {
	on     depends
	levels [5]Weight // plain, wordy, prose, steering, overt
	what   string
}{
	{keyTrigger, [5]Weight{Info, Medium, High, High, Critical}, "the content of a message"},
	{keyDate, [5]Weight{Info, Info, High, High, Critical}, "the date"},
	{keyIndex, [5]Weight{Info, Info, High, High, Critical}, "the number of messages"},
	{keyWeak, [5]Weight{Info, Info, Medium, High, Critical}, "the shape of a message's content"},
	{keyMarker, [5]Weight{Info, Info, Medium, High, Critical}, "a control token in a message"},
	{keyMode, [5]Weight{Info, Info, Info, Info, Critical}, "a switch in a message"},
	{onUser, [5]Weight{Info, Info, Info, Medium, High}, ""},
}

// judgeText judges what a keyed condition lets out (emitted) or puts into
// variables (noted).
func (w *walker) judgeText(emitted, noted string, dep depends, key string, off int) {
	if dep&(keyed|onUser) == 0 || emitted == "" && noted == "" || !w.step(2+(len(emitted)+len(noted))/8) {
		return
	}
	dep |= w.guard & onTools
	text := strings.ReplaceAll(emitted, hole, " ")
	g := graded(text)
	if noted != "" {
		noted = strings.ReplaceAll(noted, hole, " ")
		if n := graded(noted); n > g || strings.TrimSpace(text) == "" {
			text, g = noted, n
		}
	}
	worst, what := Info, ""
	for _, s := range severity {
		level := s.levels[g]
		switch {
		case (s.on == keyMarker || s.on == keyWeak) && g == prose && dep&(keyFar|onTools) != 0:
			level = Low // what real templates do around tool calls
		case s.on == onUser && g == steering && (dep&onTools != 0 || !hasURL(text) && !isPushing(text)):
			level = Info // some formats put the system prompt or the tools there
		}
		if dep&s.on != 0 && level > worst {
			worst, what = level, s.what
		}
	}
	if worst == Info {
		return
	}
	message := "text is let out only where " + what + " matches a constant"
	if what == "" {
		message = "text that steers the model is put into what the user says"
	}
	w.issue(Issue{Kind: HiddenInstruction, Weight: worst, Off: off, Trigger: key, Text: squeezed(text), Detail: gradeNames[g],
		Message: message})
}

var gradeNames = [...]string{"plain", "words", "sentence", "steering", "overt"}

// squeezed makes white space single.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }

// judgeWhole looks at everything that the template says of itself, whatever the
// conditions: sentences that hide, override or reach out have no place in it.
func (w *walker) judgeWhole() {
	text := string(w.buf)
	w.hidden(text, 0)
	ws := splitWords(text)
	for n, at := 0, 0; n < 32; n++ {
		m, next, ok := overtSpan(text, ws, at, false)
		if !ok {
			break
		}
		at = next
		w.overt(text, m)
	}
	for _, m := range overtCode.FindAllStringIndex(text, 8) {
		w.overt(text, span{m[0], m[1]})
	}
}

func (w *walker) overt(text string, m span) {
	weight := High
	if strings.Contains(text[m.start:m.end], hole) {
		weight = Medium // joined from parts that may never meet
	}
	w.issue(Issue{Kind: HiddenInstruction, Weight: weight, Off: w.sourceOf(m.start), Text: squeezed(visible(text[m.start:m.end])), Detail: "overt",
		Message: "the template itself tells the model to hide, to override or to reach out"})
}

// sourceOf gives the source offset of emitted text.
func (w *walker) sourceOf(at int) int {
	i := sort.Search(len(w.segs), func(i int) bool { return w.segs[i].at > at }) - 1
	if i < 0 {
		return 0
	}
	return w.segs[i].off
}

// hiddenIn reports characters in a literal that a reader does not see.
func (w *walker) hiddenIn(e *Expr) {
	if !w.deep {
		w.hidden(e.Text, e.Off)
	}
}

// hidden reports invisible and direction-changing characters. Joiners between
// letters or emoji that need them, and the signs that begin a file, are no fault.
func (w *walker) hidden(text string, off int) {
	rs := []rune(text)
	n, first := 0, rune(0)
	weight := Medium
	for i, r := range rs {
		if !invisible(r) || (r == 0x200C || r == 0x200D || r == 0xFE0F) && neighbours(rs, i) || r == 0xFEFF && i == 0 {
			continue
		}
		if r >= 0xE0000 && flagTag(rs, i) {
			continue
		}
		if n == 0 {
			first = r
		}
		n++
		if r >= 0xE0000 || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			weight = High
		}
	}
	if n == 0 {
		return
	}
	if n >= 16 {
		weight = High // enough to carry a message
	}
	w.issue(Issue{Kind: HiddenText, Weight: weight, Off: off, Symbol: codePoint(first), Text: squeezed(text), Detail: "invisible",
		Message: "a constant of the template holds characters that a reader does not see"})
}

func invisible(r rune) bool {
	switch {
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x2069, r == 0xFEFF, r == 0x180E,
		r >= 0xE0000 && r <= 0xE0FFF, r == 0x00AD, r == 0x034F, r == 0x061C, r >= 0x206A && r <= 0x206F, r == 0x115F, r == 0x1160, r == 0x3164:
		return true
	}
	return false
}

// neighbours says that a joiner stands beside a character of a script or an
// emoji that joins.
func neighbours(rs []rune, i int) bool {
	joins := func(r rune) bool {
		return r > 0x2FF && (unicode.IsLetter(r) || unicode.Is(unicode.M, r) || unicode.IsSymbol(r))
	}
	return i > 0 && joins(rs[i-1]) || i+1 < len(rs) && joins(rs[i+1])
}

// flagTag says that a tag character belongs to an emoji flag.
func flagTag(rs []rune, i int) bool {
	for n := 0; i >= 0 && n < 8; i, n = i-1, n+1 {
		if rs[i] == 0x1F3F4 {
			return true
		}
	}
	return false
}

func codePoint(r rune) string {
	const hex = "0123456789ABCDEF"
	out := ""
	for v := r; v > 0 || len(out) < 4; v >>= 4 {
		out = string(hex[v&15]) + out
	}
	return "U+" + out
}

// include judges the tags that load other templates.
func (w *walker) include(s *Stmt) {
	v := w.eval(s.Exprs[0])
	verb := map[Verb]string{Include: "include", Import: "import", FromImport: "from", Extends: "extends"}[s.Verb]
	weight := Low
	if w.chat {
		weight = Medium // a chat template stands alone: the loader has no others
	}
	text := ""
	for _, a := range v.alts() {
		if a.kind == vList || a.kind == vText {
			text = a.str()
		}
		outside := strings.Contains(text, "..") || strings.ContainsAny(cut(text, 1), "/\\~") || strings.Contains(text, "://") || strings.Contains(text, ":\\")
		if outside || a.kind == vUnknown && a.from == fromContent || a.kind == vList && strings.Contains(text, "'/") {
			weight = High
		}
	}
	w.issue(Issue{Kind: IncludeFile, Weight: weight, Off: s.Off, Symbol: visible(text), Detail: verb, Message: "the template loads another (" + verb + ")"})
	if s.Name != "" {
		w.scope.set(s.Name, unknown)
	}
	for _, n := range s.Names {
		w.scope.set(n[1], unknown)
		if isInternal(n[0]) {
			w.dunder(s.Off, n[0], "import")
		}
	}
}
