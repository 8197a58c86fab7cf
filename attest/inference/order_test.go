package inference

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bartizan/attest"
)

// What the recorder writes is in the order of time, whatever the clock does and
// however many add.
func TestRecorderTime(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "log")
	for run, back := range []time.Duration{0, 10 * time.Minute, 20 * time.Minute} { // set back while the replica was down, and while it runs
		opt := f.options(path)
		var mu sync.Mutex
		n := 0
		opt.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			n++
			return f.now.Add(time.Duration(n%7)*time.Second - back)
		}
		r, err := Open(context.Background(), opt)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for g := range 4 {
			group.Go(func() {
				for i := range 50 {
					if err := r.Add(context.Background(), answerRecord(run*200+g*50+i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		wantCodes(t, "recorded", codesOf(t, f.check(), read(t, path)), "")
	}
}

func TestGivenTime(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	r, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		back time.Duration
		ok   bool
	}{{30 * time.Minute, true}, {30*time.Minute + 30*time.Second, true}, {32 * time.Minute, false}, {20 * time.Minute, true}, {-2 * time.Minute, false}, {0, true}} {
		record := answerRecord(i)
		record.Time = f.now.Add(-c.back)
		if err := r.Add(context.Background(), record); (err == nil) != c.ok {
			t.Errorf("%v back: %v", c.back, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	wantCodes(t, "recorded", codesOf(t, f.check(), read(t, opt.Path)), "")
	again, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	record := answerRecord(9)
	record.Time = f.now.Add(-5 * time.Minute)
	if err := again.Add(context.Background(), record); err == nil {
		t.Error("a time before those that the log has was taken")
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// A log that ends behind the certificate's time cannot be continued under it.
func TestClockWasAhead(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	g := f.forger(t, f.cert).record(f.now).batch(f.now).batch(f.now.Add(48 * time.Hour))
	if err := writeFile(opt.Path, g.log); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), opt); err == nil {
		t.Error("continued")
	}
}

// What is refused leaves no file behind.
func TestRefusedLeavesNothing(t *testing.T) {
	f := newFixture(t)
	opt := f.options(filepath.Join(t.TempDir(), "log"))
	opt.Expect = &Head{Sequence: 3, Digest: SHA256(nil)}
	if _, err := Open(context.Background(), opt); attest.CodeOf(err) != attest.InferenceTruncated {
		t.Error(err)
	}
	if _, err := os.Stat(opt.Path); !os.IsNotExist(err) {
		t.Error("an empty log was left:", err)
	}
	if err := writeFile(opt.Path, nil); err != nil { // what was there stays
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), opt); attest.CodeOf(err) != attest.InferenceTruncated {
		t.Error(err)
	}
	if _, err := os.Stat(opt.Path); err != nil {
		t.Error(err)
	}
}
