package container

import "sort"

// spans are the ranges of a container that belong to something.
type spans struct {
	list   [][2]int64
	sorted bool
}

func (s *spans) add(from, to int64) {
	if to <= from {
		return
	}
	if n := len(s.list); n > 0 && from < s.list[n-1][0] {
		s.sorted = false
	} else if n == 0 {
		s.sorted = true
	}
	s.list = append(s.list, [2]int64{from, to})
}

func (s *spans) sort() {
	if !s.sorted {
		sort.Slice(s.list, func(i, j int) bool { return s.list[i][0] < s.list[j][0] })
		s.sorted = true
	}
}

// overlaps counts the ranges that begin within an earlier one, but for equal ones.
func (s *spans) overlaps() (n int, first int64) {
	s.sort()
	end := int64(-1)
	for i, r := range s.list {
		if r[0] < end && !(i > 0 && r == s.list[i-1]) {
			if n++; n == 1 {
				first = r[0]
			}
		}
		end = max(end, r[1])
	}
	return n, first
}

// gaps gives the ranges of [from, to) that nothing covers.
func (s *spans) gaps(from, to int64) [][2]int64 {
	s.sort()
	var out [][2]int64
	for _, r := range s.list {
		if r[0] > from {
			out = append(out, [2]int64{from, min(r[0], to)})
		}
		if from = max(from, r[1]); from >= to {
			return out
		}
	}
	return append(out, [2]int64{from, to})
}

// starts gives where the ranges begin, in order.
func (s *spans) starts() []int64 {
	s.sort()
	out := make([]int64, len(s.list))
	for i, r := range s.list {
		out[i] = r[0]
	}
	return out
}
