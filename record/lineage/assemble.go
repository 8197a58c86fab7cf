package lineage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bartizan/attest"
)

type edgeKey struct {
	from, to uint32
	rel      Relation
}

// link makes edges between nodes of claims between things. The best evidence of
// several for one edge stays.
func (a *assembly) link() error {
	a.seen = make(map[edgeKey]uint32, len(a.edges))
	for i := range a.edges {
		c := &a.edges[i]
		if err := a.edge(a.nodeOf[c.from], a.nodeOf[c.to], c.relation, c.evidence); err != nil {
			return err
		}
	}
	a.linkTwins()
	for i := range a.parts {
		p := &a.parts[i]
		file := a.owner[a.find(p.file)]
		if tree := a.nodeOf[p.tree]; file != 0 && file-1 != tree {
			if err := a.edge(file-1, tree, PartOf, p.evidence); err != nil {
				return err
			}
			if a.evidence[p.evidence].Assurance == Verified && a.nodes[tree].tree && a.vouchedFor(tree) {
				a.nodes[file-1].flags |= flagListed
			}
		}
	}
	return nil
}

func (a *assembly) edge(from, to uint32, r Relation, evidence uint32) error {
	if from == to && r == Derived {
		return nil // the same bytes under other names, say
	}
	if from == to && a.evidence[evidence].Assurance != Verified {
		a.nodes[from].flags |= flagCircular
		a.conflict(Circular, a.vouchedFor(from), fmt.Sprintf("%s is said to be made of itself, by %s", a.label(from), a.describe(evidence)), from)
		return nil
	}
	if from == to {
		return attest.Refuse(attest.LineageCycle, unpack(a.keyText[a.nodes[from].key]), "it is said to be made of itself, by %s", a.describe(evidence))
	}
	key := edgeKey{from, to, r}
	if i, ok := a.seen[key]; ok {
		if a.better(evidence, a.ev[i]) {
			a.ev[i] = evidence
		}
		return nil
	}
	a.seen[key] = uint32(len(a.from))
	a.from, a.to = append(a.from, from), append(a.to, to)
	a.rel, a.ev = append(a.rel, r), append(a.ev, evidence)
	return nil
}

// better says whether evidence x goes before y: the more trusted, then the
// smaller digest, so that the order of reading does not matter.
func (a *assembly) better(x, y uint32) bool {
	ex, ey := &a.evidence[x], &a.evidence[y]
	if ex.Assurance != ey.Assurance {
		return ex.Assurance > ey.Assurance
	}
	if c := strings.Compare(ex.Statement, ey.Statement); c != 0 {
		return c < 0
	}
	return ex.Source < ey.Source
}

// checkCycles refuses verified claims by which a thing is made of itself. Those
// that only claims close which nobody verified are set aside later.
func (a *assembly) checkCycles() error {
	out := rows(a.verifiedEdges(nil))
	component, size := components(out)
	smallest := -1
	for i := range a.nodes {
		if size[component[i]] > 1 && (smallest < 0 || a.nodeText(i) < a.nodeText(smallest)) {
			smallest = i
		}
	}
	if smallest < 0 {
		return nil
	}
	cycle := shortestCycle(out, component, uint32(smallest))
	names := make([]string, 0, len(cycle)+1)
	for i, n := range cycle {
		if i == maxCycleShown {
			names = append(names, fmt.Sprintf("(%d more)", len(cycle)-i))
			break
		}
		names = append(names, a.label(n))
	}
	names = append(names, a.label(cycle[0]))
	return attest.Refuse(attest.LineageCycle, unpack(a.nodeText(smallest)),
		"%s; claimed by %s", strings.Join(names, " -> "), strings.Join(a.claimants(cycle), ", "))
}

const maxCycleShown = 12

func (a *assembly) nodeText(i int) string { return a.keyText[a.nodes[i].key] }

// label is a node for people: kind, name and digest.
func (a *assembly) label(n uint32) string {
	id := unpack(a.nodeText(int(n)))
	if names := a.nodes[n].names; len(names) > 0 && names[0].name != "" {
		return fmt.Sprintf("%s %q (%s)", a.nodes[n].kind, names[0].name, short(id))
	}
	return fmt.Sprintf("%s %s", a.nodes[n].kind, id)
}

// short keeps enough of an id to find it by.
func short(id string) string {
	if name, value, ok := strings.Cut(id, ":"); ok && len(value) > 12 && isLowerHex(value) {
		return name + ":" + value[:12]
	}
	return id
}

// claimants are the statements behind the edges of a cycle, each once.
func (a *assembly) claimants(cycle []uint32) []string {
	var out []string
	for i := range cycle {
		next := cycle[(i+1)%len(cycle)]
		for r := range relations {
			if e, ok := a.seen[edgeKey{cycle[i], next, r}]; ok {
				if by := a.describe(a.ev[e]); !slices.Contains(out, by) && len(out) < maxCycleShown {
					out = append(out, by)
				}
			}
		}
	}
	return out
}

// order numbers the nodes so that edges lead from lower to higher numbers: by
// the longest way from an origin, then by digest.
func (a *assembly) order() error {
	n := len(a.nodes)
	level, done := levels(rows(n, a.from, a.to))
	if done != n { // attribute leaves out what closes a cycle
		return fmt.Errorf("lineage: %d of %d nodes lie on a cycle after the check", n-done, n)
	}
	order := make([]uint32, n)
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int {
		if level[x] != level[y] {
			return cmp.Compare(level[x], level[y])
		}
		return strings.Compare(a.nodeText(int(x)), a.nodeText(int(y)))
	})
	a.rank = make([]uint32, n)
	for i, old := range order {
		a.rank[old] = uint32(i)
	}
	return nil
}
