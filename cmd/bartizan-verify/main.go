// Command bartizan-verify checks signed models and hands over the bytes that it
// checked: a small static program for init containers, loaders and auditors. It
// is package attest without keyless identities, signing and scanning, and makes
// no connections.
//
// Its verdicts, reason codes, exit codes and JSON are those of `bartizan verify`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"

	"bartizan/version"
)

// Exit codes, the same as those of bartizan.
const (
	exitClean  = 0
	exitBlock  = 1
	exitFailed = 2
	exitUsage  = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	signal.Ignore(unix.SIGPIPE)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// streams are where the command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a mistake of whoever called.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is main without the process.
func run(ctx context.Context, args []string, s streams) int {
	code, err := dispatch(ctx, args, s)
	var usage usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(s.out, help)
		return exitClean
	case errors.As(err, &usage):
		fmt.Fprintf(s.err, "bartizan-verify: %s (--help shows the usage)\n", plain(err.Error()))
		return exitUsage
	case err != nil:
		fmt.Fprintf(s.err, "bartizan-verify: %s\n", plain(err.Error()))
		return exitFailed
	}
	return code
}

// dispatch reads the arguments. The words version and help count only where they
// stand alone, and open only where its flag --fd follows: in every other place
// they are paths, so that no folder's name can make an unchecked model look
// checked.
func dispatch(ctx context.Context, args []string, s streams) (int, error) {
	if len(args) == 0 {
		return 0, usagef("name the folder or file that the signature is about")
	}
	if len(args) == 1 {
		switch args[0] {
		case "version", "--version", "-version":
			fmt.Fprintln(s.out, "bartizan-verify "+version.String())
			return exitClean, nil
		case "help", "--help", "-help", "-h":
			return exitClean, flag.ErrHelp
		}
	}
	if opens(args) {
		o, err := parseOpen(args[1:])
		if err != nil {
			return 0, notHelp(err)
		}
		return o.run(ctx, s)
	}
	o, err := parseVerify(args)
	if err != nil {
		return 0, notHelp(err)
	}
	return o.run(ctx, s)
}

// opens says whether this is the form that hands over a descriptor.
func opens(args []string) bool {
	if args[0] != "open" {
		return false
	}
	for _, arg := range args[1:] {
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "--fd", "-fd":
			return true
		case "--":
			return false
		}
	}
	return false
}

// notHelp makes a mistake of a request for help among other arguments: its exit
// code must not pass for that of a check.
func notHelp(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return usagef("--help stands alone (a path that begins with a dash is written ./-h)")
	}
	return err
}
