package codelike

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
)

// shortest base64 or hex that is decoded: below it, hardly anything fits in.
const (
	minBase64 = 16
	minHex    = 24
)

// encoded scores a text that is base64 or hex as a whole by what it holds.
func encoded(s []byte, c uint8) (float64, string) {
	if len(s) < minBase64 || c&^(word|newline|space) != 0 {
		return 0, ""
	}
	s = bytes.TrimSpace(s)
	if len(s) < minBase64 || bytes.IndexByte(s, ' ') >= 0 {
		return 0, ""
	}
	if isHex(s) && len(s) >= minHex && len(s)%2 == 0 {
		out := make([]byte, len(s)/2)
		if n, err := hex.Decode(out, s); err == nil {
			return inner(out[:n], "hex of ")
		}
	}
	return inBase64(s)
}

func inBase64(s []byte) (float64, string) {
	enc := base64.StdEncoding
	if bytes.IndexByte(s, '-') >= 0 || bytes.IndexByte(s, '_') >= 0 {
		enc = base64.URLEncoding
	}
	body := bytes.TrimRight(s, "=")
	if len(s)-len(body) > 2 {
		return 0, ""
	}
	enc = enc.WithPadding(base64.NoPadding)
	var head [12]byte
	if n, err := enc.Decode(head[:], body[:min(16, len(body)&^3)]); err != nil || !printable(head[:n]) {
		return 0, ""
	}
	out := make([]byte, enc.DecodedLen(len(body)))
	n, err := enc.Decode(out, body)
	if err != nil {
		return 0, ""
	}
	return inner(out[:n], "base64 of ")
}

func inner(b []byte, how string) (float64, string) {
	if utf16 := narrow(b); utf16 != nil {
		b = utf16
	}
	if !printable(b) {
		return 0, ""
	}
	score, why := plainScore(b)
	if score < Threshold {
		return 0, ""
	}
	return score, how + why
}

// plainScore scores without following another encoding.
func plainScore(s []byte) (float64, string) {
	best := verdict{}
	best.raise(python(s, classify(s)))
	best.raise(shell(s))
	best.raise(script(s))
	return best.score, best.why
}

// narrow takes ASCII out of UTF-16LE, which PowerShell's -enc holds; nil where it is none.
func narrow(b []byte) []byte {
	if len(b) < 8 || len(b)%2 != 0 || b[1] != 0 || b[3] != 0 || b[5] != 0 {
		return nil
	}
	out := make([]byte, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		if b[i+1] != 0 {
			return nil
		}
		out = append(out, b[i])
	}
	return out
}

func printable(b []byte) bool {
	for i, c := range b {
		if c >= 0x7f || c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			if c == 0 && i%2 == 1 && len(b) <= 12 { // the head of UTF-16
				continue
			}
			return false
		}
	}
	return true
}

func isHex(s []byte) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
