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
	versions   map[name]versions
	clash      []string // inputs that two events give two versions
	ref        lineage.Ref
}

// add takes in an event: a run lasts from its first event to its last.
func (h *history) add(e Sourced, sum [32]byte) {
	r, ok := h.runs[e.Run.RunID]
	if !ok {
		r = &run{id: e.Run.RunID, first: e, sum: sum, start: e.time, end: e.time, versions: map[name]versions{}}
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

// versions are those that the events before gave one input.
type versions struct {
	first string
	all   map[string]bool
}

// compare finds inputs of which this event and those before name different versions.
func (r *run) compare(in []Dataset) {
	for i := range in {
		v := in[i].version()
		before, ok := r.versions[in[i].key()]
		if v == "" || !ok || before.all[v] || len(r.clash) >= maxLinks {
			continue
		}
		r.clash = append(r.clash, fmt.Sprintf("events of run %s give the input %q version %q and version %q", r.id, in[i].Name, clip(before.first), clip(v)))
	}
	for i := range in {
		v := in[i].version()
		if v == "" {
			continue
		}
		known, ok := r.versions[in[i].key()]
		if !ok {
			known = versions{first: v, all: map[string]bool{}}
			r.versions[in[i].key()] = known
		}
		known.all[v] = true
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
			for _, n := range d.names() {
				h.written[n] = append(h.written[n], write{at: r.end, run: r.id})
			}
		}
	}
}

// names gives the dataset's name and its symlinks.
func (d *Dataset) names() []name {
	out := []name{d.key()}
	if s := d.Facets.Symlinks; s != nil {
		for _, id := range s.Identifiers {
			if n := (name{id.Namespace, id.Name}); !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// before finds who wrote a dataset last before a time, by any of its names, or "".
func (h *history) before(d *Dataset, at time.Time) string {
	var last write
	for _, n := range d.names() {
		if w := h.lastOf(n, at); w.run != "" && (last.run == "" || last.at.Before(w.at)) {
			last = w
		}
	}
	return last.run
}

func (h *history) lastOf(n name, at time.Time) write {
	list := h.written[n]
	i, _ := slices.BinarySearchFunc(list, at, func(w write, at time.Time) int {
		if w.at.Before(at) {
			return -1
		}
		return 1
	})
	if i == 0 {
		return write{}
	}
	return list[i-1]
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
		ref, err := h.dataset(ev, &r.inputs[i], h.before(&r.inputs[i], r.start), false)
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
	own := d.Facets.Thing != nil && len(t.Keys) > 0 // written here: the keys say all
	if !own {
		for _, n := range d.names() {
			t.Keys = append(t.Keys, d.nameKey(n.namespace, n.name, writer))
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

// nameKinds are what keys of things without a digest begin with.
var nameKinds = []string{"uri", "dataset", "manifest"}

// digests keeps the keys that are digests, or of things that have none.
func digests(keys []string) []string {
	var out []string
	for _, k := range keys {
		prefix, _, _ := strings.Cut(k, ":")
		if _, err := statement.ParseDigest(k); err == nil || slices.Contains(nameKinds, prefix) {
			out = append(out, k)
		}
	}
	return out
}
