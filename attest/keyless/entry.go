package keyless

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"

	"bartizan/attest"
	"bartizan/attest/strictjson"
)

// entry is a log entry that was read.
type entry struct {
	wire          *wireLog
	logID         []byte
	index         int64
	kind, version string
	promised      bool
	claim         *claim // nil for a kind that is not known
}

// rekorV2 says that the entry is of a log of tiles, which promises nothing and
// knows no time.
func (e *entry) rekorV2() bool {
	return e.version == "0.0.2" && (e.kind == "hashedrekord" || e.kind == "dsse")
}

// claim is what a log entry says was signed, by whom, with which signature.
type claim struct {
	over       over
	hash       crypto.Hash
	digest     []byte
	signatures [][]byte // the ways in which the body can be read; one is meant
	verifier   []byte   // DER of a certificate, or of a key as PKIX
	isKey      bool
}

// over is what a digest in an entry is of.
type over int

const (
	overMessage  over = iota + 1 // the file
	overEnvelope                 // the file, or the whole that DSSE signs (PAE)
	overPayload                  // the payload of the envelope
)

func (b *bundle) readEntry(w *wireLog) (*entry, error) {
	const name = "tlogEntries"
	switch {
	case w == nil:
		return nil, malformed(name, "an entry is null")
	case w.Log == nil || len(w.Log.KeyID) == 0:
		return nil, malformed(name, "an entry names no log")
	case w.Kind == nil:
		return nil, malformed(name, "an entry has no kindVersion")
	case w.Index < 0 || w.Time < 0:
		return nil, malformed(name, "logIndex or integratedTime is negative")
	case len(w.Body) == 0:
		return nil, malformed(name, "an entry has no canonicalizedBody")
	}
	if p := w.Proof; p != nil {
		if p.Index < 0 || p.Size < 0 || len(p.Hashes) > maxProof {
			return nil, malformed(name, "an inclusion proof has a negative number, or more than %d hashes", maxProof)
		}
	}
	e := &entry{wire: w, logID: w.Log.KeyID, index: int64(w.Index), kind: w.Kind.Kind, version: w.Kind.Version}
	e.promised = w.Promise != nil && len(w.Promise.Signature) > 0
	return e, e.readBody()
}

// readBody reads what the log signed. It is compared, so members that are not
// compared may be anything.
func (e *entry) readBody() error {
	var head struct {
		Version string `json:"apiVersion"`
		Kind    string `json:"kind"`
	}
	if err := strictjson.Unmarshal(e.wire.Body, &head); err != nil {
		return malformed("canonicalizedBody", "%v", err)
	}
	if head.Kind != e.kind || head.Version != e.version {
		return malformed("canonicalizedBody", "is of another kind or version than kindVersion says")
	}
	read := bodyReaders[e.kind+"/"+e.version]
	if read == nil {
		return nil
	}
	c, err := read(e.wire.Body)
	if err != nil {
		return malformed("canonicalizedBody", "no entry of kind %s: %v", e.kind, err)
	}
	e.claim = c
	return nil
}

// bodyReaders are the kinds of entries that can be compared with a bundle.
var bodyReaders = map[string]func([]byte) (*claim, error){
	"hashedrekord/0.0.1": readHashedRekord1,
	"hashedrekord/0.0.2": readHashedRekord2,
	"dsse/0.0.1":         readDSSE1,
	"dsse/0.0.2":         readDSSE2,
	"intoto/0.0.2":       readInToto2,
}

// match compares an entry with what the bundle holds (CVE-2026-22703,
// CVE-2022-36056: a valid entry of another signature proves nothing).
func (c *check) match(e *entry) error {
	k := e.claim
	mismatch := func(format string, args ...any) error {
		return attest.Refuse(attest.LogEntryMismatch, "", "log entry %d: "+format, append([]any{e.index}, args...)...)
	}
	if k == nil {
		return mismatch("a %s of version %s cannot be compared with the bundle", clip(e.kind), clip(e.version))
	}
	if k.over != overEnvelope && (k.over == overMessage) != (c.bundle.envelope == nil) {
		return mismatch("a %s of version %s is no entry for what the bundle signs", e.kind, e.version)
	}
	matches := false
	for _, s := range k.signatures {
		matches = matches || len(s) > 0 && bytes.Equal(s, c.bundle.signature)
	}
	if !matches {
		return mismatch("it is about another signature")
	}
	if !c.signer.is(k) {
		return mismatch("it names another certificate or key")
	}
	digest, err := c.signedDigest(k)
	if err != nil {
		return mismatch("%v", err)
	}
	if !bytes.Equal(digest, k.digest) {
		return mismatch("it is about other content")
	}
	return nil
}

// entriesMatch compares every entry, also those of logs that are not known: one
// that is about something else has no business in the bundle.
func (c *check) entriesMatch() error {
	if c.trust.root == nil {
		return nil // managed key alone: nothing is taken from the log
	}
	for _, e := range c.bundle.entries {
		if err := c.match(e); err != nil {
			return err
		}
	}
	return nil
}

// hashText is a digest as Rekor v1 writes it.
type hashText struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// set takes a digest over; of an algorithm that is not known it stays empty and
// matches nothing.
func (k *claim) set(name string, digest []byte) {
	if h, ok := hashByName[name]; ok && len(digest) == h.Size() {
		k.hash, k.digest = h, digest
	}
}

func (k *claim) setText(h hashText) error {
	digest, err := hex.DecodeString(h.Value)
	k.set(h.Algorithm, digest)
	return err
}

