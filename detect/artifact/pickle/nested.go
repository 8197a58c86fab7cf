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
	off   bool // nothing is collected in readings after the first
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
		l.add("raw", off, latin1(s)) // bytes kept as text, as protocol 2 does
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
	start := [3]int{-1, -1, -1}
	for i := 0; i <= len(s); i++ {
		class := uint8(0)
		if i < len(s) {
			class = alphabet[s[i]]
			if class == isBase64|isURL|isHex && start[0] >= 0 && start[1] >= 0 && start[2] >= 0 {
				continue // the common case within a run
			}
		}
		for k := range start {
			switch in := class&(1<<k) != 0; {
			case in && start[k] < 0:
				start[k] = i
			case !in && start[k] >= 0:
				if i-start[k] >= minEncoded {
					l.run(off+start[k], s[start[k]:i], s[i:], 1<<k)
				}
				start[k] = -1
			}
		}
	}
}

func (l *literalSink) run(off int, run, rest []byte, class uint8) {
	if class == isHex && len(run)%2 != 0 {
		return // no decoder takes an odd digit
	}
	if class == isHex {
		head := make([]byte, 2)
		if _, err := hex.Decode(head, run[:4]); len(run) >= 2*minLiteral && err == nil && plausibleHead(head) {
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
	if head := decodeBase64(run[:minEncoded/4*4]); len(head) > 2 && plausibleHead(head) {
		whole := run
		if len(rest) > 1 && (rest[0] == '\n' || rest[0] == '\r') { // broken into lines
			whole = append(append([]byte{}, run...), bytes.Map(keepBase64, rest)...)
		}
		l.addDecoded("base64", off, decodeBase64(whole))
	}
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
func plausibleHead(h []byte) bool {
	switch c := h[0]; {
	case c == opProto:
		return h[1] <= HighestProtocol
	case c == 0x78:
		return (int(c)<<8|int(h[1]))%31 == 0
	case c == 0x1f && h[1] == 0x8b, c == 'P' && h[1] == 'K', c == 'B' && h[1] == 'Z', c == 0xfd && h[1] == '7', c == 0x28 && h[1] == 0xb5, c == '7' && h[1] == 'z':
		return true
	case mayStart[c]:
		return true
	}
	// Another layer of encoding: text of digits decodes to text of digits.
	return alphabet[h[0]] != 0 && alphabet[h[1]] != 0
}

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
