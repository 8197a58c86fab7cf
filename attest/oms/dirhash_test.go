package oms_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
	"testing"

	"bartizan/attest/hashing"
	"bartizan/attest/oms"
)

// hash1 is Go's dirhash.Hash1 as its documentation has it.
func hash1(files map[string]string) string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var lines strings.Builder
	for _, name := range names {
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256([]byte(files[name])), name)
	}
	sum := sha256.Sum256([]byte(lines.String()))
	return hex.EncodeToString(sum[:])
}

func TestDirHash(t *testing.T) {
	files := map[string]string{"a/b": "1", "a-b": "2", "ä": "3", "Y": "4", "z/y/x": "5", "empty": ""}
	describe := func(files map[string]string, opt oms.Options) *oms.Model {
		t.Helper()
		m, err := oms.Describe(context.Background(), open(t, write(t, files)), opt)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := describe(files, oms.Options{})
	if got, ok := m.DirHash(); !ok || got != hash1(files) {
		t.Errorf("%s %v: want %s", got, ok, hash1(files))
	}
	pair, swapped := describe(map[string]string{"cat": "x", "dog": "y"}, oms.Options{}), describe(map[string]string{"bird": "x", "cow": "y"}, oms.Options{})
	x, _ := pair.DirHash()
	y, _ := swapped.DirHash()
	if pair.Root != swapped.Root || x == y {
		t.Error("names do not show")
	}
	for name, m := range map[string]*oms.Model{
		"shards":            describe(files, oms.Options{ShardSize: 2}),
		"another algorithm": describe(files, oms.Options{Algorithm: hashing.BLAKE3}),
		"nothing":           {Algorithm: hashing.SHA256},
		"a lone file":       {Algorithm: hashing.SHA256, Resources: []oms.Resource{{Name: ".", End: -1, Digest: make([]byte, 32)}}},
		"a line break":      {Algorithm: hashing.SHA256, Resources: []oms.Resource{{Name: "a\nb", End: -1, Digest: make([]byte, 32)}}},
		"a name twice":      {Algorithm: hashing.SHA256, Resources: []oms.Resource{{Name: "a", End: -1, Digest: make([]byte, 32)}, {Name: "a", End: -1, Digest: make([]byte, 32)}}},
	} {
		if sum, ok := m.DirHash(); ok {
			t.Errorf("%s: %s", name, sum)
		}
	}
}

// The example of in-toto's digest_set.md, computed by other people.
func TestDirHashOfSpecification(t *testing.T) {
	m := &oms.Model{Algorithm: hashing.SHA256}
	for _, f := range [][2]string{
		{"main.go", "ddc4da627d9a9f45fb29641a1b185d6f53287ecfd921aacbf4fe54b7a86fe8d1"},
		{"README.md", "3a137eef6458bfb76bb2c63fc29ffc7166604d2d2e09ed9d8250a534122a8364"},
		{"go.mod", "28e7c942a036902d981759d0bf5704d2bfc7cb500caf68b84711b234af01c6a5"},
	} {
		digest, err := hex.DecodeString(f[1])
		if err != nil {
			t.Fatal(err)
		}
		m.Resources = append(m.Resources, oms.Resource{Name: "github.com/marklodato/go-hello-world@v0.0.1/" + f[0], End: -1, Digest: digest})
	}
	if got, ok := m.DirHash(); !ok || got != "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f" {
		t.Errorf("%s %v", got, ok)
	}
}
