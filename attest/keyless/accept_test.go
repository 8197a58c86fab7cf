package keyless_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"testing"
	"time"

	zeebo "github.com/zeebo/blake3"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"

	"bartizan/attest/keyless"
	box "bartizan/attest/keyless/keylesstest"
)

var artifact = []byte("weights of a model\n")

// plan is a way of signing that has to be accepted.
type plan struct {
	name string
	box.Plan
	change func(*box.Box, *box.Signed)
	policy func(*keyless.Policy)
	want   func(*testing.T, *keyless.Result)
}

var minute = box.Epoch.Add(time.Minute)

// good are bundles of all versions, kinds of entries and kinds of keys.
func good(t testing.TB) []plan {
	stamped := []time.Time{box.Epoch.Add(2 * time.Minute)}
	key := func(k crypto.Signer, err error) crypto.Signer {
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	curve := func(c elliptic.Curve) crypto.Signer {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		return key(k, err)
	}
	ed := func() crypto.Signer {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return key(k, err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	st := box.Statement(artifact)
	return []plan{
		{name: "message, 0.3", Plan: box.Plan{}},
		{name: "message, 0.2", Plan: box.Plan{MediaType: box.V02}},
		{name: "message, 0.1", Plan: box.Plan{MediaType: box.V01}},
		{name: "message, 0.1, promise alone", Plan: box.Plan{MediaType: box.V01}, change: func(_ *box.Box, s *box.Signed) {
			del(s.Bundle, entry0, "inclusionProof")
		}},
		{name: "message, 0.3 as it was written first", Plan: box.Plan{MediaType: "application/vnd.dev.sigstore.bundle+json;version=0.3"}, change: func(_ *box.Box, s *box.Signed) {
			del(s.Bundle, "verificationMaterial/x509CertificateChain")
			set(s.Bundle, "verificationMaterial/certificate", box.Doc{"rawBytes": s.Cert.Raw})
		}},
		{name: "proof and timestamp, no promise", Plan: box.Plan{Stamps: stamped}, change: func(_ *box.Box, s *box.Signed) {
			del(s.Bundle, entry0, "inclusionPromise")
		}},
		{name: "promise and timestamp", Plan: box.Plan{Stamps: stamped}, want: func(t *testing.T, r *keyless.Result) {
			if len(r.Times) != 2 || r.Times[0].Source != "log" || r.Times[1].Source != "authority" || !r.Times[0].Time.Equal(minute) {
				t.Errorf("times: %+v", r.Times)
			}
		}},
		{name: "statement, dsse", Plan: box.Plan{Payload: st}},
		{name: "statement, intoto", Plan: box.Plan{Payload: st, Log: "intoto/0.0.2", MediaType: box.V02}},
		{name: "Rekor v2, message", Plan: box.Plan{Log: "hashedrekord/0.0.2", Stamps: stamped}, want: func(t *testing.T, r *keyless.Result) {
			if len(r.Entries) != 1 || r.Entries[0].Log != "https://log2025.rekor.box" || r.Entries[0].Promised || !r.Entries[0].Proven || r.Entries[0].Index != 5 {
				t.Errorf("entries: %+v", r.Entries)
			}
		}},
		{name: "Rekor v2, statement", Plan: box.Plan{Log: "hashedrekord/0.0.2", Payload: st, Stamps: stamped}},
		{name: "Rekor v2, statement as dsse 0.0.2", Plan: box.Plan{Log: "dsse/0.0.2", Payload: st, Stamps: stamped}},
		{name: "Rekor v2, cosigned checkpoint", Plan: box.Plan{Log: "hashedrekord/0.0.2", Stamps: stamped}, change: func(_ *box.Box, s *box.Signed) {
			_, witness, _ := ed25519.GenerateKey(rand.Reader)
			text := get(s.Bundle, entry0, checkpoint).(string)
			body, line, _ := bytes.Cut([]byte(text), []byte("\n\n"))
			other := box.Note2As("witness.example.org", witness, string(body)+"\n")
			set(s.Bundle, entry0+checkpoint, string(body)+"\n\n"+other+string(line))
		}},
		{name: "both logs", Plan: box.Plan{Stamps: stamped}, change: func(b *box.Box, s *box.Signed) {
			other := b.Sign(box.Plan{Artifact: artifact, Key: s.Key, Log: "hashedrekord/0.0.2"})
			// of the same signature and certificate
			body := bytes.ReplaceAll(bodyOf(other), []byte(b64(other.Signature)), []byte(b64(s.Signature)))
			body = bytes.ReplaceAll(body, []byte(b64(other.Cert.Raw)), []byte(b64(s.Cert.Raw)))
			set(s.Bundle, "verificationMaterial/tlogEntries", []any{get(s.Bundle, entry0), b.Log2("hashedrekord", body)})
		}, want: func(t *testing.T, r *keyless.Result) {
			if len(r.Entries) != 2 {
				t.Errorf("entries: %+v", r.Entries)
			}
		}},
		{name: "an entry of a log that is not known beside", Plan: box.Plan{}, change: func(_ *box.Box, s *box.Signed) {
			foreign := box.New().Log1("hashedrekord", "0.0.1", bodyOf(s), minute)
			set(s.Bundle, "verificationMaterial/tlogEntries", []any{get(s.Bundle, entry0), foreign})
		}},
		{name: "P-384", Plan: box.Plan{Key: curve(elliptic.P384()), Hash: crypto.SHA384}},
		{name: "P-521", Plan: box.Plan{Key: curve(elliptic.P521()), Hash: crypto.SHA512}},
		{name: "P-384 with SHA-256, as older clients", Plan: box.Plan{Key: curve(elliptic.P384())}},
		{name: "P-384, Rekor v2", Plan: box.Plan{Key: curve(elliptic.P384()), Hash: crypto.SHA384, Log: "hashedrekord/0.0.2", Stamps: stamped}},
		{name: "P-384, Rekor v2, statement", Plan: box.Plan{Key: curve(elliptic.P384()), Hash: crypto.SHA384, Log: "hashedrekord/0.0.2", Payload: st, Stamps: stamped}},
		{name: "RSA", Plan: box.Plan{Key: long}},
		{name: "Ed25519ph", Plan: box.Plan{Key: ed(), Hash: crypto.SHA512}},
		{name: "Ed25519, statement", Plan: box.Plan{Key: ed(), Payload: st}},
		{name: "Ed25519ph, Rekor v2", Plan: box.Plan{Key: ed(), Hash: crypto.SHA512, Log: "hashedrekord/0.0.2", Stamps: stamped}},
		{name: "e-mail", Plan: box.Plan{Cert: box.Cert{Emails: []string{"ada@example.org"}}}, policy: func(p *keyless.Policy) { p.Identity = "ada@example.org" }},
		{name: "other name", Plan: box.Plan{Cert: box.Cert{OtherName: "robot!7"}}, policy: func(p *keyless.Policy) { p.Identity = "robot!7" }},
		{name: "the older issuer extension", Plan: box.Plan{Cert: box.Cert{OldIssuer: box.Issuer}}},
		{name: "both issuer extensions", Plan: box.Plan{Cert: box.Cert{OldIssuer: box.Issuer, Issuer: box.Issuer}}},
		{name: "signed at the first second", Plan: box.Plan{At: box.Epoch}},
		{name: "signed at the last second", Plan: box.Plan{At: box.Epoch.Add(10 * time.Minute)}},
		{name: "the predicate type that is wanted", Plan: box.Plan{Payload: st}, policy: func(p *keyless.Policy) { p.PredicateType = box.Provenance }},
		{name: "a URI as other name", Plan: box.Plan{Cert: box.Cert{OtherName: box.Identity}}},
		{name: "every digest of the file", Plan: says(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.org/p","subject":[{"digest":` + everyDigest() + `}]}`)},
		{name: "what judges", Plan: says(statementOf("https://in-toto.io/attestation/test-result/v0.1", `{"result":"FAILED","configuration":[]}`)), want: func(t *testing.T, r *keyless.Result) {
			if r.Statement.Result != "FAILED" {
				t.Errorf("%+v", r.Statement)
			}
		}},
		{name: "managed key", Plan: box.Plan{Managed: true}},
		{name: "managed key, statement", Plan: box.Plan{Managed: true, Payload: st}},
		{name: "managed key, Rekor v2", Plan: box.Plan{Managed: true, Log: "hashedrekord/0.0.2"}},
		{name: "managed key, Rekor v2, statement", Plan: box.Plan{Managed: true, Log: "hashedrekord/0.0.2", Payload: st}},
		{name: "managed Ed25519 key", Plan: box.Plan{Managed: true, Key: ed(), Hash: crypto.SHA512}},
	}
}

// who trusts the box: its identity, or the managed key together with the root.
func who(b *box.Box, s *box.Signed, managed bool) keyless.Trust {
	root := box.JSON(b.TrustedRoot())
	if managed {
		return keyless.Key{PEM: s.Public, TrustedRoot: root}
	}
	return keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: root}
}

func (p *plan) sign(b *box.Box) *box.Signed {
	p.Artifact = artifact
	s := b.Sign(p.Plan)
	if p.change != nil {
		p.change(b, s)
	}
	return s
}

// TestAccept wants every honest bundle accepted, as a file and, where it is
// one, as an envelope; and a managed key without a trusted root as well.
func TestAccept(t *testing.T) {
	b := box.New()
	for _, p := range good(t) {
		t.Run(p.name, func(t *testing.T) {
			s := p.sign(b)
			trust := who(b, s, p.Managed)
			if q, ok := trust.(keyless.Policy); ok && p.policy != nil {
				p.policy(&q)
				trust = q
			}
			raw := box.JSON(s.Bundle)
			r, err := keyless.VerifyArtifact(context.Background(), raw, bytes.NewReader(artifact), trust)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if len(r.Entries) == 0 || r.Key != p.Managed || !p.Managed && (r.Issuer != box.Issuer || r.Identity == "" || len(r.Times) == 0) {
				t.Errorf("result: %+v", r)
			}
			if p.want != nil {
				p.want(t, r)
			}
			if p.Payload != nil {
				kind, payload, _, err := keyless.VerifyEnvelope(context.Background(), raw, trust)
				if err != nil || kind != box.InToto || !bytes.Equal(payload, p.Payload) {
					t.Errorf("envelope: %q %v", kind, err)
				}
			}
			if p.Managed {
				if _, err := keyless.VerifyArtifact(context.Background(), raw, bytes.NewReader(artifact), keyless.Key{PEM: s.Public}); err != nil {
					t.Errorf("by the key alone: %v", err)
				}
			}
		})
	}
}

// everyDigest are the digests of the artefact, as other code computes them.
func everyDigest() string {
	sum := func(h hash.Hash) string { h.Write(artifact); return hex.EncodeToString(h.Sum(nil)) }
	b2, _ := blake2b.New512(nil)
	b2s, _ := blake2s.New256(nil)
	return fmt.Sprintf(`{"sha256":%q,"sha512":%q,"sha3_256":%q,"blake2b":%q,"blake2s":%q,"blake3":%q,"md5":%q,"sha1":%q,"unheard":"of"}`,
		sum(sha256.New()), sum(sha512.New()), sum(sha3.New256()), sum(b2), sum(b2s), sum(zeebo.New()), sum(md5.New()), sum(sha1.New()))
}

// statementOf is a statement about the artefact.
func statementOf(predicateType, predicate string) string {
	return `{"_type":"https://in-toto.io/Statement/v1","predicateType":"` + predicateType + `","predicate":` + predicate + `,"subject":[{"digest":{"sha256":"` + hexOf(artifact) + `"}}]}`
}
