package openlineage

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"bartizan/attest/statement"
	"bartizan/record/lineage"
)

// Sourced is an event with the file that it was read from.
type Sourced struct {
	*Event
	Source string
}

// Add makes claims of events. They are given all at once, since events of one run
// add up, and since what a run read without a version depends on who wrote before.
// An event that stands twice counts once.
func Add(b *lineage.Builder, events []Sourced) error {
	h := &history{b: b, runs: map[string]*run{}, written: map[name][]write{}}
	seen := map[[32]byte]bool{}
	for _, e := range events {
		if sum := sha256.Sum256(e.raw); e.Run != nil && !seen[sum] {
			seen[sum] = true
			h.add(e, sum)
		}
	}
	list := h.ordered()
	for _, r := range list {
		r.settle()
		h.write(r)
	}
	for _, writes := range h.written {
		slices.SortFunc(writes, func(x, y write) int {
			return cmp.Or(x.at.Compare(y.at), strings.Compare(x.run, y.run))
		})
	}
	for _, r := range list {
		if err := h.claim(r); err != nil {
			return err
		}
	}
	return nil
}

// history is all events, by run.
type history struct {
	b       *lineage.Builder
	runs    map[string]*run
	written map[name][]write // versions without a name, by time
}

type name struct{ namespace, name string }

type write struct {
	at  time.Time
	run string
}

// run is what the events of one run add up to.
type run struct {
	id         string
	first      Sourced
	sum        [32]byte
	start, end time.Time
	state      string
	parent     string
	inputs     []Dataset
	outputs    []Dataset
	clash      []string // inputs that two events give two versions
	ref        lineage.Ref
}

// begun and ended bound a run by its own events: START, and the last one.
func (h *history) add(e Sourced, sum [32]byte) {
	r, ok := h.runs[e.Run.RunID]
	if !ok {
		r = &run{id: e.Run.RunID, first: e, sum: sum, start: e.time, end: e.time}
		h.runs[r.id] = r
	}
	if e.time.Before(r.start) || e.time.Equal(r.start) && string(sum[:]) < string(r.sum[:]) {
		r.first, r.sum, r.start = e, sum, e.time
	}
	if !e.time.Before(r.end) && e.EventType != "" {
		r.end, r.state = e.time, e.EventType
	}
	if p := e.Run.Facets.Parent; p != nil && p.Run.RunID != r.id {
		r.parent = p.Run.RunID
	}
	r.compare(e.Inputs)
	r.inputs, r.outputs = append(r.inputs, e.Inputs...), append(r.outputs, e.Outputs...)
}

// compare finds inputs of which this event and those before name different versions.
func (r *run) compare(in []Dataset) {
	for i := range in {
		v := in[i].version()
		if v == "" {
			continue
		}
		same, other := false, ""
		for j := range r.inputs {
			if d := &r.inputs[j]; d.key() == in[i].key() && d.version() != "" {
				if d.version() == v {
					same = true
				} else {
					other = d.version()
				}
			}
		}
		if !same && other != "" && len(r.clash) < maxLinks {
			r.clash = append(r.clash, fmt.Sprintf("events of run %s give the input %q version %q and version %q", r.id, in[i].Name, clip(other), clip(v)))
		}
	}
}

func (d *Dataset) key() name { return name{d.Namespace, d.Name} }

func (d *Dataset) version() string {
	if d.Facets.Version == nil {
		return ""
	}
	return d.Facets.Version.DatasetVersion
}

func (h *history) ordered() []*run {
	list := make([]*run, 0, len(h.runs))
	for _, r := range h.runs {
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y *run) int { return cmp.Or(x.start.Compare(y.start), strings.Compare(x.id, y.id)) })
	return list
}

// settle keeps each dataset once, and without version only where no event gives one.
func (r *run) settle() {
	r.inputs, r.outputs = settle(r.inputs), settle(r.outputs)
}

func settle(list []Dataset) []Dataset {
	versioned := map[name]bool{}
	for i := range list {
		if list[i].version() != "" {
			versioned[list[i].key()] = true
		}
	}
	type full struct {
		name
		version string
	}
	seen := map[full]bool{}
	var out []Dataset
	for i := range list {
		d := &list[i]
		f := full{d.key(), d.version()}
		if seen[f] || f.version == "" && versioned[f.name] {
			continue
		}
		seen[f] = true
		out = append(out, *d)
	}
	return out
}

func (h *history) write(r *run) {
	for i := range r.outputs {
		if d := &r.outputs[i]; d.version() == "" {
			h.written[d.key()] = append(h.written[d.key()], write{at: r.end, run: r.id})
		}
	}
}

