package marshal

// object reads one value. It gives nil without a fault only for TYPE_NULL,
// which ends dicts.
func (r *reader) object() *Value {
	if r.depth++; r.depth > MaxDepth {
		return r.fail("nested deeper than CPython reads")
	}
	defer func() { r.depth-- }()
	code, ok := r.byte()
	if !ok {
		return nil
	}
	typ, ref := code, false
	if r.layout != Layout27 {
		typ, ref = code&^flagRef, code&flagRef != 0
	}
	switch typ {
	case '0':
		return nil
	case 'N':
		return r.none
	case 'S':
		return r.stop
	case '.':
		return r.ellipsis
	case 'F':
		return r.no
	case 'T':
		return r.yes
	case 'r', 'R':
		return r.reference(typ)
	case '(', ')', '[', '<', '>', '{', 'c', ':':
		return r.compound(typ, ref)
	}
	v := r.atom(typ)
	if v != nil && ref {
		r.refs = append(r.refs, v)
	}
	return v
}

// atom reads numbers and strings.
func (r *reader) atom(typ byte) *Value {
	switch typ {
	case 'i':
		return r.make(Value{Kind: Int, Int: int64(r.int32())})
	case 'I':
		low := uint32(r.int32())
		return r.make(Value{Kind: Int, Int: int64(r.int32())<<32 | int64(low)})
	case 'l':
		return r.bigInt()
	case 'f':
		return r.make(Value{Kind: Float, Float: r.textFloat()})
	case 'g':
		return r.make(Value{Kind: Float, Float: r.float64()})
	case 'x':
		re := r.textFloat()
		return r.make(Value{Kind: Complex, Float: re, Imag: r.textFloat()})
	case 'y':
		re := r.float64()
		return r.make(Value{Kind: Complex, Float: re, Imag: r.float64()})
	case 's':
		return r.str(Bytes, int64(r.int32()))
	case 'u':
		return r.str(Text, int64(r.int32()))
	case 't':
		return r.interned()
	}
	if r.layout != Layout27 {
		switch typ {
		case 'a', 'A':
			return r.ascii(int64(r.int32()))
		case 'z', 'Z':
			n, _ := r.byte()
			return r.ascii(int64(n))
		}
	}
	r.pos--
	return r.fail("unknown type code")
}

// interned is a byte string in Python 2, which later references name, and text
// in Python 3.
func (r *reader) interned() *Value {
	if r.layout != Layout27 {
		return r.str(Text, int64(r.int32()))
	}
	v := r.str(Bytes, int64(r.int32()))
	if v != nil {
		r.intern = append(r.intern, v)
	}
	return v
}

// ascii reads what CPython takes as Latin-1, whatever the type's name says.
func (r *reader) ascii(n int64) *Value {
	b := r.take(n)
	if r.err != nil {
		return nil
	}
	text := string(b)
	for _, c := range b {
		if c >= 0x80 {
			text = latin1(b)
			break
		}
	}
	v := r.make(Value{Kind: Text, Text: text})
	if v != nil && n > 0 {
		r.fragments = append(r.fragments, v)
	}
	return v
}

func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

func (r *reader) reference(typ byte) *Value {
	table := r.refs
	if r.layout == Layout27 {
		table = r.intern
	}
	if (typ == 'R') != (r.layout == Layout27) {
		r.pos--
		return r.fail("unknown type code")
	}
	n := r.int32()
	if r.err != nil {
		return nil
	}
	if n < 0 || int(n) >= len(table) || table[n] == nil {
		return r.fail("invalid reference")
	}
	return table[n]
}

// compound reads containers and code objects. Those that CPython makes before
// their parts (tuple, list, dict, set) can be named from within; the others
// hold their place in the table and are put there when they are done.
func (r *reader) compound(typ byte, ref bool) *Value {
	if typ == ':' && r.layout != Layout311 || typ == ')' && r.layout == Layout27 {
		r.pos--
		return r.fail("unknown type code")
	}
	v := r.make(Value{Kind: kindOf(typ)})
	if v == nil {
		return nil
	}
	n := int64(0)
	switch typ {
	case ')':
		b, _ := r.byte()
		n = int64(b)
	case '(', '[', '<', '>':
		n = int64(r.int32())
	case ':':
		n = 3
	}
	if r.err != nil {
		return nil
	}
	// Each element takes a byte at least.
	if n < 0 || n > int64(len(r.data)-r.pos) {
		return r.fail("length out of range")
	}
	late := typ == 'c' || typ == ':' || typ == '>' && n > 0
	slot := len(r.refs)
	if ref {
		r.refs = append(r.refs, v)
		if late {
			r.refs[slot] = nil
		}
	}
	switch typ {
	case 'c':
		v.Code = r.code()
	case '{':
		r.pairs(v)
	default:
		r.items(v, n)
	}
	if r.err != nil {
		return nil
	}
	if ref && late {
		r.refs[slot] = v
	}
	if typ == 'c' {
		r.fragments = append(r.fragments, v)
	}
	return v
}

func kindOf(typ byte) Kind {
	switch typ {
	case '[':
		return List
	case '{':
		return Dict
	case '<':
		return Set
	case '>':
		return FrozenSet
	case ':':
		return Slice
	case 'c':
		return CodeObject
	}
	return Tuple
}

func (r *reader) items(v *Value, n int64) {
	v.Items = make([]*Value, 0, min(n, 1024))
	for ; n > 0; n-- {
		item := r.object()
		if item == nil {
			r.fail("NULL in a container")
			return
		}
		v.Items = append(v.Items, item)
	}
}

func (r *reader) pairs(v *Value) {
	for {
		key := r.object()
		if key == nil {
			return
		}
		value := r.object()
		if value == nil {
			return // CPython leaves the loop here and keeps the dict
		}
		v.Items = append(v.Items, key, value)
	}
}
