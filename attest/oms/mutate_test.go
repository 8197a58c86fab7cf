package oms_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"bartizan/attest"
	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
	"bartizan/internal/mutate"
)

// TestMutations verifies 4,000 mutated bundles and trees: none wrongly
// accepted, none valid refused, each refusal by a code that explains it.
// BARTIZAN_SEED draws others; BARTIZAN_LONG takes 40,000.
func TestMutations(t *testing.T) {
	const seed, count = 1, 4000
	n := count
	if os.Getenv("BARTIZAN_LONG") != "" {
		n = 10 * count
	}
	s := uint64(seed)
	if text := os.Getenv("BARTIZAN_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &s); err != nil {
			t.Fatalf("BARTIZAN_SEED: %v", err)
		}
	}
	set, err := mutate.Generate(s, n)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir) // links out of the tree lead to here
	shared := map[*mutate.Base]string{}
	for i, b := range set.Bases {
		shared[b] = filepath.Join(dir, fmt.Sprintf("base%d", i), "model")
		if err := b.Write(shared[b]); err != nil {
			t.Fatal(err)
		}
	}
	outcomes := make([]error, len(set.Cases))
	each(len(set.Cases), func(i int) {
		c := &set.Cases[i]
		root := shared[c.Base]
		if c.Change != nil {
			own, err := changed(c, filepath.Join(dir, fmt.Sprint(i)))
			if err != nil {
				outcomes[i] = fmt.Errorf("the case cannot be made: %w", err)
				return
			}
			defer os.RemoveAll(filepath.Join(dir, fmt.Sprint(i)))
			root = own
		}
		outcomes[i] = verifyMutated(c, root)
	})
	report(t, set, outcomes)
}

// changed makes the case's own tree.
func changed(c *mutate.Case, dir string) (string, error) {
	root := filepath.Join(dir, "model")
	if err := c.Base.Write(root); err != nil {
		return "", err
	}
	return c.Change(root)
}

// each runs work for 0 to n-1 on all processors.
func each(n int, work func(i int)) {
	var group sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				work(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
}

func verifyMutated(c *mutate.Case, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	trust, err := trustOf(c.Base)
	if err != nil {
		return err
	}
	model, err := oms.Authenticate(ctx, c.Bundle, trust)
	if err != nil {
		return err
	}
	root, err := tree.Open(path)
	if err != nil {
		return err
	}
	defer root.Close()
	return model.Check(ctx, root, oms.Policy{Ignore: c.Base.Ignore})
}

func trustOf(b *mutate.Base) (oms.Trust, error) {
	if b.Roots != nil {
		return oms.NewCertificateTrust(time.Now(), b.Roots)
	}
	key, err := keys.ReadPublic(b.Key)
	return oms.KeyTrust{Key: key}, err
}

// report counts, and names whatever is not as it must be.
func report(t *testing.T, set *mutate.Set, outcomes []error) {
	wanted := map[mutate.Want]int{}
	wronglyAccepted, wronglyRefused, miscoded := 0, 0, 0
	for i, err := range outcomes {
		c := &set.Cases[i]
		wanted[c.Want]++
		refusals := attest.Refusals(err)
		switch {
		case err == nil && c.Want == mutate.Reject:
			wronglyAccepted++
			t.Errorf("WRONGLY ACCEPTED: %s (want %v)", c.Name, c.Codes)
		case err != nil && c.Want == mutate.Accept:
			wronglyRefused++
			t.Errorf("wrongly refused: %s: %v", c.Name, err)
		case err != nil && len(refusals) == 0:
			miscoded++
			t.Errorf("no code: %s: %v", c.Name, err)
		case err != nil:
			for _, r := range refusals {
				if !slices.Contains(c.Codes, string(r.Code)) {
					miscoded++
					t.Errorf("another code: %s: %v, want %v", c.Name, r, c.Codes)
					break
				}
			}
		}
	}
	t.Logf("%d cases (%d must be refused, %d must pass, %d may be either): %d wrongly accepted, %d wrongly refused, %d with another code",
		len(outcomes), wanted[mutate.Reject], wanted[mutate.Accept], wanted[mutate.Either], wronglyAccepted, wronglyRefused, miscoded)
}
