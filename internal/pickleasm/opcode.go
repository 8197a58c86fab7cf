package pickleasm

// Op is one pickle opcode.
type Op byte

// The 68 opcodes of protocols 0 to 5, named and ordered as in CPython's Lib/pickle.py, so that one search finds both.
const (
	MARK            Op = '('
	STOP            Op = '.'
	POP             Op = '0'
	POP_MARK        Op = '1'
	DUP             Op = '2'
	FLOAT           Op = 'F'
	INT             Op = 'I'
	BININT          Op = 'J'
	BININT1         Op = 'K'
	LONG            Op = 'L'
	BININT2         Op = 'M'
	NONE            Op = 'N'
	PERSID          Op = 'P'
	BINPERSID       Op = 'Q'
	REDUCE          Op = 'R'
	STRING          Op = 'S'
	BINSTRING       Op = 'T'
	SHORT_BINSTRING Op = 'U'
	UNICODE         Op = 'V'
	BINUNICODE      Op = 'X'
	APPEND          Op = 'a'
	BUILD           Op = 'b'
	GLOBAL          Op = 'c'
	DICT            Op = 'd'
	EMPTY_DICT      Op = '}'
	APPENDS         Op = 'e'
	GET             Op = 'g'
	BINGET          Op = 'h'
	INST            Op = 'i'
	LONG_BINGET     Op = 'j'
	LIST            Op = 'l'
	EMPTY_LIST      Op = ']'
	OBJ             Op = 'o'
	PUT             Op = 'p'
	BINPUT          Op = 'q'
	LONG_BINPUT     Op = 'r'
	SETITEM         Op = 's'
	TUPLE           Op = 't'
	EMPTY_TUPLE     Op = ')'
	SETITEMS        Op = 'u'
	BINFLOAT        Op = 'G'

	PROTO    Op = 0x80
	NEWOBJ   Op = 0x81
	EXT1     Op = 0x82
	EXT2     Op = 0x83
	EXT4     Op = 0x84
	TUPLE1   Op = 0x85
	TUPLE2   Op = 0x86
	TUPLE3   Op = 0x87
	NEWTRUE  Op = 0x88
	NEWFALSE Op = 0x89
	LONG1    Op = 0x8a
	LONG4    Op = 0x8b

	BINBYTES       Op = 'B'
	SHORT_BINBYTES Op = 'C'

	SHORT_BINUNICODE Op = 0x8c
	BINUNICODE8      Op = 0x8d
	BINBYTES8        Op = 0x8e
	EMPTY_SET        Op = 0x8f
	ADDITEMS         Op = 0x90
	FROZENSET        Op = 0x91
	NEWOBJ_EX        Op = 0x92
	STACK_GLOBAL     Op = 0x93
	MEMOIZE          Op = 0x94
	FRAME            Op = 0x95

	BYTEARRAY8      Op = 0x96
	NEXT_BUFFER     Op = 0x97
	READONLY_BUFFER Op = 0x98
)

// Argument says how an opcode's argument is written in the stream.
type Argument uint8

// The forms of arguments.
const (
	NoArgument Argument = iota
	Line                // text up to and without a newline
	TwoLines            // module line, then name line
	Fixed1              // 1 byte
	Fixed2              // 2 bytes, little-endian
	Fixed4              // 4 bytes, little-endian
	Fixed8              // 8 bytes
	Counted1            // 1-byte length, then that many bytes
	Counted4            // 4-byte little-endian length, then that many bytes
	Counted8            // 8-byte little-endian length, then that many bytes
)

// Info describes an opcode.
type Info struct {
	Op       Op
	Name     string // CPython's name, such as "STACK_GLOBAL"
	Protocol int    // the protocol that introduced it
	Argument Argument
}

// Opcodes lists all 68 opcodes by protocol of introduction.
func Opcodes() []Info { return append([]Info(nil), opcodes[:]...) }

// Lookup gives the description of op; ok is false for a byte that is no opcode.
func Lookup(op Op) (info Info, ok bool) {
	for _, info := range opcodes {
		if info.Op == op {
			return info, true
		}
	}
	return Info{}, false
}

