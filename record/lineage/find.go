package lineage

import (
	"fmt"
	"slices"
	"strings"
)

// minPrefix is how much of a digest a search must give.
const minPrefix = 6

// maxFound bounds what a search that is not exact gives.
const maxFound = 20

// Find gives the nodes that a text means: that with this very digest or key; or
// those whose digest begins with it (six hexadecimal digits at least, with or
// without "sha256:"); or those of this name, or name@version. The first of these
// that finds anything counts. Several nodes mean that the text is ambiguous, and
// at most twenty are given.
func (g *Graph) Find(text string) []Node {
	if text == "" {
		return nil
	}
	packed := pack(text)
	if i := g.keys.search(packed); i < g.keys.len() && g.keys.at(uint32(i)) == packed {
		return []Node{Node(g.keyNode[i])}
	}
	if found := g.findPrefix(text); len(found) > 0 {
		return found
	}
	return g.findName(text)
}

func (g *Graph) findPrefix(text string) []Node {
	var found []Node
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		name, value = "", text
	}
	value = strings.ToLower(value)
	if len(value) < minPrefix || !isLowerHex(value) {
		return nil
	}
	for i := 1; i < len(algorithms); i++ {
		if name == "" || name == algorithms[i] {
			found = g.withPrefix(found, uint8(i), algorithms[i]+":"+value)
		}
	}
	return found
}

func (g *Graph) withPrefix(found []Node, algorithm uint8, prefix string) []Node {
	even := pack(prefix[:len(prefix)-len(prefix[strings.IndexByte(prefix, ':')+1:])%2])
	if even[0] != algorithm {
		return found
	}
	for i := g.keys.search(even); i < g.keys.len() && len(found) < maxFound; i++ {
		if !strings.HasPrefix(unpack(g.keys.at(uint32(i))), prefix) {
			if !strings.HasPrefix(g.keys.at(uint32(i)), even) {
				break
			}
			continue
		}
		if n := Node(g.keyNode[i]); !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	return found
}

// findName reads all names: ten milliseconds a million.
func (g *Graph) findName(text string) []Node {
	var found []Node
	for n := range g.kind {
		for i := g.nameStart[n]; i < g.nameStart[n+1]; i++ {
			name := g.names.at(i)
			if !strings.HasPrefix(text, name) || name == "" {
				continue
			}
			if rest := text[len(name):]; rest == "" || rest == "@"+g.versions.at(i) && rest != "@" {
				found = append(found, Node(n))
				break
			}
		}
		if len(found) == maxFound {
			break
		}
	}
	return found
}

// FindOne is Find for what must be one node.
func (g *Graph) FindOne(text string) (Node, error) {
	found := g.Find(text)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, fmt.Errorf("%q: nothing in this lineage has that digest, prefix (of six digits or more) or name", text)
	}
	list := make([]string, 0, len(found))
	for _, n := range found[:min(len(found), 8)] {
		list = append(list, g.Kind(n).String()+" "+g.ID(n))
	}
	return 0, fmt.Errorf("%q means %d things: say which by its digest: %s", text, len(found), strings.Join(list, ", "))
}
