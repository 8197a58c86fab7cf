package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/statement"
	"bartizan/cmd/internal/input"
	"bartizan/subject"
)

type attestApprovalCmd struct {
	Subject   string   `required:"" placeholder:"MODEL" help:"What is consented to: a folder, a file, or sha256:HEX=NAME."`
	Purpose   string   `required:"" help:"What it may be used for, such as deploy."`
	Env       string   `name:"env" placeholder:"NAME" help:"Where, such as production."`
	Decision  string   `placeholder:"BUNDLE" help:"The gate's decision that the approver saw: the bundle of its statement, or sha256:HEX of the statement."`
	Approver  string   `env:"-" required:"" placeholder:"WHO" help:"Who consents."`
	Role      []string `env:"-" placeholder:"ROLE" help:"A role in which they do."`
	Requester string   `env:"-" placeholder:"WHO" help:"Who asked. Nobody approves what they asked for."`
	Request   string   `placeholder:"ID" help:"The request that is answered."`
	Expires   string   `required:"" placeholder:"TIME" help:"When the consent ends: RFC 3339, or a time from now such as 720h."`
	Reject    bool     `help:"Refuse consent."`
	Comment   string   `help:"What the approver wants to say."`
	Ignore    []string `env:"-" sep:"none" placeholder:"PATH" help:"A path within the folder that is no part of it, as for bartizan sign."`
	attestFlags
}

// Help is what `bartizan attest approval --help` says below the usage.
func (attestApprovalCmd) Help() string {
	return `Signs one person's consent to one digest, for one purpose, until a time.

    bartizan attest approval --subject ./model --purpose deploy --env production \
        --decision vsa.json --approver ana@example.org --requester dana@example.org --expires 720h \
        --key ana --bundle approval.json

One approval is one person's word. How many of whom are enough, policy decides; and that the key is that person's, whoever gave out the keys.
`
}

func (c *attestApprovalCmd) Run(e *env) error {
	now := e.now()
	expires, err := deadline(now, c.Expires)
	if err != nil {
		return err
	}
	return c.attest(e, subject.Model, []string{c.Subject}, func() (*statement.Statement, error) {
		r := &thingReader{ctx: e.ctx, ignore: c.Ignore, bundle: c.Bundle}
		subjects, err := r.all("--subject", []string{c.Subject}, r.read)
		if err != nil {
			return nil, err
		}
		a := &statement.Approval{
			Verdict: statement.Approved, Purpose: c.Purpose, Environment: c.Env, Request: c.Request, Requester: c.Requester,
			Approver:   statement.Person{ID: c.Approver, Roles: c.Role},
			ApprovedOn: statement.At(now.Truncate(time.Second)), Expires: statement.At(expires), Comment: c.Comment,
		}
		if c.Reject {
			a.Verdict = statement.Rejected
		}
		if a.Decision, err = decision(c.Decision); err != nil {
			return nil, err
		}
		return statement.New(a, subjects...)
	})
}

func deadline(now time.Time, text string) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		end := now.Truncate(time.Second).Add(d)
		if !end.After(now) {
			return time.Time{}, usagef("--expires %s: want a time to come, at least a second from now", text)
		}
		return end, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usagef("--expires %s: want RFC 3339 (2027-01-31T00:00:00Z) or a time from now (720h)", text)
	}
	if !t.After(now) {
		return time.Time{}, usagef("--expires %s: is past", text)
	}
	return t, nil
}

// decision is the digest of a decision's statement: the payload that was
// signed, not the bundle around it.
func decision(arg string) (statement.Digests, error) {
	if arg == "" {
		return nil, nil
	}
	if d, err := statement.ParseDigest(arg); err == nil {
		return d, nil
	}
	raw, err := input.AtMost(arg, bundle.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("--decision: %w", err)
	}
	_, st, payload, err := openStatement(raw)
	if err != nil {
		return nil, err
	}
	if st.PredicateType != statement.VSAType {
		return nil, attest.Refuse(attest.PredicateType, arg, "the decision is %q, not %s", st.PredicateType, statement.VSAType)
	}
	sum := sha256.Sum256(payload)
	return statement.SHA256(hex.EncodeToString(sum[:])), nil
}