var opcodes = [...]Info{
	{MARK, "MARK", 0, NoArgument},
	{STOP, "STOP", 0, NoArgument},
	{POP, "POP", 0, NoArgument},
	{DUP, "DUP", 0, NoArgument},
	{FLOAT, "FLOAT", 0, Line},
	{INT, "INT", 0, Line},
	{LONG, "LONG", 0, Line},
	{NONE, "NONE", 0, NoArgument},
	{PERSID, "PERSID", 0, Line},
	{REDUCE, "REDUCE", 0, NoArgument},
	{STRING, "STRING", 0, Line},
	{UNICODE, "UNICODE", 0, Line},
	{APPEND, "APPEND", 0, NoArgument},
	{BUILD, "BUILD", 0, NoArgument},
	{GLOBAL, "GLOBAL", 0, TwoLines},
	{DICT, "DICT", 0, NoArgument},
	{GET, "GET", 0, Line},
	{INST, "INST", 0, TwoLines},
	{LIST, "LIST", 0, NoArgument},
	{PUT, "PUT", 0, Line},
	{SETITEM, "SETITEM", 0, NoArgument},
	{TUPLE, "TUPLE", 0, NoArgument},

	{POP_MARK, "POP_MARK", 1, NoArgument},
	{BININT, "BININT", 1, Fixed4},
	{BININT1, "BININT1", 1, Fixed1},
	{BININT2, "BININT2", 1, Fixed2},
	{BINPERSID, "BINPERSID", 1, NoArgument},
	{BINSTRING, "BINSTRING", 1, Counted4},
	{SHORT_BINSTRING, "SHORT_BINSTRING", 1, Counted1},
	{BINUNICODE, "BINUNICODE", 1, Counted4},
	{EMPTY_DICT, "EMPTY_DICT", 1, NoArgument},
	{APPENDS, "APPENDS", 1, NoArgument},
	{BINGET, "BINGET", 1, Fixed1},
	{LONG_BINGET, "LONG_BINGET", 1, Fixed4},
	{EMPTY_LIST, "EMPTY_LIST", 1, NoArgument},
	{OBJ, "OBJ", 1, NoArgument},
	{BINPUT, "BINPUT", 1, Fixed1},
	{LONG_BINPUT, "LONG_BINPUT", 1, Fixed4},
	{EMPTY_TUPLE, "EMPTY_TUPLE", 1, NoArgument},
	{SETITEMS, "SETITEMS", 1, NoArgument},
	{BINFLOAT, "BINFLOAT", 1, Fixed8},

	{PROTO, "PROTO", 2, Fixed1},
	{NEWOBJ, "NEWOBJ", 2, NoArgument},
	{EXT1, "EXT1", 2, Fixed1},
	{EXT2, "EXT2", 2, Fixed2},
	{EXT4, "EXT4", 2, Fixed4},
	{TUPLE1, "TUPLE1", 2, NoArgument},
	{TUPLE2, "TUPLE2", 2, NoArgument},
	{TUPLE3, "TUPLE3", 2, NoArgument},
	{NEWTRUE, "NEWTRUE", 2, NoArgument},
	{NEWFALSE, "NEWFALSE", 2, NoArgument},
	{LONG1, "LONG1", 2, Counted1},
	{LONG4, "LONG4", 2, Counted4},

	{BINBYTES, "BINBYTES", 3, Counted4},
	{SHORT_BINBYTES, "SHORT_BINBYTES", 3, Counted1},

	{SHORT_BINUNICODE, "SHORT_BINUNICODE", 4, Counted1},
	{BINUNICODE8, "BINUNICODE8", 4, Counted8},
	{BINBYTES8, "BINBYTES8", 4, Counted8},
	{EMPTY_SET, "EMPTY_SET", 4, NoArgument},
	{ADDITEMS, "ADDITEMS", 4, NoArgument},
	{FROZENSET, "FROZENSET", 4, NoArgument},
	{NEWOBJ_EX, "NEWOBJ_EX", 4, NoArgument},
	{STACK_GLOBAL, "STACK_GLOBAL", 4, NoArgument},
	{MEMOIZE, "MEMOIZE", 4, NoArgument},
	{FRAME, "FRAME", 4, Fixed8},

	{BYTEARRAY8, "BYTEARRAY8", 5, Counted8},
	{NEXT_BUFFER, "NEXT_BUFFER", 5, NoArgument},
	{READONLY_BUFFER, "READONLY_BUFFER", 5, NoArgument},
}
