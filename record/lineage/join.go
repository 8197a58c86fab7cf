package lineage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bartizan/attest"
)

// assembly is a builder's claims on their way to a graph.
type assembly struct {
	*Builder
	ctx interface{ Err() error }

	set     []uint32            // union-find over keys
	vouched []bool              // by set: a verified claim names one of its keys
	members map[uint32][]uint32 // by set: its keys, where there are several
	digests map[setDigest]uint32

	nodeOf []uint32 // by thing
	nodes  []node
	owner  []uint32 // by set: its node + 1

	from, to []uint32 // edges between nodes
	rel      []Relation
	ev       []uint32
	seen     map[edgeKey]uint32

	twins     []twin    // keys of unverified claims that were not joined
	aside     aside     // edges that would close circles
	files     []fileUse // what attribute resolves
	rank      []uint32  // new number of each node
	conflicts []Conflict
	strangers []Conflict // about what no verified statement vouches for
	cut       bool       // some of either are left out
}

// node is one thing with all that claims say of it.
type node struct {
	key      uint32 // its first
	kind     Kind
	kindRank int
	flags    uint8
	tree     bool // a verified statement says that it is a tree of files
	names    []naming
}

type naming struct {
	name, version string
	by            Assurance
}

// join makes one set of the keys that belong to one thing. Digests that differ
// only in algorithm are joined only where one claim gives both, and only by a
// verified claim where a verified claim names either: a stranger cannot make one
// thing of two, nor give a vouched thing a second digest.
func (a *assembly) join() error {
	a.set = make([]uint32, len(a.keyText))
	for i := range a.set {
		a.set[i] = uint32(i)
	}
	a.vouched = make([]bool, len(a.keyText))
	a.members, a.digests = map[uint32][]uint32{}, map[setDigest]uint32{}
	if err := a.joinVerified(); err != nil {
		return err
	}
	a.joinOthers()
	a.nodeOf = make([]uint32, len(a.things))
	return nil
}

func (a *assembly) joinVerified() error {
	for i := range a.things {
		t := &a.things[i]
		if a.assuranceOf(t) != Verified {
			continue
		}
		keys := a.keysOf(t)
		a.vouched[a.find(keys[0])] = true
		for _, k := range keys[1:] {
			if clash := a.union(keys[0], k, true); clash != "" {
				return attest.Refuse(attest.LineageConflict, unpack(a.keyText[keys[0]]),
					"verified statements give it two digests: %s; one of them is %s", clash, a.describe(t.evidence))
			}
		}
	}
	return nil
}

// joinOthers joins by claims that are not verified, in an order of their own.
func (a *assembly) joinOthers() {
	var several []uint32
	for i := range a.things {
		if t := &a.things[i]; t.count > 1 && a.assuranceOf(t) != Verified {
			several = append(several, uint32(i))
		}
	}
	slices.SortStableFunc(several, func(x, y uint32) int {
		return slices.CompareFunc(a.keysOf(&a.things[x]), a.keysOf(&a.things[y]), func(k, l uint32) int {
			return strings.Compare(a.keyText[k], a.keyText[l])
		})
	})
	for _, i := range several {
		keys := a.keysOf(&a.things[i])
		for _, k := range keys[1:] {
			if !a.vouched[a.find(keys[0])] && !a.vouched[a.find(k)] {
				a.union(keys[0], k, false) // a clash leaves two things
			}
		}
	}
}

func (a *assembly) assuranceOf(t *thing) Assurance { return a.evidence[t.evidence].Assurance }

func (a *assembly) keysOf(t *thing) []uint32 { return a.keys[t.first : t.first+t.count] }

func (a *assembly) find(k uint32) uint32 {
	for a.set[k] != k {
		a.set[k] = a.set[a.set[k]]
		k = a.set[k]
	}
	return k
}

// union joins two sets, unless that gave one thing two digests of one algorithm:
// then it says which, and joins nothing.
func (a *assembly) union(k, l uint32, vouched bool) string {
	x, y := a.find(k), a.find(l)
	if x == y {
		return ""
	}
	mx, my := a.membersOf(x), a.membersOf(y)
	if len(mx) < len(my) {
		x, y, mx, my = y, x, my, mx
	}
	for _, m := range my { // the smaller set, so that all joins together stay cheap
		if other, twice := a.digestOf(x, algorithm(a.keyText[m])); twice {
			return unpack(a.keyText[other]) + " and " + unpack(a.keyText[m])
		}
	}
	for _, m := range append(my[:len(my):len(my)], mx[0]) {
		if name := algorithm(a.keyText[m]); name != "" {
			a.digests[setDigest{x, name}] = m
		}
	}
	a.set[y] = x
	a.members[x] = append(mx, my...)
	delete(a.members, y)
	a.vouched[x] = a.vouched[x] || a.vouched[y] || vouched
	return ""
}

// setDigest is an algorithm of which a set has a digest.
type setDigest struct {
	set       uint32
	algorithm string
}

// digestOf gives the digest that a set has of an algorithm.
func (a *assembly) digestOf(set uint32, name string) (uint32, bool) {
	if name == "" {
		return 0, false
	}
	if _, several := a.members[set]; !several {
		return set, algorithm(a.keyText[set]) == name
	}
	m, ok := a.digests[setDigest{set, name}]
	return m, ok
}

func (a *assembly) membersOf(set uint32) []uint32 {
	if m, ok := a.members[set]; ok {
		return m
	}
	return []uint32{set}
}

