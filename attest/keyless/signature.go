package keyless

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // crypto.SHA384 and crypto.SHA512
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"

	"bartizan/attest"
	"bartizan/attest/dsse"
)

// hashByName are the digest algorithms, by the names of bundles and of log
// entries.
var hashByName = map[string]crypto.Hash{
	"SHA2_256": crypto.SHA256, "sha256": crypto.SHA256,
	"SHA2_384": crypto.SHA384, "sha384": crypto.SHA384,
	"SHA2_512": crypto.SHA512, "sha512": crypto.SHA512,
}

// signer is who made the signature: the certificate's key, or the managed key.
type signer struct {
	cert *x509.Certificate // nil for a managed key
	key  crypto.PublicKey
	pkix []byte
	// hashes are the digests that the key may have signed, the usual one first.
	hashes []crypto.Hash
}

// newSigner refuses keys that sigstore's registry of algorithms does not have.
func newSigner(cert *x509.Certificate, key crypto.PublicKey) (*signer, error) {
	s := &signer{cert: cert, key: key}
	unsupported := func(what string) error {
		return attest.Refuse(attest.KeyUnsupported, "", "%s: want ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of 2,048 bits or more", what)
	}
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			s.hashes = []crypto.Hash{crypto.SHA256}
		case elliptic.P384(): // older clients took SHA-256 for every curve
			s.hashes = []crypto.Hash{crypto.SHA384, crypto.SHA256}
		case elliptic.P521():
			s.hashes = []crypto.Hash{crypto.SHA512, crypto.SHA256}
		default:
			return nil, unsupported("ECDSA on another curve")
		}
	case ed25519.PublicKey:
		s.hashes = []crypto.Hash{crypto.SHA512} // Ed25519ph
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return nil, unsupported("a short RSA key")
		}
		s.hashes = []crypto.Hash{crypto.SHA256}
	default:
		return nil, unsupported("a key of another kind")
	}
	var err error
	if s.pkix, err = x509.MarshalPKIXPublicKey(key); err != nil {
		return nil, unsupported("a key that cannot be encoded")
	}
	return s, nil
}

// fingerprint is the SHA-256 of certificate or key, in hex.
func (s *signer) fingerprint() string {
	named := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: s.pkix}) // as keys.Public.Hint has it
	if s.cert != nil {
		named = s.cert.Raw
	}
	sum := sha256.Sum256(named)
	return hex.EncodeToString(sum[:])
}

// named says whether a hint in a bundle is one of the usual names of the key:
// the SHA-256 of the key, in base64 (sigstore) or hex, or of its PEM form in hex
// (model signing). It proves nothing and refuses nothing: it explains a
// signature that fails.
func (s *signer) named(hint string) bool {
	if hint == "" {
		return true
	}
	der := sha256.Sum256(s.pkix)
	text := sha256.Sum256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: s.pkix}))
	return hint == base64.StdEncoding.EncodeToString(der[:]) || hint == hex.EncodeToString(der[:]) || hint == hex.EncodeToString(text[:])
}

// verifyDigest verifies a signature of a message by its digests.
func (s *signer) verifyDigest(d digests, sig []byte) bool {
	for _, h := range s.hashes {
		sum, ok := d[h]
		if !ok {
			continue
		}
		var good bool
		switch k := s.key.(type) {
		case *ecdsa.PublicKey:
			good = ecdsa.VerifyASN1(k, sum, sig)
		case *rsa.PublicKey:
			good = rsa.VerifyPKCS1v15(k, h, sum, sig) == nil
		case ed25519.PublicKey:
			good = len(sig) == ed25519.SignatureSize && ed25519.VerifyWithOptions(k, sum, sig, &ed25519.Options{Hash: h}) == nil
		}
		if good {
			return true
		}
	}
	return false
}

// verifyWhole verifies a signature of a message that is at hand. Ed25519 signs
// envelopes without a digest (RFC 8032, 5.1).
func (s *signer) verifyWhole(message, sig []byte) bool {
	if k, ok := s.key.(ed25519.PublicKey); ok {
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(k, message, sig)
	}
	return s.verifyDigest(digestsOf(message, s.hashes...), sig)
}

// signature verifies the one signature. Of a message the file is read here.
func (c *check) signature() error {
	if e := c.bundle.envelope; e != nil {
		if !c.signer.verifyWhole(dsse.PAE(e.payloadType, e.payload), c.bundle.signature) {
			return c.badSignature(attest.DSSESigInvalid, "the envelope")
		}
		return nil
	}
	m := c.bundle.message
	want := append([]crypto.Hash{m.hash}, c.signer.hashes...)
	for _, e := range c.bundle.entries {
		if e.claim != nil && e.claim.hash != 0 {
			want = append(want, e.claim.hash)
		}
	}
	var err error
	if c.digests, err = readDigests(c.ctx, c.artifact, want...); err != nil {
		return err
	}
	// The digest in the bundle is a hint that nobody signed; that it fits is
	// demanded because one that does not tells best what is wrong.
	if !bytes.Equal(m.digest, c.digests[m.hash]) {
		return attest.Refuse(attest.ArtifactMismatch, "", "the bundle is about a file with another digest")
	}
	if !c.signer.verifyDigest(c.digests, c.bundle.signature) {
		return c.badSignature(attest.MessageSigInvalid, "the file")
	}
	return nil
}

func (c *check) badSignature(code attest.Code, of string) error {
	if c.signer.cert == nil && !c.signer.named(c.bundle.hint) {
		return attest.Refuse(attest.KeyMismatch, "", "the bundle names another key, and the signature is not that of this one")
	}
	return attest.Refuse(code, "", "the signature is not that of the signer's key over %s", of)
}

// digests are those of one message.
type digests map[crypto.Hash][]byte

func digestsOf(message []byte, hashes ...crypto.Hash) digests {
	d := digests{}
	for _, h := range hashes {
		w := h.New()
		w.Write(message)
		d[h] = w.Sum(nil)
	}
	return d
}

// readDigests reads a file once. SHA-256 is always among the digests.
func readDigests(ctx context.Context, r io.Reader, hashes ...crypto.Hash) (digests, error) {
	d := digests{}
	writers := map[crypto.Hash]io.Writer{}
	all := make([]io.Writer, 0, len(hashes)+1)
	for _, h := range append(hashes, crypto.SHA256) {
		if writers[h] == nil {
			writers[h] = h.New()
			all = append(all, writers[h])
		}
	}
	if err := readInto(ctx, r, io.MultiWriter(all...)); err != nil {
		return nil, err
	}
	for h, w := range writers {
		if sum, ok := w.(interface{ Sum([]byte) []byte }); ok {
			d[h] = sum.Sum(nil)
		}
	}
	return d, nil
}

// signedDigest is the digest that a log entry should have.
func (c *check) signedDigest(k *claim) ([]byte, error) {
	if k.hash == 0 {
		return nil, errors.New("its digest is of an algorithm that is not known")
	}
	e := c.bundle.envelope
	switch {
	case e == nil:
		return c.digests[k.hash], nil
	case k.over == overPayload:
		return digestsOf(e.payload, k.hash)[k.hash], nil
	}
	return digestsOf(dsse.PAE(e.payloadType, e.payload), k.hash)[k.hash], nil
}
