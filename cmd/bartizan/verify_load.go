package main

import (
	"errors"
	"fmt"

	"bartizan/attest/load"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/handover"
)

// loadFlags hand over what was verified, so that swapping a file after the check
// changes nothing.
type loadFlags struct {
	To      string   `env:"-" placeholder:"DIR" help:"Leave a verified copy in DIR: a new folder, read-only, that appears whole or not at all."`
	Exec    bool     `env:"-" help:"Run the command that follows -- with a private verified copy: {} in its arguments, and BARTIZAN_VERIFIED in its environment, are the path. Its exit code is passed on, and the copy removed."`
	Command []string `arg:"" optional:"" name:"command" help:"The command for --exec, after --."`

	copied *handover.Copy
}

// loadHelp is what verbs that embed loadFlags say in their Help.
const loadHelp = `Checking a folder and loading it afterwards leaves a moment in which files can be swapped. These hand over copies of the very bytes that were checked, of signed files only:

    bartizan verify ./model --bundle model.sig --key signer.pub --to ./verified
    bartizan verify ./model --bundle model.sig --key signer.pub --exec -- python serve.py --model {}

With --exec, standard output is the command's: a report is printed where the command is not run, or goes to --output FILE.
`

// checkLoad says whether the flags fit each other.
func (f *loadFlags) checkLoad() error {
	switch {
	case f.Exec && len(f.Command) == 0:
		return usagef("--exec: name the command after --")
	case !f.Exec && len(f.Command) > 0:
		return usagef("unexpected argument %s: one path is verified; a command goes with --exec", f.Command[0])
	case f.Exec && f.To != "":
		return usagef("--exec makes a copy of its own: leave out --to")
	}
	return nil
}

// copies says that a verified copy is wanted.
func (f *loadFlags) copies() bool { return f.To != "" || f.Exec }

// take makes the copy of files that are verified as they are copied.
func (f *loadFlags) take(e *env, root *tree.Root, want []load.Expected, path string) error {
	if f.To != "" {
		return load.CopyTo(e.ctx, root, want, f.To, load.Options{SingleName: handover.Name(path)})
	}
	c, err := handover.Private(e.ctx, root, want, path, load.Options{})
	if err != nil {
		return err
	}
	f.copied = c
	return nil
}

// ownsOutput says that standard output is the command's, which will be run.
func (f *loadFlags) ownsOutput() bool { return f.copied != nil }

// finish runs the command, where there is one, and removes the copy.
func (f *loadFlags) finish(e *env) error {
	if f.copied == nil {
		return nil
	}
	code, err := handover.Run(e.ctx, f.Command, f.copied.Path, e.in, e.out, e.err)
	if err := errors.Join(err, f.drop()); err != nil {
		return fmt.Errorf("--exec: %w", err)
	}
	e.code = code
	return nil
}

// drop removes the copy, whatever happened.
func (f *loadFlags) drop() error {
	if f.copied == nil {
		return nil
	}
	c := f.copied
	f.copied = nil
	return c.Remove()
}
