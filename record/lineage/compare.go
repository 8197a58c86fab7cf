package lineage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bartizan/attest"
)

// maxConflicts bounds how many disagreements are kept.
const maxConflicts = 10_000

// compare looks for claims that contradict each other.
func (a *assembly) compare() error {
	if err := a.compareInputs(); err != nil {
		return err
	}
	a.compareNames()
	a.cutNames()
	a.comparePartial()
	for _, n := range a.notes {
		nodes, vouched := make([]uint32, len(n.about)), false
		for i, ref := range n.about {
			nodes[i] = a.nodeOf[ref]
			vouched = vouched || a.vouchedFor(nodes[i])
		}
		a.conflict(n.kind, vouched, n.detail, nodes...)
	}
	a.cut = a.cut || a.noted > len(a.notes)
	return nil
}

// conflict keeps a disagreement. Those about what somebody vouches for have a list
// of their own, which strangers cannot fill.
func (a *assembly) conflict(k Contradiction, vouched bool, detail string, nodes ...uint32) {
	list := &a.strangers
	if vouched {
		list = &a.conflicts
	}
	if len(*list) >= maxConflicts {
		a.cut = true
		return
	}
	c := Conflict{Kind: k, Detail: clip(detail)}
	for _, n := range nodes {
		c.Nodes = append(c.Nodes, Node(n))
	}
	*list = append(*list, c)
}

// compareInputs holds that all verified claims about one run give it the same
// inputs. Another that differs is shown; its edges stay, unverified.
func (a *assembly) compareInputs() error {
	first := map[uint32]int{} // run to the claim that the others are held against
	for i := range a.runs {
		run := a.nodeOf[a.runs[i].run]
		if j, ok := first[run]; !ok || a.better(a.runs[i].evidence, a.runs[j].evidence) {
			first[run] = i
		}
	}
	for i := range a.runs {
		r := &a.runs[i]
		run := a.nodeOf[r.run]
		best := &a.runs[first[run]]
		if best == r {
			continue
		}
		detail := a.difference(best, r)
		if detail == "" {
			continue
		}
		if a.evidence[best.evidence].Assurance == Verified && a.evidence[r.evidence].Assurance == Verified {
			return attest.Refuse(attest.LineageConflict, a.label(run), "%s", detail)
		}
		a.conflict(InputsDiffer, a.vouchedFor(run), detail, run)
	}
	return nil
}

func (a *assembly) difference(x, y *inputs) string {
	in, other := a.inputNodes(x), a.inputNodes(y)
	if slices.Equal(in, other) {
		return ""
	}
	var only []string
	for _, side := range [2]struct {
		have, lack []uint32
		by         uint32
	}{{in, other, x.evidence}, {other, in, y.evidence}} {
		first, found := uint32(0), false
		for _, n := range side.have {
			_, both := slices.BinarySearch(side.lack, n)
			if !both && (!found || before(a.nodeText(int(n)), a.nodeText(int(first)))) {
				first, found = n, true
			}
		}
		if found {
			only = append(only, fmt.Sprintf("only %s says that it used %s", a.describe(side.by), a.label(first)))
		}
	}
	return strings.Join(only, "; ")
}

