package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	asm "bartizan/internal/pickleasm"
)

// atom pushes one plain value in any of its spellings.
func (g *generator) atom() {
	switch n := g.rng.IntN(20); {
	case n < 3:
		g.op().None()
	case n < 5:
		g.op().BinInt1(byte(g.rng.IntN(256)))
	case n < 6:
		g.op().BinInt(int32(g.rng.Uint32()))
	case n < 7:
		g.op().BinInt2(uint16(g.rng.IntN(65536)))
	case n < 8:
		g.op().Int(oddNumber(g.rng, g.rng.IntN(12)))
	case n < 9:
		g.op().Long(oddNumber(g.rng, g.rng.IntN(12)) + pick(g.rng, []string{"", "L", "LL"}))
	case n < 10:
		g.op().Float(pick(g.rng, []string{"1.5", " 1", "nan", "1e5", "1_0.5", "x", "1.5\x00"}))
	case n < 11:
		g.op().BinFloat(g.rng.Float64())
	case n < 12:
		g.op().Op(pick(g.rng, []asm.Op{asm.NEWTRUE, asm.NEWFALSE, asm.EMPTY_TUPLE}))
	case n < 13:
		g.bytes()
	case n < 14:
		g.long()
	default:
		g.text(pick(g.rng, pick(g.rng, [][]string{moduleNames, attributeNames, lineTexts})))
		return
	}
	g.push(anyKind)
}

func (g *generator) long() {
	value := []byte{1, 2, 3}[:g.rng.IntN(4)]
	if g.rng.IntN(2) == 0 {
		g.op().Long1(value)
		return
	}
	g.op().Long4(value)
}

func (g *generator) bytes() {
	value := []byte("cos\nsystem\n.")[:g.rng.IntN(13)]
	if g.classic {
		g.op().ShortBinString(string(value))
		return
	}
	switch g.rng.IntN(6) {
	case 0:
		g.op().BinBytes(value)
	case 1:
		g.op().BinBytes8(value)
	case 2:
		g.op().ByteArray8(value)
	case 3:
		g.op().NextBuffer()
		if g.rng.IntN(2) == 0 {
			g.op().ReadonlyBuffer()
		}
	default:
		g.op().ShortBinBytes(value)
	}
}

// text pushes a text in any of its encodings and spellings.
func (g *generator) text(s string) {
	forms := asm.TextForms()
	if g.classic {
		forms = forms[:6]
	}
	form := pick(g.rng, forms)
	switch {
	case g.rng.IntN(10) > 0:
		g.op().Str(form, s)
	case form == asm.AsUnicode:
		g.op().Unicode(oneLine(oddEscape(g.rng, s)))
	default:
		g.op().String(oneLine(oddQuote(g.rng, s)))
	}
	g.push(textKind)
}

// oddNumber spells n in the ways that one reader or another takes for a number.
func oddNumber(rng *rand.Rand, n int) string {
	d := strconv.Itoa(n)
	return pick(rng, []string{d, d, d, " " + d, d + " ", "+" + d, "-" + d, "0" + d, "00" + d, d + "L", "1_" + d, "0x" + d, "0o" + d,
		d + "\r", "\t" + d, d + "\x00", "\x0c" + d, "", "True", "01", "00", "١", d + ".0", "1__0", "_1", d + "\x00x"})
}

// oddQuote spells a STRING line with quotes and escapes that readers treat each in their way.
func oddQuote(rng *rand.Rand, s string) string {
	hex := ""
	for i := 0; i < len(s); i++ {
		hex += fmt.Sprintf(`\x%02x`, s[i])
	}
	octal := ""
	for i := 0; i < len(s); i++ {
		octal += fmt.Sprintf(`\%o`, s[i])
	}
	return pick(rng, []string{"'" + hex + "'", `"` + octal + `"`, "'" + s, s + "'", s, "'" + s + `"`, "'" + s + "'\r", " '" + s + "'",
		"'" + s + "' ", "''" + s + "''", `'\q` + s + `'`, `'\` + s + `'`, "'" + s + "\\", "'" + s + "'\x00", `'\x4'`, "u'" + s + "'", "'", "''"})
}

// oddEscape spells a UNICODE line in raw-unicode-escape and what looks like it.
func oddEscape(rng *rand.Rand, s string) string {
	wide := ""
	for _, r := range s {
		wide += fmt.Sprintf(pick(rng, []string{`\u%04x`, `\U%08x`}), r)
	}
	return pick(rng, []string{wide, s + "\r", `\x6f` + s, `\u00`, `\U00110000`, `\\u006f`, `\\\u006f`, `\ud800` + s, s + "\x00", " " + s, "é\xff", `\` + s})
}

// odd changes a text so that readers may disagree on it.
func odd(rng *rand.Rand, s string) string {
	return pick(rng, []string{s, s + "\r", " " + s, s + " ", "\t" + s, s + "\x00", "\x00" + s, s + "\xff", s + "é", "\ufeff" + s, s + ".", "." + s,
		s + ".x", "", s + "\x1a", "'" + s + "'", s + "\u2028", s + "\v", s + " y"})
}

// useMemo stores or loads: mostly slots that exist.
func (g *generator) useMemo() {
	if len(g.memo) > 0 && g.rng.IntN(2) == 0 {
		g.load(uint32(g.rng.IntN(len(g.memo) + 1)))
		return
	}
	if k, ok := g.top(0); ok && k != markKind {
		g.store()
	}
}

// store writes the top of the stack to a slot: the next one, one that exists, or one far off.
func (g *generator) store() uint32 {
	slot := uint32(len(g.memo))
	switch g.rng.IntN(12) {
	case 0:
		slot = uint32(g.rng.IntN(len(g.memo) + 1))
	case 1:
		slot += uint32(g.rng.IntN(300))
	case 2:
		g.oddStore()
	}
	k, _ := g.top(0)
	how := pick(g.rng, asm.Stores())
	if how == asm.ByMemoize {
		if g.classic {
			how = asm.ByBinPut
		} else {
			slot = uint32(len(g.memo))
		}
	}
	if how == asm.ByBinPut && slot > 255 {
		how = asm.ByLongBinPut
	}
	g.op().StoreIn(how, slot)
	g.memo[slot] = k
	return slot
}

// oddStore writes slots that readers refuse, or take each in their way.
func (g *generator) oddStore() {
	switch g.rng.IntN(4) {
	case 0:
		g.op().LongBinPut(pick(g.rng, []uint32{1 << 31, 1<<32 - 1, 1 << 30, 5000}))
	default:
		g.op().Put(oddNumber(g.rng, g.rng.IntN(len(g.memo)+2)))
	}
}

func (g *generator) load(slot uint32) {
	how := pick(g.rng, asm.Loads())
	if how == asm.ByBinGet && slot > 255 {
		how = asm.ByLongBinGet
	}
	if g.rng.IntN(25) == 0 {
		g.op().Get(oddNumber(g.rng, int(slot)))
	} else {
		g.op().LoadFrom(how, slot)
	}
	g.push(g.memo[slot])
}
