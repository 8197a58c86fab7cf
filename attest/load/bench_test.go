package load_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/attest/hashing"
	"bartizan/attest/load"
	"bartizan/attest/tree"
)

// BenchmarkStream reads a file through a Reader, and hashes the same file with
// hashing.Sum in the same run, turn about: ratio is the speed of the first to
// that of the second, cpu-ratio that of the processor time, which says more where
// the machine has other work. Both use all processors. BARTIZAN_BENCH_GB is the
// size of the file in GiB (0.5 where it is not set).
func BenchmarkStream(b *testing.B) {
	size := benchSize(b)
	data := content(1, int(size))
	dir := b.TempDir()
	write(b, dir, "w", data)
	root := openRoot(b, dir)
	entry, err := root.Stat("w")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		want      load.Expected
		algorithm hashing.Algorithm
		shard     int64
	}{
		{"blake3 chunk tree", chunks("w", data), hashing.BLAKE3, size},
		{"blake3 shards of 1 MiB", shards("w", data, 1<<20, hashing.BLAKE3), hashing.BLAKE3, 1 << 20},
		{"blake3 shards of 16 MiB", shards("w", data, 16<<20, hashing.BLAKE3), hashing.BLAKE3, 16 << 20},
		{"sha256 shards of 1 MiB", shards("w", data, 1<<20, hashing.SHA256), hashing.SHA256, 1 << 20},
		{"sha256 shards of 4 MiB", shards("w", data, 4<<20, hashing.SHA256), hashing.SHA256, 4 << 20},
		{"sha256 shards of 16 MiB", shards("w", data, 16<<20, hashing.SHA256), hashing.SHA256, 16 << 20},
	} {
		var units []hashing.Unit
		for at := int64(0); at < size; at += c.shard {
			units = append(units, hashing.Unit{Entry: entry, Start: at, End: at + c.shard})
		}
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(size)
			var raw, streamed, rawCPU, streamedCPU []time.Duration
			for b.Loop() {
				start, before := time.Now(), processorTime()
				if _, err := hashing.Sum(b.Context(), root, units, hashing.Options{Algorithm: c.algorithm}); err != nil {
					b.Fatal(err)
				}
				middle, between := time.Now(), processorTime()
				stream(b, root, c.want)
				raw, streamed = append(raw, middle.Sub(start)), append(streamed, time.Since(middle))
				rawCPU, streamedCPU = append(rawCPU, between-before), append(streamedCPU, processorTime()-between)
			}
			report(b, size, raw, streamed)
			b.ReportMetric(median(rawCPU).Seconds()/median(streamedCPU).Seconds(), "cpu-ratio")
		})
	}
}

func benchSize(b *testing.B) int64 {
	gb, s := 0.5, os.Getenv("BARTIZAN_BENCH_GB")
	if s != "" {
		var err error
		if gb, err = strconv.ParseFloat(s, 64); err != nil {
			b.Fatal(err)
		}
	}
	return int64(gb*64) << 24 // a multiple of every shard
}

// processorTime is what this process has used so far: on a busy machine it says
// more than the clock.
func processorTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func stream(b *testing.B, root *tree.Root, want load.Expected) {
	r, err := load.NewReader(b.Context(), root, want, load.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if n, err := r.WriteTo(io.Discard); err != nil || n != r.Size() {
		b.Fatal(n, err)
	}
}

// report gives medians: the machine may be busy.
func report(b *testing.B, size int64, raw, streamed []time.Duration) {
	a, c := median(raw), median(streamed)
	b.ReportMetric(float64(size)/a.Seconds()/1e9, "raw-GB/s")
	b.ReportMetric(float64(size)/c.Seconds()/1e9, "stream-GB/s")
	b.ReportMetric(a.Seconds()/c.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

func median(all []time.Duration) time.Duration {
	sorted := append([]time.Duration{}, all...)
	for i := range sorted {
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return sorted[len(sorted)/2]
}

// BenchmarkSeal and BenchmarkCopyTo say what copies cost, beside one processor's
// SHA-256 over memory.
func BenchmarkSeal(b *testing.B) {
	const size = 256 << 20
	data := content(1, size)
	dir := b.TempDir()
	write(b, dir, "w", data)
	root := openRoot(b, dir)
	b.Run("sha256 of memory", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			sha256.Sum256(data)
		}
	})
	for name, want := range map[string]load.Expected{
		"sha256 whole": whole("w", data, hashing.SHA256), "blake3 whole": whole("w", data, hashing.BLAKE3), "sha256 shards": shards("w", data, 16<<20, hashing.SHA256),
	} {
		for form, limit := range map[string]int64{"memory": 1 << 40, "disk": -1} {
			b.Run(fmt.Sprintf("%s to %s", name, form), func(b *testing.B) {
				b.SetBytes(size)
				for b.Loop() {
					s, err := load.Seal(b.Context(), root, want, load.Options{MemoryLimit: limit})
					if err != nil {
						b.Fatal(err)
					}
					s.Close()
				}
			})
		}
	}
}

func BenchmarkCopyTo(b *testing.B) {
	src := b.TempDir()
	_, want := model(b, src)
	root := openRoot(b, src)
	to := filepath.Join(b.TempDir(), "copy")
	b.SetBytes(23<<20 + 100_009)
	for b.Loop() {
		if err := load.CopyTo(b.Context(), root, want, to, load.Options{Volatile: true}); err != nil {
			b.Fatal(err)
		}
		if err := load.Remove(to); err != nil {
			b.Fatal(err)
		}
	}
}
