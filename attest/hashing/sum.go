package hashing

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"slices"
	"sync/atomic"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/sys/unix"

	"bartizan/attest/tree"
)

// Sum digests the units in parallel, the largest first; a BLAKE3 unit is itself
// split among the workers. The digests come in the order of the units.
//
// A file that differs from its entry before or after it was read, or that ends
// early, is OMS_FILE_CHANGED; the refusals of [tree.Root.Open] come through, and
// a range outside its file is OMS_SHARDS_INVALID. Up to 100 errors are joined in
// the order of the units; with any error there are no digests. Memory is about
// 300 KiB for each worker and, of files with BLAKE3, 32 bytes for each MiB.
func Sum(ctx context.Context, root *tree.Root, units []Unit, opt Options) ([][]byte, error) {
	if err := opt.Algorithm.check(); err != nil {
		return nil, err
	}
	for _, u := range units {
		if err := u.check(); err != nil {
			return nil, err
		}
	}
	s := &sums{root: root, units: units, algorithm: opt.Algorithm, size: opt.Algorithm.Size()}
	s.out = make([]byte, len(units)*s.size)
	s.plan()
	if err := run(ctx, opt, len(s.jobs), s.worker); err != nil {
		return nil, err
	}
	all := make([][]byte, len(units))
	for i := range all {
		all[i] = s.digest(i)
	}
	return all, nil
}

// sums is one call of Sum.
type sums struct {
	root      *tree.Root
	units     []Unit
	algorithm Algorithm
	size      int
	out       []byte // the digests, one after the other
	jobs      []job
	split     map[int]*parts // BLAKE3 units of several jobs
}

func (s *sums) digest(unit int) []byte {
	return s.out[unit*s.size : (unit+1)*s.size : (unit+1)*s.size]
}

// job is a unit or a part of one, whose bytes it names.
type job struct {
	unit       int
	start, end int64
}

// parts collects the groups of a unit that several workers digest.
type parts struct {
	groups [][32]byte
	left   atomic.Int64 // jobs that are not done
}

// piece is how much of a split unit one worker takes at a time.
const piece = 8 * ChunkSize

func (s *sums) plan() {
	s.jobs = make([]job, 0, len(s.units))
	s.split = map[int]*parts{}
	for i, u := range s.units {
		size := u.End - u.Start
		if s.algorithm != BLAKE3 || size <= piece {
			s.jobs = append(s.jobs, job{i, u.Start, u.End})
			continue
		}
		p := &parts{groups: make([][32]byte, Groups(size))}
		for start := u.Start; start < u.End; start += piece {
			s.jobs = append(s.jobs, job{i, start, min(start+piece, u.End)})
			p.left.Add(1)
		}
		s.split[i] = p
	}
	slices.SortStableFunc(s.jobs, func(a, b job) int { return cmp.Compare(b.end-b.start, a.end-a.start) })
}

// worker makes what one worker calls for each job.
func (s *sums) worker(tell func(int64)) func(ctx context.Context, i int) (unit int, err error) {
	w := &summer{sums: s, tell: tell, buf: make([]byte, bufferSize)}
	switch s.algorithm {
	case SHA256:
		w.stream = sha256.New()
	case BLAKE2b:
		w.stream, _ = blake2b.New512(nil) // fails for keys alone
	}
	return func(ctx context.Context, i int) (int, error) {
		return s.jobs[i].unit, w.do(ctx, s.jobs[i])
	}
}

type summer struct {
	*sums
	tell   func(int64)
	buf    []byte
	stream hash.Hash // nil for BLAKE3
	groups [][32]byte
}

func (w *summer) do(ctx context.Context, j job) error {
	e := w.units[j.unit].Entry
	fd, err := w.root.OpenEntry(e)
	if err != nil {
		return err
	}
	if w.stream != nil {
		err = w.streamed(ctx, fd, j)
	} else {
		err = w.blake3(ctx, fd, j)
	}
	if err == nil {
		err = e.CheckFD(fd)
	}
	return errors.Join(err, unix.Close(fd))
}

func (w *summer) streamed(ctx context.Context, fd int, j job) error {
	w.stream.Reset()
	err := pread(ctx, fd, w.units[j.unit].Entry.Name, j.start, j.end, w.buf, func(p []byte) {
		w.stream.Write(p)
		w.tell(int64(len(p)))
	})
	w.stream.Sum(w.digest(j.unit)[:0])
	return err
}

func (w *summer) blake3(ctx context.Context, fd int, j job) error {
	u := w.units[j.unit]
	p := w.split[j.unit]
	first := int((j.start - u.Start) / ChunkSize)
	var groups [][32]byte
	if p != nil {
		groups = p.groups[first : first+Groups(j.end-j.start)]
	} else {
		w.groups = slices.Grow(w.groups[:0], Groups(j.end-j.start))[:Groups(j.end-j.start)]
		groups = w.groups
	}
	b := treeOf(j.start-u.Start, u.End-u.Start, groups)
	err := pread(ctx, fd, u.Entry.Name, j.start, j.end, w.buf, func(data []byte) {
		b.write(data)
		w.tell(int64(len(data)))
	})
	if err != nil {
		return err
	}
	b.end()
	if p == nil {
		root := RootOf(groups)
		copy(w.digest(j.unit), root[:])
	} else if p.left.Add(-1) == 0 {
		root := RootOf(p.groups)
		copy(w.digest(j.unit), root[:])
	}
	return nil
}
