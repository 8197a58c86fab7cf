package statement

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// InferenceBatch commits to the records of what a model answered, in the order
// of their sequence numbers. It is this project's own predicate
// (docs/predicates.md) and is read exactly. The one subject's sha256 is the
// Merkle root (RFC 6962) over the records' canonical bytes; attest/inference
// makes and checks logs of batches.
type InferenceBatch struct {
	Replica       string `json:"replica"`
	Certificate   string `json:"certificate"`   // sha256:hex of the replica certificate's payload
	Model         string `json:"model"`         // sha256:hex
	Configuration string `json:"configuration"` // sha256:hex
	// Assurance is self-attested, witnessed or hardware: the lowest of the records.
	Assurance     string `json:"assurance"`
	Number        int64  `json:"number"`        // from 1 without gaps, per replica
	FirstSequence int64  `json:"firstSequence"` // from 1
	LastSequence  int64  `json:"lastSequence"`
	Count         int    `json:"count"`
	// Previous is the sha256:hex of the payload of the batch before, absent for the first.
	Previous string `json:"previous,omitzero"`
	// End says that the log was closed cleanly here, with a batch without records.
	End bool `json:"end,omitzero"`
	// Time is RFC 3339 in UTC with microseconds, all six digits.
	Time string `json:"time"`
}

// MaxBatch is how many records one batch holds at most.
const MaxBatch = 4096

// BatchTime is the layout of a batch's time.
const BatchTime = "2006-01-02T15:04:05.000000Z"

var (
	replicaName = regexp.MustCompile(`^[A-Za-z0-9._:@/+=-]{1,128}$`)
	assurances  = map[string]bool{"self-attested": true, "witnessed": true, "hardware": true} // read only
)

// ParseInferenceBatch reads the predicate of a statement.
func ParseInferenceBatch(s *Statement) (*InferenceBatch, error) { return parse(s, &InferenceBatch{}) }

// Type implements Predicate.
func (*InferenceBatch) Type() string { return InferenceBatchType }

func (*InferenceBatch) exact() bool { return true }

func (b *InferenceBatch) check(subjects []Descriptor) error {
	if len(subjects) != 1 || subjects[0].Digest["sha256"] == "" {
		return errors.New("want exactly one subject with a sha256, the root over the records")
	}
	if !replicaName.MatchString(b.Replica) {
		return errors.New("replica: want 1 to 128 of A-Z a-z 0-9 . _ : @ / + = -")
	}
	for where, digest := range map[string]string{"certificate": b.Certificate, "model": b.Model, "configuration": b.Configuration} {
		if !isSHA256(digest) {
			return fmt.Errorf("%s: want sha256: and 64 hexadecimal digits", where)
		}
	}
	if !assurances[b.Assurance] {
		return errors.New("assurance: want self-attested, witnessed or hardware")
	}
	if t, err := time.Parse(BatchTime, b.Time); err != nil || t.Format(BatchTime) != b.Time {
		return errors.New("time: want RFC 3339 in UTC with six digits of the second")
	}
	return b.checkOrder()
}

// maxSequence is what a double still counts exactly.
const maxSequence = 1 << 53

func (b *InferenceBatch) checkOrder() error {
	switch {
	case b.Number < 1 || b.Number > maxSequence || b.FirstSequence < 1 || b.FirstSequence > maxSequence || b.LastSequence > maxSequence:
		return errors.New("number and firstSequence count from 1")
	case b.Count < 0 || b.Count > MaxBatch:
		return fmt.Errorf("count: want 0 to %d", MaxBatch)
	case (b.Count == 0) != b.End:
		return errors.New("end goes with count 0, and only with it")
	case b.LastSequence != b.FirstSequence+int64(b.Count)-1:
		return errors.New("lastSequence is not firstSequence + count - 1")
	case (b.Number == 1) != (b.Previous == ""):
		return errors.New("previous is there in every batch but the first")
	case b.Previous != "" && !isSHA256(b.Previous):
		return errors.New("previous: want sha256: and 64 hexadecimal digits")
	}
	return nil
}

func isSHA256(s string) bool {
	hex, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(hex) == 64 && isHex(hex)
}
