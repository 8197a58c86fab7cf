package keys_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"testing"

	"bartizan/attest"
	"bartizan/attest/keys"
)

// Every encoding of a point of small order is refused. That each is one shows by
// a signature that was made without a private key: with s = 0 and a point R of
// small order, some message of a few fits.
func TestSmallOrder(t *testing.T) {
	var points [][]byte
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		for _, sign := range []byte{0, 0x80} {
			raw, err := hex.DecodeString(y)
			if err != nil {
				t.Fatal(err)
			}
			raw[31] |= sign
			points = append(points, raw)
		}
	}
	for _, point := range points {
		key := ed25519.PublicKey(point)
		if !forged(key, points) {
			t.Errorf("%x: no forged signature was found: it is not of small order", point)
		}
		if _, err := keys.NewPublic(key); attest.CodeOf(err) != attest.KeyUnsupported {
			t.Errorf("NewPublic(%x): %v", point, err)
		}
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		if _, err := keys.ReadPublic(text); attest.CodeOf(err) != attest.KeyUnsupported {
			t.Errorf("ReadPublic(%x): %v", point, err)
		}
	}
}

func forged(key ed25519.PublicKey, points [][]byte) bool {
	for i := range 64 {
		for _, r := range points {
			sig := make([]byte, ed25519.SignatureSize)
			copy(sig, r)
			if ed25519.Verify(key, fmt.Appendf(nil, "message %d", i), sig) {
				return true
			}
		}
	}
	return false
}
