package statement

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	json "github.com/go-json-experiment/json"

	"bartizan/attest"
	"bartizan/attest/strictjson"
)

// The predicates that are known here. The first three are public
// specifications. The others are this project's own, described in
// docs/predicates.md; their names lie under .invalid (RFC 6761), which nobody
// can ever own and serve another meaning from.
const (
	SLSAProvenanceType  = "https://slsa.dev/provenance/v1"
	TestResultType      = "https://in-toto.io/attestation/test-result/v0.1"
	VSAType             = "https://slsa.dev/verification_summary/v1"
	DatasetManifestType = "https://bartizan.invalid/attestation/dataset-manifest/v1"
	ApprovalType        = "https://bartizan.invalid/attestation/approval/v1"
	InferenceBatchType  = "https://bartizan.invalid/attestation/inference-batch/v1"
)

// Predicate is one of the typed predicates of this package.
type Predicate interface {
	// Type is the URI of the predicate.
	Type() string
	// check holds what the predicate's specification demands of it and of its subjects.
	check(subjects []Descriptor) error
	// exact says whether members that are not known are refused.
	exact() bool
}

// New makes the statement that says p of the subjects, and refuses with
// STATEMENT_MALFORMED what parsing would refuse.
func New(p Predicate, subjects ...Descriptor) (*Statement, error) {
	if err := p.check(subjects); err != nil {
		return nil, malformed("predicate", "%v", err)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, malformed("predicate", "%v", err)
	}
	s := &Statement{Subject: subjects, PredicateType: p.Type()}
	if s.Predicate, err = Canonical(raw); err != nil {
		return nil, malformed("predicate", "%v", err)
	}
	return s, s.check()
}

// parse reads the predicate of a statement into p. Another type is
// PREDICATE_TYPE, anything else that is wrong STATEMENT_MALFORMED.
func parse[P Predicate](s *Statement, p P) (P, error) {
	var none P
	if s.PredicateType != p.Type() {
		return none, attest.Refuse(attest.PredicateType, "", "the predicate is %s, not %s", clip(s.PredicateType), p.Type())
	}
	if s.Predicate == nil {
		return none, malformed("predicate", "missing")
	}
	read := strictjson.Unmarshal
	if p.exact() {
		read = strictjson.UnmarshalExact
	}
	if err := read(s.Predicate, p); err != nil {
		return none, malformed("predicate", "%v", err)
	}
	if err := p.check(s.Subject); err != nil {
		return none, malformed("predicate", "%v", err)
	}
	return p, nil
}

// Time is a time as statements write it: RFC 3339 in UTC, ending with Z
// (in-toto spec/v1/field_types.md).
type Time struct{ time.Time }

// At gives a time in UTC without its monotonic part.
func At(t time.Time) Time { return Time{t.UTC().Round(0)} }

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) { return t.UTC().MarshalJSON() }

// UnmarshalJSON reads the time. Other offsets than Z are refused, as the
// specification has it; null is no time.
func (t *Time) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*t = Time{}
		return nil
	}
	if len(raw) > len(`"2006-01-02T15:04:05.999999999Z"`) || !bytes.HasSuffix(raw, []byte(`Z"`)) {
		return errors.New("no RFC 3339 time in UTC")
	}
	return t.Time.UnmarshalJSON(raw)
}

// required gives an error that names the first of the members that is empty.
func required(members ...string) error {
	for i := 0; i+1 < len(members); i += 2 {
		if members[i+1] == "" {
			return fmt.Errorf("%s is missing", members[i])
		}
		if len(members[i+1]) > MaxURI {
			return fmt.Errorf("%s: %d bytes, more than %d", members[i], len(members[i+1]), MaxURI)
		}
	}
	return nil
}
