package oms_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/dsse"
	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/attest/statement"
)

// legacyBundle is what release 0.2 of model_signing wrote: files as subjects, and
// a signature over the text of a Python bytes literal.
func legacyBundle(t *testing.T, key *keys.Private, files map[string]string) []byte {
	t.Helper()
	subjects := ""
	for name, content := range files {
		sum := sha256.Sum256([]byte(content))
		subjects += fmt.Sprintf(`,{"name":%q,"digest":{"sha256":%q}}`, name, hex.EncodeToString(sum[:]))
	}
	payload := `{"_type":"https://in-toto.io/Statement/v1","subject":[` + subjects[1:] +
		`],"predicateType":"https://model_signing/Digests/v0.1","predicate":{"unused":"Unused"}}`
	sig, err := key.Sign(context.Background(), fmt.Appendf(nil, "DSSEV1 %d %s %d b'%s'", len(statement.PayloadType), statement.PayloadType, len(payload), payload))
	if err != nil {
		t.Fatal(err)
	}
	e := &dsse.Envelope{PayloadType: statement.PayloadType, Payload: []byte(payload), Sig: sig}
	raw, err := bundle.Key(e, key.Public()).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestLegacyStatement(t *testing.T) {
	files := map[string]string{"config.json": "{}", "weights/model.bin": "w"}
	key := newKey(t, "P-384")
	trust := oms.KeyTrust{Key: key.Public()}
	raw := legacyBundle(t, key, files)
	if code := verify(t, write(t, files), raw, trust, oms.Policy{}); code != "" {
		t.Error(code)
	}
	if code := verify(t, write(t, files), raw, trust, oms.Policy{RefuseLegacy: true}); code != attest.PolicyPredicate {
		t.Error(code)
	}
	changed := map[string]string{"config.json": "{} ", "weights/model.bin": "w"}
	if code := verify(t, write(t, changed), raw, trust, oms.Policy{}); code != attest.OMSDigestMismatch {
		t.Error(code)
	}
	more := map[string]string{"config.json": "{}", "weights/model.bin": "w", "x.py": ""}
	if code := verify(t, write(t, more), raw, trust, oms.Policy{}); code != attest.OMSFileUnsigned {
		t.Error(code)
	}
	if code := verify(t, write(t, files), legacyBundle(t, newKey(t, "P-384"), files), trust, oms.Policy{}); code != attest.KeyMismatch {
		t.Error(code)
	}
}
