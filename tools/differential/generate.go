package main

import (
	"math/rand/v2"
	"strings"

	asm "bartizan/internal/pickleasm"
)

// kind is what the generator knows of a stack entry.
type kind uint8

const (
	anyKind kind = iota
	textKind
	tupleKind
	listKind
	dictKind
	setKind
	nameKind   // came from find_class: can be called
	objectKind // came from a call or a persistent id
	markKind
)

// generator writes one stream by a grammar: it keeps a model of the stack and the memo and mostly does what fits.
type generator struct {
	rng     *rand.Rand
	b       *asm.Builder
	stack   []kind
	memo    map[uint32]kind
	starts  []int   // offsets at which opcodes start
	wild    float64 // chance that an opcode is written whether it fits or not
	classic bool    // protocols 0 to 2 only, so that Python 2.7 reads on
}

// stream gives the stream at a position of the sequence of a seed: the same bytes on every machine.
func stream(seed, position uint64, seeds [][]byte) []byte {
	rng := rand.New(rand.NewPCG(seed, position))
	var data []byte
	switch n := rng.IntN(100); {
	case n < 55:
		data = generated(rng)
	case n < 75:
		data = mutated(rng, generated(rng), seeds)
	case n < 80:
		data = append(generated(rng), generated(rng)...)
	case n < 95:
		data = mutated(rng, append([]byte(nil), seeds[rng.IntN(len(seeds))]...), seeds)
	default:
		data = mutated(rng, spliced(rng, generated(rng), seeds[rng.IntN(len(seeds))]), seeds)
	}
	if rng.IntN(100) == 0 {
		data = padded(rng, data)
	}
	return data
}

// generated gives a stream of the grammar, usually with frames where the protocol has them.
func generated(rng *rand.Rand) []byte {
	g := &generator{rng: rng, b: asm.New(), memo: map[uint32]kind{}, classic: rng.IntN(3) == 0}
	g.wild = []float64{0, 0, 0, 0.02, 0.08, 0.4}[rng.IntN(6)]
	if rng.IntN(4) > 0 {
		g.op().Proto(byte(rng.IntN(6)))
	}
	for steps := 2 + rng.IntN(1<<(1+rng.IntN(6))); steps > 0 && g.b.Len() < 4096; steps-- {
		g.step()
	}
	if len(g.stack) == 0 && rng.IntN(8) > 0 {
		g.atom()
	}
	if rng.IntN(20) > 0 {
		g.op().Stop()
	}
	data := g.b.Bytes()
	if !g.classic && rng.IntN(2) == 0 {
		data = framed(rng, data, g.starts)
	}
	return data
}

// op notes that an opcode starts here.
func (g *generator) op() *asm.Builder {
	g.starts = append(g.starts, g.b.Len())
	return g.b
}

func (g *generator) push(k kind) { g.stack = append(g.stack, k) }

func (g *generator) drop(n int) {
	if n = len(g.stack) - n; n < 0 {
		n = 0
	}
	g.stack = g.stack[:n]
}

// top gives the kind of the n-th entry from the top.
func (g *generator) top(n int) (kind, bool) {
	if n >= len(g.stack) {
		return anyKind, false
	}
	return g.stack[len(g.stack)-1-n], true
}

// mark gives the number of entries above the last mark.
func (g *generator) mark() (above int, ok bool) {
	for i := len(g.stack) - 1; i >= 0; i-- {
		if g.stack[i] == markKind {
			return len(g.stack) - 1 - i, true
		}
	}
	return 0, false
}

func (g *generator) step() {
	if g.rng.Float64() < g.wild {
		g.anything()
		return
	}
	switch n := g.rng.IntN(100); {
	case n < 22:
		g.atom()
	case n < 40:
		g.name()
	case n < 60:
		g.call()
	case n < 73:
		g.container()
	case n < 88:
		g.useMemo()
	case n < 97:
		g.shuffle()
	case n < 98:
		g.op().Proto(byte(g.rng.IntN(7)))
	case n < 99:
		g.op().Frame(uint64(g.rng.IntN(40)))
	default:
		g.anything()
	}
}

