package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/parquet"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/within"
	"bartizan/finding"
	"bartizan/subject"
)

type manifestCmd struct {
	Create manifestCreateCmd `cmd:"" help:"List every file of a dataset or model with its digests, and commit to the records."`
	Check  manifestCheckCmd  `cmd:"" help:"Compare files with a manifest, or check a proof about one record."`
	Diff   manifestDiffCmd   `cmd:"" help:"Say what changed between two versions."`
	Prove  manifestProveCmd  `cmd:"" help:"Prove that one record is there, or is not, without showing the others."`
}

// saltFlag names the secret that keys the digests of records.
type saltFlag struct {
	SaltFile string `placeholder:"FILE" help:"A secret (16 bytes or more, all of the file) that keys the digests of records, so that likely records cannot be guessed from them."`
}

// tightGC is how much garbage there may be, in percent of what is in use, while
// the digests of all records are in memory. They hold no pointers, so that
// collecting often costs little.
const tightGC = 25

// options are those for reading records, with every format that has any.
func (f *saltFlag) options() (records.Options, error) {
	opt := records.Options{Parquet: parquet.Open}
	if f.SaltFile == "" {
		return opt, nil
	}
	secret, err := readSmall(f.SaltFile)
	if err != nil {
		return opt, fmt.Errorf("--salt-file: %w", err)
	}
	if opt.Salt, err = records.NewSalt(secret); err != nil {
		return opt, usagef("--salt-file %s: %w", f.SaltFile, err)
	}
	return opt, nil
}

type manifestCreateCmd struct {
	Path    string   `arg:"" name:"path" help:"A folder, or one file."`
	Output  string   `short:"o" env:"-" placeholder:"M" help:"Write the manifest to M, which appears whole or not at all; else it goes to standard output. It may lie within the folder."`
	Format  string   `short:"f" enum:"table,json,jsonl,sarif,cyclonedx,html" default:"table" help:"Of the report: table, json, jsonl, sarif, cyclonedx or html."`
	Kind    string   `enum:"dataset,model" default:"dataset" help:"dataset or model."`
	Name    string   `placeholder:"NAME" help:"What it is called (default: the name of the folder or file)."`
	Records bool     `help:"Commit to the records of CSV, JSON Lines and Parquet files, so that one can be proven present or absent."`
	Parent  string   `placeholder:"OLD" help:"The manifest of the version that this one was made from."`
	Created string   `placeholder:"TIME" help:"When it was made, such as 2026-01-31T12:00:00Z (default: not said, so that the same files give the same manifest)."`
	Ignore  []string `sep:"none" env:"-" placeholder:"P" help:"Leave out this file or folder (repeatable). What could be loaded cannot be left out. Git's own files and the manifest always are."`
	saltFlag
}

// Help is what `bartizan manifest create --help` says below the usage.
func (manifestCreateCmd) Help() string {
	return `Lists every file with its digests, and on demand commits to every record.

    bartizan manifest create ./loans -o loans.json
    bartizan manifest create ./loans --records --parent loans-1.json -o loans-2.json
    head -c 32 /dev/urandom > salt; bartizan manifest create ./patients --records --salt-file salt -o patients.json
    bartizan manifest create ./model --kind model -o model.json

The manifest lists each file with SHA-256 and BLAKE3 digests and, for large files, a chunk tree, so that parts can be checked on their own. Its root is the digest by which an OpenSSF Model Signing bundle over the same files names them. Sign it: whoever can write a manifest can make it fit.

--records reads .csv (the first row is the header), .jsonl, .ndjson and .parquet. A file whose records readers would disagree about is refused. Records that people could guess (names, dates, numbers) want --salt-file; the salt is then needed to check proofs, and whoever has it can guess.

Links, devices and pipes, names that are one on some file systems, and an empty folder are refused: exit 1, and no manifest is written.
`
}

func (c *manifestCreateCmd) Run(e *env) error {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(softMemory))
	if c.SaltFile != "" && !c.Records {
		return usagef("--salt-file is for the digests of records: add --records")
	}
	opt, err := c.options(e)
	if err != nil && len(attest.Refusals(err)) == 0 {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(tightGC))
	var m *manifest.Manifest
	if err == nil {
		m, err = c.create(e, opt)
	}
	if err == nil {
		return c.write(e, m)
	}
	return reportOn(e, &reportFlags{Format: c.Format}, subject.Kind(c.Kind), c.Path, nil, err)
}

