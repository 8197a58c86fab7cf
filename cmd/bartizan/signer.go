package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"

	"bartizan/attest/keys"
	"bartizan/attest/keys/pkcs11"
	"bartizan/attest/oms"
)

// signerFlags name who signs.
type signerFlags struct {
	Key              string `required:"" placeholder:"KEY" help:"The private key: a PEM file, or a pkcs11: URI."`
	Certificate      string `placeholder:"LEAF" help:"Sign with the certificate of the key, not with the key alone (PEM)."`
	CertificateChain string `placeholder:"CHAIN" help:"Certificates between the leaf and the root that verifiers trust (PEM)."`
}

// open gives the signer and the chain of certificates, if any. close is called
// when it is no longer needed.
func (f *signerFlags) open(ctx context.Context) (signer keys.Signer, chain []*x509.Certificate, closer func() error, err error) {
	if f.CertificateChain != "" && f.Certificate == "" {
		return nil, nil, nil, usagef("--certificate-chain goes with --certificate LEAF")
	}
	if f.Certificate != "" {
		if chain, err = readChain("--certificate", f.Certificate); err != nil {
			return nil, nil, nil, err
		}
	}
	if f.CertificateChain != "" {
		more, err := readChain("--certificate-chain", f.CertificateChain)
		if err != nil {
			return nil, nil, nil, err
		}
		chain = append(chain, more...)
	}
	signer, closer, err = openSigner(ctx, f.Key)
	return signer, chain, closer, err
}

func openSigner(ctx context.Context, key string) (keys.Signer, func() error, error) {
	if strings.HasPrefix(key, "pkcs11:") {
		token, err := pkcs11.Open(ctx, key, pkcs11.Options{})
		if err != nil {
			return nil, nil, fmt.Errorf("--key: %w", err)
		}
		return token, token.Close, nil
	}
	data, err := readSmall(key)
	if err != nil {
		return nil, nil, fmt.Errorf("--key: %w", err)
	}
	private, err := keys.ReadPrivate(data)
	if err != nil {
		if strings.Contains(string(data), "PUBLIC KEY") {
			return nil, nil, usagef("--key %s: holds a public key: signing wants the private one", key)
		}
		return nil, nil, fmt.Errorf("--key %s: %w", key, err)
	}
	return private, func() error { return nil }, nil
}

func readChain(flag, path string) ([]*x509.Certificate, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	chain, err := oms.ReadCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, path, err)
	}
	return chain, nil
}
