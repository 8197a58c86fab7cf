// Package openlineage reads and writes OpenLineage run events
// (https://openlineage.io/spec/2-0-2/OpenLineage.json): what a job's run read and
// wrote, as schedulers and engines report it.
//
// Events carry no signature. Everything that they say is declared: it is shown
// and walked, spreads taint, and never makes a thing clean.
//
// A dataset is known by namespace, name and version, where an event has the
// version facet. Without one, what a run wrote is a version of its own, derived from
// the one written before (whether it replaced that nobody says), and what a run read
// is the last one that another run began to write before it ended, by the events' own
// times: without that, a job that reads and writes one table would make the table of
// itself. Events add to what others of a run say, and take nothing away.
package openlineage

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/strictjson"
)

// The URLs of the specification that is written, and of its facets.
const (
	SchemaURL       = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
	versionFacetURL = "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
	typeFacetURL    = "https://openlineage.io/spec/facets/1-0-1/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet"
	parentFacetURL  = "https://openlineage.io/spec/facets/1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet"
	symlinkFacetURL = "https://openlineage.io/spec/facets/1-0-1/SymlinksDatasetFacet.json#/$defs/SymlinksDatasetFacet"
	// Own facets carry the vendor's name, as the specification wants it.
	thingFacetURL = "https://bartizan.invalid/openlineage/ThingDatasetFacet.json"
	runFacetURL   = "https://bartizan.invalid/openlineage/KeyRunFacet.json"
	// Producer is what events written here name as theirs.
	Producer = "https://bartizan.invalid/bartizan"
)

// Event is a run event, or one of the static ones, which have no run.
type Event struct {
	EventType string    `json:"eventType,omitzero"`
	EventTime string    `json:"eventTime"`
	Run       *Run      `json:"run,omitzero"`
	Job       *Job      `json:"job,omitzero"`
	Inputs    []Dataset `json:"inputs"`
	Outputs   []Dataset `json:"outputs"`
	Producer  string    `json:"producer"`
	SchemaURL string    `json:"schemaURL"`

	raw  []byte
	time time.Time
}

// Run is one execution of a job.
type Run struct {
	RunID  string    `json:"runId"`
	Facets RunFacets `json:"facets"`
}

// RunFacets are those that are understood.
type RunFacets struct {
	Parent *ParentFacet `json:"parent,omitzero"`
	Key    *KeyFacet    `json:"bartizan_run,omitzero"`
}

// ParentFacet names the run that started this one.
type ParentFacet struct {
	facet
	Run struct {
		RunID string `json:"runId"`
	} `json:"run"`
	Job Job `json:"job"`
}

// KeyFacet keeps the key of a run that has no UUID of its own.
type KeyFacet struct {
	facet
	Key string `json:"key"`
}

// Job is what is run.
type Job struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// Dataset is what a run read or wrote. Models are datasets of type MODEL.
type Dataset struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Facets    DatasetFacets `json:"facets"`
}

// DatasetFacets are those that are understood.
type DatasetFacets struct {
	Version  *VersionFacet  `json:"version,omitzero"`
	Symlinks *SymlinksFacet `json:"symlinks,omitzero"`
	Type     *TypeFacet     `json:"datasetType,omitzero"`
	Thing    *ThingFacet    `json:"bartizan_thing,omitzero"`
}

type facet struct {
	Producer  string `json:"_producer"`
	SchemaURL string `json:"_schemaURL"`
}

// VersionFacet is the DatasetVersionDatasetFacet.
type VersionFacet struct {
	facet
	DatasetVersion string `json:"datasetVersion"`
}

// TypeFacet is the DatasetTypeDatasetFacet.
type TypeFacet struct {
	facet
	DatasetType string `json:"datasetType"`
}

// SymlinksFacet gives other names of the same dataset.
type SymlinksFacet struct {
	facet
	Identifiers []Identifier `json:"identifiers"`
}

// Identifier is one of them.
type Identifier struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Type      string `json:"type"`
}

