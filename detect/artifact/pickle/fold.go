package pickle

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"bartizan/detect/artifact/symbol"
)

// Folding computes what a stream assembles of known parts, so that names and
// code are seen whole. It computes only what every Python computes alike: exact
// numbers of arguments, ASCII where case and spaces matter, named codecs, and
// containers that nothing else can have changed. Anything else is unknown, and
// an unknown name blocks: a wrong one would hide what is called.

// foldCall computes the result of a call of a named function; 0 where it is not known.
func (m *machine) foldCall(ref *symbolRef, args val, off int) val {
	if ref.status != symbol.Found {
		return 0
	}
	vs, whole := m.arguments(args)
	if !whole || len(vs) == 0 {
		return 0
	}
	name := ref.canonical()
	switch name {
	case "_operator.getitem", "operator.getitem":
		if len(vs) == 2 {
			return m.item(vs[0], vs[1], off)
		}
	case "_operator.add", "operator.add", "_operator.concat", "operator.concat":
		if len(vs) == 2 {
			return m.concat(vs[0], vs[1])
		}
	case "builtins.chr", "builtins.unichr":
		if n, ok := m.integer(vs[0]); ok && len(vs) == 1 && n >= 0 && n < utf8.RuneSelf {
			return m.foldedText(kStr, []byte{byte(n)})
		}
	case "builtins.str", "builtins.unicode", "builtins.bytes":
		return m.foldConversion(name, vs)
	case "_codecs.encode", "codecs.encode", "_codecs.decode", "codecs.decode":
		if len(vs) == 2 {
			return m.foldCodec(vs[0], vs[1])
		}
	case "base64.b64decode", "base64.standard_b64decode", "binascii.a2b_base64", "binascii.unhexlify", "binascii.a2b_hex":
		if len(vs) == 1 {
			return m.foldBinary(name, vs[0])
		}
	case "builtins.list", "builtins.tuple", "builtins.reversed":
		if len(vs) == 1 {
			return m.foldSequence(name, vs[0], off)
		}
	}
	for _, of := range []string{"builtins.str.", "builtins.bytes."} {
		if rest, ok := strings.CutPrefix(name, of); ok {
			return m.foldMethodName(rest, vs[0], vs[1:], off)
		}
	}
	return 0
}

func (m *machine) foldMethod(ref *symbolRef, self val, vs []val, off int) val {
	i := strings.LastIndexByte(ref.name, '.')
	if ref.module != "builtins" || i < 0 {
		return 0
	}
	if m.realKind(self) == kNode && ref.name[i+1:] == "__getitem__" && len(vs) == 1 {
		return m.item(self, vs[0], off)
	}
	return m.foldMethodName(ref.name[i+1:], self, vs, off)
}

// foldMethodName computes the methods of str and bytes with known operands.
func (m *machine) foldMethodName(name string, self val, vs []val, off int) val {
	k := m.realKind(self)
	if k != kStr && k != kBytes {
		return 0
	}
	s := m.text(self)
	switch len(vs) {
	case 0:
		return m.foldAlone(name, k, s)
	case 1:
		switch name {
		case "join":
			return m.foldJoin(s, k, vs[0])
		case "__add__":
			return m.concat(self, vs[0])
		case "__getitem__":
			return m.item(self, vs[0], off)
		case "encode", "decode":
			if (name == "encode") == (k == kStr) {
				return m.foldCodec(self, vs[0])
			}
		}
	case 2:
		a, b := m.text(vs[0]), m.text(vs[1])
		if name == "replace" && m.realKind(vs[0]) == k && m.realKind(vs[1]) == k && len(a) > 0 && len(s)*(len(b)+1) <= maxFolded {
			return m.foldedText(k, bytes.ReplaceAll(s, a, b))
		}
	}
	return 0
}

