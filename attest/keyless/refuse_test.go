package keyless_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"bartizan/attest"
	"bartizan/attest/keyless"
	box "bartizan/attest/keyless/keylesstest"
)

// bad is a bundle that must be refused, and why.
type bad struct {
	name string
	box.Plan
	code   attest.Code
	change func(*box.Box, *box.Signed)
	root   func(*box.Box, box.Doc)
	policy func(*keyless.Policy)
	file   []byte
}

var stamped = []time.Time{box.Epoch.Add(2 * time.Minute)}

// v2 is a plan for Rekor v2.
func v2() box.Plan { return box.Plan{Log: "hashedrekord/0.0.2", Stamps: stamped} }

func v2Statement(log string) box.Plan {
	return box.Plan{Log: log, Stamps: stamped, Payload: box.Statement(artifact)}
}

func dsse() box.Plan { return box.Plan{Payload: box.Statement(artifact)} }

// swapEntry puts in the entry of another honest signature.
func swapEntry(p box.Plan) func(*box.Box, *box.Signed) {
	return func(b *box.Box, s *box.Signed) {
		p.Artifact = []byte("something else")
		if p.Payload != nil {
			p.Payload = box.Statement(p.Artifact)
		}
		p.Key = s.Key
		set(s.Bundle, entry0, get(b.Sign(p).Bundle, entry0))
	}
}

// entrySays has the log sign a body in which text is replaced: what a log that
// takes anything would say.
func entrySays(old, text string) func(*box.Box, *box.Signed) {
	return func(b *box.Box, s *box.Signed) {
		body := bodyOf(s)
		changed := bytes.ReplaceAll(body, []byte(old), []byte(text))
		if bytes.Equal(body, changed) {
			panic("nothing to replace: " + old)
		}
		set(s.Bundle, entry0, b.Log1("hashedrekord", "0.0.1", changed, minute))
	}
}

// window sets the validity of the nth key or authority of a list in the root.
func window(path string, start, end time.Time) func(*box.Box, box.Doc) {
	return func(_ *box.Box, root box.Doc) {
		v := box.Doc{"start": start.Format(time.RFC3339)}
		if !end.IsZero() {
			v["end"] = end.Format(time.RFC3339)
		}
		set(root, path, v)
	}
}

func edit(path string, value any) func(*box.Box, *box.Signed) {
	return func(_ *box.Box, s *box.Signed) { set(s.Bundle, path, value) }
}

func drop(path string) func(*box.Box, *box.Signed) {
	return func(_ *box.Box, s *box.Signed) { del(s.Bundle, path) }
}

func flipped(path string) func(*box.Box, *box.Signed) {
	return func(_ *box.Box, s *box.Signed) { flip(s.Bundle, path) }
}

