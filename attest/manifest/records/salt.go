package records

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
)

// Bounds of a salt, in bytes.
const (
	MinSalt = 16
	MaxSalt = 1024
)

// Salt is a secret that keys the digests of records. Without one, whoever sees
// a digest (every proof of absence shows two neighbours) can try likely records
// until one fits: names, numbers, dates are soon found. With one, only those who
// hold it can, and only they can check a proof.
type Salt struct{ key []byte }

// NewSalt makes a salt of the bytes of a file, all of them: 32 random bytes are
// right. Shorter than MinSalt or longer than MaxSalt is an error.
func NewSalt(secret []byte) (*Salt, error) {
	if len(secret) < MinSalt || len(secret) > MaxSalt {
		return nil, fmt.Errorf("a salt has %d to %d bytes, not %d: make one with `head -c 32 /dev/urandom`", MinSalt, MaxSalt, len(secret))
	}
	return &Salt{key: append([]byte(nil), secret...)}, nil
}

// ID tells salts apart without giving them away: it stands in the manifest, so
// that nobody takes a record for absent because the salt is another. No salt
// has the zero digest.
func (s *Salt) ID() Digest {
	if s == nil {
		return Digest{}
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("bartizan.records.salt/v1"))
	return Digest(mac.Sum(nil))
}

// Hasher digests records of one shape. It is for one goroutine.
type Hasher struct {
	buf []byte // shape, then the record
	mac hash.Hash
}

// NewHasher makes a hasher; salt may be nil.
func NewHasher(shape Digest, salt *Salt) *Hasher {
	h := &Hasher{buf: shape[:]}
	if salt != nil {
		h.mac = hmac.New(sha256.New, salt.key)
	}
	return h
}

// Sum is the digest of a record in its canonical form.
func (h *Hasher) Sum(body []byte) (d Digest) {
	h.buf = append(h.buf[:len(d)], body...)
	if h.mac == nil {
		return sha256.Sum256(h.buf)
	}
	h.mac.Reset()
	h.mac.Write(h.buf)
	h.mac.Sum(d[:0])
	return d
}
