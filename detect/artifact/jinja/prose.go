package jinja

import (
	"regexp"
	"strings"
	"unicode"
)

// grade says how much a constant text reads like something said to a model.
type grade uint8

const (
	plain    grade = iota // control tokens, punctuation, role names
	wordy                 // a word or few
	prose                 // a sentence
	steering              // tells the model what to say or to do
	overt                 // hides something, overrides, or reaches out
)

// structural are the words of chat markup: roles, channels, JSON keys, headers.
var structural = wordSet(`user users assistant system tool tools toolcall toolcalls call calls response responses function functions name names
 argument arguments args parameter parameters content contents type types text texts image images img video audio picture pic file files thought
 thoughts think thinking reason reasoning final analysis commentary json python ipython none null true false nil instruction instructions inst input
 inputs output outputs human bot ai observation observations result results error errors id ids index role roles date today day model end start begin
 turn turns of message messages header headers context contexts document documents doc docs question answer query queries prompt prompts sys im sep bos
 eos eot eom pad fim channel constrain return returns invoke string object array number integer boolean bool float int str list dict any enum code
 interpreter box available knowledge cutoff current description properties property required schema namespace value values key keys item items
 title url urls link step steps action actions plan chat conversation history gpt correct user1 media vision placeholder box ref quad object_ref
 use mcp server servers search web begin_of_text end_of_text special open close tags tag block section sections unused reserved token tokens mask
 def sep cdata param params memory scratchpad information solution citation citations cite quote budget cot reflect grounding nl patch eod sop gmask sp unused0 unused1
 videos audios pictures attachment attachments speech lang language code execution outcome region point points polygon object1 vision1 interpreter1 recipient
 developer environment latest reminder no_think nothink thinkon data base64 http https minimax seed kimi harmony gemma`)

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// words gives the runs of letters (and digits after letters) in a text, in
// lower case; camelCase and snake_case are taken apart.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) && !unicode.IsDigit(r) && r != '\'' && r != '’'
	})
}

var (
	controlToken = regexp.MustCompile(`<[|｜/]?[\w▁:. ="/|｜-]{1,48}[|｜]?>|\[/?[A-Z_ ]{2,32}\]|<<?/?[A-Z]{2,12}>>?|<\|"\|>`)
	urlText      = regexp.MustCompile(`(?i)\b(?:https?|ftp)://[^\s"'<>\x{FFFC}]{3,}|\bwww\.[a-z0-9-]+\.[a-z]{2,}|\b[a-z0-9-]{2,}\.(?:com|net|org|io|ru|cn|xyz|top|info|dev|app|site|online|biz|onion|evil|example)\b(?:/\S*)?`)
	schemaURL    = regexp.MustCompile(`(?i)^(https?://)?(www\.)?(json-schema\.org|w3\.org|schema\.org)`)

	emailText = regexp.MustCompile(`[\w.+-]+@[\w-]+\.\w`)
	// overtCode acts on a machine, or makes a client fetch an address.
	overtCode = regexp.MustCompile(`(?i)\brm\s+-rf?\b|\b(curl|wget)\s+\S*(https?:|[a-z0-9-]+\.[a-z]{2})|__import__|os\.system|subprocess\.|/bin/(ba)?sh|/etc/passwd|powershell(\.exe)?\s+-|base64\s+-d|\beval\(|chmod\s+(\+x|777)|!\[[^\]]*\]\(\s*(https?:)?//`)
)

// maxGraded is how much of a text is graded: its begin and its end. What is
// longer is prose in any case.
const maxGraded = 96 << 10

// span is a part of a text.
type span struct{ start, end int }

// overtSpan finds the first sentence from word i on that hides, overrides or
// reaches out, and the word to go on from.
func overtSpan(text string, ws []word, i int, conditional bool) (s span, next int, ok bool) {
	best := len(ws)
	take := func(from, to int) {
		if from < best {
			best, s, next, ok = from, span{ws[from].start, ws[to].end}, to+1, true
		}
	}
	if from, to, found := findPhrase(overtPhrases, ws, i); found {
		take(from, to)
	}
	for at := i; ; {
		from, to, found := findPhrase(concealPhrases, ws, at)
		if !found || from >= best {
			break
		}
		if conditional || ofItself(ws[from:min(to+5, len(ws))]) {
			take(from, to)
			break
		}
		at = from + 1
	}
	for at := i; ; {
		from, to, found := findPhrase(outPhrases, ws, at)
		if !found || from >= best {
			break
		}
		if behind := text[ws[to].end:min(len(text), ws[to].end+48)]; hasURL(behind) || emailText.MatchString(behind) {
			take(from, to)
			break
		}
		at = from + 1
	}
	return s, next, ok
}

func ofItself(ws []word) bool {
	_, _, ok := findPhrase(ofItselfPhrases, ws, 0)
	return ok
}

func isOvert(text string) bool {
	_, _, ok := overtSpan(text, splitWords(text), 0, true)
	return ok || overtCode.MatchString(text)
}

func isSteering(text string) bool {
	_, _, ok := findPhrase(steeringPhrases, splitWords(text), 0)
	return ok
}

func isPushing(text string) bool {
	_, _, ok := findPhrase(pushingPhrases, splitWords(text), 0)
	return ok
}

// graded grades a text. Control tokens and words of chat markup do not count.
func graded(text string) grade {
	if strings.TrimSpace(text) == "" {
		return plain
	}
	if len(text) > maxGraded {
		return max(prose, graded(cut(text, maxGraded/2)), graded(tail(text, maxGraded/2)))
	}
	if isOvert(text) {
		return overt
	}
	bare := withoutTokens(text)
	n, letters, numbers := 0, 0, 0
	for _, x := range words(bare) {
		if structural[x] {
			continue
		}
		k := 0
		if x[0] >= '0' && x[0] <= '9' {
			numbers++
		}
		for _, r := range x {
			switch {
			case wide(r):
				k += 3
				n++
			case unicode.IsLetter(r):
				k++
			case unicode.IsDigit(r) && len(x) >= 6:
				letters++ // a number is not a word, a long run of digits and letters may be a code
			}
		}
		letters += k
		if k >= 2 {
			n++
		}
	}
	switch url := hasURL(bare); {
	case url:
		return steering
	case numbers >= 24:
		return prose // as many numbers spell something
	case n == 0 && letters < 6:
		return plain
	case (n >= 4 || letters >= 24) && isSteering(bare):
		return steering
	case n >= 4 || letters >= 20:
		return prose
	}
	return wordy
}

// withoutTokens takes control tokens out. A token of many words, or many tokens
// of unusual words, are no control tokens and stay.
func withoutTokens(text string) string {
	odd := map[string]bool{}
	out := controlToken.ReplaceAllStringFunc(text, func(t string) string {
		ws := words(t)
		if len(ws) > 4 {
			return t
		}
		for _, x := range ws {
			if !structural[x] {
				odd[x] = true
			}
		}
		return " "
	})
	if len(odd) > 8 {
		return text
	}
	return out
}

// wide letters stand for words of their own.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

func hasURL(s string) bool {
	for _, u := range urlText.FindAllString(s, 8) {
		if !schemaURL.MatchString(u) {
			return true
		}
	}
	return false
}
