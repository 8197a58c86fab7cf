package pycode

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"bartizan/detect/artifact/marshal"
)

// foldMethod works out a method of a constant where it is one of those that
// hidden names are put together with.
func foldMethod(recv *alt, name string, args []value) value {
	if recv.kind == altSeq || recv.c.Kind != marshal.Text && recv.c.Kind != marshal.Bytes {
		return unknown
	}
	s := recv.c.Text
	if name == "join" && len(args) == 1 {
		if a, ok := args[0].single(); ok {
			if elements, ok := a.elements(); ok {
				v := joinText(s, elements)
				if x, ok := v.single(); ok {
					return like(recv, x.c.Text)
				}
			}
		}
		return unknown
	}
	texts, ok := allText(args)
	if !ok {
		return unknown
	}
	switch name {
	case "decode", "encode":
		return foldCodec(recv, name, s, texts)
	case "lower", "casefold":
		return like(recv, strings.ToLower(s))
	case "upper":
		return like(recv, strings.ToUpper(s))
	case "swapcase":
		return like(recv, strings.Map(swapcase, s))
	case "title", "capitalize":
		if s != "" {
			return like(recv, strings.ToUpper(s[:1])+strings.ToLower(s[1:]))
		}
	case "strip":
		return like(recv, strings.Trim(s, chars(texts)))
	case "lstrip":
		return like(recv, strings.TrimLeft(s, chars(texts)))
	case "rstrip":
		return like(recv, strings.TrimRight(s, chars(texts)))
	case "format":
		return foldFormat(recv, s, texts)
	case "replace":
		if len(texts) == 2 && (strings.Count(s, texts[0])+1)*(len(texts[1])+1) <= maxFold {
			return like(recv, strings.ReplaceAll(s, texts[0], texts[1]))
		}
	case "split":
		return foldSplit(recv, s, texts)
	case "__add__":
		if len(texts) == 1 && len(s)+len(texts[0]) <= maxFold {
			return like(recv, s+texts[0])
		}
	case "hex":
		return text(hex.EncodeToString([]byte(s)))
	}
	return unknown
}

func chars(texts []string) string {
	if len(texts) > 0 {
		return texts[0]
	}
	return " \t\r\n\v\f"
}

func swapcase(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return r - 32
	case r >= 'A' && r <= 'Z':
		return r + 32
	}
	return r
}

func allText(args []value) ([]string, bool) {
	var texts []string
	for _, v := range args {
		a, ok := v.single()
		if !ok {
			return nil, false
		}
		s, ok := a.str()
		if !ok {
			return nil, false
		}
		texts = append(texts, s)
	}
	return texts, true
}

// joinText joins constants; one that is not known leaves the result open.
func joinText(separator string, parts []value) value {
	kind := marshal.Text
	var out strings.Builder
	for i, v := range parts {
		a, ok := v.single()
		if !ok {
			return unknown
		}
		s, ok := a.str()
		if !ok || out.Len()+len(s)+len(separator) > maxFold {
			return unknown
		}
		if i > 0 {
			out.WriteString(separator)
		}
		kind = a.c.Kind
		out.WriteString(s)
	}
	return constant(&marshal.Value{Kind: kind, Text: out.String()})
}

func foldSplit(recv *alt, s string, texts []string) value {
	var parts []string
	if len(texts) == 0 {
		parts = strings.Fields(s)
	} else if texts[0] != "" {
		parts = strings.Split(s, texts[0])
	}
	if len(parts) == 0 || len(parts) > 1024 {
		return unknown
	}
	var items []value
	for _, p := range parts {
		items = append(items, like(recv, p))
	}
	return seq(items)
}

// foldFormat fills "{}" and "{0}" alone.
func foldFormat(recv *alt, format string, texts []string) value {
	var out strings.Builder
	next := 0
	for format != "" {
		before, rest, found := strings.Cut(format, "{")
		out.WriteString(before)
		if !found {
			break
		}
		field, after, closed := strings.Cut(rest, "}")
		n := next
		if field != "" {
			var err error
			if n, err = strconv.Atoi(field); err != nil {
				return unknown
			}
		}
		if !closed || n < 0 || n >= len(texts) || out.Len()+len(texts[n]) > maxFold {
			return unknown
		}
		out.WriteString(texts[n])
		next++
		format = after
	}
	return like(recv, out.String())
}

// foldCodec handles str.encode and bytes.decode, and Python 2's "hex", "rot13"
// and "base64" codecs.
func foldCodec(recv *alt, name, s string, texts []string) value {
	kind := marshal.Text
	if name == "encode" {
		kind = marshal.Bytes
	}
	codec := "utf8"
	if len(texts) > 0 {
		codec = codecName(texts[0])
	}
	switch codec {
	case "utf8", "ascii", "latin1", "iso88591", "utf8sig":
		return constant(&marshal.Value{Kind: kind, Text: s})
	}
	if out, ok := transform(codec, s, name == "encode"); ok {
		return constant(&marshal.Value{Kind: recv.c.Kind, Text: out})
	}
	return unknown
}

func codecName(s string) string {
	s = strings.ToLower(s)
	return strings.TrimSuffix(strings.NewReplacer("-", "", "_", "").Replace(s), "codec")
}

// transform applies one of Python's text transforms (codecs.encodings).
func transform(codec, s string, encode bool) (string, bool) {
	switch codec {
	case "rot13":
		return strings.Map(rot13, s), true
	case "hex":
		if encode {
			return hex.EncodeToString([]byte(s)), len(s) <= maxFold
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
		return string(b), err == nil
	case "base64":
		if encode {
			return base64.StdEncoding.EncodeToString([]byte(s)), len(s) <= maxFold
		}
		return decode64(s)
	case "zlib", "zip":
		if !encode {
			return inflate(s)
		}
	}
	return "", false
}

func rot13(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return 'a' + (r-'a'+13)%26
	case r >= 'A' && r <= 'Z':
		return 'A' + (r-'A'+13)%26
	}
	return r
}

// decode64 drops what Python's lenient decoder drops.
func decode64(s string) (string, bool) {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '+', r == '/':
			return r
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		}
		return -1
	}, s)
	b, err := base64.RawStdEncoding.DecodeString(clean)
	return string(b), err == nil && len(b) > 0
}

func decode32(s string) (string, bool) {
	b, err := base32.StdEncoding.DecodeString(strings.ToUpper(s))
	return string(b), err == nil
}
