package hashing_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	zeebo "github.com/zeebo/blake3"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/tree"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func digest(a hashing.Algorithm, data []byte) []byte {
	switch a {
	case hashing.SHA256:
		d := sha256.Sum256(data)
		return d[:]
	case hashing.BLAKE2b:
		d := blake2b.Sum512(data)
		return d[:]
	}
	d := zeebo.Sum256(data)
	return d[:]
}

var algorithms = []hashing.Algorithm{hashing.SHA256, hashing.BLAKE2b, hashing.BLAKE3}

// Sizes around every border: buffers, what is worth a second lane, groups,
// pieces.
var sizes = []int{0, 1, 63, 64, 65, 1024, 1025, 16384, 128<<10 - 1, 128 << 10, 128<<10 + 1, 512<<10 - 1, 512 << 10, 512<<10 + 1, 640 << 10, 1<<20 - 1, 1 << 20, 1<<20 + 1, 2<<20 + 1, 3<<20 + 5000, 8 << 20, 8<<20 + 1, 17<<20 + 12345}

// forest writes a file of each size, and gives their content.
func forest(t testing.TB) (*tree.Root, []tree.Entry, map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	content := map[string][]byte{}
	all := pattern(20 << 20)
	for i, n := range sizes {
		name := fmt.Sprintf("file-%02d", i)
		content[name] = all[i*1000 : i*1000+n]
		must(t, os.WriteFile(filepath.Join(dir, name), content[name], 0o644))
	}
	root := open(t, dir)
	return root, walk(t, root), content
}

func TestSumOfWholeFiles(t *testing.T) {
	root, entries, content := forest(t)
	for _, a := range algorithms {
		for workers := range 5 {
			var told atomic.Int64
			sums, err := hashing.Sum(context.Background(), root, whole(entries), hashing.Options{Algorithm: a, Workers: workers, Progress: func(n int64) { told.Add(n) }})
			must(t, err)
			var bytes int64
			for i, e := range entries {
				bytes += e.Size
				if got, want := hex.EncodeToString(sums[i]), hex.EncodeToString(digest(a, content[e.Name])); got != want || len(sums[i]) != a.Size() {
					t.Errorf("%s of %d bytes with %d workers: %s, want %s", a, e.Size, workers, got, want)
				}
			}
			if told.Load() != bytes {
				t.Errorf("%s: told of %d bytes of %d", a, told.Load(), bytes)
			}
		}
	}
}

func TestSumOfShards(t *testing.T) {
	root, entries, content := forest(t)
	for _, a := range algorithms {
		for _, size := range []int64{100_003, 1 << 20, 9<<20 + 1} {
			units := shards(entries, size)
			sums, err := hashing.Sum(context.Background(), root, units, hashing.Options{Algorithm: a, Workers: 3})
			must(t, err)
			for i, u := range units {
				if got, want := hex.EncodeToString(sums[i]), hex.EncodeToString(digest(a, content[u.Entry.Name][u.Start:u.End])); got != want {
					t.Errorf("%s of %s[%d:%d]: %s, want %s", a, u.Entry.Name, u.Start, u.End, got, want)
				}
			}
		}
	}
}

func TestFiles(t *testing.T) {
	root, entries, content := forest(t)
	for workers := range 6 {
		sums, err := hashing.Files(context.Background(), root, entries, hashing.Options{Workers: workers})
		must(t, err)
		for i, e := range entries {
			checkFile(t, e, sums[i], content[e.Name])
		}
	}
	// One file alone, which the other workers help with.
	for _, e := range entries {
		sums, err := hashing.Files(context.Background(), root, []tree.Entry{e}, hashing.Options{Workers: 4})
		must(t, err)
		checkFile(t, e, sums[0], content[e.Name])
	}
}

func checkFile(t *testing.T, e tree.Entry, got hashing.FileSum, data []byte) {
	t.Helper()
	if got.SHA256 != sha256.Sum256(data) || got.BLAKE3 != zeebo.Sum256(data) {
		t.Errorf("%s of %d bytes: %x %x", e.Name, e.Size, got.SHA256, got.BLAKE3)
	}
	chunks := chunksOf(data)
	switch {
	case len(chunks) == 1 && got.Chunks != nil:
		t.Errorf("%s of %d bytes has chunks", e.Name, e.Size)
	case len(chunks) > 1 && fmt.Sprint(chunks) != fmt.Sprint(got.Chunks):
		t.Errorf("%s of %d bytes: other chunks", e.Name, e.Size)
	}
}

// Any mixture of sizes, ranges and workers gives the digests of the parts.
func TestSumForAnyUnits(t *testing.T) {
	root, entries, content := forest(t)
	rapid.Check(t, func(t *rapid.T) {
		var units []hashing.Unit
		for range rapid.IntRange(0, 12).Draw(t, "units") {
			e := entries[rapid.IntRange(0, len(entries)-1).Draw(t, "file")]
			start := rapid.Int64Range(0, e.Size).Draw(t, "start")
			units = append(units, hashing.Unit{Entry: e, Start: start, End: rapid.Int64Range(start, e.Size).Draw(t, "end")})
		}
		a := rapid.SampledFrom(algorithms).Draw(t, "algorithm")
		sums, err := hashing.Sum(context.Background(), root, units, hashing.Options{Algorithm: a, Workers: rapid.IntRange(0, 4).Draw(t, "workers")})
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range units {
			if string(sums[i]) != string(digest(a, content[u.Entry.Name][u.Start:u.End])) {
				t.Fatalf("%s of %s[%d:%d]", a, u.Entry.Name, u.Start, u.End)
			}
		}
	})
}

