package codelike

import "bytes"

// shell scores a text as a command line of sh, cmd or PowerShell: the first
// word of a part names a program, and what follows has the shape of arguments.
func shell(s []byte) (float64, string) {
	if bytes.HasPrefix(s, []byte("#!")) && len(s) > 3 && (s[2] == '/' || s[2] == ' ' && s[3] == '/') {
		return 0.95, "shell: interpreter line"
	}
	best := verdict{}
	parts, known, prose := 0, 0, 0
	fed := false // a program before a pipe
	for rest := s; len(rest) > 0; {
		part, sep, tail := cutPart(rest)
		rest = tail
		w, args := firstWord(part)
		if len(w) > 0 {
			parts++
			score, why := command(w, args, fed)
			switch {
			case score > 0:
				known++
			case words(args) >= 4:
				prose++
			}
			best.raise(score, why)
		}
		fed = sep == '|' && isProgram(w)
	}
	if bytes.Contains(s, []byte("/dev/tcp/")) && bytes.IndexByte(s, '>') >= 0 {
		best.raise(0.95, "shell: connection through /dev/tcp")
	}
	best.raise(substitution(s))
	// A page of prose with a command in it speaks of code.
	if prose >= max(known, 1) || parts > 3 && known*4 < parts {
		best.score = min(best.score, 0.4)
	}
	return best.score, best.why
}

// cutPart cuts at the next separator of commands outside quotes.
func cutPart(s []byte) (part []byte, sep byte, rest []byte) {
	quote := byte(0)
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' && (i == 0 || !isWordByte(s[i-1])): // not an apostrophe
			quote = c
		case c == '\n' || c == ';' || c == '|' || c == '&':
			return s[:i], c, s[i+1:]
		}
	}
	if quote != 0 { // unclosed: the text is cut, or the quote is none
		if i := bytes.IndexAny(s, "\n;|&"); i >= 0 {
			return s[:i], s[i], s[i+1:]
		}
	}
	return s, 0, nil
}

func firstWord(s []byte) (w, args []byte) {
	s = bytes.TrimLeft(s, " \t\r(${")
	for bytes.HasPrefix(s, []byte("sudo ")) || bytes.HasPrefix(s, []byte("nohup ")) || bytes.HasPrefix(s, []byte("exec ")) {
		s = bytes.TrimLeft(s[5:], " \t")
	}
	i := bytes.IndexAny(s, " \t\r<>")
	if i < 0 {
		i = len(s)
	}
	w, args = s[:i], bytes.TrimSpace(s[i:])
	if j := bytes.Index(w, []byte("${IFS}")); j >= 0 {
		w, args = w[:j], w[j+6:]
	}
	if j := bytes.LastIndexAny(w, `/\`); j >= 0 && j+1 < len(w) && (w[0] == '/' || w[0] == '.' || w[0] == '~' || j > 1 && w[1] == ':') {
		w = w[j+1:]
	}
	return w, args
}

// lookup finds a program by its name, in any case and with .exe.
func lookup(w []byte) (rule program, name string) {
	if len(w) > 24 {
		return program{}, ""
	}
	var low [24]byte
	n := copy(low[:], w)
	for i := range low[:n] {
		if low[i] >= 'A' && low[i] <= 'Z' {
			low[i] += 32
		}
	}
	rule, ok := programs[string(bytes.TrimSuffix(low[:n], []byte(".exe")))]
	if !ok {
		return program{}, ""
	}
	return rule, string(bytes.TrimSuffix(low[:n], []byte(".exe")))
}

func isProgram(w []byte) bool { _, name := lookup(w); return name != "" }

// words counts plain words, up to 8.
func words(args []byte) (n int) {
	for n < 8 && len(args) > 0 {
		w, rest, _ := bytes.Cut(args, []byte(" "))
		args = rest
		if isPlain(bytes.TrimRight(w, ".,:!?")) {
			n++
		} else if len(w) > 0 {
			break
		}
	}
	return n
}

// command weighs one command with its arguments; piped says that another
// program's output comes in.
func command(w, args []byte, piped bool) (float64, string) {
	rule, name := lookup(w)
	if name == "" {
		return 0, ""
	}
	if piped && rule.shell && (len(args) == 0 || args[0] == '-' || args[0] == '>' || args[0] == '<') {
		return 0.95, "shell: piped into " + name
	}
	if len(args) == 0 {
		return 0, ""
	}
	for _, want := range rule.args {
		if want(args) && (rule.score >= 0.9 || !sentence(args)) {
			return rule.score, "shell: " + name
		}
	}
	return 0, ""
}

// substitution finds $(command …) and `command …`.
func substitution(s []byte) (float64, string) {
	for _, q := range []struct {
		from string
		to   byte
	}{{"$(", ')'}, {"`", '`'}} {
		rest := s
		for n := 0; n < 64; n++ {
			i := bytes.Index(rest, []byte(q.from))
			if i < 0 {
				break
			}
			rest = rest[i+len(q.from):]
			j := bytes.IndexByte(rest, q.to)
			if j < 0 {
				break
			}
			// Backticks quote code in Markdown; only $( ) is plainly a shell's.
			if w, args := firstWord(rest[:j]); q.to == ')' {
				if score, why := command(w, args, false); score > 0 {
					return score, why
				}
			}
			rest = rest[j+1:]
		}
	}
	return 0, ""
}

// sentence says whether arguments go on as prose: three plain words or more,
// or two of which one is a word of grammar.
func sentence(args []byte) bool {
	plain, grammar := 0, false
	for n := 0; n < 16 && len(args) > 0; n++ {
		w, rest, _ := bytes.Cut(args, []byte(" "))
		args = rest
		if isPlain(bytes.TrimRight(w, ".,:!?")) {
			plain++
			grammar = grammar || glue[string(w)]
		}
	}
	return plain >= 4 || plain >= 2 && grammar
}

func isPlain(w []byte) bool {
	for _, c := range w {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return len(w) > 0
}

// glue is read only.
var glue = map[string]bool{
	"a": true, "an": true, "the": true, "is": true, "are": true, "or": true, "and": true, "of": true, "to": true,
	"for": true, "in": true, "not": true, "it": true, "with": true, "this": true, "that": true, "on": true,
}