// ThingFacet keeps what a node is and its digests.
type ThingFacet struct {
	facet
	Kind string   `json:"kind"`
	Keys []string `json:"keys"`
}

// Limits of an event.
const (
	MaxEvent    = 16 << 20
	maxDatasets = 100_000
	maxText     = 1500
)

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// types are those of the specification; an event without one is taken as well.
const types = " START RUNNING COMPLETE ABORT FAIL OTHER "

// Parse reads one event. Members and facets that are not known are ignored. What
// is no event within the limits is refused with LINEAGE_MALFORMED.
func Parse(data []byte) (*Event, error) {
	if len(data) > MaxEvent {
		return nil, malformed("an event of more than %d bytes", MaxEvent)
	}
	e := &Event{}
	if err := strictjson.Unmarshal(data, e); err != nil {
		return nil, malformed("%v", err)
	}
	if strictjson.Kind(data) != '{' {
		return nil, malformed("no JSON object")
	}
	e.raw = data
	return e, e.check()
}

func malformed(format string, args ...any) error {
	return attest.Refuse(attest.LineageMalformed, "OpenLineage event", format, args...)
}

func (e *Event) check() error {
	var err error
	if e.time, err = parseTime(e.EventTime); err != nil {
		return malformed("eventTime %q is no RFC 3339 time", clip(e.EventTime))
	}
	if e.Run == nil {
		return nil // a static event
	}
	switch {
	case !uuid.MatchString(e.Run.RunID):
		return malformed("run.runId is no UUID")
	case e.Job == nil || e.Job.Name == "" || e.Job.Namespace == "":
		return malformed("job.namespace and job.name are required")
	case e.EventType != "" && !strings.Contains(types, " "+e.EventType+" "):
		return malformed("eventType %q is none of%s", clip(e.EventType), types)
	case len(e.Inputs) > maxDatasets || len(e.Outputs) > maxDatasets:
		return malformed("more than %d datasets", maxDatasets)
	case len(e.Job.Name) > maxText || len(e.Job.Namespace) > maxText:
		return malformed("job: a name of more than %d bytes", maxText)
	}
	e.Run.RunID = strings.ToLower(e.Run.RunID)
	if p := e.Run.Facets.Parent; p != nil {
		if !uuid.MatchString(p.Run.RunID) {
			return malformed("run.facets.parent.run.runId is no UUID")
		}
		p.Run.RunID = strings.ToLower(p.Run.RunID)
	}
	for _, list := range [][]Dataset{e.Inputs, e.Outputs} {
		for i := range list {
			if err := list[i].check(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Dataset) check() error {
	if d.Name == "" || len(d.Name) > maxText || d.Namespace == "" || len(d.Namespace) > maxText {
		return malformed("a dataset whose namespace or name is empty or has more than %d bytes", maxText)
	}
	if v := d.Facets.Version; v != nil && len(v.DatasetVersion) > maxText {
		return malformed("dataset %q: a version of more than %d bytes", clip(d.Name), maxText)
	}
	if s := d.Facets.Symlinks; s != nil && len(s.Identifiers) > maxLinks {
		return malformed("dataset %q: more than %d symlinks", clip(d.Name), maxLinks)
	}
	if t := d.Facets.Thing; t != nil && len(t.Keys) > maxLinks {
		return malformed("dataset %q: more than %d keys", clip(d.Name), maxLinks)
	}
	return nil
}

const maxLinks = 100

// parseTime reads ISO 8601 as clients write it: RFC 3339, or without a zone,
// which is taken for UTC.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05.999999999", s)
	}
	return t.UTC(), err
}

// Marshal writes the event as one line of JSON.
func (e *Event) Marshal() ([]byte, error) {
	out, err := json.Marshal(e, jsontext.EscapeForHTML(false))
	if err != nil {
		return nil, fmt.Errorf("OpenLineage event: %w", err)
	}
	return out, nil
}

func clip(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return strings.ToValidUTF8(s, "")
}