func (a *assembly) inputNodes(r *inputs) []uint32 {
	out := make([]uint32, 0, len(r.used))
	for _, ref := range r.used {
		out = append(out, a.nodeOf[ref])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// compareNames finds names with a version that stand for several digests, of
// whatever kinds: a dataset that was swapped under its name.
func (a *assembly) compareNames() {
	type versioned struct{ name, version string }
	by := map[versioned][]uint32{}
	vouched := map[versioned]int{} // nodes that verified statements call so
	for i := range a.nodes {
		for _, n := range a.nodes[i].names {
			if n.version != "" && a.nodes[i].kind != Run { // of a run it is when it ended
				key := versioned{n.name, n.version}
				by[key] = append(by[key], uint32(i))
				if n.by == Verified {
					vouched[key]++
				}
			}
		}
	}
	var twice []versioned
	for v, nodes := range by {
		if len(nodes) > 1 {
			twice = append(twice, v)
		}
	}
	slices.SortFunc(twice, func(x, y versioned) int {
		return cmp.Or(strings.Compare(x.name, y.name), strings.Compare(x.version, y.version))
	})
	for _, v := range twice {
		nodes := by[v]
		slices.SortFunc(nodes, func(x, y uint32) int { return strings.Compare(a.nodeText(int(x)), a.nodeText(int(y))) })
		nodes = nodes[:min(len(nodes), maxNames)]
		a.conflict(NameReused, vouched[v] > 1, fmt.Sprintf("%s %q version %q stands for %d digests", a.nodes[nodes[0]].kind, v.name, v.version, len(by[v])), nodes...)
	}
}

// comparePartial finds runs that name some files of a tree and not the others.
func (a *assembly) comparePartial() {
	if len(a.files) == 0 {
		return
	}
	type use struct{ run, tree uint32 }
	used := map[use]map[uint32]bool{}
	for _, f := range a.files {
		if f.relation != Used {
			continue
		}
		u := use{f.run, f.tree}
		if used[u] == nil {
			used[u] = map[uint32]bool{}
		}
		used[u][f.file] = true
	}
	holds := map[uint32]map[uint32]bool{}
	for u := range used {
		holds[u.tree] = map[uint32]bool{}
	}
	for _, p := range a.parts {
		if set, ok := holds[a.nodeOf[p.tree]]; ok {
			set[a.find(p.file)] = true
		}
	}
	var list []use
	for u, files := range used {
		_, whole := a.seen[edgeKey{u.tree, u.run, Used}]
		if len(files) < len(holds[u.tree]) && !whole {
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(x, y use) int {
		if c := strings.Compare(a.nodeText(int(x.run)), a.nodeText(int(y.run))); c != 0 {
			return c
		}
		return strings.Compare(a.nodeText(int(x.tree)), a.nodeText(int(y.tree)))
	})
	for _, u := range list {
		a.conflict(PartialInputs, a.vouchedFor(u.run), fmt.Sprintf("%s names %d of the %d files of %s: if it used the others, nothing says so",
			a.label(u.run), len(used[u]), len(holds[u.tree]), a.label(u.tree)), u.run, u.tree)
	}
}

// graph numbers everything anew and makes the arrays.
func (a *assembly) graph() *Graph {
	g := &Graph{}
	a.putNodes(g)
	a.putEdges(g)
	a.putEvidence(g)
	for _, m := range a.marks {
		m.Node = Node(a.rank[a.nodeOf[m.Node]])
		g.marks = append(g.marks, m)
	}
	slices.SortFunc(g.marks, func(x, y Mark) int {
		return cmp.Or(cmp.Compare(x.Node, y.Node), strings.Compare(x.Reason, y.Reason), cmp.Compare(x.Evidence, y.Evidence))
	})
	if a.cut {
		g.conflicts = append(g.conflicts, Conflict{Kind: CutShort, Detail: fmt.Sprintf("more than %d claims contradict each other: the others are not shown", maxConflicts)})
	}
	for _, list := range [...][]Conflict{a.conflicts, a.strangers} {
		for i := range list {
			for j, n := range list[i].Nodes {
				list[i].Nodes[j] = Node(a.rank[n])
			}
			slices.Sort(list[i].Nodes)
		}
		slices.SortStableFunc(list, func(x, y Conflict) int {
			return cmp.Or(cmp.Compare(x.Kind, y.Kind), strings.Compare(x.Detail, y.Detail), slices.Compare(x.Nodes, y.Nodes))
		})
		g.conflicts = append(g.conflicts, list...)
	}
	g.rowsAside()
	g.judge()
	return g
}
