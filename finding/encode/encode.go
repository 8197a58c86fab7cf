// Package encode writes reports: as JSON, JSON lines, SARIF 2.1.0, CycloneDX
// 1.6, a table for people, and one HTML page.
//
// It decides nothing. Every encoder is given the same subjects in the same
// order and writes the same bytes for them on any host. Names, members and
// evidence come from whoever made the examined bytes, so that no encoder prints
// control, bidirectional, invisible or undecodable characters as they are
// (see Text); what was examined cannot speak to the reader's terminal,
// browser or parser.
package encode

import (
	"fmt"
	"io"
	"strings"

	"bartizan/finding"
)

// Encoder writes one report. Subject is called for each subject in order, Close
// once at the end: it completes the document, whatever was written before.
type Encoder interface {
	Subject(r *finding.SubjectReport) error
	Close(end End) error
}

// End is what is known when the last subject was seen.
type End struct {
	Summary finding.Summary
	// Reasons say why the run did not reach its end; empty where it did.
	Reasons []string
}

// Options are what encoders need besides subjects.
type Options struct {
	Tool finding.Tool
	// Rules are the rules that SARIF describes; others need none.
	Rules []finding.Rule
	// Color and Width are for the table: escape sequences, and the columns to
	// wrap at (0 does not wrap).
	Color bool
	Width int
	// Quiet leaves subjects out of the table that are clean and complete.
	Quiet bool
}

// Formats lists the names that New knows.
func Formats() []string { return []string{"table", "json", "jsonl", "sarif", "cyclonedx", "html"} }

// New makes the encoder of that name, writing to w. It errs on an unknown name.
func New(name string, w io.Writer, opt Options) (Encoder, error) {
	switch name {
	case "table":
		return newTable(w, opt), nil
	case "json":
		return newJSON(w, opt), nil
	case "jsonl":
		return newJSONL(w), nil
	case "sarif":
		return newSARIF(w, opt), nil
	case "cyclonedx":
		return newCycloneDX(w, opt), nil
	case "html":
		return newHTML(w, opt), nil
	}
	return nil, fmt.Errorf("format %q: want one of %s", name, strings.Join(Formats(), ", "))
}
