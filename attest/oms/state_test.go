package oms_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bartizan/attest/hashing"
	"bartizan/attest/oms"
)

// remember signs with a state and gives the next one, read back from its file.
func remember(t *testing.T, dir string, s *oms.State, shards int64) (*oms.Model, *oms.State) {
	t.Helper()
	ctx, root := context.Background(), open(t, dir)
	opt := oms.Options{ShardSize: shards, Known: s}
	m, err := oms.Describe(ctx, root, opt)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = s.Sample(ctx, root, opt, m); err != nil {
		t.Fatal(err)
	}
	data, err := oms.NewState(m, time.Now().Add(time.Minute)).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	next, err := oms.ParseState(data)
	if err != nil {
		t.Fatal(err)
	}
	return m, next
}

func TestReuse(t *testing.T) {
	for _, shards := range []int64{0, 3} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			files := map[string]string{}
			for i := range 100 {
				files[fmt.Sprintf("f%d.bin", i)] = fmt.Sprintf("content %d", i)
			}
			dir := write(t, files)
			empty := (&oms.State{}).For(hashing.SHA256, shards)
			first, state := remember(t, dir, empty, shards)
			if empty.Reused() != 0 {
				t.Errorf("%d reused from nothing", empty.Reused())
			}
			if err := os.WriteFile(filepath.Join(dir, "f7.bin"), []byte("another"), 0o644); err != nil {
				t.Fatal(err)
			}
			second, _ := remember(t, dir, state, shards)
			if state.Reused() != 99 {
				t.Errorf("%d reused, want 99", state.Reused())
			}
			want, err := oms.Describe(context.Background(), open(t, dir), oms.Options{ShardSize: shards})
			if err != nil {
				t.Fatal(err)
			}
			if second.Root != want.Root || second.Root == first.Root {
				t.Error("signing again gives another root than signing anew")
			}
		})
	}
}

// A state whose digests are wrong is found by the sample, and not believed.
func TestReuseDoesNotBelieveALie(t *testing.T) {
	dir := write(t, map[string]string{"a.bin": "1", "b.bin": "2"})
	honest, state := remember(t, dir, (&oms.State{}).For(hashing.SHA256, 0), 0)
	lie := write(t, map[string]string{"a.bin": "1", "b.bin": "3"})
	_, other := remember(t, lie, (&oms.State{}).For(hashing.SHA256, 0), 0)
	swapped := other.WithTokensOf(state)
	again, _ := remember(t, dir, swapped, 0)
	if again.Root != honest.Root {
		t.Error("the digests of other files were signed")
	}
}

func TestStateOfAnotherKindIsForgotten(t *testing.T) {
	dir := write(t, map[string]string{"a.bin": "1"})
	_, state := remember(t, dir, (&oms.State{}).For(hashing.SHA256, 0), 0)
	for _, s := range []*oms.State{state.For(hashing.BLAKE3, 0), state.For(hashing.SHA256, 8)} {
		e, err := open(t, dir).Stat("a.bin")
		if err != nil {
			t.Fatal(err)
		}
		if _, known := s.Digest(e, 0, e.Size); known {
			t.Error("a digest of another kind was given")
		}
	}
}

func TestFreshFilesAreNotRemembered(t *testing.T) {
	m, err := oms.Describe(context.Background(), open(t, write(t, map[string]string{"a.bin": "1"})), oms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	state := oms.NewState(m, time.Now())
	if data, err := state.Marshal(); err != nil || string(data) != `{"schema":"bartizan.sign-state/v1","algorithm":"sha256","shard_size":0,"files":[]}` {
		t.Errorf("%s, %v", data, err)
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"schema":"bartizan.sign-state/v1","algorithm":"sha256","shard_size":0,"files":[{"name":"a","token":"1-2","digests":["` + fmt.Sprintf("%064d", 0) + `"]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := oms.ParseState(data)
		if err != nil {
			return
		}
		if _, err := s.Marshal(); err != nil {
			t.Fatal(err)
		}
	})
}
