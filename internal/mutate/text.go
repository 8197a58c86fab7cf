package mutate

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// bundleText alters the bundle as text: around the document, and within it.
func (g *generator) bundleText(b *Base) {
	text := string(b.bundle.encode(""))
	bad := map[string]string{
		"nothing": "", "white space": " \n", "null": "null", "a list": "[" + text + "]", "a string": quote(text), "an empty object": "{}",
		"a second document": text + "{}", "the same twice": text + text, "a word behind": text + " x", "NUL behind": text + "\x00",
		"NUL before": "\x00" + text, "byte order mark": "\ufeff" + text, "a comma behind": text + ",", "a bracket behind": text + "}",
		"a comment": text + "// x", "a comment before": "/* x */" + text, "a trailing comma": strings.TrimSuffix(text, "}") + ",}",
		"single quotes":  strings.Replace(text, `"mediaType"`, `'mediaType'`, 1),
		"a bare key":     strings.Replace(text, `"mediaType"`, `mediaType`, 1),
		"no colon":       strings.Replace(text, `"mediaType":`, `"mediaType"`, 1),
		"UTF-16":         utf16Text(text),
		"invalid UTF-8":  strings.Replace(text, `"keyid":""`, "\"keyid\":\"\xff\"", 1),
		"half a pair":    strings.Replace(text, `"keyid":""`, `"keyid":"\ud800"`, 1),
		"overlong UTF-8": strings.Replace(text, `"keyid":""`, "\"keyid\":\"\xc0\x80\"", 1),
		"a raw line end": strings.Replace(text, `"keyid":""`, "\"keyid\":\"a\nb\"", 1),
		"a bad escape":   strings.Replace(text, `"keyid":""`, `"keyid":"\x41"`, 1),
		"deep nesting":   strings.Replace(text, `"tlogEntries":[]`, `"tlogEntries":`+strings.Repeat("[", 40)+strings.Repeat("]", 40), 1),
		"deeper nesting": strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"open nesting":   strings.Repeat(`{"a":`, 100_000),
		"no-break space": "\u00a0" + text, "form feed": "\f" + text, "vertical tab": text + "\v",
		"larger than is read": text + strings.Repeat(" ", 32<<20),
	}
	for name, t := range inOrder(bad) {
		g.reject(b, "text/"+name, []byte(t), "BUNDLE_MALFORMED")
	}
	for i := 1; i <= 40; i++ {
		at := len(text) * i / 41
		g.reject(b, fmt.Sprintf("text/cut off at %d of %d", at, len(text)), []byte(text[:at]), "BUNDLE_MALFORMED")
	}
	good := map[string]string{
		"a line end behind": text + "\n", "white space around": " \t\r\n" + text + " \t\r\n", "indented": string(b.bundle.encode("  ")),
		"by tabs": string(b.bundle.encode("\t")), "lines end with CR LF": strings.ReplaceAll(string(b.bundle.encode(" ")), "\n", "\r\n"),
		"solidus escaped": strings.ReplaceAll(text, "/", `\/`), "members turned round": string(turned(b.bundle).encode("")),
		"white space of 1 MiB": text + strings.Repeat(" ", 1<<20), "plus escaped": strings.ReplaceAll(text, "+", `\u002b`),
	}
	for name, t := range inOrder(good) {
		g.accept(b, "valid/text "+name, []byte(t))
	}
}

func utf16Text(s string) string {
	var out bytes.Buffer
	for _, u := range utf16.Encode([]rune(s)) {
		out.Write([]byte{byte(u), byte(u >> 8)})
	}
	return out.String()
}

// turned reverses the members of every object.
func turned(v *value) *value {
	c := v.clone()
	var turn func(v *value)
	turn = func(v *value) {
		for i, j := 0, len(v.members)-1; i < j; i, j = i+1, j-1 {
			v.members[i], v.members[j] = v.members[j], v.members[i]
		}
		for _, m := range v.members {
			turn(m.value)
		}
		for _, item := range v.items {
			turn(item)
		}
	}
	turn(c)
	return c
}

