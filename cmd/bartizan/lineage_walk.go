package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bartizan/attest"
	"bartizan/finding"
	"bartizan/record/lineage"
	"bartizan/subject"
)

// noTime is for findings that no waiver is held against.
var noTime time.Time

// opinionFlags are what the asker holds of nodes.
type opinionFlags struct {
	Taint []string `sep:"none" env:"-" placeholder:"REF[=WHY]" help:"This thing is tainted (repeatable): a digest, prefix or name, and why."`
	Known []string `sep:"none" env:"-" placeholder:"REF" help:"This thing is vouched for by you (repeatable), such as a commit that nobody signed: what is unknown about it ends there. Taint does not."`
}

func (f *opinionFlags) opinions(g *lineage.Graph) (lineage.Opinions, error) {
	o := lineage.Opinions{Tainted: map[lineage.Node]string{}, Known: map[lineage.Node]bool{}}
	for _, arg := range f.Taint {
		n, why, err := splitTaint(g, arg)
		if err != nil {
			return o, fmt.Errorf("--taint %w", err)
		}
		o.Tainted[n] = why
	}
	for _, arg := range f.Known {
		n, sure, err := g.FindSure(arg)
		if err != nil {
			return o, fmt.Errorf("--known %w", err)
		}
		if !sure {
			return o, usagef("--known %s: only statements that are not verified give that name, as anybody can: give the digest, %s", arg, g.ID(n))
		}
		o.Known[n] = true
	}
	return o, nil
}

// splitTaint cuts REF=WHY where REF names something: names may hold the sign too.
func splitTaint(g *lineage.Graph, arg string) (lineage.Node, string, error) {
	if len(g.Find(arg)) > 0 {
		n, err := g.FindOne(arg)
		return n, "", err
	}
	ref, why, _ := strings.Cut(arg, "=")
	n, err := g.FindOne(ref)
	return n, why, err
}

type lineageWalkCmd struct {
	Ref   string   `arg:"" name:"ref" help:"A digest, the beginning of one (six digits or more), or a name, also NAME@VERSION."`
	From  []string `required:"" sep:"none" placeholder:"SOURCE" help:"A folder or file of statements (repeatable), or a graph that import wrote."`
	Up    bool     `help:"Only what it was made of."`
	Down  bool     `help:"Only what was made of it."`
	Depth int      `default:"-1" help:"At most so many edges away (-1: all)."`
	Rows  string   `placeholder:"FILE" help:"Write every node and edge that was reached to FILE, a JSON object a line; the report shows the first 1,000."`
	opinionFlags
	believeFlags
	reportFlags
}

// Help is what `bartizan lineage walk --help` says below the usage.
func (lineageWalkCmd) Help() string {
	return `The verdict is about the thing that was asked for: block where it is tainted, review (exit 2) where something that it was made of is unknown, clean where all of it is known. Each has the shortest path that explains it.

    bartizan lineage walk loan-model@7 --from ./attestations --key signer.pub --up
    bartizan lineage walk sha256:9bc2... --from ./attestations --key signer.pub --down --taint sha256:9bc2...=poisoned

The second one lists everything that a poisoned dataset has reached.
`
}

func (c *lineageWalkCmd) Run(e *env) error {
	if c.Rows != "" {
		if err := writableFor("--rows", c.Rows, kindRows); err != nil {
			return err
		}
	}
	src, err := c.believeFlags.read(e, c.From)
	if err != nil {
		report, err := claim(subject.Subject{Kind: subject.System, ID: strings.Join(c.From, " "), Size: -1}, err)
		if err != nil {
			return err
		}
		return c.printReports(e, report)
	}
	g := src.graph
	start, sure, err := g.FindSure(c.Ref)
	if err != nil {
		return err
	}
	opinions, err := c.opinions(g)
	if err != nil {
		return err
	}
	reach := &reached{g: g, states: g.Assess(opinions), steps: nearestFirst(g.NewWalker().Walk(start, c.direction(), c.Depth)), opinions: opinions}
	report := nodeReport(reach, start)
	if !sure {
		unsureName(&report, c.Ref)
	}
	if src.file {
		report.Detail["signatures"] = notChecked
	}
	if len(c.Known) > 0 { // a verdict that rests on the asker's word says so
		report.Detail["known"] = c.Known
	}
	if c.Format == "table" { // printWalk shows them
		delete(report.Detail, "rows")
		delete(report.Detail, "node")
	}
	return printReached(e, &c.reportFlags, c.Rows, src, reach, report, printWalk)
}

// unsureName says that the thing was found by a name that anybody can have given
// it: the answer may be about another thing than is meant.
func unsureName(r *finding.SubjectReport, ref string) {
	r.Coverage = finding.Incomplete
	r.Reasons = append(r.Reasons, string(attest.LineageUnknown)+": only statements that are not verified give the name "+text(ref)+" to "+r.Digest+": ask by digest")
	r.Verdict = finding.VerdictOf(r.Findings, r.Coverage)
}

