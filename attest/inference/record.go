package inference

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"bartizan/attest"
	"bartizan/attest/strictjson"
)

// Record says that a model answered. It holds digests, never content.
type Record struct {
	// Sequence counts from 1 without gaps; the [Recorder] gives it.
	Sequence int64
	// Time is when the answer was given, in microseconds, and not before that of
	// the record before it; zero on Add: now.
	Time time.Time
	// ID is the service's own name for the answer, or empty. It stands once:
	// it must not be taken from whoever asks, who could send it twice.
	ID string
	// Request and Response are digests of what was asked and answered.
	Request, Response Digest
	// Parameters is the digest of temperature, seed and so on, or none.
	Parameters Digest
	// Model and Configuration are the certificate's; zero on Add.
	Model, Configuration Digest
	// Salt names the [Salt] of salted digests, and is empty without them.
	Salt string
	// Guards are the verdicts of what judged request or response.
	Guards []Guard
	// Assurance is at most the certificate's; empty on Add: the certificate's.
	Assurance Assurance
}

// Guard is what one guard said.
type Guard struct {
	Name string
	// Verdict is clean, review or block.
	Verdict string
}

// check holds what is demanded of a record, read or made.
func (r *Record) check() error {
	if r.Sequence < 1 || r.Sequence > MaxSequence {
		return fmt.Errorf("the sequence number %d is out of range", r.Sequence)
	}
	if r.Time.Year() < 1 || r.Time.Year() > 9999 {
		return errors.New("the time is out of range")
	}
	if r.Model.kind != plainDigest || r.Configuration.kind != plainDigest {
		return errors.New("model and configuration want a sha256 digest each")
	}
	if r.Assurance.rank() == 0 {
		return fmt.Errorf("the assurance %q is unknown", clip(string(r.Assurance)))
	}
	return r.checkOwn()
}

// checkOwn is the part of check that does not depend on the log.
func (r *Record) checkOwn() error {
	if r.ID != "" {
		if err := checkName("id", r.ID); err != nil {
			return err
		}
	}
	if r.Request.IsZero() || r.Response.IsZero() {
		return errors.New("the digest of request or response is missing")
	}
	salted := r.Request.Salted() || r.Response.Salted() || r.Parameters.Salted()
	if salted != (r.Salt != "") {
		return errors.New("salted digests want the name of their salt, and others want none")
	}
	if salted {
		if err := checkName("salt", r.Salt); err != nil {
			return err
		}
	}
	if len(r.Guards) > MaxGuards {
		return fmt.Errorf("%d guards, more than %d", len(r.Guards), MaxGuards)
	}
	for _, g := range r.Guards {
		if err := checkName("guard", g.Name); err != nil {
			return err
		}
		if g.Verdict != "clean" && g.Verdict != "review" && g.Verdict != "block" {
			return fmt.Errorf("the verdict of guard %s is none of clean, review, block", g.Name)
		}
	}
	return nil
}

// append writes the canonical form (RFC 8785): no member needs an escape, so
// that writing the members in order is all there is to it. The record has been
// checked.
func (r *Record) append(b []byte) []byte {
	b = append(append(b, `{"assurance":"`...), r.Assurance...)
	b = r.Configuration.append(append(b, `","configuration":"`...))
	if len(r.Guards) > 0 {
		b = append(b, `","guards":[`...)
		for i, g := range r.Guards {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, `{"name":"`...), g.Name...)
			b = append(append(append(b, `","verdict":"`...), g.Verdict...), `"}`...)
		}
		b = append(b, ']')
	} else {
		b = append(b, '"')
	}
	if r.ID != "" {
		b = append(append(append(b, `,"id":"`...), r.ID...), '"')
	}
	b = r.Model.append(append(b, `,"model":"`...))
	if !r.Parameters.IsZero() {
		b = r.Parameters.append(append(b, `","parameters":"`...))
	}
	b = r.Request.append(append(b, `","request":"`...))
	b = r.Response.append(append(b, `","response":"`...))
	if r.Salt != "" {
		b = append(append(b, `","salt":"`...), r.Salt...)
	}
	b = strconv.AppendInt(append(b, `","sequence":`...), r.Sequence, 10)
	b = r.Time.UTC().AppendFormat(append(b, `,"time":"`...), timeMicros)
	return append(b, `"}`...)
}

// Marshal gives the canonical bytes, which are the leaf of the Merkle tree.
func (r *Record) Marshal() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return r.append(nil), nil
}

// recordWire is a record as it stands in JSON.
type recordWire struct {
	Assurance     string      `json:"assurance"`
	Configuration string      `json:"configuration"`
	Guards        []guardWire `json:"guards"`
	ID            string      `json:"id"`
	Model         string      `json:"model"`
	Parameters    string      `json:"parameters"`
	Request       string      `json:"request"`
	Response      string      `json:"response"`
	Salt          string      `json:"salt"`
	Sequence      int64       `json:"sequence"`
	Time          string      `json:"time"`
}

type guardWire struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
}

// ParseRecord reads the canonical bytes of a record, and refuses every other
// way of writing it with INFERENCE_MALFORMED: one record has one leaf.
func ParseRecord(line []byte) (*Record, error) {
	if len(line) > MaxLine {
		return nil, malformed("", "a record of %d bytes", len(line))
	}
	var w recordWire
	if err := strictjson.UnmarshalExact(line, &w); err != nil {
		return nil, malformed("", "the record: %v", err)
	}
	r, err := w.record()
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, malformed("", "the record: %v", err)
	}
	if !bytes.Equal(r.append(make([]byte, 0, len(line))), line) {
		return nil, malformed("", "the record is not in canonical form")
	}
	return r, nil
}

func (w *recordWire) record() (*Record, error) {
	r := &Record{Sequence: w.Sequence, ID: w.ID, Salt: w.Salt, Assurance: Assurance(w.Assurance)}
	var err error
	if r.Time, err = parseTime(timeMicros, w.Time); err != nil {
		return nil, err
	}
	for _, d := range []struct {
		to   *Digest
		text string
	}{{&r.Request, w.Request}, {&r.Response, w.Response}, {&r.Parameters, w.Parameters}, {&r.Model, w.Model}, {&r.Configuration, w.Configuration}} {
		if d.text == "" {
			continue // check says what may be missing
		}
		if *d.to, err = ParseDigest(d.text); err != nil {
			return nil, err
		}
	}
	for _, g := range w.Guards {
		r.Guards = append(r.Guards, Guard(g))
	}
	return r, nil
}

// fits says whether the record is what the certificate is for.
func (r *Record) fits(c *Certificate) error {
	name := "record " + strconv.FormatInt(r.Sequence, 10)
	switch {
	case r.Model != c.Model:
		return attest.Refuse(attest.InferenceModel, name, "it is of model %s, and the key is certified for %s", r.Model, c.Model)
	case r.Configuration != c.Configuration:
		return attest.Refuse(attest.InferenceModel, name, "it is of configuration %s, and the key is certified for %s", r.Configuration, c.Configuration)
	case !c.within(r.Time):
		return attest.Refuse(attest.InferenceCert, name, "its time %s is not within the certificate's, %s to %s",
			r.Time.Format(timeMicros), c.NotBefore.Format(timeSeconds), c.NotAfter.Format(timeSeconds))
	case r.Assurance.rank() > c.Assurance.rank():
		return attest.Refuse(attest.InferenceCert, name, "it claims to be %s, and the certificate is for %s", r.Assurance, c.Assurance)
	}
	return nil
}
