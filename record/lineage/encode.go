package lineage

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// magic begins a graph file; its last byte is the version of the form.
const magic = "BARTIZAN-LINEAGE\x00\x02"

// Encode writes the compact form: little-endian arrays one after the other, each
// with its length, and the SHA-256 of all before it. Edges are kept in one
// direction, by the order of nodes, which is what holds a graph without cycles:
// every edge leads to a higher number. The same graph is the same bytes.
//
// The checksum finds damage, not forgery: the form has no signatures in it.
func (g *Graph) Encode(w io.Writer) error {
	sum := sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<18)
	e := &encoder{w: buf}
	e.raw([]byte(magic))
	e.bytes(g.kind)
	e.bytes(g.flags)
	e.texts(&g.keys)
	e.words(g.keyNode)
	e.words(g.nodeKey)
	e.words(g.nameStart)
	e.texts(&g.names)
	e.texts(&g.versions)
	e.bytes(g.nameBy)
	e.words(g.downStart)
	e.words(g.edgeTo)
	e.bytes(g.edgeRel)
	e.words(g.edgeEv)
	e.words(g.aside.from)
	e.words(g.aside.to)
	e.bytes(g.aside.rel)
	e.words(g.aside.ev)
	e.evidence(g.evidence)
	e.marks(g.marks)
	e.conflicts(g.conflicts)
	if e.err == nil {
		e.err = buf.Flush()
	}
	if e.err != nil {
		return e.err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

type encoder struct {
	w       *bufio.Writer
	scratch [8]byte
	err     error
}

func (e *encoder) raw(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *encoder) number(n int) {
	binary.LittleEndian.PutUint32(e.scratch[:4], uint32(n))
	e.raw(e.scratch[:4])
}

func (e *encoder) bytes(b []byte) {
	e.number(len(b))
	e.raw(b)
}

func (e *encoder) text(s string) { e.bytes([]byte(s)) }

func (e *encoder) words(list []uint32) {
	e.number(len(list))
	var block [4096]byte
	for len(list) > 0 {
		n := min(len(list), len(block)/4)
		for i, v := range list[:n] {
			binary.LittleEndian.PutUint32(block[4*i:], v)
		}
		e.raw(block[:4*n])
		list = list[n:]
	}
}

func (e *encoder) texts(t *texts) {
	e.words(t.offsets)
	e.number(len(t.data))
	if e.err == nil {
		_, e.err = e.w.WriteString(t.data)
	}
}

func (e *encoder) evidence(list []Evidence) {
	e.number(len(list))
	for i := range list {
		v := &list[i]
		for _, s := range [...]string{v.Statement, v.Type, v.Signer, v.Source, v.Problem} {
			e.text(s)
		}
		e.raw([]byte{byte(v.Assurance)})
	}
}

func (e *encoder) marks(list []Mark) {
	e.number(len(list))
	for _, m := range list {
		e.number(int(m.Node))
		e.text(m.Reason)
		e.number(int(m.Evidence))
	}
}

func (e *encoder) conflicts(list []Conflict) {
	e.number(len(list))
	for i := range list {
		c := &list[i]
		e.raw([]byte{byte(c.Kind)})
		nodes := make([]uint32, len(c.Nodes))
		for j, n := range c.Nodes {
			nodes[j] = uint32(n)
		}
		e.words(nodes)
		e.text(c.Detail)
	}
}
