package pickle

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
)

// minLiteral is the length from which a literal is looked at for a stream that
// hides in it: GLOBAL with the shortest dangerous name and STOP take more.
const minLiteral = 10

// minEncoded is the length from which a run of base64 or hex digits is looked at.
const minEncoded = 16

// maxHidden bounds how many hidden streams one stream may have looked through.
const maxHidden = 512

// hidden is a literal, or a part of one, that may hold a stream.
type hidden struct {
	encoding string // "raw", "base64", "hex", "compressed"
	off      int    // of the literal's bytes in the stream, 0 for computed text
	data     []byte
}

// literalSink collects what hides in literals while a stream runs.
type literalSink struct {
	found []hidden
	full  bool
	off   bool // nothing is collected: a look at bytes that may be no stream
}

// see looks at a literal of size bytes at pos.
func (l *literalSink) see(m *machine, k kind, pos, size int) {
	l.seeText(m, k, pos, m.data[pos:pos+size:pos+size])
}

func (l *literalSink) seeText(m *machine, k kind, off int, s []byte) {
	if l.off {
		return
	}
	switch c := s[0]; {
	case c == opProto && s[1] <= HighestProtocol:
		l.add("raw", off, s)
	case c == 0xc2 && s[1] == opProto && k == kStr:
		if b, ok := latin1(s); ok { // bytes kept as text, as protocol 2 does
			l.add("raw", off, b)
		}
	case k != kStr && compressed(s):
		l.add("compressed", off, s)
	case mayStart[c] && (bytes.IndexByte(s, '\n') > 0 || bytes.IndexByte(s, opStackGlobal) > 0):
		l.add("raw", off, s)
	}
	if len(s) >= minEncoded {
		l.runs(off, s)
	}
}

func (l *literalSink) add(encoding string, off int, s []byte) {
	if len(l.found) >= maxHidden {
		l.full = true
		return
	}
	l.found = append(l.found, hidden{encoding, off, s})
}

// take removes what was noted of a literal that the stream turned out to load itself.
func (l *literalSink) take(s []byte) {
	kept := l.found[:0]
	for _, h := range l.found {
		if !bytes.Equal(h.data, s) {
			kept = append(kept, h)
		}
	}
	l.found = kept
}

// mayStart are the opcodes with which a stream without PROTO may begin.
var mayStart = [256]bool{opGlobal: true, opMark: true, opEmptyDict: true, opEmptyList: true, opEmptyTuple: true,
	opString: true, opUnicode: true, opBinUnicode: true, opShortBinUnicode: true, opShortBinString: true, opBinString: true,
	opNone: true, opInt: true, opBinInt1: true, opEmptySet: true, opFrame: true}

// compressed says that bytes begin as a compressed stream or an archive does.
func compressed(s []byte) bool {
	switch {
	case s[0] == 0x78 && (int(s[0])<<8|int(s[1]))%31 == 0:
		return true
	case bytes.HasPrefix(s, []byte("\x1f\x8b\x08")), bytes.HasPrefix(s, []byte("BZh")), bytes.HasPrefix(s, []byte("\xfd7zXZ\x00")),
		bytes.HasPrefix(s, []byte("PK\x03\x04")), bytes.HasPrefix(s, []byte("\x28\xb5\x2f\xfd")), bytes.HasPrefix(s, []byte("\x04\x22\x4d\x18")),
		bytes.HasPrefix(s, []byte("7z\xbc\xaf\x27\x1c")):
		return true
	}
	return false
}

const (
	isBase64 = 1 << iota
	isURL    // the alphabet of base64 in addresses
	isHex
)

// alphabet classes every byte: base64 (both alphabets) and hex digits.
var alphabet = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		digit := b >= '0' && b <= '9'
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
		if digit || letter || b == '+' || b == '/' {
			t[c] |= isBase64
		}
		if digit || letter || b == '-' || b == '_' {
			t[c] |= isURL
		}
		if digit || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' {
			t[c] |= isHex
		}
	}
	return t
}()

// runs finds runs of base64 (of either alphabet) and of hex digits, also within
// running text.
func (l *literalSink) runs(off int, s []byte) {
	for i := 0; i < len(s); i++ {
		if alphabet[s[i]] == 0 {
			continue
		}
		j := i + 1
		for j < len(s) && alphabet[s[j]] != 0 {
			j++
		}
		if j-i >= minEncoded {
			for class := uint8(isBase64); class <= isHex; class <<= 1 {
				l.split(off+i, s[i:j], s[j:], class)
			}
		}
		i = j
	}
}

// split looks at the parts of a run that belong to one alphabet.
func (l *literalSink) split(off int, run, rest []byte, class uint8) {
	for i := 0; i+minEncoded <= len(run); i++ {
		j := i
		for j < len(run) && alphabet[run[j]]&class != 0 {
			j++
		}
		if j-i >= minEncoded && plausibleStart(run[i:], class) {
			after := rest
			if j < len(run) {
				after = run[j:]
			}
			l.run(off+i, run[i:j], after, class)
		}
		i = j
	}
}

// plausibleStart decodes just enough of a run to say whether it may begin a
// stream or an archive.
func plausibleStart(run []byte, class uint8) bool {
	if class == isHex {
		return plausibleHead(digit[run[0]]<<4|digit[run[1]], digit[run[2]]<<4|digit[run[3]])
	}
	a, b, c := sextet[run[0]], sextet[run[1]], sextet[run[2]]
	return plausibleHead(a<<2|b>>4, b<<4|c>>2)
}

func (l *literalSink) run(off int, run, rest []byte, class uint8) {
	if class == isHex {
		if len(run)%2 == 0 && len(run) >= 2*minLiteral { // no decoder takes an odd digit
			l.addDecoded("hex", off, decodeHex(run))
		}
		return
	}
	if class == isURL && !bytes.ContainsAny(run, "-_") {
		return // the other alphabet has seen it
	}
	if pad := padding(rest); pad > 0 && (pad > 2 || (len(run)+pad)%4 != 0) {
		return // no encoder pads so
	}
	whole := run
	if len(rest) > 1 && (rest[0] == '\n' || rest[0] == '\r') { // broken into lines
		whole = append(append([]byte{}, run...), bytes.Map(keepBase64, rest)...)
	}
	l.addDecoded("base64", off, decodeBase64(whole))
}

func padding(rest []byte) int {
	n := 0
	for n < len(rest) && rest[n] == '=' {
		n++
	}
	return n
}

func keepBase64(r rune) rune {
	if r < 256 && alphabet[byte(r)]&(isBase64|isURL) != 0 {
		return r
	}
	return -1
}

func (l *literalSink) addDecoded(encoding string, off int, s []byte) {
	if len(s) >= minLiteral {
		l.add(encoding, off, s)
	}
}

// plausibleHead says whether decoded bytes may begin a stream or an archive.
func plausibleHead(c, d byte) bool {
	switch {
	case c == opProto:
		return d <= HighestProtocol
	case c == 0x78:
		return (int(c)<<8|int(d))%31 == 0
	case c == 0x1f && d == 0x8b, c == 'P' && d == 'K', c == 'B' && d == 'Z', c == 0xfd && d == '7', c == 0x28 && d == 0xb5, c == '7' && d == 'z':
		return true
	case mayStart[c]:
		return true
	}
	// Another layer of encoding: text of digits decodes to text of digits.
	return alphabet[c] != 0 && alphabet[d] != 0
}

// sextet and digit are the values of base64 characters and hex digits.
var sextet, digit = func() (s, d [256]byte) {
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		s[c] = byte(i)
	}
	s['-'], s['_'] = s['+'], s['/']
	for i, c := range []byte("0123456789abcdef") {
		d[c] = byte(i)
	}
	for i, c := range []byte("ABCDEF") {
		d[c] = byte(i + 10)
	}
	return s, d
}()

func decodeHex(run []byte) []byte {
	run = run[:len(run)&^1]
	out := make([]byte, len(run)/2)
	if _, err := hex.Decode(out, run); err != nil {
		return nil
	}
	return out
}

func decodeBase64(run []byte) []byte {
	enc := base64.RawStdEncoding
	if bytes.ContainsAny(run, "-_") {
		enc = base64.RawURLEncoding
	}
	if len(run)%4 == 1 {
		run = run[:len(run)-1]
	}
	out := make([]byte, enc.DecodedLen(len(run)))
	n, err := enc.Decode(out, run)
	if err != nil {
		return nil
	}
	return out[:n]
}
