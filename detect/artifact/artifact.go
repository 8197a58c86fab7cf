// Package artifact decides whether a model file, an archive or a file of an AI
// repository is inert: what loading it could make a loader do, on the evidence
// of its bytes alone. Nothing is executed, imported, rendered or written.
//
// The engine recognises formats by content (several may match), scans each, and
// follows what lies within, under one budget. What it cannot see it says: the
// coverage is then incomplete or unsupported, and the verdict is never clean.
//
// It cannot see what code outside the file does: a class that the reader's own
// packages define is judged by its name and by what is handed to it.
package artifact

import (
	"context"
	"fmt"

	"bartizan/detect/artifact/format"
	"bartizan/detect/container"
	"bartizan/detect/input"
	"bartizan/finding"
)

// Options configure an engine.
type Options struct {
	// Decompile asks for pseudo-code listings of pickle streams.
	Decompile bool
}

// Engine examines artefacts. It is immutable and safe for concurrent use.
type Engine struct {
	formats []format.Format
	rules   []finding.Rule
	packs   map[string]string
}

// Formats lists the formats in the order in which they are tried.
func (e *Engine) Formats() []format.Format { return e.formats }

// Rules lists the rules of the engine and all its formats.
func (e *Engine) Rules() []finding.Rule { return e.rules }

// Packs gives the digests of the data that the engine reads, by name.
func (e *Engine) Packs() map[string]string { return e.packs }

// Examine scans one artefact and adds what it finds to out. An error means that
// the engine itself failed: the subject is then incomplete.
func (e *Engine) Examine(ctx context.Context, id, name string, blob input.Blob, out *finding.Collector) error {
	if blob.Size() == 0 {
		out.Incomplete("empty", "the file holds no bytes: fetch it again")
		return nil
	}
	s := &scan{engine: e, budget: input.NewBudget(blob.Size())}
	return s.artifact(ctx, &format.Artifact{Blob: blob, Path: id, Name: name, Budget: s.budget, Out: out})
}

// scan is the examination of one subject.
type scan struct {
	engine *Engine
	budget *input.Budget
}

func (s *scan) artifact(ctx context.Context, a *format.Artifact) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := probe(a)
	if err != nil {
		return fmt.Errorf("%s: read: %w", a.Path, err)
	}
	a.Child = func(ctx context.Context, c format.Child) error { return s.child(ctx, a, c) }
	matched := 0
	var names [8]string
	for _, f := range s.engine.formats {
		if !f.Match(p) {
			continue
		}
		a.Withdrawn = false
		if err := f.Scan(ctx, a); err != nil {
			return err
		}
		if a.Withdrawn {
			continue
		}
		if matched < len(names) {
			names[matched] = f.Name()
		}
		matched++
		if a.Depth == 0 {
			a.Out.Format(f.Name())
		}
	}
	if !a.Probed {
		s.checkName(a, p, names[:min(matched, len(names))], matched)
	}
	return nil
}

func probe(a *format.Artifact) (*format.Probe, error) {
	head, err := a.Blob.Head(format.HeadBytes)
	if err != nil {
		return nil, err
	}
	tailBytes := int64(format.TailBytes)
	if _, cheap := a.Blob.Mem(); cheap {
		tailBytes = container.TailBytes
	}
	tail, err := a.Blob.Tail(tailBytes)
	if err != nil {
		return nil, err
	}
	return &format.Probe{Head: head, Tail: tail, Size: a.Blob.Size(), Name: lowerBase(a.Name), Hint: a.Hint, Probed: a.Probed}, nil
}

func (s *scan) child(ctx context.Context, parent *format.Artifact, c format.Child) error {
	label := c.Label
	if label == "" {
		label = c.Name
	}
	a := &format.Artifact{
		Blob: c.Blob, Path: parent.Path + "!/" + label, Name: c.Name, Hint: c.Hint,
		Depth: parent.Depth + 1, Probed: c.Probed, Budget: s.budget, Out: parent.Out,
	}
	switch {
	case c.Blob.Size() == 0:
		return nil
	case s.budget.Spent():
		a.Out.Incomplete("budget-limit", "the rest was not opened")
		return nil
	case a.Depth > s.budget.Depth:
		a.Incomplete("depth-limit", fmt.Sprintf("nested deeper than %d", s.budget.Depth))
		return nil
	case c.Probed:
		return s.guess(ctx, a)
	}
	return s.artifact(ctx, a)
}

// guess scans bytes that may be anything. What they turn out to be counts; that
// they are nothing, or break off as nothing, does not.
func (s *scan) guess(ctx context.Context, a *format.Artifact) error {
	var apart finding.Collector
	out := a.Out
	a.Out = &apart
	err := s.artifact(ctx, a)
	out.Merge(&apart, apart.Reviews() || apart.Limited())
	return err
}
