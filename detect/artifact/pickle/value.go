package pickle

// val is an abstract value in eight bytes: a kind and, by kind, the offset of
// the opcode that made it (its content is read again from there when somebody
// asks), the index of a node, or the index of a folded constant. Scalars cost
// nothing beyond the value itself, so that millions of them fit in memory.
type val uint64

type kind uint8

const (
	kNothing kind = iota // the zero value is no value
	kNone
	kBool
	kInt
	kFloat
	kStr
	kBytes
	kByteArray
	kBuffer // out-of-band
	kMark   // only where a reading keeps marks among the values
	kNode   // payload: index of a node
	kConst  // payload: index of a folded constant
	// kPlain is a container of plain data whose elements are no longer kept;
	// payload: offset of its opcode and, in the lowest four bits, its nodeKind.
	kPlain
)

const (
	kindShift   = 56
	payloadMask = 1<<kindShift - 1
)

func mk(k kind, payload int) val { return val(k)<<kindShift | val(payload)&payloadMask }

func (v val) kind() kind   { return kind(v >> kindShift) }
func (v val) payload() int { return int(v & payloadMask) }

type nodeKind uint8

const (
	nTuple nodeKind = iota
	nList
	nSet
	nFrozenSet
	nDict // elements are key, value, key, value …
	nGlobal
	nInstance // what a call or NEWOBJ gave: elements are callee, args
	nBound    // a method taken from an instance: elements are the instance; sym is the method
	nPartial  // elements: callable, args
	nGetter   // attrgetter, itemgetter, methodcaller: elements: args; sym says which
	nPers     // elements: the persistent id
	nExt
	nUnknown // a value that cannot be computed: elements: callee, args
)

// Flags of a node say what its elements hold that are no longer kept.
const (
	fDropped   uint8 = 1 << iota // some elements are not kept
	fActive                      // a dropped element is neither scalar nor plain container
	fDunderKey                   // a dropped key is a dunder name
	fEscaped                     // a call was given the container, and may have changed it
	fKwargs                      // the last element of a partial are its keyword arguments
	fBuilt                       // an instance was given attributes or items after it was made
)

// node is an abstract value with parts, in 24 bytes.
type node struct {
	offLow uint32 // of the opcode that made it
	elems  uint32 // index of the first kept element
	n      uint32 // elements in all, saturating
	sym    uint32 // index of a symbol plus one: the global itself, or the class of an instance
	kept   uint16
	offTop uint8
	kind   nodeKind
	flags  uint8
}

func (n *node) off() int { return int(n.offTop)<<32 | int(n.offLow) }

const (
	chunkBits = 13
	chunkSize = 1 << chunkBits
	chunkMask = chunkSize - 1
	// maxKept is how many elements of one container are kept; the rest is
	// summarised in flags.
	maxKept = 512
	// keepChunks is how much of an arena stays allocated from scan to scan.
	keepChunks = 8
)

// arena is a growing table that never copies what is in it.
type arena[T any] struct {
	chunks [][]T
	n      int
}

func (a *arena[T]) at(i uint32) *T { return &a.chunks[i>>chunkBits][i&chunkMask] }

// alloc gives the index of n consecutive slots, n <= chunkSize.
func (a *arena[T]) alloc(n int) uint32 {
	i := a.n
	if i&chunkMask+n > chunkSize || i+n > len(a.chunks)<<chunkBits {
		i = a.extend(n)
	}
	a.n = i + n
	return uint32(i)
}

// extend begins a chunk, for it all or for what does not fit in the current one.
func (a *arena[T]) extend(n int) int {
	i := a.n
	if i&chunkMask+n > chunkSize && i&chunkMask != 0 {
		i = (i + chunkMask) &^ chunkMask
	}
	for i+n > len(a.chunks)<<chunkBits {
		a.chunks = append(a.chunks, make([]T, chunkSize))
	}
	return i
}

// run gives n consecutive slots from i.
func (a *arena[T]) run(i, n uint32) []T {
	if n == 0 {
		return nil
	}
	o := i & chunkMask
	return a.chunks[i>>chunkBits][o : o+n]
}

func (a *arena[T]) reset() {
	a.n = 0
	if len(a.chunks) > keepChunks {
		a.chunks = append([][]T(nil), a.chunks[:keepChunks]...)
	}
}

// container is the nodeKind of a container, kept or not; ok is false for others.
func (m *machine) container(v val) (k nodeKind, ok bool) {
	switch v.kind() {
	case kPlain:
		return nodeKind(v.payload() & 15), true
	case kNode:
		k = m.node(v).kind
		return k, k <= nDict
	}
	return 0, false
}

