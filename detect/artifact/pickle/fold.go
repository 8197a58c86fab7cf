package pickle

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"bartizan/detect/artifact/symbol"
)

// foldCall computes the result of an inert call that makes text or picks from a
// container, so that names and code that a stream assembles are seen whole.
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
	case "_operator.add", "operator.add", "_operator.concat", "operator.concat", "_operator.iadd", "operator.iadd", "_operator.iconcat", "operator.iconcat":
		if len(vs) == 2 {
			return m.concat(vs[0], vs[1])
		}
	case "builtins.chr", "builtins.unichr":
		if n, ok := m.integer(vs[0]); ok && n >= 0 && n <= utf8.MaxRune {
			return m.foldedText(kStr, utf8.AppendRune(nil, rune(n)))
		}
	case "builtins.str", "builtins.unicode", "builtins.bytes", "builtins.bytearray":
		return m.foldConversion(name, vs)
	case "_codecs.encode", "codecs.encode", "_codecs.decode", "codecs.decode", "_codecs.latin_1_encode", "_codecs.utf_8_encode", "_codecs.utf_8_decode", "_codecs.latin_1_decode":
		return m.foldCodec(vs)
	case "base64.b64decode", "base64.standard_b64decode", "base64.urlsafe_b64decode", "base64.decodebytes", "binascii.a2b_base64",
		"binascii.unhexlify", "binascii.a2b_hex", "base64.b16decode":
		return m.foldBinary(name, vs[0])
	case "builtins.list", "builtins.tuple", "builtins.reversed", "builtins.sorted":
		return m.foldSequence(name, vs[0], off)
	}
	if rest, ok := strings.CutPrefix(name, "builtins.str."); ok {
		return m.foldMethodName(rest, vs[0], vs[1:], off)
	}
	if rest, ok := strings.CutPrefix(name, "builtins.bytes."); ok {
		return m.foldMethodName(rest, vs[0], vs[1:], off)
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
	s := m.text(self)
	k := m.realKind(self)
	if k != kStr && k != kBytes || s == nil && k == kNode {
		return 0
	}
	arg := func(i int) []byte {
		if i < len(vs) {
			return m.text(vs[i])
		}
		return nil
	}
	switch name {
	case "join":
		if len(vs) == 1 {
			return m.foldJoin(s, k, vs[0])
		}
	case "lower":
		return m.foldedText(k, bytes.ToLower(s))
	case "upper":
		return m.foldedText(k, bytes.ToUpper(s))
	case "strip":
		return m.foldedText(k, bytes.TrimSpace(s))
	case "swapcase":
		return m.foldedText(k, swapCase(s))
	case "replace":
		if len(vs) >= 2 && len(s)*(len(arg(1))+1) <= maxFolded {
			return m.foldedText(k, bytes.ReplaceAll(s, arg(0), arg(1)))
		}
	case "encode":
		return m.foldedText(kBytes, s)
	case "decode":
		return m.foldedText(kStr, s)
	case "__add__":
		if len(vs) == 1 {
			return m.concat(self, vs[0])
		}
	case "__getitem__":
		if len(vs) == 1 {
			return m.item(self, vs[0], off)
		}
	case "removeprefix":
		return m.foldedText(k, bytes.TrimPrefix(s, arg(0)))
	case "removesuffix":
		return m.foldedText(k, bytes.TrimSuffix(s, arg(0)))
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

func (m *machine) foldJoin(sep []byte, k kind, seq val) val {
	n := m.node(seq)
	if n == nil {
		if m.realKind(seq) == kStr && len(sep) == 0 {
			return seq
		}
		return 0
	}
	if n.kind > nFrozenSet || n.flags&fDropped != 0 {
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
	if na != nil && nb != nil && na.kind == nb.kind && na.kind <= nList && (na.flags|nb.flags)&fDropped == 0 {
		return m.newFrom(na.kind, na.off(), append(append([]val{}, m.elems(na)...), m.elems(nb)...))
	}
	return 0
}

// item is v[key] for a known container or text and a known key.
func (m *machine) item(v, key val, off int) val {
	i, isInt := m.integer(key)
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
	case n.kind <= nList && isInt:
		if i < 0 {
			i += int64(n.n)
		}
		if i < 0 || i >= int64(n.kept) {
			return 0
		}
		return m.elems(n)[i]
	case n.kind == nDict && n.flags&fDropped == 0:
		return m.dictItem(n, key, i, isInt)
	}
	return 0
}

func (m *machine) dictItem(n *node, key val, i int64, isInt bool) val {
	elems := m.elems(n)
	for at := len(elems) - 2; at >= 0; at -= 2 { // the last one set wins
		k := elems[at]
		if j, ok := m.integer(k); ok && isInt && i == j {
			return elems[at+1]
		}
		if m.realKind(k) == kStr && m.realKind(key) == kStr && bytes.Equal(m.text(k), m.text(key)) {
			return elems[at+1]
		}
	}
	return 0
}

func (m *machine) foldConversion(name string, vs []val) val {
	k := kStr
	if strings.HasPrefix(name, "builtins.byte") {
		k = kBytes
	}
	switch m.realKind(vs[0]) {
	case kStr, kBytes, kByteArray:
		return m.foldedText(k, m.text(vs[0]))
	case kNode:
		return m.foldBytesOfInts(k, vs[0])
	}
	return 0
}

// foldBytesOfInts is bytes([105, 100]).
func (m *machine) foldBytesOfInts(k kind, v val) val {
	n := m.node(v)
	if k != kBytes || n.kind > nList || n.flags&fDropped != 0 {
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

// foldCodec is encode and decode between text and bytes; codecs that hide text
// (rot13, hex, base64, zlib) give what they hide.
func (m *machine) foldCodec(vs []val) val {
	s := m.text(vs[0])
	k := m.realKind(vs[0])
	if k != kStr && k != kBytes && k != kByteArray {
		return 0
	}
	codec := "utf-8"
	if len(vs) > 1 {
		c, ok := m.constText(vs[1])
		if !ok {
			return 0
		}
		codec = strings.ToLower(strings.ReplaceAll(c, "_", "-"))
	}
	other := kBytes
	if k != kStr {
		other = kStr
	}
	switch codec {
	case "latin1", "latin-1", "iso-8859-1", "utf-8", "utf8", "ascii", "raw-unicode-escape":
		if k == kStr && strings.HasPrefix(codec, "lat") {
			return m.foldedText(other, latin1(s))
		}
		return m.foldedText(other, s)
	case "rot13", "rot-13":
		return m.foldedText(k, rot13(s))
	case "hex", "hex-codec":
		return m.foldBinary("binascii.unhexlify", vs[0])
	case "base64", "base64-codec":
		return m.foldBinary("binascii.a2b_base64", vs[0])
	}
	return 0
}

// latin1 turns text whose runes are below 256 into their bytes.
func latin1(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range string(s) {
		if r > 255 {
			return s
		}
		out = append(out, byte(r))
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

func (m *machine) foldBinary(name string, v val) val {
	s := m.text(v)
	if k := m.realKind(v); k != kStr && k != kBytes || len(s) > maxFolded {
		return 0
	}
	var out []byte
	var err error
	if strings.Contains(name, "hex") || strings.Contains(name, "b16") {
		out, err = hex.DecodeString(string(bytes.ToLower(s)))
	} else {
		clean := strings.NewReplacer("\n", "", "\r", "", " ", "", "-", "+", "_", "/").Replace(string(s))
		out, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(clean, "="))
	}
	if err != nil {
		return 0
	}
	return m.foldedText(kBytes, out)
}

// foldSequence is list(x), tuple(x) and reversed(x) of a known sequence.
func (m *machine) foldSequence(name string, v val, off int) val {
	if name == "builtins.sorted" {
		return 0
	}
	var vs []val
	switch n := m.node(v); {
	case n != nil && n.kind <= nFrozenSet && n.flags&fDropped == 0:
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
