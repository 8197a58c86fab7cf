package lineage

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"unicode/utf8"

	"bartizan/attest"
)

// IsGraph says whether a file that begins so is a graph file.
func IsGraph(head []byte) bool { return bytes.HasPrefix(head, []byte(magic[:len(magic)-1])) }

// Decode reads the form that Encode writes. It refuses with LINEAGE_MALFORMED
// what is damaged, of another version, or no graph: numbers out of range, edges
// that do not lead upwards, keys out of order. It allocates about what data has.
//
// What it says of signatures is what the file says: see [Graph.Encode].
func Decode(data []byte) (*Graph, error) {
	if !IsGraph(data) || len(data) < len(magic)+sha256.Size {
		return nil, broken("it is no graph file")
	}
	if data[len(magic)-1] != magic[len(magic)-1] {
		return nil, broken("a graph file of version %d: import the folder again", data[len(magic)-1])
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, broken("the checksum does not fit: the file is damaged")
	}
	d := &decoder{rest: body[len(magic):]}
	g := &Graph{}
	g.kind, g.flags = d.bytes(), d.bytes()
	g.keys = d.texts()
	g.keyNode, g.nodeKey, g.nameStart = d.words(), d.words(), d.words()
	g.names, g.versions, g.nameBy = d.texts(), d.texts(), d.bytes()
	g.downStart, g.edgeTo = d.words(), d.words()
	g.edgeRel, g.edgeEv = d.bytes(), d.words()
	g.aside.from, g.aside.to, g.aside.rel, g.aside.ev = d.words(), d.words(), d.bytes(), d.words()
	g.evidence = d.evidence()
	g.marks = d.marks()
	g.conflicts = d.conflicts()
	if d.bad || len(d.rest) > 0 {
		return nil, broken("its parts do not fit its length")
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	g.turn(g.sources())
	g.rowsAside()
	g.judge()
	return g, nil
}

func broken(format string, args ...any) error {
	return attest.Refuse(attest.LineageMalformed, "", format, args...)
}

// sources gives the start of each edge.
func (g *Graph) sources() []uint32 {
	from := make([]uint32, len(g.edgeTo))
	for n := range g.kind {
		for e := g.downStart[n]; e < g.downStart[n+1]; e++ {
			from[e] = uint32(n)
		}
	}
	return from
}

// check holds everything that the methods of a graph rely on.
func (g *Graph) check() error {
	n, m := len(g.kind), len(g.edgeTo)
	switch {
	case n > MaxNodes || m > MaxEdges:
		return broken("%d nodes and %d edges, more than %d and %d", n, m, MaxNodes, MaxEdges)
	case len(g.flags) != n || len(g.nodeKey) != n || len(g.keyNode) != g.keys.len():
		return broken("its lists of nodes have different lengths")
	case len(g.edgeRel) != m || len(g.edgeEv) != m || g.names.len() != g.versions.len() || len(g.nameBy) != g.names.len():
		return broken("its lists of edges or names have different lengths")
	case !isStart(g.downStart, n, m) || !isStart(g.nameStart, n, g.names.len()):
		return broken("its rows are out of order")
	}
	for i := range n {
		if g.kind[i] >= uint8(kinds) || g.nodeKey[i] >= uint32(g.keys.len()) || g.keyNode[g.nodeKey[i]] != uint32(i) {
			return broken("node %d is of no known kind, or has a key that is another's", i)
		}
		for e := g.downStart[i]; e < g.downStart[i+1]; e++ {
			if to := g.edgeTo[e]; to <= uint32(i) || to >= uint32(n) {
				return attest.Refuse(attest.LineageCycle, "", "edge %d leads from %d to %d: edges of a graph file lead to higher numbers", e, i, to)
			}
			if g.edgeRel[e] >= uint8(relations) || g.edgeEv[e] >= uint32(len(g.evidence)) {
				return broken("edge %d has no known relation or evidence", e)
			}
		}
	}
	if err := g.checkAside(n); err != nil {
		return err
	}
	return g.checkTexts(n)
}

func (g *Graph) checkTexts(n int) error {
	before := ""
	for i := range g.keys.len() {
		key := g.keys.at(uint32(i))
		if key == "" || i > 0 && key <= before || g.keyNode[i] >= uint32(n) || int(key[0]) >= len(algorithms) || key[0] == 0 && !utf8.ValidString(key) {
			return broken("key %d is empty, out of order, or of no node", i)
		}
		before = key
	}
	if !utf8.ValidString(g.names.data) || !utf8.ValidString(g.versions.data) {
		return broken("a name that is not UTF-8")
	}
	for _, by := range g.nameBy {
		if by >= uint8(assurances) {
			return broken("a name of no known assurance")
		}
	}
	for _, m := range g.marks {
		if int(m.Node) >= n || int(m.Evidence) >= len(g.evidence) {
			return broken("a mark on no node")
		}
	}
	for i := range g.conflicts {
		for _, c := range g.conflicts[i].Nodes {
			if int(c) >= n {
				return broken("a conflict about no node")
			}
		}
	}
	return nil
}

// isStart holds that rows begin at 0, never go back, and end at total.
func isStart(start []uint32, n, total int) bool {
	if len(start) != n+1 || start[0] != 0 || start[n] != uint32(total) {
		return false
	}
	for i := range n {
		if start[i] > start[i+1] {
			return false
		}
	}
	return true
}

// decoder reads parts; after the first that does not fit, bad is set and all
// others are empty.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.rest) {
		d.bad, d.rest = true, nil
		return nil
	}
	out := d.rest[:n:n]
	d.rest = d.rest[n:]
	return out
}

