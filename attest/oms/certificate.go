package oms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/keys"
)

// CertificateTrust trusts certificates that chain to given roots.
type CertificateTrust struct {
	roots, between *x509.CertPool
	now            time.Time
}

// NewCertificateTrust reads PEM files of certificates. Those that name themselves
// as their issuer are trusted; others may stand in a chain, but end none. Certificates
// that begin to be valid after now are refused.
func NewCertificateTrust(now time.Time, files ...[]byte) (*CertificateTrust, error) {
	t := &CertificateTrust{roots: x509.NewCertPool(), between: x509.NewCertPool(), now: now}
	anchors := 0
	for _, data := range files {
		certs, err := ReadCertificates(data)
		if err != nil {
			return nil, err
		}
		for _, c := range certs {
			// Its own signature proves nothing: old roots signed themselves with SHA-1.
			if bytes.Equal(c.RawSubject, c.RawIssuer) {
				t.roots.AddCert(c)
				anchors++
				continue
			}
			t.between.AddCert(c)
		}
	}
	if anchors == 0 {
		return nil, errors.New("no certificate of the chain is its own issuer: a chain ends in a root")
	}
	return t, nil
}

// ReadCertificates reads the certificates of a PEM file, of which there must be
// at least one.
func ReadCertificates(data []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("a PEM block of type %q: want CERTIFICATE", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(out)+1, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("no PEM block: want certificates that begin with -----BEGIN CERTIFICATE-----")
	}
	return out, nil
}

// Method implements Trust.
func (*CertificateTrust) Method() bundle.Method { return bundle.MethodCertificate }

// Authenticate implements Trust. The chain is judged at the moment from which the
// leaf is valid, as the specification has it: there is no proof of the time of
// signing, and a signature is to be checked years later.
func (t *CertificateTrust) Authenticate(_ context.Context, _ []byte, b *bundle.Bundle, legacy bool) (Signer, error) {
	leaf, between, err := t.chain(b.Certificates)
	if err != nil {
		return Signer{}, err
	}
	if leaf.NotBefore.After(t.now) {
		return Signer{}, untrusted("the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: t.roots, Intermediates: between, CurrentTime: leaf.NotBefore,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return Signer{}, untrusted("%s", chainError(err))
	}
	if err := maySign(leaf); err != nil {
		return Signer{}, err
	}
	key, err := keys.NewPublic(leaf.PublicKey)
	if err != nil {
		return Signer{}, err
	}
	sum := sha256.Sum256(leaf.Raw)
	signer := Signer{Method: bundle.MethodCertificate, Key: hex.EncodeToString(sum[:]), Kind: key.Kind(), Identity: leaf.Subject.String()}
	return signer, verify(b.Envelope, key, legacy)
}

func untrusted(format string, args ...any) error {
	return attest.Refuse(attest.CertUntrusted, "", format, args...)
}

// chain parses the bundle's certificates. None of them is trusted for being there.
func (t *CertificateTrust) chain(ders [][]byte) (leaf *x509.Certificate, between *x509.CertPool, err error) {
	between = t.between.Clone()
	for i, der := range ders {
		c, err := keys.ParseCertificate(der)
		if err != nil {
			return nil, nil, untrusted("certificate %d of the bundle: %v", i+1, err)
		}
		if i == 0 {
			leaf = c
			continue
		}
		between.AddCert(c)
	}
	return leaf, between, nil
}

// chainError says what the library found without what the certificate says of
// itself.
func chainError(err error) string {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "no chain leads from the signing certificate to a root that was given"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "a certificate of the chain was not valid when the signing certificate began to be"
	case errors.As(err, &invalid) && invalid.Reason == x509.NotAuthorizedToSign:
		return "a certificate of the chain is not that of an authority"
	}
	return "the chain does not verify: a constraint, an unknown critical extension or a weak signature"
}

// maySign demands that the certificate is for signing: by its key usage where it
// has one, by its extended key usage where it has one, and by one of them at least.
func maySign(c *x509.Certificate) error {
	usage := c.KeyUsage != 0
	if usage && c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return untrusted("the certificate's key usage is not digitalSignature")
	}
	extended := len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0
	if extended && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return untrusted("the certificate's extended key usage is not code signing")
	}
	if !usage && !extended {
		return untrusted("the certificate does not say that it may sign")
	}
	return nil
}
