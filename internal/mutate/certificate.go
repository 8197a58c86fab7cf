package mutate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"time"
)

// authority issues certificates; its signatures are those of RFC 6979.
type authority struct {
	key         *signer
	certificate *x509.Certificate
}

// template is a certificate that differs from the good one in one thing.
func template(name string, isCA bool) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name)) + 1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2124, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true, IsCA: isCA, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	if isCA {
		t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
	}
	return t
}

// issue signs a certificate over a public key; without an issuer, its own key signs.
func issue(t *x509.Certificate, public crypto.PublicKey, by *authority, own *signer) (*x509.Certificate, error) {
	parent, key := t, own
	if by != nil {
		parent, key = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(nil, t, parent, public, key.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// pki is a root, an authority below it, and a signer's key.
type pki struct {
	root, between *authority
	leafKey       *signer
}

func newPKI(seed uint64, name string) (*pki, error) {
	p := &pki{root: &authority{}, between: &authority{}}
	var err error
	if p.root.key, err = newSigner(seed, name+" root", elliptic.P384(), crypto.SHA384); err != nil {
		return nil, err
	}
	if p.between.key, err = newSigner(seed, name+" between", elliptic.P256(), crypto.SHA256); err != nil {
		return nil, err
	}
	if p.leafKey, err = newSigner(seed, name+" leaf", elliptic.P256(), crypto.SHA256); err != nil {
		return nil, err
	}
	if p.root.certificate, err = issue(template("root", true), p.root.key.key.Public(), nil, p.root.key); err != nil {
		return nil, err
	}
	p.between.certificate, err = issue(template("between", true), p.between.key.key.Public(), p.root, nil)
	return p, err
}

func (p *pki) leaf(edit func(t *x509.Certificate)) (*x509.Certificate, error) {
	t := template("signer", false)
	if edit != nil {
		edit(t)
	}
	return issue(t, p.leafKey.key.Public(), p.between, nil)
}

func chainOf(certificates ...*x509.Certificate) *value {
	l := list()
	for _, c := range certificates {
		l.items = append(l.items, object("rawBytes", base64.StdEncoding.EncodeToString(c.Raw)))
	}
	return object("x509CertificateChain", object("certificates", l), "tlogEntries", list())
}

func certificateBase(seed uint64, files map[string][]byte, statement *value) (*Base, error) {
	p, err := newPKI(seed, "good")
	if err != nil {
		return nil, err
	}
	leaf, err := p.leaf(nil)
	if err != nil {
		return nil, err
	}
	b := &Base{Name: "certificate", Files: files, signer: p.leafKey, statement: statement,
		Roots: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.root.certificate.Raw})}
	b.bundle = object("mediaType", mediaType, "verificationMaterial", chainOf(leaf, p.between.certificate),
		"dsseEnvelope", p.leafKey.envelope(payloadType, string(statement.encode(""))))
	return b, nil
}

// certificateFields alters each field of the chain.
func (g *generator) certificateFields(b *Base) {
	malformed := []string{"BUNDLE_MALFORMED", "CERT_UNTRUSTED"}
	for _, p := range b.bundle.places() {
		rest, is := strings.CutPrefix(p.name, "verificationMaterial.x509CertificateChain")
		if !is {
			continue
		}
		for _, c := range changesOf(b.bundle, p) {
			want, codes := Reject, malformed
			switch {
			case c.how == "key by an escape":
				want, codes = Accept, nil
			case strings.HasPrefix(c.how, "key") && rest == "":
				codes = []string{"BUNDLE_MALFORMED", "METHOD_MISMATCH"}
			}
			g.add(Case{Name: "certificate/" + p.name + "/" + c.how, Base: b, Bundle: altered(b.bundle, p, c).encode(""), Want: want, Codes: codes})
		}
	}
}

// certificates are chains that lead nowhere, or to somebody who may not sign.
func (g *generator) certificates(seed uint64, bases []*Base) error {
	b := bases[len(bases)-1]
	good, err := newPKI(seed, "good")
	if err != nil {
		return err
	}
	wrong, err := newPKI(seed, "wrong")
	if err != nil {
		return err
	}
	leaf, err := good.leaf(nil)
	if err != nil {
		return err
	}
	theirs, err := wrong.leaf(nil)
	if err != nil {
		return err
	}
	root, between := good.root.certificate, good.between.certificate
	with := func(name string, want Want, s *signer, codes []string, chain ...*x509.Certificate) {
		c := b.bundle.clone()
		c.set("verificationMaterial", chainOf(chain...))
		c.set("dsseEnvelope", s.envelope(payloadType, string(b.statement.encode(""))))
		g.add(Case{Name: "certificate/" + name, Base: b, Bundle: c.encode(""), Want: want, Codes: codes})
	}
	untrusted := []string{"CERT_UNTRUSTED"}
	with("without the authority between", Reject, good.leafKey, untrusted, leaf)
	with("the wrong way round", Reject, good.leafKey, untrusted, between, leaf)
	with("of another root of the same name", Reject, wrong.leafKey, untrusted, theirs, wrong.between.certificate)
	with("of another root, which comes along", Reject, wrong.leafKey, untrusted, theirs, wrong.between.certificate, wrong.root.certificate)
	with("of another authority of the same name", Reject, wrong.leafKey, untrusted, theirs, between)
	with("signed by another key", Reject, wrong.leafKey, []string{"DSSE_SIG_INVALID"}, leaf, between)
	with("the authority itself as signer", Reject, good.between.key, untrusted, between)
	with("the root itself as signer", Reject, good.root.key, untrusted, root)
	with("with what does not belong", Accept, good.leafKey, nil, leaf, wrong.between.certificate, between)
	with("with the root", Either, good.leafKey, untrusted, leaf, between, root)
	with("with the leaf twice", Accept, good.leafKey, nil, leaf, between, leaf)
	with("too long", Reject, good.leafKey, []string{"BUNDLE_MALFORMED", "CERT_UNTRUSTED"}, manyCertificates(leaf, between)...)
	if err := g.leaves(good, with); err != nil {
		return err
	}
	// What is signed by a key is not signed by a certificate, and the other way round.
	g.reject(b, "certificate/the key's bundle", bases[0].bundle.encode(""), "METHOD_MISMATCH")
	g.reject(bases[0], "certificate/the bundle where a key is wanted", b.bundle.encode(""), "METHOD_MISMATCH")
	return nil
}

func manyCertificates(leaf, between *x509.Certificate) []*x509.Certificate {
	all := []*x509.Certificate{leaf}
	for range 200 {
		all = append(all, between)
	}
	return all
}

// leaves differ from the good certificate in one thing.
func (g *generator) leaves(good *pki, with func(string, Want, *signer, []string, ...*x509.Certificate)) error {
	between := good.between.certificate
	untrusted := []string{"CERT_UNTRUSTED"}
	future := time.Now().AddDate(50, 0, 0).UTC().Truncate(24 * time.Hour)
	for name, c := range inOrder(map[string]struct {
		want Want
		edit func(t *x509.Certificate)
	}{
		"no key usage but the extended one": {Accept, func(t *x509.Certificate) { t.KeyUsage = 0 }},
		"no extended key usage":             {Accept, func(t *x509.Certificate) { t.ExtKeyUsage = nil }},
		"neither usage":                     {Reject, func(t *x509.Certificate) { t.KeyUsage, t.ExtKeyUsage = 0, nil }},
		"for keys":                          {Reject, func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageKeyEncipherment }},
		"for certificates":                  {Reject, func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageCertSign }},
		"for servers":                       {Reject, func(t *x509.Certificate) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }},
		"for timestamps":                    {Reject, func(t *x509.Certificate) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} }},
		"not yet valid":                     {Reject, func(t *x509.Certificate) { t.NotBefore = future }},
		"valid before its issuer":           {Reject, func(t *x509.Certificate) { t.NotBefore = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) }},
		// Nothing proves the time of signing: OMS judges the chain at the leaf's beginning.
		"expired since": {Either, func(t *x509.Certificate) { t.NotAfter = time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC) }},
		"an unknown critical extension": {Reject, func(t *x509.Certificate) {
			t.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}},
	}) {
		leaf, err := good.leaf(c.edit)
		if err != nil {
			return err
		}
		with("leaf "+name, c.want, good.leafKey, untrusted, leaf, between)
	}
	selfSigned, err := issue(template("signer", false), good.leafKey.key.Public(), nil, good.leafKey)
	if err != nil {
		return err
	}
	with("leaf signed by itself", Reject, good.leafKey, untrusted, selfSigned)
	// An authority that may not be one: the leaf's own key issues another.
	leaf, err := good.leaf(nil)
	if err != nil {
		return err
	}
	child, err := issue(template("child", false), good.leafKey.key.Public(), &authority{good.leafKey, leaf}, nil)
	if err != nil {
		return err
	}
	with("issued by a signer", Reject, good.leafKey, untrusted, child, leaf, between)
	edwards, err := issue(template("signer", false), ed25519.NewKeyFromSeed(make([]byte, 32)).Public(), good.between, nil)
	if err != nil {
		return err
	}
	with("leaf of Ed25519", Reject, good.leafKey, []string{"KEY_UNSUPPORTED", "DSSE_SIG_INVALID"}, edwards, between)
	small, err := ecdsa.ParseRawPrivateKey(elliptic.P224(), append(make([]byte, 27), 9))
	if err != nil {
		return err
	}
	p224, err := issue(template("signer", false), small.Public(), good.between, nil)
	if err != nil {
		return err
	}
	with("leaf of P-224", Reject, good.leafKey, []string{"KEY_UNSUPPORTED"}, p224, between)
	return nil
}
