package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/attest/hashing"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/input"
	"bartizan/cmd/internal/within"
	"bartizan/finding"
	"bartizan/subject"
)

type signCmd struct {
	Path string `arg:"" name:"path" help:"A folder, or one file."`
	signerFlags
	Bundle string   `required:"" placeholder:"B" help:"Write the signature to B, which appears whole or not at all. It may lie within the folder."`
	Hash   string   `enum:"sha256,blake2b,blake3" default:"sha256" help:"sha256, blake2b or blake3. Every verifier knows sha256."`
	Shards string   `placeholder:"SIZE" help:"Sign in shards of SIZE (such as 256MiB), so that all processors work on one large file and a loader can check it in parts."`
	Ignore []string `sep:"none" env:"-" placeholder:"P" help:"Leave out this file or folder (repeatable). What could be loaded is never left out. Git's own files and the bundle always are."`
	Reuse  string   `placeholder:"STATE" help:"Hash only files that changed since STATE was written, and write it anew."`
	Name   string   `placeholder:"NAME" help:"What the model is called (default: the name of the folder)."`
	reportFlags
}

// Help is what `bartizan sign --help` says below the usage.
func (signCmd) Help() string {
	return `The signature is a detached OpenSSF Model Signing v1.0 bundle: it lists every file with its digest. Other signers and verifiers of that format can be used with it.

    bartizan key generate -o signer
    bartizan sign ./model --key signer --bundle ./model/model.sig
    bartizan sign ./model --key signer --bundle model.sig --shards 256MiB
    bartizan sign ./model --key leaf.pem --certificate leaf.crt --certificate-chain ca.crt --bundle model.sig
    bartizan sign ./model --key 'pkcs11:token=prod;object=signer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin' --bundle model.sig
    bartizan sign ./model --key signer --bundle model.sig --reuse ~/.cache/model.state

Links, devices and pipes in the folder, names that are one on some file systems, and an empty folder are refused: exit 1, and no bundle is written.

--reuse believes the digest of a file whose device, inode, size and times are those of STATE, hashes a sample of them all the same, and everything where the sample disagrees. Keep STATE where only the signer can write.
`
}

func (c *signCmd) Run(e *env) error {
	shards, err := parseSize(c.Shards)
	if err != nil {
		return usagef("--shards: %w", err)
	}
	if err := c.checkOutput(); err != nil {
		return err
	}
	if err := writableFor("--bundle", c.Bundle, kindBundle); err != nil {
		return err
	}
	if c.Reuse != "" {
		if err := writableFor("--reuse", c.Reuse, kindState); err != nil {
			return err
		}
	}
	signer, chain, closer, err := c.open(e.ctx)
	if err != nil {
		return err
	}
	err = c.sign(e, shards, func(m *oms.Model) ([]byte, error) { return oms.Sign(e.ctx, m, signer, chain) })
	return errors.Join(err, closer())
}

func (c *signCmd) sign(e *env, shards int64, seal func(*oms.Model) ([]byte, error)) error {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(softMemory))
	root, err := tree.Open(c.Path)
	if err != nil {
		return err
	}
	defer root.Close()
	opt := oms.Options{Name: c.name(), Algorithm: hashing.Algorithm(c.Hash), ShardSize: shards}
	if opt.Bundle, err = within.Name(c.Path, c.Bundle); err != nil {
		return err
	}
	if opt.Ignore, err = ignored(c.Path, c.Ignore); err != nil {
		return err
	}
	var state *oms.State
	if c.Reuse != "" {
		if state, err = readState(c.Reuse); err != nil {
			return err
		}
		state = state.For(opt.Algorithm, opt.ShardSize)
		opt.Known = state
	}
	started := e.now() // what changes from now on may be missed by the hashing
	m, err := oms.Describe(e.ctx, root, opt)
	if err == nil && state != nil {
		m, err = state.Sample(e.ctx, root, opt, m)
	}
	var raw []byte
	if err == nil {
		raw, err = seal(m)
	}
	report, err := claim(subject.Subject{Kind: subject.Model, ID: c.Path, Size: -1}, err)
	if err != nil {
		return err
	}
	var saved error
	if raw != nil {
		if err := writeWhole(c.Bundle, raw, 0o644); err != nil {
			return fmt.Errorf("--bundle: %w", err)
		}
		describe(&report, m)
		report.Detail["bundle"] = c.Bundle
		if state != nil {
			report.Detail["reused"] = state.Reused()
			saved = c.saveState(m, started)
		}
	}
	return errors.Join(c.printReports(e, report), saved)
}

func (c *signCmd) saveState(m *oms.Model, started time.Time) error {
	data, err := oms.NewState(m, started).Marshal()
	if err != nil {
		return err
	}
	if err := writeWhole(c.Reuse, data, 0o600); err != nil {
		return fmt.Errorf("--reuse: %w", err)
	}
	return nil
}

// readState gives an empty state where there is no file yet.
func readState(name string) (*oms.State, error) {
	const limit = 256 << 20
	data, err := input.AtMost(name, limit)
	if errors.Is(err, os.ErrNotExist) {
		return &oms.State{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--reuse: %w", err)
	}
	state, err := oms.ParseState(data)
	if err != nil {
		return nil, fmt.Errorf("--reuse %s: %w: remove it to hash everything", name, err)
	}
	return state, nil
}

func (c *signCmd) name() string {
	if c.Name != "" {
		return c.Name
	}
	if abs, err := filepath.Abs(c.Path); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(c.Path)
}

// describe adds what a model is to its report. The digest is that of the bytes
// that are there, so a tree that differs has none: what was signed is in the detail.
func describe(r *finding.SubjectReport, m *oms.Model) {
	root := "sha256:" + hex.EncodeToString(m.Root[:])
	r.Detail = map[string]any{"algorithm": string(m.Algorithm), "resources": len(m.Resources), "signed_root": root}
	if r.Verdict == finding.Clean {
		r.Digest = root
	}
	if m.ShardSize > 0 {
		r.Detail["shard_size"] = m.ShardSize
	}
}

// parseSize reads a number of bytes: "" is 0, "1000000", "256MiB", "1GB".
func parseSize(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	number, unit := s, int64(1)
	for suffix, n := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1e3, "MB": 1e6, "GB": 1e9} {
		if before, ok := strings.CutSuffix(s, suffix); ok {
			number, unit = strings.TrimSpace(before), n
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > (1<<53)/unit {
		return 0, fmt.Errorf("%q is no size such as 1000000, 256MiB or 1GB", s)
	}
	return n * unit, nil
}

// writableFor says before hours of hashing that a file cannot be written after,
// or would replace something else.
func writableFor(flag, file string, kind outputKind) error {
	dir := filepath.Dir(file)
	if info, err := os.Stat(dir); err != nil {
		return usagef("%s %s: its folder is missing: make it first: %w", flag, file, err)
	} else if !info.IsDir() {
		return usagef("%s %s: %s is not a folder", flag, file, dir)
	}
	if err := unix.Access(dir, unix.W_OK); err != nil {
		return fmt.Errorf("%s %s: its folder cannot be written to: %w", flag, file, err)
	}
	return mayReplace(flag, file, kind)
}

// ignored gives the paths of --ignore relative to the root. What is no path in it
// is a mistake of the caller.
func ignored(root string, paths []string) ([]string, error) {
	names, err := within.Ignores(root, paths)
	if err != nil {
		return nil, usagef("--ignore %w", err)
	}
	return names, nil
}
