package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
	"bartizan/finding"
	"bartizan/subject"
)

type manifestCheckCmd struct {
	Path     string   `arg:"" optional:"" name:"path" help:"The folder or file to compare with the manifest."`
	Manifest string   `short:"m" placeholder:"M" help:"The manifest."`
	Parent   string   `placeholder:"OLD" help:"The manifest names this one as the version that it was made from."`
	Ignore   []string `sep:"none" env:"-" placeholder:"P" help:"This file or folder need not be in the manifest (repeatable), unless it could be loaded. Git's own files and the manifest need not be. What the manifest lists is checked all the same."`
	Proof    string   `placeholder:"P" help:"Check this proof about a record instead of files."`
	Root     string   `placeholder:"sha256:…" help:"Check the proof against this root of records, where the manifest is not at hand."`
	Expect   string   `enum:"any,present,absent" default:"any" help:"What the proof has to show: present, absent, or any of the two."`
	recordFlags
	saltFlag
	reportFlags
}

// recordFlags give the record that a proof is about.
type recordFlags struct {
	Record     string `placeholder:"TEXT" help:"The record: a row of CSV, or a JSON value. Other users may see it in the list of processes."`
	RecordFile string `placeholder:"FILE" help:"A file that holds the record, or - for standard input."`
}

// Help is what `bartizan manifest check --help` says below the usage.
func (manifestCheckCmd) Help() string {
	return `Says whether the files are those of a manifest, or whether a proof holds.

    bartizan manifest check ./loans --manifest loans.json
    bartizan manifest check ./loans --manifest loans-2.json --parent loans-1.json
    bartizan manifest check --proof proof.json --manifest loans.json --record '17,Ada,1815-12-10'
    bartizan manifest check --proof proof.json --manifest loans.json --record-file record.json --expect absent

With a path, every file that is missing, added or altered is named, and the roots over the records are computed anew from the data.

With --proof, the record and the manifest are all that is needed: the proof shows how often the record is in the data that the manifest commits to, or that it is not in it. It is no more to be trusted than the manifest is: check who signed that first.

A record that could never be one (other columns, another kind of value) is refused, not proven absent. Absence from all files is incomplete where a file may hold records that cannot be read, such as .tsv or .csv.gz.

Exit 0: all fits. Exit 1: it does not, or the proof shows nothing. Exit 2: it could not be checked.
`
}

func (c *manifestCheckCmd) Run(e *env) error {
	if c.Proof != "" {
		if c.Path != "" {
			return usagef("--proof is checked without the data: leave %s out", c.Path)
		}
		return c.checkProof(e)
	}
	switch {
	case c.Path == "":
		return usagef("name the folder or file to check, or a --proof")
	case c.Manifest == "":
		return usagef("--manifest is missing: which one should %s be compared with?", c.Path)
	case c.Record != "" || c.RecordFile != "" || c.Root != "" || c.Expect != "any":
		return usagef("--record, --root and --expect go with --proof")
	}
	m, err := manifestAt(c.Manifest)
	if m == nil {
		return reportOn(e, &c.reportFlags, subject.Dataset, c.Path, nil, err)
	}
	unchecked, err := c.checkFiles(e, m)
	return c.report(e, c.Path, m, err, func(r *finding.SubjectReport) {
		if unchecked != "" {
			r.Coverage = finding.Incomplete
			r.Reasons = append(r.Reasons, unchecked)
			r.Verdict = finding.VerdictOf(r.Findings, r.Coverage)
		}
	})
}

// report prints the outcome about a manifest, with what else there is to say.
func (c *manifestCheckCmd) report(e *env, id string, m *manifest.Manifest, err error, more func(*finding.SubjectReport)) error {
	kind := subject.Dataset
	if m != nil {
		kind = subject.Kind(m.Kind)
	}
	report, err := claim(subject.Subject{Kind: kind, ID: id, Size: -1}, err)
	if err != nil {
		return err
	}
	report.Detail = map[string]any{}
	if m != nil {
		if err := describeManifest(&report, m); err != nil {
			return err
		}
	}
	more(&report)
	return c.printReports(e, report)
}

// checkFiles compares the files and their records with the manifest, and says
// what it could not check.
func (c *manifestCheckCmd) checkFiles(e *env, m *manifest.Manifest) (unchecked string, err error) {
	reading, err := c.options()
	if err != nil {
		return "", err
	}
	if c.SaltFile != "" && m.Records == nil {
		return "", usagef("--salt-file: %w", errNoRecords)
	}
	if c.SaltFile != "" {
		if err := sameSalt(m.Records, reading.Salt); err != nil {
			return "", err
		}
	}
	root, err := tree.Open(c.Path)
	if err != nil {
		return "", err
	}
	defer root.Close()
	opt := manifest.CheckOptions{}
	if opt.LeaveOut, err = leaveOut(e, c.Path, c.Ignore, c.Manifest); err != nil {
		return "", err
	}
	parent := c.checkParent(m)
	if parent != nil && attest.CodeOf(parent) == "" {
		return "", parent
	}
	files, err := manifest.Check(e.ctx, root, m, opt)
	if err != nil && attest.CodeOf(err) == "" {
		return "", err
	}
	if err = errors.Join(err, parent); err != nil || m.Records == nil {
		return "", err
	}
	if m.Records.Salt != nil && reading.Salt == nil {
		return "records-unchecked: the records are salted, and their roots can only be computed with --salt-file; the files are as in the manifest", nil
	}
	defer debug.SetGCPercent(debug.SetGCPercent(tightGC))
	read, err := records.ReadListed(e.ctx, root, files, reading)
	if err != nil {
		return "", err
	}
	return "", records.Check(m.Records, read, reading.Salt)
}

func (c *manifestCheckCmd) checkParent(m *manifest.Manifest) error {
	if c.Parent == "" {
		return nil
	}
	parent, err := manifestAt(c.Parent)
	if err != nil {
		return fmt.Errorf("--parent: %w", err)
	}
	return m.CheckParent(parent)
}

// read gives the record, or nil where neither flag names one.
func (f *recordFlags) read(e *env) ([]byte, error) {
	switch {
	case f.Record != "" && f.RecordFile != "":
		return nil, usagef("--record and --record-file: give one of them")
	case f.Record != "":
		return []byte(f.Record), nil
	case f.RecordFile == "-":
		data, err := io.ReadAll(io.LimitReader(e.in, records.MaxRecord+1))
		if err != nil {
			return nil, fmt.Errorf("--record-file: %w", err)
		}
		return data, nil
	case f.RecordFile != "":
		data, err := readDocument(f.RecordFile, records.MaxRecord)
		if err != nil {
			return nil, fmt.Errorf("--record-file: %w", err)
		}
		return data, nil
	}
	return nil, nil
}
