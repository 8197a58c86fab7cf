package claims

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/dsse"
	"bartizan/attest/inference"
	"bartizan/attest/manifest"
	"bartizan/attest/oms"
	"bartizan/attest/statement"
	"bartizan/attest/strictjson"
	"bartizan/record/lineage"
	"bartizan/record/lineage/openlineage"
)

// document is one JSON document after parsing and verification, which need no
// other document.
type document struct {
	source   string
	evidence lineage.Evidence

	statement *statement.Statement
	model     *oms.Model // of OMS signatures
	event     *openlineage.Event
	manifest  *manifest.Manifest
	skipped   string // why it says nothing

	certificate *inference.Certificate
	batch       *statement.InferenceBatch
	envelope    *dsse.Envelope // of batches
}

// shape is what a document is by its members.
type shape struct {
	MediaType   jsontext.Value `json:"mediaType"`
	Material    jsontext.Value `json:"verificationMaterial"`
	PayloadType jsontext.Value `json:"payloadType"`
	Signatures  jsontext.Value `json:"signatures"`
	Type        jsontext.Value `json:"_type"`
	EventTime   jsontext.Value `json:"eventTime"`
	SchemaURL   jsontext.Value `json:"schemaURL"`
	Log         jsontext.Value `json:"log"`
	Certificate jsontext.Value `json:"certificate"`
	Batch       jsontext.Value `json:"batch"`
	Assurance   jsontext.Value `json:"assurance"`
	Schema      jsontext.Value `json:"schema"`
}

const notLineage = "not lineage"

// parse reads a document: an object, or an array of OpenLineage events. A
// document that is JSON and none of the known ones is skipped; one that is not
// JSON is refused.
func (r *Reader) parse(ctx context.Context, source string, data []byte) ([]*document, error) {
	data = skipBlank(data)
	switch strictjson.Kind(data) {
	case '[':
		return r.parseArray(ctx, source, data)
	case '{':
	default:
		return []*document{{source: source, skipped: notLineage}}, nil
	}
	var s shape
	if err := strictjson.Unmarshal(data, &s); err != nil {
		if !resembles(data) {
			return []*document{{source: source, skipped: "not JSON"}}, nil
		}
		return nil, attest.Refuse(attest.LineageMalformed, source, "%v", err)
	}
	d, err := r.one(ctx, source, &s, data)
	if err != nil {
		return nil, named(source, err)
	}
	return []*document{d}, nil
}

// members are names that the documents have which are understood.
var members = [...]string{`"predicateType"`, `"payloadType"`, `"verificationMaterial"`, `"_type"`, `"eventTime"`, `"bartizan.`}

// resembles says whether a text that is not valid JSON looks like a damaged
// document of a kind that is understood: that is refused, while a file that only
// begins with a bracket is none of ours.
func resembles(data []byte) bool {
	for _, m := range members {
		if bytes.Contains(data, []byte(m)) {
			return true
		}
	}
	return false
}

func (r *Reader) parseArray(ctx context.Context, source string, data []byte) ([]*document, error) {
	var list []jsontext.Value
	if err := strictjson.Unmarshal(data, &list); err != nil {
		if !resembles(data) {
			return []*document{{source: source, skipped: "not JSON"}}, nil
		}
		return nil, attest.Refuse(attest.LineageMalformed, source, "%v", err)
	}
	var out []*document
	for i, raw := range list {
		if strictjson.Kind(raw) != '{' {
			return []*document{{source: source, skipped: notLineage}}, nil
		}
		docs, err := r.parse(ctx, fmt.Sprintf("%s[%d]", source, i), raw)
		if err != nil {
			return nil, err
		}
		out = append(out, docs...)
	}
	return out, nil
}

