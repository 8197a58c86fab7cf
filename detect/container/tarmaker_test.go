package container_test

import (
	"bytes"
	"fmt"
	"strings"
)

// tent is one header with its data, as raw as tests need it.
type tent struct {
	name, link string
	data       string
	kind       byte   // '0' where zero is not set
	size       string // the raw size field; from data where empty
	magic      string // "ustar\x0000" where empty
	badSum     bool
	prefix     string
	tail       string // written over the header from 386 on (old GNU sparse)
	noPad      bool
}

func tarBlock(e tent) []byte {
	h := make([]byte, 512)
	copy(h, e.name)
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	size := e.size
	if size == "" {
		size = fmt.Sprintf("%011o", len(e.data))
	}
	copy(h[124:136], size)
	copy(h[136:], "00000000000\x00        ")
	h[156] = e.kind
	if e.kind == 0 {
		h[156] = '0'
	}
	copy(h[157:], e.link)
	magic := e.magic
	if magic == "" {
		magic = "ustar\x0000"
	}
	copy(h[257:], magic)
	copy(h[345:], e.prefix)
	copy(h[386:], e.tail)
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	if e.badSum {
		sum++
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// tarOf joins members and an end.
func tarOf(members ...tent) []byte {
	return append(tarPart(members...), make([]byte, 1024)...)
}

func tarPart(members ...tent) []byte {
	var out []byte
	for _, e := range members {
		out = append(append(out, tarBlock(e)...), e.data...)
		if !e.noPad {
			out = append(out, make([]byte, (512-len(e.data)%512)%512)...)
		}
	}
	return out
}

// paxOf is an extended header with those records.
func paxOf(records ...string) tent {
	var b bytes.Buffer
	for i := 0; i < len(records); i += 2 {
		body := records[i] + "=" + records[i+1] + "\n"
		n := len(body) + 2
		for len(fmt.Sprint(n))+1+len(body) != n {
			n++
		}
		fmt.Fprintf(&b, "%d %s", n, body)
	}
	return tent{name: "PaxHeaders/x", kind: 'x', data: b.String()}
}

func globalPax(records ...string) tent {
	e := paxOf(records...)
	e.kind = 'g'
	return e
}

func long(kind byte, s string) tent {
	return tent{name: "././@LongLink", kind: kind, data: s + "\x00", magic: "ustar  \x00"}
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }
