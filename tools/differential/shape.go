package main

import (
	"bytes"
	"encoding/binary"
	"strings"

	asm "bartizan/internal/pickleasm"
)

// shape is a stream's sequence of opcodes without their arguments, as a plain linear reader takes them: streams of one
// shape mostly show one bug.
func shape(data []byte) string {
	var out strings.Builder
	for len(data) > 0 {
		info, ok := asm.Lookup(asm.Op(data[0]))
		if !ok {
			return out.String() + "?"
		}
		out.WriteString(info.Name + " ")
		if data, ok = skip(data[1:], info.Argument); !ok {
			return out.String() + "cut"
		}
	}
	return out.String()
}

// skip gives what follows an argument; ok is false where the argument is cut off.
func skip(data []byte, argument asm.Argument) (rest []byte, ok bool) {
	lines := map[asm.Argument]int{asm.Line: 1, asm.TwoLines: 2}[argument]
	for ; lines > 0; lines-- {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			return nil, false
		}
		data = data[end+1:]
	}
	width := fieldWidth(argument)
	if len(data) < width {
		return nil, false
	}
	field, rest := data[:width], data[width:]
	if argument == asm.Counted1 || argument == asm.Counted4 || argument == asm.Counted8 {
		n := binary.LittleEndian.Uint64(append(append([]byte(nil), field...), make([]byte, 8-width)...))
		if n > uint64(len(rest)) {
			return nil, false
		}
		rest = rest[n:]
	}
	return rest, true
}

// fieldWidth is the size of an argument's fixed part, in bytes.
func fieldWidth(argument asm.Argument) int {
	switch argument {
	case asm.Fixed1, asm.Counted1:
		return 1
	case asm.Fixed2:
		return 2
	case asm.Fixed4, asm.Counted4:
		return 4
	case asm.Fixed8, asm.Counted8:
		return 8
	default:
		return 0
	}
}
