package pickle

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// constant is a value that the input does not hold in one piece behind its
// opcode: folded text, or an operand that crossed a frame.
type constant struct {
	kind kind
	text []byte
	num  int64
}

func (m *machine) newConst(c constant) val {
	m.consts = append(m.consts, c)
	return mk(kConst, len(m.consts)-1)
}

// maxFolded bounds one computed text, maxFoldedAll those of a stream.
const (
	maxFolded    = 1 << 20
	maxFoldedAll = 8 << 20
)

// foldedText is a computed text; 0 where there is too much of it to keep.
func (m *machine) foldedText(k kind, s []byte) val {
	if m.folded += len(s) + 64; len(s) > maxFolded || m.folded > maxFoldedAll {
		return 0
	}
	v := m.newConst(constant{kind: k, text: s})
	if len(s) >= minLiteral {
		m.literal.seeText(m, k, 0, s)
	}
	return v
}

func (m *machine) foldedInt(n int64) val {
	return m.newConst(constant{kind: kInt, num: n, text: strconv.AppendInt(nil, n, 10)})
}

// moved keeps a fixed-size operand that does not follow its opcode.
func (m *machine) moved(k kind, op byte, at int) val {
	c := constant{kind: k}
	switch op {
	case opBinInt1:
		c.num = int64(m.data[at])
	case opBinInt2:
		c.num = int64(binary.LittleEndian.Uint16(m.data[at:]))
	case opBinInt:
		c.num = int64(int32(binary.LittleEndian.Uint32(m.data[at:])))
	}
	return m.newConst(c)
}

func (m *machine) movedLiteral(k kind, at, size int) val {
	c := constant{kind: k, text: m.data[at : at+size : at+size]}
	if k == kInt {
		c.num = littleInt(c.text)
	}
	return m.newConst(c)
}

// realKind is the kind of a value, folded or not.
func (m *machine) realKind(v val) kind {
	if v.kind() == kConst {
		return m.consts[v.payload()].kind
	}
	return v.kind()
}

// text gives the bytes of a str, bytes or bytearray value; nil where it is none.
func (m *machine) text(v val) []byte {
	switch v.kind() {
	case kConst:
		return m.consts[v.payload()].text
	case kStr, kBytes, kByteArray:
		return literalAt(m.data, v.payload())
	}
	return nil
}

// literalAt reads the counted or line literal whose opcode stands at off.
func literalAt(data []byte, off int) []byte {
	op, at := data[off], off+1
	size := 0
	switch op {
	case opShortBinUnicode, opShortBinBytes, opShortBinString:
		size, at = int(data[at]), at+1
	case opBinUnicode, opBinBytes, opBinString:
		size, at = int(binary.LittleEndian.Uint32(data[at:])), at+4
	case opBinUnicode8, opBinBytes8, opByteArray8:
		size, at = int(binary.LittleEndian.Uint64(data[at:])), at+8
	case opUnicode:
		line, _, _ := bytes.Cut(data[at:], []byte{'\n'})
		return decodeUnicodeLine(line)
	case opString:
		line, _, _ := bytes.Cut(data[at:], []byte{'\n'})
		s, _ := decodeStringLine(line)
		return s
	default:
		return nil
	}
	return data[at : at+size : at+size]
}

