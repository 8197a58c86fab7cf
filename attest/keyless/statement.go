package keyless

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"slices"

	"bartizan/attest"
	"bartizan/attest/strictjson"
)

// statementTypes are those whose subjects are read: in-toto Statement v1, and
// v0.1, which most attestations of before 2023 are.
var statementTypes = []string{"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"}

// Limits of a statement over one file.
const (
	maxSubjects = 100_000
	maxDigests  = 32
)

type statement struct {
	Type          string `json:"_type"`
	PredicateType string `json:"predicateType"`
	Subject       []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
}

// statement reads the signed payload, and holds its predicate type against what
// was asked for.
func (c *check) statement() (*statement, error) {
	s := new(statement)
	malformed := func(detail string) error { return attest.Refuse(attest.StatementMalformed, "", "%s", detail) }
	if err := strictjson.Unmarshal(c.bundle.envelope.payload, s); err != nil {
		return nil, malformed(err.Error())
	}
	switch {
	case s.Type == "":
		return nil, malformed("_type is missing")
	case !slices.Contains(statementTypes, s.Type):
		return nil, attest.Refuse(attest.StatementType, "", "_type is %q: want %s", clip(s.Type), statementTypes[0])
	case s.PredicateType == "":
		return nil, malformed("predicateType is missing")
	case len(s.Subject) == 0 || len(s.Subject) > maxSubjects:
		return nil, malformed("no subject, or too many")
	}
	for i := range s.Subject {
		if len(s.Subject[i].Digest) > maxDigests {
			return nil, malformed("a subject has too many digests")
		}
	}
	if want := c.trust.predicateType; want != "" && want != s.PredicateType {
		return nil, attest.Refuse(attest.PredicateType, "", "the statement is a %q, not a %q", clip(s.PredicateType), clip(want))
	}
	c.result.StatementType, c.result.PredicateType = s.Type, s.PredicateType
	return s, nil
}

// subject demands that the statement is about the file: one of its subjects has
// a digest of the file, and no other digest of it that is known contradicts.
func (c *check) subject() error {
	s, err := c.statement()
	if err != nil {
		return err
	}
	want := []crypto.Hash{}
	for i := range s.Subject {
		for name := range s.Subject[i].Digest {
			if h, ok := hashByName[name]; ok && !slices.Contains(want, h) {
				want = append(want, h)
			}
		}
	}
	if len(want) == 0 {
		return attest.Refuse(attest.ArtifactMismatch, "", "no subject has a digest of sha256, sha384 or sha512")
	}
	if c.digests, err = readDigests(c.ctx, c.artifact, want...); err != nil {
		return err
	}
	for i := range s.Subject {
		if c.digests.are(s.Subject[i].Digest) {
			return nil
		}
	}
	return attest.Refuse(attest.ArtifactMismatch, "", "no subject of the statement is this file")
}

// are says whether every digest of a known algorithm is that of the file, and
// at least one is there.
func (d digests) are(named map[string]string) bool {
	some := false
	for name, text := range named {
		h, ok := hashByName[name]
		if !ok {
			continue
		}
		sum, err := hex.DecodeString(text)
		if err != nil || !bytes.Equal(sum, d[h]) {
			return false
		}
		some = true
	}
	return some
}
