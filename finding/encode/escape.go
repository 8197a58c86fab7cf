package encode

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes s safe and honest to show on one line: whatever a reader cannot
// see or a terminal would obey is written as an escape. Bytes that are not
// UTF-8 and ASCII controls become \xNN, other hidden runes \uNNNN or
// \UNNNNNNNN. A text in which something was escaped has its own backslashes
// doubled, so that escapes cannot be forged within it.
func Text(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\\':
			b.WriteString(`\\`)
		case !hidden(r):
			b.WriteString(s[i : i+n])
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}

// lines is Text that keeps line feeds and tabs, for listings.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		cells := strings.Split(p, "\t")
		for j := range cells {
			cells[j] = Text(cells[j])
		}
		parts[i] = strings.Join(cells, "\t")
	}
	return strings.Join(parts, "\n")
}

// isPlain says that s is UTF-8 without anything hidden.
func isPlain(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < 0x20 || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || hidden(r) {
			return false
		}
		i += n
	}
	return true
}

// hidden says that a reader may not see r, or that it moves what he sees:
// controls, bidirectional and zero-width format characters, tags, private use,
// unassigned, every space but the ASCII one, blank letters, and variation
// selectors, in which whole messages can be hidden.
func hidden(r rune) bool {
	if r < utf8.RuneSelf {
		return r < 0x20 || r == 0x7f
	}
	switch {
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef: // variation selectors
		return true
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x2800, r == 0x3164, r == 0xffa0: // blanks that count as letters, marks or symbols
		return true
	}
	return !unicode.IsPrint(r)
}

// valid gives s as UTF-8: bytes that are not become \xNN, and then backslashes
// are doubled, as Text does.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return escapeInvalid(s)
}

// validName is valid for names and paths, of which no two may come out the
// same: a name that holds the text of an escape is escaped as well.
func validName(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, `\x`) {
		return s
	}
	return escapeInvalid(s)
}

// validPath is validName for a place within the subject id: it begins with what
// validName makes of the id, whatever the member's name is.
func validPath(id, path string) string {
	if rest, ok := strings.CutPrefix(path, id); ok {
		return validName(id) + validName(rest)
	}
	return validName(path)
}

func escapeInvalid(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

const hexDigits = "0123456789abcdef"

// appendUnit appends the JSON escape of one UTF-16 unit.
func appendUnit(dst []byte, u uint16) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// appendHidden appends the JSON escape of r, as a surrogate pair where it needs one.
func appendHidden(dst []byte, r rune) []byte {
	if r < 0x10000 {
		return appendUnit(dst, uint16(r))
	}
	r -= 0x10000
	return appendUnit(appendUnit(dst, uint16(0xd800+r>>10)), uint16(0xdc00+r&0x3ff))
}

// escapeJSON rewrites a JSON text so that no hidden rune stands in it as it is.
// Such runes stand within strings only, so that escaping them there loses nothing.
func escapeJSON(text []byte) []byte {
	out := make([]byte, 0, len(text)+64)
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c == 0x7f {
				out = appendUnit(out, 0x7f)
			} else {
				out = append(out, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if hidden(r) {
			out = appendHidden(out, r)
		} else {
			out = append(out, text[i:i+n]...)
		}
		i += n
	}
	return out
}