// algorithm gives that of a packed digest, or "" for keys that are no digests,
// of which one thing may have several.
func algorithm(packed string) string {
	if packed[0] != 0 {
		return packed[:1]
	}
	name, _, ok := strings.Cut(packed[1:], ":")
	if !ok || slices.Contains(nameKeys[:], name) {
		return ""
	}
	return name
}

// nameKeys are what keys begin with that are no digests of bytes alone: dirHash1
// covers the names of files too, and one root has several when files are renamed.
var nameKeys = [...]string{"run", "dataset", "manifest", "uri", "dirHash", "dirHash1"}

// number gives every thing its node, and every node what is known of it.
func (a *assembly) number() error {
	a.owner = make([]uint32, len(a.keyText))
	for i := range a.things {
		t := &a.things[i]
		set := a.settle(i, t)
		if a.owner[set] == 0 {
			a.nodes = append(a.nodes, node{key: a.bestKey(set, a.keysOf(t)), kindRank: -1})
			a.owner[set] = uint32(len(a.nodes))
		}
		a.nodeOf[i] = a.owner[set] - 1
		a.nodes[a.nodeOf[i]].learn(t, a.assuranceOf(t))
	}
	if len(a.nodes) > MaxNodes {
		return attest.Refuse(attest.LineageMalformed, "", "%d things, more than %d", len(a.nodes), MaxNodes)
	}
	for i := range a.nodes {
		a.nodes[i].sortNames()
	}
	return nil
}

// settle says which set a thing is of. The digests of an unverified claim may be
// those of several things: it is then about the first that somebody vouches for.
func (a *assembly) settle(i int, t *thing) uint32 {
	keys := a.keysOf(t)
	set, apart := a.find(keys[0]), false
	for _, k := range keys[1:] {
		other := a.find(k)
		if other == set {
			continue
		}
		apart = true
		if !a.vouched[set] && a.vouched[other] {
			set = other
		} else if a.vouched[set] && a.vouched[other] {
			a.Note(DigestsDiffer, unpack(a.keyText[keys[0]])+" and "+unpack(a.keyText[k])+" are two things; "+
				a.describe(t.evidence)+" says that they are one", Ref(i))
		}
	}
	if apart {
		for _, k := range keys {
			a.twins = append(a.twins, twin{uint32(i), k})
		}
	}
	return set
}

// bestKey is the key that names the node: a digest where it has one, sha256
// first.
func (a *assembly) bestKey(set uint32, keys []uint32) uint32 {
	best := keys[0]
	if a.find(best) != set {
		best = set
	}
	for _, m := range a.membersOf(set) {
		if before(a.keyText[m], a.keyText[best]) {
			best = m
		}
	}
	return best
}

// before orders keys: digests in the order of algorithms, then names.
func before(x, y string) bool {
	if (x[0] == 0) != (y[0] == 0) {
		return y[0] == 0
	}
	return x < y
}

// learn takes in what one claim says. What describes outranks what refers, and a
// verified claim any other; equal claims are told apart by the kind itself, so
// that their order does not matter.
func (n *node) learn(t *thing, by Assurance) {
	rank := int(by)*8 + int(t.sure)*2
	if t.described {
		rank++
	}
	if t.kind != Artifact && (rank > n.kindRank || rank == n.kindRank && t.kind > n.kind) {
		n.kind, n.kindRank = t.kind, rank
	}
	switch {
	case t.described && by == Verified:
		n.flags |= flagDescribed
	case t.described:
		n.flags |= flagMentioned
	}
	if t.weak {
		n.flags |= flagWeak
	}
	if t.failed {
		n.flags |= flagFailed
	}
	if t.opaque {
		n.flags |= flagOpaque
	}
	n.tree = n.tree || t.tree && by == Verified
	if t.name != "" || t.version != "" {
		n.names = append(n.names, naming{t.name, t.version, by})
	}
}

// maxNames bounds the names of one node that no verified statement gives.
const maxNames = 256

// sortNames keeps each name once: those of verified statements first, which
// nobody else's can crowd out, and those with a version before others.
func (n *node) sortNames() {
	slices.SortFunc(n.names, func(x, y naming) int {
		return cmp.Or(strings.Compare(x.name, y.name), strings.Compare(x.version, y.version), cmp.Compare(y.by, x.by))
	})
	n.names = slices.CompactFunc(n.names, func(x, y naming) bool { return x.name == y.name && x.version == y.version })
	slices.SortFunc(n.names, func(x, y naming) int {
		return cmp.Or(-cmp.Compare(rankOf(x.by), rankOf(y.by)), strings.Compare(y.version, x.version), strings.Compare(x.name, y.name))
	})
}

// rankOf tells verified names from all others.
func rankOf(by Assurance) int {
	if by == Verified {
		return 1
	}
	return 0
}

// cutNames leaves out names that nobody verified beyond a number, and shows that.
func (a *assembly) cutNames() {
	for i := range a.nodes {
		n := &a.nodes[i]
		verified := 0
		for verified < len(n.names) && n.names[verified].by == Verified {
			verified++
		}
		if most := verified + maxNames; len(n.names) > most {
			a.conflict(CutShort, a.vouchedFor(uint32(i)), fmt.Sprintf("%s has %d names that nobody verified: %d are kept", a.label(uint32(i)), len(n.names)-verified, maxNames), uint32(i))
			n.names = n.names[:most:most]
		}
	}
}

// describe names a statement for people: the file, or its digest.
func (a *assembly) describe(evidence uint32) string {
	e := &a.evidence[evidence]
	if e.Source != "" {
		return e.Source
	}
	return e.Statement
}
