// Package load hands over bytes that were verified, in a way that nobody can
// change between the check and the use.
//
// Check-then-use loaders verify a path and open it again: whoever can write to
// the folder swaps the file in between (CWE-367). Here the bytes that were
// checked are the bytes that are handed over, in one of three forms:
//
//   - [Reader] reads pieces of a file once into private memory, verifies them
//     there and serves them from there. It needs digests of parts: shards, or the
//     BLAKE3 chunk tree of a manifest. Nothing is returned before its piece was
//     verified, and random access costs no more than the piece.
//   - [Seal] copies a file into a sealed memfd and verifies what was sealed, so
//     that a program that wants a descriptor (safetensors, torch, mmap) gets one
//     that no process can write to. What does not fit into memory goes to a
//     nameless file that only the verifier's user can reach.
//   - [CopyTo] makes a folder of verified copies, hashed as they are written,
//     which appears whole or not at all.
//
// [Open] takes the first form that fits a file.
//
// Evidence are digests that a signature or manifest vouches for ([Expected]);
// names are opened beneath the root only (package tree). A refusal is an
// [attest.Error] with OMS_DIGEST_MISMATCH or OMS_FILE_CHANGED; every other error
// means that the bytes could not be had.
//
// It cannot see what happens to a copy in reach of processes that run as the
// same user or as root: they may write to files of this user, sealed memory
// excepted. And it says nothing of whether the bytes are safe to load, only that
// they are those that were vouched for.
package load

import (
	"context"
	"io"
	"runtime"

	"bartizan/attest/hashing"
	"bartizan/attest/tree"
)

// Expected is what a verification proved about one file.
type Expected struct {
	// Name is the file's path beneath the root, with slashes; "." where the root
	// itself is the file.
	Name string
	// Size is the length in bytes, or -1 where the evidence does not say it (a
	// whole-file digest without a size).
	Size int64
	// Ranges are digests of the whole (one range, 0 to -1) or of shards, which lie
	// one after the other from 0 to the end. Empty for an empty file, or where
	// Chunks are given.
	Ranges []Range
	// Chunks, where given, are used before Ranges.
	Chunks *ChunkTree
}

// Range is the digest of the bytes from Start to End (exclusive; -1: the end of
// the file).
type Range struct {
	Start, End int64
	Algorithm  hashing.Algorithm
	Digest     []byte
}

// ChunkTree is the BLAKE3 tree of a file at the level of 1 MiB (hashing.ChunkSize).
type ChunkTree struct {
	// Root is the BLAKE3 digest of the file.
	Root [32]byte
	// Chunks are the chaining values of each MiB; nil where the file has at most
	// one. They are checked against Root.
	Chunks [][32]byte
}

// Options bound what a hand-over takes. The zero value is fit for use.
type Options struct {
	// Workers is how many parts are read and hashed at a time (0: one a processor).
	Workers int
	// MaxPiece is the largest part that a Reader verifies in private memory
	// (0: 16 MiB). Files with larger parts are sealed.
	MaxPiece int64
	// Cache bounds the verified pieces that a Reader keeps, in bytes (0: 32 MiB).
	// Reading a file in order takes what is read ahead at the least: two pieces, or
	// 2 MiB, for each worker and twice more, or 4 MiB more; never over 256 MiB, or
	// three pieces where those are larger.
	Cache int64
	// MemoryLimit is the largest file that Seal holds in memory (0: half of what is
	// available to this process; negative: none).
	MemoryLimit int64
	// TempDir is where larger files go (empty: os.TempDir).
	TempDir string
	// SingleName is what CopyTo calls the file where the root is one file
	// (empty: "model").
	SingleName string
	// Volatile leaves out the syncing of copies to disk, for folders that live no
	// longer than a process.
	Volatile bool
	// Progress, where given, is told of bytes that were verified. It is called from
	// several goroutines.
	Progress func(bytes int64)
}

const (
	defaultMaxPiece = 16 << 20
	defaultCache    = 32 << 20
)

func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxPiece <= 0 {
		o.MaxPiece = defaultMaxPiece
	}
	o.MaxPiece = max(o.MaxPiece, hashing.ChunkSize)
	if o.Cache <= 0 {
		o.Cache = defaultCache
	}
	if o.SingleName == "" {
		o.SingleName = "model"
	}
	return o
}

// File is a verified file: whatever it returns are bytes that were vouched for.
type File interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.WriterTo
	io.Closer
	Name() string
	Size() int64
}

// Open gives the file by a Reader where its digests allow one, else sealed.
func Open(ctx context.Context, root *tree.Root, want Expected, opt Options) (File, error) {
	src, p, err := open(root, want)
	if err != nil {
		return nil, err
	}
	if opt = opt.withDefaults(); p.largest() <= opt.MaxPiece {
		return newReader(ctx, src, p, opt), nil
	}
	defer func() { _ = src.Close() }()
	return seal(ctx, src, p, opt)
}
