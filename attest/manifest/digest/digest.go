// Package digest has the two ways in which manifests and proofs write 32 bytes:
// bare where the name of the member says the algorithm ("sha256": "ab…"), and
// with the algorithm in front where it does not ("root": "sha256:ab…"). Both are
// lower-case hex, in full, and nothing else is read: two texts for one digest
// would be two documents that mean the same.
package digest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Size is the number of bytes of a digest.
const Size = sha256.Size

// Hex is a digest that is written as 64 lower-case hex digits.
type Hex [Size]byte

// SHA256 is a SHA-256 digest that is written "sha256:" and 64 hex digits.
type SHA256 [Size]byte

const prefix = "sha256:"

var (
	errHex    = errors.New("want 64 lower-case hex digits")
	errTagged = errors.New(`want "sha256:" and 64 lower-case hex digits`)
)

// MarshalText implements encoding.TextMarshaler.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// String gives the text form.
func (h Hex) String() string { return hex.EncodeToString(h[:]) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hex) UnmarshalText(text []byte) error { return decode(h[:], text, errHex) }

// MarshalText implements encoding.TextMarshaler.
func (d SHA256) MarshalText() ([]byte, error) { return hex.AppendEncode([]byte(prefix), d[:]), nil }

// String gives the text form.
func (d SHA256) String() string { return prefix + hex.EncodeToString(d[:]) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *SHA256) UnmarshalText(text []byte) error {
	rest, ok := bytes.CutPrefix(text, []byte(prefix))
	if !ok {
		return errTagged
	}
	return decode(d[:], rest, errTagged)
}

// IsZero says that the digest is not set.
func (d SHA256) IsZero() bool { return d == SHA256{} }

func decode(out, text []byte, bad error) error {
	if len(text) != 2*len(out) {
		return bad
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return bad
		}
	}
	if _, err := hex.Decode(out, text); err != nil {
		return bad
	}
	return nil
}
