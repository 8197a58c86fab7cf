package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/input"
	"bartizan/finding"
	"bartizan/subject"
)

type manifestCheckCmd struct {
	Path     string   `arg:"" optional:"" name:"path" help:"The folder or file to compare with the manifest."`
	Manifest string   `short:"m" placeholder:"M" help:"The manifest."`
	Parent   string   `placeholder:"OLD" help:"The manifest names this one as the version that it was made from."`
	Ignore   []string `sep:"none" placeholder:"P" help:"This file or folder need not be in the manifest (repeatable), unless it could be loaded. Git's own files and the manifest need not be. What the manifest lists is checked all the same."`
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
	return `    bartizan manifest check ./loans --manifest loans.json
    bartizan manifest check ./loans --manifest loans-2.json --parent loans-1.json
    bartizan manifest check --proof proof.json --manifest loans.json --record '17,Ada,1815-12-10'
    bartizan manifest check --proof proof.json --manifest loans.json --record-file record.json --expect absent

With a path, every file that is missing, added or altered is named, and the roots over the records are computed anew from the data.

With --proof, the record and the manifest are all that is needed: the proof shows how often the record is in the data that the manifest commits to, or that it is not in it. It is no more to be trusted than the manifest is: check who signed that first.

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
	m, err := readManifest(c.Manifest)
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
	parent, err := readManifest(c.Parent)
	if err != nil {
		return fmt.Errorf("--parent: %w", err)
	}
	return m.CheckParent(parent)
}

// checkProof says what a proof shows about a record.
func (c *manifestCheckCmd) checkProof(e *env) error {
	if (c.Manifest == "") == (c.Root == "") {
		return usagef("--proof wants either --manifest or --root to be checked against")
	}
	if c.Parent != "" || len(c.Ignore) > 0 {
		return usagef("--parent and --ignore are about files, not about a --proof")
	}
	record, err := c.read(e)
	if err != nil {
		return err
	}
	if record == nil {
		return usagef("--proof wants the record that it is about: --record or --record-file")
	}
	opt, err := c.options()
	if err != nil {
		return err
	}
	v := proofCheck{cmd: c, record: record, salt: opt.Salt}
	err = v.run()
	return c.report(e, c.Proof, v.manifest, err, v.describe)
}

// proofCheck is the check of one proof.
type proofCheck struct {
	cmd      *manifestCheckCmd
	record   []byte
	salt     *records.Salt
	manifest *manifest.Manifest // nil where there is but a root
	proof    *records.Proof
	root     records.Digest
	count    uint64
	shown    bool
}

func (v *proofCheck) run() error {
	raw, err := input.AtMost(v.cmd.Proof, records.MaxProof)
	if err != nil {
		return fmt.Errorf("--proof: %w", err)
	}
	if v.proof, err = records.ParseProof(raw); err != nil {
		return err
	}
	if err := v.findRoot(); err != nil {
		return err
	}
	if v.count, err = v.proof.Verify(v.root, v.salt, v.record); err != nil {
		return err
	}
	v.shown = true
	if want := v.cmd.Expect; want == "present" && v.count == 0 || want == "absent" && v.count > 0 {
		return attest.Refuse(attest.RecordUnproven, v.proof.File, "the proof shows that the record is %s, and --expect is %s", presence(v.count), want)
	}
	return nil
}

func (v *proofCheck) findRoot() error {
	if v.cmd.Root != "" {
		var root digest.SHA256
		if err := root.UnmarshalText([]byte(v.cmd.Root)); err != nil {
			return usagef("--root: %w", err)
		}
		v.root = records.Digest(root)
		return nil
	}
	m, err := readManifest(v.cmd.Manifest)
	if err != nil {
		return fmt.Errorf("--manifest: %w", err)
	}
	v.manifest = m
	if m.Records == nil {
		return attest.Refuse(attest.RecordUnproven, "", "%s", errNoRecords)
	}
	if v.proof.File == "" {
		v.root = records.Digest(m.Records.Root)
		return nil
	}
	f := m.Records.File(v.proof.File)
	if f == nil {
		return attest.Refuse(attest.RecordUnproven, tree.Show(v.proof.File), "the manifest commits to no records of this file")
	}
	v.root = records.Digest(f.Root)
	return nil
}

func presence(count uint64) string {
	if count > 0 {
		return "present"
	}
	return "absent"
}

// describe says what was shown, if anything was.
func (v *proofCheck) describe(r *finding.SubjectReport) {
	if !v.shown {
		return
	}
	about := v.proof.File
	if about == "" {
		about = "all files with records"
	}
	r.Detail["record"] = map[string]any{
		"state": presence(v.count), "count": v.count, "among": v.proof.Count, "in": about, "root": digest.SHA256(v.root).String(),
	}
	if v.manifest == nil || v.proof.File != "" {
		return
	}
	if without := filesWithoutRecords(v.manifest); len(without) > 0 {
		r.Detail["files_without_records"] = without
	}
}

// filesWithoutRecords are those that no proof speaks of.
func filesWithoutRecords(m *manifest.Manifest) []string {
	has := map[string]bool{}
	for i := range m.Records.Files {
		has[m.Records.Files[i].Name] = true
	}
	var out []string
	for i := range m.Files {
		if !has[m.Files[i].Name] && len(out) < finding.MaxReasons {
			out = append(out, m.Files[i].Name)
		}
	}
	return out
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
		data, err := input.AtMost(f.RecordFile, records.MaxRecord)
		if err != nil {
			return nil, fmt.Errorf("--record-file: %w", err)
		}
		return data, nil
	}
	return nil, nil
}
