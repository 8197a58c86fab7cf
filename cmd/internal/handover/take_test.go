package handover_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bartizan/attest"
	"bartizan/attest/load"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/handover"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signed gives a folder of three files and what was signed of it.
func signed(t *testing.T) (dir string, m *oms.Model, root *tree.Root) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		put(t, filepath.Join(dir, name), "signed "+name)
	}
	root, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	if m, err = oms.Describe(t.Context(), root, oms.Options{Name: "m"}); err != nil {
		t.Fatal(err)
	}
	return dir, m, root
}

func TestTake(t *testing.T) {
	full := errors.New("the disk is full")
	for _, c := range []struct {
		name    string
		change  map[string]string
		removed string
		copying func(t *testing.T, dir string) error // instead of, or before, a copy
		refused []string                             // in order
		err     error
	}{
		{name: "as signed"},
		{name: "all that differ are named", change: map[string]string{"a": "other", "c": "signed x"}, refused: []string{"a", "c"}},
		{name: "and all else, first", change: map[string]string{"b": "other", "new": "x"}, removed: "c", refused: []string{"c", "new", "b"}},
		{name: "a full disk is no refusal", copying: func(*testing.T, string) error { return full }, err: full},
		{
			name: "what is put back stays refused", change: map[string]string{"b": "other"}, refused: []string{"first"},
			copying: func(t *testing.T, dir string) error {
				put(t, filepath.Join(dir, "b"), "signed b")
				return attest.Refuse(attest.OMSDigestMismatch, "first", "as it was copied")
			},
		},
		{
			name: "swapped as the copy begins", refused: []string{"b"},
			copying: func(t *testing.T, dir string) error {
				put(t, filepath.Join(dir, "b"), "swapped!")
				return nil
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, m, root := signed(t)
			for name, text := range c.change {
				put(t, filepath.Join(dir, name), text)
			}
			if c.removed != "" {
				if err := os.Remove(filepath.Join(dir, c.removed)); err != nil {
					t.Fatal(err)
				}
			}
			to := filepath.Join(t.TempDir(), "copy")
			err := handover.Take(t.Context(), m, root, oms.Policy{}, func(want []load.Expected) error {
				if c.copying != nil {
					if err := c.copying(t, dir); err != nil {
						return err
					}
				}
				return load.CopyTo(t.Context(), root, want, to, load.Options{})
			})
			var names []string
			for _, r := range attest.Refusals(err) {
				names = append(names, r.Name)
			}
			if !slices.Equal(names, c.refused) || c.err != nil && !errors.Is(err, c.err) || c.err == nil && c.refused == nil && err != nil {
				t.Errorf("%v", err)
			}
			if _, gone := os.Stat(to); (gone == nil) != (err == nil) {
				t.Errorf("the copy: %v", gone)
			}
			_ = load.Remove(to)
		})
	}
}
