package keyless_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/keyless"
)

// expected are the codes of the developers' cases of sigstore's conformance
// suite; "" is acceptance. Every case of the corpus stands here.
var expected = map[string]attest.Code{
	"bundle-empty-certificate-chain_fail":             attest.BundleMalformed,
	"bundle-from-wrong-instance_fail":                 attest.CertUntrusted,
	"bundle-invalid-base64-signature_fail":            attest.BundleMalformed,
	"bundle-malformed-json_fail":                      attest.BundleMalformed,
	"bundle-negative-log-index_fail":                  attest.BundleMalformed,
	"bundle-unknown-version_fail":                     attest.BundleMediaType,
	"bundle-with-root-cert_fail":                      attest.CertUntrusted,
	"checkpoint-bad-keyhint_fail":                     attest.LogProofInvalid,
	"checkpoint-wrong-roothash_fail":                  attest.LogProofInvalid,
	"dsse-invalid-sig_fail":                           attest.DSSESigInvalid,
	"dsse-mismatch-envelope_fail":                     attest.LogEntryMismatch,
	"dsse-mismatch-sig_fail":                          attest.LogEntryMismatch,
	"happy-path-intoto-in-dsse-v3":                    "",
	"happy-path-v0.1":                                 "",
	"happy-path-v0.2":                                 "",
	"happy-path-v0.3":                                 "",
	"happy-path-v0.3-new-mediaType":                   "",
	"inclusion-proof-corrupted-hash_fail":             attest.LogProofInvalid,
	"incorrect-public-key_fail":                       attest.LogEntryMismatch,
	"integrated-time-in-future_fail":                  attest.TimestampInvalid,
	"intoto-expired-certificate_fail":                 attest.CertUntrusted,
	"intoto-log-entry-mismatch_fail":                  attest.LogEntryMismatch,
	"intoto-missing-inclusion-proof_fail":             attest.LogEntryMissing,
	"intoto-set-outside-signing-cert-validity_fail":   attest.TimestampInvalid,
	"intoto-tsa-timestamp-outside-cert-validity_fail": attest.TimestampInvalid,
	"intoto-with-custom-trust-root":                   "",
	"invalid-checkpoint-signature_fail":               attest.LogProofInvalid,
	"invalid-ct-key_fail":                             attest.SCTInvalid,
	"invalid-inclusion-proof_fail":                    attest.LogProofInvalid,
	"managed-key-and-trusted-root":                    "",
	"managed-key-happy-path":                          "",
	"managed-key-no-key_fail":                         attest.MethodMismatch,
	"managed-key-wrong-key_fail":                      attest.KeyMismatch,
	"message-digest-mismatch_fail":                    attest.ArtifactMismatch,
	"set-invalid-signature_fail":                      attest.LogProofInvalid,
	"signature-mismatch_fail":                         attest.MessageSigInvalid,
	"trust-root-tlog-validity-end-inclusive":          "",
	"wrong-hashedrekord-artifact_fail":                attest.LogEntryMismatch,
	"wrong-hashedrekord-cert-and-sig_fail":            attest.LogEntryMismatch,
	"wrong-hashedrekord-entry_fail":                   attest.LogEntryMismatch,
	"wrong-material_fail":                             attest.ArtifactMismatch,
}

// corpusCase is one of shared/corpora/oms.
type corpusCase struct {
	Case, Expected, Reason string
	bundle, artifact       []byte
	who                    keyless.Trust
}

func corpus(t testing.TB) []corpusCase {
	t.Helper()
	base := os.Getenv("BARTIZAN_CORPORA")
	if base == "" {
		t.Skip("SKIPPED: BARTIZAN_CORPORA is not set, so no case of sigstore's conformance suite is run")
	}
	base = filepath.Join(base, "oms")
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var out []corpusCase
	for line := range strings.Lines(string(read(filepath.Join(base, "MANIFEST.jsonl")))) {
		var r struct {
			corpusCase
			Path, Kind, Artifact, Identity, Issuer string
			Root                                   string `json:"trusted_root"`
			With                                   string `json:"verify_with"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Kind != "case" {
			continue
		}
		dir := filepath.Dir(filepath.Join(base, r.Path))
		c := r.corpusCase
		c.bundle, c.artifact = read(filepath.Join(base, r.Path)), read(filepath.Join(dir, r.Artifact))
		if r.With == "key.pub" {
			key := keyless.Key{PEM: read(filepath.Join(dir, "key.pub"))}
			if _, err := os.Stat(filepath.Join(dir, "trusted_root.json")); err == nil {
				key.TrustedRoot = read(filepath.Join(dir, "trusted_root.json"))
			}
			c.who = key
		} else {
			c.who = keyless.Policy{Identity: r.Identity, Issuer: r.Issuer, TrustedRoot: read(filepath.Join(dir, r.Root))}
		}
		out = append(out, c)
	}
	return out
}

// TestCorpus wants every case right, with the code that fits its reason.
func TestCorpus(t *testing.T) {
	cases := corpus(t)
	if len(cases) != len(expected) {
		t.Errorf("%d cases in the corpus, %d in the table", len(cases), len(expected))
	}
	for _, c := range cases {
		t.Run(c.Case, func(t *testing.T) {
			want, known := expected[c.Case]
			if !known {
				t.Fatal("not in the table")
			}
			if (want == "") != (c.Expected == "accept") {
				t.Fatalf("the corpus says %s", c.Expected)
			}
			r, err := keyless.VerifyArtifact(context.Background(), c.bundle, bytes.NewReader(c.artifact), c.who)
			if got := attest.CodeOf(err); got != want || err != nil && got == "" {
				t.Fatalf("%v: want %q for %q", err, want, c.Reason)
			}
			if err != nil {
				t.Log(err)
				return
			}
			if r == nil || r.Fingerprint == "" {
				t.Errorf("accepted without a result: %+v", r)
			}
			t.Logf("%+v", *r)
		})
	}
}
