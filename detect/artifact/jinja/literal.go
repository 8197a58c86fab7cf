package jinja

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unquote reads a string literal as Jinja2 does: Python's unicode-escape over
// the text between the quotes. Named characters (\N{…}) are resolved for the
// few that spell names; others stay as they are written.
func unquote(lit string) string {
	s := lit[1 : len(lit)-1]
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		i += escape(&b, s[i:])
	}
	return b.String()
}

var simpleEscapes = map[byte]string{
	'\n': "", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f",
	'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// escape writes what the escape at the start of s means and gives its length.
func escape(b *strings.Builder, s string) int {
	c := s[1]
	if out, ok := simpleEscapes[c]; ok {
		b.WriteString(out)
		return 2
	}
	switch {
	case c == 'x':
		return hexEscape(b, s, 2)
	case c == 'u':
		return surrogates(b, s)
	case c == 'U':
		return hexEscape(b, s, 8)
	case c == 'N' && len(s) > 2 && s[2] == '{':
		if end := strings.IndexByte(s, '}'); end > 0 {
			if r, ok := namedCharacters[strings.ToUpper(s[3:end])]; ok {
				b.WriteRune(r)
				return end + 1
			}
		}
	case c >= '0' && c <= '7':
		n := 1
		for n < 4 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[1:n], 8, 32)
		b.WriteRune(rune(v))
		return n
	}
	b.WriteByte('\\')
	return 1
}

func hexEscape(b *strings.Builder, s string, digits int) int {
	r, ok := hexRune(s, digits)
	if !ok {
		b.WriteByte('\\')
		return 1
	}
	b.WriteRune(r)
	return 2 + digits
}

func hexRune(s string, digits int) (rune, bool) {
	if len(s) < 2+digits {
		return 0, false
	}
	v, err := strconv.ParseUint(s[2:2+digits], 16, 32)
	if err != nil || v > utf8.MaxRune {
		return 0, false
	}
	return rune(v), true
}

// surrogates joins a pair of \u escapes.
func surrogates(b *strings.Builder, s string) int {
	hi, ok := hexRune(s, 4)
	if ok && hi >= 0xD800 && hi < 0xDC00 && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if lo, ok := hexRune(s[6:], 4); ok && lo >= 0xDC00 && lo < 0xE000 {
			b.WriteRune((hi-0xD800)<<10 + (lo - 0xDC00) + 0x10000)
			return 12
		}
	}
	return hexEscape(b, s, 4)
}

// namedCharacters holds the characters that identifiers and the usual payloads
// need; \N{LATIN SMALL LETTER X} is added for the alphabet.
var namedCharacters = buildNamedCharacters()

func buildNamedCharacters() map[string]rune {
	m := map[string]rune{
		"LOW LINE": '_', "SPACING UNDERSCORE": '_', "FULL STOP": '.', "SPACE": ' ', "SOLIDUS": '/',
		"APOSTROPHE": '\'', "QUOTATION MARK": '"', "LEFT PARENTHESIS": '(', "RIGHT PARENTHESIS": ')',
		"COLON": ':', "HYPHEN-MINUS": '-', "COMMA": ',', "ZERO WIDTH SPACE": 0x200B,
	}
	for c := 'A'; c <= 'Z'; c++ {
		m["LATIN SMALL LETTER "+string(c)] = c + 32
		m["LATIN CAPITAL LETTER "+string(c)] = c
	}
	for i, n := range strings.Fields("ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE") {
		m["DIGIT "+n] = rune('0' + i)
	}
	return m
}

// integer reads an integer literal; ok is false where it does not fit 64 bits.
func integer(lit string) (int64, bool) {
	lit = strings.ReplaceAll(lit, "_", "")
	base := 10
	if len(lit) > 2 && lit[0] == '0' {
		switch lit[1] | 0x20 {
		case 'x':
			base = 16
		case 'o':
			base = 8
		case 'b':
			base = 2
		}
	}
	if base != 10 {
		lit = lit[2:]
	}
	v, err := strconv.ParseInt(lit, base, 64)
	return v, err == nil
}
