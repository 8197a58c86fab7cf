package oms

import (
	"context"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/dsse"
	"bartizan/attest/keys"
	"bartizan/attest/statement"
)

// Trust decides whether a bundle was signed by whom the caller trusts.
type Trust interface {
	// Method is the one that it is for: bundles of others are refused.
	Method() bundle.Method
	// Authenticate refuses what it does not trust. raw is the bundle as it was
	// read; legacy says that the statement claims to be of a release before the
	// specification, whose signatures need another encoding.
	Authenticate(ctx context.Context, raw []byte, b *bundle.Bundle, legacy bool) (Signer, error)
}

// Authenticate decides who signed what: the bundle is well formed, of the method
// of trust, and signed by whom it trusts, and its statement is valid. No file is
// opened. What is wrong is an *attest.Error.
func Authenticate(ctx context.Context, raw []byte, trust Trust) (*Model, error) {
	b, err := bundle.Parse(raw)
	if err != nil {
		return nil, err
	}
	signer, err := authenticate(ctx, raw, b, trust)
	if err != nil {
		return nil, err
	}
	if err := specified(signer.Kind); err != nil {
		return nil, err
	}
	m, err := parse(b.Envelope.Payload)
	if err != nil {
		return nil, err
	}
	m.Signer = signer
	return m, nil
}

// AuthenticateStatement decides who signed any in-toto statement, and gives its
// payload.
func AuthenticateStatement(ctx context.Context, raw []byte, trust Trust) ([]byte, Signer, error) {
	b, err := bundle.Parse(raw)
	if err != nil {
		return nil, Signer{}, err
	}
	signer, err := authenticate(ctx, raw, b, trust)
	if err != nil {
		return nil, Signer{}, err
	}
	return b.Envelope.Payload, signer, nil
}

func authenticate(ctx context.Context, raw []byte, b *bundle.Bundle, trust Trust) (Signer, error) {
	if b.Method != trust.Method() {
		return Signer{}, attest.Refuse(attest.MethodMismatch, "", "signed by the method %s, asked for is %s", b.Method, trust.Method())
	}
	if b.Envelope == nil {
		return Signer{}, attest.Refuse(attest.BundleMalformed, "dsseEnvelope", "missing: the bundle signs a message digest")
	}
	if b.Envelope.PayloadType != statement.PayloadType {
		return Signer{}, attest.Refuse(attest.DSSEPayloadType, "", "want %s", statement.PayloadType)
	}
	// Not yet believed: it only chooses between two encodings of what is signed.
	_, predicate, err := kindOf(b.Envelope.Payload)
	legacy := err == nil && predicate == LegacyPredicateType
	return trust.Authenticate(ctx, raw, b, legacy)
}

// KeyTrust trusts one key.
type KeyTrust struct{ Key *keys.Public }

// Method implements Trust.
func (KeyTrust) Method() bundle.Method { return bundle.MethodKey }

// Authenticate implements Trust: the bundle names the key, if any, and the
// signature is the key's.
func (t KeyTrust) Authenticate(_ context.Context, _ []byte, b *bundle.Bundle, legacy bool) (Signer, error) {
	if b.Hint != "" && b.Hint != t.Key.Hint() {
		return Signer{}, attest.Refuse(attest.KeyMismatch, "", "the bundle names the key %s, given is %s", short(b.Hint), short(t.Key.Hint()))
	}
	if b.RawKey != nil && !t.isRaw(b.RawKey) {
		return Signer{}, attest.Refuse(attest.KeyMismatch, "", "the bundle holds another key than %s", short(t.Key.Hint()))
	}
	return Signer{Method: bundle.MethodKey, Key: t.Key.Hint(), Kind: t.Key.Kind()}, verify(b.Envelope, t.Key, legacy)
}

// isRaw compares with the key as releases before 1.0 wrote it: PEM.
func (t KeyTrust) isRaw(raw []byte) bool {
	other, err := keys.ReadPublic(raw)
	return err == nil && other.Equal(t.Key)
}

// specified refuses kinds of keys that the specification does not know, though
// Bartizan uses them elsewhere.
func specified(kind string) error {
	if kind == keys.KindEd25519 {
		return attest.Refuse(attest.KeyUnsupported, "", "%s: model signing knows ECDSA on P-256, P-384 and P-521", kind)
	}
	return nil
}

func verify(e *dsse.Envelope, key *keys.Public, legacy bool) error {
	if legacy {
		return e.VerifyLegacy(key)
	}
	return e.Verify(key)
}

// short keeps text from a bundle from filling the screen.
func short(s string) string {
	const enough = 16
	for i, c := range s {
		if i >= enough || (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return s[:i] + "…"
		}
	}
	return s
}
