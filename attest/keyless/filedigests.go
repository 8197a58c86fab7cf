package keyless

import (
	"context"
	"crypto/md5"  // a digest that contradicts is refused; one that fits proves nothing
	"crypto/sha1" // as MD5
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"

	"bartizan/attest/hashing"
	"bartizan/attest/statement"
)

// fileHashes compute the digests of a file by in-toto's names (DigestSet); read
// only. Those that are not here (sm3, gost, ripemd160, gitBlob) are not compared.
var fileHashes = map[string]func() (hash.Hash, error){
	"md5": plain(md5.New), "sha1": plain(sha1.New),
	"sha224": plain(sha256.New224), "sha256": plain(sha256.New),
	"sha384": plain(sha512.New384), "sha512": plain(sha512.New),
	"sha512_224": plain(sha512.New512_224), "sha512_256": plain(sha512.New512_256),
	"sha3_224": plain(func() hash.Hash { return sha3.New224() }), "sha3_256": plain(func() hash.Hash { return sha3.New256() }),
	"sha3_384": plain(func() hash.Hash { return sha3.New384() }), "sha3_512": plain(func() hash.Hash { return sha3.New512() }),
	"blake2b": func() (hash.Hash, error) { return blake2b.New512(nil) },
	"blake2s": func() (hash.Hash, error) { return blake2s.New256(nil) },
	"blake3":  plain(func() hash.Hash { return &blake3{} }),
}

func plain(f func() hash.Hash) func() (hash.Hash, error) {
	return func() (hash.Hash, error) { return f(), nil }
}

// fileDigests reads a file once and gives its SHA-256 and the digests of the
// algorithms that are named and known.
func fileDigests(ctx context.Context, r io.Reader, named map[string]bool) (statement.Digests, error) {
	hashes := map[string]hash.Hash{}
	var all []io.Writer
	for name, make := range fileHashes {
		if !named[name] && name != "sha256" {
			continue
		}
		h, err := make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		hashes[name] = h
		all = append(all, h)
	}
	if err := readInto(ctx, r, io.MultiWriter(all...)); err != nil {
		return nil, err
	}
	d := statement.Digests{}
	for name, h := range hashes {
		d[name] = hex.EncodeToString(h.Sum(nil))
	}
	return d, nil
}

// readInto reads a file to its end, or until the context ends.
func readInto(ctx context.Context, r io.Reader, to io.Writer) error {
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading the file: %w", err)
		}
		n, err := r.Read(buf)
		if _, werr := to.Write(buf[:n]); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the file: %w", err)
		}
	}
}

// blake3 is BLAKE3 of what is written, a group of hashing.ChunkSize at a time.
type blake3 struct {
	group  []byte
	groups [][32]byte
}

// Write implements hash.Hash. A full group waits until more comes: the only one
// of a file is made otherwise.
func (b *blake3) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(b.group) == hashing.ChunkSize {
			b.groups = append(b.groups, hashing.ChunkCV(b.group, uint64(len(b.groups)), false))
			b.group = b.group[:0]
		}
		take := min(len(p), hashing.ChunkSize-len(b.group))
		b.group, p = append(b.group, p[:take]...), p[take:]
	}
	return n, nil
}

// Sum implements hash.Hash.
func (b *blake3) Sum(to []byte) []byte {
	last := hashing.ChunkCV(b.group, uint64(len(b.groups)), len(b.groups) == 0)
	sum := hashing.RootOf(append(b.groups[:len(b.groups):len(b.groups)], last))
	return append(to, sum[:]...)
}

// Reset implements hash.Hash.
func (b *blake3) Reset() { *b = blake3{} }

// Size implements hash.Hash.
func (*blake3) Size() int { return 32 }

// BlockSize implements hash.Hash.
func (*blake3) BlockSize() int { return 64 }