// shuffle moves the stack without making anything: marks, duplicates, drops.
func (g *generator) shuffle() {
	switch g.rng.IntN(6) {
	case 0, 1:
		g.op().Mark()
		g.push(markKind)
	case 2:
		if k, ok := g.top(0); ok && k != markKind {
			g.op().Dup()
			g.push(k)
		}
	case 3, 4:
		if len(g.stack) > 0 {
			g.op().Pop()
			g.drop(1)
		}
	default:
		if above, ok := g.mark(); ok {
			g.op().PopMark()
			g.drop(above + 1)
		}
	}
}

// name pushes something that can be called.
func (g *generator) name() {
	module, name := pick(g.rng, moduleNames), pick(g.rng, attributeNames)
	if g.rng.IntN(8) == 0 {
		module, name = odd(g.rng, module), odd(g.rng, name)
	}
	switch n := g.rng.IntN(20); {
	case n < 6 || g.classic && n < 15:
		g.op().Global(oneLine(module), oneLine(name))
		g.push(nameKind)
	case n < 11:
		g.text(module)
		g.text(name)
		g.op().StackGlobal()
		g.drop(2)
		g.push(nameKind)
	case n < 15:
		g.hiddenName(module, name)
	case n < 17:
		g.extension()
	case n < 18:
		g.op().PersID(oneLine(odd(g.rng, "storage")))
		g.push(objectKind)
	case n < 19:
		g.atom()
		g.op().BinPersID()
		g.drop(1)
		g.push(objectKind)
	default:
		if above, ok := g.mark(); ok {
			g.op().Inst(oneLine(module), oneLine(name))
			g.drop(above + 1)
			g.push(objectKind)
		}
	}
}

// hiddenName resolves texts that lie in the memo, with other things in between.
func (g *generator) hiddenName(module, name string) {
	slots := [2]uint32{}
	for i, s := range []string{module, name} {
		g.text(s)
		slots[i] = g.store()
		if g.rng.IntN(2) == 0 {
			g.op().Pop()
			g.drop(1)
		}
	}
	if g.rng.IntN(3) == 0 {
		g.atom()
		g.op().Pop()
		g.drop(1)
	}
	for _, slot := range slots {
		g.load(slot)
	}
	g.op().StackGlobal()
	g.drop(2)
	g.push(nameKind)
}

func (g *generator) extension() {
	switch g.rng.IntN(4) {
	case 0:
		g.op().Ext1(pick(g.rng, []byte{1, 2, 5, 255, 0, 9}))
	case 1:
		g.op().Ext2(pick(g.rng, []uint16{1, 256, 65535, 0, 300}))
	case 2:
		g.op().Ext4(pick(g.rng, []int32{1, 65536, 0x7fffffff, 0, -1, 70000}))
	default:
		g.op().Ext1(1)
	}
	g.push(nameKind)
}

// call calls what fits on top of the stack, or makes something callable first.
func (g *generator) call() {
	if k, ok := g.top(0); !ok || k != nameKind && k != objectKind {
		g.name()
		if k, ok := g.top(0); !ok || k != nameKind && k != objectKind {
			return
		}
	}
	switch n := g.rng.IntN(16); {
	case n < 5:
		g.arguments()
		g.op().Reduce()
		g.drop(2)
		g.push(objectKind)
	case n < 7:
		g.arguments()
		g.op().NewObj()
		g.drop(2)
		g.push(objectKind)
	case n < 8:
		g.arguments()
		g.op().EmptyDict()
		g.push(dictKind)
		g.op().NewObjEx()
		g.drop(3)
		g.push(objectKind)
	case n < 11:
		g.state()
		g.op().Build()
		g.drop(1)
	case n < 14:
		g.fill()
	default:
		g.overMark()
	}
}

// overMark calls with OBJ: a mark, the callable (through the memo), arguments.
func (g *generator) overMark() {
	slot := g.store()
	g.op().Mark()
	g.push(markKind)
	g.load(slot)
	for n := g.rng.IntN(3); n > 0; n-- {
		g.atom()
	}
	g.op().Obj()
	above, _ := g.mark()
	g.drop(above + 1)
	g.push(objectKind)
}

// fill puts items into the object on top, as readers do for objects that are no list, dict or set.
func (g *generator) fill() {
	switch g.rng.IntN(5) {
	case 0:
		g.atom()
		g.op().Append()
		g.drop(1)
	case 1:
		g.atom()
		g.atom()
		g.op().SetItem()
		g.drop(2)
	default:
		g.op().Mark()
		g.push(markKind)
		for n := 2 * g.rng.IntN(3); n > 0; n-- {
			g.atom()
		}
		g.op().Op(pick(g.rng, []asm.Op{asm.APPENDS, asm.SETITEMS, asm.ADDITEMS}))
		above, _ := g.mark()
		g.drop(above + 1)
	}
}

