package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"bartizan/finding"
	"bartizan/record/lineage"
)

// maxLineageRows is how many rows a report shows.
const maxLineageRows = 1000

// reached is what a walk found, with the states of all nodes.
type reached struct {
	g        *lineage.Graph
	states   *lineage.States
	steps    []lineage.Step
	opinions lineage.Opinions
	trace    *lineage.Trace
}

// nodeRow is a node in reports and files.
type nodeRow struct {
	Row     string  `json:"row"` // "node"
	ID      string  `json:"id"`
	Kind    string  `json:"kind"`
	Name    string  `json:"name,omitempty"`
	Version string  `json:"version,omitempty"`
	State   string  `json:"state"`
	Depth   int32   `json:"depth"`
	Origin  bool    `json:"origin,omitempty"` // nothing that it was made of is claimed
	Why     *whyRow `json:"why,omitempty"`
}

// whyRow explains a state.
type whyRow struct {
	Cause  string `json:"cause"`
	Reason string `json:"reason,omitempty"`
	Origin string `json:"origin"`
	// Path leads from the origin to the node; of a long one the first and last.
	Path    []string `json:"path"`
	Omitted int      `json:"omitted,omitempty"`
}

// edgeRow is an edge with its evidence.
type edgeRow struct {
	Row       string `json:"row"` // "edge"
	From      string `json:"from"`
	To        string `json:"to"`
	Relation  string `json:"relation"`
	Assurance string `json:"assurance"`
	Statement string `json:"statement,omitempty"`
	Type      string `json:"type,omitempty"`
	Signer    string `json:"signer,omitempty"`
	Source    string `json:"source,omitempty"`
	Problem   string `json:"problem,omitempty"`
}

func (r *reached) node(s lineage.Step) nodeRow {
	g, n := r.g, s.Node
	row := nodeRow{Row: "node", ID: g.ID(n), Kind: g.Kind(n).String(), State: r.states.Of(n).String(), Depth: s.Depth, Origin: g.Inputs(n) == 0}
	row.Name, row.Version = g.Name(n)
	if r.trace == nil {
		r.trace = r.states.Trace(maxPathEnds)
	}
	if why, ok := r.trace.Why(n); ok {
		w := &whyRow{Cause: why.Cause.String(), Reason: why.Reason, Origin: g.ID(why.Origin), Omitted: why.Omitted}
		for _, p := range why.Path {
			w.Path = append(w.Path, g.ID(p))
		}
		row.Why = w
	}
	return row
}

// maxPathEnds is how much of a long path is shown at each end.
const maxPathEnds = 20

func (r *reached) edge(e lineage.Edge) edgeRow {
	l := r.g.Link(e)
	return edgeRow{
		Row: "edge", From: r.g.ID(l.From), To: r.g.ID(l.To), Relation: l.Relation.String(), Assurance: l.Evidence.Assurance.String(),
		Statement: l.Evidence.Statement, Type: l.Evidence.Type, Signer: l.Evidence.Signer, Source: l.Evidence.Source, Problem: l.Evidence.Problem,
	}
}

// edges calls yield for every edge between nodes that were reached, in their
// order, until it says no.
func (r *reached) edges(yield func(lineage.Edge) bool) {
	in := make([]bool, r.g.Nodes())
	for _, s := range r.steps {
		in[s.Node] = true
	}
	for i := range in {
		if !in[i] {
			continue
		}
		first, last := r.g.Down(lineage.Node(i))
		for e := first; e < last; e++ {
			if in[r.g.To(e)] && !yield(e) {
				return
			}
		}
	}
}

// rows gives the first rows of nodes and of edges.
func (r *reached) rows(most int) map[string]any {
	nodes := make([]nodeRow, 0, min(len(r.steps), most))
	for _, s := range r.steps[:min(len(r.steps), most)] {
		nodes = append(nodes, r.node(s))
	}
	edges, total := []edgeRow{}, 0
	r.edges(func(e lineage.Edge) bool {
		if total++; total <= most {
			edges = append(edges, r.edge(e))
		}
		return true
	})
	return map[string]any{"nodes": nodes, "edges": edges, "nodes_total": len(r.steps), "edges_total": total}
}

func (r *reached) detail(n lineage.Node) map[string]any {
	up, down := 0, 0
	counts := map[string]int{}
	for _, s := range r.steps {
		switch {
		case s.Depth < 0:
			up++
		case s.Depth > 0:
			down++
		}
		counts[r.states.Of(s.Node).String()]++
	}
	return map[string]any{
		"node": r.node(lineage.Step{Node: n}), "keys": r.g.Digests(n), "up": up, "down": down, "states": counts, "rows": r.rows(maxLineageRows),
	}
}

