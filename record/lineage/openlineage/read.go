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
// add up, in whatever order they are given, and since what a run read without a
// version depends on who wrote before. An event that stands twice counts once.
func Add(b *lineage.Builder, events []Sourced) error {
	h := &history{b: b, runs: map[string]*run{}, written: map[name][]write{}, loose: map[name]bool{}, based: map[name]bool{}}
	seen := map[[32]byte]bool{}
	for _, e := range events {
		if sum := sha256.Sum256(e.raw); e.Run != nil && !seen[sum] {
			seen[sum] = true
			h.add(e, sum)
		}
	}
	list := h.ordered()
	for _, r := range list {
		h.write(r)
	}
	for _, writes := range h.written {
		slices.SortFunc(writes, before)
	}
	for _, r := range list {
		h.read(r)
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
	written map[name][]write // by time
	loose   map[name]bool    // some run read it without a version
	based   map[name]bool    // and before anybody wrote it
}

type name struct{ namespace, name string }

// write is a run that wrote a dataset, and when it began.
type write struct {
	at  time.Time
	run string
}

func before(x, y write) int { return cmp.Or(x.at.Compare(y.at), strings.Compare(x.run, y.run)) }

// run is what the events of one run add up to. Events add, and take nothing away.
type run struct {
	id         string
	events     []told
	start, end time.Time
	inputs     []Dataset
	outputs    []Dataset
	versions   map[name]versions
	clash      []string      // what its events contradict each other in
	took       map[took]bool // what it read without a version
	plain      map[name]int  // what it wrote without a version
	ref        lineage.Ref
}

// took is a name with the run that wrote it.
type took struct {
	name
	writer string
}

// told is an event of a run with the digest of its text.
type told struct {
	Sourced
	sum [32]byte
}

func (h *history) add(e Sourced, sum [32]byte) {
	r, ok := h.runs[e.Run.RunID]
	if !ok {
		r = &run{id: e.Run.RunID, versions: map[name]versions{}, took: map[took]bool{}, plain: map[name]int{}}
		h.runs[r.id] = r
	}
	r.events = append(r.events, told{e, sum})
}

// addUp takes in the events by their times, so that the order of files does not
// matter: a run lasts from its first event to its last, whatever their types are.
func (r *run) addUp() {
	slices.SortFunc(r.events, func(x, y told) int {
		return cmp.Or(x.time.Compare(y.time), strings.Compare(string(x.sum[:]), string(y.sum[:])))
	})
	r.start, r.end = r.events[0].time, r.events[len(r.events)-1].time
	for _, e := range r.events {
		r.compare(e.Inputs)
		r.inputs, r.outputs = append(r.inputs, e.Inputs...), append(r.outputs, e.Outputs...)
		if job := r.events[0].Job; *e.Job != *job && len(r.clash) < maxLinks {
			r.clash = append(r.clash, fmt.Sprintf("events of run %s are of the job %q and of the job %q", r.id, clip(job.Name), clip(e.Job.Name)))
		}
	}
	r.inputs, r.outputs = distinct(r.inputs), distinct(r.outputs)
	if parents := r.parents(); len(parents) > 1 {
		r.clash = append(r.clash, fmt.Sprintf("events of run %s name %d runs that started it", r.id, len(parents)))
	}
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
		r.addUp()
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y *run) int { return cmp.Or(x.start.Compare(y.start), strings.Compare(x.id, y.id)) })
	return list
}

// distinct keeps each dataset once. One with a version takes nothing from one
// without: else whoever adds an event could cut a run off from what it read.
func distinct(list []Dataset) []Dataset {
	seen := map[string]bool{}
	var out []Dataset
	for i := range list {
		d := &list[i]
		parts := []string{d.Namespace, d.Name, d.version()}
		for _, n := range d.names()[1:] {
			parts = append(parts, "link", n.namespace, n.name)
		}
		if t := d.Facets.Thing; t != nil {
			parts = append(append(parts, "thing", t.Kind), t.Keys...)
		}
		key := fmt.Sprintf("%q", parts)
		if !seen[key] {
			seen[key] = true
			out = append(out, *d)
		}
	}
	return out
}

// fixed says that the dataset stands for one content: it has a version, or keys.
func (d *Dataset) fixed() bool {
	return d.version() != "" || d.Facets.Thing != nil && len(digests(d.Facets.Thing.Keys)) > 0
}

// write keeps who wrote what, with a version or without.
func (h *history) write(r *run) {
	once := map[name]bool{}
	for i := range r.outputs {
		for _, n := range r.outputs[i].names() {
			if !r.outputs[i].fixed() {
				r.plain[n] = i
			}
			if !once[n] {
				once[n] = true
				h.written[n] = append(h.written[n], write{at: r.start, run: r.id})
			}
		}
	}
}

// read keeps what was read without a version.
func (h *history) read(r *run) {
	for i := range r.inputs {
		d := &r.inputs[i]
		if d.fixed() {
			continue
		}
		for _, n := range d.names() {
			h.loose[n] = true
		}
		if len(h.writers(d, r)) == 0 {
			for _, n := range d.names() {
				h.based[n] = true
			}
		}
	}
}

