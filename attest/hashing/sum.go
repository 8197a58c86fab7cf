package hashing

import (
	"cmp"
	"context"
	"crypto/sha256"
	"hash"
	"slices"
	"sync/atomic"

	"golang.org/x/crypto/blake2b"

	"bartizan/attest/tree"
)

// Sum digests the units in parallel, the largest first; a BLAKE3 unit is itself
// split among the workers. The digests come in the order of the units.
//
// A file that differs from its entry before or after it was read, or that ends
// early, is OMS_FILE_CHANGED; the refusals of [tree.Root.Open] come through, and
// a range outside its file is OMS_SHARDS_INVALID. Up to 100 errors are joined in
// the order of the units; with any error there are no digests. Memory is about
// 300 KiB for each worker, 100 bytes for each unit and, with BLAKE3, 32 bytes
// for each MiB of a file.
func Sum(ctx context.Context, root *tree.Root, units []Unit, opt Options) ([][]byte, error) {
	if err := opt.Algorithm.check(); err != nil {
		return nil, err
	}
	for _, u := range units {
		if err := u.check(); err != nil {
			return nil, err
		}
	}
	s := &sums{units: units, size: opt.Algorithm.Size(), split: map[int]*parts{}}
	s.out = make([]byte, len(units)*s.size)
	p := &plan{
		root: root, jobs: s.jobs(opt.Algorithm),
		entry: func(unit int) *tree.Entry { return &units[unit].Entry },
	}
	switch opt.Algorithm {
	case SHA256:
		p.stream, p.paired, p.done = sha256.New, twinsWork(), s.streamed
	case BLAKE2b:
		p.stream, p.done = newBLAKE2b, s.streamed
	case BLAKE3:
		p.tree, p.done = s.tree, s.folded
	}
	if err := p.run(ctx, opt); err != nil {
		return nil, err
	}
	all := make([][]byte, len(units))
	for i := range all {
		all[i] = s.digest(i)
	}
	return all, nil
}

func newBLAKE2b() hash.Hash {
	h, _ := blake2b.New512(nil) // fails for keys alone
	return h
}

// sums is one call of Sum.
type sums struct {
	units []Unit
	size  int            // of a digest
	out   []byte         // the digests, one after the other
	split map[int]*parts // BLAKE3 units of several jobs
}

func (s *sums) digest(unit int) []byte {
	return s.out[unit*s.size : (unit+1)*s.size : (unit+1)*s.size]
}

// parts collects the groups of a unit that several workers digest.
type parts struct {
	groups [][32]byte
	left   atomic.Int64 // jobs that are not done
}

// piece is how much of a split unit one worker takes at a time.
const piece = 8 * ChunkSize

func (s *sums) jobs(a Algorithm) []job {
	jobs := make([]job, 0, len(s.units))
	for i, u := range s.units {
		size := u.End - u.Start
		if a != BLAKE3 || size <= piece {
			jobs = append(jobs, job{i, u.Start, u.End})
			continue
		}
		p := &parts{groups: make([][32]byte, Groups(size))}
		for start := u.Start; start < u.End; start += piece {
			jobs = append(jobs, job{i, start, min(start+piece, u.End)})
			p.left.Add(1)
		}
		s.split[i] = p
	}
	slices.SortFunc(jobs, func(a, b job) int {
		return cmp.Or(cmp.Compare(b.end-b.start, a.end-a.start), cmp.Compare(a.unit, b.unit), cmp.Compare(a.start, b.start))
	})
	return jobs
}

// streamed takes the digest of a unit that was read from end to end.
func (s *sums) streamed(f *strand) { f.stream.Sum(s.digest(f.job.unit)[:0]) }

// tree starts the groups of a unit, or those of a part of it.
func (s *sums) tree(f *strand) {
	u := s.units[f.job.unit]
	n := Groups(f.job.end - f.job.start)
	if p := s.split[f.job.unit]; p != nil {
		first := int((f.job.start - u.Start) / ChunkSize)
		f.groups = p.groups[first : first+n]
	} else {
		f.groups = slices.Grow(f.groups[:0], n)[:n]
	}
	f.builder = treeOf(f.job.start-u.Start, u.End-u.Start, f.groups)
}

// folded takes the digest of a unit whose groups are all there.
func (s *sums) folded(f *strand) {
	groups := f.groups
	if p := s.split[f.job.unit]; p != nil {
		f.groups = nil // belongs to the unit, not to the next job
		if p.left.Add(-1) > 0 {
			return
		}
		groups = p.groups
	}
	root := RootOf(groups)
	copy(s.digest(f.job.unit), root[:])
}