func (d *decoder) number() int {
	b := d.take(4)
	if b == nil {
		return 0
	}
	return int(binary.LittleEndian.Uint32(b))
}

func (d *decoder) bytes() []byte { return d.take(d.number()) }

func (d *decoder) text() string {
	b := d.bytes()
	if len(b) > MaxText || !utf8.Valid(b) {
		d.bad = true
		return ""
	}
	return string(b)
}

func (d *decoder) words() []uint32 {
	n := d.number()
	raw := d.take(4 * n)
	if raw == nil {
		return nil
	}
	out := make([]uint32, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return out
}

func (d *decoder) texts() texts {
	t := texts{offsets: d.words()}
	t.data = string(d.bytes())
	if n := len(t.offsets); d.bad || n == 0 || !isStart(t.offsets, n-1, len(t.data)) {
		d.bad = true
		return texts{}
	}
	return t
}

// count reads a number of things of at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.number()
	if n > len(d.rest)/size {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) evidence() []Evidence {
	out := make([]Evidence, d.count(21))
	for i := range out {
		e := &out[i]
		for _, s := range [...]*string{&e.Statement, &e.Type, &e.Signer, &e.Source, &e.Problem} {
			*s = d.text()
		}
		b := d.take(1)
		if b == nil || b[0] >= byte(assurances) {
			d.bad = true
			return nil
		}
		e.Assurance = Assurance(b[0])
	}
	return out
}

func (d *decoder) marks() []Mark {
	out := make([]Mark, d.count(12))
	for i := range out {
		out[i] = Mark{Node: Node(d.number()), Reason: d.text(), Evidence: uint32(d.number())}
	}
	return out
}

func (d *decoder) conflicts() []Conflict {
	out := make([]Conflict, d.count(9))
	for i := range out {
		b := d.take(1)
		if b == nil || b[0] >= byte(contradictions) {
			d.bad = true
			return nil
		}
		out[i].Kind = Contradiction(b[0])
		for _, n := range d.words() {
			out[i].Nodes = append(out[i].Nodes, Node(n))
		}
		out[i].Detail = d.text()
	}
	return out
}
