// Command mutate writes the mutated bundles and trees of internal/mutate to a
// folder, for other verifiers: cases.jsonl has a line for each, with the paths
// of tree, bundle and key or roots, the wanted answer and the codes. Bartizan's
// own run is TestMutations in attest/oms; tools/peers/signing runs model_signing.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"bartizan/internal/mutate"
)

func main() {
	seed := flag.Uint64("seed", 1, "another seed draws other cases")
	count := flag.Int("n", 4000, "how many cases")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: mutate [-seed N] [-n N] DIR (which must not exist)")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(3)
	}
	if err := run(*seed, *count, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
}

// line is one line of cases.jsonl.
type line struct {
	Name   string      `json:"name"`
	Path   string      `json:"path"`
	Bundle string      `json:"bundle"`
	Key    string      `json:"key,omitempty"`
	Roots  string      `json:"roots,omitempty"`
	Want   mutate.Want `json:"want"`
	Codes  []string    `json:"codes,omitempty"`
}

func run(seed uint64, count int, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	// Links out of the trees lead to files beside them.
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return err
	}
	set, err := mutate.Generate(seed, count)
	if err != nil {
		return err
	}
	trusted, shared := map[*mutate.Base]string{}, map[*mutate.Base]string{}
	for i, b := range set.Bases {
		at := filepath.Join(dir, fmt.Sprintf("base%d", i))
		shared[b], trusted[b] = filepath.Join(at, "model"), filepath.Join(at, "trusted.pem")
		if err := b.Write(shared[b]); err != nil {
			return err
		}
		if err := os.WriteFile(trusted[b], append(bytes.Clone(b.Key), b.Roots...), 0o644); err != nil {
			return err
		}
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for i := range set.Cases {
		l, err := write(&set.Cases[i], filepath.Join(dir, fmt.Sprintf("case%05d", i)), shared, trusted)
		if err != nil {
			return fmt.Errorf("%s: %w", set.Cases[i].Name, err)
		}
		if err := encoder.Encode(l); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "cases.jsonl"), lines.Bytes(), 0o644)
}

// write makes the folder of one case.
func write(c *mutate.Case, dir string, shared, trusted map[*mutate.Base]string) (line, error) {
	l := line{Name: c.Name, Path: shared[c.Base], Bundle: filepath.Join(dir, "bundle.sig"), Want: c.Want, Codes: c.Codes}
	if c.Base.Roots != nil {
		l.Roots = trusted[c.Base]
	} else {
		l.Key = trusted[c.Base]
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return l, err
	}
	if c.Change != nil {
		// A folder of its own: a case that verifies the folder above sees nothing else.
		root := filepath.Join(dir, "tree", "model")
		if err := c.Base.Write(root); err != nil {
			return l, err
		}
		var err error
		if l.Path, err = c.Change(root); err != nil {
			return l, err
		}
	}
	return l, os.WriteFile(l.Bundle, c.Bundle, 0o644)
}