func (r *Reader) one(ctx context.Context, source string, s *shape, data []byte) (*document, error) {
	switch {
	case s.MediaType != nil && s.Material != nil:
		return r.bundle(ctx, source, data)
	case s.PayloadType != nil && s.Signatures != nil:
		return r.envelope(ctx, source, data)
	case s.Batch != nil && s.Log == nil:
		return r.envelope(ctx, source, s.Batch)
	case s.Certificate != nil && s.Log == nil:
		return r.envelope(ctx, source, s.Certificate)
	case s.EventTime != nil && s.SchemaURL != nil:
		e, err := openlineage.Parse(data)
		return &document{source: source, event: e}, err
	case strictjson.Kind(s.Type) == '"':
		return r.payload(source, data, lineage.Evidence{Signer: ""})
	case string(s.Schema) == `"`+manifest.Schema+`"`:
		m, err := manifest.Parse(data)
		return &document{source: source, manifest: m}, err
	case s.Log != nil, s.Assurance != nil:
		return &document{source: source, skipped: "inference record"}, nil
	}
	return &document{source: source, skipped: notLineage}, nil
}

// bundle reads a sigstore bundle.
func (r *Reader) bundle(ctx context.Context, source string, data []byte) (*document, error) {
	b, err := bundle.Parse(data)
	if err != nil {
		return nil, err
	}
	if b.Envelope == nil {
		return &document{source: source, skipped: "signature of a file"}, nil
	}
	return r.signed(ctx, source, data, b)
}

// envelope reads a DSSE envelope without a bundle: it is put into one that names
// no key, and every key is tried.
func (r *Reader) envelope(ctx context.Context, source string, data []byte) (*document, error) {
	e, err := dsse.Parse(data)
	if err != nil {
		return nil, err
	}
	if e.PayloadType == inference.CertificateType {
		return r.replica(source, data)
	}
	b := &bundle.Bundle{MediaType: bundle.MediaType, Method: bundle.MethodKey, Envelope: e}
	raw, err := b.Marshal()
	if err != nil {
		return nil, err
	}
	return r.signed(ctx, source, raw, b)
}

func (r *Reader) signed(ctx context.Context, source string, raw []byte, b *bundle.Bundle) (*document, error) {
	if b.Envelope.PayloadType != statement.PayloadType {
		return &document{source: source, skipped: "payload " + clip(b.Envelope.PayloadType)}, nil
	}
	d, err := r.payload(source, b.Envelope.Payload, r.authenticate(ctx, raw, b))
	if err != nil || d.skipped != "" {
		return d, err
	}
	switch d.statement.PredicateType {
	case oms.PredicateType, oms.LegacyPredicateType:
		d.model, err = r.readTree(ctx, raw, b, &d.evidence)
	case statement.InferenceBatchType:
		d.envelope = b.Envelope
		d.batch, err = statement.ParseInferenceBatch(d.statement)
	}
	return d, err
}

// payload reads a statement. Those of other versions are skipped.
func (r *Reader) payload(source string, payload []byte, e lineage.Evidence) (*document, error) {
	s, err := statement.Parse(payload)
	if attest.CodeOf(err) == attest.StatementType {
		return &document{source: source, skipped: "statement of another type"}, nil
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(payload)
	e.Statement, e.Type, e.Source = "sha256:"+hex.EncodeToString(sum[:]), s.PredicateType, source
	d := &document{source: source, statement: s, evidence: e}
	if s.PredicateType == statement.InferenceBatchType { // bare, without a signature
		d.batch, err = statement.ParseInferenceBatch(s)
	}
	return d, err
}

// named puts the file's name into a refusal.
func named(source string, err error) error {
	refusals := attest.Refusals(err)
	if len(refusals) == 0 {
		return fmt.Errorf("%s: %w", source, err)
	}
	all := make([]error, 0, len(refusals))
	for _, r := range refusals {
		name := source
		if r.Name != "" && r.Name != source {
			name += ": " + r.Name
		}
		all = append(all, &attest.Error{Code: r.Code, Name: name, Detail: r.Detail})
	}
	return errors.Join(all...)
}

func clip(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most]
	}
	return string(bytes.ToValidUTF8([]byte(s), nil))
}
