package load_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/load"
)

var sizes = []int{0, 1, 1023, 100_000, 100_001, 1 << 20, 1<<20 + 1, 5<<20 + 7}

// forms are the ways to get at one file.
var forms = map[string]func(ctx context.Context, t testing.TB, path string, want load.Expected) (load.File, error){
	"open": func(ctx context.Context, t testing.TB, path string, want load.Expected) (load.File, error) {
		return load.Open(ctx, openRoot(t, path), want, load.Options{})
	},
	"open, small pieces": func(ctx context.Context, t testing.TB, path string, want load.Expected) (load.File, error) {
		return load.Open(ctx, openRoot(t, path), want, load.Options{MaxPiece: 1, Cache: 1, Workers: 3})
	},
	"sealed in memory": func(ctx context.Context, t testing.TB, path string, want load.Expected) (load.File, error) {
		s, err := load.Seal(ctx, openRoot(t, path), want, load.Options{MemoryLimit: 1 << 30})
		if err == nil && !s.InMemory() {
			t.Fatal("not in memory")
		}
		return orNil(s, err)
	},
	"sealed on disk": func(ctx context.Context, t testing.TB, path string, want load.Expected) (load.File, error) {
		dir := t.TempDir()
		s, err := load.Seal(ctx, openRoot(t, path), want, load.Options{MemoryLimit: -1, TempDir: dir})
		if err == nil && s.InMemory() {
			t.Fatal("in memory")
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Fatalf("left %s", left[0].Name())
		}
		return orNil(s, err)
	},
}

func orNil(s *load.Sealed, err error) (load.File, error) {
	if s == nil {
		return nil, err
	}
	return s, err
}

func TestEveryFormGivesTheSignedBytes(t *testing.T) {
	for i, size := range sizes {
		data := content(uint64(i), size)
		dir := t.TempDir()
		write(t, dir, "sub/weights.bin", data)
		for how, want := range evidence("sub/weights.bin", data) {
			for form, open := range forms {
				f, err := open(t.Context(), t, dir, want)
				if err != nil {
					t.Fatalf("%d bytes, %s, %s: %v", size, how, form, err)
				}
				readEveryWay(t, form+", "+how, f, data)
			}
		}
	}
}

