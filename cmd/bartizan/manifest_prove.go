package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
	"bartizan/finding"
	"bartizan/subject"
)

type manifestProveCmd struct {
	Path   string   `arg:"" name:"path" help:"The data, or its manifest: the data is then in the same folder, or where --data says."`
	Data   string   `placeholder:"PATH" help:"The data of the manifest."`
	Output string   `short:"o" env:"-" placeholder:"PROOF" help:"Write the proof to PROOF, which appears whole or not at all; else it goes to standard output."`
	Format string   `short:"f" enum:"table,json,jsonl,sarif,cyclonedx,html" default:"table" help:"Of the report: table, json, jsonl, sarif, cyclonedx or html."`
	File   string   `placeholder:"F" help:"Prove it of this file, by its name in the dataset (default: of all files with records)."`
	Row    int64    `default:"-1" placeholder:"N" help:"The record is row N of --file, counted from 0 without the header."`
	Ignore []string `sep:"none" env:"-" placeholder:"P" help:"What was left out when the manifest was made (repeatable), where only the data is given."`
	recordFlags
	saltFlag
}

// Help is what `bartizan manifest prove --help` says below the usage.
func (manifestProveCmd) Help() string {
	return `Makes a proof that one record is in a version of a dataset, or is not.

    bartizan manifest prove loans.json --data ./loans --record '17,Ada,1815-12-10' -o proof.json
    bartizan manifest prove ./loans --file train.csv --row 41 -o proof.json
    bartizan manifest prove loans.json --record-file - < record.json

The data is read to make the proof. Whoever checks it needs the proof, the record and the manifest: bartizan manifest check --proof. How a record is written does not matter (quotes, blanks, the order of members, 1.0 or 1), its content does, to the letter. A row of Parquet is a JSON object with every column; --row shows how it is written.

A proof discloses the header or schema, how many records there are, and, of absence, the digests of two neighbours in the order of digests. Without a salt these can be guessed where records can be.
`
}

func (c *manifestProveCmd) Run(e *env) error {
	p, err := c.prepare(e)
	if err != nil && len(attest.Refusals(err)) == 0 {
		return err
	}
	var proof *records.Proof
	if err == nil {
		proof, err = p.prove(e)
	}
	report, err := claim(subject.Subject{Kind: subject.Dataset, ID: c.Path, Size: -1}, err)
	if err != nil {
		return err
	}
	if proof == nil {
		return (&reportFlags{Format: c.Format}).printReports(e, report)
	}
	raw, err := proof.Marshal()
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
	p.describe(&report, proof)
	return (&reportFlags{Format: c.Format}).printReports(e, report)
}

// proving is one proof on its way.
type proving struct {
	*manifestProveCmd
	manifest *manifest.Manifest // nil where there is none
	data     string
	reading  records.Options
	record   []byte
	count    uint64
}

func (c *manifestProveCmd) prepare(e *env) (*proving, error) {
	p := &proving{manifestProveCmd: c, data: c.Path}
	is, err := isManifest(c.Path)
	if err != nil {
		return nil, err
	}
	if is {
		if p.manifest, err = manifestAt(c.Path); err != nil {
			return nil, err
		}
		p.data = filepath.Dir(c.Path)
		if c.Data != "" {
			p.data = c.Data
		}
	} else if c.Data != "" {
		return nil, usagef("--data goes with a manifest, and %s is none", c.Path)
	}
	if err := writableOutput(c.Output); err != nil {
		return nil, err
	}
	if p.reading, err = c.options(); err != nil {
		return nil, err
	}
	if p.manifest != nil {
		if p.manifest.Records == nil {
			return nil, usagef("%s: %w", c.Path, errNoRecords)
		}
		if err := sameSalt(p.manifest.Records, p.reading.Salt); err != nil {
			return nil, err
		}
	}
	if p.record, err = c.read(e); err != nil {
		return nil, err
	}
	if (p.record == nil) == (c.Row < 0) {
		return nil, usagef("give the record by --record or --record-file, or by --row with --file")
	}
	if c.Row >= 0 && c.File == "" {
		return nil, usagef("--row is a row of one file: which is it (--file)?")
	}
	return p, nil
}

func (p *proving) prove(e *env) (*records.Proof, error) {
	root, err := tree.Open(p.data)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files, err := p.files(e, root)
	if err != nil {
		return nil, err
	}
	if p.Row >= 0 {
		inputs, _ := records.Inputs(files)
		if p.record, err = records.Row(e.ctx, root, inputs[0], p.Row, p.reading); err != nil {
			return nil, err
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(tightGC))
	read, err := records.ReadListed(e.ctx, root, files, p.reading)
	if err != nil {
		return nil, err
	}
	set := records.NewSet(read, p.reading.Salt)
	if err := p.agrees(set); err != nil {
		return nil, err
	}
	proof, err := set.Prove(p.File, p.record)
	if err != nil {
		return nil, err
	}
	// What cannot be checked is not handed out: a header, say, is no record.
	if p.count, err = proof.Verify(set.Commit().Root(), p.reading.Salt, p.record); err != nil {
		return nil, err
	}
	return proof, nil
}

// files are those whose records the proof is about.
func (p *proving) files(e *env, root *tree.Root) ([]manifest.Listed, error) {
	if p.manifest != nil {
		return p.manifestFiles(root)
	}
	leave, err := leaveOut(e, p.data, p.Ignore, p.Output)
	if err != nil {
		return nil, err
	}
	files, err := manifest.List(e.ctx, root, leave)
	if err != nil || p.File == "" {
		return files, err
	}
	for _, f := range files {
		if _, ok := records.FormatOf(f.Name); ok && f.Name == p.File {
			return []manifest.Listed{f}, nil
		}
	}
	return nil, usagef("--file %s: there is no such file with records", p.File)
}

// manifestFiles are the files whose records the manifest commits to.
func (p *proving) manifestFiles(root *tree.Root) ([]manifest.Listed, error) {
	var out []manifest.Listed
	var refused []error
	for _, f := range p.manifest.Records.Files {
		if p.File != "" && f.Name != p.File {
			continue
		}
		name := f.Name
		if root.Single() && len(p.manifest.Files) == 1 {
			name = tree.Only
		}
		entry, err := root.Stat(name)
		if err != nil && len(attest.Refusals(err)) == 0 {
			return nil, err
		}
		refused = append(refused, err)
		out = append(out, manifest.Listed{Entry: entry, Name: f.Name})
	}
	if len(out) == 0 {
		return nil, usagef("--file %s: the manifest commits to no records of such a file", p.File)
	}
	return out, errors.Join(refused...)
}

// agrees says whether the data is what the manifest commits to.
func (p *proving) agrees(set *records.Set) error {
	if p.manifest == nil {
		return nil
	}
	want := p.manifest.Records.Root
	if p.File != "" {
		want = p.manifest.Records.File(p.File).Root
	}
	if got := digest.SHA256(set.Commit().Root()); got != want {
		return attest.Refuse(attest.ManifestRootInvalid, p.File, "the records of the data have the root %s, and the manifest commits to %s: a proof would not fit it", got, want)
	}
	return nil
}

func (p *proving) describe(r *finding.SubjectReport, proof *records.Proof) {
	about := p.File
	if about == "" {
		about = "all files with records"
	}
	record := map[string]any{"state": presence(p.count), "count": p.count, "among": proof.Count, "in": about}
	if p.Row >= 0 {
		record["text"] = string(p.record)
	}
	r.Detail = map[string]any{"record": record, "proof": p.Output}
}