func (m *machine) node(v val) *node {
	if v.kind() != kNode {
		return nil
	}
	return m.nodes.at(uint32(v.payload()))
}

func (m *machine) elems(n *node) []val { return m.values.run(n.elems, uint32(n.kept)) }

func (m *machine) newNode(k nodeKind, off int) (val, *node) {
	if k > nDict {
		m.active++
	}
	i := m.nodes.alloc(1)
	n := m.nodes.at(i)
	*n = node{offLow: uint32(off), offTop: uint8(off >> 32), kind: k}
	return mk(kNode, int(i)), n
}

// newFrom makes a node of the elements vs, of which it keeps maxKept.
func (m *machine) newFrom(k nodeKind, off int, vs []val) val {
	v, n := m.newNode(k, off)
	m.extend(n, vs)
	return v
}

// extend appends elements to a container node.
func (m *machine) extend(n *node, vs []val) {
	if len(vs) == 0 {
		return
	}
	room := maxKept - int(n.kept)
	take := min(len(vs), room)
	if take > 0 {
		m.grow(n, vs[:take])
	}
	if take < len(vs) {
		m.summarise(n, vs[max(take, 0):])
	}
	if s := uint64(n.n) + uint64(len(vs)); s < 1<<32 {
		n.n = uint32(s)
	}
}

// grow moves the kept elements to a longer run unless they stand at its end.
func (m *machine) grow(n *node, vs []val) {
	if n.kept > 0 && int(n.elems)+int(n.kept) == m.values.n && int(n.elems&chunkMask)+int(n.kept)+len(vs) <= chunkSize {
		at := m.values.alloc(len(vs))
		copy(m.values.run(at, uint32(len(vs))), vs)
		n.kept += uint16(len(vs))
		return
	}
	at := m.values.alloc(int(n.kept) + len(vs))
	if n.kept == 0 {
		copyShort(m.values.run(at, uint32(len(vs))), vs)
		n.elems, n.kept = at, uint16(len(vs))
		return
	}
	run := m.values.run(at, uint32(n.kept)+uint32(len(vs)))
	copy(run, m.elems(n))
	copy(run[n.kept:], vs)
	n.elems, n.kept = at, n.kept+uint16(len(vs))
}

// region is where the tables stood when a MARK was made.
type region struct {
	nodes, values, memo       uint32
	shared, active, overwrite uint32
}

func (m *machine) here() region {
	return region{uint32(m.nodes.n), uint32(m.values.n), uint32(len(m.memo)), m.shared, m.active, m.overwrites}
}

// copyShort copies what is mostly a handful of values.
func copyShort(to, from []val) {
	if len(from) > 8 {
		copy(to, from)
		return
	}
	to = to[:len(from)]
	for i, v := range from { //nolint:staticcheck // S1001: copy calls memmove, which is slower for a handful
		to[i] = v
	}
}

// reclaim gives back what was made since a MARK where nothing of it is kept: all
// of it is plain data, goes into a container that is full, and nothing older
// was reached. What the memo holds of it becomes kPlain. Without it, a list of
// millions of tuples would stay in memory though only its first are looked at.
func (m *machine) reclaim(target *node, r region, items int) bool {
	if target.kept < maxKept || m.sawFence || m.read.marksOnStack ||
		r.shared != m.shared || r.active != m.active || r.overwrite != m.overwrites || uint32(m.nodes.n) == r.nodes {
		return false
	}
	for i := int(r.memo); i < len(m.memo); i++ {
		if v := m.memo[i]; v.kind() == kNode {
			n := m.nodes.at(uint32(v.payload()))
			m.memo[i] = mk(kPlain, n.off()<<4|int(n.kind))
		}
	}
	m.nodes.n, m.values.n = int(r.nodes), int(r.values)
	target.flags |= fDropped
	if s := uint64(target.n) + uint64(items); s < 1<<32 {
		target.n = uint32(s)
	}
	return true
}

// summarise notes what elements hold that are not kept.
func (m *machine) summarise(n *node, vs []val) {
	n.flags |= fDropped
	for i, v := range vs {
		if v.kind() == kNode {
			c := m.node(v)
			if c.kind > nDict || c.flags&fActive != 0 {
				n.flags |= fActive
			}
		}
		if n.kind == nDict && i%2 == 0 && v.kind() == kStr {
			if s := m.text(v); len(s) > 4 && s[0] == '_' && s[1] == '_' {
				n.flags |= fDunderKey
			}
		}
	}
}
