package keyless

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"io"
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

// Statement says of what kind a statement is.
type Statement struct{ Type, PredicateType string }

type statement struct {
	Type          string `json:"_type"`
	PredicateType string `json:"predicateType"`
	Subject       []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
}

// CheckStatement decides whether the payload of an envelope is an in-toto
// statement about a file, and of the predicate type that is wanted, where that
// is not empty. Whoever calls it has verified the envelope.
//
// A statement is about the file when one of its subjects has a digest of it
// (sha256, sha384 or sha512) and no other of these that contradicts.
func CheckStatement(ctx context.Context, payload []byte, artifact io.Reader, predicateType string) (Statement, error) {
	s, err := readStatement(payload, predicateType)
	if err != nil {
		return Statement{}, err
	}
	_, err = s.about(ctx, artifact)
	return Statement{Type: s.Type, PredicateType: s.PredicateType}, err
}

// readStatement reads a payload, and holds its predicate type against what was
// asked for.
func readStatement(payload []byte, predicateType string) (*statement, error) {
	s := new(statement)
	malformed := func(detail string) error { return attest.Refuse(attest.StatementMalformed, "", "%s", detail) }
	if err := strictjson.Unmarshal(payload, s); err != nil {
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
	if predicateType != "" && predicateType != s.PredicateType {
		return nil, attest.Refuse(attest.PredicateType, "", "the statement is a %q, not a %q", clip(s.PredicateType), clip(predicateType))
	}
	return s, nil
}

// about reads the file and looks for it among the subjects.
func (s *statement) about(ctx context.Context, artifact io.Reader) (digests, error) {
	var want []crypto.Hash
	for i := range s.Subject {
		for name := range s.Subject[i].Digest {
			if h, ok := hashByName[name]; ok && !slices.Contains(want, h) {
				want = append(want, h)
			}
		}
	}
	if len(want) == 0 {
		return nil, attest.Refuse(attest.ArtifactMismatch, "", "no subject has a digest of sha256, sha384 or sha512")
	}
	d, err := readDigests(ctx, artifact, want...)
	if err != nil {
		return nil, err
	}
	for i := range s.Subject {
		if d.are(s.Subject[i].Digest) {
			return d, nil
		}
	}
	return nil, attest.Refuse(attest.ArtifactMismatch, "", "no subject of the statement is this file")
}

// subject demands that the statement is about the file.
func (c *check) subject() error {
	s, err := readStatement(c.bundle.envelope.payload, c.trust.predicateType)
	if err != nil {
		return err
	}
	c.result.Statement = Statement{Type: s.Type, PredicateType: s.PredicateType}
	c.digests, err = s.about(c.ctx, c.artifact)
	return err
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
