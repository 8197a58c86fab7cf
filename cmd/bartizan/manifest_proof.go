package main

import (
	"fmt"
	"regexp"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
	"bartizan/finding"
)

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
	raw, err := readDocument(v.cmd.Proof, records.MaxProof)
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
		v.proof.File = "" // nothing vouches for it without a manifest
		var root digest.SHA256
		if err := root.UnmarshalText([]byte(v.cmd.Root)); err != nil {
			return usagef("--root: %w", err)
		}
		v.root = records.Digest(root)
		return nil
	}
	m, err := manifestAt(v.cmd.Manifest)
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
	switch {
	case v.manifest == nil:
		about = "under this root"
	case about == "":
		about = "all files with records"
	}
	record := map[string]any{
		"state": presence(v.count), "count": v.count, "among": v.proof.Count, "in": about, "root": digest.SHA256(v.root).String(),
	}
	if n := v.proof.Fits(v.record); v.count == 0 && n < len(v.proof.Shapes) {
		record["fits"] = fmt.Sprintf("%d of %d headers and schemas", n, len(v.proof.Shapes))
	}
	r.Detail["record"] = record
	if v.manifest == nil || v.proof.File != "" {
		return
	}
	without, unread := filesWithoutRecords(v.manifest)
	if len(without) > 0 {
		r.Detail["files_without_records"] = without
	}
	if unread != "" && v.count == 0 {
		r.Coverage = finding.Incomplete
		r.Reasons = append(r.Reasons, "records-uncommitted: "+unread+" may hold records and is of no format whose records can be committed to: the record is absent of the other files, and no more is shown; --file proves it of one")
		r.Verdict = finding.VerdictOf(r.Findings, r.Coverage)
	}
}

// filesWithoutRecords are those that no proof speaks of, and the first that may
// hold records all the same.
func filesWithoutRecords(m *manifest.Manifest) (names []string, unread string) {
	for i := range m.Files {
		name := m.Files[i].Name
		if manifest.RecordFormat(name) != "" { // or Parse had refused the manifest
			continue
		}
		if unread == "" && otherTable.MatchString(name) {
			unread = tree.Show(name)
		}
		if len(names) < finding.MaxReasons {
			names = append(names, name)
		}
	}
	return names, unread
}

// otherTable matches names of files that hold records in ways that are not read
// here: tables, lists, databases, and what is compressed.
var otherTable = regexp.MustCompile(`(?i)\.(tsv|tab|psv|json|json5|xml|ya?ml|dat|data|gz|bz2|xz|zst|lz4|br|zip|tar|tgz|7z|rar|arrow|feather|ipc|avro|orc|xlsx?|ods|mdb|accdb|db|sqlite3?|duckdb|h5|hdf5|np[yz]|pkl|pickle|tfrecords?|lance|rds|rdata|sav|dta|sas7bdat|jsonlines|parq|pq)$`)
