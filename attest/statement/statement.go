// Package statement reads and writes in-toto Statements v1
// (https://github.com/in-toto/attestation/tree/main/spec/v1): claims of one
// type, the predicate, about things named by their digests, the subjects.
//
// A statement is what stands within a signed envelope. Nothing here verifies a
// signature: whoever parses a statement has verified the envelope before, or
// says that it is unverified.
//
// Statements are read strictly, so that two readers cannot understand one
// differently: no duplicate keys, no trailing data, limits on depth and size,
// digests in lower-case hexadecimal of their algorithm's length. Members that
// are not known are ignored, as the specification demands ("consumers MUST
// ignore unrecognized fields"), except in the predicates that are defined in
// this project, which say so. They are written as canonical JSON (RFC 8785), so
// that the same claim is the same bytes.
//
// docs/predicates.md describes each predicate for people.
package statement

import (
	"bartizan/attest"
	"bartizan/attest/strictjson"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// PayloadType is the DSSE payload type of every in-toto statement.
const PayloadType = "application/vnd.in-toto+json"

// Type is what every statement of version 1 names in its member _type.
const Type = "https://in-toto.io/Statement/v1"

// Limits of what is read and written.
const (
	MaxPayload    = 32 << 20  // bytes of a statement
	MaxSubjects   = 1_000_000 // things that one statement is about
	MaxName       = 1024      // bytes of a name
	MaxURI        = 8192      // bytes of a URI
	MaxContent    = 1 << 20   // bytes of a descriptor's content
	MaxDigests    = 32        // digests of one thing
	MaxAnnotation = 1000      // annotations of one thing
)

// Statement is a claim of a type about its subjects.
type Statement struct {
	// Subject has at least one descriptor, each with at least one digest.
	Subject []Descriptor
	// PredicateType is the URI that says how the predicate is to be read.
	PredicateType string
	// Predicate is a JSON object as it was signed, or nil where there is none
	// (the type alone is then the claim).
	Predicate jsontext.Value
}

// wire is the statement as it stands in JSON.
type wire struct {
	Type          string           `json:"_type"`
	Subject       List[Descriptor] `json:"subject"`
	PredicateType string           `json:"predicateType"`
	Predicate     jsontext.Value   `json:"predicate,omitzero"`
}

// Parse reads a statement. It refuses with STATEMENT_TYPE what is a JSON object
// of another _type, and with STATEMENT_MALFORMED everything else that is not a
// statement within the limits. Numbers within the predicate are kept as they
// are written.
func Parse(payload []byte) (*Statement, error) {
	if len(payload) > MaxPayload {
		return nil, malformed("", "%d bytes, more than %d", len(payload), MaxPayload)
	}
	var w wire
	if err := strictjson.Unmarshal(payload, &w); err != nil {
		return nil, typeOr(payload, malformed("", "%v", err))
	}
	if strictjson.Kind(payload) != '{' {
		return nil, malformed("", "no JSON object")
	}
	if w.Type != Type {
		return nil, wrongType(w.Type)
	}
	s := &Statement{Subject: w.Subject, PredicateType: w.PredicateType, Predicate: w.Predicate}
	if s.Predicate.Kind() == 'n' { // null is unset, in every member
		s.Predicate = nil
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// typeOr tells a statement of another version, whose members may have other
// types, from one that is broken.
func typeOr(payload []byte, otherwise error) error {
	var only struct {
		Type string `json:"_type"`
	}
	if err := strictjson.Unmarshal(payload, &only); err == nil && only.Type != "" && only.Type != Type {
		return wrongType(only.Type)
	}
	return otherwise
}

func wrongType(got string) error {
	if got == "" {
		return malformed("", "_type is missing")
	}
	return attest.Refuse(attest.StatementType, "", "_type is %q, not %s", clip(got), Type)
}

// check holds what is demanded of a statement, read or made.
func (s *Statement) check() error {
	if len(s.Subject) == 0 {
		return malformed("", "it has no subject")
	}
	if len(s.Subject) > MaxSubjects {
		return malformed("", "%d subjects, more than %d", len(s.Subject), MaxSubjects)
	}
	for i := range s.Subject {
		if len(s.Subject[i].Digest) == 0 {
			return malformed(clip(s.Subject[i].Name), "subject %d has no digest", i)
		}
		if err := s.Subject[i].check(); err != nil {
			return malformed(clip(s.Subject[i].Name), "subject %d: %v", i, err)
		}
	}
	if err := checkURI(s.PredicateType); err != nil {
		return malformed("", "predicateType: %v", err)
	}
	if s.Predicate != nil && s.Predicate.Kind() != '{' {
		return malformed("", "the predicate is no JSON object")
	}
	return nil
}

// Marshal writes the statement as canonical JSON (RFC 8785): the same statement
// is the same bytes. It refuses with STATEMENT_MALFORMED what Parse would
// refuse, and numbers that canonical JSON would change: integers that
// would become others, and numbers beyond the range of a double.
func (s *Statement) Marshal() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(wire{Type: Type, Subject: s.Subject, PredicateType: s.PredicateType, Predicate: s.Predicate})
	if err != nil {
		return nil, malformed("", "%v", err)
	}
	out, err := Canonical(raw)
	if err != nil {
		return nil, malformed("", "%v", err)
	}
	if len(out) > MaxPayload {
		return nil, malformed("", "%d bytes, more than %d", len(out), MaxPayload)
	}
	return out, nil
}

// Digest gives the digest of the subject in the first descriptor that has the
// algorithm, or "".
func (s *Statement) Digest(algorithm string) string {
	for i := range s.Subject {
		if d := s.Subject[i].Digest[algorithm]; d != "" {
			return d
		}
	}
	return ""
}

func malformed(name, format string, args ...any) *attest.Error {
	return attest.Refuse(attest.StatementMalformed, name, format, args...)
}

// clip shortens what came from a file for an error text.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
