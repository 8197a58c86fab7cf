package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"bartizan/detect/artifact"
	"bartizan/examine"
	"bartizan/finding"
	"bartizan/finding/encode"
	"bartizan/version"
)

type scanCmd struct {
	Paths     []string      `arg:"" name:"path" help:"Files and folders, or - for standard input."`
	Format    string        `short:"f" enum:"table,json,jsonl,sarif,cyclonedx,html" default:"table" help:"table, json, jsonl, sarif, cyclonedx or html."`
	Output    string        `short:"o" placeholder:"FILE" help:"Write the report to FILE, which appears whole or not at all."`
	FailOn    string        `enum:"clean,review,block,never" default:"block" help:"The verdict from which the exit code is 1: clean, review, block or never."`
	Workers   int           `default:"0" help:"Subjects examined at a time (0: one a processor). The report is the same for any number."`
	Timeout   time.Duration `default:"0s" help:"Time for one subject, such as 30s; what is cut short is incomplete (0: no limit but the budgets)."`
	Digest    bool          `help:"Give the sha256 of every subject, which reads the whole of it."`
	Waivers   string        `placeholder:"FILE" help:"YAML list of findings that are accepted until a date."`
	Decompile bool          `help:"Show pickle programs as readable pseudo-code."`
}

// Help is what `bartizan scan --help` says below the usage.
func (scanCmd) Help() string {
	return `Nothing is loaded, run or unpacked to disk. Formats are recognised by content.

    bartizan scan model.pt                     one file
    bartizan scan ./repository                 all below a folder
    cat model.pkl | bartizan scan -            standard input
    bartizan scan m.pt --format json | jq .    for programs; jsonl streams a subject a line
    bartizan scan . --format sarif -o r.sarif  for code scanning
    bartizan scan . --fail-on review           the strict gate

The verdict of a subject is

    clean     nothing in it can do anything when it is loaded
    review    a person should look: something unusual, or not all of it was seen
    block     loading it can run code, or harm the loader

What was not wholly seen is never clean. Its coverage is then incomplete or unsupported, with the reasons.

A waiver accepts one finding, by its fingerprint, until a time:

    # waivers.yaml
    - fingerprint: 0123456789abcdef0123456789abcdef
      reason: built by our own pipeline, ticket SEC-12
      expires: 2027-01-31T00:00:00Z
      by: ada@example.org
`
}

// softMemory is where the garbage collector begins to work for memory and not for speed.
const softMemory = 56 << 20

func (c *scanCmd) Run(e *env) error {
	if c.Workers < 0 || c.Timeout < 0 {
		return usagef("--workers and --timeout cannot be negative")
	}
	var waivers []finding.Waiver
	if c.Waivers != "" {
		var err error
		if waivers, err = readWaivers(c.Waivers); err != nil {
			return usagef("--waivers: %w", err)
		}
	}
	engine, err := artifact.New(artifact.Options{Decompile: c.Decompile})
	if err != nil {
		return err
	}
	out, err := openOutput(c.Output, e.out)
	if err != nil {
		return err
	}
	defer out.discard()
	s := &scanRun{scanCmd: c, env: e, out: out, progress: newProgress(e)}
	if err := s.open(engine); err != nil {
		return err
	}
	// The engine's own budgets bound what is live; this keeps garbage from
	// doubling it.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(softMemory))
	now := e.now()
	s.warnExpired(waivers, now)
	sum, err := examine.Paths(e.ctx, engine, c.Paths, examine.Options{
		Workers: c.Workers, Timeout: c.Timeout, Digest: c.Digest,
		Waivers: waivers, Now: now, Progress: s.progress.update, Stdin: e.in,
	}, s.emit)
	return s.close(sum, err)
}

// scanRun is one scan on its way to the report.
type scanRun struct {
	*scanCmd
	*env
	out      *output
	enc      encode.Encoder
	progress *progress
	failed   error // of the encoder, told apart from failures of the scan
}

