package inference

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"bartizan/attest"
	"bartizan/attest/keys"
)

// CheckOptions say what logs and proofs must be.
type CheckOptions struct {
	// Operators are the keys whose certificates count. At least one is needed.
	Operators []*keys.Public
	// Model and Configuration are those that every certificate must be for, or
	// none: any.
	Model, Configuration Digest
	Revoked              []Revocation
	// Unmatched, where given, is told of each revocation that is of no key and no
	// certificate in what was checked.
	Unmatched func(Revocation)
	// Heads were kept elsewhere: each must be a batch of its replica. A log that
	// contains one needs no end marker.
	Heads []ExpectedHead
	// After is the head that the first log of one replica continues, where that
	// log's predecessor is not given; some log must. The number of the batch is
	// compared where the head has it, and otherwise believed: the digest of the
	// batch before says which that is.
	After *Head
	// Live takes logs without an end marker, and without a batch: they are still
	// written to.
	Live bool
}

// ExpectedHead is a head of one replica, or of the only one.
type ExpectedHead struct {
	Replica string
	Head    Head
}

// Source is a log to check, under the name that is shown.
type Source struct {
	Name   string
	Reader io.Reader
}

// Result is what one log says. Where Err is set, the counts go up to where the
// reading ended.
type Result struct {
	Name    string
	Replica string
	// Records and Batches count those that are signed and in order.
	Records, Batches int64
	// First and Last are sequence numbers; both 0 without records.
	First, Last int64
	// From and To are the earliest and the latest time of a record.
	From, To time.Time
	// Assurance is the lowest of all batches.
	Assurance Assurance
	// Certificates are those under which there are batches, each once, in the
	// order of their first use; Certificate is that of the last batch.
	Certificates []*Certificate
	Certificate  *Certificate
	Head         Head
	// Sealed says that the log ends in an end marker.
	Sealed bool
	// Unsigned counts whole records behind the last batch, which nobody vouches
	// for: those of a writer that crashed, or anybody's. Torn says that the file
	// ends within a line.
	Unsigned int
	Torn     bool
	// Err holds the refusals, or the failure to read. Nil: all is right.
	Err error
}

