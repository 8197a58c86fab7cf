package loadable

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// How the argument of a pickle opcode is written (CPython's pickletools).
const (
	argNone = iota
	argLine
	argTwoLines
	arg1
	arg2
	arg4
	arg8
	argShort // one byte of length
	argLong  // four bytes of length
	argWide  // eight bytes of length
)

// pickleArgs gives the argument of each opcode; others are none.
var pickleArgs = map[byte]int{
	'F': argLine, 'I': argLine, 'L': argLine, 'P': argLine, 'S': argLine, 'V': argLine, 'g': argLine, 'p': argLine,
	'c': argTwoLines, 'i': argTwoLines,
	'K': arg1, 'h': arg1, 'q': arg1, 0x80: arg1, 0x82: arg1, 'M': arg2, 0x83: arg2,
	'J': arg4, 'j': arg4, 'r': arg4, 0x84: arg4, 'G': arg8, 0x95: arg8,
	'U': argShort, 'C': argShort, 0x8c: argShort, 0x8a: argShort,
	'T': argLong, 'X': argLong, 'B': argLong, 0x8b: argLong,
	0x8d: argWide, 0x8e: argWide, 0x96: argWide,
	'(': 0, '.': 0, '0': 0, '1': 0, '2': 0, 'N': 0, 'Q': 0, 'R': 0, 'a': 0, 'b': 0, 'd': 0, '}': 0, 'e': 0, 'l': 0, ']': 0,
	'o': 0, 's': 0, 't': 0, ')': 0, 'u': 0, 0x81: 0, 0x85: 0, 0x86: 0, 0x87: 0, 0x88: 0, 0x89: 0, 0x8f: 0, 0x90: 0, 0x91: 0,
	0x92: 0, 0x93: 0, 0x94: 0, 0x97: 0, 0x98: 0,
}

// Opcodes by what they do: name a callable, directly or through a hook; make the
// arguments of a call; call.
const (
	importing = "ci\x93\x82\x83\x84PQ"
	tuples    = ")t\x85\x86\x87"
	calls     = "Rio\x81\x92b"
)

// imports says whether data reads as a pickle of any protocol that imports
// something and then stops, calls something or ends, or that goes on past the
// data where they are not whole: text of protocol 0 has no magic. It follows
// opcodes and arguments only, in linear time.
func imports(data []byte, whole bool) bool {
	found, tuple, acts := false, false, false
	for len(data) > 0 {
		op := data[0]
		kind, known := pickleArgs[op]
		switch {
		case !known:
			return acts
		case op == '.' && found:
			return true
		}
		acts = acts || found && tuple && strings.IndexByte(calls, op) >= 0
		tuple = tuple || found && strings.IndexByte(tuples, op) >= 0
		n, ok := pickleArg(kind, data[1:])
		if !ok {
			break
		}
		found = found || strings.IndexByte(importing, op) >= 0 && (kind != argTwoLines || names(data[1:1+n]))
		data = data[1+n:]
	}
	return found || acts || !whole
}

// names says whether two lines are the names of a module and of something in it,
// as which prose rarely reads.
func names(lines []byte) bool {
	for _, c := range lines {
		if c != '\n' && c != '.' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c < 0x80 {
			return false
		}
	}
	return true
}

// pickleArg gives the length of an argument, and whether all of it is there.
func pickleArg(kind int, data []byte) (int, bool) {
	n, size := 0, 0
	switch kind {
	case argLine, argTwoLines:
		for lines := kind; lines >= argLine; lines-- {
			i := bytes.IndexByte(data[n:], '\n')
			if i < 0 {
				return 0, false
			}
			n += i + 1
		}
		return n, true
	case arg1, argShort:
		n = 1
	case arg2:
		n = 2
	case arg4, argLong:
		n = 4
	case arg8, argWide:
		n = 8
	}
	if len(data) < n {
		return 0, false
	}
	switch kind {
	case argShort:
		size = int(data[0])
	case argLong:
		size = int(binary.LittleEndian.Uint32(data))
	case argWide:
		if v := binary.LittleEndian.Uint64(data); v > uint64(len(data)) {
			return 0, false
		}
		size = int(binary.LittleEndian.Uint64(data))
	}
	return n + size, n+size <= len(data)
}
