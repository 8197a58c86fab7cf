// Package claims reads what stands in folders and files into a lineage builder:
// in-toto statements, in sigstore bundles, in DSSE envelopes or bare, and
// OpenLineage run events.
//
// What counts as evidence is decided here. A statement is verified where its
// signature is that of a key or certificate that was given; a batch of inference
// records also where a replica's key signed it, whose certificate an operator's
// key has signed. Everything else is unverified, and OpenLineage events are
// declared, since they carry no signature at all. A bundle that cannot be read
// refuses the whole import: what it would have said is not known.
//
// The statements that are understood:
//
//	SLSA Provenance v1        dependencies -> run -> subjects
//	OMS v1.0 and Digests/v0.1 the tree, with its files
//	dataset manifest          the dataset, with its parent
//	a manifest document       the files of its root, which the root itself proves
//	test result               subject -> evaluation; FAILED marks the subject
//	SLSA VSA v1               subject -> decision; PASSED vouches, FAILED marks
//	approval                  subject -> approval
//	inference batch           model -> deployment -> batch
//
// Any signer that is given is believed in all of these: which key may say what
// is policy, and not decided here. A rejected approval is shown, and taints
// nothing. Other statements are counted, and say nothing about lineage.
package claims

import (
	"context"
	"errors"

	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/record/lineage"
	"bartizan/record/lineage/openlineage"
)

// Options says whose signatures count.
type Options struct {
	// Keys verify bundles and envelopes that were signed by a key.
	Keys []*keys.Public
	// Trust verifies bundles of other methods: certificates, identities.
	Trust []oms.Trust
	// Workers verify signatures at a time; 0 is one a processor.
	Workers int
}

// Summary counts what was read.
type Summary struct {
	Files      int `json:"files"`
	Statements int `json:"statements"`
	Verified   int `json:"verified"`
	Unverified int `json:"unverified"`
	Events     int `json:"events"`
	Manifests  int `json:"manifests"`
	// Skipped are documents that say nothing about lineage, by what they are.
	Skipped map[string]int `json:"skipped,omitempty"`
}

func (s *Summary) took() int { return s.Statements + s.Events + s.Manifests }

// Reader reads documents into a builder.
type Reader struct {
	opt     Options
	builder *lineage.Builder
	sum     Summary
	events  []openlineage.Sourced
	batches []*document // wait for their certificates
	certs   certificates
}

// NewReader makes a reader.
func NewReader(opt Options) *Reader {
	return &Reader{opt: opt, builder: lineage.NewBuilder(), sum: Summary{Skipped: map[string]int{}}, certs: certificates{}}
}

// Read is NewReader, Paths and Graph in one.
func Read(ctx context.Context, opt Options, paths ...string) (*lineage.Graph, Summary, error) {
	r := NewReader(opt)
	if err := r.Paths(ctx, paths...); err != nil {
		return nil, r.sum, err
	}
	return r.Graph(ctx)
}

// Document reads one JSON document. source names it in evidence and errors.
func (r *Reader) Document(ctx context.Context, source string, data []byte) error {
	docs, err := r.parse(ctx, source, data)
	if err != nil {
		return err
	}
	return r.take(docs)
}

// Graph builds what was read.
func (r *Reader) Graph(ctx context.Context) (*lineage.Graph, Summary, error) {
	if err := r.takeBatches(); err != nil {
		return nil, r.sum, err
	}
	if err := openlineage.Add(r.builder, r.events); err != nil {
		return nil, r.sum, err
	}
	g, err := r.builder.Build(ctx)
	return g, r.sum, err
}

// take makes claims of documents, in their order.
func (r *Reader) take(docs []*document) error {
	var all []error
	for _, d := range docs {
		switch {
		case d.skipped != "":
			r.sum.Skipped[d.skipped]++
		case d.event != nil:
			r.sum.Events++
			r.events = append(r.events, openlineage.Sourced{Event: d.event, Source: d.source})
		case d.certificate != nil:
			r.certs[d.certificate.Digest().String()] = d.certificate
			if err := r.deployment(d); err != nil {
				all = append(all, err)
			}
		case d.manifest != nil:
			r.sum.Manifests++
			if err := r.takeManifest(d); err != nil {
				all = append(all, named(d.source, err))
			}
		case d.batch != nil:
			r.batches = append(r.batches, d)
		default:
			r.count(d)
			if err := r.claim(d); err != nil {
				all = append(all, named(d.source, err))
			}
		}
	}
	return errors.Join(all...)
}

func (r *Reader) count(d *document) {
	r.sum.Statements++
	if d.evidence.Assurance == lineage.Verified {
		r.sum.Verified++
	} else {
		r.sum.Unverified++
	}
}
