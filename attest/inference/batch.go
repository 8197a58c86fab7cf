package inference

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"time"

	"bartizan/attest"
	"bartizan/attest/dsse"
	"bartizan/attest/keys"
	"bartizan/attest/statement"
)

// Batch is what a replica signs of its records: an in-toto statement with the
// predicate InferenceBatch of package statement.
type Batch struct {
	Replica string
	// Certificate is the digest of the certificate that the key was used under.
	Certificate          Digest
	Model, Configuration Digest
	// Assurance is the lowest of the records, or the certificate's without any.
	Assurance Assurance
	// Number counts batches from 1 without gaps.
	Number int64
	// First and Last are the numbers of the records; Last is First-1 without any.
	First, Last int64
	// Root is the RFC 6962 tree hash over the canonical bytes of the records.
	Root [32]byte
	// Previous is the digest of the batch before; none for number 1.
	Previous Digest
	// End says that the log was closed here; such a batch has no records.
	End  bool
	Time time.Time

	digest Digest
}

// Count is the number of records.
func (b *Batch) Count() int { return int(b.Last - b.First + 1) }

// Digest is the SHA-256 of the signed statement.
func (b *Batch) Digest() Digest { return b.digest }

// Head is the head of a log that ends here.
func (b *Batch) Head() Head { return Head{Number: b.Number, Sequence: b.Last, Digest: b.digest} }

func (b *Batch) name() string { return "batch " + strconv.FormatInt(b.Number, 10) }

// payload gives the statement as it is signed.
func (b *Batch) payload() ([]byte, error) {
	s, err := statement.New(&statement.InferenceBatch{
		Replica: b.Replica, Certificate: b.Certificate.String(), Model: b.Model.String(), Configuration: b.Configuration.String(),
		Assurance: string(b.Assurance), Number: b.Number, FirstSequence: b.First, LastSequence: b.Last, Count: b.Count(),
		Previous: b.Previous.String(), End: b.End, Time: b.Time.UTC().Format(timeMicros),
	}, statement.Descriptor{
		Name:   b.Replica + "/" + strconv.FormatInt(b.Number, 10),
		Digest: statement.SHA256(hex.EncodeToString(b.Root[:])),
	})
	if err != nil {
		return nil, err
	}
	return s.Marshal()
}

// parseBatch reads the envelope of a batch. Who signed it is not asked here.
func parseBatch(data []byte) (*Batch, *dsse.Envelope, error) {
	envelope, err := parseEnvelope("batch", data, statement.PayloadType)
	if err != nil {
		return nil, nil, err
	}
	s, err := statement.Parse(envelope.Payload)
	if err != nil {
		return nil, nil, malformed("batch", "%v", err)
	}
	p, err := statement.ParseInferenceBatch(s)
	if err != nil {
		return nil, nil, malformed("batch", "%v", err)
	}
	b, err := fromPredicate(s, p)
	if err != nil {
		return nil, nil, malformed("batch", "%v", err)
	}
	again, err := b.payload()
	if err != nil {
		return nil, nil, malformed("batch", "%v", err)
	}
	if !bytes.Equal(again, envelope.Payload) {
		return nil, nil, malformed(b.name(), "the statement is not in canonical form, or has more in it than a batch has")
	}
	b.digest = SHA256(envelope.Payload)
	return b, envelope, nil
}

func fromPredicate(s *statement.Statement, p *statement.InferenceBatch) (*Batch, error) {
	b := &Batch{
		Replica: p.Replica, Assurance: Assurance(p.Assurance), Number: p.Number,
		First: p.FirstSequence, Last: p.LastSequence, End: p.End,
	}
	if err := checkName("replica", p.Replica); err != nil {
		return nil, err
	}
	if _, err := hex.Decode(b.Root[:], []byte(s.Subject[0].Digest["sha256"])); err != nil {
		return nil, err
	}
	var err error
	if b.Certificate, err = ParseDigest(p.Certificate); err != nil {
		return nil, err
	}
	if b.Model, err = ParseDigest(p.Model); err != nil {
		return nil, err
	}
	if b.Configuration, err = ParseDigest(p.Configuration); err != nil {
		return nil, err
	}
	if p.Previous != "" {
		if b.Previous, err = ParseDigest(p.Previous); err != nil {
			return nil, err
		}
	}
	b.Time, err = parseTime(timeMicros, p.Time)
	return b, err
}

// sealGrace is how long after the end of a certificate a batch may be signed
// whose records were written before it: they waited for the batch to fill.
const sealGrace = time.Minute

// under says whether the certificate's key has signed the batch, and may have.
func (b *Batch) under(c *Certificate, envelope *dsse.Envelope) error {
	if b.Certificate != c.digest || b.Replica != c.Replica {
		return attest.Refuse(attest.InferenceCert, b.name(), "it names certificate %s of %s, and the one before it in the log is %s of %s",
			b.Certificate, b.Replica, c.digest, c.Replica)
	}
	if !verify(c.Key, envelope) {
		return attest.Refuse(attest.InferenceSig, b.name(), "the signature is not that of the certified key")
	}
	switch {
	case b.Model != c.Model || b.Configuration != c.Configuration:
		return attest.Refuse(attest.InferenceModel, b.name(), "it names another model or configuration than its certificate")
	case b.Assurance.rank() > c.Assurance.rank():
		return attest.Refuse(attest.InferenceCert, b.name(), "it claims to be %s, and the certificate is for %s", b.Assurance, c.Assurance)
	case b.Time.Before(c.NotBefore), !b.End && b.Time.After(c.NotAfter.Add(sealGrace)):
		return attest.Refuse(attest.InferenceCert, b.name(), "it was signed at %s, out of the certificate's time, %s to %s",
			b.Time.Format(timeMicros), c.NotBefore.Format(timeSeconds), c.NotAfter.Format(timeSeconds))
	}
	return nil
}

func verify(key *keys.Public, envelope *dsse.Envelope) bool { return envelope.Verify(key) == nil }
