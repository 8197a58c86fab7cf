package load_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/load"
	"bartizan/attest/tree"
)

// tries is how often the attackers try, in each of the two tests.
const tries = 10_000

// arena is a model that somebody may write to: root/sub/weights.bin, with other
// bytes of the same length outside, and inside a folder that looks the same.
type arena struct {
	dir        string
	good, evil []byte
	open       *os.File // the file as it was restored
	mapped     []byte   // a writable mapping of it
	serial     int
}

func newArena(t testing.TB, size int) *arena {
	a := &arena{dir: quick(t), good: content(1, size), evil: content(2, size)}
	for _, dir := range []string{"root", "outside/sub"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, a.dir, "outside/sub/weights.bin", a.evil)
	t.Cleanup(func() { a.unmap() })
	return a
}

// quick gives a folder in memory where there is one: thousands of files are made
// and removed. The page cache that the attacks go through is the same.
func quick(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "bartizan-attack-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = load.Remove(dir) })
	return dir
}

func (a *arena) root() string { return filepath.Join(a.dir, "root") }
func (a *arena) file() string { return filepath.Join(a.dir, "root", "sub", "weights.bin") }

// fresh is a path beside the model where something can be made ready.
func (a *arena) fresh() string {
	a.serial++
	return filepath.Join(a.dir, fmt.Sprintf("tmp%d", a.serial))
}

func (a *arena) unmap() {
	if a.mapped != nil {
		_ = unix.Munmap(a.mapped)
		_ = a.open.Close()
		a.mapped = nil
	}
}