var malformed = []bad{
	{name: "both contents", code: attest.BundleMalformed, change: edit("dsseEnvelope", box.Doc{"payload": "e30=", "payloadType": box.InToto, "signatures": []any{box.Doc{"sig": "AA=="}}})},
	{name: "no content", code: attest.BundleMalformed, change: drop("messageSignature")},
	{name: "no material", code: attest.BundleMalformed, change: drop("verificationMaterial")},
	{name: "key and certificate", code: attest.BundleMalformed, change: edit("verificationMaterial/publicKey", box.Doc{"hint": ""})},
	{name: "no signature", code: attest.BundleMalformed, change: edit("messageSignature/signature", "")},
	{name: "no digest", code: attest.BundleMalformed, change: drop("messageSignature/messageDigest")},
	{name: "MD5", code: attest.BundleMalformed, change: edit("messageSignature/messageDigest/algorithm", "MD5")},
	{name: "URL alphabet", code: attest.BundleMalformed, change: edit("messageSignature/signature", "_-8=")},
	{name: "no padding", code: attest.BundleMalformed, change: edit("messageSignature/signature", "AAA")},
	{name: "line break in base64", code: attest.BundleMalformed, change: edit("messageSignature/signature", "AA\nAA")},
	{name: "bits that nobody reads in base64", code: attest.BundleMalformed, change: edit("messageSignature/signature", "AB==")},
	{name: "unknown member", code: attest.BundleMalformed, change: edit("extra", 1)},
	{name: "unknown member of an entry", code: attest.BundleMalformed, change: edit(entry0+"/extra", 1)},
	{name: "names as in protobuf", code: attest.BundleMalformed, change: func(_ *box.Box, s *box.Signed) {
		set(s.Bundle, "verification_material", get(s.Bundle, "verificationMaterial"))
		del(s.Bundle, "verificationMaterial")
	}},
	{name: "fraction as index", code: attest.BundleMalformed, change: edit(entry0+"/logIndex", 1.5)},
	{name: "index with a plus sign", code: attest.BundleMalformed, change: edit(entry0+"/logIndex", "+1")},
	{name: "negative time", code: attest.BundleMalformed, change: edit(entry0+"/integratedTime", "-1")},
	{name: "the same entry twice", code: attest.BundleMalformed, change: func(_ *box.Box, s *box.Signed) {
		e := get(s.Bundle, entry0)
		set(s.Bundle, "verificationMaterial/tlogEntries", []any{e, e})
	}},
	{name: "the same entry twice under another index", code: attest.BundleMalformed, change: func(b *box.Box, s *box.Signed) {
		set(s.Bundle, "verificationMaterial/tlogEntries", []any{get(s.Bundle, entry0), b.Log1("hashedrekord", "0.0.1", bodyOf(s), minute)})
	}},
	{name: "33 entries", code: attest.BundleMalformed, change: edit("verificationMaterial/tlogEntries", make([]any, 33))},
	{name: "an entry of null", code: attest.BundleMalformed, change: edit("verificationMaterial/tlogEntries", []any{nil})},
	{name: "a body that is no JSON", code: attest.BundleMalformed, change: edit(entry0+"/canonicalizedBody", []byte("{"))},
	{name: "another kind than the body's", code: attest.BundleMalformed, change: edit(entry0+"/kindVersion/kind", "dsse")},
	{name: "certificate of garbage", code: attest.BundleMalformed, change: edit(cert, []byte("garbage"))},
	{name: "a chain in 0.3", code: attest.BundleMalformed, change: func(_ *box.Box, s *box.Signed) {
		set(s.Bundle, "verificationMaterial/x509CertificateChain", box.Doc{"certificates": []any{get(s.Bundle, "verificationMaterial/certificate")}})
		del(s.Bundle, "verificationMaterial/certificate")
	}},
	{name: "empty token", Plan: v2(), code: attest.BundleMalformed, change: edit(token0, "")},
	{name: "media type of 0.4", code: attest.BundleMediaType, change: edit("mediaType", "application/vnd.dev.sigstore.bundle.v0.4+json")},
	{name: "no media type", code: attest.BundleMediaType, change: drop("mediaType")},
	{name: "two DSSE signatures", Plan: dsse(), code: attest.DSSESignatureCount, change: func(_ *box.Box, s *box.Signed) {
		one := get(s.Bundle, "dsseEnvelope/signatures/0")
		set(s.Bundle, "dsseEnvelope/signatures", []any{one, one})
	}},
	{name: "no DSSE signature", Plan: dsse(), code: attest.DSSESignatureCount, change: edit("dsseEnvelope/signatures", []any{})},
}