// setPEM takes the verifier of Rekor v1: one block.
func (k *claim) setPEM(data []byte) {
	block, _ := pem.Decode(data)
	if block != nil && (block.Type == "CERTIFICATE" || block.Type == "PUBLIC KEY") {
		k.verifier, k.isKey = block.Bytes, block.Type == "PUBLIC KEY"
	}
}

func readHashedRekord1(body []byte) (*claim, error) {
	var w struct {
		Spec struct {
			Data struct {
				Hash hashText `json:"hash"`
			} `json:"data"`
			Signature struct {
				Content   blob `json:"content"`
				PublicKey struct {
					Content blob `json:"content"`
				} `json:"publicKey"`
			} `json:"signature"`
		} `json:"spec"`
	}
	if err := strictjson.Unmarshal(body, &w); err != nil {
		return nil, err
	}
	k := &claim{over: overMessage, signatures: [][]byte{w.Spec.Signature.Content}}
	k.setPEM(w.Spec.Signature.PublicKey.Content)
	return k, k.setText(w.Spec.Data.Hash)
}

func readDSSE1(body []byte) (*claim, error) {
	var w struct {
		Spec struct {
			Payload    hashText `json:"payloadHash"`
			Signatures []struct {
				Signature blob `json:"signature"`
				Verifier  blob `json:"verifier"`
			} `json:"signatures"`
		} `json:"spec"`
	}
	if err := strictjson.Unmarshal(body, &w); err != nil {
		return nil, err
	}
	k := &claim{over: overPayload}
	if len(w.Spec.Signatures) == 1 {
		k.signatures = [][]byte{w.Spec.Signatures[0].Signature}
		k.setPEM(w.Spec.Signatures[0].Verifier)
	}
	return k, k.setText(w.Spec.Payload)
}

// readInToto2 reads an entry whose signature is base64 within base64, or base64
// alone.
func readInToto2(body []byte) (*claim, error) {
	var w struct {
		Spec struct {
			Content struct {
				Payload  hashText `json:"payloadHash"`
				Envelope struct {
					Signatures []struct {
						Signature blob `json:"sig"`
						Key       blob `json:"publicKey"`
					} `json:"signatures"`
				} `json:"envelope"`
			} `json:"content"`
		} `json:"spec"`
	}
	if err := strictjson.Unmarshal(body, &w); err != nil {
		return nil, err
	}
	k := &claim{over: overPayload}
	if list := w.Spec.Content.Envelope.Signatures; len(list) == 1 {
		k.signatures = [][]byte{list[0].Signature}
		if inner, err := decode64(string(list[0].Signature)); err == nil {
			k.signatures = append(k.signatures, inner)
		}
		k.setPEM(list[0].Key)
	}
	return k, k.setText(w.Spec.Content.Payload)
}

// wireSignature2 is a signature in an entry of Rekor v2.
type wireSignature2 struct {
	Content  blob `json:"content"`
	Verifier struct {
		Certificate *wireRaw `json:"x509Certificate"`
		Key         *wireRaw `json:"publicKey"`
	} `json:"verifier"`
}

type wireDigest2 struct {
	Algorithm algorithm `json:"algorithm"`
	Digest    blob      `json:"digest"`
}

func (k *claim) setSignature2(s wireSignature2) {
	k.signatures = [][]byte{s.Content}
	switch v := s.Verifier; {
	case v.Certificate != nil && v.Key == nil:
		k.verifier = v.Certificate.Raw
	case v.Key != nil && v.Certificate == nil:
		k.verifier, k.isKey = v.Key.Raw, true
	}
}

// readHashedRekord2 reads an entry of Rekor v2, which is of a file, or of an
// envelope by the digest of what DSSE signs.
func readHashedRekord2(body []byte) (*claim, error) {
	var w struct {
		Spec struct {
			Entry struct {
				Data      wireDigest2    `json:"data"`
				Signature wireSignature2 `json:"signature"`
			} `json:"hashedRekordV002"`
		} `json:"spec"`
	}
	if err := strictjson.Unmarshal(body, &w); err != nil {
		return nil, err
	}
	k := &claim{over: overEnvelope}
	k.setSignature2(w.Spec.Entry.Signature)
	k.set(string(w.Spec.Entry.Data.Algorithm), w.Spec.Entry.Data.Digest)
	return k, nil
}

// readDSSE2 reads the entry that Rekor v2 had for envelopes until 2026.
func readDSSE2(body []byte) (*claim, error) {
	var w struct {
		Spec struct {
			Entry struct {
				Payload    wireDigest2      `json:"payloadHash"`
				Signatures []wireSignature2 `json:"signatures"`
			} `json:"dsseV002"`
		} `json:"spec"`
	}
	if err := strictjson.Unmarshal(body, &w); err != nil {
		return nil, err
	}
	k := &claim{over: overPayload}
	if len(w.Spec.Entry.Signatures) == 1 {
		k.setSignature2(w.Spec.Entry.Signatures[0])
	}
	k.set(string(w.Spec.Entry.Payload.Algorithm), w.Spec.Entry.Payload.Digest)
	return k, nil
}

// is says whether a claim's verifier is this signer.
func (s *signer) is(k *claim) bool {
	if s.cert != nil {
		return !k.isKey && bytes.Equal(k.verifier, s.cert.Raw)
	}
	if !k.isKey {
		return false
	}
	key, err := x509.ParsePKIXPublicKey(k.verifier)
	equal, ok := key.(interface{ Equal(crypto.PublicKey) bool })
	return err == nil && ok && equal.Equal(s.key)
}
