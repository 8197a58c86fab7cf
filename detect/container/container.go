// Package container opens archives and compressed streams member by member,
// in memory, for every engine that examines what lies within: members are
// never written to disk and get virtual paths ("a.pt!/archive/data.pkl").
//
// It decides nothing about a member's content. It says what is wrong with the
// container itself, on the evidence of its own headers: names and links that
// leave the place of extraction, members that some readers see and others do
// not, headers that contradict one another, and amplification. A member is
// handed on for every reading of it that some loader would use: the central
// directory's and the local header's of a zip, the raw and the pax header's of
// a tar, and the bytes before, between and behind.
//
// It cannot see into what is encrypted, and stops where the budget ends. Both
// are recorded as incomplete, never passed over.
package container

import (
	"context"

	"bartizan/detect/input"
	"bartizan/finding"
)

// TailBytes is how much of the end of a file Match wants to be given where it
// can be had cheaply: the end record of a zip and its longest comment.
const TailBytes = 22 + 65535

// Format is one kind of container. A value is immutable and safe for
// concurrent use.
type Format interface {
	// Name is the id in reports ("zip"), Title the name for people.
	Name() string
	Title() string
	Extensions() []string
	// Match says whether bytes with this head and tail (TailBytes, or less at
	// the price of zips behind long comments) may be of this kind.
	Match(head, tail []byte, size int64) bool
	// Walk visits the members in the order in which they are listed. It errs
	// only where reading, the context or visit failed: what is wrong with the
	// bytes is a finding or Incomplete in in.Out.
	Walk(ctx context.Context, in In, visit Visit) error
}

// Visit is given each member. The member and what it opened are valid until
// the function returns.
type Visit func(ctx context.Context, m *Member) error

// In is a container to walk.
type In struct {
	Blob input.Blob
	// Path is the container's virtual path, for places and details.
	Path   string
	Budget *input.Budget
	Out    *finding.Collector
}

// Codes of what was not seen, as they are given to finding.Collector.
const (
	CodeEncrypted   = "encrypted"               // a key is needed
	CodeUnsupported = "unsupported-compression" // no decoder for this method
	CodeTruncated   = "truncated"               // the container ends early
	CodeDamaged     = "damaged"                 // bytes contradict the format
	CodeMembers     = "member-limit"            // more members than the budget
	CodeMemory      = "memory-limit"            // more memory than the budget
	CodeExpand      = "expand-limit"            // more unpacked bytes than the budget
	CodeWork        = "work-limit"              // more repeated reading than the budget
)

// Formats lists every container, most specific first.
func Formats() []Format {
	return []Format{
		zipFormat(), tarFormat(), sevenzFormat(), rarFormat(),
		gzipFormat(), bzip2Format(), xzFormat(), zstdFormat(), lz4Format(),
		zfileFormat(), zlibFormat(), lzmaFormat(),
	}
}

// kind is the one implementation of Format.
type kind struct {
	name, title string
	extensions  []string
	match       func(head, tail []byte, size int64) bool
	walk        func(w *walker) error
}

func (k *kind) Name() string         { return k.name }
func (k *kind) Title() string        { return k.title }
func (k *kind) Extensions() []string { return k.extensions }

func (k *kind) Match(head, tail []byte, size int64) bool { return k.match(head, tail, size) }

func (k *kind) Walk(ctx context.Context, in In, visit Visit) error {
	w := newWalker(ctx, in, visit, k.name)
	err := k.walk(w)
	w.close()
	return err
}