// foldAlone computes the methods without arguments, on ASCII alone.
func (m *machine) foldAlone(name string, k kind, s []byte) val {
	for _, c := range s {
		if c >= 0x80 || c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return 0
		}
	}
	switch {
	case name == "lower":
		return m.foldedText(k, bytes.ToLower(s))
	case name == "upper":
		return m.foldedText(k, bytes.ToUpper(s))
	case name == "swapcase":
		return m.foldedText(k, swapCase(s))
	case name == "strip":
		return m.foldedText(k, bytes.Trim(s, " \t\r\n"))
	case name == "encode" && k == kStr:
		return m.foldedText(kBytes, s)
	case name == "decode" && k == kBytes:
		return m.foldedText(kStr, s)
	}
	return 0
}

func swapCase(s []byte) []byte {
	out := bytes.Clone(s)
	for i, c := range out {
		switch {
		case c >= 'a' && c <= 'z':
			out[i] = c - 32
		case c >= 'A' && c <= 'Z':
			out[i] = c + 32
		}
	}
	return out
}

// settled says that a container's elements are all known, and that no call had
// the chance to change them.
func settled(n *node) bool { return n.flags&(fDropped|fActive|fEscaped) == 0 }

func (m *machine) foldJoin(sep []byte, k kind, seq val) val {
	n := m.node(seq)
	if n == nil || n.kind > nList || !settled(n) {
		return 0
	}
	var out []byte
	for i, e := range m.elems(n) {
		if m.realKind(e) != k {
			return 0
		}
		if i > 0 {
			out = append(out, sep...)
		}
		if out = append(out, m.text(e)...); len(out) > maxFolded {
			return 0
		}
	}
	return m.foldedText(k, out)
}

func (m *machine) concat(a, b val) val {
	ka, kb := m.realKind(a), m.realKind(b)
	if ka == kb && (ka == kStr || ka == kBytes) {
		s := m.text(a)
		return m.foldedText(ka, append(s[:len(s):len(s)], m.text(b)...))
	}
	na, nb := m.node(a), m.node(b)
	if na != nil && nb != nil && na.kind == nb.kind && na.kind <= nList && settled(na) && settled(nb) {
		return m.newFrom(na.kind, na.off(), append(append([]val{}, m.elems(na)...), m.elems(nb)...))
	}
	return 0
}

// item is v[key] for a known container or text and a known key.
func (m *machine) item(v, key val, off int) val {
	i, isInt := m.integer(key)
	isInt = isInt && m.realKind(key) == kInt
	switch m.realKind(v) {
	case kStr:
		runes := []rune(string(m.text(v)))
		if i < 0 {
			i += int64(len(runes))
		}
		if !isInt || i < 0 || i >= int64(len(runes)) {
			return 0
		}
		return m.foldedText(kStr, []byte(string(runes[i])))
	case kBytes:
		s := m.text(v)
		if i < 0 {
			i += int64(len(s))
		}
		if !isInt || i < 0 || i >= int64(len(s)) {
			return 0
		}
		return m.foldedInt(int64(s[i]))
	case kNode:
	default:
		return 0
	}
	n := m.node(v)
	switch {
	case !settled(n):
	case n.kind <= nList && isInt:
		if i < 0 {
			i += int64(n.n)
		}
		if i >= 0 && i < int64(n.kept) {
			return m.elems(n)[i]
		}
	case n.kind == nDict && m.realKind(key) == kStr:
		return m.dictItem(n, m.text(key))
	}
	return 0
}

// dictItem is the last value of a text key in a dict of nothing but text keys:
// others may be equal to one another (1, 1.0 and True are).
func (m *machine) dictItem(n *node, key []byte) val {
	elems := m.elems(n)
	var found val
	for i := 0; i+1 < len(elems); i += 2 {
		if m.realKind(elems[i]) != kStr {
			return 0
		}
		if bytes.Equal(m.text(elems[i]), key) {
			found = elems[i+1]
		}
	}
	return found
}

// foldConversion is str(text), str(bytes, codec), bytes(text, codec) and bytes([105, 100]).
func (m *machine) foldConversion(name string, vs []val) val {
	k := kStr
	if name == "builtins.bytes" {
		k = kBytes
	}
	from := m.realKind(vs[0])
	switch {
	case len(vs) == 1 && from == k:
		return m.foldedText(k, m.text(vs[0]))
	case len(vs) == 1 && k == kBytes && from == kNode:
		return m.foldBytesOfInts(vs[0])
	case len(vs) == 2 && (from == kStr || from == kBytes) && from != k:
		return m.foldCodec(vs[0], vs[1])
	}
	return 0
}