// restore puts the signed bytes back, in a file that the attacker has mapped.
func (a *arena) restore() error {
	a.unmap()
	sub := filepath.Join(a.dir, "root", "sub")
	if err := os.RemoveAll(sub); err != nil {
		return err
	}
	if err := os.Mkdir(sub, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(a.file(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(a.good); err != nil {
		return errors.Join(err, f.Close())
	}
	a.mapped, err = unix.Mmap(int(f.Fd()), 0, len(a.good), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	a.open = f
	return nil
}

// strikes are what an attacker does to the tree. Errors do not matter to him.
var strikes = map[string]func(a *arena){
	"rename a file over it": func(a *arena) {
		tmp := a.fresh()
		_ = os.WriteFile(tmp, a.evil, 0o644)
		_ = os.Rename(tmp, a.file())
	},
	"put a link in its place": func(a *arena) {
		tmp := a.fresh()
		_ = os.Symlink(filepath.Join(a.dir, "outside/sub/weights.bin"), tmp)
		_ = os.Rename(tmp, a.file())
	},
	"hard-link another file": func(a *arena) {
		tmp := a.fresh()
		_ = os.Link(filepath.Join(a.dir, "outside/sub/weights.bin"), tmp)
		_ = os.Rename(tmp, a.file())
	},
	"write through a hard link": func(a *arena) {
		tmp := a.fresh()
		_ = os.Link(a.file(), tmp)
		overwrite(tmp, a.evil, 0)
		_ = os.Remove(tmp)
	},
	"cut it":                 func(a *arena) { _ = os.Truncate(a.file(), int64(len(a.good)/2)) },
	"cut it to nothing":      func(a *arena) { _ = os.Truncate(a.file(), 0) },
	"overwrite it":           func(a *arena) { overwrite(a.file(), a.evil, 0) },
	"overwrite its end":      func(a *arena) { overwrite(a.file(), a.evil[len(a.evil)-1:], int64(len(a.evil)-1)) },
	"extend it":              func(a *arena) { overwrite(a.file(), a.evil[:4096], int64(len(a.good))) },
	"write to a mapping":     func(a *arena) { a.poke(len(a.good) / 2) },
	"write to a mapping's 0": func(a *arena) { a.poke(0) },
	"exchange its folder": func(a *arena) {
		_ = unix.Renameat2(unix.AT_FDCWD, filepath.Join(a.dir, "root/sub"), unix.AT_FDCWD, filepath.Join(a.dir, "outside/sub"), unix.RENAME_EXCHANGE)
	},
	"put a link to a folder": func(a *arena) {
		tmp := a.fresh()
		_ = os.Rename(filepath.Join(a.dir, "root/sub"), tmp)
		_ = os.Symlink("../outside/sub", filepath.Join(a.dir, "root/sub"))
	},
	"put a pipe in its place": func(a *arena) {
		_ = os.Remove(a.file())
		_ = unix.Mkfifo(a.file(), 0o644)
	},
	"delete it": func(a *arena) { _ = os.Remove(a.file()) },
}

func overwrite(path string, data []byte, off int64) {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err == nil {
		_, _ = f.WriteAt(data, off)
		_ = f.Close()
	}
}

// poke writes to the mapping, unless the file was cut: beyond its end, the
// kernel would end the attacker.
func (a *arena) poke(at int) {
	if a.mapped == nil {
		return
	}
	if info, err := a.open.Stat(); err == nil && info.Size() >= int64(len(a.good)) {
		a.mapped[at] ^= 0xff
	}
}

// tidy puts the outside in order again and takes away what strikes left.
func (a *arena) tidy() {
	_ = os.RemoveAll(filepath.Join(a.dir, "outside/sub")) // by now perhaps with a pipe in it
	_ = os.MkdirAll(filepath.Join(a.dir, "outside/sub"), 0o755)
	_ = os.WriteFile(filepath.Join(a.dir, "outside/sub/weights.bin"), a.evil, 0o644)
	left, _ := filepath.Glob(filepath.Join(a.dir, "tmp*"))
	for _, path := range left {
		_ = os.RemoveAll(path)
	}
}

// given are bytes that a victim was handed, with where they lie in the file.
type given struct {
	offset int64
	data   []byte
}

// victim hands over a file in one of the forms and reads all of it twice: before
// and after the strike at what was handed over. It gives everything that it was
// given.
type victim func(ctx context.Context, root *tree.Root, want load.Expected, opt load.Options, after func()) ([]given, error)

func viaReader(ctx context.Context, root *tree.Root, want load.Expected, opt load.Options, after func()) ([]given, error) {
	r, err := load.NewReader(ctx, root, want, opt)
	if err != nil {
		return nil, err
	}
	return twice(r, after)
}

func viaSeal(limit int64) victim {
	return func(ctx context.Context, root *tree.Root, want load.Expected, opt load.Options, after func()) ([]given, error) {
		opt.MemoryLimit = limit
		s, err := load.Seal(ctx, root, want, opt)
		if err != nil {
			return nil, err
		}
		return twice(s, after)
	}
}

// twice reads in order, strikes, and reads again from the middle outwards.
func twice(f load.File, after func()) ([]given, error) {
	defer f.Close()
	var out bytes.Buffer
	_, err := f.WriteTo(&out)
	all := []given{{0, out.Bytes()}}
	if err != nil {
		return all, err
	}
	after()
	half := f.Size() / 2
	for _, r := range [][2]int64{{half, f.Size()}, {0, half}} {
		buf := make([]byte, r[1]-r[0])
		n, err := f.ReadAt(buf, r[0])
		all = append(all, given{r[0], buf[:n]})
		if n < len(buf) {
			return all, err
		}
	}
	return all, nil
}

func viaCopy(dir string) victim {
	var serial atomic.Int64
	return func(ctx context.Context, root *tree.Root, want load.Expected, opt load.Options, after func()) ([]given, error) {
		to := filepath.Join(dir, fmt.Sprint(serial.Add(1)))
		opt.Volatile = true
		if err := load.CopyTo(ctx, root, []load.Expected{want}, to, opt); err != nil {
			if _, gone := os.Lstat(to); gone == nil {
				return []given{{0, []byte("a folder that should not be there")}}, nil
			}
			return nil, err
		}
		defer load.Remove(to)
		first, err := os.ReadFile(filepath.Join(to, "sub/weights.bin"))
		if err != nil {
			return nil, err
		}
		after()
		second, err := os.ReadFile(filepath.Join(to, "sub/weights.bin"))
		return []given{{0, first}, {0, second}}, err
	}
}

// naive is what loaders do: check a path, then open it again.
func naive(_ context.Context, root *tree.Root, want load.Expected, opt load.Options, _ func()) ([]given, error) {
	read := func() ([]byte, error) {
		f, err := root.Open(want.Name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(f)
	}
	data, err := read()
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], want.Ranges[0].Digest) {
		return nil, errors.New("refused")
	}
	opt.Progress(int64(len(data)))
	used, err := read()
	return []given{{0, used}}, err
}

type contest struct {
	name   string
	victim victim
	want   load.Expected
	opt    load.Options
}

func contests(t testing.TB, good []byte) []contest {
	name := "sub/weights.bin"
	small := load.Options{Workers: 2, Cache: 1}
	return []contest{
		{"reader, shards", viaReader, shards(name, good, len(good)/4, hashing.SHA256), load.Options{}},
		{"reader, shards, hardly a cache", viaReader, shards(name, good, len(good)/7, hashing.BLAKE3), small},
		{"reader, chunk tree", viaReader, chunks(name, good), small},
		{"reader, whole file", viaReader, whole(name, good, hashing.BLAKE2b), load.Options{}},
		{"sealed in memory", viaSeal(1 << 30), whole(name, good, hashing.SHA256), load.Options{}},
		{"sealed in memory, shards", viaSeal(1 << 30), shards(name, good, len(good)/4, hashing.SHA256), load.Options{}},
		{"sealed on disk", viaSeal(-1), shards(name, good, len(good)/4, hashing.SHA256), load.Options{TempDir: quick(t)}},
		{"copied", viaCopy(quick(t)), shards(name, good, len(good)/4, hashing.SHA256), load.Options{}},
	}
}

// outcome counts how tries ended.
type outcome struct{ given, refused, failed, wrong int }

// judge holds everything that a victim was given against what was signed, with
// what came before an error.
func (o *outcome) judge(good []byte, all []given, err error) {
	total := 0
	for _, g := range all {
		total += len(g.data)
		if end := g.offset + int64(len(g.data)); end > int64(len(good)) || !bytes.Equal(g.data, good[g.offset:end]) {
			o.wrong++
			return
		}
	}
	if err == nil && (total == 0 || total%len(good) != 0) {
		o.wrong++
		return
	}
	switch {
	case err == nil:
		o.given++
	case len(attest.Refusals(err)) > 0:
		o.refused++
	default:
		o.failed++
	}
}

func (o outcome) String() string {
	return fmt.Sprintf("%d times the signed bytes, %d refused, %d failed, %d times other bytes", o.given, o.refused, o.failed, o.wrong)
}

func sortedStrikes() []string {
	names := make([]string, 0, len(strikes))
	for name := range strikes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// TestSwapAfterCheck strikes at known moments: before the file is opened, after
// each part that was verified, and after the whole was handed over.
func TestSwapAfterCheck(t *testing.T) {
	small, large := newArena(t, 28<<10), newArena(t, 2<<20+5000)
	random := rand.New(rand.NewPCG(1, 2))
	names := sortedStrikes()
	all := map[*arena][]contest{small: contests(t, small.good), large: contests(t, large.good)}
	count := map[string]*outcome{}
	var loser outcome
	for try := range tries {
		a := small
		if try%25 == 0 {
			a = large
		}
		c := all[a][random.IntN(len(all[a]))]
		strike := strikes[names[try%len(names)]]
		if count[c.name] == nil {
			count[c.name] = &outcome{}
		}
		count[c.name].judge(a.contest(t, c, strike, random.IntN(7)))
		if try%20 == 0 {
			c := contest{"naive", naive, whole("sub/weights.bin", a.good, hashing.SHA256), load.Options{}}
			loser.judge(a.contest(t, c, strike, 1))
		}
	}
	for name, o := range count {
		t.Logf("%-32s %v", name, o)
		if o.wrong > 0 || o.given == 0 || o.refused == 0 {
			t.Errorf("%s: %v", name, o)
		}
	}
	t.Logf("%-32s %v", "check, then open again", loser)
	if loser.wrong == 0 {
		t.Error("the attacker never beats a loader that checks and opens again: he proves nothing")
	}
}

// contest is one try. The strike falls before the file is opened (moment 0),
// after that many parts (the progress is told of each), and always at the end.
func (a *arena) contest(t testing.TB, c contest, strike func(*arena), moment int) ([]byte, []given, error) {
	if err := a.restore(); err != nil {
		t.Fatal(err)
	}
	defer a.tidy()
	root, err := tree.Open(a.root())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var lock sync.Mutex
	seen := 0
	c.opt.Progress = func(int64) {
		lock.Lock()
		defer lock.Unlock()
		if seen++; seen == moment {
			strike(a)
		}
	}
	if moment == 0 {
		strike(a)
	}
	all, err := c.victim(t.Context(), root, c.want, c.opt, func() {
		lock.Lock()
		defer lock.Unlock()
		strike(a)
	})
	return a.good, all, err
}

// TestSwapWhileReading lets an attacker run freely beside the victims.
func TestSwapWhileReading(t *testing.T) {
	a := newArena(t, 28<<10)
	if err := a.restore(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var attacker sync.WaitGroup
	struck := 0
	attacker.Go(func() {
		random := rand.New(rand.NewPCG(3, 4))
		names := sortedStrikes()
		for ctx.Err() == nil {
			strikes[names[random.IntN(len(names))]](a)
			struck++
			if random.IntN(20) == 0 {
				a.tidy()
			}
			if random.IntN(4) > 0 {
				_ = a.restore()
				// For as long as a victim needs, so that some begin with the signed file.
				time.Sleep(time.Duration(random.IntN(200)) * time.Microsecond)
			}
		}
	})
	all := contests(t, a.good)
	count := make([]outcome, len(all))
	for try := range tries {
		c := &all[try%len(all)]
		root, err := tree.Open(a.root())
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.victim(t.Context(), root, c.want, c.opt, func() {})
		count[try%len(all)].judge(a.good, got, err)
		root.Close()
	}
	stop()
	attacker.Wait()
	t.Logf("%d strikes", struck)
	for i, o := range count {
		t.Logf("%-32s %v", all[i].name, o)
		if o.wrong > 0 || o.given+o.refused == 0 {
			t.Errorf("%s: %v", all[i].name, o)
		}
	}
}
