package main

import (
	"encoding/binary"
	"fmt"
	"math"

	asm "bartizan/internal/pickleasm"
)

// Values that the pickler takes besides int, float64, nil and bool. Pointers have identity: the second time one is
// written, it comes from the memo, as CPython's pickler does it.
type (
	text  struct{ s string }
	list  struct{ items []any }
	tuple struct{ items []any }
	dict  struct{ keys, values []any }
)

// pickler writes values as the C pickler of CPython does at protocols 2 and 4: memoized in order of first use, items in
// batches of 1000, frames of 64 KiB (Modules/_pickle.c: save, memo_put, batch_list_exact, _Pickler_OpcodeBoundary).
type pickler struct {
	out        []byte
	protocol   int
	memo       map[any]int
	frameStart int // offset of the open frame's header, or -1
	opcodes    int
}

const (
	batchSize   = 1000
	frameTarget = 64 << 10
	frameHeader = 9
)

// dumps gives the pickle of v and its number of opcodes.
func dumps(v any, protocol int) (data []byte, opcodes int, err error) {
	if protocol != 2 && protocol != 4 {
		return nil, 0, fmt.Errorf("protocol %d: want 2 or 4", protocol)
	}
	p := &pickler{protocol: protocol, memo: map[any]int{}, frameStart: -1}
	p.out = append(p.out, byte(asm.PROTO), byte(protocol))
	p.opcodes++
	if err := p.save(v); err != nil {
		return nil, 0, err
	}
	p.op(asm.STOP)
	p.closeFrame()
	return p.out, p.opcodes, nil
}

func (p *pickler) op(op asm.Op, argument ...byte) {
	if p.protocol >= 4 && p.frameStart < 0 {
		p.frameStart = len(p.out)
		p.out = append(p.out, byte(asm.FRAME), 0, 0, 0, 0, 0, 0, 0, 0)
		p.opcodes++
	}
	p.out = append(append(p.out, byte(op)), argument...)
	p.opcodes++
}

func (p *pickler) closeFrame() {
	if p.frameStart >= 0 {
		binary.LittleEndian.PutUint64(p.out[p.frameStart+1:], uint64(len(p.out)-p.frameStart-frameHeader))
		p.frameStart = -1
	}
}

func (p *pickler) save(v any) error {
	if p.frameStart >= 0 && len(p.out)-p.frameStart-frameHeader >= frameTarget {
		p.closeFrame()
	}
	switch v := v.(type) {
	case nil:
		p.op(asm.NONE)
	case bool:
		if v {
			p.op(asm.NEWTRUE)
		} else {
			p.op(asm.NEWFALSE)
		}
	case int:
		p.integer(v)
	case float64:
		p.op(asm.BINFLOAT, binary.BigEndian.AppendUint64(nil, math.Float64bits(v))...)
	default:
		return p.memoized(v)
	}
	return nil
}

func (p *pickler) integer(v int) {
	switch {
	case v >= 0 && v < 1<<8:
		p.op(asm.BININT1, byte(v))
	case v >= 0 && v < 1<<16:
		p.op(asm.BININT2, byte(v), byte(v>>8))
	case v == int(int32(v)):
		p.op(asm.BININT, binary.LittleEndian.AppendUint32(nil, uint32(v))...)
	default:
		le := binary.LittleEndian.AppendUint64(nil, uint64(v))
		for n := len(le); n > 1; n-- { // as few bytes as keep the sign
			if top := int8(le[n-2]); (le[n-1] == 0 && top >= 0) || (le[n-1] == 0xff && top < 0) {
				le = le[:n-1]
				continue
			}
			break
		}
		p.op(asm.LONG1, append([]byte{byte(len(le))}, le...)...)
	}
}

func (p *pickler) memoized(v any) error {
	if slot, ok := p.memo[v]; ok {
		p.get(slot)
		return nil
	}
	switch v := v.(type) {
	case *text:
		return p.text(v)
	case *list:
		p.op(asm.EMPTY_LIST)
		p.put(v)
		return p.batches(len(v.items), asm.APPEND, asm.APPENDS, func(i int) error { return p.save(v.items[i]) })
	case *dict:
		p.op(asm.EMPTY_DICT)
		p.put(v)
		return p.batches(len(v.keys), asm.SETITEM, asm.SETITEMS, func(i int) error {
			if err := p.save(v.keys[i]); err != nil {
				return err
			}
			return p.save(v.values[i])
		})
	case *tuple:
		return p.tuple(v)
	default:
		return fmt.Errorf("no way to pickle a %T", v)
	}
}

func (p *pickler) text(v *text) error {
	n := len(v.s)
	if p.protocol >= 4 && n < 256 {
		p.op(asm.SHORT_BINUNICODE, append([]byte{byte(n)}, v.s...)...)
	} else {
		p.op(asm.BINUNICODE, append(binary.LittleEndian.AppendUint32(nil, uint32(n)), v.s...)...)
	}
	p.put(v)
	return nil
}

func (p *pickler) tuple(v *tuple) error {
	if len(v.items) == 0 {
		p.op(asm.EMPTY_TUPLE)
		return nil
	}
	if len(v.items) > 3 {
		p.op(asm.MARK)
	}
	for _, item := range v.items {
		if err := p.save(item); err != nil {
			return err
		}
	}
	p.op([]asm.Op{asm.TUPLE, asm.TUPLE1, asm.TUPLE2, asm.TUPLE3}[len(v.items)%4*btoi(len(v.items) < 4)])
	p.put(v)
	return nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// batches writes n items: one alone by the opcode for one, more in batches between MARK and the opcode for many.
func (p *pickler) batches(n int, one, many asm.Op, item func(i int) error) error {
	if n == 1 {
		if err := item(0); err != nil {
			return err
		}
		p.op(one)
		return nil
	}
	for i := 0; i < n; {
		p.op(asm.MARK)
		for end := min(n, i+batchSize); i < end; i++ {
			if err := item(i); err != nil {
				return err
			}
		}
		p.op(many)
	}
	return nil
}

func (p *pickler) put(v any) {
	slot := len(p.memo)
	p.memo[v] = slot
	switch {
	case p.protocol >= 4:
		p.op(asm.MEMOIZE)
	case slot < 256:
		p.op(asm.BINPUT, byte(slot))
	default:
		p.op(asm.LONG_BINPUT, binary.LittleEndian.AppendUint32(nil, uint32(slot))...)
	}
}

func (p *pickler) get(slot int) {
	if slot < 256 {
		p.op(asm.BINGET, byte(slot))
		return
	}
	p.op(asm.LONG_BINGET, binary.LittleEndian.AppendUint32(nil, uint32(slot))...)
}
