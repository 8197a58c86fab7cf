// Package keylesstest is a whole sigstore in memory, for tests: a certificate
// authority, a certificate transparency log, transparency logs of Rekor v1 and
// v2, a timestamp authority, and a signer who uses them. What it makes is JSON
// as maps, so that a test can change any field before it is read.
//
// It is written against the specifications (RFC 3161, RFC 6962, C2SP
// tlog-checkpoint, protobuf-specs) and not with the verifier's code.
package keylesstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"time"
)

// Doc is a JSON object.
type Doc = map[string]any

// Who the box's certificates are issued to, and by whom.
const (
	Identity = "https://example.org/train/.github/workflows/sign.yml@refs/heads/main"
	Issuer   = "https://issuer.example.org"
)

// Epoch is when everything in a box happens.
var Epoch = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

// Box holds the keys of all services.
type Box struct {
	Root, Between *x509.Certificate
	rootKey       *ecdsa.PrivateKey
	betweenKey    *ecdsa.PrivateKey
	CT            *ecdsa.PrivateKey
	Rekor1        *ecdsa.PrivateKey
	Rekor2        ed25519.PrivateKey
	TSA           []*Authority
}

// Authority makes timestamps.
type Authority struct {
	URI        string
	Root, Leaf *x509.Certificate
	Key        *ecdsa.PrivateKey
	Start, End time.Time // in the trusted root; a zero End is open
}

// New makes a box with one timestamp authority.
func New() *Box {
	b := &Box{rootKey: newKey(), betweenKey: newKey(), CT: newKey(), Rekor1: newKey()}
	_, b.Rekor2, _ = ed25519.GenerateKey(rand.Reader)
	b.Root = authority("box root", b.rootKey, nil, nil)
	b.Between = authority("box intermediate", b.betweenKey, b.Root, b.rootKey)
	b.TSA = []*Authority{NewAuthority("https://tsa.box/one")}
	return b
}

func newKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func authority(name string, key *ecdsa.PrivateKey, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{Organization: []string{"box"}, CommonName: name},
		NotBefore: Epoch.AddDate(-1, 0, 0), NotAfter: Epoch.AddDate(9, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
	if parent == nil {
		parent, parentKey = t, key
	} else {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}
	return certificate(t, parent, key.Public(), parentKey)
}

func certificate(t, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, parent, pub, key))))
}

func serial() *big.Int { return must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))) }

// Cert says what a signing certificate is to be like.
type Cert struct {
	NotBefore, NotAfter time.Time // Epoch and ten minutes later
	URIs, Emails        []string  // Identity, where all three are empty
	OtherName           string
	Issuer              string // Issuer
	OldIssuer           string // the older extension
	NoSCT               bool
	CT                  *ecdsa.PrivateKey // the box's
	Usage               []x509.ExtKeyUsage
	CA                  bool
	Parent              *x509.Certificate // the intermediate
	ParentKey           *ecdsa.PrivateKey
}

var (
	oidSCT       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	oidIssuer    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}
	oidOldIssuer = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
	oidOther     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 7}
	oidSAN       = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// Certify issues a signing certificate, with a promise of the CT log in it.
func (b *Box) Certify(pub crypto.PublicKey, c Cert) *x509.Certificate {
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = Epoch, Epoch.Add(10*time.Minute)
	}
	if c.Usage == nil {
		c.Usage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}
	if c.Parent == nil {
		c.Parent, c.ParentKey = b.Between, b.betweenKey
	}
	if c.CT == nil {
		c.CT = b.CT
	}
	t := &x509.Certificate{
		SerialNumber: serial(), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: c.Usage, BasicConstraintsValid: true, IsCA: c.CA,
		ExtraExtensions: append(names(c), issuers(c)...),
	}
	pre := certificate(t, c.Parent, pub, c.ParentKey)
	if c.NoSCT {
		return pre
	}
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidSCT, Value: sct(c.CT, pre, c.Parent)})
	return certificate(t, c.Parent, pub, c.ParentKey)
}