var certificates = []bad{
	{name: "another sigstore", code: attest.CertUntrusted, change: func(_ *box.Box, s *box.Signed) {
		*s = *box.New().Sign(box.Plan{Artifact: artifact})
	}},
	{name: "the root comes along", Plan: box.Plan{MediaType: box.V02}, code: attest.CertUntrusted, change: func(b *box.Box, s *box.Signed) {
		set(s.Bundle, "verificationMaterial/x509CertificateChain/certificates", []any{
			box.Doc{"rawBytes": b64(s.Cert.Raw)}, box.Doc{"rawBytes": b64(b.Between.Raw)}, box.Doc{"rawBytes": b64(b.Root.Raw)},
		})
	}},
	{name: "not for code signing", Plan: box.Plan{Cert: box.Cert{Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}}, code: attest.CertUntrusted},
	{name: "of an authority", Plan: box.Plan{Cert: box.Cert{CA: true}}, code: attest.CertUntrusted},
	{name: "the authority began later", code: attest.CertUntrusted, root: window("certificateAuthorities/0/validFor", box.Epoch.Add(time.Second), time.Time{})},
	{name: "the authority ended before", code: attest.CertUntrusted, root: window("certificateAuthorities/0/validFor", box.Epoch.AddDate(-1, 0, 0), box.Epoch.Add(-time.Second))},
	{name: "the authority ended before the signature", code: attest.CertUntrusted, root: window("certificateAuthorities/0/validFor", box.Epoch.AddDate(-1, 0, 0), box.Epoch.Add(59*time.Second))},
	{name: "P-224", Plan: box.Plan{Key: p224()}, code: attest.KeyUnsupported},
	{name: "no promise of a CT log", Plan: box.Plan{Cert: box.Cert{NoSCT: true}}, code: attest.SCTInvalid},
	{name: "promise of another CT log", Plan: box.Plan{Cert: box.Cert{CT: p256()}}, code: attest.SCTInvalid},
	{name: "the CT log began later", code: attest.SCTInvalid, root: window("ctlogs/0/publicKey/validFor", box.Epoch.Add(time.Second), time.Time{})},
	{name: "the CT log ended before", code: attest.SCTInvalid, root: window("ctlogs/0/publicKey/validFor", box.Epoch.AddDate(-1, 0, 0), box.Epoch.Add(-time.Second))},
	{name: "the CT log has another key", code: attest.SCTInvalid, root: func(_ *box.Box, root box.Doc) {
		set(root, "ctlogs/0/publicKey/rawBytes", get(root, "tlogs/0/publicKey/rawBytes"))
	}},
	{name: "another identity", code: attest.IdentityMismatch, policy: func(p *keyless.Policy) { p.Identity += "x" }},
	{name: "the beginning of the identity", code: attest.IdentityMismatch, policy: func(p *keyless.Policy) { p.Identity = p.Identity[:30] }},
	{name: "the identity in other case", code: attest.IdentityMismatch, policy: func(p *keyless.Policy) { p.Identity = strings.ToUpper(p.Identity) }},
	{name: "a pattern as identity", code: attest.IdentityMismatch, policy: func(p *keyless.Policy) { p.Identity = ".*" }},
	{name: "another issuer", code: attest.IdentityMismatch, policy: func(p *keyless.Policy) { p.Issuer += "/" }},
	{name: "issuers that contradict", Plan: box.Plan{Cert: box.Cert{OldIssuer: "https://evil.example.org", Issuer: box.Issuer}}, code: attest.IdentityMismatch},
	{name: "an e-mail address that looks like a URI", Plan: box.Plan{Cert: box.Cert{Emails: []string{box.Identity}}}, code: attest.IdentityMismatch},
	{name: "a URI that looks like an e-mail address", Plan: box.Plan{Cert: box.Cert{URIs: []string{"ada@example.org"}}}, code: attest.IdentityMismatch, policy: func(p *keyless.Policy) { p.Identity = "ada@example.org" }},
	{name: "several names", Plan: box.Plan{Cert: box.Cert{URIs: []string{box.Identity, "https://example.org/other"}}}, code: attest.IdentityMismatch},
	{name: "an e-mail address beside", Plan: box.Plan{Cert: box.Cert{URIs: []string{box.Identity}, Emails: []string{"ada@example.org"}}}, code: attest.IdentityMismatch},
	{name: "an identity that Go would write otherwise", Plan: box.Plan{Cert: box.Cert{URIs: []string{"https://example.org/a%2fb"}}}, code: attest.IdentityMismatch, policy: func(p *keyless.Policy) { p.Identity = "https://example.org/a/b" }},
}

