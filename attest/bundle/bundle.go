// Package bundle reads and writes sigstore bundles
// (https://docs.sigstore.dev/about/bundle/, versions 0.1 to 0.3): a signed
// envelope or message digest together with what it takes to verify it, a key's
// name, a chain of certificates, or a short-lived certificate with log entries.
//
// It decides only whether the document is one and which method it is for; who
// is trusted is decided by oms and keyless.
package bundle

import (
	"encoding/base64"
	"fmt"
	"slices"
	"unicode/utf8"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/dsse"
	"bartizan/attest/keys"
	"bartizan/attest/strictjson"
)

// MaxSize is the largest bundle that is read.
const MaxSize = 32 << 20

// Limits bound what a bundle may hold. Real ones have a few dozen objects: the
// statement is one string here.
func Limits() strictjson.Limits { return strictjson.Limits{Objects: 10_000, Commas: 50_000} }

// MediaType is that of the bundles that are written.
const MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// mediaTypes are those that are read.
var mediaTypes = []string{
	MediaType,
	"application/vnd.dev.sigstore.bundle+json;version=0.1",
	"application/vnd.dev.sigstore.bundle+json;version=0.2",
	"application/vnd.dev.sigstore.bundle+json;version=0.3",
}

// Method is how a bundle wants to be verified.
type Method string

// The methods of OpenSSF Model Signing v1.0.
const (
	MethodKey         Method = "key"
	MethodCertificate Method = "certificate"
	MethodKeyless     Method = "sigstore"
)

// Bundle is a bundle that was read.
type Bundle struct {
	MediaType string
	Method    Method
	// Envelope is nil where the bundle signs a message digest.
	Envelope *dsse.Envelope
	// Hint names the key, for MethodKey; it is not authenticated. RawKey is what
	// signers before release 1.0 of model_signing wrote in its place.
	Hint   string
	RawKey []byte
	// Certificates are DER, the leaf first, for the other methods.
	Certificates [][]byte
	// LogEntries counts transparency log entries; keyless reads them.
	LogEntries int
}

type wire struct {
	MediaType            *string        `json:"mediaType"`
	VerificationMaterial jsontext.Value `json:"verificationMaterial,omitempty"`
	DSSEEnvelope         jsontext.Value `json:"dsseEnvelope,omitempty"`
	MessageSignature     jsontext.Value `json:"messageSignature,omitempty"`
}

type wireMaterial struct {
	PublicKey                 *wireKey         `json:"publicKey,omitempty"`
	X509CertificateChain      *wireChain       `json:"x509CertificateChain,omitempty"`
	Certificate               *wireCertificate `json:"certificate,omitempty"`
	TlogEntries               []jsontext.Value `json:"tlogEntries"`
	TimestampVerificationData jsontext.Value   `json:"timestampVerificationData,omitempty"`
}

type wireKey struct {
	Hint     *string        `json:"hint,omitempty"`
	RawBytes *string        `json:"rawBytes,omitempty"`
	Unknown  jsontext.Value `json:",embed"` // keyDetails of old signers
}

type wireChain struct {
	Certificates []wireCertificate `json:"certificates"`
	Unknown      jsontext.Value    `json:",embed"`
}

type wireCertificate struct {
	RawBytes *string        `json:"rawBytes"`
	Unknown  jsontext.Value `json:",embed"`
}

// Parse reads a bundle. What is wrong with it is BUNDLE_MALFORMED,
// BUNDLE_MEDIA_TYPE or DSSE_SIGNATURE_COUNT.
func Parse(data []byte) (*Bundle, error) {
	if len(data) > MaxSize {
		return nil, malformed("", "larger than %d bytes", MaxSize)
	}
	if !utf8.Valid(data) {
		return nil, malformed("", "no UTF-8")
	}
	if err := strictjson.Check(data, Limits()); err != nil {
		return nil, malformed("", "%v", err)
	}
	var w wire
	if err := strictjson.UnmarshalExact(data, &w); err != nil {
		return nil, malformed("", "%v", err)
	}
	if w.MediaType == nil {
		return nil, malformed("mediaType", "missing")
	}
	if !slices.Contains(mediaTypes, *w.MediaType) {
		return nil, attest.Refuse(attest.BundleMediaType, "", "want %s, or one of versions 0.1 to 0.3", MediaType)
	}
	b := &Bundle{MediaType: *w.MediaType}
	if err := b.content(&w); err != nil {
		return nil, err
	}
	return b, b.material(w.VerificationMaterial)
}

func malformed(name, format string, args ...any) error {
	return attest.Refuse(attest.BundleMalformed, name, format, args...)
}

