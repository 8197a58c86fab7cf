// Package inference keeps and checks signed records of what a model answered.
//
// A replica of a deployment has an Ed25519 key of its own. An operator's key
// certifies it ([Certificate]) for one model digest, one configuration digest, a
// time, and a level of [Assurance]. The replica writes a [Record] of every
// answer: a sequence number from 1 without gaps, the time, and digests of the
// request, the response and the parameters, never their content. Up to 256
// records, or those of 250 ms, are a batch: the RFC 6962 Merkle root over their
// canonical bytes, the range of their numbers and the digest of the batch
// before, signed ([Batch]).
//
//	recorder, err := inference.Open(ctx, inference.Options{Path: "r1.log", Key: key, Certificate: cert})
//	err = recorder.Add(ctx, inference.Record{ID: id, Request: inference.SHA256(req), Response: inference.SHA256(resp)})
//	err = recorder.Close()
//
// [Check] reads logs and says, offline, whether every record is there once, in
// order, unchanged, and from a key that was certified for the model. [Prove]
// takes one record out with the proof that it was signed; [CheckProof] needs
// nothing else than that and the operator's public key.
//
// # What is decided on what evidence
//
// The chain of batches shows gaps, replays, reordered and edited records within
// a log, and two logs of one replica that contradict each other. Its end cannot
// show what was cut off behind it: a log that was closed ends in a signed
// end marker, which makes a cut visible, except a cut just behind an older
// marker (a log that was closed and continued has several) and one of the whole
// log. Whoever must exclude that too keeps the [Head] of the log elsewhere, in
// a ledger, and gives it to Check. A head also shows that the log was not
// written anew.
//
// # What it cannot see
//
// Whether the digests are those of what was really asked and answered, and
// whether the model that ran is the certified one: that is what the replica
// says. A replica that answers without recording leaves no gap. [Assurance]
// states how much stands behind the replica's word.
package inference

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"bartizan/attest"
)

// Limits of what is read and written.
const (
	// MaxBatch is how many records one batch can have.
	MaxBatch = 4096
	// MaxLine is the length of a line of a log, and of the JSON of a certificate.
	MaxLine = 64 << 10
	// MaxGuards is how many guards can have judged one record.
	MaxGuards = 16
	// MaxName is the length of ids and names.
	MaxName = 128
	// MaxSequence is the largest number that every JSON reader takes exactly.
	MaxSequence = 1<<53 - 1
)

// Assurance says what stands behind a record, the weakest first.
type Assurance string

// The levels. The operator states them in the certificate, and a record never
// claims more than its certificate.
const (
	// SelfAttested: the replica's own word, nothing else.
	SelfAttested Assurance = "self-attested"
	// Witnessed: something apart from the replica saw request and response, such
	// as a gateway that writes the records.
	Witnessed Assurance = "witnessed"
	// Hardware: the key is bound to measured code in a trusted execution
	// environment. The evidence for that is the operator's to check when he
	// certifies the key; it is not in the records.
	Hardware Assurance = "hardware"
)

// ParseAssurance reads the name of a level.
func ParseAssurance(text string) (Assurance, error) {
	if a := Assurance(text); a.rank() > 0 {
		return a, nil
	}
	return "", fmt.Errorf("assurance %q: want self-attested, witnessed or hardware", clip(text))
}

func (a Assurance) rank() int {
	switch a {
	case SelfAttested:
		return 1
	case Witnessed:
		return 2
	case Hardware:
		return 3
	}
	return 0
}

// lower gives the weaker of two; an empty one does not count.
func lower(a, b Assurance) Assurance {
	if a == "" || b != "" && b.rank() < a.rank() {
		return b
	}
	return a
}

// Head names how far a log goes: its last batch, by the sequence number of its
// last record and the digest of its signed statement. Kept elsewhere, it shows
// later that nothing before it was cut off or written anew.
type Head struct {
	// Number is that of the batch, or 0 where it is not known.
	Number   int64
	Sequence int64
	// Digest is the SHA-256 of the batch's statement.
	Digest Digest
}

// String gives "SEQUENCE:sha256:HEX".
func (h Head) String() string { return strconv.FormatInt(h.Sequence, 10) + ":" + h.Digest.String() }

// is compares what the text of a head has: not the batch's number.
func (h Head) is(other Head) bool { return h.Sequence == other.Sequence && h.Digest == other.Digest }

// ParseHead reads "SEQUENCE:sha256:HEX".
func ParseHead(text string) (Head, error) {
	sequence, digest, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(sequence, 10, 64)
	if err != nil || n < 0 || n > MaxSequence || strconv.FormatInt(n, 10) != sequence {
		return Head{}, fmt.Errorf("head %q: want SEQUENCE:sha256:HEX", clip(text))
	}
	d, err := ParseDigest(digest)
	if err != nil || d.Salted() {
		return Head{}, fmt.Errorf("head %q: want SEQUENCE:sha256:HEX", clip(text))
	}
	return Head{Sequence: n, Digest: d}, nil
}

// Two forms of time, both fixed in length so that one instant has one text.
const (
	timeMicros  = "2006-01-02T15:04:05.000000Z"
	timeSeconds = "2006-01-02T15:04:05Z"
)

func parseTime(layout, text string) (time.Time, error) {
	t, err := time.Parse(layout, text)
	if err != nil || t.Format(layout) != text || t.Year() < 1 {
		return time.Time{}, fmt.Errorf("the time %q is not in the form %s", clip(text), layout)
	}
	return t, nil
}

// checkName holds replicas, ids and guards to characters that are the same in
// every encoding.
func checkName(what, name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("the %s is empty or longer than %d bytes", what, MaxName)
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("._:@/+-", c) >= 0:
		default:
			return fmt.Errorf("the %s %q has other characters than letters, digits and . _ : @ / + -", what, clip(name))
		}
	}
	return nil
}

func malformed(name, format string, args ...any) *attest.Error {
	return attest.Refuse(attest.InferenceMalformed, name, format, args...)
}

// clip shortens what came from outside for an error text.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