var signatures = []bad{
	{name: "another file", code: attest.ArtifactMismatch, file: []byte("other")},
	{name: "empty file", code: attest.ArtifactMismatch, file: []byte{}},
	{name: "another digest", code: attest.ArtifactMismatch, change: flipped("messageSignature/messageDigest/digest")},
	{name: "changed signature", code: attest.MessageSigInvalid, change: flipped("messageSignature/signature")},
	{name: "changed envelope signature", Plan: dsse(), code: attest.DSSESigInvalid, change: flipped("dsseEnvelope/signatures/0/sig")},
	{name: "changed payload", Plan: dsse(), code: attest.DSSESigInvalid, change: flipped("dsseEnvelope/payload")},
	{name: "changed payload type", Plan: dsse(), code: attest.DSSEPayloadType, change: edit("dsseEnvelope/payloadType", "text/plain")},
	{name: "payload type that is no in-toto", Plan: box.Plan{Payload: box.Statement(artifact), PayloadType: "application/json"}, code: attest.DSSEPayloadType},
	{name: "statement about another file", Plan: dsse(), code: attest.ArtifactMismatch, file: []byte("other")},
	{name: "statement without a type", Plan: says(`{"predicateType":"p","subject":[{"digest":{"sha256":"` + hexOf(artifact) + `"}}]}`), code: attest.StatementMalformed},
	{name: "statement of an unknown type", Plan: says(`{"_type":"https://in-toto.io/Statement/v9","predicateType":"p","subject":[{"digest":{"sha256":"` + hexOf(artifact) + `"}}]}`), code: attest.StatementType},
	{name: "statement with a key twice", Plan: says(`{"_type":"x","_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[{"digest":{"sha256":"` + hexOf(artifact) + `"}}]}`), code: attest.StatementMalformed},
	{name: "statement without predicate type", Plan: says(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + hexOf(artifact) + `"}}]}`), code: attest.StatementMalformed},
	{name: "statement without subject", Plan: says(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[]}`), code: attest.StatementMalformed},
	{name: "subject by SHA-1 alone", Plan: says(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.org/p","subject":[{"digest":{"sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}]}`), code: attest.ArtifactMismatch},
	{name: "subject whose digests contradict", Plan: says(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[{"digest":{"sha256":"` + hexOf(artifact) + `","sha512":"00"}}]}`), code: attest.StatementMalformed},
	{name: "in-toto Statement v0.1", Plan: box.Plan{Payload: bytes.Replace(box.Statement(artifact), []byte("Statement/v1"), []byte("Statement/v0.1"), 1)}, code: attest.StatementType},
	{name: "digests by the names of bundles", Plan: says(about(`{"SHA2_256":"` + hexOf(artifact) + `"}`)), code: attest.ArtifactMismatch},
	{name: "a digest in upper case", Plan: says(about(`{"sha256":"` + strings.ToUpper(hexOf(artifact)) + `"}`)), code: attest.StatementMalformed},
	{name: "another SHA-512", Plan: says(about(`{"sha256":"` + hexOf(artifact) + `","sha512":"` + strings.Repeat("0", 128) + `"}`)), code: attest.ArtifactMismatch},
	{name: "another BLAKE3", Plan: says(about(`{"sha256":"` + hexOf(artifact) + `","blake3":"` + strings.Repeat("0", 64) + `"}`)), code: attest.ArtifactMismatch},
	{name: "another BLAKE2b", Plan: says(about(`{"sha256":"` + hexOf(artifact) + `","blake2b":"` + strings.Repeat("0", 128) + `"}`)), code: attest.ArtifactMismatch},
	{name: "another MD5", Plan: says(about(`{"sha256":"` + hexOf(artifact) + `","md5":"` + strings.Repeat("0", 32) + `"}`)), code: attest.ArtifactMismatch},
	{name: "a folder with the digest of the file", Plan: says(about(`{"sha256":"` + hexOf(artifact) + `","dirHash1":"` + strings.Repeat("0", 64) + `"}`)), code: attest.ArtifactMismatch},
	{name: "a model signature with the digest of the file", Plan: says(statementOf("https://model_signing/signature/v1.0", `{}`)), code: attest.ArtifactMismatch},
	{name: "provenance that says nothing", Plan: says(statementOf(box.Provenance, `{}`)), code: attest.StatementMalformed},
	{name: "provenance that says nothing, asked for", Plan: says(statementOf(box.Provenance, `{}`)), code: attest.StatementMalformed, policy: func(p *keyless.Policy) { p.PredicateType = box.Provenance }},
	{name: "a subject without a digest beside", Plan: says(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.org/p","subject":[{"digest":{"sha256":"` + hexOf(artifact) + `"}},{"name":"b"}]}`), code: attest.StatementMalformed},
	{name: "payload that is no statement", Plan: says(`not JSON`), code: attest.StatementMalformed},
	{name: "another predicate type than asked (CVE-2026-39395)", Plan: dsse(), code: attest.PredicateType, policy: func(p *keyless.Policy) { p.PredicateType = "https://slsa.dev/verification_summary/v1" }},
	{name: "a predicate type asked of a message", code: attest.PredicateType, policy: func(p *keyless.Policy) { p.PredicateType = box.Provenance }},
	{name: "signed by a key, asked by identity", Plan: box.Plan{Managed: true}, code: attest.MethodMismatch, policy: func(*keyless.Policy) {}},
}

