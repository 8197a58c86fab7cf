package pickleasm

import "strconv"

// Mark writes MARK.
func (b *Builder) Mark() *Builder { return b.Op(MARK) }

// Stop writes STOP.
func (b *Builder) Stop() *Builder { return b.Op(STOP) }

// Pop writes POP.
func (b *Builder) Pop() *Builder { return b.Op(POP) }

// PopMark writes POP_MARK.
func (b *Builder) PopMark() *Builder { return b.Op(POP_MARK) }

// Dup writes DUP.
func (b *Builder) Dup() *Builder { return b.Op(DUP) }

// Append writes APPEND.
func (b *Builder) Append() *Builder { return b.Op(APPEND) }

// Appends writes APPENDS.
func (b *Builder) Appends() *Builder { return b.Op(APPENDS) }

// List writes LIST.
func (b *Builder) List() *Builder { return b.Op(LIST) }

// EmptyList writes EMPTY_LIST.
func (b *Builder) EmptyList() *Builder { return b.Op(EMPTY_LIST) }

// Dict writes DICT.
func (b *Builder) Dict() *Builder { return b.Op(DICT) }

// EmptyDict writes EMPTY_DICT.
func (b *Builder) EmptyDict() *Builder { return b.Op(EMPTY_DICT) }

// SetItem writes SETITEM.
func (b *Builder) SetItem() *Builder { return b.Op(SETITEM) }

// SetItems writes SETITEMS.
func (b *Builder) SetItems() *Builder { return b.Op(SETITEMS) }

// Tuple writes TUPLE.
func (b *Builder) Tuple() *Builder { return b.Op(TUPLE) }

// EmptyTuple writes EMPTY_TUPLE.
func (b *Builder) EmptyTuple() *Builder { return b.Op(EMPTY_TUPLE) }

// Tuple1 writes TUPLE1.
func (b *Builder) Tuple1() *Builder { return b.Op(TUPLE1) }

// Tuple2 writes TUPLE2.
func (b *Builder) Tuple2() *Builder { return b.Op(TUPLE2) }

// Tuple3 writes TUPLE3.
func (b *Builder) Tuple3() *Builder { return b.Op(TUPLE3) }

// EmptySet writes EMPTY_SET.
func (b *Builder) EmptySet() *Builder { return b.Op(EMPTY_SET) }

// AddItems writes ADDITEMS.
func (b *Builder) AddItems() *Builder { return b.Op(ADDITEMS) }

// FrozenSet writes FROZENSET.
func (b *Builder) FrozenSet() *Builder { return b.Op(FROZENSET) }

// Put writes PUT with the text as it is.
func (b *Builder) Put(text string) *Builder { return b.Line(PUT, text) }

// BinPut writes BINPUT.
func (b *Builder) BinPut(slot byte) *Builder { return b.Op(BINPUT).Raw(slot) }

// LongBinPut writes LONG_BINPUT.
func (b *Builder) LongBinPut(slot uint32) *Builder { return b.fixed4(LONG_BINPUT, slot) }

// Memoize writes MEMOIZE: the slot is the number of entries that the memo has.
func (b *Builder) Memoize() *Builder {
	b.memo++
	return b.Op(MEMOIZE)
}

// Get writes GET with the text as it is.
func (b *Builder) Get(text string) *Builder { return b.Line(GET, text) }

// BinGet writes BINGET.
func (b *Builder) BinGet(slot byte) *Builder { return b.Op(BINGET).Raw(slot) }

// LongBinGet writes LONG_BINGET.
func (b *Builder) LongBinGet(slot uint32) *Builder { return b.fixed4(LONG_BINGET, slot) }

// Store is an opcode that writes to the memo.
type Store uint8

// The four ways to write to the memo.
const (
	ByPut Store = iota
	ByBinPut
	ByLongBinPut
	ByMemoize // ignores the slot: the reader takes the next one
)

// Load is an opcode that reads from the memo.
type Load uint8

// The three ways to read from the memo.
const (
	ByGet Load = iota
	ByBinGet
	ByLongBinGet
)

// Stores lists the four ways to write to the memo, Loads the three ways to read from it.
func Stores() []Store { return []Store{ByPut, ByBinPut, ByLongBinPut, ByMemoize} }

// Loads lists the three ways to read from the memo.
func Loads() []Load { return []Load{ByGet, ByBinGet, ByLongBinGet} }

// StoreIn writes the top of the stack to a memo slot in the given way.
func (b *Builder) StoreIn(how Store, slot uint32) *Builder {
	switch how {
	case ByPut:
		return b.Put(strconv.FormatUint(uint64(slot), 10))
	case ByBinPut:
		return b.BinPut(byte(slot))
	case ByLongBinPut:
		return b.LongBinPut(slot)
	default:
		return b.Memoize()
	}
}

// LoadFrom pushes a memo slot in the given way.
func (b *Builder) LoadFrom(how Load, slot uint32) *Builder {
	switch how {
	case ByGet:
		return b.Get(strconv.FormatUint(uint64(slot), 10))
	case ByBinGet:
		return b.BinGet(byte(slot))
	default:
		return b.LongBinGet(slot)
	}
}

// Remember memoizes the top of the stack with MEMOIZE and gives the slot that it gets,
// provided that every other store of this stream was made by Remember or Memoize.
func (b *Builder) Remember() (slot uint32) {
	slot = uint32(b.memo)
	b.Memoize()
	return slot
}
