package keys

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// Bounds of certificates that somebody else brings along: verifying with a
// modulus of 100 kB takes a minute, and a chain is verified before anything in
// it is trusted.
const (
	maxCertificate = 64 << 10 // bytes of DER
	maxModulus     = 16_384   // bits
)

// ParseCertificate parses a certificate of a bundle, in DER.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	if len(der) > maxCertificate {
		return nil, fmt.Errorf("larger than %d bytes", maxCertificate)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("no X.509 certificate in DER")
	}
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxModulus {
		return nil, fmt.Errorf("an RSA key of %d bits: at most %d are used", key.N.BitLen(), maxModulus)
	}
	return c, nil
}
