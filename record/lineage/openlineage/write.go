package openlineage

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"bartizan/record/lineage"
)

// Namespace is that of things that no OpenLineage event named.
const Namespace = "bartizan"

// Events gives a COMPLETE event for each run of a graph, in an order in which
// every dataset is written before it is read. now stands for the end of runs whose
// end is not known. left counts the edges that have no place in OpenLineage:
// deployments, answers, evaluations, approvals, decisions, files of trees, and
// versions that were derived without a run.
func Events(g *lineage.Graph, now time.Time) (events []*Event, left int) {
	w := writer{g: g, now: now, keys: make([][]string, g.Nodes())}
	g.Keys(func(n lineage.Node, key string) { w.keys[n] = append(w.keys[n], key) })
	told := 0
	for i := range g.Nodes() {
		if n := lineage.Node(i); g.Kind(n) == lineage.Run {
			e, edges := w.event(n)
			events = append(events, e)
			told += edges
		}
	}
	return events, g.Edges() - told
}

type writer struct {
	g    *lineage.Graph
	now  time.Time
	keys [][]string
}

func (w *writer) event(n lineage.Node) (e *Event, told int) {
	name, ended := w.g.Name(n)
	if ended == "" {
		ended = w.now.UTC().Format(time.RFC3339Nano)
	}
	e = &Event{
		EventType: "COMPLETE", EventTime: ended, Run: &Run{RunID: w.runID(n)}, Job: w.job(n, name),
		Inputs: []Dataset{}, Outputs: []Dataset{}, Producer: Producer, SchemaURL: SchemaURL,
	}
	if _, err := parseTime(e.EventTime); err != nil {
		e.EventTime = w.now.UTC().Format(time.RFC3339Nano)
	}
	if key := w.g.ID(n); key != lineage.NameKey("run", e.Run.RunID) {
		e.Run.Facets.Key = &KeyFacet{facet: facet{Producer, runFacetURL}, Key: key}
	}
	w.g.Up(n, func(edge lineage.Edge) {
		switch l := w.g.Link(edge); l.Relation {
		case lineage.Used, lineage.UsedPart:
			e.Inputs = append(e.Inputs, w.dataset(l.From))
			told++
		case lineage.Started:
			p := &ParentFacet{facet: facet{Producer, parentFacetURL}}
			parentName, _ := w.g.Name(l.From)
			p.Run.RunID, p.Job = w.runID(l.From), *w.job(l.From, parentName)
			e.Run.Facets.Parent = p
			told++
		}
	})
	first, last := w.g.Down(n)
	for edge := first; edge < last; edge++ {
		if l := w.g.Link(edge); l.Relation == lineage.Produced {
			e.Outputs = append(e.Outputs, w.dataset(l.To))
			told++
		}
	}
	return e, told
}

// runID is the run's UUID where it has one, else one of version 8 (RFC 9562) that
// is made of its key.
func (w *writer) runID(n lineage.Node) string {
	for _, key := range w.keys[n] {
		if parts := lineage.NameParts("run", key); len(parts) == 1 && uuid.MatchString(parts[0]) {
			return strings.ToLower(parts[0])
		}
	}
	sum := sha256.Sum256([]byte(w.g.ID(n)))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (w *writer) job(n lineage.Node, name string) *Job {
	for _, key := range w.keys[n] {
		if parts := lineage.NameParts("run", key); len(parts) == 3 {
			return &Job{Namespace: parts[1], Name: parts[2]}
		}
	}
	if name == "" {
		name = "run"
	}
	return &Job{Namespace: Namespace, Name: name}
}

func (w *writer) dataset(n lineage.Node) Dataset {
	name, version := w.g.Name(n)
	if name == "" {
		name = w.g.ID(n)
	}
	d := Dataset{Namespace: Namespace, Name: name}
	if d.name(w.keys[n], &version); version == "" && strings.HasPrefix(w.g.ID(n), "sha") {
		version = w.g.ID(n)
	}
	if version != "" {
		d.Facets.Version = &VersionFacet{facet: facet{Producer, versionFacetURL}, DatasetVersion: version}
	}
	d.Facets.Thing = &ThingFacet{facet: facet{Producer, thingFacetURL}, Kind: w.g.Kind(n).String(), Keys: w.keys[n]}
	if w.g.Kind(n) == lineage.Model {
		d.Facets.Type = &TypeFacet{facet: facet{Producer, typeFacetURL}, DatasetType: "MODEL"}
	}
	return d
}

// name takes the names that OpenLineage events gave it: the first, and the others
// as symlinks.
func (d *Dataset) name(keys []string, version *string) {
	named := false
	for _, key := range keys {
		parts := lineage.NameParts("dataset", key)
		if len(parts) < 2 {
			continue
		}
		if !named {
			d.Namespace, d.Name, named = parts[0], parts[1], true
			if len(parts) == 3 {
				*version = parts[2]
			}
			continue
		}
		id := Identifier{Namespace: parts[0], Name: parts[1], Type: "TABLE"}
		if d.Facets.Symlinks == nil {
			d.Facets.Symlinks = &SymlinksFacet{facet: facet{Producer, symlinkFacetURL}}
		}
		if id.Namespace+"\x00"+id.Name != d.Namespace+"\x00"+d.Name && !slices.Contains(d.Facets.Symlinks.Identifiers, id) {
			d.Facets.Symlinks.Identifiers = append(d.Facets.Symlinks.Identifiers, id)
		}
	}
}
