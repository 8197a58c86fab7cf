// Package keyless verifies sigstore bundles offline: a signature over one file,
// or over a DSSE envelope, made with a short-lived certificate that names who
// signed (the keyless method of https://docs.sigstore.dev/about/security/ and
// of OpenSSF Model Signing v1.0), or with a managed key.
//
// Who is believed is given by the caller: an identity and its issuer with a
// trusted root (the JSON of dev.sigstore.trustroot.v1.TrustedRoot), or a public
// key. Nothing is fetched, no clock is read: an answer depends on the arguments
// alone, and is the same in ten years.
//
// A certificate is accepted when all of this holds; each refusal has its code:
//
//	the bundle is one, version 0.1 to 0.3, understood in one way    BUNDLE_*, DSSE_SIGNATURE_COUNT
//	it is signed by the method that was asked for                   METHOD_MISMATCH
//	its certificate chains to an authority of the root              CERT_UNTRUSTED
//	a certificate transparency log of the root has promised it      SCT_INVALID
//	the signature is that of its key over the file or the envelope  MESSAGE_SIG_INVALID, DSSE_SIG_INVALID, ARTIFACT_MISMATCH
//	every log entry is about this signature, signer and content     LOG_ENTRY_MISMATCH
//	an entry is there, in a log of the root, with its proofs        LOG_ENTRY_MISSING, LOG_UNTRUSTED, LOG_PROOF_INVALID
//	a log or an authority of the root says when it was signed       TIMESTAMP_MISSING, TIMESTAMP_INVALID
//	at all those times the certificate and its chain were valid     TIMESTAMP_INVALID, CERT_UNTRUSTED
//	it was issued to the identity, by the issuer                    IDENTITY_MISMATCH
//	an in-toto statement has the file among its subjects            STATEMENT_*, PREDICATE_TYPE, ARTIFACT_MISMATCH
//
// With a managed key the certificate's part falls away, and without a trusted
// root the log's too.
//
// Parsing, signatures, identities and the comparison of log entries are done
// here; proofs of logs, certificate transparency and RFC 3161 tokens by
// github.com/sigstore/sigstore-go, whose verification of log entries as a whole
// has to agree as well.
package keyless

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"bartizan/attest"
)

// Policy believes a sigstore identity.
type Policy struct {
	// Identity is compared with the one subject alternative name of the
	// certificate (e-mail, URI, or the other name of Fulcio), byte by byte. One
	// with a scheme is no e-mail address, and one without is no URI.
	Identity string
	// Issuer is compared with the OpenID Connect issuer in the certificate,
	// byte by byte.
	Issuer string
	// TrustedRoot is the JSON of a sigstore trusted root.
	TrustedRoot []byte
	// PredicateType, where it is not empty, is the only one accepted
	// (CVE-2026-39395 is what happens without).
	PredicateType string
}

// Key believes a managed key.
type Key struct {
	// PEM is one public key, PKIX: ECDSA on P-256, P-384 or P-521, Ed25519, or
	// RSA of at least 2,048 bits.
	PEM []byte
	// TrustedRoot, where it is not nil, demands a log entry that verifies.
	TrustedRoot []byte
	// PredicateType is that of Policy.
	PredicateType string
}

// Trust says who is believed: a Policy or a Key.
type Trust interface {
	load() (*trust, error)
}

// Result says what was proven.
type Result struct {
	// Identity and Issuer are those of the certificate, empty with a key.
	Identity, Issuer string
	// Fingerprint is the SHA-256 of the certificate, or of the key in PEM, in hex.
	Fingerprint string
	// Key says that a managed key signed.
	Key bool
	// Entries are the log entries that were verified.
	Entries []Entry
	// Times are when the signature was there already, earliest first.
	Times []Time
	// Content is ContentMessage or ContentEnvelope.
	Content Content
	// PayloadType and Statement describe the envelope; Statement is set by
	// VerifyArtifact, and where a predicate type was wanted.
	PayloadType string
	Statement   Statement
	// SHA256 is the digest of the file, in hex; VerifyEnvelope reads none.
	SHA256 string
}

// Content is what a signature covers.
type Content string

// The kinds of content.
const (
	ContentMessage  Content = "message"
	ContentEnvelope Content = "envelope"
)

// Entry is a verified log entry.
type Entry struct {
	// Log is the base URL of the log in the trusted root.
	Log string
	// Kind is "hashedrekord", "dsse" or "intoto", Version that of the entry.
	Kind, Version string
	// Index is the entry's place in the log: over all shards where the log
	// promised it, else in the tree of its proof.
	Index int64
	// Promised and Proven say what was verified: a signed entry timestamp, an
	// inclusion proof with its checkpoint.
	Promised, Proven bool
}

