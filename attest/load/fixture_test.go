package load_test

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/blake2b"
	"lukechampine.com/blake3"

	"bartizan/attest/hashing"
	"bartizan/attest/load"
	"bartizan/attest/tree"
)

// content gives pseudo-random bytes: the same for the same seed.
func content(seed uint64, size int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	out := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(out)
	return out
}

func digest(a hashing.Algorithm, data []byte) []byte {
	switch a {
	case hashing.SHA256:
		sum := sha256.Sum256(data)
		return sum[:]
	case hashing.BLAKE2b:
		sum := blake2b.Sum512(data)
		return sum[:]
	}
	sum := blake3.Sum256(data)
	return sum[:]
}

// whole is the expectation of a signature over a whole file, which names no size.
func whole(name string, data []byte, a hashing.Algorithm) load.Expected {
	return load.Expected{Name: name, Size: -1, Ranges: []load.Range{{End: -1, Algorithm: a, Digest: digest(a, data)}}}
}

// shards is that of a signature over shards.
func shards(name string, data []byte, size int, a hashing.Algorithm) load.Expected {
	want := load.Expected{Name: name, Size: int64(len(data))}
	for start := 0; start < len(data); start += size {
		end := min(start+size, len(data))
		want.Ranges = append(want.Ranges, load.Range{Start: int64(start), End: int64(end), Algorithm: a, Digest: digest(a, data[start:end])})
	}
	return want
}

// chunks is that of a manifest.
func chunks(name string, data []byte) load.Expected {
	want := load.Expected{Name: name, Size: int64(len(data)), Chunks: &load.ChunkTree{Root: blake3.Sum256(data)}}
	if len(data) > hashing.ChunkSize {
		for i := 0; i*hashing.ChunkSize < len(data); i++ {
			group := data[i*hashing.ChunkSize : min((i+1)*hashing.ChunkSize, len(data))]
			want.Chunks.Chunks = append(want.Chunks.Chunks, hashing.ChunkCV(group, uint64(i), false))
		}
	}
	return want
}

// evidence gives every kind of expectation for a file.
func evidence(name string, data []byte) map[string]load.Expected {
	all := map[string]load.Expected{"chunks": chunks(name, data)}
	for _, a := range []hashing.Algorithm{hashing.SHA256, hashing.BLAKE2b, hashing.BLAKE3} {
		all["whole "+string(a)] = whole(name, data, a)
		if len(data) > 0 {
			all["shards of 100000 "+string(a)] = shards(name, data, 100_000, a)
			all["shards of 3 MiB "+string(a)] = shards(name, data, 3<<20, a)
		}
	}
	return all
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func openRoot(t testing.TB, path string) *tree.Root {
	t.Helper()
	root, err := tree.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s: %d bytes that are not the %d that were signed", what, len(got), len(want))
	}
}
