package keyless

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"

	"bartizan/attest"
	outer "bartizan/attest/bundle"
	"bartizan/attest/keys"
	"bartizan/attest/strictjson"
)

// Limits of what is read.
const (
	maxBundle     = outer.MaxSize
	maxEntries    = 32
	maxTimestamps = 32
	maxChain      = 16
	maxProof      = 64 // hashes: a tree of 2^63 entries needs 63
	// maxToken holds an RFC 3161 token with its certificates, 2 to 8 KB. The
	// reader of BER that the library uses recurses: 30 MB of opening brackets
	// would exhaust the stack, which no program survives.
	maxToken = 32 << 10
)

// inTotoType is the payload type of in-toto statements.
const inTotoType = "application/vnd.in-toto+json"

// version is that of the bundle format; they differ in what must be there.
type version int

const (
	v01 version = iota + 1
	v02
	v03
)

// mediaTypes are those of sigstore bundles; 0.3 has an older and a newer way of
// writing it.
var mediaTypes = map[string]version{
	"application/vnd.dev.sigstore.bundle+json;version=0.1": v01,
	"application/vnd.dev.sigstore.bundle+json;version=0.2": v02,
	"application/vnd.dev.sigstore.bundle+json;version=0.3": v03,
	"application/vnd.dev.sigstore.bundle.v0.3+json":        v03,
}

// bundle is a bundle that was read and is of the right shape. Nothing in it is
// verified.
type bundle struct {
	raw       []byte
	wire      *wireBundle
	version   version
	chain     []*x509.Certificate // nil where a managed key signed; the leaf first
	hint      string
	message   *message
	envelope  *envelope
	signature []byte // of message or envelope
	entries   []*entry
	tokens    [][]byte // RFC 3161
}

type message struct {
	hash   crypto.Hash
	digest []byte
}

type envelope struct {
	payloadType string
	payload     []byte
}

func malformed(name, format string, args ...any) error {
	return attest.Refuse(attest.BundleMalformed, name, format, args...)
}

// parse reads the bytes of a bundle.
func parse(data []byte) (*bundle, error) {
	if len(data) > maxBundle {
		return nil, malformed("", "larger than %d bytes", maxBundle)
	}
	if err := strictjson.Check(data, outer.Limits()); err != nil {
		return nil, malformed("", "%v", err)
	}
	// Of a version that is not known nothing else is known either.
	var only struct {
		MediaType string `json:"mediaType"`
	}
	if err := strictjson.Unmarshal(data, &only); err != nil {
		return nil, malformed("", "%v", err)
	}
	v, ok := mediaTypes[only.MediaType]
	if !ok {
		return nil, attest.Refuse(attest.BundleMediaType, "", "want application/vnd.dev.sigstore.bundle.v0.3+json, or one of versions 0.1 to 0.3")
	}
	w := new(wireBundle)
	if err := strictjson.UnmarshalExact(data, w); err != nil {
		return nil, malformed("", "%v", err)
	}
	b := &bundle{raw: data, wire: w, version: v}
	for _, part := range []func() error{b.readContent, b.readMaterial, b.readEntries, b.readTokens} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readContent takes the one signature.
func (b *bundle) readContent() error {
	m, e := b.wire.Message, b.wire.Envelope
	switch {
	case m != nil && e != nil:
		return malformed("", "both a message signature and an envelope: which is meant cannot be known")
	case m != nil:
		return b.readMessage(m)
	case e != nil:
		return b.readEnvelope(e)
	}
	return malformed("", "neither messageSignature nor dsseEnvelope")
}

func (b *bundle) readMessage(m *wireMessage) error {
	if len(m.Signature) == 0 {
		return malformed("messageSignature.signature", "empty")
	}
	if m.Digest == nil {
		return malformed("messageSignature.messageDigest", "missing")
	}
	h, ok := hashByName[string(m.Digest.Algorithm)]
	if !ok || len(m.Digest.Digest) != h.Size() {
		return malformed("messageSignature.messageDigest", "want a digest of SHA2_256, SHA2_384 or SHA2_512")
	}
	b.message = &message{hash: h, digest: m.Digest.Digest}
	b.signature = m.Signature
	return nil
}

func (b *bundle) readEnvelope(e *wireEnvelope) error {
	if len(e.Signatures) != 1 || e.Signatures[0] == nil {
		return attest.Refuse(attest.DSSESignatureCount, "", "%d signatures: a sigstore bundle has exactly one", len(e.Signatures))
	}
	if len(e.Signatures[0].Signature) == 0 {
		return malformed("dsseEnvelope.signatures[0].sig", "empty")
	}
	if len(e.Payload) == 0 {
		return malformed("dsseEnvelope.payload", "empty")
	}
	b.envelope = &envelope{payloadType: e.PayloadType, payload: e.Payload}
	b.signature = e.Signatures[0].Signature
	return nil
}

// readMaterial takes the one way by which the signer is named.
func (b *bundle) readMaterial() error {
	m := b.wire.Material
	if m == nil {
		return malformed("verificationMaterial", "missing")
	}
	given := 0
	for _, is := range []bool{m.PublicKey != nil, m.Chain != nil, m.Certificate != nil} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return malformed("verificationMaterial", "want exactly one of publicKey, certificate and x509CertificateChain, not %d", given)
	case m.PublicKey != nil:
		if b.hint = m.PublicKey.Hint; b.hint == "" && len(m.PublicKey.Raw) > 0 {
			sum := sha256.Sum256(m.PublicKey.Raw)
			b.hint = hex.EncodeToString(sum[:])
		}
		return nil
	case m.Certificate != nil:
		return b.readChain([]*wireRaw{m.Certificate})
	case b.version >= v03:
		return malformed("verificationMaterial.x509CertificateChain", "version 0.3 carries a single certificate")
	}
	return b.readChain(m.Chain.Certificates)
}

