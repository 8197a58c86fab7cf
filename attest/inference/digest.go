package inference

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"bartizan/attest/strictjson"
)

type digestKind uint8

const (
	noDigest digestKind = iota
	plainDigest
	saltedDigest
)

const (
	plainPrefix  = "sha256:"
	saltedPrefix = "hmac-sha256:"
)

// Digest stands for content: its SHA-256, or its HMAC-SHA-256 under a [Salt].
// The zero Digest is none.
type Digest struct {
	kind digestKind
	sum  [sha256.Size]byte
}

// SHA256 is the digest of content that nobody would have to forget. Content of
// few possibilities can be found again from it by trying them all.
func SHA256(content []byte) Digest {
	return Digest{kind: plainDigest, sum: sha256.Sum256(content)}
}

// ParseDigest reads "sha256:HEX" or "hmac-sha256:HEX", in lower case.
func ParseDigest(text string) (Digest, error) {
	d := Digest{kind: plainDigest}
	digits, ok := strings.CutPrefix(text, plainPrefix)
	if !ok {
		d.kind = saltedDigest
		digits, ok = strings.CutPrefix(text, saltedPrefix)
	}
	if !ok || len(digits) != hex.EncodedLen(len(d.sum)) || strings.ToLower(digits) != digits {
		return Digest{}, fmt.Errorf("the digest %q: want sha256: and 64 lower-case hexadecimal digits", clip(text))
	}
	if _, err := hex.Decode(d.sum[:], []byte(digits)); err != nil {
		return Digest{}, fmt.Errorf("the digest %q is not hexadecimal", clip(text))
	}
	return d, nil
}

// IsZero says that there is no digest.
func (d Digest) IsZero() bool { return d.kind == noDigest }

// Salted says that the digest tells nothing without its salt.
func (d Digest) Salted() bool { return d.kind == saltedDigest }

// String gives "sha256:HEX", "hmac-sha256:HEX", or "".
func (d Digest) String() string { return string(d.append(nil)) }

func (d Digest) append(b []byte) []byte {
	switch d.kind {
	case noDigest:
		return b
	case plainDigest:
		b = append(b, plainPrefix...)
	case saltedDigest:
		b = append(b, saltedPrefix...)
	}
	return hex.AppendEncode(b, d.sum[:])
}

// Salt is the secret under which personal content is digested. It is kept apart
// from the log; whoever destroys it has erased the content from every record
// that was made with it, and the log still checks.
type Salt struct {
	id  string
	key [32]byte
}

// NewSalt makes a random one.
func NewSalt() (Salt, error) {
	var raw [48]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return Salt{}, err
	}
	s := Salt{id: hex.EncodeToString(raw[:16])}
	copy(s.key[:], raw[16:])
	return s, nil
}

// ID names the salt in records. It is random and says nothing of the key.
func (s Salt) ID() string { return s.id }

// Digest is HMAC-SHA-256 of the content with the salt's 32 bytes as the key.
func (s Salt) Digest(content []byte) Digest {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write(content)
	d := Digest{kind: saltedDigest}
	mac.Sum(d.sum[:0])
	return d
}

// Line gives the salt as a line of JSON, {"salt":"ID","key":"HEX"}, without the
// line break: what a store of salts keeps, and deletes.
func (s Salt) Line() []byte {
	return fmt.Appendf(nil, `{"salt":%q,"key":%q}`, s.id, hex.EncodeToString(s.key[:]))
}

// ParseSalt reads what Line wrote. Its errors never quote the key.
func ParseSalt(line []byte) (Salt, error) {
	var w struct {
		Salt string `json:"salt"`
		Key  string `json:"key"`
	}
	if err := strictjson.UnmarshalExact(line, &w); err != nil {
		return Salt{}, fmt.Errorf("salt: %w", err)
	}
	s := Salt{id: w.Salt}
	if err := checkName("salt", w.Salt); err != nil {
		return Salt{}, err
	}
	if raw, err := hex.DecodeString(w.Key); err != nil || copy(s.key[:], raw) != len(s.key) || len(raw) != len(s.key) {
		return Salt{}, errors.New("salt: the key is not 64 hexadecimal digits")
	}
	return s, nil
}