// about is a statement of a strange type about a thing with these digests.
func about(digests string) string {
	return `{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.org/p","subject":[{"digest":` + digests + `}]}`
}

// says is a plan for a payload.
func says(payload string) box.Plan { return box.Plan{Payload: []byte(payload)} }

func p224() crypto.Signer { k, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader); return k }

func p256() *ecdsa.PrivateKey { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k }

func try(t *testing.T, c bad) {
	t.Helper()
	b := box.New()
	c.Artifact = artifact
	s := b.Sign(c.Plan)
	if c.change != nil {
		c.change(b, s)
	}
	root := b.TrustedRoot()
	if c.root != nil {
		c.root(b, root)
	}
	var trust keyless.Trust = keyless.Key{PEM: s.Public, TrustedRoot: box.JSON(root)}
	if !c.Managed || c.policy != nil {
		p := keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: box.JSON(root)}
		if c.policy != nil {
			c.policy(&p)
		}
		trust = p
	}
	file := artifact
	if c.file != nil {
		file = c.file
	}
	r, err := keyless.VerifyArtifact(context.Background(), box.JSON(s.Bundle), bytes.NewReader(file), trust)
	if r != nil || attest.CodeOf(err) != c.code {
		t.Fatalf("%v: want %s", err, c.code)
	}
	t.Log(err)
}

func TestRefuse(t *testing.T) {
	for part, list := range map[string][]bad{"shape": malformed, "certificate": certificates, "signature": signatures, "log": logs, "time": times} {
		for _, c := range list {
			t.Run(part+"/"+c.name, func(t *testing.T) { try(t, c) })
		}
	}
}

// A method is not guessed from the bundle.
func TestKeyForCertificate(t *testing.T) {
	b := box.New()
	s := b.Sign(box.Plan{Artifact: artifact})
	_, err := keyless.VerifyArtifact(context.Background(), box.JSON(s.Bundle), bytes.NewReader(artifact), keyless.Key{PEM: s.Public})
	if attest.CodeOf(err) != attest.MethodMismatch {
		t.Error(err)
	}
}

func TestManagedKey(t *testing.T) {
	b := box.New()
	s := b.Sign(box.Plan{Artifact: artifact, Managed: true})
	other := b.Sign(box.Plan{Artifact: artifact, Managed: true})
	root := box.JSON(b.TrustedRoot())
	strange := box.JSON(box.New().TrustedRoot())
	nohint := b.Sign(box.Plan{Artifact: artifact, Managed: true})
	set(nohint.Bundle, "verificationMaterial/publicKey", box.Doc{})
	nolog := b.Sign(box.Plan{Artifact: artifact, Managed: true, Log: "none"})
	for _, c := range []struct {
		name string
		s    *box.Signed
		key  keyless.Key
		code attest.Code
	}{
		{"another key", s, keyless.Key{PEM: other.Public}, attest.KeyMismatch},
		{"another key, no hint", nohint, keyless.Key{PEM: other.Public}, attest.MessageSigInvalid},
		{"no hint", nohint, keyless.Key{PEM: nohint.Public}, ""},
		{"no log entry", nolog, keyless.Key{PEM: nolog.Public}, ""},
		{"no log entry, with a root", nolog, keyless.Key{PEM: nolog.Public, TrustedRoot: root}, attest.LogEntryMissing},
		{"a root without the log", s, keyless.Key{PEM: s.Public, TrustedRoot: strange}, attest.LogUntrusted},
		{"an empty root", s, keyless.Key{PEM: s.Public, TrustedRoot: []byte{}}, attest.TrustRootMalformed},
	} {
		_, err := keyless.VerifyArtifact(context.Background(), box.JSON(c.s.Bundle), bytes.NewReader(artifact), c.key)
		if attest.CodeOf(err) != c.code || (c.code == "") != (err == nil) {
			t.Errorf("%s: %v: want %q", c.name, err, c.code)
		}
	}
}

