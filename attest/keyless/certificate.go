package keyless

import (
	"crypto/x509"
	"encoding/asn1"
	"net/url"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"bartizan/attest"
)

// Object identifiers of Fulcio
// (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md).
var (
	oidSAN       = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidIssuerOld = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1} // the text itself
	oidIssuer    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8} // a UTF8String
	oidOtherName = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 7}
)

// whoSigned takes the managed key; or the certificate, which has to chain to an
// authority of the root and to be known to a certificate transparency log of
// it. Whether it was valid when it signed is decided later, by when that was.
func (c *check) whoSigned() (err error) {
	if c.trust.key != nil {
		c.signer = c.trust.key
		if c.signer.key == nil {
			if !c.signer.named(c.bundle.hint) {
				return attest.Refuse(attest.KeyMismatch, "", "the bundle names another key, and the one given is no valid key")
			}
			return attest.Refuse(attest.KeyUnsupported, "", "the key given is no valid key: a point that is not on its curve, or another encoding than PKIX")
		}
		c.result.Key, c.result.Fingerprint = true, c.signer.fingerprint()
		return nil
	}
	leaf := c.bundle.chain[0]
	if c.signer, err = newSigner(leaf, leaf.PublicKey); err != nil {
		return err
	}
	c.result.Fingerprint = c.signer.fingerprint()
	if leaf.IsCA {
		return attest.Refuse(attest.CertUntrusted, "", "the signing certificate is one of an authority")
	}
	// Fulcio's other name stands in a critical extension that crypto/x509 does
	// not read; identity reads it.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), oidSAN.Equal)
	chains := c.chains(leaf.NotBefore)
	if len(chains) == 0 {
		return attest.Refuse(attest.CertUntrusted, "", "no authority of the trusted root issued the signing certificate, at the time when it begins to be valid")
	}
	if len(c.trust.root.CTLogs()) == 0 {
		return nil // the root does not want it
	}
	_, err = guard(func() (struct{}, error) {
		return struct{}{}, verify.VerifySignedCertificateTimestamp(chains, 1, c.trust.root)
	})
	if err != nil {
		return attest.Refuse(attest.SCTInvalid, "", "no certificate transparency log of the trusted root has promised to publish the signing certificate")
	}
	return nil
}

// chains gives the ways from the leaf to the authorities of the root that were
// valid, with every certificate between, at a time. Certificates that the
// bundle brings along may lie between.
func (c *check) chains(at time.Time) [][]*x509.Certificate {
	var all [][]*x509.Certificate
	for _, ca := range c.trust.root.FulcioCertificateAuthorities() {
		fulcio, ok := ca.(*root.FulcioCertificateAuthority)
		if !ok {
			continue
		}
		with := *fulcio
		with.Intermediates = append(slices.Clone(fulcio.Intermediates), c.bundle.chain[1:]...)
		if chains, err := with.Verify(c.bundle.chain[0], at); err == nil {
			all = append(all, chains...)
		}
	}
	return all
}

// validity demands that the certificate and what it chains to were valid at
// every time that was proven (the hybrid model of the sigstore client
// specification).
func (c *check) validity() error {
	if c.signer.cert == nil {
		return nil
	}
	if len(c.result.Times) == 0 {
		return attest.Refuse(attest.TimestampMissing, "", "neither a log's promise nor a timestamp of an authority in the trusted root says when the signature was made")
	}
	leaf := c.signer.cert
	for _, t := range c.result.Times {
		if !within(t.Time, leaf.NotBefore, leaf.NotAfter) {
			return outside(t.Time, leaf)
		}
		if len(c.chains(t.Time)) == 0 {
			return attest.Refuse(attest.CertUntrusted, "", "the authority that issued the signing certificate was not valid at %s", stamp(t.Time))
		}
	}
	// A time that an entry names but nobody signed proves nothing, and must not
	// contradict either.
	for _, e := range c.bundle.entries {
		if t := e.time(); !t.IsZero() && !within(t, leaf.NotBefore, leaf.NotAfter) {
			return outside(t, leaf)
		}
	}
	return nil
}

