// Command differential checks Bartizan's pickle engine against every CPython on the machine.
//
// It makes pickle streams by a grammar, by mutation and by splicing, lets every interpreter read each through several
// readers with stub classes, and compares: every name that any reader resolved and every call that it made must be in
// the engine's trace. A miss is minimised and written as a .pkl with a .json beside it.
//
//	go run ./tools/differential -n 1000000 -state /tmp/differential.json
//
// The readers of Python 3 are the C one over loads(), over BytesIO and over an opened file (they differ where a frame
// ends inside an argument and where a file's buffer ends), the pure Python one with a memo kept from pickle to pickle,
// and from 3.8 the real loads() up to its first name. Those of Python 2.7 are cPickle, anew or one for all
// pickles of a stream, and pickle. See worker.py for why nothing real is imported or called.
//
// The same seed gives the same streams everywhere. Exit code 1 means misses, 2 that the run failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code, err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "differential:", err)
	}
	os.Exit(code)
}

// command parses flags, runs and reports; it gives the exit code.
func command(ctx context.Context, args []string, out io.Writer) (int, error) {
	var opts options
	flags := flag.NewFlagSet("differential", flag.ContinueOnError)
	flags.Uint64Var(&opts.streams, "n", 100_000, "end at this many streams")
	limit := flags.Duration("time", 0, "end after this time; 0: no limit")
	flags.Uint64Var(&opts.seed, "seed", 1, "seed of the sequence of streams")
	flags.StringVar(&opts.statePath, "state", "", "file to go on from, and to keep")
	flags.StringVar(&opts.missDir, "misses", "differential-misses", "folder for streams that were missed")
	flags.IntVar(&opts.maxMisses, "max-misses", 50, "end after this many different misses")
	flags.IntVar(&opts.rotate, "rotate", 0, "run each batch on so many interpreters, in turn, for more streams in the time; 0: on all")
	flags.IntVar(&opts.batch, "batch", 400, "streams a batch")
	seedDir := flags.String("seeds", "", "folder of pickles to mutate beside the built-in ones; changes the sequence")
	paths := flags.String("interpreters", "", "Python executables, by commas; default: those of pyenv and PATH")
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	seeds, err := loadSeeds(*seedDir)
	if err != nil {
		return 2, err
	}
	opts.seeds = seeds
	s, err := loadState(opts.statePath, opts.seed)
	if err != nil {
		return 2, err
	}
	if s.Position > 0 {
		fmt.Fprintf(out, "going on        from stream %d of %d, by %s\n", s.Position, opts.streams, opts.statePath)
	}
	interpreters, broken := discover(fields(*paths))
	for _, b := range broken {
		fmt.Fprintln(out, "left out:", b)
	}
	if len(interpreters) == 0 {
		return 2, fmt.Errorf("no Python found: nothing can be compared")
	}
	if *limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *limit)
		defer cancel()
	}
	report := &reporter{out: out, folder: opts.missDir, seed: opts.seed, limit: opts.maxMisses,
		known: map[string]bool{}, extra: map[string]*interpreter{}}
	defer report.close()
	start := time.Now()
	if err := execute(ctx, opts, s, interpreters, engine, report); err != nil {
		return 2, err
	}
	report.summary(s, interpreters)
	fmt.Fprintf(out, "this run        %.1f s\n", time.Since(start).Seconds())
	if s.Misses > 0 {
		return 1, nil
	}
	return 0, nil
}

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