// nearestFirst orders a walk for people: the start, then up, then down, each by
// distance.
func nearestFirst(steps []lineage.Step) []lineage.Step {
	slices.SortStableFunc(steps, func(x, y lineage.Step) int {
		if x.Depth <= 0 && y.Depth <= 0 {
			return int(y.Depth - x.Depth)
		}
		return int(x.Depth - y.Depth)
	})
	return steps
}

func (c *lineageWalkCmd) direction() lineage.Direction {
	switch {
	case c.Up && !c.Down:
		return lineage.Up
	case c.Down && !c.Up:
		return lineage.Down
	}
	return lineage.Both
}

// subjectKind gives the report's kind for a node.
func subjectKind(k lineage.Kind) subject.Kind {
	switch k {
	case lineage.Dataset:
		return subject.Dataset
	case lineage.Model:
		return subject.Model
	case lineage.Run:
		return subject.Run
	case lineage.File, lineage.Code:
		return subject.File
	}
	return subject.System
}

// nodeReport judges the node that was asked for: by its state, and by the
// conflicts about it and what it was made of.
func nodeReport(r *reached, n lineage.Node) finding.SubjectReport {
	s := subject.Subject{Kind: subjectKind(r.g.Kind(n)), ID: nodeTitle(r.g, n), Size: -1}
	if id := r.g.ID(n); strings.HasPrefix(id, "sha256:") {
		s.Digest = id
	}
	report := finding.NewSubjectReport(s, finding.Result{Verdict: finding.Clean, Coverage: finding.Complete})
	switch why, _ := r.states.Why(n); r.states.Of(n) {
	case lineage.Tainted:
		reason := string(attest.LineageTainted) + ": " + r.explain(n)
		report.Add(r.g.TaintFinding(&why, s.ID, reason), nil, noTime)
		report.Reasons = append(report.Reasons, reason)
	case lineage.Unknown:
		report.Coverage = finding.Incomplete
		report.Reasons = append(report.Reasons, string(attest.LineageUnknown)+": "+r.explain(n))
		report.Verdict = finding.VerdictOf(report.Findings, report.Coverage)
	}
	above := map[lineage.Node]bool{}
	for _, step := range r.g.NewWalker().Walk(n, lineage.Up, -1) {
		above[step.Node] = true
	}
	for i := range r.g.Conflicts() {
		c := &r.g.Conflicts()[i]
		if c.Kind == lineage.CutShort && len(c.Nodes) == 0 { // what was left out may be about this
			addConflict(&report, r.g, c)
		}
		for _, about := range c.Nodes {
			if above[about] && len(report.Findings) < finding.MaxReasons {
				addConflict(&report, r.g, c)
				break
			}
		}
	}
	report.Detail = r.detail(n)
	return report
}

// nodeTitle is a name with its version, or the digest.
func nodeTitle(g *lineage.Graph, n lineage.Node) string {
	name, version := g.Name(n)
	switch {
	case name == "":
		return g.ID(n)
	case version != "":
		return name + "@" + version
	}
	return name
}

type lineageShowCmd struct {
	Sources []string `arg:"" name:"source" help:"Folders and files of statements, or a graph that import wrote."`
	Rows    string   `placeholder:"FILE" help:"Write every node and edge to FILE, a JSON object a line; the report shows the first 1,000."`
	opinionFlags
	believeFlags
	reportFlags
}

// Help is what `bartizan lineage show --help` says below the usage.
func (lineageShowCmd) Help() string {
	return `Shows every thing of the lineage with its state.

    bartizan lineage show ./attestations --key signer.pub
    bartizan lineage show company.lineage --taint loans@2026-10

The verdict is about the lineage as a whole: review where claims in it contradict each other. What a single thing amounts to is shown beside it; walk judges it.
`
}

func (c *lineageShowCmd) Run(e *env) error {
	if c.Rows != "" {
		if err := writableFor("--rows", c.Rows, kindRows); err != nil {
			return err
		}
	}
	src, err := c.believeFlags.read(e, c.Sources)
	report, failed := lineageReport(c.Sources, src, err)
	if failed != nil {
		return failed
	}
	if err != nil {
		return c.printReports(e, report)
	}
	opinions, err := c.opinions(src.graph)
	if err != nil {
		return err
	}
	all := &reached{g: src.graph, states: src.graph.Assess(opinions), opinions: opinions}
	for i := range src.graph.Nodes() {
		all.steps = append(all.steps, lineage.Step{Node: lineage.Node(i)})
	}
	clean, unknown, tainted := all.states.Count()
	report.Detail["states"] = map[string]int{"clean": clean, "unknown": unknown, "tainted": tainted}
	if c.Format != "table" { // printNodes shows them
		report.Detail["rows"] = all.rows(maxLineageRows)
	}
	return printReached(e, &c.reportFlags, c.Rows, src, all, report, printNodes)
}
