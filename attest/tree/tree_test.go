package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/attest"
	"bartizan/attest/tree"
)

// plant writes the files into a new folder; the content of each is its name.
func plant(t testing.TB, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		put(t, dir, name)
	}
	return dir
}

func put(t testing.TB, dir, name string) {
	t.Helper()
	path := dir + "/" + name
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string) *tree.Root {
	t.Helper()
	root, err := tree.Open(path)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

func names(entries []tree.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Name)
	}
	return out
}

// both runs a test with openat2 and without it.
func both(t *testing.T, f func(t *testing.T, open func(t testing.TB, path string) *tree.Root)) {
	t.Run("openat2", func(t *testing.T) {
		if open(t, t.TempDir()).IsSlow() {
			t.Skip("SKIPPED: this kernel has no openat2")
		}
		f(t, open)
	})
	t.Run("stepwise", func(t *testing.T) {
		f(t, func(t testing.TB, path string) *tree.Root {
			root := open(t, path)
			root.Slow()
			return root
		})
	})
}

func TestWalk(t *testing.T) {
	both(t, func(t *testing.T, open func(testing.TB, string) *tree.Root) {
		files := []string{"config.json", "weights/model-00001.safetensors", ".hidden", "a b/c+d%20(1).txt", "näme/模型 ☃.bin", "deep/" + strings.Repeat("d/", 20) + "leaf", "aa", "a-b", "a/b", ".git/config", "x/.git/y"}
		dir := plant(t, files...)
		must(t, os.MkdirAll(dir+"/nothing here", 0o755))
		must(t, os.WriteFile(dir+"/empty.txt", nil, 0o644))
		entries, err := open(t, dir).Walk(context.Background(), nil)
		must(t, err)
		want := append(slices.Clone(files), "empty.txt")
		slices.Sort(want)
		if got := names(entries); !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
		for _, e := range entries {
			if want := int64(len(e.Name)); e.Size != want && e.Name != "empty.txt" {
				t.Errorf("%s: %d bytes, want %d", e.Name, e.Size, want)
			}
		}
		entries, err = open(t, dir).Walk(context.Background(), func(name string) bool { return name == ".git" || name == "deep/d" })
		must(t, err)
		if got := names(entries); slices.Contains(got, ".git/config") || !slices.Contains(got, "x/.git/y") || len(got) != len(want)-2 {
			t.Fatalf("with folders left out: %q", got)
		}
	})
}

func TestWalkRefuses(t *testing.T) {
	both(t, func(t *testing.T, open func(testing.TB, string) *tree.Root) {
		for what, c := range map[string]struct {
			do   func(dir string) error
			name string
			code attest.Code
		}{
			"link to a file":   {func(d string) error { return os.Symlink("a", d+"/l") }, "l", attest.OMSSymlink},
			"link out":         {func(d string) error { return os.Symlink("/etc/passwd", d+"/l") }, "l", attest.OMSSymlink},
			"link to a folder": {func(d string) error { return os.Symlink("sub", d+"/l") }, "l", attest.OMSSymlink},
			"link cycle":       {func(d string) error { return os.Symlink(".", d+"/sub/l") }, "sub/l", attest.OMSSymlink},
			"dangling link":    {func(d string) error { return os.Symlink("nowhere", d+"/l") }, "l", attest.OMSSymlink},
			"link named .git":  {func(d string) error { return os.Symlink("sub", d+"/.git") }, ".git", attest.OMSSymlink},
			"pipe":             {func(d string) error { return unix.Mkfifo(d+"/p", 0o644) }, "p", attest.OMSFileSpecial},
			"socket":           {socket, "s", attest.OMSFileSpecial},
			"device":           {func(d string) error { return unix.Mknod(d+"/d", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))) }, "d", attest.OMSFileSpecial},
			"backslash":        {func(d string) error { return os.WriteFile(d+"/x\\y", nil, 0o644) }, `"x\\y"`, attest.OMSNameInvalid},
			"line end":         {func(d string) error { return os.WriteFile(d+"/x\ny", nil, 0o644) }, `"x\ny"`, attest.OMSNameInvalid},
			"no UTF-8":         {func(d string) error { return os.WriteFile(d+"/x\xff", nil, 0o644) }, `"x\xff"`, attest.OMSNameInvalid},
			"folder no UTF-8":  {func(d string) error { return os.Mkdir(d+"/x\xff", 0o755) }, `"x\xff"`, attest.OMSNameInvalid},
			"case":             {func(d string) error { return os.WriteFile(d+"/A", nil, 0o644) }, "a", attest.OMSNameCollision},
			"case of a folder": {func(d string) error { return os.MkdirAll(d+"/SUB", 0o755) }, "", ""},
			"case, file under": {func(d string) error { return os.WriteFile(d+"/Sub", nil, 0o644) }, "sub/b", attest.OMSNameCollision},
			"form": {func(d string) error {
				return errors.Join(os.WriteFile(d+"/e\u0301", nil, 0o644), os.WriteFile(d+"/\u00e9", nil, 0o644))
			}, "\u00e9", attest.OMSNameCollision},
			"depth": {func(d string) error { return os.MkdirAll(d+"/"+strings.Repeat("d/", 300), 0o755) }, strings.Repeat("d/", 100) + "…", attest.OMSNameInvalid},
		} {
			t.Run(what, func(t *testing.T) {
				dir := plant(t, "a", "sub/b")
				if err := c.do(dir); errors.Is(err, unix.EPERM) {
					t.Skip("SKIPPED: may not make this:", err)
				} else if err != nil {
					t.Fatal(err)
				}
				root := open(t, dir)
				entries, err := root.Walk(context.Background(), func(name string) bool { return name == ".git" })
				if c.code == "" {
					must(t, err)
					return
				}
				refused := attest.Refusals(err)
				if len(refused) != 1 || refused[0].Code != c.code || refused[0].Name != c.name || entries != nil {
					t.Fatalf("%v with %d entries, want %s: %s", err, len(entries), c.code, c.name)
				}
				if c.code == attest.OMSSymlink || c.code == attest.OMSFileSpecial {
					if _, err := root.Open(c.name); attest.CodeOf(err) != c.code {
						t.Errorf("opened: %v, want %s", err, c.code)
					}
				}
			})
		}
	})
}

