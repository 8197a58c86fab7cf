package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	asm "bartizan/internal/pickleasm"
)

// mutated changes a stream in one to four places.
func mutated(rng *rand.Rand, data []byte, seeds [][]byte) []byte {
	for n := 1 + rng.IntN(4); n > 0 && len(data) > 0; n-- {
		data = mutateOnce(rng, data, seeds)
	}
	return data
}

func mutateOnce(rng *rand.Rand, data []byte, seeds [][]byte) []byte {
	at := rng.IntN(len(data))
	switch rng.IntN(14) {
	case 0: // bit flip
		data[at] ^= 1 << rng.IntN(8)
	case 1: // any byte
		data[at] = byte(rng.IntN(256))
	case 2, 3: // an opcode in the place of a byte
		data[at] = byte(pick(rng, asm.Opcodes()).Op)
	case 4: // a byte less
		data = slices.Delete(data, at, at+1)
	case 5: // a piece less
		data = slices.Delete(data, at, min(len(data), at+1+rng.IntN(8)))
	case 6: // an opcode more
		data = slices.Insert(data, at, byte(pick(rng, asm.Opcodes()).Op))
	case 7: // a piece twice
		piece := append([]byte(nil), data[at:min(len(data), at+1+rng.IntN(16))]...)
		data = slices.Insert(data, rng.IntN(len(data)), piece...)
	case 8: // cut
		data = data[:at]
	case 9: // a frame header
		data = slices.Insert(data, at, asm.New().Frame(uint64(rng.IntN(len(data)-at+2))).Bytes()...)
	case 10: // late PROTO
		data = slices.Insert(data, at, byte(asm.PROTO), byte(rng.IntN(7)))
	case 11: // a newline where none was, or none where one was
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 && rng.IntN(2) == 0 {
			data[at+i] = '\r'
		} else {
			data = slices.Insert(data, at, '\n')
		}
	case 12: // early STOP
		data = slices.Insert(data, at, byte(asm.STOP))
	default: // a piece of another stream
		data = spliced(rng, data, pick(rng, seeds))
	}
	return data
}

// spliced puts a piece of one stream into another, or joins head and tail.
func spliced(rng *rand.Rand, into, from []byte) []byte {
	if len(into) == 0 || len(from) == 0 {
		return append([]byte(nil), append(into, from...)...)
	}
	start := rng.IntN(len(from))
	end := start + rng.IntN(min(len(from)-start, 40)+1)
	at := rng.IntN(len(into) + 1)
	if rng.IntN(3) == 0 {
		return slices.Concat(into[:at], from[start:])
	}
	return slices.Concat(into[:at], from[start:end], into[at:])
}

// framed puts FRAME opcodes into a stream: right ones, and ones that end inside an opcode, a text line, another frame
// or beyond the stream. Starts are the offsets at which opcodes start.
func framed(rng *rand.Rand, data []byte, starts []int) []byte {
	if len(starts) < 2 {
		return data
	}
	from := 0
	if data[0] == byte(asm.PROTO) {
		from = 1
	}
	if rng.IntN(3) == 0 { // one right frame over everything
		return insertFrame(data, starts[from], uint64(len(data)-starts[from]))
	}
	for n := 1 + rng.IntN(3); n > 0; n-- {
		first := from + rng.IntN(len(starts)-from)
		begin := starts[first]
		end := len(data)
		if rng.IntN(4) > 0 && first+1 < len(starts) {
			end = starts[first+1+rng.IntN(len(starts)-first-1)]
		}
		length := int64(end - begin)
		switch rng.IntN(4) {
		case 0: // ends inside an opcode or a line
			length = int64(rng.IntN(end - begin + 1))
		case 1: // off by a little
			length += int64(rng.IntN(7) - 3)
		}
		if length < 0 || rng.IntN(200) == 0 {
			length = pick(rng, []int64{0, 1 << 31, 1<<62 + 3, -1})
		}
		data = insertFrame(data, begin, uint64(length))
		starts = shifted(starts, begin)
	}
	return data
}

func insertFrame(data []byte, at int, length uint64) []byte {
	header := binary.LittleEndian.AppendUint64([]byte{byte(asm.FRAME)}, length)
	return slices.Concat(data[:at], header, data[at:])
}

// shifted gives the offsets after nine bytes were put in at one of them.
func shifted(starts []int, at int) []int {
	out := make([]int, 0, len(starts)+1)
	for _, s := range starts {
		if s == at {
			out = append(out, s)
		}
		if s >= at {
			s += 9
		}
		out = append(out, s)
	}
	return out
}

// padded puts bytes before the stream that are read and dropped, so that the end of an opened file's 8 KiB buffer
// falls into it: there the C reader over a file changes from peeking to reading.
func padded(rng *rand.Rand, data []byte) []byte {
	const buffer = 8192
	fill := buffer - rng.IntN(len(data)+64)
	b := asm.New()
	if rng.IntN(2) == 0 {
		return b.BinBytes(make([]byte, fill)).Pop().Raw(data...).Bytes()
	}
	return b.Raw(bytes.Repeat([]byte("N0"), fill/2)...).Raw(data...).Bytes()
}
