package pycode

import (
	"strings"

	"bartizan/detect/artifact/marshal"
)

// operate handles operators whose result on constants is followed.
func (w *walk) operate(in *instr) bool {
	switch in.op {
	case opBinarySubscr:
		key := w.pop()
		w.subscript(w.pop(), key)
	case opBinaryOp:
		w.binary(operators[min(max(in.arg, 0), len(operators)-1)])
	case opBinaryAdd, opInplaceAdd:
		w.binary("+")
	case opBinaryModulo, opInplaceModulo:
		w.binary("%")
	case opBinaryMultiply, opInplaceMultiply:
		w.binary("*")
	case opBinarySubtract, opInplaceSubtract:
		w.binary("-")
	case opBinaryXor, opInplaceXor:
		w.binary("^")
	case opBinarySlice: // start, end
		ends := w.popN(2)
		w.subscript(w.pop(), slice(ends))
	case opSlice0, opSlice1, opSlice2, opSlice3:
		w.slice27(in.op)
	default:
		return false
	}
	return true
}

// operators are the arguments of BINARY_OP that are followed (Include/opcode.h,
// NB_*), in place as well; "" stands for the others.
var operators = [...]string{"+", "", "", "", "", "*", "%", "", "", "", "-", "", "^",
	"+", "", "", "", "", "*", "%", "", "", "", "-", "", "^", "[]", ""}

func (w *walk) binary(operator string) {
	y := w.pop()
	x := w.pop()
	if !w.afford(x, y) {
		w.push(unknown)
		return
	}
	if operator == "[]" {
		w.subscript(x, y)
		return
	}
	result := value{open: x.open || y.open || len(x.alts) == 0 || len(y.alts) == 0}
	for i := range x.alts {
		for k := range y.alts {
			r := foldBinary(operator, &x.alts[i], &y.alts[k])
			result, _ = join(result, r)
		}
	}
	w.push(w.note(result))
}

func (w *walk) slice27(o op) {
	none := constant(&marshal.Value{Kind: marshal.None})
	from, to := none, none
	if o == opSlice2 || o == opSlice3 {
		to = w.pop()
	}
	if o == opSlice1 || o == opSlice3 {
		from = w.pop()
	}
	w.subscript(w.pop(), slice([]value{from, to}))
}

func (w *walk) subscript(v, key value) {
	if !w.afford(v) {
		w.push(unknown)
		return
	}
	w.push(w.note(w.a.subscript(v, key)))
}

// maxFold bounds the text that folding makes.
const maxFold = 1 << 16

func foldBinary(operator string, x, y *alt) value {
	s, text := x.str()
	t, both := y.str()
	m, xn := x.integer()
	n, yn := y.integer()
	switch {
	case operator == "+" && text && both && len(s)+len(t) <= maxFold:
		return like(x, s+t)
	case operator == "+" && x.kind == altSeq && y.kind == altSeq:
		return concat([]value{one(*x), one(*y)})
	case operator == "*" && text && yn && n >= 0 && n <= maxFold && len(s)*int(n) <= maxFold:
		return like(x, strings.Repeat(s, int(n)))
	case operator == "%" && text:
		return percent(x, s, y)
	case xn && yn:
		return arithmetic(operator, m, n)
	}
	return unknown
}

// arithmetic keeps to small numbers: it is for character codes.
func arithmetic(operator string, m, n int64) value {
	const most = 1 << 30
	if m > most || m < -most || n > most || n < -most {
		return unknown
	}
	switch operator {
	case "+":
		return number(m + n)
	case "-":
		return number(m - n)
	case "*":
		return number(m * n)
	case "^":
		return number(m ^ n)
	case "%":
		if n > 0 {
			return number((m%n + n) % n)
		}
	}
	return unknown
}

// like gives a constant of the same type as x.
func like(x *alt, s string) value {
	return constant(&marshal.Value{Kind: x.c.Kind, Text: s})
}

// percent formats with %s and %c alone.
func percent(x *alt, format string, y *alt) value {
	args := []value{one(*y)}
	if y.kind == altSeq || y.kind == altConst && y.c.Kind == marshal.Tuple {
		args, _ = y.elements()
	}
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		if format[i] == '%' {
			out.WriteByte('%')
			continue
		}
		if len(args) == 0 || strings.IndexByte("sc", format[i]) < 0 || out.Len() > maxFold {
			return unknown
		}
		a, ok := args[0].single()
		if !ok {
			return unknown
		}
		s, ok := formatted(a, format[i] == 'c')
		if !ok {
			return unknown
		}
		out.WriteString(s)
		args = args[1:]
	}
	return like(x, out.String())
}

func formatted(a *alt, char bool) (string, bool) {
	if s, ok := a.str(); ok {
		return s, true
	}
	n, ok := a.integer()
	if !ok {
		return "", false
	}
	if char {
		return string(rune(n)), n >= 0 && n <= 0x10ffff
	}
	return show(number(n)), true
}
