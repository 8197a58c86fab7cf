package main

import (
	"context"
	"errors"
	"slices"

	"bartizan/attest"
	"bartizan/attest/load"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/handover"
	"bartizan/finding"
	"bartizan/subject"
)

// verifying is the form that checks a whole tree.
type verifying struct {
	options
	to      string
	exec    bool
	command []string

	copied *handover.Copy
}

func parseVerify(args []string) (*verifying, error) {
	o := &verifying{}
	if i := slices.Index(args, "--"); i >= 0 {
		args, o.command = args[:i:i], args[i+1:]
	}
	f := o.flags("bartizan-verify")
	f.Var(&o.ignore, "ignore", "")
	f.BoolVar(&o.ignoreUnsigned, "ignore-unsigned", false, "")
	f.StringVar(&o.to, "to", "", "")
	f.BoolVar(&o.exec, "exec", false, "")
	rest, err := parse(f, args)
	if err != nil {
		return nil, err
	}
	if len(rest) != 1 {
		return nil, usagef("name one folder or file, not %d", len(rest))
	}
	o.path = rest[0]
	switch {
	case o.exec && len(o.command) == 0:
		return nil, usagef("--exec: name the command after --")
	case !o.exec && len(o.command) > 0:
		return nil, usagef("a command after -- goes with --exec")
	case o.exec && o.to != "":
		return nil, usagef("--exec makes a copy of its own: leave out --to")
	}
	return o, o.check()
}

func (o *verifying) run(ctx context.Context, s streams) (code int, err error) {
	defer func() { err = errors.Join(err, o.drop()) }()
	m, err := o.verify(ctx)
	report, err := describe(subject.Subject{Kind: subject.Model, ID: o.path, Size: -1}, m, err)
	if err != nil {
		return 0, err
	}
	if o.copied != nil { // standard output is the command's
		return handover.Run(ctx, o.command, o.copied.Path, s.in, s.out, s.err)
	}
	return printReport(s.out, o.format, report)
}

// verify gives the model once its signature holds, also where the tree does not.
func (o *verifying) verify(ctx context.Context) (*oms.Model, error) {
	raw, err := o.readBundle()
	if err != nil {
		return nil, err
	}
	trust, err := o.trust()
	if err != nil {
		return nil, err
	}
	m, err := oms.Authenticate(ctx, raw, trust)
	if err != nil {
		return nil, err
	}
	return m, o.compare(ctx, m)
}

func (o *verifying) compare(ctx context.Context, m *oms.Model) error {
	root, err := tree.Open(o.path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	policy, err := o.policy()
	if err != nil {
		return err
	}
	if o.to == "" && !o.exec {
		return m.Check(ctx, root, policy)
	}
	return handover.Take(ctx, m, root, policy, func(want []load.Expected) error {
		return o.take(ctx, root, want)
	})
}

// take makes the copy of files that are verified as they are copied.
func (o *verifying) take(ctx context.Context, root *tree.Root, want []load.Expected) (err error) {
	if o.to != "" {
		return load.CopyTo(ctx, root, want, o.to, load.Options{SingleName: handover.Name(o.path)})
	}
	o.copied, err = handover.Private(ctx, root, want, o.path, load.Options{})
	return err
}

func (o *verifying) drop() error {
	if o.copied == nil {
		return nil
	}
	return o.copied.Remove()
}

// describe makes the report of a check, with what the signature proves.
func describe(s subject.Subject, m *oms.Model, err error) (*finding.SubjectReport, error) {
	report, err := attest.Report(s, err)
	if err != nil {
		return nil, err
	}
	if m != nil {
		addModel(&report, m)
	}
	return &report, nil
}
