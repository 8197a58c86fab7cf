package lineage

// Node is a place in one graph. Nodes are numbered so that every edge leads from
// a lower number to a higher one.
type Node uint32

// Edge is the number of an edge in one graph.
type Edge uint32

// Graph is what is claimed, without cycles. It is read only and may be used by
// any number of goroutines.
//
// It is kept as arrays (compressed sparse rows in both directions), not as
// objects: a walk reads memory in order, and a million nodes with three million
// edges take about 120 MB.
type Graph struct {
	kind  []uint8
	flags []uint8

	keys    texts    // packed, sorted
	keyNode []uint32 // the node of each key
	nodeKey []uint32 // the first key of each node

	nameStart []uint32 // names of node i are nameStart[i] … nameStart[i+1]
	names     texts
	versions  texts
	nameBy    []uint8 // the Assurance of each name

	downStart []uint32 // edges of node i are downStart[i] … downStart[i+1]
	edgeTo    []uint32
	edgeRel   []uint8
	edgeEv    []uint32

	upStart []uint32 // the same edges by where they end
	upFrom  []uint32
	upEdge  []uint32

	aside aside

	own []uint8 // the Cause of each node by itself, but for taint

	evidence  []Evidence
	marks     []Mark
	conflicts []Conflict
}

// What is known of a node by itself.
const (
	flagDescribed  uint8 = 1 << iota // a verified statement describes it
	flagMentioned                    // a statement that is not verified describes it
	flagListed                       // a verified statement lists it as a file of a tree
	flagWeak                         // nothing binds its name to its bytes: MD5, SHA-1, a URI
	flagUnresolved                   // it used files whose tree cannot be told
	flagFailed                       // an unverified statement says that it failed
	flagOpaque                       // a tree whose files are not known by SHA-256
	flagCircular                     // an edge to it that no verified statement claims was set aside
)

// Nodes counts the nodes: they are 0 to Nodes()-1.
func (g *Graph) Nodes() int { return len(g.kind) }

// Edges counts the edges: they are 0 to Edges()-1.
func (g *Graph) Edges() int { return len(g.edgeTo) }

// Kind says what a node is.
func (g *Graph) Kind(n Node) Kind { return Kind(g.kind[n]) }

// ID is the node's first digest, "sha256:…", or the key of what has none,
// "run:…", "dataset:…".
func (g *Graph) ID(n Node) string { return unpack(g.keys.at(g.nodeKey[n])) }

// Digests gives all keys of a node, its ID first. It reads the whole index: it
// is for the few nodes that are shown whole.
func (g *Graph) Digests(n Node) []string {
	out := []string{g.ID(n)}
	for i, at := range g.keyNode {
		if at == uint32(n) && uint32(i) != g.nodeKey[n] {
			out = append(out, unpack(g.keys.at(uint32(i))))
		}
	}
	return out
}

// Keys calls yield for every key of every node, in their order.
func (g *Graph) Keys(yield func(n Node, key string)) {
	for i, n := range g.keyNode {
		yield(Node(n), unpack(g.keys.at(uint32(i))))
	}
}

// Name gives the first name and version of a node, or "". The version of a run
// is when it ended.
func (g *Graph) Name(n Node) (name, version string) {
	if i := g.nameStart[n]; i < g.nameStart[n+1] {
		return g.names.at(i), g.versions.at(i)
	}
	return "", ""
}

// Names calls yield for every name of a node.
func (g *Graph) Names(n Node, yield func(name, version string)) {
	for i := g.nameStart[n]; i < g.nameStart[n+1]; i++ {
		yield(g.names.at(i), g.versions.at(i))
	}
}

// Down gives the edges that lead from a node, first and one behind the last.
func (g *Graph) Down(n Node) (from, to Edge) { return Edge(g.downStart[n]), Edge(g.downStart[n+1]) }

// Up calls yield for every edge that leads to a node.
func (g *Graph) Up(n Node, yield func(Edge)) {
	for i := g.upStart[n]; i < g.upStart[n+1]; i++ {
		yield(Edge(g.upEdge[i]))
	}
}

// Inputs counts the edges that lead to a node.
func (g *Graph) Inputs(n Node) int { return int(g.upStart[n+1] - g.upStart[n]) }

// Link is an edge with its ends.
type Link struct {
	From, To Node
	Relation Relation
	Evidence *Evidence
}

// Link gives an edge. Its evidence is the best there is for it.
func (g *Graph) Link(e Edge) Link {
	return Link{
		From: g.source(e), To: Node(g.edgeTo[e]),
		Relation: Relation(g.edgeRel[e]), Evidence: &g.evidence[g.edgeEv[e]],
	}
}

// To gives the node that an edge leads to.
func (g *Graph) To(e Edge) Node { return Node(g.edgeTo[e]) }

// source finds the node whose row holds the edge.
func (g *Graph) source(e Edge) Node {
	low, high := 0, len(g.kind)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if g.downStart[mid+1] > uint32(e) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return Node(low)
}

func (g *Graph) assurance(e uint32) Assurance { return g.evidence[g.edgeEv[e]].Assurance }

// Described says whether a verified statement describes the node: one that says
// how it was made, what it holds, or that it was signed.
func (g *Graph) Described(n Node) bool { return g.flags[n]&flagDescribed != 0 }

// Evidence gives every statement that was read.
func (g *Graph) Evidence() []Evidence { return g.evidence }

// Mark is what a verified statement says against a node: it taints.
type Mark struct {
	Node   Node
	Reason string
	// Evidence is its index in [Graph.Evidence].
	Evidence uint32
}

// Marks gives what verified statements say against nodes.
func (g *Graph) Marks() []Mark { return g.marks }

// Contradiction is what kind of disagreement a [Conflict] is.
type Contradiction uint8

// The contradictions that are shown; those between equally trusted statements
// about one run or one digest refuse the import.
const (
	// NameReused: one name and version stands for several digests.
	NameReused Contradiction = iota
	// InputsDiffer: a less trusted statement gives a run other inputs.
	InputsDiffer
	// DigestsDiffer: an unverified statement joins digests that belong to two things.
	DigestsDiffer
	// PartialInputs: a run names some files of a tree and not the others.
	PartialInputs
	// Circular: claims that are not verified make a thing of itself, and were set aside.
	Circular
	// CutShort: of names or of disagreements there are more than are kept.
	CutShort
	contradictions
)

var contradictionNames = [contradictions]string{"name-reused", "inputs-differ", "digests-differ", "partial-inputs", "circular", "cut-short"}

// String gives the word that reports use.
func (c Contradiction) String() string { return word(contradictionNames[:], uint8(c)) }

// Conflict is a disagreement between claims that is shown with the nodes that it is about.
type Conflict struct {
	Kind   Contradiction
	Nodes  []Node
	Detail string
}

// Conflicts gives the disagreements that did not refuse the import.
func (g *Graph) Conflicts() []Conflict { return g.conflicts }
