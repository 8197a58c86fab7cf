package keylesstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/digitorus/timestamp"
)

// Payload types and predicate types that tests use.
const (
	InToto     = "application/vnd.in-toto+json"
	Provenance = "https://slsa.dev/provenance/v1"
)

// predicate is the least that SLSA Provenance v1 may say.
const predicate = `{"buildDefinition":{"buildType":"https://example.org/build/v1","externalParameters":{}},"runDetails":{"builder":{"id":"https://example.org/builder"}}}`

// Statement is an in-toto statement about a file.
func Statement(artifact []byte) []byte {
	sum := sha256.Sum256(artifact)
	return fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"%x"}}],"predicateType":%q,"predicate":%s}`, sum, Provenance, predicate)
}

// PAE is what DSSE signs.
func PAE(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Plan says how to sign.
type Plan struct {
	MediaType   string // that of 0.3
	Artifact    []byte
	Payload     []byte        // an envelope with it, where it is not nil
	PayloadType string        // InToto
	Key         crypto.Signer // a new P-256
	Managed     bool          // by the key alone
	Hash        crypto.Hash   // SHA-256
	Cert        Cert
	// Log is "hashedrekord/0.0.1", "dsse/0.0.1", "intoto/0.0.2",
	// "hashedrekord/0.0.2", "dsse/0.0.2", "" or "none"; "" is the usual one.
	Log    string
	At     time.Time   // of Rekor v1: a minute after the Epoch
	Stamps []time.Time // of the first timestamp authority
}

// Signed is what Sign made.
type Signed struct {
	Bundle    Doc
	Cert      *x509.Certificate
	Key       crypto.Signer
	Signature []byte
	Public    []byte // PEM
}

// Media types of bundles.
const (
	V01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"
	V02 = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// Sign makes a bundle.
func (b *Box) Sign(p Plan) *Signed {
	if p.MediaType == "" {
		p.MediaType = V03
	}
	if p.Key == nil {
		p.Key = newKey()
	}
	if p.Hash == 0 {
		p.Hash = crypto.SHA256
	}
	if p.PayloadType == "" {
		p.PayloadType = InToto
	}
	if p.At.IsZero() {
		p.At = Epoch.Add(time.Minute)
	}
	s := &Signed{Key: p.Key, Public: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: derOf(p.Key.Public())})}
	material := Doc{}
	switch {
	case p.Managed:
		material["publicKey"] = Doc{"hint": b64(keyID(p.Key.Public()))}
	case p.MediaType == V03:
		s.Cert = b.Certify(p.Key.Public(), p.Cert)
		material["certificate"] = Doc{"rawBytes": b64(s.Cert.Raw)}
	default:
		s.Cert = b.Certify(p.Key.Public(), p.Cert)
		material["x509CertificateChain"] = chainDoc(s.Cert)
	}
	s.Bundle = Doc{"mediaType": p.MediaType, "verificationMaterial": material}
	message := p.Artifact
	if p.Payload != nil {
		message = PAE(p.PayloadType, p.Payload)
	}
	s.Signature = sign(p.Key, p.Hash, message, p.Payload != nil)
	if p.Payload != nil {
		s.Bundle["dsseEnvelope"] = Doc{"payload": b64(p.Payload), "payloadType": p.PayloadType, "signatures": []any{Doc{"sig": b64(s.Signature)}}}
	} else {
		s.Bundle["messageSignature"] = Doc{"messageDigest": Doc{"algorithm": algorithm(p.Hash), "digest": b64(sum(p.Hash, p.Artifact))}, "signature": b64(s.Signature)}
	}
	if e := b.entry(p, s, message); e != nil {
		material["tlogEntries"] = []any{e}
	}
	var tokens []any
	for _, at := range p.Stamps {
		tokens = append(tokens, Doc{"signedTimestamp": b64(b.TSA[0].Stamp(s.Signature, at))})
	}
	if tokens != nil {
		material["timestampVerificationData"] = Doc{"rfc3161Timestamps": tokens}
	}
	return s
}

func sign(key crypto.Signer, h crypto.Hash, message []byte, whole bool) []byte {
	switch key.(type) {
	case ed25519.PrivateKey:
		if whole {
			return must(key.Sign(rand.Reader, message, crypto.Hash(0)))
		}
		return must(key.Sign(rand.Reader, sum(crypto.SHA512, message), &ed25519.Options{Hash: crypto.SHA512}))
	case *ecdsa.PrivateKey, *rsa.PrivateKey:
		return must(key.Sign(rand.Reader, sum(h, message), h))
	}
	panic("unknown key")
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

func algorithm(h crypto.Hash) string {
	return map[crypto.Hash]string{crypto.SHA256: "SHA2_256", crypto.SHA384: "SHA2_384", crypto.SHA512: "SHA2_512"}[h]
}

func lower(h crypto.Hash) string {
	return map[crypto.Hash]string{crypto.SHA256: "sha256", crypto.SHA384: "sha384", crypto.SHA512: "sha512"}[h]
}

// entry logs the signature.
func (b *Box) entry(p Plan, s *Signed, message []byte) Doc {
	if p.Log == "" {
		p.Log = "hashedrekord/0.0.1"
		if p.Payload != nil {
			p.Log = "dsse/0.0.1"
		}
	}
	verifier, details := s.Public, keyDetails(p.Key.Public())
	raw := Doc{"publicKey": Doc{"rawBytes": b64(derOf(p.Key.Public()))}, "keyDetails": details}
	if s.Cert != nil {
		verifier = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Cert.Raw})
		raw = Doc{"x509Certificate": Doc{"rawBytes": b64(s.Cert.Raw)}, "keyDetails": details}
	}
	payload := Doc{"algorithm": "sha256", "value": hex.EncodeToString(sum(crypto.SHA256, p.Payload))}
	sig2 := Doc{"content": b64(s.Signature), "verifier": raw}
	switch p.Log {
	case "hashedrekord/0.0.1":
		return b.Log1("hashedrekord", "0.0.1", body("hashedrekord", "0.0.1", Doc{
			"data":      Doc{"hash": Doc{"algorithm": lower(p.Hash), "value": hex.EncodeToString(sum(p.Hash, message))}},
			"signature": Doc{"content": b64(s.Signature), "publicKey": Doc{"content": b64(verifier)}},
		}), p.At)
	case "dsse/0.0.1":
		return b.Log1("dsse", "0.0.1", body("dsse", "0.0.1", Doc{
			"envelopeHash": payload, "payloadHash": payload,
			"signatures": []any{Doc{"signature": b64(s.Signature), "verifier": b64(verifier)}},
		}), p.At)
	case "intoto/0.0.2":
		return b.Log1("intoto", "0.0.2", body("intoto", "0.0.2", Doc{"content": Doc{
			"hash": payload, "payloadHash": payload,
			"envelope": Doc{"payloadType": p.PayloadType, "signatures": []any{Doc{"sig": b64([]byte(b64(s.Signature))), "publicKey": b64(verifier)}}},
		}}), p.At)
	case "hashedrekord/0.0.2":
		return b.Log2("hashedrekord", body("hashedrekord", "0.0.2", Doc{"hashedRekordV002": Doc{
			"data": Doc{"algorithm": algorithm(p.Hash), "digest": b64(sum(p.Hash, message))}, "signature": sig2,
		}}))
	case "dsse/0.0.2":
		return b.Log2("dsse", body("dsse", "0.0.2", Doc{"dsseV002": Doc{
			"payloadHash": Doc{"algorithm": "SHA2_256", "digest": b64(sum(crypto.SHA256, p.Payload))}, "signatures": []any{sig2},
		}}))
	}
	return nil
}

// body is canonical: encoding/json sorts keys.
func body(kind, version string, spec Doc) []byte {
	return JSON(Doc{"apiVersion": version, "kind": kind, "spec": spec})
}

func keyDetails(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		return map[int]string{256: "PKIX_ECDSA_P256_SHA_256", 384: "PKIX_ECDSA_P384_SHA_384", 521: "PKIX_ECDSA_P521_SHA_512"}[k.Params().BitSize]
	case *rsa.PublicKey:
		return fmt.Sprintf("PKIX_RSA_PKCS1V15_%d_SHA256", k.N.BitLen())
	}
	return "PKIX_ED25519_PH"
}

// NewAuthority makes a timestamp authority, trusted for ten years.
func NewAuthority(uri string) *Authority {
	a := &Authority{URI: uri, Key: newKey(), Start: Epoch.AddDate(-1, 0, 0)}
	rootKey := newKey()
	a.Root = authority("box tsa root "+uri, rootKey, nil, nil)
	usage := must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))
	a.Leaf = certificate(&x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "box tsa " + uri},
		NotBefore: Epoch.AddDate(-1, 0, 0), NotAfter: Epoch.AddDate(9, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}, a.Root, a.Key.Public(), rootKey)
	return a
}

// Stamp makes an RFC 3161 token over a signature.
func (a *Authority) Stamp(signature []byte, at time.Time) []byte {
	h := sha256.Sum256(signature)
	t := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: h[:], Time: at,
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2}, SerialNumber: serial(),
	}
	return must(t.CreateResponseWithOpts(a.Leaf, a.Key, crypto.SHA256))
}
