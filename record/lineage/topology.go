package lineage

// adjacency is a graph as rows: those of i are to[start[i]:start[i+1]].
type adjacency struct {
	start []uint32
	to    []uint32
}

func rows(n int, from, to []uint32) adjacency {
	start, order := group(n, from)
	out := adjacency{start: start, to: make([]uint32, len(to))}
	for i, e := range order {
		out.to[i] = to[e]
	}
	return out
}

// group sorts the positions of values below n by value, keeping their order:
// those of value v are order[start[v]:start[v+1]].
func group(n int, values []uint32) (start, order []uint32) {
	start = make([]uint32, n+1)
	for _, v := range values {
		start[v+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	next := append([]uint32(nil), start[:n]...)
	order = make([]uint32, len(values))
	for i, v := range values {
		order[next[v]] = uint32(i)
		next[v]++
	}
	return start, order
}

// components gives the strongly connected component of each node and the size of
// each component (Tarjan 1972, without recursion: depth is the attacker's).
func components(g adjacency) (component, size []uint32) {
	n := len(g.start) - 1
	component = make([]uint32, n)
	index, low := make([]uint32, n), make([]uint32, n) // index 0: not seen
	next := make([]uint32, n)                          // the edge to look at
	var stack, path []uint32
	onStack := make([]bool, n)
	counter := uint32(0)
	enter := func(v uint32) {
		counter++
		index[v], low[v], next[v] = counter, counter, g.start[v]
		stack, path, onStack[v] = append(stack, v), append(path, v), true
	}
	for root := range uint32(n) {
		if index[root] != 0 {
			continue
		}
		enter(root)
		for len(path) > 0 {
			v := path[len(path)-1]
			if next[v] < g.start[v+1] {
				w := g.to[next[v]]
				next[v]++
				if index[w] == 0 {
					enter(w)
				} else if onStack[w] {
					low[v] = min(low[v], index[w])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				up := path[len(path)-1]
				low[up] = min(low[up], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			members := uint32(0)
			for {
				w := stack[len(stack)-1]
				stack, onStack[w] = stack[:len(stack)-1], false
				component[w] = uint32(len(size))
				members++
				if w == v {
					break
				}
			}
			size = append(size, members)
		}
	}
	return component, size
}

// shortestCycle gives the shortest cycle through a node of a component that has one.
func shortestCycle(g adjacency, component []uint32, at uint32) []uint32 {
	came := map[uint32]uint32{at: at}
	queue := []uint32{at}
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		for _, w := range g.to[g.start[v]:g.start[v+1]] {
			if w == at {
				cycle := []uint32{v}
				for v != at {
					v = came[v]
					cycle = append(cycle, v)
				}
				for i, j := 0, len(cycle)-1; i < j; i, j = i+1, j-1 {
					cycle[i], cycle[j] = cycle[j], cycle[i]
				}
				return cycle
			}
			if _, seen := came[w]; !seen && component[w] == component[at] {
				came[w] = v
				queue = append(queue, w)
			}
		}
	}
	return []uint32{at}
}

// levels gives the longest way to each node from one without inputs, and how
// many nodes have one, which is all of them where there is no cycle (Kahn 1962).
func levels(g adjacency) (level []uint32, done int) {
	n := len(g.start) - 1
	level = make([]uint32, n)
	waiting := make([]uint32, n)
	for _, w := range g.to {
		waiting[w]++
	}
	queue := make([]uint32, 0, n)
	for v := range uint32(n) {
		if waiting[v] == 0 {
			queue = append(queue, v)
		}
	}
	for ; done < len(queue); done++ {
		v := queue[done]
		for _, w := range g.to[g.start[v]:g.start[v+1]] {
			level[w] = max(level[w], level[v]+1)
			if waiting[w]--; waiting[w] == 0 {
				queue = append(queue, w)
			}
		}
	}
	return level, done
}
