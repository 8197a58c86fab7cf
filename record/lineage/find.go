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
// those whose digest begins with it, "sha256:" and six hexadecimal digits at least;
// or those that a verified statement gives this name, or name@version; or those
// whose digest begins with these bare digits together with those that others give
// this name. The first of these that finds anything counts. Several nodes mean that
// the text is ambiguous, and at most twenty are given.
func (g *Graph) Find(text string) []Node {
	found, _ := g.find(text)
	return found
}

// find says also whether the text holds nodes by more than a name that no verified
// statement gives.
func (g *Graph) find(text string) (found []Node, sure bool) {
	if text == "" {
		return nil, false
	}
	packed := pack(text)
	if i := g.keys.search(packed); i < g.keys.len() && g.keys.at(uint32(i)) == packed {
		return []Node{Node(g.keyNode[i])}, true
	}
	prefixes := g.findPrefix(text)
	if len(prefixes) > 0 && strings.Contains(text, ":") {
		return prefixes, true
	}
	if found = g.findName(text, Verified); len(found) > 0 {
		return found, true
	}
	found = prefixes
	for _, n := range g.findName(text, Unverified) {
		if !slices.Contains(found, n) && len(found) < maxFound {
			found = append(found, n)
		}
	}
	return found, len(prefixes) > 0
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
func (g *Graph) findName(text string, least Assurance) []Node {
	var found []Node
	for n := range g.kind {
		for i := g.nameStart[n]; i < g.nameStart[n+1]; i++ {
			name := g.names.at(i)
			if g.nameBy[i] < uint8(least) || !strings.HasPrefix(text, name) || name == "" {
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
	n, _, err := g.FindSure(text)
	return n, err
}

// FindSure is FindOne, and says whether the node was found by its digest or key, or
// by a name that a verified statement gives: anybody can give a thing any name.
func (g *Graph) FindSure(text string) (n Node, sure bool, err error) {
	found, sure := g.find(text)
	switch len(found) {
	case 1:
		return found[0], sure, nil
	case 0:
		return 0, false, fmt.Errorf("%q: nothing in this lineage has that digest, prefix (of six digits or more) or name", text)
	}
	list := make([]string, 0, len(found))
	for _, n := range found[:min(len(found), 8)] {
		list = append(list, g.Kind(n).String()+" "+g.ID(n))
	}
	return 0, false, fmt.Errorf("%q means %d things: say which by its digest: %s", text, len(found), strings.Join(list, ", "))
}
