package merkle

import "bytes"

// Compare says how many members are in after and not in before, and how many the
// other way round, repetitions counted.
func Compare(before, after *Tree) (added, removed uint64) {
	for b := range before.heaps {
		a, r := before.heaps[b].compare(&after.heaps[b])
		added += a
		removed += r
	}
	return added, removed
}

func (h *heap) compare(after *heap) (added, removed uint64) {
	i, j, r, s := 0, 0, 0, 0
	for i < len(h.members) && j < len(after.members) {
		order := bytes.Compare(h.members[i][:], after.members[j][:])
		var was, is uint64
		if order <= 0 {
			was = h.countFrom(&r, i)
			i++
		}
		if order >= 0 {
			is = after.countFrom(&s, j)
			j++
		}
		added += max(is, was) - was
		removed += max(is, was) - is
	}
	for ; i < len(h.members); i++ {
		removed += h.countFrom(&r, i)
	}
	for ; j < len(after.members); j++ {
		added += after.countFrom(&s, j)
	}
	return added, removed
}
