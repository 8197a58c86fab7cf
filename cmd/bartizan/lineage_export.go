package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"bartizan/record/lineage"
	"bartizan/record/lineage/openlineage"
)

type lineageExportCmd struct {
	Sources []string `arg:"" name:"source" help:"Folders and files of statements, or a graph that import wrote."`
	As      string   `enum:"openlineage,json,dot" default:"openlineage" help:"openlineage (run events, one a line), json (nodes and edges, one a line) or dot (Graphviz)."`
	Output  string   `short:"o" env:"-" placeholder:"FILE" help:"Write to FILE, which appears whole or not at all."`
	Ref     string   `placeholder:"REF" help:"Only what is up and down of this digest or name (json and dot)."`
	opinionFlags
	believeFlags
}

// exportKinds are what may be written anew, by format; read only.
var exportKinds = map[string]outputKind{
	"openlineage": {"list of OpenLineage events", func(head []byte) bool { return begins(head, "{", `"eventTime"`) }},
	"json":        {"list of nodes and edges", func(head []byte) bool { return begins(head, `{"row":"`, "") }},
	"dot":         {"drawing of a lineage", func(head []byte) bool { return begins(head, "digraph lineage {", "") }},
}

// begins says whether a file begins so, and names something within.
func begins(head []byte, start, within string) bool {
	return bytes.HasPrefix(head, []byte(start)) && bytes.Contains(head, []byte(within))
}

// Help is what `bartizan lineage export --help` says below the usage.
func (lineageExportCmd) Help() string {
	return `Writes the graph for other programs.

    bartizan lineage export ./attestations --key signer.pub --as openlineage -o events.jsonl
    bartizan lineage export ./attestations --key signer.pub --as dot --ref loan-model | dot -Tsvg > lineage.svg

OpenLineage knows runs with what they read and wrote; deployments, answers, evaluations, approvals and decisions have no place in it, and how many edges were left out is said on standard error. Events are not signed: read back, all of it is declared.
`
}

func (c *lineageExportCmd) Run(e *env) error {
	if c.Ref != "" && c.As == "openlineage" {
		return usagef("--ref goes with --as json or --as dot: events are of whole runs")
	}
	if c.Output != "" {
		if err := writableFor("--output", c.Output, exportKinds[c.As]); err != nil {
			return err
		}
	}
	src, err := c.believeFlags.read(e, c.Sources)
	if err != nil {
		return err
	}
	opinions, err := c.opinions(src.graph)
	if err != nil {
		return err
	}
	out, err := openOutput(c.Output, e.out)
	if err != nil {
		return err
	}
	defer out.discard()
	if c.As == "openlineage" {
		err = exportEvents(e, out, src.graph)
	} else {
		err = c.export(out, src.graph, opinions)
	}
	if err != nil {
		return err
	}
	return out.commit()
}

func exportEvents(e *env, w io.Writer, g *lineage.Graph) error {
	buf := bufio.NewWriter(w)
	events, left := openlineage.Events(g, e.now())
	for _, event := range events {
		line, err := event.Marshal()
		if err != nil {
			return err
		}
		if _, err := buf.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	if !e.cli.Quiet {
		fmt.Fprintf(e.err, "bartizan: %d run events; %d of %d edges have no place in OpenLineage\n", len(events), left, g.Edges())
	}
	return buf.Flush()
}

func (c *lineageExportCmd) export(w io.Writer, g *lineage.Graph, o lineage.Opinions) error {
	r := &reached{g: g, states: g.Assess(o), opinions: o}
	var only map[lineage.Node]bool
	if c.Ref == "" {
		for i := range g.Nodes() {
			r.steps = append(r.steps, lineage.Step{Node: lineage.Node(i)})
		}
	} else {
		start, err := g.FindOne(c.Ref)
		if err != nil {
			return err
		}
		r.steps = g.NewWalker().Walk(start, lineage.Both, -1)
		only = map[lineage.Node]bool{}
		for _, s := range r.steps {
			only[s.Node] = true
		}
	}
	if c.As == "dot" {
		return g.WriteDot(w, r.states, only)
	}
	buf := bufio.NewWriter(w)
	if err := encodeRows(buf, r); err != nil {
		return err
	}
	return buf.Flush()
}
