package oms

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	json "github.com/go-json-experiment/json"

	"bartizan/attest/hashing"
	"bartizan/attest/strictjson"
	"bartizan/attest/tree"
)

// stateSchema is the version of the state's file.
const stateSchema = "bartizan.sign-state/v1"

// How much is hashed again though the state knows it: one part in sampleEvery,
// at least sampleLeast parts, and at most sampleBytes: larger parts are believed.
const (
	sampleEvery = 64
	sampleLeast = 4
	sampleBytes = 64 << 20
)

// settled is how long before the state was written a file must have had its
// last change: a write within the clock's grain of the hashing would not show.
const settled = 2 * time.Second

// State remembers the digests of files by their device, inode, size and times,
// so that signing again hashes only what changed. It is a hint of the signer's
// own machine and proves nothing to anybody else.
type State struct {
	algorithm hashing.Algorithm
	shards    int64
	files     map[string]stateFile
	reused    map[string]bool
}

type stateFile struct {
	Name    string   `json:"name"`
	Token   string   `json:"token"` // tree.Entry.Token
	Digests []string `json:"digests"`
}

type wireState struct {
	Schema    string      `json:"schema"`
	Algorithm string      `json:"algorithm"`
	ShardSize int64       `json:"shard_size"`
	Files     []stateFile `json:"files"`
}

var errState = errors.New("no state of an earlier signature")

// NewState remembers a model that Describe just made. Files that changed less
// than two seconds before now are not remembered.
func NewState(m *Model, now time.Time) *State {
	s := &State{algorithm: m.Algorithm, shards: m.ShardSize, files: map[string]stateFile{}}
	digests := map[string][]string{}
	for i := range m.Resources {
		r := &m.Resources[i]
		digests[r.Name] = append(digests[r.Name], hex.EncodeToString(r.Digest))
	}
	for _, e := range m.entries {
		if d := digests[e.Name]; d != nil && e.Changed().Add(settled).Before(now) {
			s.files[e.Name] = stateFile{Name: e.Name, Token: e.Token(), Digests: d}
		}
	}
	return s
}

// For gives the state where it is of the same algorithm and shard size, and an
// empty one otherwise.
func (s *State) For(algorithm hashing.Algorithm, shardSize int64) *State {
	if s.algorithm == algorithm && s.shards == shardSize {
		return s
	}
	return &State{algorithm: algorithm, shards: shardSize}
}

// ParseState reads what Marshal wrote.
func ParseState(data []byte) (*State, error) {
	var w wireState
	if err := strictjson.UnmarshalExact(data, &w); err != nil || w.Schema != stateSchema {
		return nil, errState
	}
	algorithm, err := hashing.ParseAlgorithm(w.Algorithm)
	if err != nil {
		return nil, errState
	}
	s := &State{algorithm: algorithm, shards: w.ShardSize, files: make(map[string]stateFile, len(w.Files))}
	for _, f := range w.Files {
		for _, d := range f.Digests {
			if _, err := hexDigest(d, algorithm.Size()); err != nil {
				return nil, errState
			}
		}
		s.files[f.Name] = f
	}
	return s, nil
}

// Marshal gives the file's JSON.
func (s *State) Marshal() ([]byte, error) {
	w := wireState{Schema: stateSchema, Algorithm: string(s.algorithm), ShardSize: s.shards, Files: make([]stateFile, 0, len(s.files))}
	for _, f := range s.files {
		w.Files = append(w.Files, f)
	}
	return json.Marshal(w, json.Deterministic(true))
}

// Digest implements Known.
func (s *State) Digest(e tree.Entry, start, end int64) ([]byte, bool) {
	f, ok := s.files[e.Name]
	if !ok || f.Token != e.Token() {
		return nil, false
	}
	i := 0
	if s.shards > 0 {
		i = int(start / s.shards)
		if start%s.shards != 0 || end != min(start+s.shards, e.Size) {
			return nil, false
		}
	}
	if i >= len(f.Digests) {
		return nil, false
	}
	d, err := hex.DecodeString(f.Digests[i])
	if err != nil {
		return nil, false
	}
	if s.reused == nil {
		s.reused = map[string]bool{}
	}
	s.reused[e.Name] = true
	return d, true
}

// Reused counts the files that were not hashed again.
func (s *State) Reused() int { return len(s.reused) }

// Sample hashes some of what was taken from the state again, chosen at random.
// Where one part differs the state is worth nothing, and everything is hashed.
func (s *State) Sample(ctx context.Context, root *tree.Root, opt Options, m *Model) (*Model, error) {
	units, wants, err := s.sample(root, m)
	if err != nil || len(units) == 0 {
		return m, err
	}
	sums, err := hashing.Sum(ctx, root, units, hashing.Options{Algorithm: m.Algorithm, Workers: opt.Workers})
	if err != nil {
		return nil, err
	}
	for i := range sums {
		if !bytes.Equal(sums[i], wants[i]) {
			s.reused = nil
			opt.Known = nil
			return Describe(ctx, root, opt)
		}
	}
	return m, nil
}

func (s *State) sample(root *tree.Root, m *Model) (units []hashing.Unit, wants [][]byte, err error) {
	var known []int
	for i := range m.Resources {
		if s.reused[m.Resources[i].Name] {
			known = append(known, i)
		}
	}
	left := int64(sampleBytes)
	for n := max(sampleLeast, len(known)/sampleEvery); n > 0 && len(known) > 0; n-- {
		at, err := random(len(known))
		if err != nil {
			return nil, nil, err
		}
		r := &m.Resources[known[at]]
		known[at] = known[len(known)-1]
		known = known[:len(known)-1]
		e, err := root.Stat(r.Name)
		if err != nil {
			return nil, nil, err
		}
		u := hashing.Unit{Entry: e, Start: r.Start, End: r.End}
		if r.Whole() {
			u.End = e.Size
		}
		if u.End-u.Start > left {
			continue
		}
		left -= u.End - u.Start
		units, wants = append(units, u), append(wants, r.Digest)
	}
	return units, wants, nil
}

// random gives a number below n that whoever swapped a file could not foresee.
func random(n int) (int, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	return int(binary.LittleEndian.Uint64(b[:]) % uint64(n)), nil
}
