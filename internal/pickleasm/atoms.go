package pickleasm

// None writes NONE.
func (b *Builder) None() *Builder { return b.Op(NONE) }

// NewTrue writes NEWTRUE.
func (b *Builder) NewTrue() *Builder { return b.Op(NEWTRUE) }

// NewFalse writes NEWFALSE.
func (b *Builder) NewFalse() *Builder { return b.Op(NEWFALSE) }

// Int writes INT with the text as it is: "7", " 0x7", "01" (true), "7L".
func (b *Builder) Int(text string) *Builder { return b.Line(INT, text) }

// Long writes LONG with the text as it is, usually with a trailing L.
func (b *Builder) Long(text string) *Builder { return b.Line(LONG, text) }

// Float writes FLOAT with the text as it is.
func (b *Builder) Float(text string) *Builder { return b.Line(FLOAT, text) }

// BinInt writes BININT.
func (b *Builder) BinInt(v int32) *Builder { return b.fixed4(BININT, uint32(v)) }

// BinInt1 writes BININT1.
func (b *Builder) BinInt1(v byte) *Builder { return b.Op(BININT1).Raw(v) }

// BinInt2 writes BININT2.
func (b *Builder) BinInt2(v uint16) *Builder { return b.fixed2(BININT2, v) }

// Long1 writes LONG1 with the little-endian two's complement bytes.
func (b *Builder) Long1(le []byte) *Builder { return b.Counted(LONG1, 1, uint64(len(le)), le) }

// Long4 writes LONG4 with the little-endian two's complement bytes.
func (b *Builder) Long4(le []byte) *Builder { return b.Counted(LONG4, 4, uint64(len(le)), le) }

// String writes STRING with the line as it is, quotes and escapes included.
func (b *Builder) String(line string) *Builder { return b.Line(STRING, line) }

// BinString writes BINSTRING: 8-bit text with a signed 4-byte length.
func (b *Builder) BinString(s string) *Builder {
	return b.Counted(BINSTRING, 4, uint64(len(s)), []byte(s))
}

// ShortBinString writes SHORT_BINSTRING.
func (b *Builder) ShortBinString(s string) *Builder {
	return b.Counted(SHORT_BINSTRING, 1, uint64(len(s)), []byte(s))
}

// Unicode writes UNICODE with the line as it is, in raw-unicode-escape.
func (b *Builder) Unicode(line string) *Builder { return b.Line(UNICODE, line) }

// BinUnicode writes BINUNICODE.
func (b *Builder) BinUnicode(s string) *Builder {
	return b.Counted(BINUNICODE, 4, uint64(len(s)), []byte(s))
}

// ShortBinUnicode writes SHORT_BINUNICODE.
func (b *Builder) ShortBinUnicode(s string) *Builder {
	return b.Counted(SHORT_BINUNICODE, 1, uint64(len(s)), []byte(s))
}

// BinUnicode8 writes BINUNICODE8.
func (b *Builder) BinUnicode8(s string) *Builder {
	return b.Counted(BINUNICODE8, 8, uint64(len(s)), []byte(s))
}

// BinBytes writes BINBYTES.
func (b *Builder) BinBytes(p []byte) *Builder { return b.Counted(BINBYTES, 4, uint64(len(p)), p) }

// ShortBinBytes writes SHORT_BINBYTES.
func (b *Builder) ShortBinBytes(p []byte) *Builder {
	return b.Counted(SHORT_BINBYTES, 1, uint64(len(p)), p)
}

// BinBytes8 writes BINBYTES8.
func (b *Builder) BinBytes8(p []byte) *Builder { return b.Counted(BINBYTES8, 8, uint64(len(p)), p) }

// ByteArray8 writes BYTEARRAY8.
func (b *Builder) ByteArray8(p []byte) *Builder { return b.Counted(BYTEARRAY8, 8, uint64(len(p)), p) }

// NextBuffer writes NEXT_BUFFER: the next out-of-band buffer.
func (b *Builder) NextBuffer() *Builder { return b.Op(NEXT_BUFFER) }

// ReadonlyBuffer writes READONLY_BUFFER.
func (b *Builder) ReadonlyBuffer() *Builder { return b.Op(READONLY_BUFFER) }
