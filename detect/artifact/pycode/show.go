package pycode

import (
	"fmt"
	"strconv"
	"strings"

	"bartizan/detect/artifact/marshal"
)

// show writes a value as Python would, cut to a bound; control characters,
// bidirectional marks and what is not text are escaped.
func show(v value) string {
	if len(v.alts) == 0 {
		return "…"
	}
	var parts []string
	for i := range v.alts {
		if i == 3 {
			break
		}
		parts = append(parts, showAlt(&v.alts[i]))
	}
	return strings.Join(parts, " | ")
}

func showAlt(a *alt) string {
	switch a.kind {
	case altConst:
		return showConst(a.c, 2)
	case altPath:
		return a.text
	case altFunc:
		return "<function " + clip(a.code.Name) + ">"
	case altSeq:
		var parts []string
		for i, item := range a.items {
			if i == 8 {
				parts = append(parts, "…")
				break
			}
			if single, ok := item.single(); ok && single.kind != altSeq {
				parts = append(parts, showAlt(single))
			} else {
				parts = append(parts, "…")
			}
		}
		return "(" + strings.Join(parts, ", ") + ")"
	case altMethod:
		return typeName(a.recv) + "." + a.text
	case altAttrs:
		return "operator.attrgetter(" + quote(a.text) + ")"
	case altCaller:
		return "operator.methodcaller(" + quote(a.text) + ")"
	case altPartial:
		if a.recv.kind == altPartial {
			return "functools.partial(…)"
		}
		return "functools.partial(" + showAlt(a.recv) + ")"
	}
	return "…"
}

func showConst(v *marshal.Value, depth int) string {
	switch v.Kind {
	case marshal.None:
		return "None"
	case marshal.True:
		return "True"
	case marshal.False:
		return "False"
	case marshal.Ellipsis:
		return "..."
	case marshal.Int:
		return strconv.FormatInt(v.Int, 10)
	case marshal.BigInt:
		return clip(v.Text)
	case marshal.Float:
		return strconv.FormatFloat(v.Float, 'g', -1, 64)
	case marshal.Complex:
		return fmt.Sprintf("(%g%+gj)", v.Float, v.Imag)
	case marshal.Text:
		return quote(v.Text)
	case marshal.Bytes:
		return "b" + quoteBytes(v.Text)
	case marshal.CodeObject:
		return "<code>"
	case marshal.Tuple, marshal.List, marshal.Set, marshal.FrozenSet, marshal.Slice, marshal.Dict:
		return showItems(v, depth)
	}
	return "…"
}

func showItems(v *marshal.Value, depth int) string {
	if depth == 0 {
		return "(…)"
	}
	var parts []string
	for i, item := range v.Items {
		if i == 8 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, showConst(item, depth-1))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// quote escapes everything that is not printable, and cuts.
func quote(s string) string {
	if len(s) > maxArgText {
		return strconv.Quote(strings.ToValidUTF8(s[:maxArgText], "")) + "…"
	}
	return strconv.Quote(s)
}

func quoteBytes(s string) string {
	if len(s) > maxArgText {
		return strconv.QuoteToASCII(s[:maxArgText]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// clip makes a name printable and short.
func clip(s string) string {
	q := quote(s)
	return strings.TrimPrefix(strings.TrimSuffix(q, `"`), `"`)
}