func readEveryWay(t *testing.T, what string, f load.File, data []byte) {
	t.Helper()
	if f.Size() != int64(len(data)) || f.Name() != "sub/weights.bin" {
		t.Fatalf("%s: %s has %d bytes", what, f.Name(), f.Size())
	}
	var out bytes.Buffer
	if _, err := f.WriteTo(&out); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	same(t, what, out.Bytes(), data)
	if _, err := f.Seek(-int64(len(data)), io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(struct{ io.Reader }{f})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	same(t, what, got, data)
	half := make([]byte, len(data)-len(data)/3)
	if n, err := f.ReadAt(half, int64(len(data)/3)); n != len(half) || err != nil && err != io.EOF {
		t.Fatalf("%s: %d, %v", what, n, err)
	}
	same(t, what, half, data[len(data)/3:])
	if n, err := f.ReadAt(make([]byte, 2), int64(len(data))-1); len(data) > 0 && (n != 1 || err != io.EOF) {
		t.Fatalf("%s: past the end: %d, %v", what, n, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); err == nil {
		t.Fatalf("%s: reads after Close", what)
	}
}

func TestEveryChangeIsRefused(t *testing.T) {
	const size = 2<<20 + 5
	data := content(9, size)
	changes := map[string]func([]byte) []byte{
		"first byte":  func(b []byte) []byte { b[0] ^= 1; return b },
		"middle byte": func(b []byte) []byte { b[1<<20] ^= 0x80; return b },
		"last byte":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":         func(b []byte) []byte { return b[:len(b)-1] },
		"longer":      func(b []byte) []byte { return append(b, 0) },
		"empty":       func([]byte) []byte { return nil },
		"swapped":     func(b []byte) []byte { return append(append([]byte{}, b[1<<20:]...), b[:1<<20]...) },
	}
	for change, do := range changes {
		dir := t.TempDir()
		write(t, dir, "sub/weights.bin", do(bytes.Clone(data)))
		for how, want := range evidence("sub/weights.bin", data) {
			for form, open := range forms {
				f, err := open(t.Context(), t, dir, want)
				if err == nil {
					_, err = f.WriteTo(io.Discard)
					f.Close()
				}
				if attest.CodeOf(err) != attest.OMSDigestMismatch {
					t.Fatalf("%s, %s, %s: %v", change, how, form, err)
				}
			}
		}
	}
}

func TestARefusalIsFinal(t *testing.T) {
	data := content(1, 3<<20)
	dir := t.TempDir()
	bad := bytes.Clone(data)
	bad[1<<20] ^= 1
	write(t, dir, "w", bad)
	r, err := load.NewReader(t.Context(), openRoot(t, dir), chunks("w", data), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	buf := make([]byte, 10)
	if _, err := r.ReadAt(buf, 0); err != nil {
		t.Fatalf("the first chunk is as signed: %v", err)
	}
	if n, err := r.ReadAt(buf, 1<<20-5); n != 5 || attest.CodeOf(err) != attest.OMSDigestMismatch {
		t.Fatalf("%d, %v", n, err)
	}
	write(t, dir, "w", data)
	if _, err := r.ReadAt(buf, 0); attest.CodeOf(err) != attest.OMSDigestMismatch {
		t.Fatalf("reads on after a refusal: %v", err)
	}
}

func TestWhatWasReadStays(t *testing.T) {
	data := content(2, 2<<20)
	dir := t.TempDir()
	write(t, dir, "w", data)
	r, err := load.NewReader(t.Context(), openRoot(t, dir), chunks("w", data), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]byte, len(data))
	for range 2 { // the second time the file is another, and the memory is not
		if _, err := r.ReadAt(got, 0); err != nil {
			t.Fatal(err)
		}
		same(t, "cached", got, data)
		write(t, dir, "w", content(3, 2<<20))
	}
}

func TestBadEvidence(t *testing.T) {
	data := content(4, 3<<20)
	dir := t.TempDir()
	write(t, dir, "w", data)
	write(t, dir, "empty", nil)
	alter := func(do func(*load.Expected), from load.Expected) load.Expected { do(&from); return from }
	for name, c := range map[string]struct {
		want load.Expected
		code attest.Code
	}{
		"no digest at all":           {load.Expected{Name: "w", Size: 3 << 20}, attest.OMSShardsInvalid},
		"the zero value":             {load.Expected{Name: "w"}, attest.OMSDigestMismatch},
		"no digest, no size":         {load.Expected{Name: "w", Size: -1}, attest.OMSShardsInvalid},
		"negative size":              {load.Expected{Name: "w", Size: -2}, attest.OMSShardsInvalid},
		"gap":                        {alter(func(e *load.Expected) { e.Ranges = e.Ranges[1:] }, shards("w", data, 1<<20, hashing.SHA256)), attest.OMSShardsInvalid},
		"overlap":                    {alter(func(e *load.Expected) { e.Ranges[1].Start-- }, shards("w", data, 1<<20, hashing.SHA256)), attest.OMSShardsInvalid},
		"tail missing":               {alter(func(e *load.Expected) { e.Ranges = e.Ranges[:2] }, shards("w", data, 1<<20, hashing.SHA256)), attest.OMSShardsInvalid},
		"tail missing, size unknown": {alter(func(e *load.Expected) { e.Ranges, e.Size = e.Ranges[:2], -1 }, shards("w", data, 1<<20, hashing.SHA256)), attest.OMSDigestMismatch},
		"backwards":                  {alter(func(e *load.Expected) { e.Ranges[2].End = 1 }, shards("w", data, 1<<20, hashing.SHA256)), attest.OMSShardsInvalid},
		"several to the end":         {alter(func(e *load.Expected) { e.Ranges[2].End = -1 }, shards("w", data, 1<<20, hashing.SHA256)), attest.OMSShardsInvalid},
		"short digest":               {alter(func(e *load.Expected) { e.Ranges[0].Digest = e.Ranges[0].Digest[:31] }, whole("w", data, hashing.SHA256)), attest.OMSAlgorithm},
		"no digest in range":         {alter(func(e *load.Expected) { e.Ranges[0].Digest = nil }, whole("w", data, hashing.SHA256)), attest.OMSAlgorithm},
		"unknown algorithm":          {alter(func(e *load.Expected) { e.Ranges[0].Algorithm, e.Ranges[0].Digest = "md5", nil }, whole("w", data, hashing.SHA256)), attest.OMSAlgorithm},
		"wrong size":                 {alter(func(e *load.Expected) { e.Size = 3<<20 + 1 }, whole("w", data, hashing.SHA256)), attest.OMSDigestMismatch},
		"chunk missing":              {alter(func(e *load.Expected) { e.Chunks.Chunks = e.Chunks.Chunks[:2] }, chunks("w", data)), attest.ManifestMalformed},
		"chunk altered":              {alter(func(e *load.Expected) { e.Chunks.Chunks[1][0] ^= 1 }, chunks("w", data)), attest.ManifestMalformed},
		"root altered":               {alter(func(e *load.Expected) { e.Chunks.Root[0] ^= 1 }, chunks("w", data)), attest.ManifestMalformed},
		"chunks, no size":            {alter(func(e *load.Expected) { e.Size = -1 }, chunks("w", data)), attest.ManifestMalformed},
		"chunks, huge":               {alter(func(e *load.Expected) { e.Size = 1<<63 - 1 }, chunks("w", data)), attest.ManifestMalformed},
		"empty, other digest":        {whole("empty", data, hashing.SHA256), attest.OMSDigestMismatch},
		"empty, other tree":          {load.Expected{Name: "empty", Chunks: &load.ChunkTree{}}, attest.OMSDigestMismatch},
		"missing":                    {whole("gone", data, hashing.SHA256), attest.OMSFileMissing},
		"escapes":                    {whole("../w", data, hashing.SHA256), attest.OMSNameEscapesRoot},
	} {
		for form, open := range forms {
			if f, err := open(t.Context(), t, dir, c.want); attest.CodeOf(err) != c.code {
				t.Errorf("%s, %s: %v", name, form, err)
				if f != nil {
					f.Close()
				}
			}
		}
	}
}

func TestLargePartsWantACopy(t *testing.T) {
	data := content(5, 3<<20)
	dir := t.TempDir()
	write(t, dir, "w", data)
	_, err := load.NewReader(t.Context(), openRoot(t, dir), whole("w", data, hashing.SHA256), load.Options{MaxPiece: 1 << 20})
	if err == nil || attest.CodeOf(err) != "" {
		t.Fatalf("want a plain error, have %v", err)
	}
}

func TestSealedMemoryCannotBeChanged(t *testing.T) {
	data := content(6, 1<<20+3)
	dir := t.TempDir()
	write(t, dir, "w", data)
	s, err := load.Seal(t.Context(), openRoot(t, dir), whole("w", data, hashing.SHA256), load.Options{MemoryLimit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seals, err := unix.FcntlInt(s.Fd(), unix.F_GET_SEALS, 0)
	if err != nil || seals&load.Seals != load.Seals {
		t.Fatalf("seals %#x, %v", seals, err)
	}
	if _, err := s.File.WriteAt([]byte{1}, 0); err == nil {
		t.Error("the descriptor can be written to")
	}
	w, err := os.OpenFile(s.Path(), os.O_RDWR, 0) // as a process of the same user could
	if err == nil {
		defer w.Close()
		if _, err := w.WriteAt([]byte{1}, 0); !errors.Is(err, unix.EPERM) {
			t.Errorf("write: %v", err)
		}
		if err := w.Truncate(1); !errors.Is(err, unix.EPERM) {
			t.Errorf("truncate: %v", err)
		}
		if err := w.Truncate(4 << 20); !errors.Is(err, unix.EPERM) {
			t.Errorf("extend: %v", err)
		}
		if m, err := unix.Mmap(int(w.Fd()), 0, 1, unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
			unix.Munmap(m)
			t.Error("it can be mapped for writing")
		}
	}
	got, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "by path", got, data)
}

func TestSealedOnDiskIsForReading(t *testing.T) {
	data := content(7, 100)
	dir := t.TempDir()
	write(t, dir, "w", data)
	s, err := load.Seal(t.Context(), openRoot(t, dir), whole("w", data, hashing.SHA256), load.Options{MemoryLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.File.WriteAt([]byte{1}, 0); err == nil {
		t.Error("the descriptor can be written to")
	}
	if info, err := s.Stat(); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestCancelled(t *testing.T) {
	data := content(8, 4<<20)
	dir := t.TempDir()
	write(t, dir, "w", data)
	for how, want := range evidence("w", data) {
		for form, open := range forms {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			f, err := open(ctx, t, dir, want)
			if err == nil {
				_, err = f.WriteTo(io.Discard)
				f.Close()
			}
			if !errors.Is(err, context.Canceled) || attest.CodeOf(err) != "" {
				t.Fatalf("%s, %s: %v", how, form, err)
			}
		}
	}
}

func TestReadsAtRandom(t *testing.T) {
	data := content(10, 6<<20+11)
	dir := t.TempDir()
	write(t, dir, "w", data)
	root := openRoot(t, dir)
	all := evidence("w", data)
	rapid.Check(t, func(t *rapid.T) {
		how := rapid.SampledFrom([]string{"chunks", "shards of 100000 sha256", "shards of 3 MiB blake3"}).Draw(t, "evidence")
		r, err := load.NewReader(context.Background(), root, all[how], load.Options{Cache: 1, Workers: rapid.IntRange(1, 3).Draw(t, "workers")})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		position := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			off := rapid.Int64Range(0, int64(len(data))).Draw(t, "offset")
			buf := make([]byte, rapid.IntRange(1, 2<<20).Draw(t, "length"))
			var n int
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				n, err = r.ReadAt(buf, off)
			case 1:
				if position, err = r.Seek(off, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				fallthrough
			default:
				off = position
				n, err = r.Read(buf)
				position += int64(n)
			}
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			if !bytes.Equal(buf[:n], data[off:off+int64(n)]) {
				t.Fatalf("%d bytes at %d are not those of the file", n, off)
			}
		}
	})
}

func TestSingleFileRoot(t *testing.T) {
	data := content(11, 10)
	dir := t.TempDir()
	write(t, dir, "m.bin", data)
	root := openRoot(t, filepath.Join(dir, "m.bin"))
	f, err := load.Open(t.Context(), root, whole(".", data, hashing.SHA256), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "single", got, data)
	to := filepath.Join(t.TempDir(), "copy")
	if err := load.CopyTo(t.Context(), root, []load.Expected{whole(".", data, hashing.SHA256)}, to, load.Options{SingleName: "m.bin"}); err != nil {
		t.Fatal(err)
	}
	if got, err = os.ReadFile(filepath.Join(to, "m.bin")); err != nil {
		t.Fatal(err)
	}
	same(t, "copy", got, data)
}
