package hashing

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"

	"bartizan/attest/tree"
)

// FileSum is what a manifest keeps of a file.
type FileSum struct {
	SHA256 [32]byte
	BLAKE3 [32]byte
	// Chunks are the chaining values of the groups; nil where there is only one.
	Chunks [][32]byte
}

// Files gives both digests of whole files, in the order of the entries, from one
// reading of each file: they are digests of the same bytes. A worker that has no
// file left takes BLAKE3 off the others. Errors are those of [Sum].
func Files(ctx context.Context, root *tree.Root, entries []tree.Entry, opt Options) ([]FileSum, error) {
	out := make([]FileSum, len(entries))
	jobs := make([]job, len(entries))
	for i, e := range entries {
		jobs[i] = job{i, 0, e.Size}
	}
	slices.SortFunc(jobs, func(a, b job) int {
		return cmp.Or(cmp.Compare(b.end, a.end), cmp.Compare(a.unit, b.unit))
	})
	p := &plan{
		root: root, jobs: jobs, stream: sha256.New, paired: twinsWork(),
		entry: func(unit int) *tree.Entry { return &entries[unit] },
		tree: func(f *strand) {
			if n := Groups(f.job.end); n > 1 {
				f.groups = make([][32]byte, n)
			} else {
				f.groups = f.one[:]
			}
			f.builder = treeOf(0, f.job.end, f.groups)
		},
		done: func(f *strand) {
			sum := &out[f.job.unit]
			f.stream.Sum(sum.SHA256[:0])
			sum.BLAKE3 = RootOf(f.groups)
			if len(f.groups) > 1 {
				sum.Chunks = f.groups
			}
		},
	}
	if err := p.run(ctx, opt); err != nil {
		return nil, err
	}
	return out, nil
}
