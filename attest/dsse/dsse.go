// Package dsse makes and checks the Dead Simple Signing Envelope
// (https://github.com/secure-systems-lab/dsse, protocol 1.0.2): a signature over
// the payload and its type together, so that neither can be taken for another.
//
// One envelope here has exactly one signature: a second one says nothing about
// who vouches for the payload, and verifiers have disagreed on which counts.
package dsse

import (
	"context"
	"crypto"
	"encoding/base64"
	"strconv"
	"strings"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/keys"
	"bartizan/attest/strictjson"
)

// Envelope is a payload with its type and its signature.
type Envelope struct {
	PayloadType string
	Payload     []byte
	Sig         []byte
	// KeyID is what the signer wrote; it is not authenticated and decides nothing.
	KeyID string
}

// PAE is the pre-authentication encoding: what is signed.
func PAE(payloadType string, payload []byte) []byte {
	out := make([]byte, 0, len(payload)+len(payloadType)+32)
	out = append(out, "DSSEv1 "...)
	out = strconv.AppendInt(out, int64(len(payloadType)), 10)
	out = append(append(append(out, ' '), payloadType...), ' ')
	out = strconv.AppendInt(out, int64(len(payload)), 10)
	return append(append(out, ' '), payload...)
}

// Sign makes the envelope.
func Sign(ctx context.Context, signer keys.Signer, payloadType string, payload []byte) (*Envelope, error) {
	sig, err := signer.Sign(ctx, PAE(payloadType, payload))
	if err != nil {
		return nil, err
	}
	return &Envelope{PayloadType: payloadType, Payload: payload, Sig: sig}, nil
}

// Verify says whether the signature is that of the key: DSSE_SIG_INVALID if not.
func (e *Envelope) Verify(pub *keys.Public) error {
	if pub.Verify(PAE(e.PayloadType, e.Payload), e.Sig) {
		return nil
	}
	return attest.Refuse(attest.DSSESigInvalid, "", "the signature is not that of the %s key over this payload", pub.Kind())
}

// VerifyLegacy accepts what model_signing 0.2 signed by mistake: an encoding
// with the payload as the text of a Python bytes literal, and with certificates
// SHA-256 for every curve. Only bundles whose predicate is of that release are
// given to it.
func (e *Envelope) VerifyLegacy(pub *keys.Public) error {
	pae := []byte("DSSEV1 " + strconv.Itoa(len(e.PayloadType)) + " " + e.PayloadType + " " +
		strconv.Itoa(len(e.Payload)) + " " + pythonBytes(e.Payload))
	if pub.Verify(pae, e.Sig) || pub.Hash() != 0 && pub.VerifyWith(crypto.SHA256, pae, e.Sig) {
		return nil
	}
	return e.Verify(pub)
}

// pythonBytes is repr() of a Python bytes object.
func pythonBytes(b []byte) string {
	const hexdigits = "0123456789abcdef"
	quote := byte('\'')
	if strings.IndexByte(string(b), '\'') >= 0 && strings.IndexByte(string(b), '"') < 0 {
		quote = '"'
	}
	out := append(make([]byte, 0, len(b)+16), 'b', quote)
	for _, c := range b {
		switch {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\t':
			out = append(out, '\\', 't')
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\r':
			out = append(out, '\\', 'r')
		case c < ' ' || c >= 0x7f:
			out = append(out, '\\', 'x', hexdigits[c>>4], hexdigits[c&15])
		default:
			out = append(out, c)
		}
	}
	return string(append(out, quote))
}

// wire is the JSON of an envelope.
type wire struct {
	Payload     *string         `json:"payload"`
	PayloadType *string         `json:"payloadType"`
	Signatures  []wireSignature `json:"signatures"`
}

type wireSignature struct {
	Sig   *string        `json:"sig"`
	KeyID jsontext.Value `json:"keyid,omitempty"`
}

// Parse reads the JSON of an envelope. BUNDLE_MALFORMED where it is none;
// DSSE_SIGNATURE_COUNT where it has no or several signatures. The payload's type
// is the caller's to judge.
func Parse(data []byte) (*Envelope, error) {
	var w wire
	if err := strictjson.UnmarshalExact(data, &w); err != nil {
		return nil, attest.Refuse(attest.BundleMalformed, "dsseEnvelope", "%v", err)
	}
	if w.Payload == nil || w.PayloadType == nil {
		return nil, attest.Refuse(attest.BundleMalformed, "dsseEnvelope", "payload and payloadType are required")
	}
	if len(w.Signatures) != 1 {
		return nil, attest.Refuse(attest.DSSESignatureCount, "", "%d signatures: want exactly one", len(w.Signatures))
	}
	e := &Envelope{PayloadType: *w.PayloadType}
	var err error
	if e.Payload, err = Base64("dsseEnvelope.payload", *w.Payload); err != nil {
		return nil, err
	}
	return e, e.signature(w.Signatures[0])
}

func (e *Envelope) signature(s wireSignature) error {
	if s.Sig == nil || *s.Sig == "" {
		return attest.Refuse(attest.DSSESignatureCount, "", "the one signature is empty")
	}
	switch strictjson.Kind(s.KeyID) {
	case 0, 'n':
	case '"':
		if err := json.Unmarshal(s.KeyID, &e.KeyID); err != nil {
			return attest.Refuse(attest.BundleMalformed, "dsseEnvelope.signatures.keyid", "no string")
		}
	default:
		return attest.Refuse(attest.BundleMalformed, "dsseEnvelope.signatures.keyid", "neither a string nor null")
	}
	var err error
	e.Sig, err = Base64("dsseEnvelope.signatures.sig", *s.Sig)
	return err
}

// Base64 decodes the standard alphabet with padding and nothing else: no white
// space, no URL alphabet, no bits behind the end. field names what it is for.
func Base64(field, s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // the decoder passes over line breaks
		return nil, attest.Refuse(attest.BundleMalformed, field, "no standard base64")
	}
	return b, nil
}

// Marshal gives the JSON of the envelope.
func (e *Envelope) Marshal() ([]byte, error) {
	payload, sig := base64.StdEncoding.EncodeToString(e.Payload), base64.StdEncoding.EncodeToString(e.Sig)
	keyID, err := json.Marshal(e.KeyID)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wire{
		Payload: &payload, PayloadType: &e.PayloadType,
		Signatures: []wireSignature{{Sig: &sig, KeyID: keyID}},
	})
}
