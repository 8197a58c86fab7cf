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
	a.comparePartial()
	for _, n := range a.notes {
		nodes := make([]uint32, len(n.about))
		for i, ref := range n.about {
			nodes[i] = a.nodeOf[ref]
		}
		a.conflict(n.kind, n.detail, nodes...)
	}
	return nil
}

func (a *assembly) conflict(k Contradiction, detail string, nodes ...uint32) {
	if len(a.conflicts) >= maxConflicts {
		return
	}
	c := Conflict{Kind: k, Detail: clip(detail)}
	for _, n := range nodes {
		c.Nodes = append(c.Nodes, Node(n))
	}
	a.conflicts = append(a.conflicts, c)
}

// compareInputs holds that all claims about one run give it the same inputs.
// A less trusted one that differs is shown; its edges stay, unverified.
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
		if a.evidence[best.evidence].Assurance == a.evidence[r.evidence].Assurance {
			return attest.Refuse(attest.LineageConflict, a.label(run), "%s", detail)
		}
		a.conflict(InputsDiffer, detail, run)
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

// compareNames finds names with a version that stand for several digests: a
// dataset that was swapped under its name.
func (a *assembly) compareNames() {
	type versioned struct {
		kind Kind
		naming
	}
	by := map[versioned][]uint32{}
	for i := range a.nodes {
		for _, n := range a.nodes[i].names {
			if n.version != "" && a.nodes[i].kind != Run { // of a run it is when it ended
				key := versioned{a.nodes[i].kind, n}
				by[key] = append(by[key], uint32(i))
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
		return strings.Compare(x.name+"\x00"+x.version+"\x00"+x.kind.String(), y.name+"\x00"+y.version+"\x00"+y.kind.String())
	})
	for _, v := range twice {
		nodes := by[v]
		slices.SortFunc(nodes, func(x, y uint32) int { return strings.Compare(a.nodeText(int(x)), a.nodeText(int(y))) })
		nodes = nodes[:min(len(nodes), maxNames)]
		a.conflict(NameReused, fmt.Sprintf("%s %q version %q stands for %d digests", v.kind, v.name, v.version, len(by[v])), nodes...)
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
		a.conflict(PartialInputs, fmt.Sprintf("%s names %d of the %d files of %s: if it used the others, nothing says so",
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
	for i := range a.conflicts {
		for j, n := range a.conflicts[i].Nodes {
			a.conflicts[i].Nodes[j] = Node(a.rank[n])
		}
	}
	slices.SortStableFunc(a.conflicts, func(x, y Conflict) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), strings.Compare(x.Detail, y.Detail))
	})
	g.conflicts = a.conflicts
	g.judge()
	return g
}
