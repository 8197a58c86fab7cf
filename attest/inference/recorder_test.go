package inference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bartizan/attest"
	"bartizan/attest/keys"
)

func TestReceipts(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	opt.Wait = 5 * time.Millisecond
	var heads []Head
	opt.Signed = func(b *Batch, _ []byte) { heads = append(heads, b.Head()) }
	r, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 50
	var group sync.WaitGroup
	var seen sync.Map
	for g := range writers {
		group.Go(func() {
			for i := range each {
				receipt, err := r.AddWait(context.Background(), answerRecord(g*each+i))
				if err != nil {
					t.Error(err)
					return
				}
				if _, twice := seen.LoadOrStore(receipt.Sequence, true); twice {
					t.Errorf("number %d was given twice", receipt.Sequence)
				}
				// What a receipt says is on disk already, and checks.
				if i == each/2 {
					head := f.check()
					head.Heads = []ExpectedHead{{Head: receipt.Head}}
					if err := verdict(t, head, read(t, opt.Path))[0].Err; err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	result := verdict(t, f.check(), read(t, opt.Path))[0]
	if result.Err != nil || result.Records != writers*each || result.Head != r.Head() || heads[len(heads)-1] != r.Head() {
		t.Errorf("%+v", result)
	}
	for i, h := range heads {
		if h.Number != int64(i+1) {
			t.Fatalf("batch %d was told of as number %d", h.Number, i+1)
		}
	}
	if err := r.Add(context.Background(), answerRecord(0)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error("closed twice:", err)
	}
}

func TestAddRefuses(t *testing.T) {
	f := newFixture(t)
	r, err := Open(context.Background(), f.options(filepath.Join(t.TempDir(), "log")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	salt, err := NewSalt()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Record){
		"sequence":       func(r *Record) { r.Sequence = 1 },
		"no request":     func(r *Record) { r.Request = Digest{} },
		"no response":    func(r *Record) { r.Response = Digest{} },
		"id":             func(r *Record) { r.ID = "a\"b" },
		"model":          func(r *Record) { r.Model = SHA256(nil) },
		"configuration":  func(r *Record) { r.Configuration = SHA256(nil) },
		"time":           func(r *Record) { r.Time = f.now.Add(3 * time.Hour) },
		"assurance":      func(r *Record) { r.Assurance = Hardware },
		"no assurance":   func(r *Record) { r.Assurance = "some" },
		"unnamed salt":   func(r *Record) { r.Request = salt.Digest(nil) },
		"useless salt":   func(r *Record) { r.Salt = salt.ID() },
		"guard":          func(r *Record) { r.Guards = []Guard{{Name: "g"}} },
		"guard's name":   func(r *Record) { r.Guards = []Guard{{Verdict: "clean"}} },
		"too many":       func(r *Record) { r.Guards = make([]Guard, MaxGuards+1) },
		"salted model":   func(r *Record) { r.Model = salt.Digest(nil) },
		"far in the far": func(r *Record) { r.Time = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		record := answerRecord(1)
		change(&record)
		if err := r.Add(context.Background(), record); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	log := f.logOf(t, 10)
	lines := split(log)
	path := filepath.Join(dir, "log")
	open := func(data []byte, opt Options) error {
		if err := writeFile(path, data); err != nil {
			t.Fatal(err)
		}
		opt.Path = path
		r, err := Open(context.Background(), opt)
		if err == nil {
			return r.Close()
		}
		if now := read(t, path); !bytes.Equal(now, data) {
			t.Errorf("a log that was refused was changed")
		}
		return err
	}
	edited := bytes.Replace(log, []byte("id-1"), []byte("id-x"), 1)
	if err := open(edited, f.options("")); attest.CodeOf(err) != attest.InferenceRoot {
		t.Error("edited:", err)
	}
	if err := open([]byte("something else entirely\n"), f.options("")); attest.CodeOf(err) != attest.InferenceMalformed {
		t.Error("another file:", err)
	}
	if err := open([]byte("x"), f.options("")); attest.CodeOf(err) != attest.InferenceMalformed {
		t.Error("another file, no line:", err)
	}
	head := Head{Sequence: 10, Digest: verdict(t, f.check(), log)[0].Head.Digest}
	expecting := f.options("")
	expecting.Expect = &head
	if err := open(joinLines(lines[:7]), expecting); attest.CodeOf(err) != attest.InferenceTruncated {
		t.Error("cut off while the replica was down:", err)
	}
	if err := open(nil, expecting); attest.CodeOf(err) != attest.InferenceTruncated {
		t.Error("deleted while the replica was down:", err)
	}
	if err := open(log, expecting); err != nil {
		t.Error(err)
	}
	other := f.options("")
	other.Certificate = f.certify(t, func(c *Certificate) { c.Replica = "r2" })
	if err := open(log, other); attest.CodeOf(err) != attest.InferenceCert {
		t.Error("another replica:", err)
	}
	other = f.options("")
	other.Key = generate(t, "Ed25519")
	if err := open(log, other); attest.CodeOf(err) != attest.InferenceCert {
		t.Error("another key:", err)
	}
	other = f.options("")
	other.Operators = []*keys.Public{generate(t, "P-256").Public()}
	if err := open(log, other); attest.CodeOf(err) != attest.InferenceCert {
		t.Error("another operator:", err)
	}
	for _, bad := range []Options{{}, {Path: path}, {Path: path, Key: f.replica, Batch: MaxBatch + 1}, {Path: path, Key: f.replica, Wait: time.Hour}, {Path: path, Key: f.replica, Queue: -1}, {Path: path, Key: f.replica, After: &Head{}}} {
		if _, err := Open(context.Background(), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestOneWriter(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	r, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), opt); err == nil {
		t.Error("two recorders have one log")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(opt.Path, opt.Path+".link"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{opt.Path + ".link", filepath.Dir(opt.Path), "/dev/null"} {
		opt.Path = path
		if _, err := Open(context.Background(), opt); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
}

// Cut anywhere, as a crash might: what was signed stays, and the log goes on.
func TestResumeTorn(t *testing.T) {
	f := newFixture(t)
	log := f.logOf(t, 10)
	path := filepath.Join(t.TempDir(), "log")
	for cut := 0; cut <= len(log); cut += 41 {
		if err := writeFile(path, log[:cut]); err != nil {
			t.Fatal(err)
		}
		signed := bytes.Count(log[:cut], []byte(recordPrefix))
		live := f.check()
		live.Live = true
		if cut > len(header) {
			signed = int(verdict(t, live, log[:cut])[0].Records)
		}
		head := write(t, f.options(path), 100, 103)
		r := verdict(t, f.check(), read(t, path))[0]
		if r.Err != nil || r.Records != int64(signed+3) || r.Head != head {
			t.Fatalf("cut at %d: %+v", cut, r)
		}
	}
}

// failing is a disk that fills, or that fails to sync.
type failing struct {
	logFile
	room     int64
	syncs    atomic.Int64 // until it fails; negative: never
	truncate error
}

var errDisk = errors.New("the disk says no")

func (f *failing) WriteAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > f.room {
		n, _ := f.logFile.WriteAt(p[:max(0, min(int64(len(p)), f.room-at))], at)
		return n, syscall.ENOSPC
	}
	return f.logFile.WriteAt(p, at)
}

func (f *failing) Sync() error {
	if f.syncs.Add(-1) == 0 {
		return errDisk
	}
	return f.logFile.Sync()
}

func (f *failing) Truncate(size int64) error {
	if f.truncate != nil {
		return f.truncate
	}
	return f.logFile.Truncate(size)
}

// When the disk fails, callers hear of it, and nothing stands in the log that
// was not told to be there.
func TestDiskFails(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		room  int64
		syncs int64
		want  error
	}{
		"full":      {8000, -1, syscall.ENOSPC},
		"full soon": {700, -1, syscall.ENOSPC},
		"sync":      {1 << 40, 3, errDisk},
	} {
		t.Run(name, func(t *testing.T) {
			opt := f.options(filepath.Join(t.TempDir(), "log"))
			opt.Wait, opt.Queue = time.Millisecond, 16
			r := failingRecorder(t, opt, c.room, c.syncs)
			var signed atomic.Int64
			var group sync.WaitGroup
			for g := range 4 {
				group.Go(func() {
					for i := range 50 {
						_, err := r.AddWait(context.Background(), answerRecord(g*50+i))
						if err == nil {
							signed.Add(1)
						} else if !errors.Is(err, c.want) {
							t.Errorf("%v, want %v", err, c.want)
						}
					}
				})
			}
			group.Wait()
			if err := r.Add(context.Background(), answerRecord(0)); !errors.Is(err, c.want) {
				t.Errorf("after the failure: %v", err)
			}
			if err := r.Close(); !errors.Is(err, c.want) {
				t.Errorf("close: %v", err)
			}
			live := f.check()
			live.Live = true
			log := read(t, opt.Path)
			if result := verdict(t, live, log)[0]; result.Err != nil || result.Records != signed.Load() || result.Unsigned != 0 || result.Torn {
				t.Errorf("%d were told signed: %+v", signed.Load(), result)
			}
			if err := verdict(t, f.check(), log)[0].Err; attest.CodeOf(err) != attest.InferenceTruncated {
				t.Errorf("the log claims to be whole: %v", err)
			}
			write(t, opt, 1000, 1010) // with room again
			if result := verdict(t, f.check(), read(t, opt.Path))[0]; result.Err != nil || result.Records != signed.Load()+10 {
				t.Errorf("%+v", result)
			}
		})
	}
}

// failingRecorder is Open with a disk that fails.
func failingRecorder(t *testing.T, opt Options, room, syncs int64) *Recorder {
	t.Helper()
	if err := opt.complete(); err != nil {
		t.Fatal(err)
	}
	cert, err := opt.certificate()
	if err != nil {
		t.Fatal(err)
	}
	r := &Recorder{opt: opt, cert: cert, queue: make(chan item, opt.Queue), finished: make(chan struct{})}
	if r.log, err = openWriter(context.Background(), &r.opt, cert); err != nil {
		t.Fatal(err)
	}
	disk := &failing{logFile: r.log.file, room: room}
	disk.syncs.Store(syncs)
	r.log.file = disk
	r.head.Store(&Head{})
	go r.run(context.Background())
	return r
}

// A record that Add took and that was not signed is counted, never forgotten.
func TestLostIsCounted(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	opt.Wait = time.Millisecond
	r := failingRecorder(t, opt, 700, -1)
	taken := 0
	for i := range 100 {
		if r.Add(context.Background(), answerRecord(i)) == nil {
			taken++
		}
	}
	err := r.Close()
	if err == nil || taken == 0 {
		t.Fatal(taken, err)
	}
	if want := fmt.Sprintf("%d records that had been taken were not signed", taken); !bytes.Contains([]byte(err.Error()), []byte(want)) {
		t.Errorf("%v, want %s", err, want)
	}
}

// slow is a key that waits: the queue fills, and Add waits or ends with its context.
type slow struct {
	keys.Signer
	gate chan struct{}
}

func (s *slow) Sign(ctx context.Context, message []byte) ([]byte, error) {
	<-s.gate
	return s.Signer.Sign(ctx, message)
}

func TestBackPressure(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	gate := make(chan struct{})
	opt.Key, opt.Queue, opt.Batch = &slow{f.replica, gate}, 4, 1
	r, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for i := range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := r.Add(ctx, answerRecord(i))
		cancel()
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			break
		}
		taken++
	}
	if taken > 4+maxGroup {
		t.Errorf("%d records went into a queue of 4", taken)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := r.AddWait(ctx, answerRecord(1000)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	close(gate)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if result := verdict(t, f.check(), read(t, opt.Path))[0]; result.Err != nil || result.Records != int64(taken) {
		t.Errorf("%d taken: %+v", taken, result)
	}
}

// broken is a key that signs nothing.
type broken struct{ keys.Signer }

func (broken) Sign(context.Context, []byte) ([]byte, error) { return make([]byte, 64), nil }

func TestKeyFails(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	opt.Key, opt.Wait = broken{f.replica}, time.Millisecond
	r, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddWait(context.Background(), answerRecord(1)); attest.CodeOf(err) != attest.InferenceSig {
		t.Error(err)
	}
	if err := r.Close(); err == nil {
		t.Error("closed as if all was well")
	}
}
