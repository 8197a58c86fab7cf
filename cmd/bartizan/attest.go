package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"

	"bartizan/attest"
	"bartizan/attest/oms"
	"bartizan/attest/statement"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/within"
	"bartizan/finding"
	"bartizan/subject"
)

type attestCmd struct {
	Training   attestTrainingCmd   `cmd:"" help:"Sign what a model was made of: datasets, code, base models, environment, parameters."`
	Evaluation attestEvaluationCmd `cmd:"" help:"Sign how an evaluation of a model ended."`
	Scan       attestScanCmd       `cmd:"" help:"Sign what a scan of a model found, with its report as evidence."`
	Dataset    attestDatasetCmd    `cmd:"" help:"Sign which files and records a version of a dataset has: its manifest."`
	Approval   attestApprovalCmd   `cmd:"" help:"Sign one person's consent to one digest for one purpose until a time."`
	Inference  attestInferenceCmd  `cmd:"" help:"Sign and check records of what a model answered."`
	Verify     attestVerifyCmd     `cmd:"" help:"Check a signed statement about a file or folder, or a signature over a file."`
	Show       attestShowCmd       `cmd:"" help:"Print what a bundle says, without verifying it."`
}

// Help is what `bartizan attest --help` says below the usage.
func (attestCmd) Help() string {
	return `Each verb writes one signed statement (in-toto Statement v1 in a DSSE envelope, in a sigstore bundle) about digests. docs/predicates.md describes every field. Exit 0 means that it was signed, not that what it says is good: an evaluation that FAILED is signed as well.

    bartizan key generate -o signer
    bartizan attest training --subject ./model --dataset ./loans --code train.py --param seed=7 --key signer --bundle training.json
    bartizan attest verify ./model --bundle training.json --key signer.pub

A subject or input is a folder, a file (its SHA-256), or a digest with a name: sha256:HEX=NAME. A folder has two digests: the root that model signing has (SHA-256 over the SHA-256 of its files in order of their names), and in-toto's dirHash1, which covers the names as well. A root that is given as sha256:HEX alone does not, so attest verify will not take a folder for it.
`
}

// attestFlags are those of every verb that signs a statement.
type attestFlags struct {
	signerFlags
	Bundle string `required:"" placeholder:"FILE" help:"Where the signed statement goes; the file appears whole or not at all."`
	reportFlags
}

// attest makes a statement, signs it, writes the bundle and reports on its
// subjects. What is refused is reported as block, and nothing is written.
func (f *attestFlags) attest(e *env, kind subject.Kind, subjects []string, build func() (*statement.Statement, error)) error {
	if err := writableFor("--bundle", f.Bundle, kindBundle); err != nil {
		return err
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(softMemory))
	st, err := build()
	var raw []byte
	if err == nil {
		raw, err = f.sign(e.ctx, st)
	}
	reports, failed := attestReports(kind, subjects, st, err)
	if failed != nil {
		return failed
	}
	if err == nil {
		addDetail(reports, st, f.Bundle)
	}
	if err == nil {
		if err := writeWhole(f.Bundle, raw, 0o644); err != nil {
			return fmt.Errorf("--bundle: %w", err)
		}
		if !e.cli.Quiet {
			fmt.Fprintf(e.err, "bartizan: wrote %s: %s\n", text(f.Bundle), text(st.PredicateType))
		}
	}
	return f.printReports(e, reports...)
}

func (f *attestFlags) sign(ctx context.Context, st *statement.Statement) ([]byte, error) {
	payload, err := st.Marshal()
	if err != nil {
		return nil, err
	}
	signer, chain, closer, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := oms.SignStatement(ctx, payload, signer, chain)
	return raw, errors.Join(err, closer())
}

// addDetail says what was signed.
func addDetail(reports []finding.SubjectReport, st *statement.Statement, bundle string) {
	detail := map[string]any{"predicate_type": st.PredicateType, "bundle": bundle}
	if p, err := statement.Known(st); err == nil && statement.ResultOf(p) != "" {
		detail["result"] = statement.ResultOf(p)
	}
	for i := range reports {
		reports[i].Detail = detail
	}
}

