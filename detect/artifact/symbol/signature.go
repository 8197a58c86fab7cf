package symbol

import (
	"fmt"
	"slices"
	"strings"
)

// Signature is one shape of positional arguments for which a call is inert.
type Signature struct {
	Params []Param
}

// Param is one place in a signature; Repeat stands for any number, Optional for
// none or one. Only Optional and Repeat places may follow an Optional one, and
// Repeat is last.
type Param struct {
	Types    []Type
	Optional bool
	Repeat   bool
}

// Type is one alternative of a Param. Exactly one of these is meant:
// Name with OneOf empty (any value of that sort), Name with OneOf (one of these
// texts), Global (a reference to exactly that global, "module.name"), or Name
// with Elem (a container whose elements are each of one of these types).
//
// The sorts: int float bool none str bytes num; plain (scalars, text and
// containers of them, no globals); ints strs (tuple or list of these); tuple
// list dict set; pairs (tuple or list of 2-tuples); class (a class that is inert
// to construct); object (a value built by inert calls); pers (the result of a
// persistent id); storage (a tensor's storage); any.
type Type struct {
	Name   string
	OneOf  []string
	Global string
	Elem   []Type
}

var typeNames = [...]string{"any", "bool", "bytes", "class", "dict", "float", "int", "ints", "list", "none",
	"num", "object", "pairs", "pers", "plain", "set", "storage", "str", "strs", "tuple"}

// Bounds of the signature language, so that no input makes the parser recurse.
const (
	maxParams = 32
	maxNested = 4
)

// ParseSignature reads the text form: (str, int|none, ints?, any...).
func ParseSignature(s string) (Signature, error) {
	p := sigParser{rest: s}
	sig, err := p.signature()
	if err != nil {
		return Signature{}, fmt.Errorf("signature %q: %w", s, err)
	}
	return sig, nil
}

// String gives the text form that ParseSignature reads.
func (s Signature) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, p := range s.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		writeTypes(&b, p.Types)
		switch {
		case p.Repeat:
			b.WriteString("...")
		case p.Optional:
			b.WriteByte('?')
		}
	}
	b.WriteByte(')')
	return b.String()
}

func writeTypes(b *strings.Builder, types []Type) {
	for i, t := range types {
		if i > 0 {
			b.WriteByte('|')
		}
		if t.Global != "" {
			b.WriteString("=" + t.Global)
			continue
		}
		b.WriteString(t.Name)
		if len(t.OneOf) > 0 {
			b.WriteString("{" + strings.Join(t.OneOf, ",") + "}")
		}
		if len(t.Elem) > 0 {
			b.WriteByte('[')
			writeTypes(b, t.Elem)
			b.WriteByte(']')
		}
	}
}

type sigParser struct{ rest string }

func (p *sigParser) space() { p.rest = strings.TrimLeft(p.rest, " ") }

func (p *sigParser) take(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *sigParser) signature() (Signature, error) {
	var sig Signature
	if !p.take("(") {
		return sig, fmt.Errorf("does not start with '('")
	}
	p.space()
	if p.take(")") {
		return sig, p.end()
	}
	for {
		param, err := p.param()
		if err != nil {
			return sig, err
		}
		sig.Params = append(sig.Params, param)
		if err := checkOrder(sig.Params); err != nil {
			return sig, err
		}
		p.space()
		if p.take(")") {
			return sig, p.end()
		}
		if !p.take(",") {
			return sig, fmt.Errorf("want ',' or ')' at %q", p.rest)
		}
		p.space()
	}
}

func (p *sigParser) end() error {
	if p.rest != "" {
		return fmt.Errorf("text after ')': %q", p.rest)
	}
	return nil
}

// checkOrder looks at the last parameter in the light of those before it.
func checkOrder(params []Param) error {
	n := len(params)
	if n > maxParams {
		return fmt.Errorf("more than %d parameters", maxParams)
	}
	if n < 2 {
		return nil
	}
	last, prev := params[n-1], params[n-2]
	if prev.Repeat {
		return fmt.Errorf("parameter %d follows one that repeats", n)
	}
	if prev.Optional && !last.Optional && !last.Repeat {
		return fmt.Errorf("parameter %d is not optional but follows one that is", n)
	}
	return nil
}

func (p *sigParser) param() (Param, error) {
	types, err := p.types(0)
	if err != nil {
		return Param{}, err
	}
	param := Param{Types: types}
	switch {
	case p.take("..."):
		param.Repeat = true
	case p.take("?"):
		param.Optional = true
	}
	return param, nil
}

func (p *sigParser) types(depth int) ([]Type, error) {
	if depth > maxNested {
		return nil, fmt.Errorf("nested deeper than %d", maxNested)
	}
	var types []Type
	for {
		t, err := p.one(depth)
		if err != nil {
			return nil, err
		}
		types = append(types, t)
		if !p.take("|") {
			return types, nil
		}
	}
}

func (p *sigParser) one(depth int) (Type, error) {
	if p.take("=") {
		return p.global()
	}
	name := p.word(isLower)
	if _, ok := slices.BinarySearch(typeNames[:], name); !ok {
		return Type{}, fmt.Errorf("unknown type %q", name)
	}
	t := Type{Name: name}
	switch {
	case p.take("{"):
		return p.oneOf(t)
	case p.take("["):
		return p.elem(t, depth)
	}
	return t, nil
}

func (p *sigParser) oneOf(t Type) (Type, error) {
	if t.Name != "str" && t.Name != "bytes" && t.Name != "int" {
		return t, fmt.Errorf("%s takes no {…}", t.Name)
	}
	list, rest, ok := strings.Cut(p.rest, "}")
	if !ok {
		return t, fmt.Errorf("'{' without '}'")
	}
	p.rest = rest
	t.OneOf = strings.Split(list, ",")
	return t, nil
}

func (p *sigParser) elem(t Type, depth int) (Type, error) {
	if t.Name != "tuple" && t.Name != "list" && t.Name != "set" && t.Name != "dict" {
		return t, fmt.Errorf("%s takes no […]", t.Name)
	}
	elem, err := p.types(depth + 1)
	if err != nil {
		return t, err
	}
	if !p.take("]") {
		return t, fmt.Errorf("'[' without ']'")
	}
	t.Elem = elem
	return t, nil
}

func (p *sigParser) global() (Type, error) {
	name := p.word(isNameByte)
	// "..." after a global is the repeat mark, not a part of its name.
	if base, ok := strings.CutSuffix(name, "..."); ok {
		name, p.rest = base, "..."+p.rest
	}
	if !validDotted(name) {
		return Type{}, fmt.Errorf("%q is not the name of a global", name)
	}
	return Type{Global: name}, nil
}

func (p *sigParser) word(ok func(byte) bool) string {
	n := 0
	for n < len(p.rest) && ok(p.rest[n]) {
		n++
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	return word
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// isNameByte accepts what Python names consist of; letters outside ASCII are
// any bytes with the high bit.
func isNameByte(c byte) bool {
	return isLower(c) || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c >= 0x80
}

// validDotted reports whether s is made of non-empty parts joined by dots.
func validDotted(s string) bool {
	if s == "" {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
	}
	for i := 0; i < len(s); i++ {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}