// readChain parses certificates. A root among them is an anchor that the signer
// brought along: bundles must not hold one.
func (b *bundle) readChain(raw []*wireRaw) error {
	const name = "verificationMaterial certificate"
	if len(raw) == 0 || len(raw) > maxChain {
		return malformed(name, "%d certificates: want 1 to %d", len(raw), maxChain)
	}
	for i, r := range raw {
		if r == nil || len(r.Raw) == 0 {
			return malformed(name, "certificate %d is empty", i)
		}
		cert, err := keys.ParseCertificate(r.Raw)
		if err != nil {
			return malformed(name, "certificate %d: %v", i, err)
		}
		if i > 0 && bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			return attest.Refuse(attest.CertUntrusted, "", "the bundle brings a root certificate along: roots come from the trusted root alone")
		}
		b.chain = append(b.chain, cert)
	}
	return nil
}

func (b *bundle) readEntries() error {
	list := b.wire.Material.Entries
	if len(list) > maxEntries {
		return malformed("tlogEntries", "%d entries, more than %d", len(list), maxEntries)
	}
	for i, w := range list {
		e, err := b.readEntry(w)
		if err != nil {
			return err
		}
		// The same body in one log is one entry, whatever index nobody signed says.
		same := func(x *entry) bool {
			return bytes.Equal(x.logID, e.logID) && (x.index == e.index || bytes.Equal(x.wire.Body, e.wire.Body))
		}
		if slices.ContainsFunc(b.entries, same) {
			return malformed("tlogEntries", "entry %d stands there twice", i)
		}
		b.entries = append(b.entries, e)
	}
	return nil
}

func (b *bundle) readTokens() error {
	t := b.wire.Material.Timestamps
	if t == nil {
		return nil
	}
	if len(t.Tokens) > maxTimestamps {
		return malformed("rfc3161Timestamps", "%d timestamps, more than %d", len(t.Tokens), maxTimestamps)
	}
	for i, w := range t.Tokens {
		if w == nil || len(w.Token) == 0 {
			return malformed("rfc3161Timestamps", "timestamp %d is empty", i)
		}
		if len(w.Token) > maxToken {
			return malformed("rfc3161Timestamps", "timestamp %d is larger than %d bytes", i, maxToken)
		}
		if slices.ContainsFunc(b.tokens, func(x []byte) bool { return bytes.Equal(x, w.Token) }) {
			return malformed("rfc3161Timestamps", "timestamp %d stands there twice", i)
		}
		b.tokens = append(b.tokens, w.Token)
	}
	return nil
}

// clip shortens what came from a file for an error text.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
