package inference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	// Heads were kept elsewhere: each must be a batch of its replica. A log that
	// contains one needs no end marker.
	Heads []ExpectedHead
	// After is the head that the first log continues, where that log's
	// predecessor is not given.
	After *Head
	// Live takes logs without an end marker: they are still written to.
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
	// Certificates were used, in this order.
	Certificates []*Certificate
	Head         Head
	// Sealed says that the log ends in an end marker.
	Sealed bool
	// Unsigned counts whole records behind the last batch; Torn says that the
	// file ends within a line.
	Unsigned int
	Torn     bool
	// Err holds the refusals, or the failure to read. Nil: all is right.
	Err error
}

// Check reads logs, of any number of replicas, in any order, and judges each:
// alone, as the continuation of the others of its replica, and against them.
//
//	INFERENCE_MALFORMED       it is no log, or a line is not as it is written here
//	INFERENCE_CERT_INVALID    no operator certified the key, or not for this time or assurance
//	INFERENCE_KEY_REVOKED     key or certificate were taken back
//	INFERENCE_SIG_INVALID     a batch is not signed by the certified key
//	INFERENCE_MODEL_MISMATCH  another model or configuration
//	INFERENCE_ROOT_MISMATCH   the records are not those that the batch signs
//	INFERENCE_GAP             records or batches are missing
//	INFERENCE_REPLAY          a record, batch or id stands twice
//	INFERENCE_FORK            the replica signed two histories
//	INFERENCE_TRUNCATED       no end marker, or an expected head is missing
//
// Reading a log ends at its first refusal. Results are in the order of sources.
// Every batch takes 48 bytes of memory until the end, and every id about 80.
// The error is a mistake in the options, or that ctx ended.
func Check(ctx context.Context, sources []Source, opt CheckOptions) ([]Result, error) {
	if len(opt.Operators) == 0 {
		return nil, errors.New("no operator key is given: nothing could be certified")
	}
	c := &check{CheckOptions: opt, revoked: byDigest(opt.Revoked), chains: map[string]*chain{}, answers: answers{}}
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
	out := make([]Result, len(c.logs))
	for i, l := range c.logs {
		out[i] = l.Result
	}
	return out, nil
}

// check is one call of Check.
type check struct {
	CheckOptions
	revoked map[Digest]Revocation
	chains  map[string]*chain
	answers answers
	names   []string
	logs    []*checkLog
}

// finish judges the ends, when all logs are read.
func (c *check) finish() error {
	headed := map[*chain]bool{}
	for _, h := range c.Heads {
		ch, err := c.chainOf(h.Replica)
		if err != nil {
			return err
		}
		if ch == nil || ch.failed {
			continue // blocked already
		}
		headed[ch] = true
		if c.After != nil && c.After.Sequence == h.Head.Sequence && c.After.Digest == h.Head.Digest {
			continue
		}
		if err := ch.reaches(h.Head); err != nil {
			c.logs[ch.last().log].refuse(err)
		}
	}
	for _, l := range c.logs {
		ch := c.chains[l.Replica]
		switch {
		case l.Err != nil:
		case l.copies.from != 0:
			l.refuse(attest.Refuse(attest.InferenceReplay, "", "%s of replica %s stands in %s too", span("batch", l.copies.from, l.copies.to), l.Replica, c.names[l.copyOf]))
		case ch == nil || len(ch.links) == 0:
			if !c.Live {
				l.refuse(l.ends())
			}
		case ch.last().log == l.index:
			c.finishLast(l, ch, headed[ch])
		}
	}
	return nil
}

// finishLast judges the log that has a replica's last batch.
func (c *check) finishLast(l *checkLog, ch *chain, headed bool) {
	for d, s := range ch.revoked {
		if s.open {
			l.refuse(attest.Refuse(attest.InferenceRevoked, l.cert.Replica, "the key is revoked (%s), and the head up to which it counts is not in the log", d))
		}
	}
	if !c.Live && !headed {
		l.refuse(l.ends())
	}
}

// chainOf finds the replica of an expected head. None without an error: its log
// could not even be opened.
func (c *check) chainOf(replica string) (*chain, error) {
	if ch := c.chains[replica]; replica != "" && ch != nil {
		return ch, nil
	}
	for _, l := range c.logs {
		if l.Replica == "" || replica == "" && l.Err != nil {
			return nil, nil //nolint:nilnil // documented: that log is blocked already
		}
	}
	if replica != "" {
		return nil, fmt.Errorf("a head of replica %s is expected, and none of the logs is of it", replica)
	}
	if len(c.chains) != 1 {
		return nil, fmt.Errorf("a head is expected, and the logs are of %d replicas: write it as REPLICA=SEQUENCE:sha256:HEX", len(c.chains))
	}
	for _, ch := range c.chains {
		return ch, nil
	}
	return nil, nil //nolint:nilnil // not reached: there is one
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
	l.walk.begin = func(b *Batch) (Head, error) { return l.chain().begin(b, c.After) }
	l.walk.certified, l.walk.record, l.walk.accept = l.certified, l.record, l.accept
	return l
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
	l.Certificates = append(l.Certificates, c)
	name := "certificate of " + c.Replica
	if want := l.check.Model; !want.IsZero() && c.Model != want {
		return attest.Refuse(attest.InferenceModel, name, "it is for model %s, not %s", c.Model, want)
	}
	if want := l.check.Configuration; !want.IsZero() && c.Configuration != want {
		return attest.Refuse(attest.InferenceModel, name, "it is for configuration %s, not %s", c.Configuration, want)
	}
	if r := revocation(l.check.revoked, c); r != nil && r.Until == nil {
		return attest.Refuse(attest.InferenceRevoked, name, "it is revoked (%s)", r.Digest)
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
	if r := revocation(l.check.revoked, l.cert); r != nil {
		state := ch.revoked[r.Digest]
		if state == nil {
			state = &revocationState{}
			ch.revoked[r.Digest] = state
		}
		if err := state.take(r, b); err != nil {
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
