package oms_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"bartizan/attest"
	"bartizan/attest/keys"
	"bartizan/attest/oms"
)

var issued = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func p256(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate; a nil parent makes it sign itself.
func issue(t testing.TB, name string, parent *authority, key crypto.Signer, change func(*x509.Certificate)) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: issued, NotAfter: issued.AddDate(1, 0, 0), BasicConstraintsValid: true,
	}
	change(template)
	if parent == nil {
		parent = &authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func isCA(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

func signs(c *x509.Certificate) {
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
}

func pemOf(as ...*authority) []byte {
	var out []byte
	for _, a := range as {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})...)
	}
	return out
}

func TestCertificates(t *testing.T) {
	root := issue(t, "root", nil, p256(t), isCA)
	between := issue(t, "between", root, p256(t), isCA)
	noCA := issue(t, "no authority", root, p256(t), signs)
	stranger := issue(t, "root", nil, p256(t), isCA) // of the same name
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := issued.AddDate(5, 0, 0) // long expired, and still to be verified
	dir := write(t, map[string]string{"m.bin": "x"})
	for _, c := range []struct {
		name   string
		leaf   func() *authority
		with   []*authority // in the bundle behind the leaf
		roots  []byte
		refuse attest.Code
	}{
		{name: "a chain", leaf: leaf(t, between, signs), with: []*authority{between}, roots: pemOf(root)},
		{name: "the chain's middle given by the verifier", leaf: leaf(t, between, signs), roots: pemOf(root, between)},
		{name: "the root in the bundle", leaf: leaf(t, between, signs), with: []*authority{between, root}, roots: pemOf(root)},
		{name: "a leaf that is an authority too", leaf: leaf(t, root, func(c *x509.Certificate) { isCA(c); signs(c) }), roots: pemOf(root)},
		{name: "only a key usage", leaf: leaf(t, root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), roots: pemOf(root)},
		{name: "the middle is missing", leaf: leaf(t, between, signs), roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "another root of the same name", leaf: leaf(t, root, signs), roots: pemOf(stranger), refuse: attest.CertUntrusted},
		{name: "a root that only the bundle brings", leaf: leaf(t, stranger, signs), with: []*authority{stranger}, roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "issued by what is no authority", leaf: leaf(t, noCA, signs), with: []*authority{noCA}, roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "no usage at all", leaf: leaf(t, root, func(*x509.Certificate) {}), roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "for servers", leaf: leaf(t, root, func(c *x509.Certificate) {
			c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}), roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "for encipherment", leaf: leaf(t, root, func(c *x509.Certificate) {
			c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageKeyEncipherment, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}), roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "not valid yet", leaf: leaf(t, root, func(c *x509.Certificate) {
			signs(c)
			c.NotBefore = now.AddDate(0, 0, 1)
			c.NotAfter = now.AddDate(0, 0, 2)
		}), roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "from before its root", leaf: leaf(t, root, func(c *x509.Certificate) { signs(c); c.NotBefore = issued.AddDate(-1, 0, 0) }), roots: pemOf(root), refuse: attest.CertUntrusted},
		{name: "an unknown critical extension", leaf: leaf(t, root, func(c *x509.Certificate) {
			signs(c)
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}), roots: pemOf(root), refuse: attest.CertUntrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := c.leaf()
			key, err := keys.NewPrivate(l.key)
			if err != nil {
				t.Fatal(err)
			}
			chain := []*x509.Certificate{l.cert}
			for _, a := range c.with {
				chain = append(chain, a.cert)
			}
			m, err := oms.Describe(t.Context(), open(t, dir), oms.Options{})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := oms.SealAnyway(t.Context(), m, key, chain)
			if err != nil {
				t.Fatal(err)
			}
			trust, err := oms.NewCertificateTrust(now, c.roots)
			if err != nil {
				t.Fatal(err)
			}
			if code := verify(t, dir, raw, trust, oms.Policy{}); code != c.refuse {
				t.Errorf("%q, want %q", code, c.refuse)
			}
		})
	}
	t.Run("other keys", func(t *testing.T) {
		_, ed, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []crypto.Signer{rsaKey, ed} {
			if _, err := keys.NewPrivate(key); err != nil {
				continue // RSA cannot even sign here
			}
			l := issue(t, "leaf", root, key, signs)
			private, err := keys.NewPrivate(key)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := oms.SignStatement(t.Context(), []byte("{}"), private, []*x509.Certificate{l.cert})
			if err != nil {
				t.Fatal(err)
			}
			trust, err := oms.NewCertificateTrust(now, pemOf(root))
			if err != nil {
				t.Fatal(err)
			}
			if code := verify(t, dir, raw, trust, oms.Policy{}); code != attest.KeyUnsupported {
				t.Errorf("%T: %q", key, code)
			}
		}
	})
}

