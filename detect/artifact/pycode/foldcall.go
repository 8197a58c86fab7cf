package pycode

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"bartizan/detect/artifact/marshal"
)

// foldCall works out calls of functions on constants.
func foldCall(target string, args []value) (value, bool) {
	if len(args) == 0 {
		return value{}, false
	}
	a, ok := args[0].single()
	if !ok {
		return value{}, false
	}
	target = strings.Replace(target, "__builtin__.", "builtins.", 1)
	if s, ok := a.str(); ok {
		if v, ok := foldDecode(target, a, s, args); ok {
			return v, true
		}
	}
	if name, ok := strings.CutPrefix(target, "builtins.str."); ok && a.kind == altConst {
		return foldMethod(a, name, args[1:]), true
	}
	switch target {
	case "builtins.chr", "builtins.unichr":
		if n, ok := a.integer(); ok && n >= 0 && n <= 0x10ffff {
			return text(string(rune(n))), true
		}
	case "builtins.ord":
		if s, ok := a.str(); ok && s != "" {
			r, _ := utf8.DecodeRuneInString(s)
			if a.c.Kind == marshal.Bytes {
				r = rune(s[0])
			}
			return number(int64(r)), true
		}
	case "builtins.int":
		return foldInt(a, args)
	case "builtins.list", "builtins.tuple", "builtins.iter", "builtins.set":
		if elements, ok := a.elements(); ok {
			return seq(elements), true
		}
	case "builtins.reversed":
		if elements, ok := a.elements(); ok {
			back := make([]value, 0, len(elements))
			for i := len(elements) - 1; i >= 0; i-- {
				back = append(back, elements[i])
			}
			return seq(back), true
		}
	case "builtins.bytes", "builtins.bytearray", "builtins.str", "builtins.unicode":
		return foldBytes(a, target)
	}
	return value{}, false
}

func foldInt(a *alt, args []value) (value, bool) {
	s, ok := a.str()
	if !ok {
		return one(*a), a.kind == altConst && a.c.Kind == marshal.Int
	}
	base := int64(10)
	if len(args) > 1 {
		if base, ok = args[1].first().integer(); !ok || base < 0 || base > 36 || base == 1 {
			return value{}, false
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), int(base), 64)
	return number(n), err == nil
}

// foldBytes handles bytes([…]), bytes("…", codec) and str(b"…", codec).
func foldBytes(a *alt, target string) (value, bool) {
	kind := marshal.Bytes
	if strings.HasSuffix(target, "str") || strings.HasSuffix(target, "unicode") {
		kind = marshal.Text
	}
	if s, ok := a.str(); ok {
		return constant(&marshal.Value{Kind: kind, Text: s}), true
	}
	elements, ok := a.elements()
	if !ok || kind == marshal.Text {
		return value{}, false
	}
	var b []byte
	for _, e := range elements {
		x, ok := e.single()
		if !ok {
			return value{}, false
		}
		n, ok := x.integer()
		if !ok || n < 0 || n > 255 {
			return value{}, false
		}
		b = append(b, byte(n))
	}
	return constant(&marshal.Value{Kind: kind, Text: string(b)}), true
}

// foldDecode handles the decoders of the standard library.
func foldDecode(target string, a *alt, s string, args []value) (value, bool) {
	out, ok := "", false
	switch target {
	case "base64.b64decode", "base64.standard_b64decode", "base64.urlsafe_b64decode", "base64.decodestring",
		"base64.decodebytes", "binascii.a2b_base64":
		out, ok = decode64(s)
	case "base64.b32decode":
		out, ok = decode32(s)
	case "base64.b16decode", "binascii.unhexlify", "binascii.a2b_hex", "builtins.bytes.fromhex", "builtins.bytearray.fromhex":
		out, ok = transform("hex", s, false)
	case "base64.a85decode":
		b := make([]byte, 4*len(s)+4)
		n, _, err := ascii85.Decode(b, []byte(s), true)
		out, ok = string(b[:n]), err == nil && len(s) <= maxFold
	case "zlib.decompress":
		out, ok = inflate(s)
	case "codecs.decode", "_codecs.decode", "codecs.encode", "_codecs.encode":
		return foldCodecs(target, a, s, args)
	}
	return constant(&marshal.Value{Kind: marshal.Bytes, Text: out}), ok
}

func foldCodecs(target string, a *alt, s string, args []value) (value, bool) {
	texts, ok := allText(args[1:])
	if !ok {
		return value{}, false
	}
	name := "decode"
	if strings.HasSuffix(target, "encode") {
		name = "encode"
	}
	v := foldCodec(a, name, s, texts)
	return v, len(v.alts) > 0
}

// inflate decompresses up to a bound.
func inflate(s string) (string, bool) {
	r, err := zlib.NewReader(strings.NewReader(s))
	if err != nil {
		return "", false
	}
	var out bytes.Buffer
	if _, err := io.CopyN(&out, r, maxFold); err != io.EOF {
		return "", false
	}
	return out.String(), true
}

// foldItem gives a constant's element or slice.
func foldItem(x, key *alt) value {
	if key.kind == altConst && key.c.Kind == marshal.Slice {
		return foldSlice(x, key.c)
	}
	n, ok := key.integer()
	if !ok {
		return unknown
	}
	elements, ok := x.elements()
	if !ok {
		return unknown
	}
	if n < 0 {
		n += int64(len(elements))
	}
	if n < 0 || n >= int64(len(elements)) {
		return unknown
	}
	return elements[n]
}

func foldSlice(x *alt, s *marshal.Value) value {
	elements, ok := x.elements()
	if !ok || len(s.Items) != 3 {
		return unknown
	}
	start, end, step, ok := bounds(s, len(elements))
	if !ok {
		return unknown
	}
	var picked []value
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		picked = append(picked, elements[i])
	}
	text, isText := x.str()
	if !isText {
		return seq(picked)
	}
	if x.c.Kind == marshal.Bytes || len(picked) == 0 {
		var b []byte
		for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
			b = append(b, text[i])
		}
		return like(x, string(b))
	}
	return joinText("", picked)
}

// bounds are Python's: PySlice_AdjustIndices.
func bounds(s *marshal.Value, n int) (start, end, step int, ok bool) {
	part := func(v *marshal.Value, otherwise, low, high int) int {
		if v.Kind != marshal.Int {
			return otherwise
		}
		i := v.Int
		if i < 0 {
			i += int64(n)
		}
		return int(min(max(i, int64(low)), int64(high)))
	}
	step = 1
	if s.Items[2].Kind == marshal.Int {
		if s.Items[2].Int == 0 || s.Items[2].Int > 1<<20 || s.Items[2].Int < -1<<20 {
			return 0, 0, 0, false
		}
		step = int(s.Items[2].Int)
	}
	if step > 0 {
		return part(s.Items[0], 0, 0, n), part(s.Items[1], n, 0, n), step, true
	}
	return part(s.Items[0], n-1, -1, n-1), part(s.Items[1], -1, -1, n-1), step, true
}