// Time is one proof of when.
type Time struct {
	// Source is "log" or "authority".
	Source string
	// URI is that of the log or timestamp authority in the trusted root.
	URI  string
	Time time.Time
}

// VerifyArtifact verifies a bundle over one file: a message signature, or an
// envelope whose in-toto statement has the file as a subject. The file is read
// once, as a stream, when the certificate is known to be trusted.
//
// Errors that are no [attest.Error] say that the check could not be made: a
// policy that is empty, a key that is none, a file that cannot be read.
func VerifyArtifact(ctx context.Context, bundleJSON []byte, artifact io.Reader, who Trust) (*Result, error) {
	if artifact == nil {
		return nil, errors.New("keyless: no file given")
	}
	c, err := open(ctx, bundleJSON, who)
	if err != nil {
		return nil, err
	}
	c.artifact = artifact
	if err := c.asked(); err != nil {
		return nil, err
	}
	if err := c.run(); err != nil {
		return nil, err
	}
	if c.bundle.envelope != nil {
		if err := c.subject(); err != nil {
			return nil, err
		}
	}
	c.result.SHA256 = hex.EncodeToString(c.digests[crypto.SHA256])
	return &c.result, nil
}

// VerifyEnvelope verifies the envelope of a bundle and gives what is signed in
// it. What the payload says, and of which bytes, is for the caller to judge.
func VerifyEnvelope(ctx context.Context, bundleJSON []byte, who Trust) (payloadType string, payload []byte, result *Result, err error) {
	c, err := open(ctx, bundleJSON, who)
	if err != nil {
		return "", nil, nil, err
	}
	if c.bundle.envelope == nil {
		return "", nil, nil, attest.Refuse(attest.MethodMismatch, "", "the bundle signs a file as it is, not an envelope")
	}
	if err := c.run(); err != nil {
		return "", nil, nil, err
	}
	if c.trust.predicateType != "" {
		_, said, err := readStatement(c.bundle.envelope.payload, c.trust.predicateType)
		if err != nil {
			return "", nil, nil, err
		}
		c.result.Statement = said
	}
	return c.bundle.envelope.payloadType, c.bundle.envelope.payload, &c.result, nil
}

// check is one verification on its way.
type check struct {
	ctx      context.Context
	trust    *trust
	bundle   *bundle
	signer   *signer
	artifact io.Reader
	digests  digests // of the artefact, once it was read
	result   Result
}

func open(ctx context.Context, bundleJSON []byte, who Trust) (*check, error) {
	if who == nil {
		return nil, errors.New("keyless: nobody to trust was given")
	}
	t, err := who.load()
	if err != nil {
		return nil, err
	}
	b, err := parse(bundleJSON)
	if err != nil {
		return nil, err
	}
	c := &check{ctx: ctx, trust: t, bundle: b}
	if b.envelope != nil {
		c.result.Content, c.result.PayloadType = ContentEnvelope, b.envelope.payloadType
	} else {
		c.result.Content = ContentMessage
	}
	return c, c.method()
}

// method refuses a bundle that is signed otherwise than was asked.
func (c *check) method() error {
	byKey := c.bundle.chain == nil
	switch {
	case c.trust.key != nil && !byKey:
		return attest.Refuse(attest.MethodMismatch, "", "the bundle is signed with a certificate: verify it by identity and issuer, not by a key")
	case c.trust.key == nil && byKey:
		return attest.Refuse(attest.MethodMismatch, "", "the bundle is signed with a key: verify it with that key, not by identity")
	}
	return nil
}

// asked refuses early what cannot be what was asked for.
func (c *check) asked() error {
	if c.bundle.envelope == nil {
		if c.trust.predicateType != "" {
			return attest.Refuse(attest.PredicateType, "", "the bundle signs the file as it is and states nothing; asked for %s", clip(c.trust.predicateType))
		}
		return nil
	}
	if c.bundle.envelope.payloadType != inTotoType {
		return attest.Refuse(attest.DSSEPayloadType, "", "want %s", inTotoType)
	}
	return nil
}

// run does the stages in order, the most telling first.
func (c *check) run() error {
	stages := []func() error{c.whoSigned, c.signature, c.entriesMatch, c.log, c.timestamps, c.validity, c.agree, c.identity}
	for _, stage := range stages {
		if err := c.ctx.Err(); err != nil {
			return fmt.Errorf("verification: %w", err)
		}
		if err := stage(); err != nil {
			return err
		}
	}
	return nil
}
