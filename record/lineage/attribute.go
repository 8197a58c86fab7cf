package lineage

import (
	"slices"
	"strings"

	"bartizan/attest"
)

// fileUse is a file of a tree of which something came: a run that used it, a
// deployment of it, an evaluation.
type fileUse struct {
	run, tree, file uint32
	relation        Relation // of the file to what came of it
	evidence        uint32
}

// attribute says of what came of a file which tree the file is of, so that what is
// said of a dataset or model reaches whatever names its files. A verified edge that
// would close a circle of verified ones (a version that was made of the files of
// the one before holds the same files) is set aside, and carries taint alone; where
// none is left that leads from a tree somebody vouches for, what came of the file is
// unresolved, which makes it unknown. What nobody verified has no part in choosing.
func (a *assembly) attribute() error {
	uses, err := a.fileUses()
	if err != nil || len(uses) == 0 {
		return err
	}
	var verified []fileUse
	for _, u := range uses {
		if a.evidence[u.evidence].Assurance == Verified {
			verified = append(verified, u)
		}
	}
	component, _ := components(rows(a.verifiedEdges(verified)))
	type pair struct{ run, file uint32 }
	resolved := map[pair]bool{}
	for _, u := range uses {
		p := pair{u.run, u.file}
		closes := a.evidence[u.evidence].Assurance == Verified && component[u.tree] == component[u.run]
		vouched := a.vouchedFor(u.file) || !closes && a.vouchedFor(u.tree)
		resolved[p] = resolved[p] || vouched
		if closes {
			a.aside.add(u.tree, u.run, UsedPart, u.evidence)
			continue
		}
		a.files = append(a.files, u)
		if err := a.edge(u.tree, u.run, UsedPart, u.evidence); err != nil {
			return err
		}
	}
	for p, ok := range resolved {
		if !ok {
			a.nodes[p.run].flags |= flagUnresolved
		}
	}
	return nil
}

func (a *assembly) vouchedFor(n uint32) bool { return a.nodes[n].flags&flagDescribed != 0 }

// fileUses finds edges out of files that are part of trees. Evidence is the weaker
// of both claims. Anybody can list a file in trees of theirs: of trees of which no
// verified statement says anything, only some get edges. Through the others taint
// goes by way of the file itself, and what came of the file is unresolved.
func (a *assembly) fileUses() ([]fileUse, error) {
	trees, crowded := a.treesOf()
	var out []fileUse
	for e, r := range a.rel {
		if r == PartOf {
			continue
		}
		list := trees[a.from[e]]
		if crowded[a.from[e]] {
			a.nodes[a.to[e]].flags |= flagUnresolved
		}
		if len(out)+len(list) > maxFileUses {
			return nil, attest.Refuse(attest.LineageMalformed, "", "runs name files that lie in more than %d trees together: name datasets by their roots", maxFileUses)
		}
		for _, part := range list {
			if a.to[part] == a.to[e] {
				continue
			}
			weaker := a.ev[part]
			if a.better(weaker, a.ev[e]) {
				weaker = a.ev[e]
			}
			out = append(out, fileUse{run: a.to[e], tree: a.to[part], file: a.from[e], relation: r, evidence: weaker})
		}
	}
	return out, nil
}

// treesOf gives the part-of edges of each file that get edges of their own, and
// the files that lie in more trees.
func (a *assembly) treesOf() (trees map[uint32][]uint32, crowded map[uint32]bool) {
	strong := a.spokenOf()
	trees, crowded = map[uint32][]uint32{}, map[uint32]bool{}
	others := map[uint32][]uint32{}
	for e, r := range a.rel {
		switch {
		case r != PartOf:
		case strong[a.to[e]]:
			trees[a.from[e]] = append(trees[a.from[e]], uint32(e))
		default:
			others[a.from[e]] = append(others[a.from[e]], uint32(e))
		}
	}
	for file, list := range others {
		slices.SortFunc(list, func(x, y uint32) int { return strings.Compare(a.nodeText(int(a.to[x])), a.nodeText(int(a.to[y]))) })
		for _, e := range list[min(len(list), maxStrangeTrees):] {
			crowded[file] = true
			a.aside.add(a.to[e], file, UsedPart, a.ev[e])
		}
		trees[file] = append(trees[file], list[:min(len(list), maxStrangeTrees)]...)
	}
	return trees, crowded
}

// spokenOf are the nodes of which a verified statement says something: that they
// are, that they failed, what they came of or what came of them. That a root proves
// its files is no such thing, since anybody can write a manifest.
func (a *assembly) spokenOf() []bool {
	out := make([]bool, len(a.nodes))
	for i := range a.nodes {
		out[i] = a.vouchedFor(uint32(i))
	}
	for _, m := range a.marks {
		out[a.nodeOf[m.Node]] = true
	}
	for e, r := range a.rel {
		if r != PartOf && a.evidence[a.ev[e]].Assurance == Verified {
			out[a.from[e]], out[a.to[e]] = true, true
		}
	}
	return out
}

// Limits of attributing files to trees, whose product an attacker chooses.
const (
	maxStrangeTrees = 100       // for one file
	maxFileUses     = 4_000_000 // in all
)
