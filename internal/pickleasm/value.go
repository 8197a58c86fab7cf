package pickleasm

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TextForm is one of the ways to write a text.
type TextForm uint8

// The text opcodes; STRING with either quote.
const (
	AsString TextForm = iota
	AsStringDouble
	AsBinString
	AsShortBinString
	AsUnicode
	AsBinUnicode
	AsShortBinUnicode
	AsBinUnicode8
)

// TextForms lists all ways to write a text.
func TextForms() []TextForm {
	return []TextForm{AsString, AsStringDouble, AsBinString, AsShortBinString, AsUnicode, AsBinUnicode, AsShortBinUnicode, AsBinUnicode8}
}

// Str writes a text in the given form, escaped as a reader of that form undoes it.
// The 8-bit forms hold the UTF-8 bytes: a Python 3 reader takes only ASCII from them by default.
func (b *Builder) Str(form TextForm, s string) *Builder {
	switch form {
	case AsString:
		return b.String("'" + escape8(s, '\'') + "'")
	case AsStringDouble:
		return b.String(`"` + escape8(s, '"') + `"`)
	case AsBinString:
		return b.BinString(s)
	case AsShortBinString:
		return b.ShortBinString(s)
	case AsUnicode:
		return b.Unicode(escapeUnicode(s))
	case AsShortBinUnicode:
		return b.ShortBinUnicode(s)
	case AsBinUnicode8:
		return b.BinUnicode8(s)
	default:
		return b.BinUnicode(s)
	}
}

func escape8(s string, quote byte) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func escapeUnicode(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08x`, r)
		case r >= 0x7f || r < ' ' || r == '\\':
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// Value writes plain Go data as a protocol 4 pickler would, without memo: nil, bool, int, int64, *big.Int,
// float64, string, []byte, []any (list), Tuple, Set, map[string]any (dict, by sorted key), Name (a global),
// Stream (raw opcodes that push one value). Anything else is written as its %v text.
func (b *Builder) Value(v any) *Builder {
	switch v := v.(type) {
	case nil:
		return b.None()
	case bool:
		if v {
			return b.NewTrue()
		}
		return b.NewFalse()
	case int:
		return b.integer(int64(v))
	case int64:
		return b.integer(v)
	case *big.Int:
		return b.Long(v.String() + "L")
	case float64:
		return b.BinFloat(v)
	case string:
		return b.text(v)
	case []byte:
		return b.bytes(v)
	case Name:
		return b.text(v.Module).text(v.Name).StackGlobal()
	case Stream:
		return b.Raw(v...)
	default:
		return b.container(v)
	}
}

// Tuple is written as a tuple.
type Tuple []any

// Set is written as a set.
type Set []any

// Stream is written as it is: opcodes that push one value.
type Stream []byte

func (b *Builder) container(v any) *Builder {
	switch v := v.(type) {
	case []any:
		return b.EmptyList().items(v).Appends()
	case Tuple:
		return b.items(v).Tuple()
	case Set:
		return b.EmptySet().items(v).AddItems()
	case map[string]any:
		b.EmptyDict().Mark()
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b.Value(key).Value(v[key])
		}
		return b.SetItems()
	default:
		return b.text(fmt.Sprint(v))
	}
}

func (b *Builder) items(values []any) *Builder {
	b.Mark()
	for _, v := range values {
		b.Value(v)
	}
	return b
}

func (b *Builder) integer(v int64) *Builder {
	switch {
	case v >= 0 && v < 1<<8:
		return b.BinInt1(byte(v))
	case v >= 0 && v < 1<<16:
		return b.BinInt2(uint16(v))
	case v == int64(int32(v)):
		return b.BinInt(int32(v))
	default:
		return b.Long(strconv.FormatInt(v, 10) + "L")
	}
}

func (b *Builder) text(s string) *Builder {
	if len(s) < 256 && utf8.ValidString(s) {
		return b.ShortBinUnicode(s)
	}
	return b.BinUnicode(s)
}

func (b *Builder) bytes(p []byte) *Builder {
	if len(p) < 256 {
		return b.ShortBinBytes(p)
	}
	return b.BinBytes(p)
}
