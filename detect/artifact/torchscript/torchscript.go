// Package torchscript decides whether the code in a TorchScript archive (what
// torch.jit.save and torch.jit.script's models write: code/__torch__/….py, and
// bytecode.pkl for the lite interpreter) does anything that a model has no need
// of: opens files, talks to other processes, calls operators that do not ship
// with PyTorch, or is real Python.
//
// TorchScript is a small language that is compiled, not Python that is run. It
// reaches the outside only through operators, and torch.jit.load runs the
// __setstate__ methods of the archive: a file is written while the model loads.
// torch.load with weights_only dispatched to torch.jit.load up to PyTorch 2.5
// (CVE-2025-32434).
//
// The evidence is the source, by an own tolerant parser. Operators are followed
// through local names and getattr. Methods of values are no way to those that
// take file names (tried with PyTorch 1.13). What the operators compute is not followed: a model that loops for ever or allocates
// all memory is not found.
package torchscript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/detect/input"
	"bartizan/finding"
)

// maxSource is how much source is read; a traced model of ten thousand layers
// has two million bytes.
const maxSource = 16 << 20

// Format scans TorchScript source.
type Format struct{}

// New makes the format.
func New() format.Format { return Format{} }

// Name implements format.Format.
func (Format) Name() string { return "torchscript" }

// Title implements format.Format.
func (Format) Title() string { return "TorchScript code" }

// Extensions implements format.Format.
func (Format) Extensions() []string { return nil }

// Rules implements format.Format.
func (Format) Rules() []finding.Rule { return rules() }

// opening is how a source starts: a class or function, after nothing but blank
// lines, comments and what old versions put first. Python that uses torch
// imports it before.
var opening = regexp.MustCompile(`^(?:[ \t\r]*(?:#[^\n]*)?\n|op_version_set *=[^\n]*\n|import __torch__[^\n]*\n)*(?:class|def)[ \t]+[A-Za-z_][A-Za-z_0-9]*`)

// bases are the classes that a class may have in TorchScript. With members that
// are indented by two, only its printer writes the last two at the file's start.
var bases = regexp.MustCompile(`^[ \t]*\([ \t]*(?:(?:Module|Interface|ModuleInterface)[ \t]*\)|(?:Enum|NamedTuple)\):\n  [A-Za-z_])`)

// marks are what no ordinary Python source has.
var marks = [][]byte{[]byte("__parameters__ = ["), []byte(": __torch__."), []byte("ops.prim."), []byte("unchecked_cast("),
	[]byte("uninitialized("), []byte("annotate("), []byte("CONSTANTS.c"), []byte("= __torch__.")}

// Match accepts sources that open as torch's printer opens them and have one of
// its marks, or functions in its way of writing types; and whatever the parent
// says is TorchScript.
func (Format) Match(p *format.Probe) bool {
	if p.Hint != "" {
		return p.Hint == "torchscript"
	}
	if isBytecode(p) {
		return true
	}
	m := opening.FindIndex(p.Head)
	if m == nil {
		return false
	}
	rest := p.Head[m[1]:]
	if bases.Match(rest) {
		return true
	}
	for _, mark := range marks {
		if bytes.Contains(rest, mark) {
			return true
		}
	}
	uses := bytes.Contains(rest, []byte("torch.")) || bytes.Contains(rest, []byte("ops."))
	return uses && bytes.Contains(rest, []byte("-> "))
}

// Scan implements format.Format.
func (Format) Scan(ctx context.Context, a *format.Artifact) error {
	limit := min(a.Budget.MemberBytes, maxSource)
	data, err := a.Blob.Load(limit)
	if errors.Is(err, input.ErrTooLarge) || err == nil && int64(len(data)) > limit {
		a.Incomplete("torchscript-too-large", fmt.Sprintf("%d bytes, %d are read", a.Blob.Size(), limit))
		if data, err = a.Blob.Head(limit); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(data) > 1 && data[0] == 0x80 {
		scanBytecode(a, data)
		return nil
	}
	if !inCodeFolder(a) {
		a.Out.Unsupported("code-not-analysed", a.Path+": reads like TorchScript, but stands where Python would run it")
		if a.Depth == 0 {
			return nil // a Python file of somebody's: its calls say nothing of a model
		}
	}
	w := read(string(data))
	for _, u := range w.uses {
		a.Add(u.finding(a))
	}
	for _, f := range w.faults {
		report(a, f)
	}
	return nil
}

// inCodeFolder says whether torch.jit.load would compile the source. Anywhere
// else it may be Python that only looks like TorchScript.
func inCodeFolder(a *format.Artifact) bool {
	if a.Hint == "torchscript" {
		return true
	}
	i := strings.LastIndex(a.Path, "!/")
	return i >= 0 && strings.Contains(a.Path[i+1:], "/code/__torch__")
}

// report records a place that could not be read.
func report(a *format.Artifact, f fault) {
	r := ruleParse()
	a.Add(r.New(place(a, f.at), "TorchScript source that cannot be read: "+f.what, map[string]any{"reason": f.what}))
	a.Incomplete("torchscript-unparsed", "line "+strconv.Itoa(f.at.line)+": "+f.what)
}

func place(a *format.Artifact, t token) finding.Place {
	p := a.At(int64(t.off), int64(len(t.text)))
	p.Line, p.Column = t.line, t.col
	return p
}

// finding says what a use amounts to.
func (u *use) finding(a *format.Artifact) finding.Finding {
	evidence := map[string]any{"operator": clip(u.operator), "function": clip(u.function), "on_load": u.onLoad}
	if len(u.args) > 0 {
		evidence["arguments"] = u.args
	}
	when := "when the model runs"
	if u.onLoad {
		when = "while torch.jit.load loads the model"
	}
	var r finding.Rule
	severity := finding.High
	if u.onLoad {
		severity = finding.Critical
	}
	message := ""
	switch {
	case u.python:
		r, message = rulePython(), "The code is Python, not TorchScript: "+clip(u.operator)
		severity = r.Severity
	case u.danger == network:
		r, message = ruleNetwork(), u.operator+" calls other processes over the network "+when
	case u.danger == unlisted:
		r, message = ruleUnknown(), u.operator+" is no operator that ships with PyTorch"
		severity = r.Severity
	case u.danger == writes || u.shared:
		r, message = ruleFile(), u.operator+" writes a file "+when
		severity = finding.Critical
	default:
		r, message = ruleFile(), u.operator+" reads a file "+when
	}
	f := r.New(place(a, u.at), message, evidence)
	f.Severity = severity
	return f
}