// names is the subject alternative name, critical as the subject is empty.
func names(c Cert) []pkix.Extension {
	if c.URIs == nil && c.Emails == nil && c.OtherName == "" {
		c.URIs = []string{Identity}
	}
	var list []asn1.RawValue
	for _, s := range c.Emails {
		list = append(list, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte(s)})
	}
	for _, s := range c.URIs {
		list = append(list, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(s)})
	}
	if c.OtherName != "" {
		value := must(asn1.MarshalWithParams(c.OtherName, "utf8"))
		value = must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: value}))
		list = append(list, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: append(must(asn1.Marshal(oidOther)), value...)})
	}
	return []pkix.Extension{{Id: oidSAN, Critical: true, Value: must(asn1.Marshal(list))}}
}

func issuers(c Cert) []pkix.Extension {
	if c.Issuer == "" && c.OldIssuer == "" {
		c.Issuer = Issuer
	}
	var out []pkix.Extension
	if c.OldIssuer != "" {
		out = append(out, pkix.Extension{Id: oidOldIssuer, Value: []byte(c.OldIssuer)})
	}
	if c.Issuer != "" {
		out = append(out, pkix.Extension{Id: oidIssuer, Value: must(asn1.MarshalWithParams(c.Issuer, "utf8"))})
	}
	return out
}

// TrustedRoot is the trusted root of the box.
func (b *Box) TrustedRoot() Doc {
	year := Epoch.AddDate(-1, 0, 0)
	doc := Doc{
		"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"tlogs": []any{
			logDoc("https://rekor.box", b.Rekor1.Public(), "PKIX_ECDSA_P256_SHA_256", b.Rekor1ID(), year),
			logDoc("https://log2025.rekor.box", b.Rekor2.Public(), "PKIX_ED25519", b.Rekor2ID(), year),
		},
		"ctlogs": []any{logDoc("https://ct.box", b.CT.Public(), "PKIX_ECDSA_P256_SHA_256", keyID(b.CT.Public()), year)},
		"certificateAuthorities": []any{Doc{
			"subject": Doc{"organization": "box", "commonName": "box root"}, "uri": "https://fulcio.box",
			"certChain": chainDoc(b.Between, b.Root), "validFor": span(year, time.Time{}),
		}},
	}
	var tsas []any
	for _, a := range b.TSA {
		tsas = append(tsas, Doc{
			"subject": Doc{"organization": "box", "commonName": "box tsa"}, "uri": a.URI,
			"certChain": chainDoc(a.Leaf, a.Root), "validFor": span(a.Start, a.End),
		})
	}
	doc["timestampAuthorities"] = tsas
	return doc
}

func logDoc(uri string, pub crypto.PublicKey, details string, id []byte, start time.Time) Doc {
	return Doc{
		"baseUrl": uri, "hashAlgorithm": "SHA2_256",
		"publicKey": Doc{"rawBytes": b64(derOf(pub)), "keyDetails": details, "validFor": span(start, time.Time{})},
		"logId":     Doc{"keyId": b64(id)},
	}
}

func span(start, end time.Time) Doc {
	d := Doc{"start": start.Format(time.RFC3339)}
	if !end.IsZero() {
		d["end"] = end.Format(time.RFC3339)
	}
	return d
}

func chainDoc(certs ...*x509.Certificate) Doc {
	var list []any
	for _, c := range certs {
		list = append(list, Doc{"rawBytes": b64(c.Raw)})
	}
	return Doc{"certificates": list}
}

// derOf is a public key in DER.
func derOf(pub crypto.PublicKey) []byte { return must(x509.MarshalPKIXPublicKey(pub)) }

func keyID(pub crypto.PublicKey) []byte {
	sum := sha256.Sum256(derOf(pub))
	return sum[:]
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// JSON writes a document.
func JSON(d Doc) []byte { return must(json.Marshal(d)) }

// Host is the host of a URL.
func Host(s string) string { return must(url.Parse(s)).Hostname() }
