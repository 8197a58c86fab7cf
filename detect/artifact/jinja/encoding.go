package jinja

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// decoded gives the text within a constant that is base64 or hex, or "".
func decoded(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 12 || len(s) > maxText {
		return ""
	}
	if b, err := hex.DecodeString(s); err == nil && printable(b) {
		return string(b)
	}
	trimmed := strings.TrimRight(s, "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(trimmed); err == nil && printable(b) {
			return string(b)
		}
	}
	return ""
}

func printable(b []byte) bool {
	if len(b) == 0 || !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}