// explain says in one line why a node is not clean.
func (r *reached) explain(n lineage.Node) string {
	why, ok := r.states.Why(n)
	if !ok {
		return ""
	}
	origin := fmt.Sprintf("%s %s", r.g.Kind(why.Origin), nodeTitle(r.g, why.Origin))
	if id := r.g.ID(why.Origin); !strings.Contains(origin, id) {
		origin += " (" + id + ")"
	}
	out := origin + ": " + why.Cause.String()
	if why.Cause == lineage.Claimed {
		l := r.g.Link(why.Edge)
		out += fmt.Sprintf(": %s %s, by %s", r.g.Kind(l.From), nodeTitle(r.g, l.From), l.Evidence.Source)
	}
	if why.Reason != "" {
		out += ": " + why.Reason
	}
	if len(why.Edges) > 0 {
		out += fmt.Sprintf("; %d edges upstream", len(why.Edges))
	}
	return out
}

// writeRows writes all rows to a file, one a line, which appears whole or not at
// all.
func writeRows(path string, r *reached) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".rows-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is gone where all went well
	buf := bufio.NewWriterSize(f, 1<<16)
	err = encodeRows(buf, r)
	if err == nil {
		err = buf.Flush()
	}
	if _, seek := f.Seek(0, io.SeekStart); err == nil {
		err = seek
	}
	if err == nil {
		err = copyWhole(path, f, 0o644)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func encodeRows(w io.Writer, r *reached) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, s := range r.steps {
		if err := enc.Encode(r.node(s)); err != nil {
			return err
		}
	}
	var failed error
	r.edges(func(e lineage.Edge) bool {
		failed = enc.Encode(r.edge(e))
		return failed == nil
	})
	return failed
}

// notChecked is said of graph files, which anybody can write who can write the file.
const notChecked = "graph file: no signature was checked now"

// printReached ends a verb that reached things: the rows to their file, the
// report, and below a table what print shows of them.
func printReached(e *env, f *reportFlags, rows string, src *source, r *reached, report finding.SubjectReport, print func(io.Writer, *reached) error) error {
	if rows != "" {
		if err := writeRows(rows, r); err != nil {
			return fmt.Errorf("--rows: %w", err)
		}
	}
	if err := f.printReports(e, report); err != nil {
		return err
	}
	if f.Format != "table" || f.Output != "" {
		return nil
	}
	if err := printNotChecked(e.out, src); err != nil {
		return err
	}
	return print(e.out, r)
}

// printNotChecked says so above a table.
func printNotChecked(w io.Writer, src *source) error {
	if !src.file {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", notChecked)
	return err
}

// printWalk prints the rows for people: what it was made of above, what was made
// of it below.
func printWalk(w io.Writer, r *reached) error {
	var up, down []lineage.Step
	for _, s := range r.steps[1:] {
		if s.Depth < 0 {
			up = append(up, s)
		} else {
			down = append(down, s)
		}
	}
	for _, part := range []struct {
		title string
		steps []lineage.Step
	}{{"made of", up}, {"made of it", down}} {
		if len(part.steps) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "\n%s: %d\n", part.title, len(part.steps)); err != nil {
			return err
		}
		if err := printSteps(w, r, part.steps); err != nil {
			return err
		}
	}
	return nil
}

func printNodes(w io.Writer, r *reached) error {
	if len(r.steps) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return printSteps(w, r, r.steps)
}

// maxPrinted is how many rows a table shows.
const maxPrinted = 200

func printSteps(w io.Writer, r *reached, steps []lineage.Step) error {
	rows := [][]string{{"STATE", "KIND", "DIGEST", "NAME", "WHY"}}
	for _, s := range steps[:min(len(steps), maxPrinted)] {
		indent := strings.Repeat("  ", min(max(int(s.Depth), -int(s.Depth), 1)-1, 8))
		why := ""
		if cause, _ := r.states.By(s.Node); cause != lineage.NoCause {
			why = r.explain(s.Node)
			if _, after, ok := strings.Cut(why, ": "); ok {
				why = after
			}
		}
		name := nodeTitle(r.g, s.Node)
		if name == r.g.ID(s.Node) {
			name = "-"
		}
		rows = append(rows, []string{r.states.Of(s.Node).String(), indent + r.g.Kind(s.Node).String(), text(shortID(r.g.ID(s.Node))), text(name), text(why)})
	}
	if err := printRows(w, rows); err != nil {
		return err
	}
	if more := len(steps) - maxPrinted; more > 0 {
		_, err := fmt.Fprintf(w, "… and %d more: --format json, or --rows FILE for all\n", more)
		return err
	}
	return nil
}

// shortID keeps enough of a digest to ask for it again.
func shortID(id string) string {
	if name, value, ok := strings.Cut(id, ":"); ok && len(value) >= 40 && strings.Trim(value, "0123456789abcdef") == "" {
		return name + ":" + value[:16]
	}
	return id
}
