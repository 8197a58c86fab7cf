package lineage

// Trace explains the states of many nodes: where Why goes the whole way for each,
// which for all nodes of a long chain is quadratic, Trace has looked at every edge
// once, and gives the ends of a path. It is read only and may be used by many.
type Trace struct {
	s      *States
	ends   int
	parent []Node // the node before on a shortest way
	origin []Node
	head   []Node // the node ends-1 edges below the origin on that way, or itself
}

// Trace prepares to give so many nodes of each end of a path.
func (s *States) Trace(ends int) *Trace {
	n := s.g.Nodes()
	t := &Trace{s: s, ends: ends, parent: make([]Node, n), origin: make([]Node, n), head: make([]Node, n)}
	for i := range n { // edges lead to higher numbers: what is before has been seen
		x := Node(i)
		t.parent[i], t.origin[i], t.head[i] = x, x, x
		if s.Of(x) == Clean || Cause(s.cause[i]) != NoCause {
			continue
		}
		if _, from, ok := s.towards(x); ok {
			t.parent[i], t.origin[i] = from, t.origin[from]
			if s.dist[i] >= uint32(ends) {
				t.head[i] = t.head[from]
			}
		}
	}
	return t
}

// Short is the explanation of a state with the ends of its path.
type Short struct {
	Origin Node
	Cause  Cause
	Reason string
	// Path leads from the origin to the node: of a long one the first and last.
	Path []Node
	// Omitted counts the nodes between.
	Omitted int
}

// Why explains the state of a node that is not clean.
func (t *Trace) Why(n Node) (Short, bool) {
	s := t.s
	if s.Of(n) == Clean {
		return Short{}, false
	}
	origin := t.origin[n]
	out := Short{Origin: origin, Cause: Cause(s.cause[origin]), Reason: s.reasons[origin]}
	length := int(s.dist[n]) + 1
	last := length
	if length > 2*t.ends {
		last, out.Omitted = t.ends, length-2*t.ends
	}
	back := t.follow(nil, n, last)
	if out.Omitted > 0 {
		back = t.follow(back, t.head[n], t.ends)
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	out.Path = back
	return out, true
}

// follow appends a node and those before it.
func (t *Trace) follow(out []Node, n Node, count int) []Node {
	for range count {
		out = append(out, n)
		if t.parent[n] == n {
			break
		}
		n = t.parent[n]
	}
	return out
}