// attestReports gives one report for each subject: of the statement where there
// is one, else of what the user named.
func attestReports(kind subject.Kind, named []string, st *statement.Statement, err error) ([]finding.SubjectReport, error) {
	var subjects []subject.Subject
	if st != nil {
		for i := range st.Subject {
			d := &st.Subject[i]
			s := subject.Subject{Kind: kind, ID: d.Name, Size: -1}
			if sum := d.Digest["sha256"]; sum != "" {
				s.Digest = "sha256:" + sum
			}
			if s.ID == "" {
				s.ID = d.Digest.String()
			}
			subjects = append(subjects, s)
		}
	} else {
		for _, name := range named {
			subjects = append(subjects, subject.Subject{Kind: kind, ID: name, Size: -1})
		}
	}
	var reports []finding.SubjectReport
	for _, s := range subjects {
		r, err := claim(s, err)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// thing is something that a flag named, with what was hashed for it.
type thing struct {
	statement.Descriptor
	// files are those of a folder in order of their names, or the one file, named
	// "."; nil where only a digest was given.
	files []oms.Resource
}

// thingReader digests what flags name.
type thingReader struct {
	ctx    context.Context
	ignore []string // paths within folders
	bundle string   // where the statement will lie, which is no part of any folder
}

// all reads each argument of a flag.
func (r *thingReader) all(flag string, args []string, read func(string) (thing, error)) ([]statement.Descriptor, error) {
	var out []statement.Descriptor
	for _, arg := range args {
		t, err := read(arg)
		if err != nil {
			if len(attest.Refusals(err)) > 0 {
				return nil, err
			}
			return nil, fmt.Errorf("%s %s: %w", flag, arg, err)
		}
		out = append(out, t.Descriptor)
	}
	return out, nil
}

// read takes ALGORITHM:HEX[=NAME], or the path of a file or folder.
func (r *thingReader) read(arg string) (thing, error) {
	if arg == "" {
		return thing{}, usagef("an empty name: want a path, or a digest such as sha256:HEX=NAME")
	}
	digest, name, _ := strings.Cut(arg, "=")
	if d, err := statement.ParseDigest(digest); err == nil {
		return thing{Descriptor: statement.Descriptor{Name: name, Digest: d}}, nil
	} else if strings.HasPrefix(arg, "sha256:") {
		return thing{}, usageError{err}
	}
	return r.path(arg)
}

// path digests a file or folder.
func (r *thingReader) path(name string) (thing, error) {
	root, err := tree.Open(name)
	if err != nil {
		return thing{}, err
	}
	m, err := r.describe(name, root)
	if err = errors.Join(err, root.Close()); err != nil {
		return thing{}, err
	}
	t := thing{Descriptor: statement.Descriptor{Name: nameOf(name)}, files: m.Resources}
	if root.Single() {
		t.Digest = statement.SHA256(hex.EncodeToString(m.Resources[0].Digest))
		return t, nil
	}
	names, ok := m.DirHash()
	if !ok {
		return thing{}, fmt.Errorf("%s: has no digest that covers names", name)
	}
	t.Digest = statement.FolderDigests(hex.EncodeToString(m.Root[:]), names)
	return t, nil
}

func (r *thingReader) describe(name string, root *tree.Root) (*oms.Model, error) {
	opt := oms.Options{}
	if !root.Single() {
		var err error
		if opt.Bundle, err = within.Name(name, r.bundle); err != nil {
			return nil, err
		}
		if opt.Ignore, err = ignored(name, r.ignore); err != nil {
			return nil, err
		}
	}
	return oms.Describe(r.ctx, root, opt)
}

// nameOf is what a path is called in a statement: the path as it was given where
// it is relative and leads down, else its last part. Nobody has to know where
// somebody else keeps their files.
func nameOf(p string) string {
	p = filepath.ToSlash(filepath.Clean(p))
	if p != "." && p != ".." && !path.IsAbs(p) && !strings.HasPrefix(p, "../") {
		return p
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return path.Base(p)
	}
	return filepath.Base(abs)
}

// evidence describes a file that is referred to by its digest.
func (r *thingReader) evidence(arg string) (thing, error) {
	t, err := r.read(arg)
	if t.Name != "" && strings.HasSuffix(t.Name, ".json") {
		t.MediaType = "application/json"
	}
	return t, err
}
