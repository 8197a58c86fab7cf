package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"bartizan/attest"
	"bartizan/attest/keyless"
	"bartizan/attest/oms"
	"bartizan/attest/statement"
	"bartizan/cmd/internal/input"
	"bartizan/finding"
	"bartizan/subject"
)

type attestVerifyCmd struct {
	File   string `arg:"" name:"file" help:"The file that the bundle is about; or a folder, for a statement about its root digest."`
	Bundle string `required:"" placeholder:"B" help:"A sigstore bundle, version 0.1 to 0.3: over the file itself, or with a statement about it."`
	trustFlags
	PredicateType string `placeholder:"TYPE" help:"Accept only a statement of this predicate type, such as https://slsa.dev/provenance/v1."`
	reportFlags
}

// Help is what `bartizan attest verify --help` says below the usage.
func (attestVerifyCmd) Help() string {
	return `Says whether somebody you believe signed this file, or a statement about it. Works offline: nothing is fetched, and the answer is the same in ten years.

    bartizan attest verify model.onnx --bundle model.onnx.sigstore.json \
        --identity ada@example.org --issuer https://accounts.example.org --trusted-root trusted_root.json
    bartizan attest verify model.onnx --bundle b.json --key signer.pub
    bartizan attest verify model.onnx --bundle b.json --key signer.pub --trusted-root trusted_root.json
    bartizan attest verify ./model --bundle training.json --certificate-chain root.crt

By identity, the certificate has to come from an authority of the trusted root and be in its certificate transparency log, the signature in its transparency log, and the time of signing be proven. With --key and --trusted-root the log entry has to verify too; with --key alone only the signature does.

A statement says something about the file, not that the file is good: name what it has to say by --predicate-type. What a test, a decision or an approval came to is result in the detail of the report.

A folder is accepted where the statement names it by a digest that covers the names of its files (dirHash1), which bartizan attest writes; a signature of bartizan sign is checked by bartizan verify.

Exit 0: so it is. Exit 1: it is not; the first reason begins with a stable code, such as LOG_ENTRY_MISMATCH. Exit 2: it could not be checked.
`
}

func (c *attestVerifyCmd) Run(e *env) error {
	if err := c.checkWithLog(); err != nil {
		return err
	}
	raw, err := readBundle(c.Bundle)
	if err != nil {
		return err
	}
	s := subject.Subject{Kind: subject.File, ID: c.File, Size: -1}
	if info, err := os.Stat(c.File); err == nil && info.IsDir() {
		s.Kind = subject.Model
	}
	target, err := openTarget(e, c.File, c.Bundle)
	if err != nil {
		report, err := claim(s, err) // a tree that nobody may sign is refused
		if err != nil {
			return err
		}
		return c.printReports(e, report)
	}
	defer target.close()
	s.Size = target.size
	var detail map[string]any
	if len(c.CertificateChain) > 0 {
		detail, err = c.byCertificateChain(e, raw, target)
	} else {
		detail, err = c.bySigstore(e, raw, target)
	}
	report, err := claim(s, err)
	if err != nil {
		return err
	}
	report.Detail, report.Digest = detail, target.digest
	return c.printReports(e, report)
}

// target is what a bundle is to be about: an open file, or the digests of a
// folder.
type target struct {
	file    *os.File
	size    int64
	digests statement.Digests
	digest  string // as reports show it, once it is known
}

func (t *target) close() {
	if t.file != nil {
		_ = t.file.Close() // only read
	}
}