func TestAlgorithms(t *testing.T) {
	for name, ok := range map[string]bool{"sha256": true, "blake2b": true, "blake3": true, "": false, "SHA256": false, "sha512": false, "md5": false, "sha-256": false, "blake2b-256": false} {
		if _, err := hashing.ParseAlgorithm(name); (err == nil) != ok || !ok && attest.CodeOf(err) != attest.OMSAlgorithm {
			t.Errorf("%q: %v", name, err)
		}
	}
	root, entries, _ := forest(t)
	if _, err := hashing.Sum(context.Background(), root, whole(entries), hashing.Options{}); attest.CodeOf(err) != attest.OMSAlgorithm {
		t.Errorf("no algorithm: %v", err)
	}
}

func TestRangesOutsideTheFile(t *testing.T) {
	root, entries, _ := forest(t)
	e := entries[2]
	for _, u := range []hashing.Unit{{e, 0, e.Size + 1}, {e, -1, 2}, {e, 3, 2}, {e, e.Size + 1, e.Size + 1}, {e, 0, 1 << 62}, {e, -1 << 63, 1<<63 - 1}} {
		if _, err := hashing.Sum(context.Background(), root, []hashing.Unit{u}, hashing.Options{Algorithm: hashing.SHA256}); attest.CodeOf(err) != attest.OMSShardsInvalid {
			t.Errorf("[%d:%d]: %v", u.Start, u.End, err)
		}
	}
}

// What changes between the walk and the reading is refused, by every way that
// leads to a digest.
func TestChangedSinceTheWalk(t *testing.T) {
	big := 3<<20 + 1
	for what, c := range map[string]struct {
		do   func(path string) error
		code attest.Code
	}{
		"truncated":  {func(p string) error { return os.Truncate(p, int64(big)-5) }, attest.OMSFileChanged},
		"emptied":    {func(p string) error { return os.Truncate(p, 0) }, attest.OMSFileChanged},
		"grown":      {func(p string) error { return os.Truncate(p, int64(big)+5) }, attest.OMSFileChanged},
		"one byte":   {oneByte, attest.OMSFileChanged},
		"removed":    {os.Remove, attest.OMSFileMissing},
		"replaced":   {func(p string) error { return replace(p, big) }, attest.OMSFileChanged},
		"a link now": {func(p string) error { return errors.Join(os.Rename(p, p+".real"), os.Symlink(p+".real", p)) }, attest.OMSSymlink},
		"a pipe now": {func(p string) error { return errors.Join(os.Remove(p), unix.Mkfifo(p, 0o644)) }, attest.OMSFileSpecial},
		"a folder":   {func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, attest.OMSFileMissing},
	} {
		dir := t.TempDir()
		for _, name := range []string{"a", "b", "c"} {
			must(t, os.WriteFile(filepath.Join(dir, name), pattern(big), 0o644))
		}
		root := open(t, dir)
		entries := walk(t, root)
		time.Sleep(20 * time.Millisecond) // past the tick of the file system's clock
		must(t, c.do(filepath.Join(dir, "b")))
		check := func(way string, err error) {
			if refused := attest.Refusals(err); len(refused) != 1 || refused[0].Code != c.code || refused[0].Name != "b" {
				t.Errorf("%s, %s: %v, want %s", what, way, err, c.code)
			}
		}
		for _, a := range algorithms {
			_, err := hashing.Sum(context.Background(), root, whole(entries), hashing.Options{Algorithm: a})
			check(string(a), err)
		}
		_, err := hashing.Files(context.Background(), root, entries, hashing.Options{})
		check("files", err)
	}
}

func oneByte(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte("x"), 1<<20)
	return errors.Join(err, f.Close())
}

func replace(path string, size int) error {
	return errors.Join(os.WriteFile(path+".new", pattern(size), 0o644), os.Rename(path+".new", path))
}

// A file that changes after its first bytes were digested is noticed at the end.
func TestChangedWhileRead(t *testing.T) {
	for what, do := range map[string]func(path string) error{
		"one byte":  oneByte,
		"truncated": func(p string) error { return os.Truncate(p, 1<<20) },
		"grown":     func(p string) error { return os.Truncate(p, 64<<20) },
	} {
		for _, a := range algorithms {
			dir := t.TempDir()
			path := filepath.Join(dir, "model.bin")
			must(t, os.WriteFile(path, pattern(6<<20), 0o644))
			root := open(t, dir)
			time.Sleep(20 * time.Millisecond) // past the tick of the file system's clock
			var bytes int64
			_, err := hashing.Sum(context.Background(), root, whole(walk(t, root)), hashing.Options{Algorithm: a, Workers: 1, Progress: func(n int64) {
				if bytes += n; bytes == 3<<20 {
					must(t, do(path))
				}
			}})
			if attest.CodeOf(err) != attest.OMSFileChanged {
				t.Errorf("%s, %s: %v", what, a, err)
			}
		}
	}
}