// before finds who wrote last before a time, or "".
func (h *history) before(n name, at time.Time) string {
	list := h.written[n]
	i, _ := slices.BinarySearchFunc(list, at, func(w write, at time.Time) int {
		if w.at.Before(at) {
			return -1
		}
		return 1
	})
	if i == 0 {
		return ""
	}
	return list[i-1].run
}

// claim makes the claims of one run.
func (h *history) claim(r *run) error {
	ev := h.b.Evidence(lineage.Evidence{
		Statement: "sha256:" + hex.EncodeToString(r.sum[:]), Type: SchemaURL, Source: r.first.Source,
		Signer: r.first.Producer, Assurance: lineage.Declared, Problem: "OpenLineage events are not signed",
	})
	var err error
	if r.ref, err = h.b.Thing(ev, r.thing()); err != nil {
		return err
	}
	var used []lineage.Ref
	for i := range r.inputs {
		ref, err := h.dataset(ev, &r.inputs[i], h.before(r.inputs[i].key(), r.start), false)
		if err != nil {
			return err
		}
		used = append(used, ref)
	}
	if err := h.b.Inputs(ev, r.ref, used); err != nil {
		return err
	}
	for i := range r.outputs {
		ref, err := h.dataset(ev, &r.outputs[i], r.id, true)
		if err != nil {
			return err
		}
		if err := h.b.Edge(ev, r.ref, ref, lineage.Produced); err != nil {
			return err
		}
	}
	for _, c := range r.clash {
		h.b.Note(lineage.InputsDiffer, c, r.ref)
	}
	return h.started(ev, r)
}

func (h *history) started(ev uint32, r *run) error {
	if r.parent == "" {
		return nil
	}
	parent, err := h.b.Thing(ev, lineage.Thing{Keys: []string{lineage.NameKey("run", r.parent)}, Kind: lineage.Run, Sure: lineage.Definite})
	if err != nil {
		return err
	}
	return h.b.Edge(ev, parent, r.ref, lineage.Started)
}

func (r *run) thing() lineage.Thing {
	job := r.first.Job
	t := lineage.Thing{
		Kind: lineage.Run, Sure: lineage.Definite, Described: true, Name: job.Name, Version: r.end.Format(time.RFC3339Nano),
		Keys: []string{lineage.NameKey("run", r.id), lineage.NameKey("run", r.id, job.Namespace, job.Name)},
	}
	if k := r.first.Run.Facets.Key; k != nil && strings.HasPrefix(k.Key, "run:") {
		t.Keys = []string{k.Key, lineage.NameKey("run", r.id, job.Namespace, job.Name)}
	}
	return t
}

// dataset names a dataset: by the digests that its facets give, and by namespace,
// name and version, or the run that wrote it.
func (h *history) dataset(ev uint32, d *Dataset, writer string, described bool) (lineage.Ref, error) {
	t := lineage.Thing{Kind: lineage.Dataset, Sure: lineage.Role, Name: d.Name, Version: d.version(), Described: described}
	if f := d.Facets.Type; f != nil && f.DatasetType == "MODEL" {
		t.Kind = lineage.Model
	}
	if f := d.Facets.Thing; f != nil {
		if k, ok := lineage.ParseKind(f.Kind); ok {
			t.Kind = k
		}
		t.Keys = digests(f.Keys)
	}
	if _, err := statement.ParseDigest(d.version()); err == nil && !slices.Contains(t.Keys, d.version()) {
		t.Keys = append(t.Keys, d.version())
	}
	t.Keys = append(t.Keys, d.nameKey(d.Namespace, d.Name, writer))
	if s := d.Facets.Symlinks; s != nil {
		for _, id := range s.Identifiers {
			t.Keys = append(t.Keys, d.nameKey(id.Namespace, id.Name, writer))
		}
	}
	return h.b.Thing(ev, t)
}

func (d *Dataset) nameKey(namespace, of, writer string) string {
	switch v := d.version(); {
	case v != "":
		return lineage.NameKey("dataset", namespace, of, v)
	case writer != "":
		return lineage.NameKey("dataset", namespace, of, "run", writer)
	}
	return lineage.NameKey("dataset", namespace, of)
}

// digests keeps the keys that are digests, or of things that have none.
func digests(keys []string) []string {
	var out []string
	for _, k := range keys {
		if _, err := statement.ParseDigest(k); err == nil || strings.HasPrefix(k, "uri:") || strings.HasPrefix(k, "dataset:") {
			out = append(out, k)
		}
	}
	return out
}