// openTarget opens a regular file, or digests a folder as signing does.
func openTarget(e *env, path, bundle string) (*target, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		r := thingReader{ctx: e.ctx, bundle: bundle}
		folder, err := r.path(path)
		if err != nil {
			return nil, err
		}
		return &target{size: -1, digests: folder.Digest, digest: folder.Digest.String()}, nil
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is no regular file", path)
	}
	f, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() { // it was, a moment ago
		err = fmt.Errorf("%s: is no regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &target{file: f, size: info.Size()}, nil
}

// trusted reads whom the flags name, for a bundle of sigstore.
func (c *attestVerifyCmd) trusted() (keyless.Trust, error) {
	var root []byte
	if c.TrustedRoot != "" {
		var err error
		if root, err = readTrustedRoot(c.TrustedRoot); err != nil {
			return nil, err
		}
	}
	if c.Key == "" {
		return keyless.Policy{Identity: c.Identity, Issuer: c.Issuer, TrustedRoot: root, PredicateType: c.PredicateType}, nil
	}
	pem, err := readSmall(c.Key)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	if bytes.Contains(pem, []byte("PRIVATE KEY")) {
		return nil, usagef("--key %s: holds a private key: verifying wants the public one", c.Key)
	}
	return keyless.Key{PEM: pem, TrustedRoot: root, PredicateType: c.PredicateType}, nil
}

// bySigstore verifies by identity, or by a key.
func (c *attestVerifyCmd) bySigstore(e *env, raw []byte, t *target) (map[string]any, error) {
	who, err := c.trusted()
	if err != nil {
		return nil, err
	}
	if t.file != nil {
		r, err := keyless.VerifyArtifact(e.ctx, raw, t.file, who)
		if err != nil {
			return nil, err
		}
		t.digest = "sha256:" + r.SHA256
		return proven(r), nil
	}
	payloadType, payload, r, err := keyless.VerifyEnvelope(e.ctx, raw, who)
	if err != nil {
		return nil, err
	}
	if payloadType != statement.PayloadType {
		return nil, attest.Refuse(attest.DSSEPayloadType, "", "want %s", statement.PayloadType)
	}
	if r.Statement, err = aboutFolder(payload, t.digests, c.PredicateType); err != nil {
		return nil, err
	}
	return proven(r), nil
}

// byCertificateChain verifies a statement that was signed with a certificate of
// one's own authority.
func (c *attestVerifyCmd) byCertificateChain(e *env, raw []byte, t *target) (map[string]any, error) {
	trust, err := c.trust(e.now())
	if err != nil {
		return nil, err
	}
	payload, signer, err := oms.AuthenticateStatement(e.ctx, raw, trust)
	if err != nil {
		return nil, err
	}
	var st keyless.Statement
	if t.file != nil {
		st, err = keyless.CheckStatement(e.ctx, payload, t.file, c.PredicateType)
	} else {
		st, err = aboutFolder(payload, t.digests, c.PredicateType)
	}
	if err != nil {
		return nil, err
	}
	r := finding.SubjectReport{Detail: map[string]any{"content": string(keyless.ContentEnvelope)}}
	stated(r.Detail, st)
	signedBy(&r, &signer)
	return r.Detail, nil
}

// aboutFolder holds a statement against the digests of a folder.
func aboutFolder(payload []byte, d statement.Digests, predicateType string) (keyless.Statement, error) {
	st, err := statement.Parse(payload)
	if err != nil {
		return keyless.Statement{}, err
	}
	if predicateType != "" && st.PredicateType != predicateType {
		return keyless.Statement{}, attest.Refuse(attest.PredicateType, "", "the statement is a %q, not a %q", st.PredicateType, predicateType)
	}
	p, err := statement.Known(st)
	if err != nil {
		return keyless.Statement{}, err
	}
	said := keyless.Statement{Type: statement.Type, PredicateType: st.PredicateType, Result: statement.ResultOf(p)}
	return said, st.AboutFolder(d)
}

// stated puts into a detail what a statement is, and what it says in one word.
func stated(detail map[string]any, st keyless.Statement) {
	if st.PredicateType != "" {
		detail["predicate_type"] = st.PredicateType
	}
	if st.Result != "" {
		detail["result"] = st.Result
	}
}

// proven is the report's detail: who, what and when.
func proven(r *keyless.Result) map[string]any {
	signer := map[string]any{"method": "sigstore", "fingerprint": r.Fingerprint}
	if r.Key {
		signer["method"] = "key"
	} else {
		signer["identity"], signer["issuer"] = r.Identity, r.Issuer
	}
	detail := map[string]any{"signer": signer, "content": string(r.Content)}
	stated(detail, r.Statement)
	var entries, times []map[string]any
	for _, l := range r.Entries {
		entries = append(entries, map[string]any{"log": l.Log, "kind": l.Kind, "version": l.Version, "index": l.Index, "promised": l.Promised, "proven": l.Proven})
	}
	for _, t := range r.Times {
		times = append(times, map[string]any{"source": t.Source, "uri": t.URI, "time": t.Time.UTC().Format(time.RFC3339)})
	}
	if entries != nil {
		detail["log_entries"] = entries
	}
	if times != nil {
		detail["times"] = times
	}
	return detail
}
