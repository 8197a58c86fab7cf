package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/keyless"
	"bartizan/attest/oms"
	"bartizan/cmd/internal/input"
)

// trustFlags name who is believed: by one of three methods.
type trustFlags struct {
	Key              string   `placeholder:"K.pub" help:"Believe this public key (PEM)."`
	CertificateChain []string `sep:"none" placeholder:"C" help:"Believe certificates that chain to the self-signed ones in this PEM file (repeatable)."`
	Identity         string   `placeholder:"I" help:"Believe this identity of a keyless signature, such as an e-mail address or the URI of a workflow; exact."`
	Issuer           string   `placeholder:"U" help:"Who vouches for the identity: the URL of the OpenID Connect issuer; exact."`
	TrustedRoot      string   `placeholder:"T" help:"The sigstore trusted root (JSON) with the authorities and logs that are believed."`
}

// check says whether exactly one method is named, whole, and nothing that it
// would not look at: whoever gives a trusted root wants the log checked.
func (f *trustFlags) check() error {
	if err := f.checkWithLog(); err != nil {
		return err
	}
	if f.Key != "" && f.TrustedRoot != "" {
		return usagef("--trusted-root: with --key no log is looked at here: leave it away (bartizan attest verify --key K.pub --trusted-root T checks the log of a signed statement or file)")
	}
	return nil
}

// checkWithLog is check for those who look up a key's signature in the log.
func (f *trustFlags) checkWithLog() error {
	keyless := f.Identity != "" || f.Issuer != ""
	given := 0
	for _, is := range []bool{f.Key != "", len(f.CertificateChain) > 0, keyless} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return usagef("say who is believed by one of: --key K.pub; --certificate-chain C; --identity I --issuer U --trusted-root T")
	case keyless && (f.Identity == "" || f.Issuer == "" || f.TrustedRoot == ""):
		return usagef("--identity, --issuer and --trusted-root go together")
	case len(f.CertificateChain) > 0 && f.TrustedRoot != "":
		return usagef("--trusted-root: with --certificate-chain no log is looked at: leave it away, or verify by --identity and --issuer")
	}
	return nil
}

// trust reads what the flags name.
func (f *trustFlags) trust(now time.Time) (oms.Trust, error) {
	switch {
	case f.Key != "":
		key, err := readPublicKey(f.Key)
		if err != nil {
			return nil, err
		}
		return oms.KeyTrust{Key: key}, nil
	case len(f.CertificateChain) > 0:
		var files [][]byte
		for _, path := range f.CertificateChain {
			data, err := readSmall(path)
			if err != nil {
				return nil, fmt.Errorf("--certificate-chain: %w", err)
			}
			files = append(files, data)
		}
		trust, err := oms.NewCertificateTrust(now, files...)
		if err != nil {
			return nil, fmt.Errorf("--certificate-chain: %w", err)
		}
		return trust, nil
	}
	root, err := readTrustedRoot(f.TrustedRoot)
	if err != nil {
		return nil, err
	}
	return keylessTrust{keyless.Policy{Identity: f.Identity, Issuer: f.Issuer, TrustedRoot: root}}, nil
}

func readTrustedRoot(path string) ([]byte, error) {
	const limit = 16 << 20
	root, err := input.AtMost(path, limit)
	if err != nil {
		return nil, fmt.Errorf("--trusted-root: %w", err)
	}
	return root, nil
}

// keylessTrust lets the engine for sigstore identities decide.
type keylessTrust struct{ policy keyless.Policy }

// Method implements oms.Trust.
func (keylessTrust) Method() bundle.Method { return bundle.MethodKeyless }

// Authenticate implements oms.Trust. Both readers must have seen one payload.
func (t keylessTrust) Authenticate(ctx context.Context, raw []byte, b *bundle.Bundle, _ bool) (oms.Signer, error) {
	payloadType, payload, result, err := keyless.VerifyEnvelope(ctx, raw, t.policy)
	if err != nil {
		return oms.Signer{}, err
	}
	if payloadType != b.Envelope.PayloadType || !bytes.Equal(payload, b.Envelope.Payload) {
		return oms.Signer{}, attest.Refuse(attest.BundleMalformed, "dsseEnvelope", "two readers understand the envelope differently")
	}
	return oms.Signer{Method: bundle.MethodKeyless, Key: result.Fingerprint, Identity: result.Identity, Issuer: result.Issuer}, nil
}

// readBundle reads what --bundle names. One that is too large is cut at a byte
// past the limit, which its parser refuses.
func readBundle(path string) ([]byte, error) {
	raw, err := input.Cut(path, bundle.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("--bundle: %w", err)
	}
	return raw, nil
}
