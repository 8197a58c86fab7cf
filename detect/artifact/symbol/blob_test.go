package symbol

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func readSources(tb testing.TB) []Source {
	tb.Helper()
	paths, err := filepath.Glob("data/*.txt")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no data files: %v", err)
	}
	var sources []Source
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		name := filepath.Base(path)
		sources = append(sources, Source{Name: name, Text: string(text), Overlay: strings.HasPrefix(name, "curated")})
	}
	return sources
}

// TestBlobIsCurrent compiles the data anew and compares.
func TestBlobIsCurrent(t *testing.T) {
	sources := readSources(t)
	blob, err := Compile(sources)
	if err != nil {
		t.Fatal(err)
	}
	if string(blob) != builtin {
		t.Fatal("symbols.bin is not what data/*.txt compile to: run go generate ./detect/artifact/symbol")
	}
	for i, j := 0, len(sources)-1; i < j; i, j = i+1, j-1 {
		sources[i], sources[j] = sources[j], sources[i]
	}
	again, err := Compile(sources)
	if err != nil || !bytes.Equal(blob, again) {
		t.Fatalf("the order of the files changes the result: %v", err)
	}
}

func TestVersionIsTheDigest(t *testing.T) {
	sum := sha256.Sum256([]byte(builtin[indexAt:]))
	if want := "sha256:" + hex.EncodeToString(sum[:]); Builtin().Version() != want {
		t.Errorf("Version is %s, want %s", Builtin().Version(), want)
	}
	if _, err := Open(builtin); err != nil {
		t.Error(err)
	}
	damaged := []byte(builtin)
	damaged[len(damaged)-1] ^= 1
	if _, err := Open(string(damaged)); err == nil {
		t.Error("Open takes a blob with a changed byte")
	}
}

// TestEveryRowIsFound looks up each row of every file in what they compile to;
// that this is the built-in blob is TestBlobIsCurrent's.
func TestEveryRowIsFound(t *testing.T) {
	sources := readSources(t)
	blob, err := Compile(sources)
	if err != nil {
		t.Fatal(err)
	}
	db, err := open(string(blob))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		f, err := parseText(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range f.blocks {
			for _, m := range b.modules {
				if m == "__main__" {
					continue
				}
				e, ok := db.entry(m)
				if !ok {
					t.Fatalf("%s: module %s is not found", s.Name, m)
				}
				for _, r := range b.rows {
					if _, ok := find(e.symbols, r.name); !ok {
						t.Fatalf("%s: %s:%s is not found", s.Name, m, r.name)
					}
				}
			}
		}
	}
}

// TestDanglingLinks keeps the curated file free of links that lead nowhere.
func TestDanglingLinks(t *testing.T) {
	db := Builtin()
	for _, s := range readSources(t) {
		if !s.Overlay {
			continue
		}
		f, err := parseText(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range f.blocks {
			for _, r := range b.rows {
				if r.link == "" || r.kind == Module {
					continue
				}
				if got := db.Resolve(b.modules[0], r.name).Status; got != Found {
					t.Errorf("%s:%d: %s:%s leads to %s, which is %v", s.Name, r.source, b.modules[0], r.name, r.link, got)
				}
			}
		}
	}
}

func TestDamagedBuiltinKnowsNothing(t *testing.T) {
	for _, blob := range []string{"", magic, builtin[:headerSize-1], "X" + builtin[1:]} {
		if _, err := open(blob); err == nil {
			t.Errorf("a blob of %d bytes is opened", len(blob))
		}
	}
	db := &DB{}
	if r := db.Resolve("os", "system"); r.Status != UnknownModule || !r.Symbol.Call.Has(Undecided) {
		t.Errorf("an empty database says %v, %v", r.Status, r.Symbol.Call)
	}
	if db.KnownModule("os") || db.Sources() != nil {
		t.Error("an empty database knows something")
	}
}

// FuzzBlob looks symbols up in a blob with changed bytes. The digest would
// refuse it; the search must stand it all the same.
func FuzzBlob(f *testing.F) {
	blob, err := Compile([]Source{
		{Name: "a.txt", Text: head + "module pkg\na sub pkg.sub\nr x pkg.sub:K.m\nc K call=- new=- state=- items=- bases=pkg:K\n" +
			"module pkg.sub\nc K call=net new=- state=- items=-\nm K.m call=-\n" + manyRows()},
		{Name: "curated.txt", Text: textHeader + "\nlibrary l\nmodule w\nf ** call=exec\nf f call=? sig=(str, any...)\n", Overlay: true},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), uint32(9), []byte{0xff})
	f.Add(uint32(100), uint32(200), []byte{0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, at, cut uint32, patch []byte) {
		b := bytes.Clone(blob)
		copy(b[int(at)%len(b):], patch)
		b = b[:len(b)-int(cut)%len(b)]
		db, err := open(string(b))
		if err != nil {
			return
		}
		for _, q := range [][2]string{{"pkg", "x"}, {"pkg", "sub.K.m"}, {"pkg", "K.none"}, {"w.deep", "f.g"}, {"w", "f"}, {"many", "n50.x"}, {"none", "pkg.sub.K"}} {
			db.Resolve(q[0], q[1])
		}
		db.TopLevel("pkg")
		db.Sources()
	})
}

func manyRows() string {
	var b strings.Builder
	b.WriteString("module many\n")
	for i := 10; i < 90; i++ {
		b.WriteString("f n" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + " call=-\n")
	}
	return b.String()
}

func TestAllocations(t *testing.T) {
	db := Builtin()
	for _, q := range [][2]string{{"os", "system"}, {"collections", "OrderedDict"}, {"no_such", "name"}} {
		if n := testing.AllocsPerRun(100, func() { db.Resolve(q[0], q[1]) }); n != 0 {
			t.Errorf("%s:%s allocates %v times", q[0], q[1], n)
		}
	}
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		runtime.KeepAlive(Builtin())
	}
}

func BenchmarkResolve(b *testing.B) {
	db := Builtin()
	for _, q := range [][2]string{
		{"os", "system"}, {"collections", "OrderedDict"}, {"numpy.core.multiarray", "_reconstruct"},
		{"torch._utils", "_rebuild_tensor_v2"}, {"numpy.core.multiarray", "ndarray"}, {"os", "path.join"},
		{"no_such_package.module", "Name"}, {"fickling.loader", "load"},
	} {
		b.Run(q[0]+":"+q[1], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				db.Resolve(q[0], q[1])
			}
		})
	}
}