// What nobody could verify is not signed.
func TestSigningWithWhatMayNotSign(t *testing.T) {
	root := issue(t, "root", nil, p256(t), isCA)
	l := issue(t, "leaf", root, p256(t), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	key, err := keys.NewPrivate(l.key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oms.SignStatement(t.Context(), []byte("{}"), key, []*x509.Certificate{l.cert}); attest.CodeOf(err) != attest.CertUntrusted {
		t.Errorf("%v", err)
	}
}

// A bundle must not make the verifier compute for minutes.
func TestGiantKeysAreNotUsed(t *testing.T) {
	giant := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 20_000), E: 1<<31 - 1}
	root := issue(t, "root", nil, p256(t), isCA)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "giant"}, NotBefore: issued, NotAfter: issued.AddDate(1, 0, 0), BasicConstraintsValid: true}
	isCA(template)
	der, err := x509.CreateCertificate(rand.Reader, template, root.cert, giant, root.key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.ParseCertificate(der); err == nil {
		t.Error("an RSA key of 20,000 bits was taken")
	}
	if _, err := keys.ParseCertificate(root.cert.Raw); err != nil {
		t.Error(err)
	}
}

func leaf(t testing.TB, parent *authority, change func(*x509.Certificate)) func() *authority {
	return func() *authority { return issue(t, "leaf", parent, p256(t), change) }
}

func TestCertificateFiles(t *testing.T) {
	root := issue(t, "root", nil, p256(t), isCA)
	between := issue(t, "between", root, p256(t), isCA)
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "no root": pemOf(between), "cut off": pemOf(root)[:80],
		"a key among them": append(pemOf(root), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"...),
	} {
		if _, err := oms.NewCertificateTrust(issued, data); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	other := newKey(t, "P-256")
	l := issue(t, "leaf", root, p256(t), signs)
	if _, err := oms.SignStatement(t.Context(), []byte("{}"), other, []*x509.Certificate{l.cert}); attest.CodeOf(err) != attest.KeyMismatch {
		t.Errorf("signing with the certificate of another key: %v", err)
	}
}

func FuzzAuthenticate(f *testing.F) {
	key := newKey(f, "P-256")
	f.Add(statementOf(f, key, `{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"https://model_signing/signature/v1.0"}`))
	root := issue(f, "root", nil, p256(f), isCA)
	trust, err := oms.NewCertificateTrust(issued, pemOf(root))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, by := range []oms.Trust{oms.KeyTrust{Key: key.Public()}, trust} {
			if _, err := oms.Authenticate(t.Context(), data, by); err == nil || attest.CodeOf(err) == "" {
				t.Fatalf("accepted, or no code: %v", err)
			}
		}
	})
}

// FuzzStatement signs whatever it is given: what an owner of an accepted key
// could do.
func FuzzStatement(f *testing.F) {
	key := newKey(f, "P-256")
	f.Add(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":"` +
		`2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}],"predicateType":"https://model_signing/signature/v1.0",` +
		`"predicate":{"serialization":{"method":"files","hash_type":"sha256","allow_symlinks":false},"resources":[{"name":"m.bin","algorithm":"sha256","digest":"` +
		`2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}]}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		m, err := oms.Authenticate(t.Context(), statementOf(t, key, payload), oms.KeyTrust{Key: key.Public()})
		if err != nil {
			if attest.CodeOf(err) == "" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		for _, r := range m.Resources {
			if r.Name == "" || r.Name[0] == '/' {
				t.Fatalf("accepted the name %q", r.Name)
			}
		}
	})
}
