package lineage

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// dotColors are read only.
var dotColors = [states]string{"palegreen", "khaki", "lightcoral"}

// WriteDot writes the graph in the language of Graphviz, with the states as
// colours; edges that no verified statement claims are dashed. nodes says which
// to write; nil is all.
func (g *Graph) WriteDot(w io.Writer, s *States, nodes map[Node]bool) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "digraph lineage {\n\trankdir=LR;\n\tnode [shape=box, style=filled, fontname=\"sans-serif\"];")
	for i := range g.Nodes() {
		n := Node(i)
		if nodes != nil && !nodes[n] {
			continue
		}
		name, version := g.Name(n)
		label := g.Kind(n).String()
		for _, line := range []string{name, version, short(g.ID(n))} {
			if line != "" {
				label += "\n" + strings.Map(oneLine, line)
			}
		}
		fmt.Fprintf(out, "\tn%d [label=%s, fillcolor=%s];\n", n, dotQuote(label), dotColors[s.Of(n)])
	}
	for i := range g.Nodes() {
		first, last := g.Down(Node(i))
		for e := first; e < last; e++ {
			l := g.Link(e)
			if nodes != nil && (!nodes[l.From] || !nodes[l.To]) {
				continue
			}
			style := ""
			if l.Evidence.Assurance != Verified {
				style = ", style=dashed"
			}
			fmt.Fprintf(out, "\tn%d -> n%d [label=%s%s];\n", l.From, l.To, dotQuote(l.Relation.String()), style)
		}
	}
	fmt.Fprintln(out, "}")
	return out.Flush()
}

// oneLine keeps a name from looking like several lines of a label.
func oneLine(r rune) rune {
	if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
		return '?'
	}
	return r
}

// dotQuote writes a text that cannot leave its quotes, and holds no escapes of
// Graphviz but line breaks.
func dotQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString("\\n")
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
