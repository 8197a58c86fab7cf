package inference

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/dsse"
	"bartizan/attest/strictjson"
)

// proofType is what a proof names in its member "type".
const proofType = "bartizan.inference-proof/v1"

// maxProof is more than the largest proof: three lines and 12 hashes.
const maxProof = 4 * MaxLine

// Proof is one record with what shows that it was signed.
type Proof struct {
	Record      *Record
	Batch       *Batch
	Certificate *Certificate
}

// proofWire is the JSON of a proof.
type proofWire struct {
	Type        string         `json:"type"`
	Record      jsontext.Value `json:"record"`
	Hashes      []string       `json:"hashes"` // RFC 6962 inclusion proof, from the leaf up
	Batch       jsontext.Value `json:"batch"`
	Certificate jsontext.Value `json:"certificate"`
}

// errFound ends the reading of a log.
var errFound = errors.New("found")

// Prove takes the record of a number out of a log, with its inclusion proof,
// the batch that signs it and the certificate. The log is checked up to there,
// but for who signed the certificate, and that it begins at record 1. A record
// that is not in a batch is an error, not a refusal.
func Prove(ctx context.Context, log io.Reader, sequence int64) ([]byte, error) {
	var record, out []byte
	w := newWalk(log)
	w.begin = anywhere
	w.record = func(r *Record, line []byte) {
		if r.Sequence == sequence {
			record = append([]byte(nil), line...)
		}
	}
	w.accept = func(b *Batch, leaves []node) error {
		if sequence < b.First || sequence > b.Last {
			return nil
		}
		var err error
		out, err = marshalProof(record, w.signed, w.cert.envelope, w.m.path(append([]node(nil), leaves...), int(sequence-b.First)))
		return errors.Join(err, errFound)
	}
	err := w.run(ctx)
	switch {
	case errors.Is(err, errFound) && out != nil:
		return out, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("record %d is not signed in the log, which goes up to record %d", sequence, w.head.Sequence)
}

func marshalProof(record, batch, certificate []byte, hashes [][]byte) ([]byte, error) {
	p := proofWire{Type: proofType, Record: record, Batch: batch, Certificate: certificate, Hashes: []string{}}
	for _, h := range hashes {
		p.Hashes = append(p.Hashes, hex.EncodeToString(h))
	}
	out, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return append(out, '\n'), nil
}

// CheckProof says whether a record was signed by a key that an operator
// certified, by the proof alone: certificate, signature, inclusion, and that the
// record is what the certificate is for. It cannot say that the record's log is
// whole, or that there is no other record of the same id. Live, Heads and After
// have no meaning here. A revocation up to a head refuses all batches but that
// head's own: whether another one came before it only the log shows.
func CheckProof(data []byte, opt CheckOptions) (*Proof, error) {
	if len(opt.Operators) == 0 {
		return nil, errors.New("no operator key is given: nothing could be certified")
	}
	w, err := parseProof(data)
	if err != nil {
		return nil, err
	}
	var p Proof
	if p.Certificate, err = ReadCertificate(w.Certificate, opt.Operators...); err != nil {
		return nil, err
	}
	var envelope *dsse.Envelope
	if p.Batch, envelope, err = parseBatch(w.Batch); err != nil {
		return nil, err
	}
	if err := p.Batch.under(p.Certificate, envelope); err != nil {
		return nil, err
	}
	if p.Record, err = ParseRecord(w.Record); err != nil {
		return nil, err
	}
	if err := p.includes(w); err != nil {
		return nil, err
	}
	if err := p.wanted(opt); err != nil {
		return nil, err
	}
	return &p, nil
}

func parseProof(data []byte) (*proofWire, error) {
	if len(data) > maxProof {
		return nil, malformed("proof", "longer than %d bytes", maxProof)
	}
	var w proofWire
	if err := strictjson.UnmarshalExact(data, &w); err != nil {
		return nil, malformed("proof", "%v", err)
	}
	if w.Type != proofType {
		return nil, malformed("proof", "its type is %q, not %s", clip(w.Type), proofType)
	}
	if len(w.Hashes) > 64 {
		return nil, malformed("proof", "%d hashes", len(w.Hashes))
	}
	return &w, nil
}

// includes holds the record to the batch and the certificate.
func (p *Proof) includes(w *proofWire) error {
	r, b := p.Record, p.Batch
	if err := r.fits(p.Certificate); err != nil {
		return err
	}
	name := fmt.Sprintf("record %d", r.Sequence)
	if r.Sequence < b.First || r.Sequence > b.Last {
		return attest.Refuse(attest.InferenceRoot, name, "the batch signs %s", span("record", b.First, b.Last))
	}
	hashes := make([][]byte, len(w.Hashes))
	for i, text := range w.Hashes {
		h, err := hex.DecodeString(text)
		if err != nil || len(h) != len(node{}) || strings.ToLower(text) != text {
			return malformed("proof", "hash %d is not 64 lower-case hexadecimal digits", i)
		}
		hashes[i] = h
	}
	if !included(int(r.Sequence-b.First), b.Count(), newMerkle().leaf(w.Record), hashes, b.Root) {
		return attest.Refuse(attest.InferenceRoot, name, "the hashes do not lead from it to the root that %s signs", b.name())
	}
	if b.Time.Before(r.Time) {
		return backwards(b.name(), b.Time, name, r.Time)
	}
	if r.Assurance.rank() < b.Assurance.rank() {
		return malformed(name, "it is %s and its batch %s", r.Assurance, b.Assurance)
	}
	return nil
}

func (p *Proof) wanted(opt CheckOptions) error {
	name := fmt.Sprintf("record %d", p.Record.Sequence)
	if want := opt.Model; !want.IsZero() && p.Record.Model != want {
		return attest.Refuse(attest.InferenceModel, name, "it is of model %s, not %s", p.Record.Model, want)
	}
	if want := opt.Configuration; !want.IsZero() && p.Record.Configuration != want {
		return attest.Refuse(attest.InferenceModel, name, "it is of configuration %s, not %s", p.Record.Configuration, want)
	}
	list := newRevocations(opt.Revoked)
	revoked := list.of(p.Certificate)
	list.tell(opt.Unmatched)
	for _, r := range revoked {
		if r.Until == nil || r.Until.Digest != p.Batch.digest || r.Until.Sequence != p.Batch.Last {
			return attest.Refuse(attest.InferenceRevoked, name, "it was signed by a key that is revoked (%s)", r.Digest)
		}
	}
	return nil
}
