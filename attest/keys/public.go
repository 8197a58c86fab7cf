// Package keys reads, makes and uses the keys that sign claims: ECDSA on P-256,
// P-384 and P-521 with SHA-256, SHA-384 and SHA-512 (as the OpenSSF Model
// Signing specification wants them, FIPS 186-5), and Ed25519 (RFC 8032) for
// what Bartizan signs by itself. Everything else, RSA above all, is refused
// with KEY_UNSUPPORTED: it is not in the specification.
//
// Files are PEM: PKIX for public keys, PKCS #8 or SEC 1 for private ones.
package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"bartizan/attest"
)

// Public is a public key of a supported kind.
type Public struct {
	key  crypto.PublicKey
	hash crypto.Hash // 0 for Ed25519
	pem  []byte
}

// NewPublic takes a key of crypto/ecdsa or crypto/ed25519. It refuses others,
// and Ed25519 points of small order, with KEY_UNSUPPORTED.
func NewPublic(key crypto.PublicKey) (*Public, error) {
	hash, err := hashFor(key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, attest.Refuse(attest.KeyUnsupported, "", "the public key cannot be encoded")
	}
	return &Public{key: key, hash: hash, pem: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}, nil
}

// hashFor gives the digest that goes with a curve.
func hashFor(key crypto.PublicKey) (crypto.Hash, error) {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return crypto.SHA256, nil
		case elliptic.P384():
			return crypto.SHA384, nil
		case elliptic.P521():
			return crypto.SHA512, nil
		}
		return 0, attest.Refuse(attest.KeyUnsupported, "", "ECDSA on %s: want P-256, P-384 or P-521", k.Params().Name)
	case ed25519.PublicKey:
		if smallOrder(k) {
			return 0, attest.Refuse(attest.KeyUnsupported, "", "the Ed25519 key is a point of small order: signatures for it can be made without any private key")
		}
		return 0, nil
	case *rsa.PublicKey:
		return 0, attest.Refuse(attest.KeyUnsupported, "", "RSA: want ECDSA on P-256, P-384 or P-521")
	}
	return 0, attest.Refuse(attest.KeyUnsupported, "", "%T: want ECDSA on P-256, P-384 or P-521", key)
}

// ReadPublic reads the one public key of a PEM file.
func ReadPublic(data []byte) (*Public, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM block: want a public key that begins with -----BEGIN PUBLIC KEY-----")
	}
	if block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf("a PEM block of type %q: want PUBLIC KEY", block.Type)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("more than one PEM block: which key is meant cannot be known")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return NewPublic(key)
}

// PEM gives the key as PKIX in PEM.
func (p *Public) PEM() []byte { return bytes.Clone(p.pem) }

// Crypto gives the key as the standard library knows it.
func (p *Public) Crypto() crypto.PublicKey { return p.key }

// Hash is the digest of messages, 0 for Ed25519, which takes them whole.
func (p *Public) Hash() crypto.Hash { return p.hash }

// Hint names the key in bundles: the SHA-256 of its PEM form, in hex.
func (p *Public) Hint() string {
	sum := sha256.Sum256(p.pem)
	return hex.EncodeToString(sum[:])
}

// KindEd25519 is the one kind of key that is not on a NIST curve.
const KindEd25519 = "Ed25519"

// Kind is "P-256", "P-384", "P-521" or "Ed25519".
func (p *Public) Kind() string {
	if k, ok := p.key.(*ecdsa.PublicKey); ok {
		return k.Params().Name
	}
	return KindEd25519
}

// Equal says whether two keys are the same.
func (p *Public) Equal(other *Public) bool { return bytes.Equal(p.pem, other.pem) }

// Verify says whether sig is the key's signature of message: ASN.1 DER for
// ECDSA, over the digest of the curve; 64 bytes for Ed25519.
func (p *Public) Verify(message, sig []byte) bool {
	return p.VerifyWith(p.hash, message, sig)
}

// VerifyWith is Verify with another digest. Only signers before release 1.0 of
// model_signing need it, which took SHA-256 for every curve.
func (p *Public) VerifyWith(hash crypto.Hash, message, sig []byte) bool {
	switch k := p.key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, digest(hash, message), sig)
	case ed25519.PublicKey:
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(k, message, sig)
	}
	return false
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}
