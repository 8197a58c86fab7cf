package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state is how far a run came. It is written after batches, so that a run that is ended goes on from there.
type state struct {
	Seed       uint64            `json:"seed"`
	Position   uint64            `json:"position"` // streams that are done; the next one's number
	Bytes      uint64            `json:"bytes"`
	Names      uint64            `json:"names"`      // names that interpreters resolved, one a stream and name
	Calls      uint64            `json:"calls"`      // calls that they made, likewise
	Persistent uint64            `json:"persistent"` // streams with a persistent id
	Reported   uint64            `json:"reported"`   // names that the scanner reported
	Unresolved uint64            `json:"unresolved"` // of these, those that no interpreter resolved
	Unfolded   uint64            `json:"unfolded"`   // streams on which the scanner blocks for a computed name
	Acting     uint64            `json:"acting"`     // streams with a name or a call
	Misses     uint64            `json:"misses"`     // streams with a miss
	Faults     uint64            `json:"faults"`     // streams that ended an interpreter
	Seconds    float64           `json:"seconds"`
	Runs       map[string]uint64 `json:"runs"`  // streams that each interpreter ran
	Whole      map[string]uint64 `json:"whole"` // streams that some reader loaded without an error, by interpreter
}

func newState(seed uint64) *state {
	return &state{Seed: seed, Runs: map[string]uint64{}, Whole: map[string]uint64{}}
}

// loadState reads a state file; one that is not there is a new run.
func loadState(path string, seed uint64) (*state, error) {
	s := newState(seed)
	if path == "" {
		return s, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("state %s: %w", path, err)
	}
	if s.Seed != seed {
		return nil, fmt.Errorf("state %s is of seed %d, not %d: remove it or give -seed %d", path, s.Seed, seed, s.Seed)
	}
	return s, nil
}

// save writes the state file whole or not at all.
func (s *state) save(path string) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := os.WriteFile(tmp, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return os.Rename(tmp, path)
}