// integer gives the value of an int or bool; ok is false where it is none or
// does not fit.
func (m *machine) integer(v val) (n int64, ok bool) {
	switch v.kind() {
	case kConst:
		c := m.consts[v.payload()]
		return c.num, c.kind == kInt
	case kBool, kInt:
	default:
		return 0, false
	}
	off := v.payload()
	switch m.data[off] {
	case opNewTrue:
		return 1, true
	case opNewFalse:
		return 0, true
	case opBinInt1:
		return int64(m.data[off+1]), true
	case opBinInt2:
		return int64(binary.LittleEndian.Uint16(m.data[off+1:])), true
	case opBinInt:
		return int64(int32(binary.LittleEndian.Uint32(m.data[off+1:]))), true
	case opLong1:
		n := int(m.data[off+1])
		return littleInt(m.data[off+2 : off+2+n]), n <= 8
	case opLong4:
		n := int(binary.LittleEndian.Uint32(m.data[off+1:]))
		return littleInt(m.data[off+5 : off+5+n]), n <= 8
	case opInt, opLong:
		line, _, _ := bytes.Cut(m.data[off+1:], []byte{'\n'})
		line = bytes.TrimRight(bytes.TrimSpace(line), "L")
		n, err := strconv.ParseInt(string(line[:min(len(line), 20)]), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// littleInt reads up to eight bytes of two's complement, least first.
func littleInt(b []byte) int64 {
	var u uint64
	if len(b) > 8 {
		b = b[:8]
	}
	for i := len(b) - 1; i >= 0; i-- {
		u = u<<8 | uint64(b[i])
	}
	if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		u |= ^uint64(0) << (8 * n)
	}
	return int64(u)
}

// decodeUnicodeLine decodes the raw-unicode-escape text of UNICODE.
func decodeUnicodeLine(line []byte) []byte {
	plain := true
	for _, c := range line {
		if c == '\\' || c >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return line
	}
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); {
		if line[i] == '\\' && i+1 < len(line) && line[i+1] == '\\' {
			out = append(out, '\\', '\\') // a pair is no start of an escape
			i += 2
			continue
		}
		if line[i] == '\\' && i+1 < len(line) && (line[i+1] == 'u' || line[i+1] == 'U') {
			digits := 4
			if line[i+1] == 'U' {
				digits = 8
			}
			if r, ok := hexRune(line[i+2:], digits); ok {
				out = utf8.AppendRune(out, r)
				i += 2 + digits
				continue
			}
		}
		out = utf8.AppendRune(out, rune(line[i]))
		i++
	}
	return out
}

func hexRune(b []byte, digits int) (rune, bool) {
	if len(b) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:digits]), 16, 32)
	return rune(n), err == nil && n <= utf8.MaxRune
}

// decodeStringLine decodes the quoted, backslash-escaped text of STRING. ok is
// false where it is not quoted, which every unpickler refuses.
func decodeStringLine(line []byte) (text []byte, ok bool) {
	// Python 2's cPickle strips what is not above a space as a signed char.
	for len(line) > 0 && (line[len(line)-1] <= ' ' || line[len(line)-1] >= 0x80) {
		line = line[:len(line)-1]
	}
	line = bytes.TrimLeft(line, " \t\r\v\f")
	if len(line) < 2 || line[0] != line[len(line)-1] || line[0] != '\'' && line[0] != '"' {
		return nil, false
	}
	line = line[1 : len(line)-1]
	if bytes.IndexByte(line, '\\') < 0 {
		return line, true
	}
	return unescape(line), true
}

// unescape decodes the escapes of a Python byte string.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			i++
			continue
		}
		c := b[i+1]
		i += 2
		switch {
		case c == 'x' && i+2 <= len(b):
			n, err := strconv.ParseUint(string(b[i:i+2]), 16, 8)
			if err != nil {
				out = append(out, '\\', 'x')
				continue
			}
			out = append(out, byte(n))
			i += 2
		case c >= '0' && c <= '7':
			n, j := 0, 0
			for i--; j < 3 && i < len(b) && b[i] >= '0' && b[i] <= '7'; j++ {
				n = n*8 + int(b[i]-'0')
				i++
			}
			out = append(out, byte(n))
		default:
			out = append(out, simpleEscape(c)...)
		}
	}
	return out
}

func simpleEscape(c byte) []byte {
	switch c {
	case '\n':
		return nil
	case 'n':
		return []byte{'\n'}
	case 't':
		return []byte{'\t'}
	case 'r':
		return []byte{'\r'}
	case 'b':
		return []byte{'\b'}
	case 'f':
		return []byte{'\f'}
	case 'a':
		return []byte{7}
	case 'v':
		return []byte{'\v'}
	case '\\', '\'', '"':
		return []byte{c}
	}
	return []byte{'\\', c}
}

// plausibleNumber says whether some unpickler may read the line as a number.
func plausibleNumber(line []byte, float bool) bool {
	if i := bytes.IndexByte(line, 0); i >= 0 {
		line = line[:i] // the C unpickler stops at a NUL, and takes nothing for 0
		if i == 0 {
			return true
		}
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return false
	}
	class := uint8(inInt)
	if float {
		class = inFloat
	}
	for _, c := range line {
		if numeric[c]&class == 0 {
			return false
		}
	}
	return true
}

const (
	inInt = 1 << iota
	inFloat
)

// numeric says which bytes some unpickler takes within a number.
var numeric = func() (t [256]uint8) {
	for _, c := range []byte("0123456789+-_xXoObBaAcCdDeEfFlL \t\r\v\f") {
		t[c] |= inInt
	}
	for _, c := range []byte("0123456789+-_.eEinfatyINFATY \t\r\v\f") {
		t[c] |= inFloat
	}
	return t
}()
