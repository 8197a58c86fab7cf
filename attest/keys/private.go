package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	_ "crypto/sha512" // P-384 and P-521 hash with it
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// Signer signs messages with a private key that it may only be able to reach,
// not to show: in a file, in a token, behind a service.
type Signer interface {
	Public() *Public
	// Sign signs the message itself, not a digest of it.
	Sign(ctx context.Context, message []byte) ([]byte, error)
}

// Private is a private key in memory.
type Private struct {
	signer crypto.Signer
	public *Public
}

// NewPrivate takes a key of crypto/ecdsa or crypto/ed25519.
func NewPrivate(key crypto.Signer) (*Private, error) {
	public, err := NewPublic(key.Public())
	if err != nil {
		return nil, err
	}
	return &Private{signer: key, public: public}, nil
}

// Curves are the names that Generate knows, the default first.
func Curves() []string { return []string{"P-256", "P-384", "P-521", KindEd25519} }

// Generate makes a new key of one of Curves.
func Generate(kind string) (*Private, error) {
	var key crypto.Signer
	var err error
	switch kind {
	case "P-256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "P-521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case KindEd25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("kind of key %q: want one of %v", kind, Curves())
	}
	if err != nil {
		return nil, err
	}
	return NewPrivate(key)
}

// ReadPrivate reads the one private key of a PEM file: PKCS #8, or SEC 1 with
// or without a block of parameters before it. Encrypted keys are not read.
func ReadPrivate(data []byte) (*Private, error) {
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("no PEM block: want a private key that begins with -----BEGIN PRIVATE KEY-----")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("more than one PEM block: which key is meant cannot be known")
	}
	key, err := parsePrivate(block)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%T cannot sign", key)
	}
	return NewPrivate(signer)
}

// parsePrivate never repeats what the parser says: it could quote the key.
func parsePrivate(block *pem.Block) (any, error) {
	_, procType := block.Headers["Proc-Type"]
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || procType:
		return nil, errors.New("the private key is encrypted: decrypt it first (openssl pkcs8), or keep it in a token and name it by a pkcs11: URI")
	case block.Type == "EC PRIVATE KEY":
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		return nil, errors.New("the EC PRIVATE KEY block holds no key on P-256, P-384 or P-521")
	case block.Type == "PRIVATE KEY":
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		return nil, errors.New("the PRIVATE KEY block holds no PKCS #8 key of a known kind")
	}
	return nil, fmt.Errorf("a PEM block of type %q: want PRIVATE KEY", block.Type)
}

// PEM gives the key as PKCS #8 in PEM.
func (p *Private) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.signer)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Public implements Signer.
func (p *Private) Public() *Public { return p.public }

// Sign implements Signer.
func (p *Private) Sign(ctx context.Context, message []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.public.hash == 0 {
		return p.signer.Sign(rand.Reader, message, crypto.Hash(0))
	}
	return p.signer.Sign(rand.Reader, digest(p.public.hash, message), p.public.hash)
}
