package keyless

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"

	"bartizan/attest"
	"bartizan/attest/strictjson"
)

// maxRoot is the largest trusted root that is read; that of the public
// instance has 7 KB.
const maxRoot = 4 << 20

// trust is whom to believe, read.
type trust struct {
	identity, issuer string
	key              *signer           // nil for an identity
	root             *root.TrustedRoot // nil for a key without one
	predicateType    string
}

func (p Policy) load() (*trust, error) {
	switch {
	case p.Identity == "":
		return nil, errors.New("keyless: the identity is empty: whose signature is wanted has to be said")
	case p.Issuer == "":
		return nil, errors.New("keyless: the issuer is empty: an identity means something only together with who vouches for it")
	case p.TrustedRoot == nil:
		return nil, errors.New("keyless: a trusted root is needed")
	}
	r, err := loadRoot(p.TrustedRoot)
	if err != nil {
		return nil, err
	}
	if len(r.FulcioCertificateAuthorities()) == 0 {
		return nil, badRoot("it has no certificate authority")
	}
	return &trust{identity: p.Identity, issuer: p.Issuer, root: r, predicateType: p.PredicateType}, nil
}

func (k Key) load() (*trust, error) {
	der, err := readPEM(k.PEM)
	if err != nil {
		return nil, err
	}
	t := &trust{predicateType: k.PredicateType}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.key = &signer{pkix: der} // whoSigned says what that means for the bundle
	} else if t.key, err = newSigner(nil, key); err != nil {
		return nil, err
	}
	if k.TrustedRoot != nil {
		if t.root, err = loadRoot(k.TrustedRoot); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// readPEM takes the one public key of a PEM file.
func readPEM(data []byte) ([]byte, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("public key: want PEM that begins with -----BEGIN PUBLIC KEY-----")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("public key: more follows after the first PEM block: which key is meant cannot be known")
	}
	return block.Bytes, nil
}

func badRoot(format string, args ...any) error {
	return attest.Refuse(attest.TrustRootMalformed, "", format, args...)
}

// loadRoot reads a trusted root: strictly as JSON, then by the library.
func loadRoot(data []byte) (*root.TrustedRoot, error) {
	if len(data) > maxRoot {
		return nil, badRoot("larger than %d bytes", maxRoot)
	}
	var whole jsontext.Value
	if err := strictjson.Unmarshal(data, &whole); err != nil {
		return nil, badRoot("%v", err)
	}
	r, err := guard(func() (*root.TrustedRoot, error) { return root.NewTrustedRootFromJSON(data) })
	if err != nil {
		return nil, badRoot("no sigstore trusted root of version 0.1: %s", oneLine(err))
	}
	for _, l := range r.RekorLogs() {
		if l == nil {
			return nil, badRoot("a log in it is empty")
		}
	}
	return r, nil
}

// within says whether a time lies in a closed interval; a zero end is open.
func within(t, start, end time.Time) bool {
	return (start.IsZero() || !t.Before(start)) && (end.IsZero() || !t.After(end))
}

// guard runs code of a library over bytes that somebody else made, and turns a
// panic in it into an error: what cannot be verified is refused.
func guard[T any](f func() (T, error)) (out T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the data cannot be processed")
		}
	}()
	return f()
}

// oneLine is an error's text, cut short.
func oneLine(err error) string {
	s := []byte(clip(err.Error()))
	for i, c := range s {
		if c < ' ' {
			s[i] = ' '
		}
	}
	return string(s)
}

// material is the trusted root as the library wants it, with the managed key
// in it where there is one.
func (t *trust) material() root.TrustedMaterial {
	if t.key == nil {
		return t.root
	}
	key := t.key
	return root.TrustedMaterialCollection{t.root, root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		v, err := signature.LoadDefaultVerifier(key.key)
		if err != nil {
			return nil, err
		}
		return root.NewExpiringKey(v, time.Time{}, time.Time{}), nil
	})}
}
