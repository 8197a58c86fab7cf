package keyless

import (
	"context"
	"crypto"
	"encoding/hex"
	"io"

	"bartizan/attest"
	"bartizan/attest/statement"
)

// Statement says of what kind a statement is, and what it says in one word.
type Statement struct {
	Type, PredicateType string
	// Result is PASSED, WARNED, FAILED, APPROVED or REJECTED where the predicate
	// is one that judges.
	Result string
}

// CheckStatement decides whether the payload of an envelope is an in-toto
// statement (v1) about a file, and of the predicate type that is wanted, where
// that is not empty. Whoever calls it has verified the envelope.
//
// The statement and a predicate that package statement knows are read as that
// package reads them. A statement is about the file when one of its subjects has
// a digest of it that binds, no other known one that contradicts, and is no
// folder.
func CheckStatement(ctx context.Context, payload []byte, artifact io.Reader, predicateType string) (Statement, error) {
	s, said, err := readStatement(payload, predicateType)
	if err != nil {
		return Statement{}, err
	}
	_, err = about(ctx, s, artifact)
	return said, err
}

// readStatement reads a payload, and holds its predicate type against what was
// asked for.
func readStatement(payload []byte, predicateType string) (*statement.Statement, Statement, error) {
	s, err := statement.Parse(payload)
	if err != nil {
		return nil, Statement{}, err
	}
	if predicateType != "" && predicateType != s.PredicateType {
		return nil, Statement{}, attest.Refuse(attest.PredicateType, "", "the statement is a %q, not a %q", clip(s.PredicateType), clip(predicateType))
	}
	p, err := statement.Known(s)
	if err != nil {
		return nil, Statement{}, err
	}
	return s, Statement{Type: statement.Type, PredicateType: s.PredicateType, Result: statement.ResultOf(p)}, nil
}

// about reads the file and looks for it among the subjects. It gives the file's
// SHA-256.
func about(ctx context.Context, s *statement.Statement, artifact io.Reader) (digests, error) {
	named := map[string]bool{}
	for i := range s.Subject {
		for name := range s.Subject[i].Digest {
			named[name] = true
		}
	}
	d, err := fileDigests(ctx, artifact, named)
	if err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(d["sha256"])
	if err != nil {
		return nil, err
	}
	return digests{crypto.SHA256: sum}, s.AboutFile(d)
}

// subject demands that the statement is about the file.
func (c *check) subject() error {
	s, said, err := readStatement(c.bundle.envelope.payload, c.trust.predicateType)
	if err != nil {
		return err
	}
	c.result.Statement = said
	c.digests, err = about(c.ctx, s, c.artifact)
	return err
}