func (s *scanRun) open(engine *artifact.Engine) error {
	width, terminal := isTerminal(s.out.Writer)
	opt := encode.Options{
		Tool:  finding.Tool{Name: "bartizan", Version: version.String(), Packs: engine.Packs()},
		Color: useColor(s.cli.Color, terminal), Width: width, Quiet: s.cli.Quiet,
	}
	if s.Format == "sarif" || s.Format == "html" {
		catalogue, err := finding.NewCatalogue(engine.Rules())
		if err != nil {
			return err
		}
		opt.Rules = catalogue.Rules()
	}
	var err error
	s.enc, err = encode.New(s.Format, s.out, opt)
	return err
}

func (s *scanRun) emit(r *finding.SubjectReport) error {
	s.progress.clear()
	if !s.cli.Quiet {
		s.note(r)
	}
	s.failed = s.enc.Subject(r)
	return s.failed
}

// unread are the reasons that somebody has to do something about on this host,
// apart from what the bytes are.
var unread = []string{"missing", "unreadable", "not-a-regular-file", "link-loop", "link-out-of-root", "changed-while-read", "internal-error", "detector-failed"}

// note says on standard error which subjects could not be read, and what to do.
func (s *scanRun) note(r *finding.SubjectReport) {
	for _, reason := range r.Reasons {
		code, _, _ := strings.Cut(reason, ":")
		for _, u := range unread {
			if code == u {
				fmt.Fprintf(s.err, "bartizan: %s: %s\n", text(r.ID), text(reason))
			}
		}
	}
}

func (s *scanRun) warnExpired(waivers []finding.Waiver, now time.Time) {
	if s.cli.Quiet {
		return
	}
	for _, w := range waivers {
		if !now.Before(w.Expires) {
			fmt.Fprintf(s.err, "bartizan: waiver %s has expired on %s and does nothing: renew or remove it\n", text(w.Fingerprint), w.Expires.UTC().Format(time.RFC3339))
		}
	}
}

// close completes the document, and says how the scan ended.
func (s *scanRun) close(sum finding.Summary, scan error) error {
	s.progress.clear()
	if s.failed != nil {
		return s.failed
	}
	end := encode.End{Summary: sum}
	if scan != nil {
		reason := "failed: " + scan.Error()
		if s.ctx.Err() != nil {
			reason = "cancelled: the scan was interrupted; subjects that are not listed were not seen"
		}
		end.Reasons = []string{reason}
		s.code = exitIncomplete
	}
	if err := s.enc.Close(end); err != nil {
		return err
	}
	if scan != nil && s.out.spool != nil {
		return errors.New(end.Reasons[0] + "; " + s.out.target + " was not written")
	}
	if err := s.out.commit(); err != nil {
		return err
	}
	s.code = max(s.code, exitCode(s.FailOn, sum))
	if s.code == exitIncomplete && exitCode(s.FailOn, sum) == exitFound {
		s.code = exitFound
	}
	s.tell(sum, end.Reasons)
	return nil
}

// exitCode is the code for what was seen: 1 outranks 2.
func exitCode(failOn string, sum finding.Summary) int {
	failing := 0
	switch failOn {
	case "clean":
		failing = sum.Subjects
	case "review":
		failing = sum.Review + sum.Block
	case "block":
		failing = sum.Block
	}
	switch {
	case failing > 0:
		return exitFound
	case sum.Incomplete > 0:
		return exitIncomplete
	}
	return exitClean
}

// tell writes the summary on standard error, where the report itself goes
// elsewhere or does not show one.
func (s *scanRun) tell(sum finding.Summary, reasons []string) {
	if s.cli.Quiet {
		return
	}
	for _, r := range reasons {
		fmt.Fprintln(s.err, "bartizan: "+text(r))
	}
	line := fmt.Sprintf("%d subjects: %d block, %d review, %d clean; %d not wholly seen", sum.Subjects, sum.Block, sum.Review, sum.Clean, sum.Incomplete)
	switch {
	case s.out.target != "":
		fmt.Fprintf(s.err, "bartizan: wrote %s: %s\n", text(s.out.target), line)
	case s.cli.Verbose && s.Format != "table":
		fmt.Fprintln(s.err, "bartizan: "+line)
	}
}
