package pickle

import (
	"fmt"
	"math"
)

// Limits of what ordinary writers produce. CPython's pickler keeps at most
// 1,000 items above a MARK, numbers of more than 4,300 digits do not convert
// since CPython 3.11, and memo indices are consecutive.
const (
	maxStack      = 100_000
	maxDigits     = 100_000
	maxMemoIndex  = 1 << 26
	maxNesting    = 5_000
	maxExpansion  = 1e7 // leaves when written out, where that is also …
	minExpansion  = 1e3 // … so many times the values that there are
	sharedFrom    = 16
	maxMeasured   = 1 << 18 // values of a stream that is measured for nesting alone
	expansionMark = -1
)

// exhaustion says where a stream is built to exhaust its readers.
func (s *scanner) exhaustion() {
	m := s.m
	m.high = max(m.high, len(m.stack), len(m.marks))
	switch {
	case m.fault != nil && m.fault.code == "work-limit":
		s.exhausts("calls", float64(m.looked))
	case m.high > maxStack:
		s.exhausts("stack", float64(m.high))
	case m.digits > maxDigits:
		s.exhausts("digits", float64(m.digits))
	case len(m.memoSparse) > 0 && m.largestKey() > maxMemoIndex:
		s.exhausts("memo index", float64(m.largestKey()))
	}
	if m.fault != nil || m.shared < sharedFrom && m.nodes.n > maxMeasured {
		return
	}
	leaves, depth := m.measure()
	if leaves > maxExpansion && leaves > minExpansion*float64(m.nodes.n) {
		s.exhausts("expansion", leaves)
	}
	if depth > maxNesting {
		s.exhausts("nesting", float64(depth))
	}
}

func (s *scanner) exhausts(pattern string, size float64) {
	text := fmt.Sprintf("%.3g", size)
	s.events.add(&ruleExhaustion, 0, pattern, "the stream exhausts readers by its "+pattern+" of "+text,
		map[string]any{"pattern": pattern, "size": text})
}

func (m *machine) largestKey() int {
	most := 0
	for k := range m.memoSparse {
		most = max(most, k)
	}
	return most
}

// measure gives, for the value that the stream returns, how many leaves it has
// when written out, and how deep it nests. It walks each node once, without
// recursion; cycles count once.
func (m *machine) measure() (leaves float64, depth int) {
	if len(m.stack) == 0 {
		return 0, 0
	}
	type measured struct {
		leaves float32
		depth  int32
	}
	done := make([]measured, m.nodes.n)
	todo := []uint32{}
	enter := func(v val) {
		if v.kind() == kNode && done[v.payload()].leaves == 0 {
			done[v.payload()].leaves = expansionMark
			todo = append(todo, uint32(v.payload()))
		}
	}
	top := m.stack[len(m.stack)-1]
	enter(top)
	order := make([]bool, m.nodes.n) // its elements were entered
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		n := m.nodes.at(i)
		if !order[i] {
			order[i] = true
			for _, e := range m.elems(n) {
				enter(e)
			}
			continue
		}
		todo = todo[:len(todo)-1]
		sum, deep := float32(n.n-min(uint32(n.kept), n.n)), int32(0)
		for _, e := range m.elems(n) {
			if e.kind() != kNode {
				sum++
				continue
			}
			if d := done[e.payload()]; d.leaves > 0 {
				sum, deep = sum+d.leaves, max(deep, d.depth)
			}
		}
		done[i] = measured{max(min(sum, math.MaxFloat32), 1), deep + 1}
	}
	if top.kind() != kNode {
		return 1, 0
	}
	return float64(done[top.payload()].leaves), int(done[top.payload()].depth)
}
