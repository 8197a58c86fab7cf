package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// phrase is a sequence of word groups, each within some words of the one before.
// It is matched on words, so that it costs the same per word on any text (counted
// gaps in a regular expression do not).
type phrase []group

type group struct {
	gap  int // words that may stand between
	alts [][]string
}

// phrases reads the notation, one phrase a line: groups of alternatives (a|b)
// with >n between them for the gap; "a*" is any word that begins with a, "a+b"
// are words that follow one another.
func phrases(notation string) map[string][]phrase {
	byFirst := map[string][]phrase{}
	for _, line := range strings.Split(strings.TrimSpace(notation), "\n") {
		var p phrase
		gap := 0
		for _, f := range strings.Fields(line) {
			if f[0] == '>' {
				gap = int(f[1] - '0')
				if len(f) > 2 {
					gap = gap*10 + int(f[2]-'0')
				}
				continue
			}
			g := group{gap: gap}
			for _, a := range strings.Split(f, "|") {
				g.alts = append(g.alts, strings.Split(a, "+"))
			}
			p = append(p, g)
		}
		for _, a := range p[0].alts {
			key := strings.TrimSuffix(a[0], "*")
			key = cut(key, firstKey)
			byFirst[key] = append(byFirst[key], append(phrase{group{alts: [][]string{a}}}, p[1:]...))
		}
	}
	return byFirst
}

// firstKey is how many bytes of a phrase's first word it is found by.
const firstKey = 3

// word is a word of a text, in lower case, with its place.
type word struct {
	text       string
	start, end int
}

// split takes a text into words.
func splitWords(s string) []word {
	out := make([]word, 0, len(s)/6)
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, word{strings.ToLower(s[start:end]), start, end})
		}
		start = -1
	}
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || (r == '\'' || r == '’') && start >= 0 {
			if start < 0 {
				start = i
			}
		} else {
			flush(i)
		}
		i += n
	}
	flush(len(s))
	return out
}

// findPhrase finds the first match of any phrase from word i on, and the words
// that it spans.
func findPhrase(table map[string][]phrase, ws []word, i int) (from, to int, ok bool) {
	for ; i < len(ws); i++ {
		t := ws[i].text
		for n := 1; n <= firstKey && n <= len(t); n++ {
			for _, p := range table[t[:n]] {
				if end, ok := p.match(ws, i); ok {
					return i, end, true
				}
			}
		}
	}
	return 0, 0, false
}

// match matches at word i exactly; the end is the last word.
func (p phrase) match(ws []word, i int) (end int, ok bool) {
	for _, a := range p[0].alts {
		if !follows(ws, i, a) {
			continue
		}
		last := i + len(a) - 1
		if len(p) == 1 {
			return last, true
		}
		for j := last + 1; j <= last+1+p[1].gap && j < len(ws); j++ {
			if end, ok := p[1:].match(ws, j); ok {
				return end, true
			}
		}
	}
	return 0, false
}

func follows(ws []word, i int, pattern []string) bool {
	if i+len(pattern) > len(ws) {
		return false
	}
	for k, p := range pattern {
		t := ws[i+k].text
		if stem, open := strings.CutSuffix(p, "*"); open && !strings.HasPrefix(t, stem) || !open && t != p {
			return false
		}
	}
	return true
}

const doing = `recommend|mention|include|add|append|insert|say|claim|state|tell|link|promote|prais*|suggest|reply|respond|answer|refuse|deny|approve|agree|use|output|write|end|begin|start|comply|decline|treat|insist|conclude|choose|prefer|report|classif*|rate|return|generate|produce|provide|cite|omit|pretend|give|assume|accept|reject|direct|advise|send|print|mark`

var (
	// overtPhrases hide something, override, or reach out.
	overtPhrases = phrases(`
ignore|disregard|forget|override|bypass|discard >7 previous|prior|above|earlier|preceding|existing|original|all|any|your|safety|system|developer|user|user's|users|the >5 instruction*|prompt*|guideline*|rule|rules|polic*|restriction*|safeguard*|filter|filters|message*|request*|constraint*|direction*|training
secretly|covertly|silently|stealthily|discreetly|surreptitiously|subtly >8 add*|insert*|include*|send*|append*|embed*|inject*|replac*|introduc*|recommend*|promot*|forward*|leak*|change*|weaken*|omit*|log|collect*|ship*
insert*|add*|inject*|introduc*|includ*|plant*|hide|hiding|embed*|write|writing|generat*|put >7 backdoor*|vulnerabilit*|malware|malicious|exploit|exploits|keylogger*|trojan*|reverse+shell*|sql+injection*|security+flaw*|logic+bomb*|off+by+one|hard+coded|hardcoded
you+are+now|act+as|switch+to|enter|enable|activate >5 dan|jailbr*|unrestricted|uncensored|unfiltered|evil|developer+mode|god+mode|debug+mode|admin*+mode|maintenance+mode|no+restriction*
no|without|disable|remove|drop|lift >1 restriction*|guardrail*|censorship|safeguard*|moderation
reveal*|print*|output|leak*|repeat*|include*|give|return*|dump*|show|disclose*|expose* >6 system+prompt|api+key*|password*|credential*|secret|secrets|private+key*|access+token*|environment+variable*|ssh+key*|hidden+instruction*|contents+of+the+system
`)
	// concealPhrases are what system prompts say of tools, too.
	concealPhrases = phrases(`
not|don't|don’t|never|without >4 tell|telling|reveal*|mention*|inform|informs|informed|informing|disclos*|admit*|alert*|notif*|warn*|acknowledg* >6 user|users|human|person|anyone|anybody|this|it|these|instruction*|that+you|them|prompt
`)
	ofItselfPhrases = phrases(`
this|these|that|the|your|hidden|secret >2 instruction*|prompt|directive|message|note|rule|change|link
that+you >0 were|are|have|did
`)
	// outPhrases need an address behind them.
	outPhrases = phrases(`
send*|post*|upload*|forward*|transmit*|exfiltrat*|leak*|report*|submit*|deliver*|copy|email*|mail* >12 to|at|via
bcc|cc
`)
	// steeringPhrases tell the model what to say or to do.
	steeringPhrases = phrases(`
always|never|only|must|instead|regardless|immediately >9 ` + doing + `
recommend|promote|endorse|advertise|praise|favor|favour
respond|reply|answer|say|end|finish|start|begin >1 with|that|as
pretend|from+now+on|override|bypass|secret*|covert*|hidden|backdoor*|trigger*|sudo|unlock*|jailbreak*|exfiltrat*|maintenance+mode|debug+mode|developer+mode|admin+access|unrestricted
claim|insist|assert|lie|conclude|convince|persuade|deceive|mislead|falsely|incorrect*|wrong*|fake|fabricat*|misinform*
append|insert|inject|prepend|embed|attach|smuggle
make+sure|be+sure|ensure|remember >6 recommend|mention|include|add|append|insert|say|claim|tell|link|omit|use|refuse|approve
weaken|disable|skip|omit|avoid|leave+out >6 security|validation|check|checks|encryption|warning*|saniti*|authentication|verification|disclaimer*|escap*|test|tests
refuse|decline|not|don't|stop >3 answer*|help*|respond*|assist*|comply|discuss|warn|mention|explain|critici*
`)
	// pushingPhrases are what no system prompt asks for.
	pushingPhrases = phrases(`
recommend|promote|endorse|advertise|praise|pretend|secret*|covert*|backdoor|jailbreak|falsely|deceive|mislead|lie+to|insist|disregard|override
`)
)
