package container

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"bartizan/detect/input"
	"bartizan/finding"
)

// errStop ends a walk early without a fault: the reason is in the collector.
var errStop = errors.New("walk ended by its budget")

// perRule is how many findings of one rule a walk writes out singly. What
// comes after is counted in one more, so that 100,000 faults cost no more.
const perRule = 25

// walker is the state of one walk over one container.
type walker struct {
	ctx    context.Context
	in     In
	visit  Visit
	format string
	within string // set on members of a container that is walked in passing
	links  linkTable
	codecs codecs
	said   map[string]int
	nth    int
}

func newWalker(ctx context.Context, in In, visit Visit, format string) *walker {
	return &walker{ctx: ctx, in: in, visit: visit, format: format}
}

// close writes the counts of what was not written out singly.
func (w *walker) close() {
	for _, r := range rules {
		if more := w.said[r.ID] - perRule; more > 0 {
			f := r.New(finding.Place{Path: w.in.Path}, fmt.Sprintf("%s: %d more in this archive", r.Title, more),
				map[string]any{"more": more})
			f.Count = more
			w.in.Out.Add(f)
		}
	}
}

// add records a finding of the rule at a header; evidence is changed by none.
func (w *walker) add(r *finding.Rule, off, n int64, severity finding.Severity, message string, evidence map[string]any) {
	if w.said == nil {
		w.said = map[string]int{}
	}
	w.said[r.ID]++
	if w.said[r.ID] > perRule && severity <= r.Severity {
		return
	}
	if w.said[r.ID] > 4*perRule {
		return
	}
	f := r.New(finding.At(w.in.Path, off, n), message, evidence)
	f.Severity = severity
	w.in.Out.Add(f)
}

// incomplete records what was not seen of the container or one member.
func (w *walker) incomplete(code, member, detail string) {
	text := w.in.Path
	if member != "" {
		text += "!/" + Label(member)
	}
	if detail != "" {
		text += ": " + detail
	}
	w.in.Out.Incomplete(code, text)
}

// emit checks a member's name and link and hands it on. errStop says that the
// walk must end.
func (w *walker) emit(m *Member) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if !w.in.Budget.Member() {
		w.incomplete(CodeMembers, "", "more members than the budget")
		return errStop
	}
	m.w = w
	m.within = w.within
	m.Index = w.nth
	w.nth++
	w.checkNames(m)
	err := w.visit(w.ctx, m)
	m.finish()
	return err
}

// ended turns errStop into the end of the walk.
func ended(err error) error {
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// base is the last element of the container's own virtual path.
func (w *walker) base() string {
	p := w.in.Path
	if i := strings.LastIndex(p, "!/"); i >= 0 {
		p = p[i+2:]
	}
	return path.Base(strings.ReplaceAll(p, `\`, "/"))
}

// region hands on bytes that belong to no member, named for where they lie. The
// whole container is none: it would only be walked again.
func (w *walker) region(name, view string, off, n int64) error {
	if n <= 0 || off == 0 && n == w.in.Blob.Size() {
		return nil
	}
	return w.emit(&Member{
		Name: name, Size: n, Packed: n, Offset: off, Views: []string{view}, Kind: File,
		stored: w.in.Blob.Slice(off, n), isStored: true, synthetic: true,
	})
}

// leadingZeros counts the zero bytes at the start of a range. It reads little
// first: mostly there are none, and callers ask once a member.
func leadingZeros(b input.Blob, off, n int64) (zeros int64, err error) {
	for step := int64(64); zeros < n; step = min(4*step, 64<<10) {
		p, err := b.Bytes(off+zeros, min(n-zeros, step))
		if err != nil {
			return 0, err
		}
		for i, c := range p {
			if c != 0 {
				return zeros + int64(i), nil
			}
		}
		zeros += int64(len(p))
	}
	return zeros, nil
}