// foldBytesOfInts is bytes([105, 100]).
func (m *machine) foldBytesOfInts(v val) val {
	n := m.node(v)
	if n.kind > nList || !settled(n) {
		return 0
	}
	out := make([]byte, 0, n.kept)
	for _, e := range m.elems(n) {
		i, ok := m.integer(e)
		if !ok || i < 0 || i > 255 {
			return 0
		}
		out = append(out, byte(i))
	}
	return m.foldedText(kBytes, out)
}

// foldCodec is encode and decode between text and bytes; the codecs that hide
// text (rot13, hex, base64) give what they hide.
func (m *machine) foldCodec(v, codec val) val {
	name, ok := m.constText(codec)
	k := m.realKind(v)
	if !ok || k != kStr && k != kBytes {
		return 0
	}
	s := m.text(v)
	switch strings.ToLower(strings.ReplaceAll(name, "_", "-")) {
	case "latin1", "latin-1", "iso-8859-1":
		if k == kStr {
			if out, ok := latin1(s); ok {
				return m.foldedText(kBytes, out)
			}
			return 0
		}
		return m.foldedText(kStr, fromLatin1(s))
	case "utf-8", "utf8":
		if k == kBytes && !utf8.Valid(s) {
			return 0
		}
		return m.foldedText(other(k), s)
	case "ascii":
		for _, c := range s {
			if c >= 0x80 {
				return 0
			}
		}
		return m.foldedText(other(k), s)
	case "rot13", "rot-13":
		return m.foldedText(k, rot13(s))
	case "hex", "hex-codec":
		return m.foldBinary("binascii.unhexlify", v)
	case "base64", "base64-codec":
		return m.foldBinary("binascii.a2b_base64", v)
	}
	return 0
}

func other(k kind) kind {
	if k == kStr {
		return kBytes
	}
	return kStr
}

// latin1 turns text into bytes; ok is false where a character does not fit.
func latin1(s []byte) (out []byte, ok bool) {
	out = make([]byte, 0, len(s))
	for _, r := range string(s) {
		if r > 255 {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

func fromLatin1(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for _, c := range s {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

func rot13(s []byte) []byte {
	out := bytes.Clone(s)
	for i, c := range out {
		switch {
		case c >= 'a' && c <= 'z':
			out[i] = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			out[i] = 'A' + (c-'A'+13)%26
		}
	}
	return out
}

// foldBinary decodes well-formed hex and base64; lenient decoders make something
// of the rest, which is then unknown.
func (m *machine) foldBinary(name string, v val) val {
	s := m.text(v)
	if k := m.realKind(v); k != kStr && k != kBytes || len(s) > maxFolded {
		return 0
	}
	var out []byte
	var err error
	if strings.Contains(name, "hex") {
		out, err = hex.DecodeString(string(s))
	} else {
		out, err = base64.StdEncoding.Strict().DecodeString(string(s))
	}
	if err != nil || bytes.ContainsAny(s, "\r\n") {
		return 0
	}
	return m.foldedText(kBytes, out)
}

// foldSequence is list(x), tuple(x) and reversed(x) of a known sequence.
func (m *machine) foldSequence(name string, v val, off int) val {
	var vs []val
	switch n := m.node(v); {
	case n != nil && n.kind <= nList && settled(n):
		vs = append(vs, m.elems(n)...)
	case m.realKind(v) == kStr && len(m.text(v)) <= maxKept:
		for _, r := range string(m.text(v)) {
			vs = append(vs, m.foldedText(kStr, []byte(string(r))))
		}
	default:
		return 0
	}
	k := nList
	switch name {
	case "builtins.tuple":
		k = nTuple
	case "builtins.reversed":
		for i, j := 0, len(vs)-1; i < j; i, j = i+1, j-1 {
			vs[i], vs[j] = vs[j], vs[i]
		}
	}
	return m.newFrom(k, off, vs)
}
