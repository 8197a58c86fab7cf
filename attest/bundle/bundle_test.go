package bundle_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/dsse"
	"bartizan/attest/keys"
)

// whole is a bundle as released signers write it.
const whole = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",` +
	`"verificationMaterial":{"publicKey":{"hint":"ab"},"tlogEntries":[]},` +
	`"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AAAA","keyid":""}]}}`

func TestParse(t *testing.T) {
	with := func(old, new string) string {
		t.Helper()
		if !strings.Contains(whole, old) {
			t.Fatalf("%q is not in the bundle", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	const key = `"publicKey":{"hint":"ab"}`
	for _, c := range []struct {
		name, text string
		code       attest.Code
		method     bundle.Method
	}{
		{"whole", whole, "", bundle.MethodKey},
		{"without log entries", with(`,"tlogEntries":[]`, ``), "", bundle.MethodKey},
		{"log entries null", with(`[]`, `null`), "", bundle.MethodKey},
		{"a key of an old signer", with(`"hint":"ab"`, `"rawBytes":"e30=","keyDetails":"PKIX_ECDSA_P256_SHA_256"`), "", bundle.MethodKey},
		{"version 0.1", with(`application/vnd.dev.sigstore.bundle.v0.3+json`, `application/vnd.dev.sigstore.bundle+json;version=0.1`), "", bundle.MethodKey},
		{"a chain", with(key, `"x509CertificateChain":{"certificates":[{"rawBytes":"e30="}]}`), "", bundle.MethodCertificate},
		{"a short-lived certificate", with(key+`,"tlogEntries":[]`, `"certificate":{"rawBytes":"e30="},"tlogEntries":[{}]`), "", bundle.MethodKeyless},
		{"a chain with a log entry", with(key+`,"tlogEntries":[]`, `"x509CertificateChain":{"certificates":[{"rawBytes":"e30="}]},"tlogEntries":[{}]`), "", bundle.MethodKeyless},
		{"a short-lived certificate without log entry", with(key, `"certificate":{"rawBytes":"e30="}`), attest.BundleMalformed, ""},
		{"a key and a certificate", with(key, key+`,"certificate":{"rawBytes":"e30="}`), attest.BundleMalformed, ""},
		{"neither", with(key+",", ``), attest.BundleMalformed, ""},
		{"a key without name", with(`"hint":"ab"`, ``), attest.BundleMalformed, ""},
		{"an empty chain", with(key, `"x509CertificateChain":{"certificates":[]}`), attest.BundleMalformed, ""},
		{"an empty certificate", with(key, `"x509CertificateChain":{"certificates":[{}]}`), attest.BundleMalformed, ""},
		{"seventeen certificates", with(key, `"x509CertificateChain":{"certificates":[`+strings.Repeat(`{"rawBytes":"e30="},`, 16)+`{"rawBytes":"e30="}]}`), attest.BundleMalformed, ""},
		{"another media type", with(`.v0.3+json`, `.v9+json`), attest.BundleMediaType, ""},
		{"no media type", with(`"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",`, ``), attest.BundleMalformed, ""},
		{"media type in another case", with(`"mediaType"`, `"MediaType"`), attest.BundleMalformed, ""},
		{"an unknown member", with(`{"mediaType"`, `{"x":1,"mediaType"`), attest.BundleMalformed, ""},
		{"both kinds of content", with(`"dsseEnvelope"`, `"messageSignature":{},"dsseEnvelope"`), attest.BundleMalformed, ""},
		{"no content", `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{` + key + `}}`, attest.BundleMalformed, ""},
		{"material twice", with(`"dsseEnvelope"`, `"verificationMaterial":{`+key+`},"dsseEnvelope"`), attest.BundleMalformed, ""},
		{"two signatures", with(`}]}}`, `},{"sig":"AAAA"}]}}`), attest.DSSESignatureCount, ""},
		{"a list", "[" + whole + "]", attest.BundleMalformed, ""},
		{"trailing data", whole + "{}", attest.BundleMalformed, ""},
		{"nothing", "", attest.BundleMalformed, ""},
		{"too large", whole + strings.Repeat(" ", bundle.MaxSize), attest.BundleMalformed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := bundle.Parse([]byte(c.text))
			if attest.CodeOf(err) != c.code || (err == nil) != (c.code == "") {
				t.Fatalf("%v, want %q", err, c.code)
			}
			if err == nil && b.Method != c.method {
				t.Errorf("method %s, want %s", b.Method, c.method)
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	key, err := keys.Generate("P-256")
	if err != nil {
		t.Fatal(err)
	}
	e, err := dsse.Sign(context.Background(), key, "t", []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*bundle.Bundle{bundle.Key(e, key.Public()), bundle.Certificate(e, [][]byte{{1}, {2, 3}})} {
		data, err := b.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := bundle.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if again.Method != b.Method || again.Hint != b.Hint || len(again.Certificates) != len(b.Certificates) || again.Envelope.Verify(key.Public()) != nil {
			t.Errorf("%s is another one when read", b.Method)
		}
	}
}

// The vectors of the specification, by its schemas alone.
func TestCorpusVectors(t *testing.T) {
	corpora := os.Getenv("BARTIZAN_CORPORA")
	if corpora == "" {
		t.Skip("SKIPPED: BARTIZAN_CORPORA is not set: the specification's vectors were NOT checked")
	}
	at := filepath.Join(corpora, "oms/spec/test-vectors/v1.0")
	for _, c := range []struct {
		file   string
		method bundle.Method
	}{
		{"valid/key.bundle.json", bundle.MethodKey},
		{"valid/certificate.bundle.json", bundle.MethodCertificate},
		{"valid/sigstore.bundle.json", bundle.MethodKeyless},
		{"invalid/empty.bundle.json", ""},
		{"invalid/missing-envelope.bundle.json", ""},
		{"invalid/missing-tlog-entries.bundle.json", ""},
		{"invalid/missing-verification-material.bundle.json", ""},
	} {
		data, err := os.ReadFile(filepath.Join(at, c.file))
		if err != nil {
			t.Fatal(err)
		}
		b, err := bundle.Parse(data)
		if c.method == "" && attest.CodeOf(err) != attest.BundleMalformed || c.method != "" && (err != nil || b.Method != c.method) {
			t.Errorf("%s: %v", c.file, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(strings.Replace(whole, `"publicKey":{"hint":"ab"}`, `"x509CertificateChain":{"certificates":[{"rawBytes":"e30="}]}`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := bundle.Parse(data)
		switch {
		case err != nil && attest.CodeOf(err) == "":
			t.Fatalf("no code: %v", err)
		case err == nil && (b.Method == "" || len(b.Certificates) > 16):
			t.Fatalf("method %q, %d certificates", b.Method, len(b.Certificates))
		}
	})
}