// Check reads logs, of any number of replicas, in any order, and judges each:
// alone, as the continuation of the others of its replica, and against them. A
// log without a batch is not vouched for by others.
//
//	INFERENCE_MALFORMED       it is no log, or a line is not as it is written here
//	INFERENCE_CERT_INVALID    no operator certified the key, or not for this time or assurance
//	INFERENCE_KEY_REVOKED     key or certificate were taken back
//	INFERENCE_SIG_INVALID     a batch is not signed by the certified key
//	INFERENCE_MODEL_MISMATCH  another model or configuration
//	INFERENCE_ROOT_MISMATCH   the records are not those that the batch signs
//	INFERENCE_GAP             records or batches are missing
//	INFERENCE_REPLAY          a record, batch or id stands twice
//	INFERENCE_FORK            the replica signed two histories, or none continues After
//	INFERENCE_TRUNCATED       no batch, no end marker, or an expected head is missing
//
// Reading a log ends at its first refusal. Results are in the order of sources.
// Every batch takes 48 bytes of memory until the end, and every id about 80.
// The error is a mistake in the options, or that ctx ended.
func Check(ctx context.Context, sources []Source, opt CheckOptions) ([]Result, error) {
	if len(opt.Operators) == 0 {
		return nil, errors.New("no operator key is given: nothing could be certified")
	}
	c := &check{CheckOptions: opt, revoked: newRevocations(opt.Revoked), chains: map[string]*chain{}, answers: answers{}}
	for _, s := range sources {
		c.names = append(c.names, s.Name)
		c.logs = append(c.logs, c.newLog(s, len(c.logs)))
	}
	order := slices.Clone(c.logs)
	for _, l := range order {
		l.look(ctx)
	}
	slices.SortStableFunc(order, func(a, b *checkLog) int {
		return cmp.Or(cmp.Compare(a.firstSequence, b.firstSequence), cmp.Compare(a.firstNumber, b.firstNumber))
	})
	for _, l := range order {
		l.read(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	c.revoked.tell(opt.Unmatched)
	out := make([]Result, len(c.logs))
	for i, l := range c.logs {
		out[i] = l.Result
	}
	return out, nil
}

// check is one call of Check.
type check struct {
	CheckOptions
	revoked revocations
	chains  map[string]*chain
	answers answers
	names   []string
	logs    []*checkLog
	// continued is the chain that begins behind After.
	continued *chain
}

// checkLog is one log within a check.
type checkLog struct {
	Result
	*walk
	check *check
	index int
	// firstSequence and firstNumber order the logs of a replica.
	firstSequence, firstNumber int64

	pending  []answered // ids of the records before the next batch
	from, to time.Time
	copies   span64 // batches that another log has too
	copyOf   int
}

// span64 is a range of batch numbers, empty where from is 0.
type span64 struct{ from, to int64 }

func (c *check) newLog(s Source, index int) *checkLog {
	l := &checkLog{Result: Result{Name: s.Name}, walk: newWalk(s.Reader), check: c, index: index}
	l.operators = c.Operators
	l.walk.begin = func(b *Batch) (Head, error) { return c.begin(l.chain(), b) }
	l.walk.certified, l.walk.record, l.walk.accept = l.certified, l.record, l.accept
	return l
}

// begin says what the first batch of a log continues, and remembers whose log
// continues After: a head is of one replica.
func (c *check) begin(ch *chain, b *Batch) (Head, error) {
	head, after, err := ch.begin(b, c.After)
	switch {
	case err != nil || !after:
		return head, err
	case c.continued == nil:
		c.continued = ch
	case c.continued != ch:
		return Head{}, attest.Refuse(attest.InferenceFork, b.name(), "a log of replica %s continues the given head (record %d) already, and a head is of one replica", c.continued.replica, head.Sequence)
	}
	return head, nil
}

func (l *checkLog) chain() *chain {
	ch := l.check.chains[l.Replica]
	if ch == nil {
		ch = newChain(l.Replica, l.index)
		l.check.chains[l.Replica] = ch
	}
	return ch
}

// refuse adds a refusal or failure.
func (l *checkLog) refuse(err error) {
	if err == nil {
		return
	}
	l.Err = errors.Join(l.Err, err)
	if ch := l.check.chains[l.Replica]; ch != nil {
		ch.failed = true
	}
}

// look reads up to the first record or batch, which says where the log belongs.
func (l *checkLog) look(ctx context.Context) {
	for l.Err == nil {
		line, err := l.take()
		if err == io.EOF {
			return
		}
		if err != nil {
			l.refuse(l.located(err))
			return
		}
		switch kindOf(line) {
		case recordLine:
			if r, err := ParseRecord(line); err == nil {
				l.firstSequence, l.firstNumber = r.Sequence, MaxSequence
			}
			l.walk.first = slices.Clone(line)
			return
		case batchLine:
			if data, err := envelopeIn(line, batchPrefix); err == nil {
				if b, _, err := parseBatch(data); err == nil {
					l.firstSequence, l.firstNumber = b.First, b.Number
				}
			}
			l.walk.first = slices.Clone(line)
			return
		}
		if err := l.step(ctx, line); err != nil {
			l.refuse(l.located(err))
		}
	}
}

func (l *checkLog) read(ctx context.Context) {
	if l.Err == nil {
		l.refuse(l.run(ctx))
	}
	l.Head, l.Sealed, l.Unsigned, l.Torn = l.walk.head, l.walk.sealed, len(l.leaves), l.walk.torn
}

func (l *checkLog) certified(c *Certificate) error {
	l.Replica = c.Replica
	l.chain()
	name := "certificate of " + c.Replica
	if want := l.check.Model; !want.IsZero() && c.Model != want {
		return attest.Refuse(attest.InferenceModel, name, "it is for model %s, not %s", c.Model, want)
	}
	if want := l.check.Configuration; !want.IsZero() && c.Configuration != want {
		return attest.Refuse(attest.InferenceModel, name, "it is for configuration %s, not %s", c.Configuration, want)
	}
	for _, r := range l.check.revoked.of(c) {
		if r.Until == nil {
			return attest.Refuse(attest.InferenceRevoked, name, "it is revoked (%s)", r.Digest)
		}
	}
	return nil
}

func (l *checkLog) record(r *Record, _ []byte) {
	if r.ID != "" {
		l.pending = append(l.pending, newAnswered(r, l.index))
	}
	if l.from.IsZero() || r.Time.Before(l.from) {
		l.from = r.Time
	}
	if r.Time.After(l.to) {
		l.to = r.Time
	}
}

// accept takes a batch that is right in itself into the chain of its replica.
func (l *checkLog) accept(b *Batch, _ []node) error {
	defer func() { l.pending = l.pending[:0] }()
	ch := l.chain()
	same, err := ch.add(b, l.index)
	if err != nil {
		if same != nil && same.log != l.index {
			other := l.check.logs[same.log]
			other.refuse(attest.Refuse(attest.InferenceFork, b.name(), "replica %s has signed another one too: see %s", ch.replica, l.Name))
		}
		return err
	}
	if same != nil {
		if l.copies.from == 0 {
			l.copies.from, l.copyOf = b.Number, same.log
		}
		l.copies.to = b.Number
	} else if err := l.takeNew(ch, b); err != nil {
		return err
	}
	l.count(b)
	return nil
}

// takeNew judges what only counts once for each batch.
func (l *checkLog) takeNew(ch *chain, b *Batch) error {
	for _, r := range l.check.revoked.of(l.cert) {
		state := ch.revoked[r]
		if state == nil {
			state = &revocationState{logs: map[int]bool{}}
			ch.revoked[r] = state
		}
		if err := state.take(r, b, l.index); err != nil {
			return err
		}
	}
	for _, a := range l.pending {
		if err := l.check.answers.add(a, l.check.names); err != nil {
			return err
		}
	}
	return nil
}

func (l *checkLog) count(b *Batch) {
	l.Batches++
	if l.Certificate = l.cert; !slices.ContainsFunc(l.Certificates, func(c *Certificate) bool { return c.digest == l.cert.digest }) {
		l.Certificates = append(l.Certificates, l.cert)
	}
	l.Assurance = lower(l.Assurance, b.Assurance)
	if n := int64(b.Count()); n > 0 {
		l.Records += n
		l.Last = b.Last
		if l.First == 0 {
			l.First = b.First
		}
		l.From, l.To = l.from, l.to
	}
}
