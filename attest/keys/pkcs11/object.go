//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"bartizan/attest/keys"

	p11 "github.com/miekg/pkcs11"
)

// findPrivate gives the one private key that fits the URI, if it can sign.
func (t *token) findPrivate(u *URI) (p11.ObjectHandle, error) {
	want := []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY)}
	if label, ok := u.match["object"]; ok {
		want = append(want, p11.NewAttribute(p11.CKA_LABEL, label))
	}
	if u.id != nil {
		want = append(want, p11.NewAttribute(p11.CKA_ID, u.id))
	}
	found, err := t.find(want)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, fmt.Errorf("the token %q holds no private key that fits %s", t.info.Label, u)
	case len(found) > 1:
		return 0, fmt.Errorf("several private keys of the token %q fit %s: name one by object= and id=", t.info.Label, u)
	}
	kind, err := t.attribute(found[0], p11.CKA_KEY_TYPE)
	switch {
	case err != nil:
		return 0, fmt.Errorf("the kind of the private key: %w", err)
	case !bytes.Equal(kind, p11.NewAttribute(p11.CKA_KEY_TYPE, p11.CKK_EC).Value):
		return 0, unsupported("no EC key: want ECDSA on P-256, P-384 or P-521")
	}
	if signs, err := t.attribute(found[0], p11.CKA_SIGN); err == nil && !isTrue(signs) {
		return 0, unsupported("it may not sign (CKA_SIGN is false)")
	}
	return found[0], nil
}

// find gives at most two objects: more are as wrong as two.
func (t *token) find(want []*p11.Attribute) ([]p11.ObjectHandle, error) {
	if err := t.module.FindObjectsInit(t.session, want); err != nil {
		return nil, fmt.Errorf("search in the token %q: %w", t.info.Label, err)
	}
	found, _, err := t.module.FindObjects(t.session, 2)
	if err = errors.Join(err, t.module.FindObjectsFinal(t.session)); err != nil {
		return nil, fmt.Errorf("search in the token %q: %w", t.info.Label, err)
	}
	return found, nil
}

func (t *token) attribute(object p11.ObjectHandle, kind uint) ([]byte, error) {
	got, err := t.module.GetAttributeValue(t.session, object, []*p11.Attribute{p11.NewAttribute(kind, nil)})
	if err != nil {
		return nil, err
	}
	if len(got) != 1 {
		return nil, errors.New("the token gives no such attribute")
	}
	return got[0].Value, nil
}

// publicOf reads the public half. Whether the two belong together is shown by
// each signature.
func (t *token) publicOf(private p11.ObjectHandle) (*keys.Public, error) {
	id, err := t.attribute(private, p11.CKA_ID)
	if err == nil && len(id) > 0 {
		if key, err := t.publicByID(id); key != nil || err != nil {
			return key, err
		}
	}
	if key, err := t.publicFrom(private); err == nil {
		return key, nil
	}
	return nil, errors.New("the token holds no public key and no certificate with the id of the private key: add one with its own tools")
}

// publicByID looks for the public key object, then for a certificate. It gives
// nil, nil where there is neither.
func (t *token) publicByID(id []byte) (*keys.Public, error) {
	for _, class := range []uint{p11.CKO_PUBLIC_KEY, p11.CKO_CERTIFICATE} {
		found, err := t.find([]*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, class), p11.NewAttribute(p11.CKA_ID, id)})
		switch {
		case err != nil:
			return nil, err
		case len(found) > 1:
			return nil, errors.New("several public keys or certificates of the token have the id of the private key")
		case len(found) == 0:
			continue
		case class == p11.CKO_PUBLIC_KEY:
			return t.publicFrom(found[0])
		}
		der, err := t.attribute(found[0], p11.CKA_VALUE)
		if err != nil {
			return nil, fmt.Errorf("the certificate in the token: %w", err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, errors.New("the certificate in the token cannot be read")
		}
		return keys.NewPublic(certificate.PublicKey)
	}
	return nil, nil
}

// publicFrom reads curve and point of an object.
func (t *token) publicFrom(object p11.ObjectHandle) (*keys.Public, error) {
	parameters, err := t.attribute(object, p11.CKA_EC_PARAMS)
	if err != nil {
		return nil, fmt.Errorf("the curve of the key in the token: %w", err)
	}
	curve, err := curveOf(parameters)
	if err != nil {
		return nil, err
	}
	point, err := t.attribute(object, p11.CKA_EC_POINT)
	if err != nil {
		return nil, fmt.Errorf("the public point of the key in the token: %w", err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, unwrapPoint(point, curve))
	if err != nil {
		return nil, errors.New("the public key in the token is no point of its curve")
	}
	return keys.NewPublic(key)
}

// curveOf knows the curves by their object identifiers (RFC 5480, section 2.1.1.1).
func curveOf(parameters []byte) (elliptic.Curve, error) {
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(parameters, &oid); err != nil || len(rest) > 0 {
		return nil, unsupported("its curve is not named: want P-256, P-384 or P-521")
	}
	switch oid.String() {
	case "1.2.840.10045.3.1.7":
		return elliptic.P256(), nil
	case "1.3.132.0.34":
		return elliptic.P384(), nil
	case "1.3.132.0.35":
		return elliptic.P521(), nil
	}
	return nil, unsupported("its curve is %s: want P-256, P-384 or P-521", oid)
}

// unwrapPoint takes the point out of its OCTET STRING. Some libraries give it
// bare, against PKCS #11 2.40, section 2.3.3. By length, as 4 begins both.
func unwrapPoint(point []byte, curve elliptic.Curve) []byte {
	if len(point) == 1+2*((curve.Params().BitSize+7)/8) {
		return point
	}
	var inner []byte
	if rest, err := asn1.Unmarshal(point, &inner); err == nil && len(rest) == 0 {
		return inner
	}
	return point
}

// encodeSignature makes ASN.1 DER of the token's r and s, each half of raw.
func encodeSignature(raw []byte) ([]byte, error) {
	const most = 2 * 66 // P-521
	if len(raw) == 0 || len(raw)%2 != 0 || len(raw) > most {
		return nil, errors.New("the token gave " + strconv.Itoa(len(raw)) + " bytes, which is no ECDSA signature")
	}
	half := len(raw) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
}

func isTrue(value []byte) bool { return len(value) == 1 && value[0] != 0 }
