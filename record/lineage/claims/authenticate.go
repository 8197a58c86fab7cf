package claims

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/inference"
	"bartizan/attest/oms"
	"bartizan/attest/statement"
	"bartizan/record/lineage"
)

// authenticate tries everybody who was given. What fails to verify is not
// refused: it is unverified, and Problem says why.
func (r *Reader) authenticate(ctx context.Context, raw []byte, b *bundle.Bundle) lineage.Evidence {
	problem := "no key or certificate was given for the method " + string(b.Method)
	for _, trust := range r.trusts() {
		if trust.Method() != b.Method {
			continue
		}
		_, signer, err := oms.AuthenticateStatement(ctx, raw, trust)
		if err == nil {
			return lineage.Evidence{Signer: signerOf(signer), Assurance: lineage.Verified}
		}
		// A signature that fails under the very key that it names tells more than
		// that it is somebody else's.
		if attest.CodeOf(err) != attest.KeyMismatch || !strings.HasPrefix(problem, string(attest.DSSESigInvalid)) {
			problem = err.Error()
		}
	}
	return lineage.Evidence{Signer: claimed(b), Problem: problem}
}

// trusts gives keys and other methods as one list.
func (r *Reader) trusts() []oms.Trust {
	out := make([]oms.Trust, 0, len(r.opt.Keys)+len(r.opt.Trust))
	for _, k := range r.opt.Keys {
		out = append(out, oms.KeyTrust{Key: k})
	}
	return append(out, r.opt.Trust...)
}

func signerOf(s oms.Signer) string {
	if s.Identity != "" {
		return s.Identity
	}
	return s.Key
}

// claimed is whom an unverified bundle names.
func claimed(b *bundle.Bundle) string {
	if b.Hint != "" {
		return clip(b.Hint)
	}
	return clip(b.Envelope.KeyID)
}

// stranger lets an OMS statement be read whose signer nobody vouches for.
type stranger struct{ method bundle.Method }

func (s stranger) Method() bundle.Method { return s.method }

func (s stranger) Authenticate(context.Context, []byte, *bundle.Bundle, bool) (oms.Signer, error) {
	return oms.Signer{Method: s.method}, nil
}

// readTree reads the files of an OMS signature, with all the rules of package oms.
func (r *Reader) readTree(ctx context.Context, raw []byte, b *bundle.Bundle, e *lineage.Evidence) (*oms.Model, error) {
	if e.Assurance == lineage.Verified {
		for _, trust := range r.trusts() {
			if trust.Method() != b.Method {
				continue
			}
			if m, err := oms.Authenticate(ctx, raw, trust); err == nil {
				return m, nil
			}
		}
		e.Assurance, e.Problem = lineage.Unverified, "the key may not sign models"
	}
	return oms.Authenticate(ctx, raw, stranger{b.Method})
}

// certificates of replicas by digest.
type certificates map[string]*inference.Certificate

// replica reads the certificate of a replica, which counts only where an
// operator whose key was given has signed it.
func (r *Reader) replica(source string, data []byte) (*document, error) {
	c, err := inference.ReadCertificate(data, r.opt.Keys...)
	switch {
	case attest.CodeOf(err) == attest.InferenceCert:
		return &document{source: source, skipped: "replica certificate of an unknown operator"}, nil
	case err != nil:
		return nil, err
	}
	return &document{source: source, certificate: c, evidence: lineage.Evidence{
		Statement: c.Digest().String(), Type: inference.CertificateType, Source: source,
		Signer: r.operator(data), Assurance: lineage.Verified,
	}}, nil
}

// operator names the key that signed a certificate.
func (r *Reader) operator(data []byte) string {
	for _, k := range r.opt.Keys {
		if _, err := inference.ReadCertificate(data, k); err == nil {
			return k.Hint()
		}
	}
	return ""
}

// sealGrace is how long after the end of a certificate a batch may be signed, as
// package inference has it.
const sealGrace = time.Minute

// certified says whether a replica's certified key signed the batch: under that
// certificate, for that model and configuration, in its time. Whether the key was
// revoked, and whether the log of batches is whole, is for package inference.
func (c certificates) certified(d *document) (string, error) {
	cert, ok := c[d.batch.Certificate]
	if !ok {
		return "", fmt.Errorf("no certificate %s by a given operator", d.batch.Certificate)
	}
	signed, err := time.Parse(statement.BatchTime, d.batch.Time)
	switch {
	case err != nil:
		return "", err
	case d.envelope == nil || d.envelope.Verify(cert.Key) != nil:
		return "", attest.Refuse(attest.InferenceSig, "", "the signature is not that of the certified key")
	case d.batch.Replica != cert.Replica || d.batch.Model != cert.Model.String() || d.batch.Configuration != cert.Configuration.String():
		return "", attest.Refuse(attest.InferenceModel, "", "it names another replica, model or configuration than its certificate")
	case signed.Before(cert.NotBefore) || !d.batch.End && signed.After(cert.NotAfter.Add(sealGrace)):
		return "", attest.Refuse(attest.InferenceCert, "", "it was signed out of the certificate's time")
	}
	return cert.Key.Hint(), nil
}
