package inference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/attest"
	"bartizan/attest/keys"
)

// Defaults of [Options].
const (
	DefaultBatch = 256
	DefaultWait  = 250 * time.Millisecond
	DefaultQueue = 8192
)

// Options say what a recorder writes, and how.
type Options struct {
	// Path is the log. It is made if it is missing, and continued if it is there.
	// One process at a time has it: a second one is refused.
	Path string
	// Key is the replica's own, Ed25519.
	Key keys.Signer
	// Certificate is the envelope that Certify gave for the key.
	Certificate []byte
	// Operators, where given, must have signed the certificate, and those that
	// the log has already.
	Operators []*keys.Public
	// After is the head that a new log continues, where the replica begins
	// another file. Number is needed.
	After *Head
	// Expect is a head that the log must contain, or must end at or behind: the
	// last one that was kept elsewhere. A log that was cut off while the replica
	// was down is then refused instead of being continued.
	Expect *Head

	// Batch is how many records are signed together at most, 1 to MaxBatch.
	Batch int
	// Wait is how long a record waits for others at most, up to 30 s.
	Wait time.Duration
	// Queue is how many records can be on their way to a batch. A full queue makes
	// Add wait.
	Queue int
	// Signed, where given, is told of each batch when it is on disk, in order,
	// from one goroutine, which writes nothing meanwhile.
	Signed func(b *Batch, envelope []byte)
	// Now is the clock, time.Now by default.
	Now func() time.Time
}

// timeSlack is by how much a given time may be before that of the record before
// it, to which it is then raised, or ahead of the clock.
const timeSlack = time.Minute

// ErrClosed says that the recorder takes no more records.
var ErrClosed = errors.New("the recorder is closed")

// Recorder writes one log. Its methods can be called from any goroutine.
//
// A record is safe when its batch is signed, written and synced (fsync), and
// nothing says before that it is: AddWait returns then, and Add when the record
// is in the queue. A process that dies loses at most the records for which
// nobody was told more: those of the queue and of the batch that was not full.
// Numbers are given when a batch is made, so that no number is lost or used
// again with them.
//
// When the log cannot be written, synced or signed, it is cut back to the last
// batch that is safe, and everything fails from then on with the cause: every
// AddWait that waits, every later Add, and Close, which says how many records
// that Add had taken were lost. Opening it again continues it.
type Recorder struct {
	opt      Options
	cert     *Certificate
	queue    chan item
	finished chan struct{}

	mu     sync.RWMutex // held for reading while something is put in the queue
	closed bool

	latest  atomic.Int64 // the latest time of a record, in microseconds since 1970
	failure atomic.Pointer[error]
	head    atomic.Pointer[Head]

	log *writer
}

// item is a record on its way, and who waits for it.
type item struct {
	record Record
	done   chan<- outcome
}

type outcome struct {
	receipt Receipt
	err     error
}

// Receipt says that a record is signed and on disk.
type Receipt struct {
	Sequence int64
	// Head is that of its batch.
	Head Head
}

// Open makes or continues a log. It reads an existing one as a whole (hashes and
// signatures, about 1,000,000 records a second), and cuts off what a crash has
// left behind the last batch. It refuses, with the codes of [Check], a log that
// it cannot truthfully continue: changed, of another replica, or without Expect.
func Open(ctx context.Context, opt Options) (*Recorder, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	cert, err := opt.certificate()
	if err != nil {
		return nil, err
	}
	r := &Recorder{opt: opt, cert: cert, queue: make(chan item, opt.Queue), finished: make(chan struct{})}
	if r.log, err = openWriter(ctx, &r.opt, cert); err != nil {
		return nil, err
	}
	head := r.log.head
	r.head.Store(&head)
	if t := r.log.recordTime; !t.IsZero() {
		r.latest.Store(t.UnixMicro())
	} else {
		r.latest.Store(math.MinInt64 / 2)
	}
	go r.run(context.WithoutCancel(ctx))
	return r, nil
}

