// Package format is the contract between the artefact engine and its formats:
// one package a format, each a leaf that can be used on its own.
//
// A format says by content whether bytes are of its kind, and then scans them:
// it adds findings, says what it could not see, and hands on what lies within.
package format

import (
	"context"

	"bartizan/detect/input"
	"bartizan/finding"
)

// HeadBytes and TailBytes are how much of an artefact a probe shows.
const (
	HeadBytes = 4096
	TailBytes = 512
)

// Probe is what a format may look at to recognise its kind. Name is for hints
// only: content decides.
type Probe struct {
	Head []byte // the first bytes, HeadBytes at most
	Tail []byte // the last bytes, TailBytes at most
	Size int64
	Name string // base name, lower case
	Hint string // what the parent says this is: "pickle", "npy", ""
	// Probed is set where the bytes may be anything, found within others.
	Probed bool

	notes []note
}

type note struct{ key, value string }

// Once gives what find finds out about the bytes, and remembers it for the
// other formats that ask for the same key.
func (p *Probe) Once(key string, find func(p *Probe) string) string {
	for i := range p.notes {
		if p.notes[i].key == key {
			return p.notes[i].value
		}
	}
	value := find(p)
	p.notes = append(p.notes, note{key, value})
	return value
}

// Format recognises and scans one kind of artefact. A value is immutable and
// safe for concurrent use.
type Format interface {
	// Name is the format's id in reports, e.g. "pickle".
	Name() string
	// Title and Extensions are for `bartizan formats` and the mismatch finding.
	Title() string
	Extensions() []string
	Rules() []finding.Rule
	// Match says whether the bytes may be of this kind. Several formats may
	// match one artefact; each scans it. It may be wrong: Scan can withdraw.
	Match(p *Probe) bool
	// Scan examines a. An error means that the scanner itself failed (I/O,
	// context); what is wrong with the bytes is a finding or a.Incomplete.
	Scan(ctx context.Context, a *Artifact) error
}

// Artifact is one thing to scan: the subject itself or what lies within it.
type Artifact struct {
	Blob input.Blob
	// Path is the virtual path: the subject's id, members after "!/".
	Path string
	// Name is the last element as it was stored.
	Name  string
	Hint  string
	Depth int
	// Probed is set where the bytes may be anything, found within others.
	Probed bool
	Budget *input.Budget
	Out    *finding.Collector
	// Withdrawn is set by a format that matched and then found the bytes to be
	// none of its kind.
	Withdrawn bool
	// Child scans what lies within. It returns an error only where the scanner
	// itself failed; a spent depth or budget is recorded in Out.
	Child func(ctx context.Context, c Child) error
}

// Child is something found within an artefact.
type Child struct {
	// Name is the member's name as stored, or what it was unpacked from ("base64@120").
	Name string
	// Label is the name as it stands in paths, where that differs.
	Label string
	Blob  input.Blob
	// Hint names the format that the loader will apply whatever the content.
	Hint string
	// Probed is set where the bytes may be anything (a string in a pickle):
	// unknown content is then no fault.
	Probed bool
}

// Add records a finding.
func (a *Artifact) Add(f finding.Finding) { a.Out.Add(f) }

// Incomplete records what could not be seen: a stable code and a detail. The
// member's path is put before the detail where it is not the subject itself.
func (a *Artifact) Incomplete(code, detail string) {
	if a.Depth > 0 {
		if detail != "" {
			detail = a.Path + ": " + detail
		} else {
			detail = a.Path
		}
	}
	a.Out.Incomplete(code, detail)
}

// At is the place of n bytes at off in this artefact.
func (a *Artifact) At(off, n int64) finding.Place { return finding.At(a.Path, off, n) }