// encodings writes payload and signature in other forms than the one.
func (g *generator) encodings(b *Base) {
	for _, field := range []string{"payload", "sig"} {
		set := func(text string) []byte {
			c := b.bundle.clone()
			if field == "payload" {
				c.at("dsseEnvelope").set("payload", text)
			} else {
				c.at("dsseEnvelope", "signatures", 0).set("sig", text)
			}
			return c.encode("")
		}
		text := b.bundle.at("dsseEnvelope", "payload").text
		if field == "sig" {
			text = b.bundle.at("dsseEnvelope", "signatures", 0, "sig").text
		}
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		for name, other := range inOrder(otherEncodings(text, data)) {
			if other == text {
				continue
			}
			codes := []string{"BUNDLE_MALFORMED"}
			if _, err := base64.StdEncoding.Strict().DecodeString(other); err == nil && !strings.ContainsAny(other, "\r\n") {
				codes = []string{"DSSE_SIG_INVALID"} // by chance base64 of other bytes
			}
			g.reject(b, "encoding/"+field+"/"+name, set(other), codes...)
		}
		g.characters(b, field, text, set)
	}
}

func otherEncodings(text string, data []byte) map[string]string {
	return map[string]string{
		"URL alphabet":               strings.NewReplacer("+", "-", "/", "_").Replace(text),
		"one character of the other": strings.Replace(strings.Replace(text, "+", "-", 1), "/", "_", 1),
		"URL alphabet, no padding":   base64.RawURLEncoding.EncodeToString(data),
		"no padding":                 strings.TrimRight(text, "="), "half the padding": strings.TrimSuffix(text, "="),
		"more padding": text + "=", "four more": text + "====", "padding within": text[:8] + "=" + text[8:], "padding in the middle": text[:8] + "====" + text[8:],
		"a line end behind": text + "\n", "a line end within": text[:8] + "\n" + text[8:], "CR LF within": text[:8] + "\r\n" + text[8:],
		"lines of 76": lines(text), "a space before": " " + text, "a space behind": text + " ", "a tab within": text[:8] + "\t" + text[8:],
		"bits behind the end": trailingBits(text), "all bits behind the end": allTrailingBits(text), "NUL behind": text + "\x00", "percent": url.QueryEscape(text),
		"hexadecimal": hex.EncodeToString(data) + "0", "base 32": base32.StdEncoding.EncodeToString(data), "data URI": "data:;base64," + text,
		"a wide character": text[:8] + "\uff21" + text[9:], "another alphabet's letter": text[:8] + "\u0410" + text[9:], "one character less": text[:8] + text[9:], "one more": text[:8] + "A" + text[8:],
		"twice": text + text, "quoted": quote(text), "a comma": text[:8] + "," + text[9:], "a dot": text[:8] + "." + text[9:],
	}
}

func lines(s string) string {
	const width = 76
	var out []string
	for len(s) > width {
		out, s = append(out, s[:width]), s[width:]
	}
	return strings.Join(append(out, s), "\n")
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// trailingBits sets the lowest bit that decoders pass over: the bytes stay the same.
func trailingBits(text string) string { return orLast(text, 1) }

func allTrailingBits(text string) string {
	if strings.HasSuffix(text, "==") {
		return orLast(text, 15)
	}
	return orLast(text, 3)
}

func orLast(text string, bits int) string {
	body := strings.TrimRight(text, "=")
	if body == text || body == "" {
		return text
	}
	at := strings.IndexByte(alphabet, body[len(body)-1]) | bits
	return body[:len(body)-1] + alphabet[at:at+1] + text[len(body):]
}

// characters changes one character of the encoding for another of the alphabet.
func (g *generator) characters(b *Base, field, text string, set func(string) []byte) {
	body := strings.TrimRight(text, "=")
	for range 12 {
		at := g.random.IntN(len(body) - 1) // the last may hold bits behind the end
		other := alphabet[g.random.IntN(len(alphabet))]
		if other == text[at] {
			continue
		}
		g.reject(b, fmt.Sprintf("encoding/%s/character %d is %c", field, at, other), set(text[:at]+string(other)+text[at+1:]), "DSSE_SIG_INVALID")
	}
}
