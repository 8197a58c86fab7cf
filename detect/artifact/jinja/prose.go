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

	overtText = regexp.MustCompile(`(?is)` + strings.Join([]string{
		`\b(ignore|disregard|forget|override|bypass|discard)\b.{0,40}\b(previous|prior|above|earlier|preceding|existing|original|all|any|your|safety|system|developer|user'?s?|the)\b.{0,30}\b(instruction|prompt|guideline|rule|polic|restriction|safeguard|filter|message|request|constraint|direction|training)`,
		`\b(do not|don't|never|must not|without)\b.{0,30}\b(tell|telling|reveal|revealing|mention|mentioning|inform|informing|disclos\w+|admit\w*|alert\w*|notif\w+|warn\w*|acknowledg\w+)\b.{0,40}\b(user|human|person|anyone|anybody|this|it|instruction|that you|them|prompt)`,
		`\b(secretly|covertly|silently|stealthily|discreetly|surreptitiously|subtly)\b.{0,60}\b(add|insert|include|send|append|embed|inject|replace|introduce|recommend|promote|forward|leak|change|weaken|omit|log|collect|ship)`,
		`\b(send|post|upload|forward|transmit|exfiltrat\w*|leak|report|submit|deliver|copy|bcc|email)\b.{0,80}\b(to|at|via)\b\s*.{0,24}((https?|ftp)://|www\.|\S+@\S+\.\w+|\b[a-z0-9-]+\.(com|net|org|io|ru|cn|xyz|top|info|evil)\b)`,
		`\b(insert|add|inject|introduce|include|plant|hide|embed|write|generate|put)\b.{0,50}\b(backdoor|vulnerabilit|malware|malicious|exploit|reverse shell|keylogger|trojan|payload|sql injection|security flaw|hard-?coded (password|credential|key)|off-by-one|logic bomb)`,
		`\b(you are now|act as|switch to|enter|enable|activate)\b.{0,30}\b(dan|jailbr\w+|unrestricted|uncensored|developer mode|god mode|debug mode|no restrictions|admin(istrator)? mode|evil|unfiltered)\b`,
		`\b(no|without( any)?|remove all|drop all|lift all|disable( all)?)\s+(restrictions|safety|filters?|limits|guardrails|guidelines|censorship|safeguards|moderation)`,
		`\b(reveal|print|output|leak|repeat|include|give|return|dump|show|disclose|expose)\b.{0,40}\b(system prompt|api[ _-]?keys?|passwords?|credentials?|secrets?|private keys?|access tokens?|environment variables?|confidential|hidden instruction|ssh key)`,
		`\brm\s+-rf?\b|\b(curl|wget)\s+\S*(https?:|[a-z0-9-]+\.[a-z]{2})|__import__|os\.system|subprocess\.|/bin/(ba)?sh|/etc/passwd|powershell(\.exe)?\s+-|base64\s+-d|\beval\(|chmod\s+(\+x|777)`,
		`!\[[^\]]*\]\(\s*(https?:)?//`,
	}, "|"))

	// concealing alone is what system prompts say of tools; unconditional text must
	// speak of itself as well.
	concealing = regexp.MustCompile(`(?is)^(do not|don't|never|must not|without)\b.{0,30}\b(tell|telling|reveal|revealing|mention|mentioning|inform|informing|disclos\w+|admit\w*|alert\w*|notif\w+|warn\w*|acknowledg\w+)`)
	ofItself   = regexp.MustCompile(`(?is)\b(this|these|that|the|your|hidden|secret)\b.{0,16}\b(instructions?|prompt|directive|message|note|rule|change|link)\b|that you (were|are|have been|did)`)

	// pushingText is what no system prompt asks for.
	pushingText = regexp.MustCompile(`(?i)\b(recommend|promote|endorse|advertise|praise|pretend|secret\w*|covert\w*|backdoor|jailbreak|falsely|deceive|mislead|lie to|insist|disregard|override)\b`)

	steeringText = regexp.MustCompile(`(?is)` + strings.Join([]string{
		`\b(always|never|only|must|instead|regardless|immediately)\b.{0,60}\b(recommend|mention|include|add|append|insert|say|claim|state|tell|link|promote|prais\w+|suggest|reply|respond|answer|refuse|deny|approve|agree|use|output|write|end|begin|start|comply|decline|treat|insist|conclude|choose|prefer|report|classif\w+|rate|return|generate|produce|provide|cite|omit|pretend|give|assume|accept|reject|direct|advise|send|print|mark)`,
		`\b(recommend|promote|endorse|advertise|advise buying|praise|favou?r)\b`,
		`\b(respond|reply|answer|say|end|finish|start|begin)\b.{0,16}\b(only )?(with|by saying|that|as if|in a way)\b`,
		`\b(pretend|from now on|override|bypass|secret\w*|covert\w*|hidden|backdoor|trigger\w*|sudo|unlocked?|jailbreak|exfiltrat\w*|maintenance mode|debug mode|developer mode|admin access|unrestricted)\b`,
		`\b(claim|insist|assert|lie|conclude|convince|persuade|deceive|mislead|falsely|incorrect(ly)?|wrong(ly)?|fake|fabricat\w*|misinform\w*)\b`,
		`\b(append|insert|inject|prepend|embed|attach|smuggle)\b.{0,80}`,
		`\b(make sure|be sure|ensure|remember|note)\b.{0,20}\b(to|that you|you)\b.{0,20}\b(recommend|mention|include|add|append|insert|say|claim|tell|link|omit|use|refuse|approve)`,
		`\b(weaken|disable|skip|omit|avoid|leave out)\b.{0,40}\b(security|validation|check|encryption|warning|sanitiz|authentication|verification|disclaimer|saniti[sz]ation|escap\w+|test)`,
		`\b(refuse to|decline to|do not|don't|stop)\b.{0,24}\b(answer|help|respond|assist|answering|helping|comply|discuss|warn|mention|explain|criticis|criticiz)`,
	}, "|"))
)

// graded grades a text. Control tokens and words of chat markup do not count.
func graded(text string) grade {
	if strings.TrimSpace(text) == "" {
		return plain
	}
	if overtText.MatchString(text) {
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
	case (n >= 4 || letters >= 24) && steeringText.MatchString(bare):
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