// content reads the envelope: one of two kinds, and not both.
func (b *Bundle) content(w *wire) (err error) {
	envelope, message := strictjson.Kind(w.DSSEEnvelope), strictjson.Kind(w.MessageSignature)
	switch {
	case envelope == '{' && message == 0:
		b.Envelope, err = dsse.Parse(w.DSSEEnvelope)
		return err
	case envelope == 0 && message == '{':
		return nil
	case envelope == 0 && message == 0:
		return malformed("dsseEnvelope", "missing")
	}
	return malformed("dsseEnvelope", "want one object, of dsseEnvelope or messageSignature")
}

func (b *Bundle) material(raw jsontext.Value) error {
	if strictjson.Kind(raw) != '{' {
		return malformed("verificationMaterial", "missing")
	}
	var m wireMaterial
	if err := strictjson.Unmarshal(raw, &m); err != nil {
		return malformed("verificationMaterial", "%v", err)
	}
	b.LogEntries = len(m.TlogEntries)
	given := 0
	for _, is := range []bool{m.PublicKey != nil, m.X509CertificateChain != nil, m.Certificate != nil} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return malformed("verificationMaterial", "%d of publicKey, x509CertificateChain and certificate: want exactly one", given)
	case m.PublicKey != nil:
		return b.publicKey(m.PublicKey)
	case m.Certificate != nil:
		b.Method = MethodKeyless
		if len(m.TlogEntries) == 0 {
			return malformed("verificationMaterial.tlogEntries", "a short-lived certificate needs a log entry")
		}
		return b.certificates([]wireCertificate{*m.Certificate})
	}
	b.Method = MethodCertificate
	if b.LogEntries > 0 { // versions 0.1 and 0.2 kept the keyless certificate in a chain
		b.Method = MethodKeyless
	}
	return b.certificates(m.X509CertificateChain.Certificates)
}

func (b *Bundle) publicKey(k *wireKey) error {
	b.Method = MethodKey
	if k.Hint == nil && k.RawBytes == nil {
		return malformed("verificationMaterial.publicKey", "neither hint nor rawBytes")
	}
	if k.Hint != nil {
		b.Hint = *k.Hint
	}
	if k.RawBytes == nil {
		return nil
	}
	var err error
	b.RawKey, err = dsse.Base64("verificationMaterial.publicKey.rawBytes", *k.RawBytes)
	return err
}

// maxCertificates bounds a chain; real ones have two to four.
const maxCertificates = 16

func (b *Bundle) certificates(chain []wireCertificate) error {
	if len(chain) == 0 || len(chain) > maxCertificates {
		return malformed("verificationMaterial", "%d certificates: want 1 to %d", len(chain), maxCertificates)
	}
	for i, c := range chain {
		field := fmt.Sprintf("verificationMaterial.certificates[%d]", i)
		if c.RawBytes == nil || *c.RawBytes == "" {
			return malformed(field, "rawBytes is missing")
		}
		der, err := dsse.Base64(field, *c.RawBytes)
		if err != nil {
			return err
		}
		b.Certificates = append(b.Certificates, der)
	}
	return nil
}

// Key makes a bundle of an envelope that a key signed.
func Key(e *dsse.Envelope, pub *keys.Public) *Bundle {
	return &Bundle{MediaType: MediaType, Method: MethodKey, Envelope: e, Hint: pub.Hint()}
}

// Certificate makes a bundle of an envelope that the key of a certificate
// signed. chain is DER, the leaf first.
func Certificate(e *dsse.Envelope, chain [][]byte) *Bundle {
	return &Bundle{MediaType: MediaType, Method: MethodCertificate, Envelope: e, Certificates: chain}
}

// Marshal gives the JSON of a bundle of MethodKey or MethodCertificate.
func (b *Bundle) Marshal() ([]byte, error) {
	m := wireMaterial{TlogEntries: []jsontext.Value{}}
	switch b.Method {
	case MethodKey:
		m.PublicKey = &wireKey{Hint: &b.Hint}
	case MethodCertificate:
		m.X509CertificateChain = &wireChain{}
		for _, der := range b.Certificates {
			raw := base64.StdEncoding.EncodeToString(der)
			m.X509CertificateChain.Certificates = append(m.X509CertificateChain.Certificates, wireCertificate{RawBytes: &raw})
		}
	default:
		return nil, fmt.Errorf("bundles of the method %s are not written", b.Method)
	}
	material, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	envelope, err := b.Envelope.Marshal()
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(wire{MediaType: &b.MediaType, VerificationMaterial: material, DSSEEnvelope: envelope})
	return append(out, '\n'), err
}
