package main

import (
	"fmt"
	"io"
	"strings"

	"bartizan/attest"
	"bartizan/finding"
	"bartizan/finding/encode"
	"bartizan/record/lineage"
	"bartizan/subject"
	"bartizan/version"
)

// reportFlags are those of verbs that check claims and report like scan.
type reportFlags struct {
	Format string `short:"f" enum:"table,json,jsonl,sarif,cyclonedx,html" default:"table" help:"table, json, jsonl, sarif, cyclonedx or html."`
	Output string `short:"o" placeholder:"FILE" help:"Write the report to FILE, which appears whole or not at all."`
}

// claim is attest.Report: clean, block, or an error where nothing could be checked.
func claim(s subject.Subject, err error) (finding.SubjectReport, error) {
	return attest.Report(s, err)
}

// checkOutput says before any work is done that the report cannot be written.
func (f *reportFlags) checkOutput() error {
	out, err := openOutput(f.Output, io.Discard)
	if err != nil {
		return err
	}
	out.discard()
	return nil
}

// printReports writes the document, and sets the exit code.
func (f *reportFlags) printReports(e *env, reports ...finding.SubjectReport) error {
	out, err := openOutput(f.Output, e.out)
	if err != nil {
		return err
	}
	defer out.discard()
	width, terminal := isTerminal(out.Writer)
	rules, err := finding.NewCatalogue(attest.Rules(), lineage.Rules())
	if err != nil {
		return err
	}
	enc, err := encode.New(f.Format, out, encode.Options{
		Tool:  finding.Tool{Name: "bartizan", Version: version.String(), Packs: map[string]string{"rules": rules.Digest()}},
		Color: useColor(e.cli.Color, terminal), Width: width, Quiet: e.cli.Quiet, Rules: rules.Rules(),
	})
	if err != nil {
		return err
	}
	var sum finding.Summary
	for i := range reports {
		sum.Add(&reports[i])
		if err := enc.Subject(&reports[i]); err != nil {
			return err
		}
	}
	if err := enc.Close(encode.End{Summary: sum}); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	e.code = max(e.code, exitCode("block", sum))
	if f.Format != "table" && !e.cli.Quiet {
		noteBlocked(e, reports)
	}
	return nil
}

// noteBlocked says the first reason of each blocked subject to whoever watches
// while the document goes to a program.
func noteBlocked(e *env, reports []finding.SubjectReport) {
	for i := range reports {
		if r := &reports[i]; r.Verdict == finding.Block && len(r.Reasons) > 0 {
			more := ""
			if n := len(r.Reasons) - 1; n > 0 {
				more = fmt.Sprintf(" (and %d more)", n)
			}
			fmt.Fprintf(e.err, "bartizan: %s: %s%s\n", text(r.ID), strings.TrimSpace(text(r.Reasons[0])), more)
		}
	}
}