func outside(t time.Time, leaf *x509.Certificate) error {
	return attest.Refuse(attest.TimestampInvalid, "", "%s is outside the validity of the signing certificate, %s to %s", stamp(t), stamp(leaf.NotBefore), stamp(leaf.NotAfter))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// identity compares whom the certificate was issued to, and by whom.
func (c *check) identity() error {
	if c.signer.cert == nil {
		return nil
	}
	names, err := subjectNames(c.signer.cert)
	if err != nil {
		return attest.Refuse(attest.IdentityMismatch, "", "the subject alternative names of the certificate cannot be read")
	}
	issuer, err := issuerOf(c.signer.cert)
	if err != nil {
		return attest.Refuse(attest.IdentityMismatch, "", "the issuer in the certificate cannot be read, or two contradict each other")
	}
	// Several names are several people: whoever reads another one than this
	// program would believe another signer. Fulcio issues one.
	if len(names) != 1 {
		return attest.Refuse(attest.IdentityMismatch, "", "the certificate has %d subject alternative names: want exactly one", len(names))
	}
	switch got := names[0]; {
	case got.text != c.trust.identity:
		return attest.Refuse(attest.IdentityMismatch, "", "signed by %q, not by %q", clip(got.text), clip(c.trust.identity))
	case !got.fits(c.trust.identity):
		return attest.Refuse(attest.IdentityMismatch, "", "%q stands in the certificate as %s", clip(got.text), got.kind)
	}
	if issuer != c.trust.issuer {
		return attest.Refuse(attest.IdentityMismatch, "", "the identity was vouched for by %q, not by %q", clip(issuer), clip(c.trust.issuer))
	}
	c.result.Identity, c.result.Issuer = c.trust.identity, issuer
	return nil
}

// subjectName is one subject alternative name.
type subjectName struct{ kind, text string }

// The kinds of names that can be an identity.
const (
	nameEmail = "an e-mail address"
	nameURI   = "a URI"
	nameOther = "an other name"
)

// fits says whether a name may be this identity: a certificate for the e-mail
// address "https://…" is none for the workflow at that URI, nor the other way
// round. Fulcio's other name is whatever its issuer says.
func (n subjectName) fits(identity string) bool {
	if n.kind == nameOther {
		return true
	}
	u, err := url.Parse(identity)
	return (err == nil && u.IsAbs()) == (n.kind == nameURI)
}

// subjectNames reads all names, and of e-mail addresses, URIs and Fulcio's other
// names the text as it stands in the certificate: a URI that is parsed and
// written again may be another (RFC 5280, 4.2.1.6).
func subjectNames(cert *x509.Certificate) ([]subjectName, error) {
	var out []subjectName
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(oidSAN) {
			continue
		}
		var list []asn1.RawValue
		if err := unmarshalWhole(ext.Value, &list); err != nil {
			return nil, err
		}
		for _, name := range list {
			n := subjectName{kind: "a name of another kind"}
			if name.Class == asn1.ClassContextSpecific {
				switch name.Tag {
				case 1: // rfc822Name
					n = subjectName{nameEmail, string(name.Bytes)}
				case 6: // uniformResourceIdentifier
					n = subjectName{nameURI, string(name.Bytes)}
				case 0: // otherName
					if s, ok := otherName(name.Bytes); ok {
						n = subjectName{nameOther, s}
					}
				}
			}
			out = append(out, n)
		}
	}
	return out, nil
}

// otherName reads type and value of an OtherName that is Fulcio's.
func otherName(der []byte) (string, bool) {
	var id asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(der, &id)
	if err != nil || !id.Equal(oidOtherName) {
		return "", false
	}
	var s string
	rest, err = asn1.UnmarshalWithParams(rest, &s, "tag:0,explicit,utf8")
	return s, err == nil && len(rest) == 0
}

// issuerOf reads the OpenID Connect issuer. Where both extensions are there,
// they say the same.
func issuerOf(cert *x509.Certificate) (string, error) {
	var old, now string
	for _, ext := range cert.Extensions {
		switch {
		case ext.Id.Equal(oidIssuerOld):
			old = string(ext.Value)
		case ext.Id.Equal(oidIssuer):
			if err := unmarshalWhole(ext.Value, &now, "utf8"); err != nil {
				return "", err
			}
		}
	}
	switch {
	case now == "":
		return old, nil
	case old != "" && old != now:
		return "", errASN1
	}
	return now, nil
}

var errASN1 = asn1.StructuralError{Msg: "trailing or contradicting data"}

func unmarshalWhole(der []byte, out any, params ...string) error {
	p := ""
	if len(params) > 0 {
		p = params[0]
	}
	rest, err := asn1.UnmarshalWithParams(der, out, p)
	if err == nil && len(rest) > 0 {
		return errASN1
	}
	return err
}
