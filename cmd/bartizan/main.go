// Command bartizan is the whole of Bartizan in one binary: one file a verb.
// testdata/*.txtar say what each verb does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"bartizan/finding/encode"
)

// Exit codes, the same for every verb.
const (
	exitClean      = 0 // clean and complete
	exitFound      = 1 // a verdict at or above --fail-on
	exitIncomplete = 2 // incomplete or failed
	exitUsage      = 3 // wrong usage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	// A reader that closes the pipe is an error to return from a write, not a death.
	signal.Ignore(syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// streams are where a verb reads and writes.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// env is what verbs are given.
type env struct {
	*streams
	ctx  context.Context
	cli  *cli
	now  func() time.Time
	code int
}

// usageError is a mistake of whoever called: exit code 3.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is main without the process: it parses, runs the verb, and gives the exit code.
func run(ctx context.Context, args []string, s *streams) int {
	var c cli
	e := &env{streams: s, ctx: ctx, cli: &c, now: time.Now}
	exit := -1
	parser, err := newParser(&c, s, func(code int) { exit = code })
	if err != nil {
		return fail(s, err, exitIncomplete)
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help has printed
		return exit
	}
	if err != nil {
		return fail(s, fmt.Errorf("%w (bartizan --help shows the usage)", err), exitUsage)
	}
	if err := parsed.Run(e); err != nil {
		var usage usageError
		switch {
		case errors.As(err, &usage):
			return fail(s, err, exitUsage)
		case errors.Is(err, syscall.EPIPE):
			return exitIncomplete
		case errors.Is(err, context.Canceled):
			return fail(s, errors.New("interrupted: nothing was decided"), exitIncomplete)
		}
		return fail(s, err, exitIncomplete)
	}
	return e.code
}

func fail(s *streams, err error, code int) int {
	fmt.Fprintln(s.err, "bartizan: "+encode.Text(err.Error()))
	return code
}

func newParser(c *cli, s *streams, exit func(int)) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("bartizan"),
		kong.Description(description),
		kong.Writers(s.out, s.err),
		kong.Exit(exit),
		kong.DefaultEnvars("BARTIZAN"),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100, NoExpandSubcommands: true}),
	)
}
