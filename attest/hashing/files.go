package hashing

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"slices"

	"golang.org/x/sys/unix"

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
// reading of each file: they are digests of the same bytes. Errors are those of
// [Sum].
func Files(ctx context.Context, root *tree.Root, entries []tree.Entry, opt Options) ([]FileSum, error) {
	f := &files{root: root, entries: entries, out: make([]FileSum, len(entries)), order: make([]int, len(entries))}
	for i := range f.order {
		f.order[i] = i
	}
	slices.SortStableFunc(f.order, func(a, b int) int { return cmp.Compare(entries[b].Size, entries[a].Size) })
	if err := run(ctx, opt, len(entries), f.worker); err != nil {
		return nil, err
	}
	return f.out, nil
}

// files is one call of Files.
type files struct {
	root    *tree.Root
	entries []tree.Entry
	out     []FileSum
	order   []int // the largest first
}

func (f *files) worker(tell func(int64)) func(context.Context, int) (int, error) {
	w := &filer{files: f, tell: tell, buf: make([]byte, bufferSize), sha: sha256.New()}
	return func(ctx context.Context, i int) (int, error) {
		return f.order[i], w.do(ctx, f.order[i])
	}
}

type filer struct {
	*files
	tell func(int64)
	buf  []byte
	sha  hash.Hash
}

func (w *filer) do(ctx context.Context, i int) error {
	e := w.entries[i]
	fd, err := w.root.OpenEntry(e)
	if err != nil {
		return err
	}
	err = w.both(ctx, fd, e, &w.out[i])
	if err == nil {
		err = e.CheckFD(fd)
	}
	return errors.Join(err, unix.Close(fd))
}

func (w *filer) both(ctx context.Context, fd int, e tree.Entry, out *FileSum) error {
	groups := make([][32]byte, Groups(e.Size))
	b := treeOf(0, e.Size, groups)
	w.sha.Reset()
	err := pread(ctx, fd, e.Name, 0, e.Size, w.buf, func(p []byte) {
		w.sha.Write(p)
		b.write(p)
		w.tell(int64(len(p)))
	})
	if err != nil {
		return err
	}
	b.end()
	w.sha.Sum(out.SHA256[:0])
	out.BLAKE3 = RootOf(groups)
	if len(groups) > 1 {
		out.Chunks = groups
	}
	return nil
}