func TestSparse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sparse")
	must(t, os.WriteFile(path, []byte("x"), 0o644))
	must(t, os.Truncate(path, 20<<20))
	root := open(t, dir)
	data := make([]byte, 20<<20)
	data[0] = 'x'
	sums, err := hashing.Files(context.Background(), root, walk(t, root), hashing.Options{})
	must(t, err)
	checkFile(t, walk(t, root)[0], sums[0], data)
}

func TestSingleFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.bin")
	must(t, os.WriteFile(path, []byte("abc"), 0o644))
	root := open(t, path)
	sums, err := hashing.Sum(context.Background(), root, whole(walk(t, root)), hashing.Options{Algorithm: hashing.SHA256})
	must(t, err)
	if string(sums[0]) != string(digest(hashing.SHA256, []byte("abc"))) {
		t.Errorf("%x", sums[0])
	}
}

// Refusals come in the order of the units, and not without end.
func TestErrorsAreJoined(t *testing.T) {
	dir := t.TempDir()
	for i := range 300 {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%03d", i)), pattern(i), 0o644))
	}
	root := open(t, dir)
	entries := walk(t, root)
	for _, i := range []int{7, 3, 200} {
		must(t, os.Remove(filepath.Join(dir, fmt.Sprintf("f%03d", i))))
	}
	_, err := hashing.Sum(context.Background(), root, whole(entries), hashing.Options{Algorithm: hashing.SHA256})
	if got := attest.Refusals(err); len(got) != 3 || got[0].Name != "f003" || got[1].Name != "f007" || got[2].Name != "f200" {
		t.Errorf("%v", err)
	}
	for i := range 300 {
		os.Remove(filepath.Join(dir, fmt.Sprintf("f%03d", i)))
	}
	sums, err := hashing.Sum(context.Background(), root, whole(entries), hashing.Options{Algorithm: hashing.SHA256})
	if got := attest.Refusals(err); len(got) < 100 || len(got) > 110 || sums != nil {
		t.Errorf("%d refusals", len(got))
	}
}

// A file that may not be read is a failure that names it, not a refusal.
func TestStops(t *testing.T) {
	root, entries, _ := forest(t)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := hashing.Files(ctx, root, entries, hashing.Options{Progress: func(int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(to, "/file-") {
			t.Errorf("%s is still open", to)
		}
	}
	if sums, err := hashing.Files(context.Background(), root, nil, hashing.Options{}); err != nil || len(sums) != 0 {
		t.Errorf("no files: %v, %v", sums, err)
	}
}

// While somebody writes, truncates, replaces and links, every digest that comes
// out is one of a content that the file had.
func TestDigestsUnderAttack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.bin")
	size := 2<<20 + 77
	contents := [][]byte{pattern(size), append(pattern(size - 1)[:size-1:size-1], 'x')}
	known := map[string]bool{}
	for _, c := range contents {
		known[string(digest(hashing.SHA256, c))] = true
	}
	must(t, os.WriteFile(path, contents[0], 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "other.bin"), contents[0], 0o644))
	root := open(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ctx.Err() == nil; i++ {
			switch i % 4 {
			case 0, 1: // whole contents, by a new file
				_ = os.WriteFile(filepath.Join(dir, "..new"), contents[i%2], 0o644)
				_ = os.Rename(filepath.Join(dir, "..new"), path)
			case 2: // in place, half of it from each
				if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
					_, _ = f.WriteAt([]byte("torn"), int64(i%size))
					_ = f.Close()
				}
			case 3:
				_ = os.Remove(path)
				_ = os.Symlink("other.bin", path)
			}
			time.Sleep(10 * time.Millisecond) // never twice in one tick of the clock
		}
	}()
	good, refused := 0, 0
	for ctx.Err() == nil {
		e, err := root.Stat("model.bin")
		if err != nil {
			refused++
			continue
		}
		before, err := os.ReadFile(path)
		sums, sumErr := hashing.Sum(context.Background(), root, []hashing.Unit{hashing.Whole(e)}, hashing.Options{Algorithm: hashing.SHA256})
		switch {
		case sumErr != nil && attest.CodeOf(sumErr) == "":
			t.Errorf("a failure, not a refusal: %v", sumErr)
		case sumErr != nil:
			refused++
		default:
			good++
			if !known[string(sums[0])] && err == nil && string(sums[0]) != string(digest(hashing.SHA256, before)) {
				after, _ := os.ReadFile(path)
				if string(sums[0]) != string(digest(hashing.SHA256, after)) {
					t.Errorf("a digest of a content that never was: %x", sums[0])
				}
			}
		}
	}
	<-done
	t.Logf("%d digests, %d refusals", good, refused)
}