// writers are the last runs that may have written what a run read without a version,
// one for each of the dataset's names: those that began before it ended. What was
// written before comes with it, since each write is derived from the one before:
// whether it replaced what was there, or added to it, nobody says.
func (h *history) writers(d *Dataset, r *run) []string {
	var out []string
	for _, n := range d.names() {
		list := h.written[n]
		i, _ := slices.BinarySearchFunc(list, r.end, func(w write, at time.Time) int {
			if w.at.After(at) {
				return 1
			}
			return -1
		})
		for i--; i >= 0 && list[i].run == r.id; {
			i--
		}
		if i >= 0 && !slices.Contains(out, list[i].run) {
			out = append(out, list[i].run)
		}
	}
	return out
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

// claim makes the claims of one run.
func (h *history) claim(r *run) error {
	first := r.events[0]
	ev := h.b.Evidence(lineage.Evidence{
		Statement: "sha256:" + hex.EncodeToString(first.sum[:]), Type: SchemaURL, Source: first.Source,
		Signer: first.Producer, Assurance: lineage.Declared, Problem: "OpenLineage events are not signed",
	})
	var err error
	if r.ref, err = h.b.Thing(ev, r.thing()); err != nil {
		return err
	}
	var used []lineage.Ref
	for i := range r.inputs {
		refs, err := h.input(ev, r, &r.inputs[i])
		if err != nil {
			return err
		}
		used = append(used, refs...)
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
		if err := h.chain(ev, r, &r.outputs[i], ref); err != nil {
			return err
		}
	}
	for _, c := range r.clash {
		h.b.Note(lineage.InputsDiffer, c, r.ref)
	}
	return h.started(ev, r)
}

// input names what a run read: all that it may have been.
func (h *history) input(ev uint32, r *run, d *Dataset) ([]lineage.Ref, error) {
	writers := []string{""}
	if !d.fixed() {
		if found := h.writers(d, r); len(found) > 0 {
			writers = found
		}
	}
	refs := make([]lineage.Ref, 0, len(writers))
	for _, w := range writers {
		ref, err := h.dataset(ev, d, w, false)
		if err != nil {
			return nil, err
		}
		if !d.fixed() {
			h.take(r, d, w)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// take keeps what a run read without a version, by all names that its writer gave it.
func (h *history) take(r *run, d *Dataset, writer string) {
	for _, n := range d.names() {
		r.took[took{n, writer}] = true
		w := h.runs[writer]
		if w == nil {
			continue
		}
		if i, ok := w.plain[n]; ok {
			for _, alias := range w.outputs[i].names() {
				r.took[took{alias, writer}] = true
			}
		}
	}
}

// chain derives what a run wrote from what was written under the same name before,
// where somebody reads it without saying which version.
func (h *history) chain(ev uint32, r *run, d *Dataset, ref lineage.Ref) error {
	for _, n := range d.names() {
		if !h.loose[n] {
			continue
		}
		self, err := h.link(ev, n, r.id)
		if err != nil {
			return err
		}
		if err := h.b.Edge(ev, ref, self, lineage.Derived); err != nil { // one thing without a version
			return err
		}
		list := h.written[n]
		i, _ := slices.BinarySearchFunc(list, write{at: r.start, run: r.id}, before)
		last := ""
		if i > 0 {
			last = list[i-1].run
		} else if !h.based[n] {
			continue
		}
		if r.took[took{n, last}] {
			continue // by way of the run itself
		}
		earlier, err := h.link(ev, n, last)
		if err != nil {
			return err
		}
		if err := h.b.Edge(ev, earlier, self, lineage.Derived); err != nil {
			return err
		}
	}
	return nil
}

// link names what a run wrote by a name, or what was there before anybody wrote.
func (h *history) link(ev uint32, n name, writer string) (lineage.Ref, error) {
	return h.b.Thing(ev, lineage.Thing{Kind: lineage.Dataset, Sure: lineage.Guess, Keys: []string{(&Dataset{}).nameKey(n.namespace, n.name, writer)}})
}

// parents are the runs that are said to have started this one.
func (r *run) parents() []string {
	var out []string
	for _, e := range r.events {
		if p := e.Run.Facets.Parent; p != nil && p.Run.RunID != r.id {
			out = append(out, p.Run.RunID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (h *history) started(ev uint32, r *run) error {
	for _, id := range r.parents() {
		keys := []string{lineage.NameKey("run", id)}
		if p := h.runs[id]; p != nil {
			keys = p.keys()
		}
		parent, err := h.b.Thing(ev, lineage.Thing{Keys: keys, Kind: lineage.Run, Sure: lineage.Definite})
		if err != nil {
			return err
		}
		if err := h.b.Edge(ev, parent, r.ref, lineage.Started); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) thing() lineage.Thing {
	return lineage.Thing{
		Kind: lineage.Run, Sure: lineage.Definite, Described: true,
		Name: r.events[0].Job.Name, Version: r.end.Format(time.RFC3339Nano), Keys: r.keys(),
	}
}

// keys are those of the run's id, and those that events written here keep.
func (r *run) keys() []string {
	var kept, out []string
	plain := false
	for _, e := range r.events {
		if k := e.Run.Facets.Key; k != nil && strings.HasPrefix(k.Key, "run:") {
			kept = append(kept, k.Key)
		} else {
			plain = true
		}
		out = append(out, lineage.NameKey("run", r.id, e.Job.Namespace, e.Job.Name))
	}
	if plain {
		kept = append(kept, lineage.NameKey("run", r.id))
	}
	slices.Sort(kept)
	slices.Sort(out)
	return append(slices.Compact(kept), slices.Compact(out)...)
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
