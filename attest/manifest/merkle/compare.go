package merkle

import "bytes"

// Compare says how many members are in after and not in before, and how many the
// other way round, repetitions counted.
func Compare(before, after *Tree) (added, removed uint64) {
	i, j := 0, 0
	for i < len(before.members) || j < len(after.members) {
		order := 0
		switch {
		case i == len(before.members):
			order = 1
		case j == len(after.members):
			order = -1
		default:
			order = bytes.Compare(before.members[i][:], after.members[j][:])
		}
		switch {
		case order < 0:
			removed += before.count(i)
			i++
		case order > 0:
			added += after.count(j)
			j++
		default:
			was, is := before.count(i), after.count(j)
			added += max(is, was) - was
			removed += max(is, was) - is
			i++
			j++
		}
	}
	return added, removed
}
