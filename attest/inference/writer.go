package inference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/attest"
	"bartizan/attest/dsse"
	"bartizan/attest/statement"
)

// logFile is the part of a file that can fail while a log is written: the seam
// at which tests let disks fill.
type logFile interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// writer makes batches and puts them at the end of the log. One goroutine has it.
type writer struct {
	opt  *Options
	cert *Certificate
	file logFile
	m    merkle
	// locked says that no other process writes to the file.
	locked bool

	size int64 // of what is safe in the file
	head Head  // of what is safe
	err  error // the first failure; nothing is written after it

	// What is made and not yet safe:
	buf       []byte // lines
	next      Head   // head behind the batches in buf
	certified bool   // the certificate in force in the log, with buf, is ours
	group     []signed
	// What is not yet a batch:
	leaves  []node
	waiters []waiter
	lowest  Assurance
	// Times of the last record and batch, safe or not: none is written before.
	recordTime, batchTime time.Time
}

type waiter struct {
	sequence int64
	done     chan<- outcome
}

// signed is a batch that is in buf.
type signed struct {
	batch    *Batch
	envelope []byte
	waiters  []waiter
}

func openWriter(ctx context.Context, opt *Options, cert *Certificate) (*writer, error) {
	f, made, err := openFile(opt.Path)
	if err != nil {
		return nil, err
	}
	w := &writer{opt: opt, cert: cert, file: f, m: newMerkle()}
	if err := w.open(ctx, f); err != nil {
		if made && w.locked { // nobody else can have written to it
			err = errors.Join(err, os.Remove(opt.Path))
		}
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// openFile says by made that the file was not there.
func openFile(path string) (f *os.File, made bool, err error) {
	const flags = os.O_RDWR | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err = os.OpenFile(path, flags, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, false, err
	}
	f, err = os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, 0o600)
	return f, err == nil, err
}

func (w *writer) open(ctx context.Context, f *os.File) error {
	if info, err := f.Stat(); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", w.opt.Path)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("%s: another process writes to it: %w", w.opt.Path, err)
	}
	w.locked = true
	found, err := resume(ctx, f, w.opt, w.cert)
	if err != nil {
		return fmt.Errorf("%s: %w", w.opt.Path, err)
	}
	w.head, w.next, w.size, w.certified = found.head, found.head, found.size, found.certified
	w.recordTime, w.batchTime = found.recordTime, found.batchTime
	if last := w.cert.NotAfter.Add(sealGrace); w.batchTime.After(last) {
		return fmt.Errorf("%s: it ends at %s, behind the certificate's time, which ends at %s: begin another log that continues it, or certify the key for longer",
			w.opt.Path, w.batchTime.Format(timeMicros), w.cert.NotAfter.Format(timeSeconds))
	}
	if err := f.Truncate(w.size); err != nil {
		return err
	}
	if w.size == 0 {
		w.buf = append(append(w.buf, header...), '\n')
	}
	if w.flush(); w.err != nil {
		return w.err
	}
	w.forget()
	return syncFolder(w.opt.Path)
}

// syncFolder makes the name of a new file safe.
func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// pending is how many records wait to be a batch.
func (w *writer) pending() int { return len(w.leaves) }

// unsigned is how many records are not safe.
func (w *writer) unsigned() int {
	n := len(w.leaves)
	for i := range w.group {
		n += w.group[i].batch.Count()
	}
	return n
}

// add puts a record into the batch that is being made. It has been checked.
func (w *writer) add(it item) {
	if len(w.leaves) == 0 && !w.certified {
		w.certified = true
		w.buf = appendLine(w.buf, certificatePrefix, w.cert.envelope)
	}
	r := &it.record
	if r.Time.Before(w.recordTime) { // another Add was faster
		r.Time = w.recordTime
	}
	w.recordTime = r.Time
	r.Sequence = w.next.Sequence + int64(len(w.leaves)) + 1
	start := len(w.buf)
	w.buf = r.append(w.buf)
	w.leaves = append(w.leaves, w.m.leaf(w.buf[start:]))
	w.buf = append(w.buf, '\n')
	w.lowest = lower(w.lowest, r.Assurance)
	if it.done != nil {
		w.waiters = append(w.waiters, waiter{r.Sequence, it.done})
	}
}

// endBatch signs the records that were added, or the end marker.
func (w *writer) endBatch(ctx context.Context, end bool) {
	if w.err != nil || len(w.leaves) == 0 && !end {
		return
	}
	if !w.certified {
		w.certified = true
		w.buf = appendLine(w.buf, certificatePrefix, w.cert.envelope)
	}
	b := w.batch(end)
	envelope, err := w.sign(ctx, b)
	if err != nil {
		w.err = err
		return
	}
	w.buf = appendLine(w.buf, batchPrefix, envelope)
	w.group = append(w.group, signed{batch: b, envelope: envelope, waiters: w.waiters})
	w.next, w.waiters, w.leaves, w.lowest = b.Head(), nil, w.leaves[:0], ""
	w.batchTime = b.Time
}