func socket(dir string) error {
	// The path of a socket is short, so it is bound next to the folder.
	old, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: "s", Net: "unix"})
	if err == nil {
		l.SetUnlinkOnClose(false)
		err = l.Close()
	}
	return errors.Join(err, os.Chdir(old))
}

// All that is refused comes together, sorted, at most 100.
func TestWalkJoinsRefusals(t *testing.T) {
	dir := plant(t, "a")
	must(t, os.Symlink("a", dir+"/l"))
	must(t, os.Symlink("a", dir+"/k"))
	must(t, unix.Mkfifo(dir+"/p", 0o644))
	_, err := open(t, dir).Walk(context.Background(), nil)
	if got := attest.Refusals(err); len(got) != 3 || got[0].Name != "p" || got[1].Name != "k" || got[2].Name != "l" {
		t.Fatalf("%v", err)
	}
	for i := range 300 {
		must(t, os.Symlink("a", dir+"/many"+string(rune('a'+i%26))+strings.Repeat("x", i/26)))
	}
	_, err = open(t, dir).Walk(context.Background(), nil)
	if got := attest.Refusals(err); len(got) != 100 {
		t.Fatalf("%d refusals", len(got))
	}
}

func TestWalkLimits(t *testing.T) {
	dir := plant(t, "a", "b", "c", "x/d")
	for limit, want := range map[int]attest.Code{3: attest.OMSLimit, 4: ""} {
		root := open(t, dir)
		root.Limit(limit)
		if _, err := root.Walk(context.Background(), nil); attest.CodeOf(err) != want {
			t.Errorf("4 files with a limit of %d: %v", limit, err)
		}
	}
	for range 5 {
		must(t, os.MkdirAll(dir+"/y"+strings.Repeat("/z", 5), 0o755))
	}
	root := open(t, dir)
	root.Limit(5)
	if _, err := root.Walk(context.Background(), nil); attest.CodeOf(err) != attest.OMSLimit {
		t.Errorf("8 folders with a limit of 5: %v", err)
	}
}

func TestWalkStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := open(t, plant(t, "a")).Walk(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// A folder that cannot be read is a failure that names it, not a refusal, and
// never an empty folder.
func TestUnreadable(t *testing.T) {
	dir := plant(t, "a", "sub/secret/b", "sub/c")
	must(t, os.Chmod(dir+"/sub/secret", 0))
	must(t, os.Chmod(dir+"/a", 0))
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	if os.Geteuid() == 0 {
		must(t, syscall.Setresuid(-1, 65534, -1))
		defer func() { must(t, syscall.Setresuid(-1, 0, -1)) }()
	}
	root := open(t, dir)
	_, err := root.Walk(context.Background(), nil)
	if !errors.Is(err, os.ErrPermission) || attest.CodeOf(err) != "" || !strings.Contains(err.Error(), "sub/secret") {
		t.Errorf("walk: %v", err)
	}
	if _, err = root.Open("a"); !errors.Is(err, os.ErrPermission) || attest.CodeOf(err) != "" || !strings.Contains(err.Error(), " a:") {
		t.Errorf("open: %v", err)
	}
	if _, err = root.Open("sub/secret/b"); !errors.Is(err, os.ErrPermission) || attest.CodeOf(err) != "" {
		t.Errorf("open: %v", err)
	}
	if _, err := tree.Open(dir + "/sub/secret"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("root: %v", err)
	}
}

func TestOpen(t *testing.T) {
	both(t, func(t *testing.T, open func(testing.TB, string) *tree.Root) {
		outside := plant(t, "secret", "folder/secret")
		dir := plant(t, "a", "sub/b")
		must(t, os.Symlink(outside, dir+"/out"))
		must(t, os.Symlink(outside+"/secret", dir+"/sub/leaf"))
		must(t, os.Symlink("sub", dir+"/in"))
		must(t, unix.Mkfifo(dir+"/pipe", 0o644))
		root := open(t, dir)
		for name, want := range map[string]attest.Code{
			"a": "", "sub/b": "",
			"missing": attest.OMSFileMissing, "sub": attest.OMSFileMissing, "sub/x/y": attest.OMSFileMissing, "a/b": attest.OMSFileMissing,
			"out": attest.OMSSymlink, "out/secret": attest.OMSSymlink, "out/folder/secret": attest.OMSSymlink, "sub/leaf": attest.OMSSymlink, "in/b": attest.OMSSymlink,
			"pipe": attest.OMSFileSpecial, "pipe/x": attest.OMSFileMissing,
			"../x": escapes, "/etc/passwd": escapes, "sub/../a": escapes, ".": invalid, "": invalid, "sub//b": invalid, "a\x00": invalid,
			strings.Repeat("x", 255): attest.OMSFileMissing,
		} {
			f, err := root.Open(name)
			if got := attest.CodeOf(err); got != want || (err == nil) != (want == "") {
				t.Errorf("%q: %v, want %q", name, err, want)
			}
			if f == nil {
				continue
			}
			data, err := io.ReadAll(f)
			if err != nil || string(data) != name {
				t.Errorf("%q: read %q, %v", name, data, err)
			}
			must(t, f.Close())
		}
	})
}

// A pipe without a writer blocks who opens it; here nothing may.
func TestPipesDoNotBlock(t *testing.T) {
	both(t, func(t *testing.T, open func(testing.TB, string) *tree.Root) {
		dir := plant(t, "a")
		must(t, unix.Mkfifo(dir+"/p", 0o644))
		done := make(chan error)
		go func() {
			root := open(t, dir)
			_, one := root.Walk(context.Background(), nil)
			_, two := root.Open("p")
			_, three := tree.Open(dir + "/p")
			done <- errors.Join(one, two, three)
		}()
		select {
		case err := <-done:
			if len(attest.Refusals(err)) != 2 {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("blocked")
		}
	})
}

// Where the entry was a file and is a pipe now, opening it does not block either.
func TestOpenEntryDoesNotBlock(t *testing.T) {
	dir := plant(t, "a")
	root := open(t, dir)
	e, err := root.Stat("a")
	must(t, err)
	must(t, os.Remove(dir+"/a"))
	must(t, unix.Mkfifo(dir+"/a", 0o644))
	if _, err := root.OpenEntry(e); attest.CodeOf(err) != attest.OMSFileSpecial {
		t.Fatal(err)
	}
}

func TestRootMayBeALink(t *testing.T) {
	both(t, func(t *testing.T, open func(testing.TB, string) *tree.Root) {
		dir := plant(t, "a", "sub/b")
		links := t.TempDir()
		must(t, os.Symlink(dir, links+"/folder"))
		must(t, os.Symlink(dir+"/sub/b", links+"/file"))
		root := open(t, links+"/folder")
		// The root stays what it was.
		must(t, os.Remove(links+"/folder"))
		must(t, os.Symlink(links, links+"/folder"))
		entries, err := root.Walk(context.Background(), nil)
		must(t, err)
		if got := names(entries); !slices.Equal(got, []string{"a", "sub/b"}) || root.Single() {
			t.Errorf("%q", got)
		}
		if root := open(t, links+"/file"); !root.Single() {
			t.Error("a link to a file is no single root")
		}
	})
}

func TestSingle(t *testing.T) {
	both(t, func(t *testing.T, open func(testing.TB, string) *tree.Root) {
		dir := plant(t, "a", "b")
		root := open(t, dir+"/a")
		entries, err := root.Walk(context.Background(), nil)
		must(t, err)
		if len(entries) != 1 || entries[0].Name != tree.Only || entries[0].Size != 1 || !root.Single() {
			t.Fatalf("%+v", entries)
		}
		f, err := root.Open(tree.Only)
		must(t, err)
		defer f.Close()
		must(t, entries[0].Check(f))
		if data, err := io.ReadAll(f); err != nil || string(data) != "a" {
			t.Errorf("%q, %v", data, err)
		}
		for _, name := range []string{"a", "b", "..", ""} {
			if _, err := root.Open(name); attest.CodeOf(err) != attest.OMSFileMissing {
				t.Errorf("%q: %v", name, err)
			}
		}
		must(t, os.Remove(dir+"/a"))
		must(t, os.Symlink("b", dir+"/a"))
		if _, err := root.Open(tree.Only); attest.CodeOf(err) != attest.OMSSymlink {
			t.Error(err)
		}
	})
}

func TestRootThatCannotBeOpened(t *testing.T) {
	dir := plant(t, "a")
	must(t, unix.Mkfifo(dir+"/p", 0o644))
	must(t, os.Symlink("loop", dir+"/loop"))
	for _, name := range []string{"missing", "p", "loop", "a/b", "a\x00"} {
		root, err := tree.Open(dir + "/" + name)
		if err == nil || attest.CodeOf(err) != "" || !strings.Contains(err.Error(), dir) {
			t.Errorf("%q: %v, %v", name, root, err)
		}
	}
}

func TestEntryNoticesChange(t *testing.T) {
	for what, change := range map[string]func(path string) error{
		"grown":     func(p string) error { return os.WriteFile(p, []byte("aaa"), 0o644) },
		"truncated": func(p string) error { return os.Truncate(p, 0) },
		"touched":   func(p string) error { return os.Chtimes(p, time.Now(), time.Unix(1, 0)) },
		"mode":      func(p string) error { return os.Chmod(p, 0o600) },
		"replaced": func(p string) error {
			return errors.Join(os.WriteFile(p+".new", []byte("a"), 0o644), os.Rename(p+".new", p))
		},
		"linked": func(p string) error { return os.Link(p, p+".2") },
		"same size, times set back": func(p string) error {
			st, err := os.Stat(p)
			if err != nil {
				return err
			}
			return errors.Join(os.WriteFile(p, []byte("b"), 0o644), os.Chtimes(p, st.ModTime(), st.ModTime()))
		},
	} {
		dir := plant(t, "a")
		root := open(t, dir)
		e, err := root.Stat("a")
		must(t, err)
		time.Sleep(20 * time.Millisecond) // past the tick of the file system's clock
		must(t, change(dir+"/a"))
		if fd, err := root.OpenEntry(e); attest.CodeOf(err) != attest.OMSFileChanged {
			t.Errorf("%s: %v", what, err)
			unix.Close(fd)
		}
	}
}

func TestHardLinksAreNoted(t *testing.T) {
	dir := plant(t, "a")
	must(t, os.Link(dir+"/a", dir+"/b"))
	entries, err := open(t, dir).Walk(context.Background(), nil)
	must(t, err)
	if len(entries) != 2 || entries[0].Links() != 2 || entries[1].Links() != 2 {
		t.Errorf("%+v", entries)
	}
}

// No descriptor is left open, whatever happened.
func TestNothingStaysOpen(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(fds)
	}
	both(t, func(t *testing.T, _ func(testing.TB, string) *tree.Root) {
		dir := plant(t, "a/b/c", "d")
		must(t, os.Symlink("d", dir+"/a/l"))
		must(t, unix.Mkfifo(dir+"/p", 0o644))
		before := count()
		for range 20 {
			root, err := tree.Open(dir)
			must(t, err)
			if strings.HasSuffix(t.Name(), "stepwise") {
				root.Slow()
			}
			_, _ = root.Walk(context.Background(), nil)
			for _, name := range []string{"a/b/c", "a/l", "a/l/x", "p", "p/x", "d/x", "missing", "a/b"} {
				if f, err := root.Open(name); err == nil {
					must(t, f.Close())
				}
			}
			must(t, root.Close())
		}
		if after := count(); after > before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
}

func BenchmarkWalk(b *testing.B) {
	dir := b.TempDir()
	for i := range 20_000 {
		sub := filepath.Join(dir, fmt.Sprintf("folder-%02d", i%20))
		if i < 20 {
			must(b, os.Mkdir(sub, 0o755))
		}
		must(b, os.WriteFile(filepath.Join(sub, fmt.Sprintf("record-%05d.json", i)), nil, 0o644))
	}
	root := open(b, dir)
	files := 0
	b.ReportAllocs()
	for b.Loop() {
		entries, err := root.Walk(context.Background(), nil)
		must(b, err)
		files = len(entries)
	}
	b.ReportMetric(float64(files)*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}
