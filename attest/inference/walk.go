package inference

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"bartizan/attest"
	"bartizan/attest/keys"
)

// walk reads one log from its beginning and checks all that the log alone can
// show: form, certificates, signatures, the order of records and batches, the
// roots. It holds one batch at a time.
type walk struct {
	*lines
	m merkle
	// operators whose certificates count; without any, certificates are not
	// judged (the replica that reads its own log).
	operators []*keys.Public
	// light leaves the records unread but for their hashes.
	light bool

	// begin says, of the first batch, what it continues.
	begin func(*Batch) (Head, error)
	// certified judges a certificate, accept a batch that is right in itself,
	// record a record before its batch is known. Each may be nil.
	certified func(*Certificate) error
	record    func(*Record, []byte)
	accept    func(*Batch, []node) error

	first   []byte // a line that was looked at and not yet taken
	cert    *Certificate
	signed  []byte // the envelope of the batch that is being taken
	leaves  []node
	next    int64 // the number that the next record must have, or 0
	lowest  Assurance
	started bool
	head    Head
	// recordTime and batchTime are those of the last record and batch: time does
	// not run backwards in a log. With light, recordTime stays zero and tail keeps
	// the end of the last record's line.
	recordTime, batchTime time.Time
	tail                  [len(timeMicros) + len(`"}`)]byte
	// fresh says that no batch was signed under the certificate yet.
	fresh  bool
	sealed bool
	// good is the offset behind the last batch; torn is what lies behind it.
	good int64
	torn bool
}

func newWalk(r io.Reader) *walk { return &walk{lines: newLines(r), m: newMerkle()} }

// run reads to the end.
func (w *walk) run(ctx context.Context) error {
	for {
		line, err := w.take()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = w.step(ctx, line)
		}
		if err != nil {
			return w.located(err)
		}
	}
}

// take gives the next whole line. What is torn ends the log.
func (w *walk) take() ([]byte, error) {
	if line := w.first; line != nil {
		w.first = nil
		return line, nil
	}
	line, torn, err := w.lines.next()
	if w.number == 0 && (torn || err == io.EOF) {
		return nil, malformed("", "the file is empty or its first line is cut off: it is no log of inference records")
	}
	if err != nil {
		return nil, err
	}
	if torn {
		w.torn, w.sealed = true, false
		return nil, io.EOF
	}
	if w.number == 1 {
		if kindOf(line) != headerLine {
			return nil, malformed("", "the file does not begin with %s: it is no log of inference records", header)
		}
		return w.take()
	}
	return line, nil
}

// located adds the line to a refusal.
func (w *walk) located(err error) error {
	if refusals := attest.Refusals(err); len(refusals) == 1 {
		r := *refusals[0]
		r.Detail += fmt.Sprintf(" (line %d)", w.number)
		return &r
	}
	return err
}

func (w *walk) step(ctx context.Context, line []byte) error {
	switch kindOf(line) {
	case recordLine:
		return w.takeRecord(line)
	case batchLine:
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.takeBatch(line)
	case certificateLine:
		return w.takeCertificate(line)
	}
	return malformed("", "the line is neither record, batch nor certificate")
}

func (w *walk) takeCertificate(line []byte) error {
	if len(w.leaves) > 0 {
		return malformed("", "a certificate stands between records and their batch")
	}
	if w.fresh {
		return malformed("", "a certificate stands behind another under which nothing was signed")
	}
	data, err := envelopeIn(line, certificatePrefix)
	if err != nil {
		return err
	}
	c, err := w.readCertificate(data)
	if err != nil {
		return err
	}
	if w.cert != nil && c.Replica != w.cert.Replica {
		return attest.Refuse(attest.InferenceCert, "certificate of "+c.Replica, "the log is of replica %s", w.cert.Replica)
	}
	if w.cert != nil && c.digest == w.cert.digest {
		return malformed("certificate of "+c.Replica, "it is in force already, and stands again")
	}
	if w.certified != nil {
		if err := w.certified(c); err != nil {
			return err
		}
	}
	w.cert, w.sealed, w.fresh = c, false, true
	return nil
}

func (w *walk) readCertificate(data []byte) (*Certificate, error) {
	if len(w.operators) > 0 {
		return ReadCertificate(data, w.operators...)
	}
	c, _, err := parseCertificate(data)
	return c, err
}

func (w *walk) takeRecord(line []byte) error {
	if w.cert == nil {
		return attest.Refuse(attest.InferenceCert, "", "a record stands before any certificate")
	}
	if len(w.leaves) == MaxBatch {
		return attest.Refuse(attest.InferenceGap, "", "more than %d records without the batch that signs them", MaxBatch)
	}
	w.sealed = false
	if w.light {
		copy(w.tail[:], line[max(0, len(line)-len(w.tail)):])
	} else if err := w.readRecord(line); err != nil {
		return err
	}
	w.leaves = append(w.leaves, w.m.leaf(line))
	return nil
}

func (w *walk) readRecord(line []byte) error {
	r, err := ParseRecord(line)
	if err != nil {
		return err
	}
	if w.next == 0 { // the first of the log: begin says whether it may be
		w.next = r.Sequence
	}
	if err := inOrder("record", r.Sequence, w.next); err != nil {
		return err
	}
	if err := r.fits(w.cert); err != nil {
		return err
	}
	if r.Time.Before(w.recordTime) {
		return backwards(fmt.Sprintf("record %d", r.Sequence), r.Time, fmt.Sprintf("record %d", r.Sequence-1), w.recordTime)
	}
	w.recordTime = r.Time
	w.next++
	w.lowest = lower(w.lowest, r.Assurance)
	if w.record != nil {
		w.record(r, line)
	}
	return nil
}

