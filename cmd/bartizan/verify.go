package main

import (
	"errors"
	"runtime/debug"

	"bartizan/attest/hashing"
	"bartizan/attest/load"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/handover"
	"bartizan/cmd/internal/within"
	"bartizan/finding"
	"bartizan/subject"
)

type verifyCmd struct {
	Path   string `arg:"" name:"path" help:"The folder or file that the signature is about."`
	Bundle string `required:"" placeholder:"B" help:"The signature: an OpenSSF Model Signing bundle."`
	trustFlags
	loadFlags
	Ignore         []string `sep:"none" env:"-" placeholder:"P" help:"This file or folder is known not to be signed (repeatable). What could be loaded is never ignored."`
	IgnoreUnsigned bool     `env:"-" help:"Pass over files that are not signed and that nothing could load, such as a README."`
	RefuseLegacy   bool     `help:"Refuse statements of signers before the specification (Digests/v0.1)."`
	AcceptHash     []string `enum:"sha256,blake2b,blake3" placeholder:"H" help:"Accept only these digest algorithms (default: all of the specification)."`
	reportFlags
}

// Help is what `bartizan verify --help` says below the usage.
func (verifyCmd) Help() string {
	return `Says whether these are the bytes that the signer vouched for, all of them and no others. Works offline.

    bartizan verify ./model --bundle model.sig --key signer.pub
    bartizan verify ./model --bundle model.sig --certificate-chain root.crt
    bartizan verify ./model --bundle model.sig --identity ada@example.org \
        --issuer https://accounts.example.org --trusted-root trusted_root.json

Exit 0: they are. Exit 1: they are not, or the signature is not that of whom you believe; the first reason begins with a stable code, such as OMS_DIGEST_MISMATCH. Exit 2: it could not be checked.

` + loadHelp
}

func (c *verifyCmd) Run(e *env) (err error) {
	if err := errors.Join(c.check(), c.checkLoad(), c.checkOutput()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.drop()) }()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(softMemory))
	raw, err := readBundle(c.Bundle)
	if err != nil {
		return err
	}
	trust, err := c.trust(e.now())
	var m *oms.Model
	if err == nil {
		m, err = oms.Authenticate(e.ctx, raw, trust)
	}
	if err == nil {
		err = c.compare(e, m)
	}
	report, err := claim(subject.Subject{Kind: subject.Model, ID: c.Path, Size: -1}, err)
	if err != nil {
		return err
	}
	if m != nil {
		describe(&report, m)
		signedBy(&report, &m.Signer)
	}
	if !c.ownsOutput() || c.Output != "" {
		if err := c.printReports(e, report); err != nil {
			return err
		}
	}
	return c.finish(e)
}

// compare holds the tree against what was signed.
func (c *verifyCmd) compare(e *env, m *oms.Model) error {
	root, err := tree.Open(c.Path)
	if err != nil {
		return err
	}
	defer root.Close()
	policy, err := c.policy()
	if err != nil {
		return err
	}
	if !c.copies() {
		return m.Check(e.ctx, root, policy)
	}
	return handover.Take(e.ctx, m, root, policy, func(want []load.Expected) error {
		return c.take(e, root, want, c.Path)
	})
}

func (c *verifyCmd) policy() (p oms.Policy, err error) {
	p.IgnoreUnsigned, p.RefuseLegacy = c.IgnoreUnsigned, c.RefuseLegacy
	if p.Bundle, err = within.Name(c.Path, c.Bundle); err != nil {
		return p, err
	}
	if p.Ignore, err = ignored(c.Path, c.Ignore); err != nil {
		return p, err
	}
	for _, h := range c.AcceptHash {
		p.Algorithms = append(p.Algorithms, hashing.Algorithm(h))
	}
	return p, nil
}

// signedBy adds who vouches, once that is proven.
func signedBy(r *finding.SubjectReport, s *oms.Signer) {
	who := map[string]any{"method": string(s.Method), "fingerprint": s.Key}
	if s.Identity != "" {
		who["identity"] = s.Identity
	}
	if s.Issuer != "" {
		who["issuer"] = s.Issuer
	}
	r.Detail["signer"] = who
}
