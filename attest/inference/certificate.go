package inference

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	json "github.com/go-json-experiment/json"

	"bartizan/attest"
	"bartizan/attest/dsse"
	"bartizan/attest/keys"
	"bartizan/attest/strictjson"
)

// CertificateType is the DSSE payload type of replica certificates. They are no
// in-toto statements: nothing that reads statements can take one for another.
const CertificateType = "application/vnd.bartizan.replica-cert+json"

// certificateSchema is what the payload names in its member "type".
const certificateSchema = "bartizan.replica-cert/v1"

// Certificate says whose key may sign records of which model and configuration,
// when, and with what assurance. An operator signs it.
type Certificate struct {
	Replica              string
	Key                  *keys.Public // Ed25519
	Model, Configuration Digest
	// NotBefore and NotAfter are in seconds, both included.
	NotBefore, NotAfter time.Time
	Assurance           Assurance

	digest   Digest
	envelope []byte
}

// Digest is the SHA-256 of the signed payload: how batches and lists of
// revocations name the certificate.
func (c *Certificate) Digest() Digest { return c.digest }

// KeyDigest is the SHA-256 of the replica's public key in PEM, which is what
// sha256sum says of the file.
func (c *Certificate) KeyDigest() Digest { return SHA256(c.Key.PEM()) }

// Envelope is the certificate as it was signed and is written in logs.
func (c *Certificate) Envelope() []byte { return bytes.Clone(c.envelope) }

// certificateWire is the payload; members in the order of RFC 8785.
type certificateWire struct {
	Assurance     string `json:"assurance"`
	Configuration string `json:"configuration"`
	Key           string `json:"key"` // base64 of PKIX DER
	Model         string `json:"model"`
	NotAfter      string `json:"notAfter"`
	NotBefore     string `json:"notBefore"`
	Replica       string `json:"replica"`
	Type          string `json:"type"`
}

// Certify signs a certificate with the operator's key and gives its envelope as
// JSON, on one line.
func Certify(ctx context.Context, operator keys.Signer, c Certificate) ([]byte, error) {
	c.NotBefore, c.NotAfter = c.NotBefore.UTC().Truncate(time.Second), c.NotAfter.UTC().Truncate(time.Second)
	payload, err := c.payload()
	if err != nil {
		return nil, err
	}
	if c.Key.Equal(operator.Public()) {
		return nil, errors.New("the replica's key is the operator's own: give the replica a key of its own")
	}
	envelope, err := dsse.Sign(ctx, operator, CertificateType, payload)
	if err != nil {
		return nil, err
	}
	return envelope.Marshal()
}

// payload checks the fields and writes them; no member needs an escape.
func (c *Certificate) payload() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(c.Key.Crypto())
	if err != nil {
		return nil, err
	}
	return json.Marshal(certificateWire{
		Assurance: string(c.Assurance), Configuration: c.Configuration.String(), Key: base64.StdEncoding.EncodeToString(der),
		Model: c.Model.String(), NotAfter: c.NotAfter.Format(timeSeconds), NotBefore: c.NotBefore.Format(timeSeconds),
		Replica: c.Replica, Type: certificateSchema,
	})
}

func (c *Certificate) check() error {
	if err := checkName("replica", c.Replica); err != nil {
		return err
	}
	if c.Key == nil {
		return errors.New("the replica's key is missing")
	}
	if _, ok := c.Key.Crypto().(ed25519.PublicKey); !ok {
		return fmt.Errorf("the replica's key is %s: want Ed25519", c.Key.Kind())
	}
	if c.Model.kind != plainDigest || c.Configuration.kind != plainDigest {
		return errors.New("model and configuration want a sha256 digest each")
	}
	if c.NotBefore.Year() < 1 || c.NotAfter.Year() > 9999 || !c.NotBefore.Before(c.NotAfter) {
		return errors.New("the certificate ends before it begins")
	}
	if c.Assurance.rank() == 0 {
		return fmt.Errorf("the assurance %q is unknown", clip(string(c.Assurance)))
	}
	return nil
}

// ReadCertificate reads the envelope of a certificate that one of the operators
// has signed. INFERENCE_MALFORMED: it is none, or written in another way than
// Certify writes. INFERENCE_CERT_INVALID: nobody of them signed it.
func ReadCertificate(data []byte, operators ...*keys.Public) (*Certificate, error) {
	c, envelope, err := parseCertificate(data)
	if err != nil {
		return nil, err
	}
	for _, operator := range operators {
		if !operator.Equal(c.Key) && envelope.Verify(operator) == nil {
			return c, nil
		}
	}
	return nil, attest.Refuse(attest.InferenceCert, "certificate of "+c.Replica, "no given operator key has signed it")
}

// parseCertificate reads without asking who signed.
func parseCertificate(data []byte) (*Certificate, *dsse.Envelope, error) {
	if len(data) > MaxLine {
		return nil, nil, malformed("certificate", "longer than %d bytes", MaxLine)
	}
	data = bytes.TrimSuffix(data, []byte("\n")) // of a file
	envelope, err := parseEnvelope("certificate", data, CertificateType)
	if err != nil {
		return nil, nil, err
	}
	var w certificateWire
	if err := strictjson.UnmarshalExact(envelope.Payload, &w); err != nil {
		return nil, nil, malformed("certificate", "%v", err)
	}
	c, err := w.certificate()
	if err != nil {
		return nil, nil, malformed("certificate", "%v", err)
	}
	again, err := c.payload()
	if err != nil {
		return nil, nil, malformed("certificate", "%v", err)
	}
	if !bytes.Equal(again, envelope.Payload) {
		return nil, nil, malformed("certificate", "not in canonical form, or not of type %s", certificateSchema)
	}
	c.envelope, c.digest = bytes.Clone(data), SHA256(envelope.Payload)
	return c, envelope, nil
}

func (w *certificateWire) certificate() (*Certificate, error) {
	c := &Certificate{Replica: w.Replica, Assurance: Assurance(w.Assurance)}
	der, err := base64.StdEncoding.Strict().DecodeString(w.Key)
	if err != nil {
		return nil, errors.New("the key is not base64")
	}
	if c.Key, err = keys.ReadPublic(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})); err != nil {
		return nil, fmt.Errorf("the key: %w", err)
	}
	if c.Model, err = ParseDigest(w.Model); err != nil {
		return nil, err
	}
	if c.Configuration, err = ParseDigest(w.Configuration); err != nil {
		return nil, err
	}
	if c.NotBefore, err = parseTime(timeSeconds, w.NotBefore); err != nil {
		return nil, err
	}
	c.NotAfter, err = parseTime(timeSeconds, w.NotAfter)
	return c, err
}
