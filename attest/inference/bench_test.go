package inference

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func openBench(b *testing.B) (*Recorder, *fixture) {
	b.Helper()
	f := newFixture(b)
	r, err := Open(context.Background(), Options{Path: filepath.Join(b.TempDir(), "log"), Key: f.replica, Certificate: f.cert})
	if err != nil {
		b.Fatal(err)
	}
	return r, f
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
}

// BenchmarkAdd is what a request pays: digests of 2 kB and 1 kB, and Add, at
// 20,000 a second, signing and syncing in the same process.
func BenchmarkAdd(b *testing.B) {
	r, _ := openBench(b)
	request, response := make([]byte, 2048), make([]byte, 1024)
	took := make([]time.Duration, 0, b.N)
	begin := time.Now()
	for i := 0; b.Loop(); i++ {
		for time.Since(begin) < time.Duration(i)*50*time.Microsecond {
			time.Sleep(20 * time.Microsecond)
		}
		start := time.Now()
		if err := r.Add(context.Background(), Record{ID: "a", Request: SHA256(request), Response: SHA256(response)}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	report(b, took)
}

// BenchmarkSigned is how many records a second are signed and synced, from the
// first Add until Close, given as fast as two goroutines can.
func BenchmarkSigned(b *testing.B) {
	r, _ := openBench(b)
	record := answerRecord(1)
	b.SetParallelism(1)
	begin := time.Now()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := r.Add(context.Background(), record); err != nil {
				b.Error(err)
				return
			}
		}
	})
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "signed/s")
	if head := r.Head(); head.Sequence != int64(b.N) {
		b.Fatalf("%d of %d signed", head.Sequence, b.N)
	}
}

// BenchmarkAddWait is how long a caller waits for the disk, 256 at a time.
func BenchmarkAddWait(b *testing.B) {
	r, _ := openBench(b)
	took := make([]time.Duration, b.N)
	var n atomic.Int64
	b.SetParallelism(128)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			start := time.Now()
			if _, err := r.AddWait(context.Background(), answerRecord(1)); err != nil {
				b.Error(err)
				return
			}
			took[n.Add(1)-1] = time.Since(start)
		}
	})
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	report(b, took)
}

// BenchmarkCheck is how many records a second are checked.
func BenchmarkCheck(b *testing.B) {
	f := newFixture(b)
	path := filepath.Join(b.TempDir(), "log")
	const records = 20_000
	opt := f.options(path)
	opt.Batch = DefaultBatch
	write(b, opt, 0, records)
	log := read(b, path)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		if err := verdict(b, f.check(), log)[0].Err; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkReopen is how many records a second are read when a log is continued.
func BenchmarkReopen(b *testing.B) {
	f := newFixture(b)
	path := filepath.Join(b.TempDir(), "log")
	const records = 20_000
	opt := f.options(path)
	opt.Batch = DefaultBatch
	write(b, opt, 0, records)
	log := read(b, path)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		if _, _, err := ReadHead(context.Background(), bytes.NewReader(log)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