func (c *manifestCreateCmd) options(e *env) (manifest.Options, error) {
	opt := manifest.Options{Kind: manifest.Kind(c.Kind), Name: c.Name}
	if c.Created != "" {
		t, err := time.Parse(time.RFC3339, c.Created)
		if err != nil {
			return opt, usagef("--created %s: is no time such as 2026-01-31T12:00:00Z", c.Created)
		}
		opt.Created = manifest.Time(t)
	}
	if err := writableOutput(c.Output); err != nil {
		return opt, err
	}
	var err error
	if opt.LeaveOut, err = leaveOut(e, c.Path, c.Ignore, c.Output); err != nil {
		return opt, err
	}
	if c.Records {
		reading, err := c.saltFlag.options()
		if err != nil {
			return opt, err
		}
		opt.Records = func(ctx context.Context, root *tree.Root, files []manifest.Listed) (*manifest.Records, error) {
			read, err := records.ReadListed(ctx, root, files, reading)
			if err != nil {
				return nil, err
			}
			return records.Summarise(read, reading.Salt), nil
		}
	}
	if c.Parent != "" {
		if opt.Parent, err = manifestAt(c.Parent); err != nil {
			return opt, fmt.Errorf("--parent: %w", err)
		}
	}
	return opt, e.ctx.Err()
}

func (c *manifestCreateCmd) create(e *env, opt manifest.Options) (*manifest.Manifest, error) {
	root, err := tree.Open(c.Path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return manifest.Create(e.ctx, root, opt)
}

func (c *manifestCreateCmd) write(e *env, m *manifest.Manifest) error {
	raw, err := m.Canonical()
	if err != nil {
		return err
	}
	if c.Output == "" || c.Output == "-" {
		_, err := e.out.Write(raw)
		return err
	}
	if err := writeWhole(c.Output, raw, 0o644); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return reportOn(e, &reportFlags{Format: c.Format}, subject.Kind(c.Kind), c.Path, m, nil)
}

// reportOn prints the report of one check; m is what the detail is about, or nil.
func reportOn(e *env, f *reportFlags, kind subject.Kind, id string, m *manifest.Manifest, err error) error {
	report, err := claim(subject.Subject{Kind: kind, ID: id, Size: -1}, err)
	if err != nil {
		return err
	}
	if m != nil {
		if err := describeManifest(&report, m); err != nil {
			return err
		}
	}
	return f.printReports(e, report)
}

// describeManifest adds what a manifest is about to a report.
func describeManifest(r *finding.SubjectReport, m *manifest.Manifest) error {
	sum, err := m.Digest()
	if err != nil {
		return err
	}
	r.Detail = map[string]any{"name": m.Name, "manifest": sum.String(), "files": len(m.Files), "listed_root": m.Root.String()}
	if r.Verdict != finding.Block { // of what is there, not of what should be
		r.Digest, r.Size = m.Root.String(), m.Size()
	}
	if m.Parent != nil {
		r.Detail["parent"] = m.Parent.Digest.String()
	}
	if m.Records != nil {
		r.Detail["records"] = map[string]any{
			"count": m.Records.Count, "distinct": m.Records.Distinct, "files": len(m.Records.Files),
			"root": m.Records.Root.String(), "salted": m.Records.Salt != nil,
		}
	}
	return nil
}

// writableOutput is writableFor where --output names a file.
func writableOutput(file string) error {
	if file == "" || file == "-" {
		return nil
	}
	return writableFor("--output", file, kindManifest)
}

// leaveOut are the ignored paths relative to the root, with documents of our own
// that lie within it. That an ignored path is not there is noted: it may be
// misspelt.
func leaveOut(e *env, root string, paths []string, own ...string) (manifest.LeaveOut, error) {
	names, err := ignored(root, paths)
	if err != nil {
		return manifest.LeaveOut{}, err
	}
	out := manifest.LeaveOut{Ignore: names}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(root, name)); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(e.err, "bartizan: --ignore %s: matches nothing\n", text(name))
		}
	}
	for _, file := range own {
		if file == "" || file == "-" {
			continue
		}
		name, err := within.Name(root, file)
		if err != nil {
			return out, err
		}
		if name != "" {
			out.Own = append(out.Own, name)
		}
	}
	return out, nil
}

// sameSalt says whether the salt given is the one of the manifest's records. It
// is a mistake of the caller where it is not: nothing was checked yet.
func sameSalt(r *manifest.Records, salt *records.Salt) error {
	switch {
	case r.Salt == nil && salt == nil:
		return nil
	case r.Salt == nil:
		return usagef("--salt-file: the records of the manifest are not salted: leave it out")
	case salt == nil:
		return usagef("the records of the manifest are salted: give the salt by --salt-file")
	case records.Digest(*r.Salt) != salt.ID():
		return usagef("--salt-file: is not the salt that the manifest was made with")
	}
	return nil
}

var errNoRecords = errors.New("the manifest does not commit to records: create it with --records")
