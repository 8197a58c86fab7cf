package openlineage

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/attest"
	"bartizan/record/lineage"
)

const zeros = "01941234-0000-7000-8000-00000000000"

// event writes one: datasets are "name" or "name@version".
func event(kind string, minute, run int, in, out []string) string {
	list := func(names []string) string {
		var all []string
		for _, n := range names {
			name, version, _ := strings.Cut(n, "@")
			facets := ""
			if version != "" {
				facets = fmt.Sprintf(`,"facets":{"version":{"_producer":"p","_schemaURL":"u","datasetVersion":%q}}`, version)
			}
			all = append(all, fmt.Sprintf(`{"namespace":"db","name":%q%s}`, name, facets))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	return fmt.Sprintf(`{"eventType":%q,"eventTime":"2026-01-01T00:%02d:00.000Z","run":{"runId":"%s%d"},"job":{"namespace":"etl","name":"job%d"},"inputs":%s,"outputs":%s,"producer":"https://p","schemaURL":%q}`,
		kind, minute, zeros, run, run, list(in), list(out), SchemaURL)
}

func build(t testing.TB, events ...string) (*lineage.Graph, error) {
	t.Helper()
	b := lineage.NewBuilder()
	var list []Sourced
	for i, text := range events {
		e, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Sourced{Event: e, Source: fmt.Sprint(i)})
	}
	if err := Add(b, list); err != nil {
		t.Fatal(err)
	}
	return b.Build(context.Background())
}

// edges lists a graph's edges as names.
func edges(g *lineage.Graph) string {
	var out []string
	for i := range g.Edges() {
		l := g.Link(lineage.Edge(i))
		from, fv := g.Name(l.From)
		to, tv := g.Name(l.To)
		if g.Kind(l.From) == lineage.Run {
			fv = ""
		}
		if g.Kind(l.To) == lineage.Run {
			tv = ""
		}
		out = append(out, fmt.Sprintf("%s%s-%s>%s%s", from, fv, l.Relation, to, tv))
	}
	return strings.Join(sorted(out), " ")
}

func sorted(s []string) []string {
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return s
}

func TestRunsAddUp(t *testing.T) {
	g, err := build(t,
		event("COMPLETE", 2, 1, nil, []string{"model@1"}),
		event("START", 1, 1, []string{"raw@3"}, nil),
		event("START", 1, 1, []string{"raw@3"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := edges(g); got != "job1-produced>model1 raw3-used>job1" {
		t.Error(got)
	}
	n, _ := g.FindOne("model@1")
	if s := g.Assess(lineage.Opinions{}).Of(n); s != lineage.Unknown {
		t.Errorf("declared is %s", s)
	}
}

func TestTablesWithoutVersions(t *testing.T) {
	// Each night the same job reads and writes the same table.
	g, err := build(t,
		event("START", 1, 1, []string{"t"}, nil), event("COMPLETE", 2, 1, nil, []string{"t"}),
		event("START", 3, 2, []string{"t"}, nil), event("COMPLETE", 4, 2, nil, []string{"t"}),
		event("START", 5, 3, []string{"t"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := edges(g); got != "job1-produced>t job2-produced>t t-used>job1 t-used>job2 t-used>job3" {
		t.Error(got)
	}
	start, _ := g.FindOne("job3")
	if n := len(g.NewWalker().Walk(start, lineage.Up, -1)); n != 6 {
		t.Errorf("%d steps from the last night to the first table", n)
	}
	// At one time, neither reads what the other wrote.
	if _, err := build(t, event("COMPLETE", 1, 1, []string{"a"}, []string{"b"}), event("COMPLETE", 1, 2, []string{"b"}, []string{"a"})); err != nil {
		t.Error(err)
	}
}

func TestVersionedCycleIsSetAside(t *testing.T) {
	g, err := build(t, event("COMPLETE", 1, 1, []string{"a@1"}, []string{"b@1"}), event("COMPLETE", 2, 2, []string{"b@1"}, []string{"a@1"}))
	if err != nil {
		t.Fatal(err)
	}
	if c := g.Conflicts(); len(c) != 1 || c[0].Kind != lineage.Circular {
		t.Errorf("%v", c)
	}
	for _, pair := range [][2]string{{"a@1", "b@1"}, {"b@1", "a@1"}} {
		if got := tainted(t, g, pair[0], pair[1]); got != lineage.Tainted {
			t.Errorf("%v: %s", pair, got)
		}
	}
}

// tainted gives the state of one thing where another is tainted.
func tainted(t *testing.T, g *lineage.Graph, what, by string) lineage.State {
	t.Helper()
	from, err := g.FindOne(by)
	if err != nil {
		t.Fatal(err)
	}
	to, err := g.FindOne(what)
	if err != nil {
		t.Fatal(err)
	}
	return g.Assess(lineage.Opinions{Tainted: map[lineage.Node]string{from: "x"}}).Of(to)
}

func TestNoEventStopsTaint(t *testing.T) {
	honest := []string{
		event("COMPLETE", 1, 1, []string{"raw@1"}, []string{"t"}),
		event("START", 3, 2, []string{"t"}, nil), event("COMPLETE", 4, 2, nil, []string{"model@1"}),
	}
	late := strings.Replace(event("RUNNING", 1, 1, nil, nil), "2026-", "9999-", 1)
	early := strings.Replace(event("OTHER", 1, 2, nil, nil), "2026-", "0001-", 1)
	for name, more := range map[string][]string{
		"nothing": nil, "a writer that never ends": {late}, "a reader that began long ago": {early},
		"a version of what was read": {event("RUNNING", 4, 2, []string{"t@zzz"}, nil)}, "a version of what was written": {event("RUNNING", 2, 1, nil, []string{"t@9"})},
		"another writer between": {event("COMPLETE", 2, 7, nil, []string{"t"})}, "another writer of a version": {event("COMPLETE", 2, 7, nil, []string{"t@8"})},
	} {
		for _, texts := range [][]string{append(slices.Clone(honest), more...), append(slices.Clone(more), honest...)} {
			g, err := build(t, texts...)
			if err != nil {
				t.Fatal(err)
			}
			if got := tainted(t, g, "model@1", "raw@1"); got != lineage.Tainted {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	// Who writes with a version is read by who names none.
	g, err := build(t, event("COMPLETE", 1, 1, []string{"raw@1"}, []string{"t@5"}), honest[1], honest[2])
	if err != nil {
		t.Fatal(err)
	}
	if got := tainted(t, g, "model@1", "raw@1"); got != lineage.Tainted {
		t.Error(got)
	}
}

func TestOrderOfFilesDoesNotMatter(t *testing.T) {
	texts := []string{
		strings.Replace(event("COMPLETE", 10, 1, nil, []string{"t"}), `"eventType":"COMPLETE",`, "", 1), event("COMPLETE", 2, 1, []string{"raw@1"}, nil),
		event("COMPLETE", 5, 2, []string{"t"}, []string{"model@1"}), event("COMPLETE", 6, 3, nil, []string{"t@4"}), event("RUNNING", 6, 3, nil, []string{"t"}),
	}
	var first []byte
	for range 2 {
		b := lineage.NewBuilder()
		var list []Sourced
		for _, text := range texts {
			e, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, Sourced{Event: e, Source: "events"})
		}
		if err := Add(b, list); err != nil {
			t.Fatal(err)
		}
		g, err := b.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		if err := g.Encode(&buf); err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, buf.Bytes()) {
			t.Error("another graph the other way round")
		}
		first = buf.Bytes()
		slices.Reverse(texts)
	}
}

func TestContradictingVersionsAreShown(t *testing.T) {
	g, err := build(t, event("START", 1, 1, []string{"a@1"}, nil), event("COMPLETE", 2, 1, []string{"a@2"}, []string{"b@1"}))
	if err != nil {
		t.Fatal(err)
	}
	if c := g.Conflicts(); len(c) != 1 || c[0].Kind != lineage.InputsDiffer {
		t.Errorf("%v", c)
	}
}

func TestFacets(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	text := strings.Replace(event("COMPLETE", 1, 1, []string{"in@" + digest}, []string{"out"}), `{"runId":"`+zeros+`1"}`,
		`{"runId":"`+zeros+`1","facets":{"parent":{"_producer":"p","_schemaURL":"u","run":{"runId":"`+zeros+`9"},"job":{"namespace":"n","name":"dag"}}}}`, 1)
	text = strings.Replace(text, `"name":"out"`, `"name":"out","facets":{"datasetType":{"datasetType":"MODEL"},"symlinks":{"identifiers":[{"namespace":"s3","name":"bucket/out","type":"LOCATION"}]}}`, 1)
	second := strings.Replace(event("START", 3, 2, []string{"bucket/out"}, nil), `"namespace":"db"`, `"namespace":"s3"`, 1)
	g, err := build(t, text, second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.FindOne(digest); err != nil {
		t.Error(err)
	}
	parent, err := g.FindOne("run:" + zeros + "9")
	if err != nil {
		t.Fatal(err)
	}
	steps := g.NewWalker().Walk(parent, lineage.Down, -1)
	if len(steps) != 4 { // the run, what it wrote, and who read that by its other name
		t.Errorf("%d steps from the parent", len(steps))
	}
	out, err := g.FindOne("out")
	if err != nil || g.Kind(out) != lineage.Model {
		t.Error(err, g.Kind(out))
	}
}

func TestRoundTrip(t *testing.T) {
	texts := []string{
		event("START", 1, 1, []string{"raw@3", "t"}, nil), event("COMPLETE", 2, 1, nil, []string{"t", "model@1"}),
		event("COMPLETE", 4, 2, []string{"model@1", "t"}, []string{"tuned@2"}),
	}
	g, err := build(t, texts...)
	if err != nil {
		t.Fatal(err)
	}
	events, left := Events(g, time.Now())
	if len(events) != 2 || left != 0 {
		t.Fatalf("%d events, %d edges left", len(events), left)
	}
	var again []string
	for _, e := range events {
		raw, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again = append(again, string(raw))
	}
	h, err := build(t, again...)
	if err != nil {
		t.Fatal(err)
	}
	// The version of what had none is its key, from now on.
	if g.Nodes() != h.Nodes() || g.Edges() != h.Edges() {
		t.Errorf("%d nodes and %d edges became %d and %d:\n%s\n%s", g.Nodes(), g.Edges(), h.Nodes(), h.Edges(), edges(g), edges(h))
	}
	for i := range g.Nodes() {
		if n := lineage.Node(i); g.ID(n) != h.ID(n) {
			t.Errorf("%s became %s", g.ID(n), h.ID(n))
		}
	}
}

func TestMalformed(t *testing.T) {
	good := event("COMPLETE", 1, 1, []string{"a"}, nil)
	for _, change := range [][2]string{
		{`"2026-01-01T00:01:00.000Z"`, `"noon"`}, {`"2026-01-01T00:01:00.000Z"`, `3`}, {zeros + "1", "1"}, {`"COMPLETE"`, `"DONE"`},
		{`"name":"job1"`, `"name":""`}, {`"name":"a"`, `"name":""`}, {`"job":`, `"Job":`}, {`"inputs":`, `"inputs":[],"inputs":`},
		{`"name":"a"`, `"name":"` + strings.Repeat("x", 2000) + `"`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			t.Fatalf("nothing to change: %v", change)
		}
		if _, err := Parse([]byte(text)); attest.CodeOf(err) != attest.LineageMalformed {
			t.Errorf("%v: %v", change, err)
		}
	}
	if e, err := Parse([]byte(`{"eventTime":"2026-01-01T00:00:00Z","dataset":{"namespace":"a","name":"b"},"producer":"p","schemaURL":"u"}`)); err != nil || e.Run != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(event("COMPLETE", 1, 1, []string{"a", "b@1"}, []string{"a"})))
	f.Add([]byte(event("START", 1, 1, nil, nil)))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Parse(data)
		if err != nil {
			return
		}
		b := lineage.NewBuilder()
		if Add(b, []Sourced{{Event: e}}) != nil {
			return
		}
		g, err := b.Build(context.Background())
		if err != nil {
			return
		}
		events, _ := Events(g, time.Unix(0, 0))
		for _, e := range events {
			raw, err := e.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Parse(raw); err != nil {
				t.Fatalf("what is written is refused: %v\n%s", err, raw)
			}
		}
	})
}

func TestManyEventsOfOneRun(t *testing.T) {
	var events []string
	for i := range 50 {
		var in []string
		for j := range 5000 {
			in = append(in, fmt.Sprintf("t%d@%d", j, i))
		}
		events = append(events, event("RUNNING", i, 1, in, nil))
	}
	g, err := build(t, events...)
	if err != nil || g.Nodes() != 250_001 || len(g.Conflicts()) == 0 {
		t.Error(err)
	}
}