// inOrder tells what is missing from what comes again.
func inOrder(what string, got, want int64) error {
	switch {
	case got > want:
		return attest.Refuse(attest.InferenceGap, fmt.Sprintf("%s %d", what, got), "%s is missing", span(what, want, got-1))
	case got < want:
		return attest.Refuse(attest.InferenceReplay, fmt.Sprintf("%s %d", what, got), "it comes again, or too late: %s %d should stand here", what, want)
	}
	return nil
}

// span names a range of records or batches.
func span(what string, from, to int64) string {
	if from == to {
		return fmt.Sprintf("%s %d", what, from)
	}
	return fmt.Sprintf("%s %d to %d", what, from, to)
}

func (w *walk) takeBatch(line []byte) error {
	if w.cert == nil {
		return attest.Refuse(attest.InferenceCert, "", "a batch stands before any certificate")
	}
	data, err := envelopeIn(line, batchPrefix)
	if err != nil {
		return err
	}
	b, envelope, err := parseBatch(data)
	if err != nil {
		return err
	}
	w.signed = data
	if err := b.under(w.cert, envelope); err != nil {
		return err
	}
	if !w.started {
		if w.head, err = w.begin(b); err != nil {
			return err
		}
		w.started = true
	}
	if err := w.follows(b); err != nil {
		return err
	}
	if err := w.covers(b); err != nil {
		return err
	}
	if w.accept != nil {
		if err := w.accept(b, w.leaves); err != nil {
			return err
		}
	}
	w.leaves, w.lowest = w.leaves[:0], ""
	w.head, w.next, w.sealed, w.good = b.Head(), b.Last+1, b.End, w.offset
	w.batchTime, w.fresh = b.Time, false
	return nil
}

// follows says whether the batch is the next one.
func (w *walk) follows(b *Batch) error {
	if err := inOrder("batch", b.Number, w.head.Number+1); err != nil {
		return err
	}
	if b.Previous != w.head.Digest {
		return attest.Refuse(attest.InferenceFork, b.name(), "it follows another batch %d than the one before it: the replica has signed two", w.head.Number)
	}
	if b.Time.Before(w.batchTime) {
		return backwards(b.name(), b.Time, fmt.Sprintf("batch %d", w.head.Number), w.batchTime)
	}
	return inOrder("record", b.First, w.head.Sequence+1)
}

// backwards says that something bears an earlier time than what is before it.
func backwards(name string, is time.Time, before string, was time.Time) error {
	return malformed(name, "it bears the time %s, and %s the later %s: time runs backwards", is.Format(timeMicros), before, was.Format(timeMicros))
}

// lastRecord is the time of the last record that was taken, or zero. What light
// did not read was signed by the certified key, but may be anything all the same.
func (w *walk) lastRecord() time.Time {
	if !w.light {
		return w.recordTime
	}
	text, _ := strings.CutSuffix(string(w.tail[:]), `"}`)
	t, err := parseTime(timeMicros, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// covers says whether the batch signs the records before it.
func (w *walk) covers(b *Batch) error {
	have := int64(len(w.leaves))
	if !w.light && have > 0 && w.next-have != b.First {
		return inOrder("record", w.next-have, b.First)
	}
	switch {
	case have < int64(b.Count()):
		return attest.Refuse(attest.InferenceGap, b.name(), "%s is missing, which it signs", span("record", b.First+have, b.Last))
	case have > int64(b.Count()):
		return attest.Refuse(attest.InferenceRoot, b.name(), "%s stands before it, and it does not sign that", span("record", b.Last+1, b.First+have-1))
	case !w.light && have > 0 && b.Time.Before(w.recordTime):
		return backwards(b.name(), b.Time, fmt.Sprintf("record %d", b.Last), w.recordTime)
	case w.m.root(append([]node(nil), w.leaves...)) != b.Root:
		return attest.Refuse(attest.InferenceRoot, b.name(), "its records are not those that were signed")
	case !w.light && have > 0 && w.lowest != b.Assurance:
		return malformed(b.name(), "it is %s and its records %s", b.Assurance, w.lowest)
	}
	return nil
}

// ends says whether the log is whole up to its end.
func (w *walk) ends() error {
	if w.sealed {
		return nil
	}
	behind := ""
	if n := len(w.leaves); n > 0 || w.torn {
		behind = fmt.Sprintf(", and %d unsigned records stand behind it", n)
	}
	if !w.started {
		return attest.Refuse(attest.InferenceTruncated, "", "the log has no batch: nothing in it is signed (%d records stand there): it was cut off, its writer crashed, or only begins. "+
			"--live accepts it", len(w.leaves))
	}
	return attest.Refuse(attest.InferenceTruncated, "", "after batch %d (record %d) there is no end marker%s: the log was cut off, its writer crashed, or still writes. "+
		"A head that was kept elsewhere (--expect-head) tells which; --live accepts it", w.head.Number, w.head.Sequence, behind)
}

// within says whether a time lies in a certificate's validity.
func (c *Certificate) within(t time.Time) bool {
	return !t.Before(c.NotBefore) && !t.After(c.NotAfter)
}