func (w *writer) batch(end bool) *Batch {
	now := w.opt.Now().UTC().Truncate(time.Microsecond)
	for _, before := range []time.Time{w.recordTime, w.batchTime} {
		if now.Before(before) { // the clock was set back
			now = before
		}
	}
	b := &Batch{
		Replica: w.cert.Replica, Certificate: w.cert.digest, Model: w.cert.Model, Configuration: w.cert.Configuration,
		Assurance: w.lowest, Number: w.next.Number + 1, First: w.next.Sequence + 1, Last: w.next.Sequence + int64(len(w.leaves)),
		Previous: w.next.Digest, End: end, Time: now,
	}
	if b.Count() == 0 {
		b.Assurance = w.cert.Assurance
	}
	b.Root = w.m.root(w.leaves)
	return b
}

// sign makes the envelope, and holds it to what a verifier will demand: a
// signer that signs something else must not spoil the log.
func (w *writer) sign(ctx context.Context, b *Batch) ([]byte, error) {
	payload, err := b.payload()
	if err != nil {
		return nil, err
	}
	envelope, err := dsse.Sign(ctx, w.opt.Key, statement.PayloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("the replica's key did not sign: %w", err)
	}
	if err := b.under(w.cert, envelope); err != nil {
		return nil, err
	}
	b.digest = SHA256(payload)
	return envelope.Marshal()
}

// flush makes what is in buf safe, or takes it back.
func (w *writer) flush() {
	if len(w.buf) == 0 {
		return
	}
	_, err := w.file.WriteAt(w.buf, w.size)
	if err == nil {
		err = w.file.Sync()
	}
	if err == nil {
		w.size += int64(len(w.buf))
		w.head = w.next
		return
	}
	// Nobody was told of these batches: they must not stand there signed.
	if cut := errors.Join(w.file.Truncate(w.size), w.file.Sync()); cut != nil {
		err = errors.Join(err, fmt.Errorf("and what was written of it could not be taken back: %w", cut))
	}
	w.err = err
}

// forget drops what is safe.
func (w *writer) forget() {
	clear(w.group)
	w.buf, w.group = w.buf[:0], w.group[:0]
	if cap(w.buf) > 64<<20 { // after a burst of the largest batches
		w.buf = nil
	}
}

func (w *writer) close() {
	if w.file == nil {
		return
	}
	err := w.file.Close() // gives the lock back
	w.file = nil
	if w.err == nil {
		w.err = err
	}
}

// resumed is where a log is continued.
type resumed struct {
	head      Head
	size      int64
	certified bool
	// recordTime and batchTime are those of the last record and batch, or zero.
	recordTime, batchTime time.Time
}

// resume reads a log that is there, or begins one.
func resume(ctx context.Context, f *os.File, opt *Options, cert *Certificate) (resumed, error) {
	begin := Head{}
	if opt.After != nil {
		begin = *opt.After
	}
	fresh, err := unbegun(f)
	if err != nil {
		return resumed{}, err
	}
	if fresh {
		if e := opt.Expect; e != nil && (e.Sequence != begin.Sequence || e.Digest != begin.Digest) {
			return resumed{}, attest.Refuse(attest.InferenceTruncated, "", "the log is empty, and went at least to record %d (%s)", e.Sequence, e.Digest)
		}
		return resumed{head: begin}, nil
	}
	known := newChain(cert.Replica, 0)
	w := newWalk(f)
	w.light, w.operators = true, opt.Operators
	w.begin = func(b *Batch) (Head, error) {
		if a := opt.After; a != nil && (b.Number != a.Number+1 || b.Previous != a.Digest) {
			return Head{}, attest.Refuse(attest.InferenceFork, b.name(), "the log begins with it, and not behind the head that it is said to continue (record %d)", a.Sequence)
		}
		head, _, err := known.begin(b, opt.After)
		return head, err
	}
	w.certified = func(c *Certificate) error {
		if c.Replica != cert.Replica {
			return attest.Refuse(attest.InferenceCert, "certificate of "+c.Replica, "the log is of another replica than %s", cert.Replica)
		}
		return nil
	}
	out := resumed{head: begin, size: int64(len(header) + 1)}
	w.accept = func(b *Batch, _ []node) error {
		if b.Count() > 0 {
			out.recordTime = w.lastRecord()
		}
		out.certified = w.cert.digest == cert.digest
		_, err := known.add(b, 0)
		return err
	}
	if err := w.run(ctx); err != nil {
		return resumed{}, err
	}
	if w.started {
		out.head, out.size, out.batchTime = w.head, w.good, w.batchTime
	}
	if e := opt.Expect; e != nil && (opt.After == nil || e.Digest != begin.Digest) {
		if err := known.reaches(*e); err != nil {
			return resumed{}, err
		}
	}
	return out, nil
}

// unbegun says whether the file has nothing, or only a part of its first line.
func unbegun(f *os.File) (bool, error) {
	buf := make([]byte, len(header)+1)
	n, err := f.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	return n < len(buf) && string(buf[:n]) == header[:min(n, len(header))], nil
}
