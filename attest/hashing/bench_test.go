package hashing_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/crypto/blake2b"

	"bartizan/attest/hashing"
	"bartizan/attest/tree"
)

// The trees are made when a benchmark is asked for. BARTIZAN_BENCH_GB is the size
// of the large ones in GiB (2 where it is not set), BARTIZAN_BENCH_DIR a folder
// that keeps them from run to run.
func benchTree(b *testing.B, files int) *tree.Root {
	b.Helper()
	gb := 2.0
	if s := os.Getenv("BARTIZAN_BENCH_GB"); s != "" {
		var err error
		if gb, err = strconv.ParseFloat(s, 64); err != nil {
			b.Fatal(err)
		}
	}
	size := int64(gb * (1 << 30) / float64(files))
	dir := benchDir(b, fmt.Sprintf("large-%d-%d", files, size))
	rng := rand.NewChaCha8([32]byte{1})
	for i := range files {
		path := filepath.Join(dir, fmt.Sprintf("model-%d.bin", i))
		if st, err := os.Stat(path); err == nil && st.Size() == size {
			continue
		}
		fillFile(b, path, size, rng)
	}
	return open(b, dir)
}

func fillFile(b *testing.B, path string, size int64, rng *rand.ChaCha8) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for left := size; left > 0; left -= int64(len(buf)) {
		buf = buf[:min(left, int64(len(buf)))]
		rng.Read(buf)
		if _, err := f.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// smallTree has 100,000 files of up to 4 KiB in 100 folders.
func smallTree(b *testing.B) *tree.Root {
	b.Helper()
	dir := benchDir(b, "small-100000")
	if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
		return open(b, dir)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	buf := make([]byte, 4096)
	for i := range 99_999 {
		sub := filepath.Join(dir, fmt.Sprintf("folder-%02d", i%100))
		if i < 100 {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		buf[0], buf[1], buf[2] = byte(i), byte(i>>8), byte(i>>16)
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("record-%06d.json", i)), buf[:rng.IntN(len(buf))], 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "done"), nil, 0o644); err != nil {
		b.Fatal(err)
	}
	return open(b, dir)
}

func benchDir(b *testing.B, name string) string {
	b.Helper()
	keep := os.Getenv("BARTIZAN_BENCH_DIR")
	if keep == "" {
		return b.TempDir()
	}
	dir := filepath.Join(keep, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) *tree.Root {
	t.Helper()
	root, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func walk(t testing.TB, root *tree.Root) []tree.Entry {
	t.Helper()
	entries, err := root.Walk(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func whole(entries []tree.Entry) []hashing.Unit {
	var units []hashing.Unit
	for _, e := range entries {
		units = append(units, hashing.Whole(e))
	}
	return units
}

func shards(entries []tree.Entry, size int64) []hashing.Unit {
	var units []hashing.Unit
	for _, e := range entries {
		for at := int64(0); at < e.Size; at += size {
			units = append(units, hashing.Unit{Entry: e, Start: at, End: min(at+size, e.Size)})
		}
	}
	return units
}

func benchSum(b *testing.B, root *tree.Root, units []hashing.Unit, a hashing.Algorithm) {
	b.Helper()
	var bytes int64
	for _, u := range units {
		bytes += u.End - u.Start
	}
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hashing.Sum(context.Background(), root, units, hashing.Options{Algorithm: a}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	for _, a := range []hashing.Algorithm{hashing.SHA256, hashing.BLAKE3, hashing.BLAKE2b} {
		b.Run(string(a)+"/8files", func(b *testing.B) {
			root := benchTree(b, 8)
			benchSum(b, root, whole(walk(b, root)), a)
		})
		b.Run(string(a)+"/1file", func(b *testing.B) {
			root := benchTree(b, 1)
			benchSum(b, root, whole(walk(b, root)), a)
		})
		b.Run(string(a)+"/1file-shards", func(b *testing.B) {
			root := benchTree(b, 1)
			benchSum(b, root, shards(walk(b, root), 64<<20), a)
		})
	}
}

func BenchmarkFiles(b *testing.B) {
	for _, n := range []int{8, 1} {
		b.Run(fmt.Sprintf("%dfiles", n), func(b *testing.B) {
			root := benchTree(b, n)
			benchFiles(b, root)
		})
	}
}

func benchFiles(b *testing.B, root *tree.Root) {
	b.Helper()
	entries := walk(b, root)
	var bytes int64
	for _, e := range entries {
		bytes += e.Size
	}
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hashing.Files(context.Background(), root, entries, hashing.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Walk and digest of 100,000 small files; files/s is what counts.
func BenchmarkSmall(b *testing.B) {
	root := smallTree(b)
	files := 0
	count := func(b *testing.B) {
		b.ReportMetric(float64(files)*float64(b.N)/b.Elapsed().Seconds(), "files/s")
	}
	b.Run("walk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			files = len(walk(b, root))
		}
		count(b)
	})
	for _, a := range []hashing.Algorithm{hashing.SHA256, hashing.BLAKE3} {
		b.Run("walk+"+string(a), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				units := whole(walk(b, root))
				files = len(units)
				if _, err := hashing.Sum(context.Background(), root, units, hashing.Options{Algorithm: a}); err != nil {
					b.Fatal(err)
				}
			}
			count(b)
		})
	}
	b.Run("walk+both", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			entries := walk(b, root)
			files = len(entries)
			if _, err := hashing.Files(context.Background(), root, entries, hashing.Options{}); err != nil {
				b.Fatal(err)
			}
		}
		count(b)
	})
}

// The digests alone, on one core and from the cache: what reading costs is the
// difference.
func BenchmarkDigest(b *testing.B) {
	data := make([]byte, hashing.ChunkSize)
	for name, f := range map[string]func(){
		"sha256":  func() { sha256.Sum256(data) },
		"blake2b": func() { blake2b.Sum512(data) },
		"blake3":  func() { hashing.ChunkCV(data, 7, false) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