// TestTrust tells a policy that decides nothing from one that refuses.
func TestTrust(t *testing.T) {
	b := box.New()
	s := b.Sign(box.Plan{Artifact: artifact})
	root := box.JSON(b.TrustedRoot())
	twice := append([]byte(`{"tlogs":[],`), root[1:]...)
	nobody := b.TrustedRoot()
	del(nobody, "certificateAuthorities")
	old := b.TrustedRoot()
	set(old, "mediaType", "application/vnd.dev.sigstore.trustedroot.v9+json")
	for _, c := range []struct {
		name string
		who  keyless.Trust
		code attest.Code // "" where it is no refusal
	}{
		{"nobody", nil, ""},
		{"no identity", keyless.Policy{Issuer: box.Issuer, TrustedRoot: root}, ""},
		{"no issuer", keyless.Policy{Identity: box.Identity, TrustedRoot: root}, ""},
		{"no root", keyless.Policy{Identity: box.Identity, Issuer: box.Issuer}, ""},
		{"no key", keyless.Key{}, ""},
		{"a certificate as key", keyless.Key{PEM: []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}, ""},
		{"two keys", keyless.Key{PEM: append(s.Public, s.Public...)}, ""},
		{"a root that is no JSON", keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: []byte("{")}, attest.TrustRootMalformed},
		{"a root with a key twice", keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: twice}, attest.TrustRootMalformed},
		{"a root without an authority", keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: box.JSON(nobody)}, attest.TrustRootMalformed},
		{"a root of another version", keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: box.JSON(old)}, attest.TrustRootMalformed},
	} {
		r, err := keyless.VerifyArtifact(context.Background(), box.JSON(s.Bundle), bytes.NewReader(artifact), c.who)
		if r != nil || err == nil || attest.CodeOf(err) != c.code {
			t.Errorf("%s: %v: want %q", c.name, err, c.code)
		}
	}
}

// TestCheckStatement judges payloads whose envelope somebody else verified.
func TestCheckStatement(t *testing.T) {
	st, err := keyless.CheckStatement(context.Background(), box.Statement(artifact), bytes.NewReader(artifact), "")
	if err != nil || st.PredicateType != box.Provenance {
		t.Errorf("%+v %v", st, err)
	}
	_, err = keyless.CheckStatement(context.Background(), box.Statement(artifact), bytes.NewReader(nil), "")
	if attest.CodeOf(err) != attest.ArtifactMismatch {
		t.Error(err)
	}
	_, err = keyless.CheckStatement(context.Background(), box.Statement(artifact), bytes.NewReader(artifact), "other")
	if attest.CodeOf(err) != attest.PredicateType {
		t.Error(err)
	}
	_, err = keyless.CheckStatement(context.Background(), box.Statement(artifact), iotest.ErrReader(io.ErrUnexpectedEOF), "")
	if err == nil || attest.CodeOf(err) != "" {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func TestCancel(t *testing.T) {
	b := box.New()
	s := b.Sign(box.Plan{Artifact: artifact})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := keyless.VerifyArtifact(ctx, box.JSON(s.Bundle), bytes.NewReader(artifact), who(b, s, false))
	if err == nil || attest.CodeOf(err) != "" {
		t.Error(err)
	}
	if _, _, _, err = keyless.VerifyEnvelope(context.Background(), box.JSON(s.Bundle), who(b, s, false)); attest.CodeOf(err) != attest.MethodMismatch {
		t.Errorf("a message as envelope: %v", err)
	}
}
