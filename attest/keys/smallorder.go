package keys

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
)

// smallOrder says whether the key is one of the eight points whose order divides
// the cofactor 8, in any encoding that crypto/ed25519 decodes. For such a key,
// anybody can make a signature, even one that fits many messages: libraries
// leave it to the application to refuse them (Chalkias, Garillot, Nikolaenko,
// "Taming the many EdDSAs", 2020, table 1).
func smallOrder(key ed25519.PublicKey) bool {
	if len(key) != ed25519.PublicKeySize {
		return true // no key at all
	}
	y := bytes.Clone(key)
	y[31] &= 0x7f // the sign of x: both signs are of the same order
	text := hex.EncodeToString(y)
	for _, small := range smallOrderY {
		if text == small {
			return true
		}
	}
	return false
}

// smallOrderY are the y coordinates of these points, little-endian and without
// the sign of x: the list of libsodium's ge25519_has_small_order, with the two
// that are not reduced modulo p = 2^255 - 19 and are decoded all the same.
var smallOrderY = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000", // 0, order 4
	"0100000000000000000000000000000000000000000000000000000000000000", // 1, order 1
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p-1, order 2
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p: 0 again
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p+1: 1 again
}
