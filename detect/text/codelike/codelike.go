// Package codelike decides whether a short text is code or a command, or only
// speaks of it: Python source, a shell or PowerShell command line, a script in
// markup, or base64 or hex of one.
//
// The evidence is the shape of the whole text. A text that names os.system is
// not code; a text that a Python parser could accept and that calls os.system
// is. Prose fails that test at once, because two words side by side are no
// Python and no word of prose is a shell command with a flag, a path or an
// address after it. Text within string literals is not code.
//
// It cannot see code in languages other than those, code hidden by more than
// one encoding, or harmless-looking expressions in a dialect of a library
// (pandas queries, formulas, TorchScript); and it says nothing of what a text
// would do where nobody runs it.
package codelike

// Threshold is the score from which a text counts as code.
const Threshold = 0.5

// shortestScript is below any text that the marks of scripts fit into.
const shortestScript = 20

// maxText bounds what is looked at of one text, and with it the cost.
const maxText = 1 << 20

// IsCode says whether the text reads as code or a command.
func IsCode(s []byte) bool {
	score, _ := Score(s)
	return score >= Threshold
}

// Score says how sure it is, from 0 to 1, that the text is code or a command,
// and on what evidence; why is empty where the score is 0. It takes linear time
// and does not keep s.
func Score(s []byte) (score float64, why string) {
	if len(s) < 6 {
		return 0, ""
	}
	if len(s) > maxText {
		s = s[:maxText]
	}
	c := classify(s)
	if c&(space|paren|punct) == 0 {
		return encoded(s, c)
	}
	best := verdict{}
	if c&paren != 0 || c&(space|newline) != 0 {
		best.raise(python(s, c))
	}
	if best.score < 0.9 {
		best.raise(shell(s))
	}
	if best.score < 0.9 && len(s) >= shortestScript && c&(paren|angle) != 0 {
		best.raise(script(s))
	}
	if best.score < Threshold {
		best.raise(encoded(s, c))
	}
	return best.score, best.why
}

type verdict struct {
	score float64
	why   string
}

func (v *verdict) raise(score float64, why string) {
	if score > v.score {
		v.score, v.why = score, why
	}
}

// Classes of bytes; what a text consists of decides which readings are tried.
const (
	space   uint8 = 1 << iota // blank
	newline                   // line ends
	paren                     // ( [ ) ]
	punct                     // ; | & $ ` > that a shell reads
	angle                     // <
	word                      // letters, digits, + / = - _ : the base64 alphabets
	other
)

// classes is read only.
var classes = func() (t [256]uint8) {
	for i := range t {
		t[i] = other
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = word
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-32] = word, word
	}
	for _, c := range "+/=-_" {
		t[c] = word
	}
	t[' '], t['\t'] = space, space
	t['\n'], t['\r'] = newline|space, newline|space
	t['('], t['['], t[')'], t[']'] = paren, paren, paren, paren
	for _, c := range ";|&$`>" {
		t[c] = punct
	}
	t['<'] = angle
	return t
}()

func classify(s []byte) (c uint8) {
	for _, b := range s {
		c |= classes[b]
	}
	return c
}

func isWordByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b >= 0x80
}
