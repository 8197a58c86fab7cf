package oms

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"bartizan/attest/hashing"
	"bartizan/attest/tree"
)

// DirHash gives the digest dirHash1 of in-toto's DigestSet (Go's dirhash.Hash1
// without its prefix, in hexadecimal): SHA-256 over one line a file, in order of
// the names,
//
//	SHA256-IN-HEX  NAME
//
// Unlike Root it covers the names. ok is false where there is none: a lone file,
// shards, another algorithm than SHA-256, a name that stands twice or would break
// the lines.
func (m *Model) DirHash() (sum string, ok bool) {
	if m.Algorithm != hashing.SHA256 || m.ShardSize > 0 || len(m.Resources) == 0 {
		return "", false
	}
	files := make([]*Resource, len(m.Resources))
	for i := range m.Resources {
		r := &m.Resources[i]
		if !r.Whole() || r.Name == tree.Only || len(r.Digest) != sha256.Size {
			return "", false
		}
		files[i] = r
	}
	slices.SortFunc(files, func(a, b *Resource) int { return strings.Compare(a.Name, b.Name) })
	return DirHashOf(func(yield func(digest []byte, name string) bool) {
		for _, r := range files {
			if !yield(r.Digest, r.Name) {
				return
			}
		}
	})
}

// DirHashOf is DirHash over files that are known elsewhere, such as those of a
// manifest, in order of their names.
func DirHashOf(files func(yield func(digest []byte, name string) bool)) (sum string, ok bool) {
	h := sha256.New()
	last, any := "", false
	for digest, name := range files {
		if strings.ContainsAny(name, "\n") || any && name <= last {
			return "", false
		}
		_, _ = io.WriteString(h, hex.EncodeToString(digest)+"  "+name+"\n") // hash.Hash never errs
		last, any = name, true
	}
	return hex.EncodeToString(h.Sum(nil)), any
}