func (o *Options) complete() error {
	if o.Batch == 0 {
		o.Batch = DefaultBatch
	}
	if o.Wait == 0 {
		o.Wait = DefaultWait
	}
	if o.Queue == 0 {
		o.Queue = DefaultQueue
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	switch {
	case o.Path == "" || o.Key == nil:
		return errors.New("a recorder wants a path and the replica's key")
	case o.Batch < 1 || o.Batch > MaxBatch:
		return fmt.Errorf("%d records a batch: want 1 to %d", o.Batch, MaxBatch)
	case o.Wait < 0 || o.Wait > sealGrace/2:
		return fmt.Errorf("a wait of %v: want at most %v", o.Wait, sealGrace/2)
	case o.Queue < 1 || o.Queue > 1<<20:
		return fmt.Errorf("a queue of %d records: want 1 to %d", o.Queue, 1<<20)
	case o.After != nil && o.After.Number < 1:
		return errors.New("the head to continue wants its batch's number")
	}
	return nil
}

// certificate reads the certificate, and holds the key to it.
func (o *Options) certificate() (*Certificate, error) {
	var cert *Certificate
	var err error
	if len(o.Operators) > 0 {
		cert, err = ReadCertificate(o.Certificate, o.Operators...)
	} else {
		cert, _, err = parseCertificate(o.Certificate)
	}
	if err != nil {
		return nil, err
	}
	if !cert.Key.Equal(o.Key.Public()) {
		return nil, attest.Refuse(attest.InferenceCert, "certificate of "+cert.Replica, "it is for another key than the one given")
	}
	return cert, nil
}

// Certificate is the one that the recorder writes under.
func (r *Recorder) Certificate() *Certificate { return r.cert }

// Head is how far the log is signed and on disk: what to keep elsewhere.
func (r *Recorder) Head() Head { return *r.head.Load() }

// Err is the failure that has stopped the recorder, or nil.
func (r *Recorder) Err() error {
	if err := r.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Add takes a record, and waits only while the queue is full. Nil does not mean
// that the record is signed yet: see [Recorder]. Model, configuration, time and
// assurance are filled in where they are empty; INFERENCE_MODEL_MISMATCH and
// INFERENCE_CERT_INVALID where the certificate is not for them. A time that is
// given may be up to a minute before that of the record before it, and is then
// raised to it: in a log, time does not run backwards. One that is more than a
// minute before it, or ahead of the clock, is an error.
func (r *Recorder) Add(ctx context.Context, record Record) error {
	return r.put(ctx, item{record: record})
}

// AddWait takes a record, and returns when it is signed and on disk. When ctx
// ends before, the record may or may not be signed later.
func (r *Recorder) AddWait(ctx context.Context, record Record) (Receipt, error) {
	done := make(chan outcome, 1)
	if err := r.put(ctx, item{record: record, done: done}); err != nil {
		return Receipt{}, err
	}
	select {
	case out := <-done:
		return out.receipt, out.err
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
}

func (r *Recorder) put(ctx context.Context, it item) error {
	if err := r.prepare(&it.record); err != nil {
		return err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return ErrClosed
	}
	if err := r.Err(); err != nil {
		return err
	}
	select { // a queue with room goes before a context that has just ended
	case r.queue <- it:
		return nil
	default:
	}
	select {
	case r.queue <- it:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// prepare fills a record in, and refuses what the verifier would refuse.
func (r *Recorder) prepare(rec *Record) error {
	if rec.Sequence != 0 {
		return errors.New("the sequence number is given by the recorder")
	}
	if err := r.timed(rec); err != nil {
		return err
	}
	if rec.Model.IsZero() {
		rec.Model = r.cert.Model
	}
	if rec.Configuration.IsZero() {
		rec.Configuration = r.cert.Configuration
	}
	if rec.Assurance == "" {
		rec.Assurance = r.cert.Assurance
	}
	if rec.Assurance.rank() == 0 {
		return fmt.Errorf("the assurance %q is unknown", clip(string(rec.Assurance)))
	}
	if err := rec.checkOwn(); err != nil {
		return err
	}
	if err := rec.fits(r.cert); err != nil {
		return err
	}
	r.passed(rec.Time.UnixMicro())
	return nil
}

// timed fills the time in, or holds a given one to the clock and to the records
// before: it may differ by as much as answers that come at once do.
func (r *Recorder) timed(rec *Record) error {
	now := r.opt.Now()
	latest := time.UnixMicro(r.latest.Load())
	switch {
	case rec.Time.IsZero():
		rec.Time = now
	case rec.Time.After(now.Add(timeSlack)):
		return fmt.Errorf("the time %s is yet to come", rec.Time.UTC().Format(timeMicros))
	case rec.Time.Before(latest.Add(-timeSlack)):
		return fmt.Errorf("the time %s is before that of the record before it, %s: records stand in the order of their times",
			rec.Time.UTC().Format(timeMicros), latest.UTC().Format(timeMicros))
	}
	if rec.Time.Before(latest) { // answers that came at once, or a clock that was set back
		rec.Time = latest
	}
	rec.Time = rec.Time.UTC().Truncate(time.Microsecond)
	return nil
}

// passed remembers the latest time.
func (r *Recorder) passed(micros int64) {
	for {
		was := r.latest.Load()
		if micros <= was || r.latest.CompareAndSwap(was, micros) {
			return
		}
	}
}

// Close signs what is in the queue, writes the end marker, and closes the log.
// Its error says what was not signed. A second Close gives the same.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	<-r.finished
	return r.Err()
}