func (g *generator) arguments() {
	switch g.rng.IntN(6) {
	case 0, 1:
		g.op().EmptyTuple()
	case 2:
		g.atom()
		g.op().Tuple1()
		g.drop(1)
	case 3:
		g.op().Mark()
		for n := g.rng.IntN(3); n > 0; n-- {
			g.atom()
			g.drop(1)
		}
		g.op().Tuple()
	case 4:
		g.op().EmptyList() // only the Python reader takes it
	default:
		g.atom()
		g.drop(1)
	}
	g.push(tupleKind)
}

func (g *generator) state() {
	switch g.rng.IntN(4) {
	case 0:
		g.op().EmptyDict()
	case 1:
		g.op().EmptyDict()
		g.text(pick(g.rng, stateKeys))
		if g.rng.IntN(2) == 0 {
			g.name()
		} else {
			g.atom()
		}
		g.op().SetItem()
		g.drop(2)
	case 2:
		g.op().None()
		g.op().EmptyDict()
		if g.rng.IntN(2) == 0 {
			g.text(pick(g.rng, stateKeys))
			g.name()
			g.op().SetItem()
			g.drop(2)
		}
		g.op().Tuple2()
	default:
		g.atom()
		g.drop(1)
	}
	g.push(dictKind)
}

func (g *generator) container() {
	above, marked := g.mark()
	switch n := g.rng.IntN(12); {
	case n < 3:
		g.op().Op(pick(g.rng, []asm.Op{asm.EMPTY_LIST, asm.EMPTY_DICT, asm.EMPTY_TUPLE}))
		g.push(listKind)
	case n == 3 && !g.classic:
		g.op().EmptySet()
		g.push(setKind)
	case n < 7 && marked:
		op := pick(g.rng, []asm.Op{asm.TUPLE, asm.LIST, asm.DICT, asm.FROZENSET, asm.TUPLE})
		if op == asm.DICT && above%2 == 1 {
			op = asm.LIST
		}
		g.op().Op(op)
		g.drop(above + 1)
		g.push(tupleKind)
	case n < 10 && len(g.stack) > 2 && !marked:
		k := 1 + g.rng.IntN(3)
		g.op().Op([]asm.Op{asm.TUPLE1, asm.TUPLE2, asm.TUPLE3}[k-1])
		g.drop(k)
		g.push(tupleKind)
	default:
		g.fill()
	}
}

// anything writes any opcode with any argument, whether it fits or not.
func (g *generator) anything() {
	info := pick(g.rng, asm.Opcodes())
	b := g.op().Op(info.Op)
	switch info.Argument {
	case asm.Line:
		b.Text(oneLine(odd(g.rng, pick(g.rng, lineTexts)))).Raw('\n')
	case asm.TwoLines:
		b.Text(pick(g.rng, moduleNames)).Raw('\n').Text(pick(g.rng, attributeNames)).Raw('\n')
	case asm.Fixed1, asm.Fixed2, asm.Fixed4, asm.Fixed8, asm.Counted1, asm.Counted4, asm.Counted8:
		b.Raw(g.number(info.Argument)...)
	}
}

// number writes a field of an opcode: mostly small, sometimes at an edge, never a memo slot that would take real memory.
func (g *generator) number(a asm.Argument) []byte {
	width := fieldWidth(a)
	out := make([]byte, width)
	out[0] = byte(g.rng.IntN(9))
	if g.rng.IntN(6) == 0 {
		out[width-1] |= pick(g.rng, []byte{0x7f, 0x80, 0xff})
	}
	return out
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// oneLine drops newlines, so that a text stays within its line.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "") }

var (
	moduleNames    = []string{"os", "posix", "builtins", "__builtin__", "a", "b.c", "copy_reg", "nt", "__main__", "torch._utils"}
	attributeNames = []string{"system", "eval", "X", "YD", "f", "g.h", "getattr", "_reconstructor", "é", "Z.__init__"}
	stateKeys      = []string{"attribute", "append", "extend", "add", "__setstate__", "__new__", "__call__", "__dict__"}
	lineTexts      = []string{"0", "1", "2", "abc", "'q'", "1.5", "3L", ""}
)
