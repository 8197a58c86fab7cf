package mutate

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// alter is a change to a tree; it gives the path to verify.
type alter = func(root string) (string, error)

// write makes a file, with its folders, or replaces what it holds.
func write(name string, data []byte) alter {
	return func(root string) (string, error) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		return root, os.WriteFile(path, data, 0o644)
	}
}

func remove(name string) alter {
	return func(root string) (string, error) { return root, os.Remove(filepath.Join(root, name)) }
}

func rename(from, to string) alter {
	return func(root string) (string, error) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, to)), 0o755); err != nil {
			return "", err
		}
		return root, os.Rename(filepath.Join(root, from), filepath.Join(root, to))
	}
}

// replace removes a file and puts another thing in its place.
func replace(name string, make func(path string) error) alter {
	return func(root string) (string, error) {
		path := filepath.Join(root, name)
		if err := os.RemoveAll(path); err != nil {
			return "", err
		}
		return root, make(path)
	}
}

// add makes a thing, with its folders.
func add(name string, make func(path string) error) alter {
	return func(root string) (string, error) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		return root, make(path)
	}
}

// outside gives a file beside the root that holds data, for links.
func outside(path string, data []byte, link func(target, path string) error) error {
	target := filepath.Join(os.TempDir(), "mutate-outside-"+digestOf("sha256", []byte(path+string(data)))[:16])
	if err := os.WriteFile(target, data, 0o644); err != nil {
		return err
	}
	if err := link(target, path); err != nil {
		return err
	}
	return nil
}

// treeChanges alters the tree in every way, for each file.
func (g *generator) treeChanges(b *Base, bases []*Base) {
	names := slices.Sorted(maps.Keys(b.Files))
	for _, name := range names {
		g.fileBytes(b, name)
		g.fileNames(b, name)
		g.fileKinds(b, name)
	}
	for _, other := range bases { // whatever the digest, the key and the method
		g.add(Case{Name: "tree " + other.Name + "/one bit", Base: other, Change: write("config.json", []byte("{\"a\": 3}\n")), Want: Reject, Codes: []string{"OMS_DIGEST_MISMATCH"}})
		g.add(Case{Name: "tree " + other.Name + "/one removed", Base: other, Change: remove("aa"), Want: Reject, Codes: []string{"OMS_FILE_MISSING"}})
		g.add(Case{Name: "tree " + other.Name + "/one added", Base: other, Change: write("new.pkl", []byte("x")), Want: Reject, Codes: []string{"OMS_FILE_UNSIGNED"}})
	}
	g.wholeTree(b)
	g.gitPaths(b)
}

func (g *generator) tree(b *Base, name string, change alter, want Want, codes ...string) {
	g.add(Case{Name: "tree/" + name, Base: b, Change: change, Want: want, Codes: codes})
}

// fileBytes changes what a file holds.
func (g *generator) fileBytes(b *Base, name string) {
	data := b.Files[name]
	bad := func(how string, other []byte) {
		g.tree(b, clip(name)+" "+how, write(name, other), Reject, "OMS_DIGEST_MISMATCH")
	}
	bad("longer by NUL", append(slices.Clone(data), 0))
	bad("longer by a line end", append(slices.Clone(data), '\n'))
	if len(data) == 0 {
		return
	}
	for _, at := range []int{0, len(data) / 2, len(data) - 1} {
		other := slices.Clone(data)
		other[at] ^= 1 << g.random.IntN(8)
		bad(fmt.Sprintf("byte %d", at), other)
	}
	bad("emptied", nil)
	bad("of as many zeros or ones", bytesOf(1-data[0]&1, len(data)))
	bad("twice", append(slices.Clone(data), data...))
	if len(data) > 1 {
		bad("cut by one", data[:len(data)-1])
		bad("without the first", data[1:])
	}
	g.tree(b, clip(name)+" written anew", write(name, data), Accept)
}

func bytesOf(c byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = c
	}
	return out
}

// fileNames moves a file, or swaps it with another.
func (g *generator) fileNames(b *Base, name string) {
	gone := []string{"OMS_FILE_MISSING", "OMS_FILE_UNSIGNED"}
	g.tree(b, clip(name)+" removed", remove(name), Reject, "OMS_FILE_MISSING")
	dir, file := filepath.Split(name)
	for how, to := range inOrder(map[string]string{
		"with an ending": name + ".old", "of other case": dir + swapCase(file), "in capitals": dir + strings.ToUpper(file) + strings.Repeat("A", boolInt(strings.ToUpper(file) == file)), "hidden": dir + ".x" + file,
		"moved down": dir + "below/" + file, "moved up": "moved-" + file, "with a space": dir + file + " ", "with a soft hyphen": dir + "\u00ad" + file,
	}) {
		g.tree(b, clip(name)+" renamed "+how, rename(name, to), Reject, gone...)
	}
	g.tree(b, clip(name)+" copied beside", write(dir+"copy-of-"+file, b.Files[name]), Reject, "OMS_FILE_UNSIGNED")
	g.tree(b, clip(name)+" with an empty one beside", write(dir+"__init__.py", nil), Reject, "OMS_FILE_UNSIGNED")
	g.tree(b, clip(name)+" with a hidden one beside", write(dir+".new.pkl", []byte("x")), Reject, "OMS_FILE_UNSIGNED")
	g.tree(b, clip(name)+" with one of other case beside", write(dir+swapCase(file), b.Files[name]), Reject, "OMS_FILE_UNSIGNED", "OMS_NAME_COLLISION")
	for _, other := range slices.Sorted(maps.Keys(b.Files)) {
		if string(b.Files[other]) != string(b.Files[name]) && other > name && g.random.IntN(4) == 0 {
			g.tree(b, clip(name)+" swapped with "+clip(other), both(write(name, b.Files[other]), write(other, b.Files[name])), Reject, "OMS_DIGEST_MISMATCH")
		}
	}
}

func both(first, second alter) alter {
	return func(root string) (string, error) {
		root, err := first(root)
		if err != nil {
			return "", err
		}
		return second(root)
	}
}

// fileKinds puts something else in the place of a file.
func (g *generator) fileKinds(b *Base, name string) {
	data := b.Files[name]
	kind := func(how string, want Want, make func(path string) error, codes ...string) {
		g.tree(b, clip(name)+" "+how, replace(name, make), want, codes...)
	}
	symlink := func(target string) func(string) error {
		return func(path string) error { return os.Symlink(target, path) }
	}
	kind("a link to the same bytes", Reject, func(path string) error { return outside(path, data, os.Symlink) }, "OMS_SYMLINK")
	kind("a link to nowhere", Reject, symlink("nowhere"), "OMS_SYMLINK")
	kind("a link to itself", Reject, symlink(filepath.Base(name)), "OMS_SYMLINK")
	kind("a link to the folder", Reject, symlink("."), "OMS_SYMLINK")
	kind("a link to /dev/zero", Reject, symlink("/dev/zero"), "OMS_SYMLINK")
	kind("a pipe", Reject, func(path string) error { return syscall.Mkfifo(path, 0o644) }, "OMS_FILE_SPECIAL")
	kind("a socket", Reject, socket, "OMS_FILE_SPECIAL")
	kind("an empty folder", Reject, func(path string) error { return os.Mkdir(path, 0o755) }, "OMS_FILE_MISSING")
	kind("a folder with a file of its name", Reject, func(path string) error {
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(path, filepath.Base(name)), data, 0o644)
	}, "OMS_FILE_MISSING", "OMS_FILE_UNSIGNED")
	kind("a hard link to the same bytes", Accept, func(path string) error { return outside(path, data, hardLink) })
	kind("a hard link to other bytes", Reject, func(path string) error { return outside(path, []byte("other"), hardLink) }, "OMS_DIGEST_MISMATCH")
	for _, mode := range []os.FileMode{0o600, 0o444, 0o777, 0o755 | os.ModeSetuid} {
		g.tree(b, clip(name)+" of mode "+mode.String(), func(root string) (string, error) { return root, os.Chmod(filepath.Join(root, name), mode) }, Accept)
	}
	g.tree(b, clip(name)+" of 1970", func(root string) (string, error) {
		return root, os.Chtimes(filepath.Join(root, name), time.Unix(1, 0), time.Unix(1, 0))
	}, Accept)
}

// hardLink copies first where both are not on one file system.
func hardLink(target, path string) error {
	if err := os.Link(target, path); err == nil {
		return nil
	}
	data, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// socket makes one below a short name: the kernel takes 107 bytes.
func socket(path string) error {
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	short := filepath.Join(dir, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		return err
	}
	return os.Rename(short, path)
}

// wholeTree changes folders, and the root.
func (g *generator) wholeTree(b *Base) {
	g.tree(b, "another empty folder", add("new/er", func(path string) error { return os.MkdirAll(path, 0o755) }), Accept)
	g.tree(b, "an empty folder of Python's name", add("__pycache__", func(path string) error { return os.Mkdir(path, 0o755) }), Accept)
	g.tree(b, "the empty folder removed", func(root string) (string, error) { return root, os.RemoveAll(filepath.Join(root, "nothing here")) }, Accept)
	g.tree(b, "a file in the empty folder", write("nothing here/x", nil), Reject, "OMS_FILE_UNSIGNED")
	g.tree(b, "a folder a link to its copy", movedAndLinked("weights"), Reject, "OMS_SYMLINK")
	g.tree(b, "a deep folder a link to its copy", movedAndLinked("deep/d/d/d"), Reject, "OMS_SYMLINK")
	g.tree(b, "a link that is added", add("l", func(path string) error { return os.Symlink("config.json", path) }), Reject, "OMS_SYMLINK")
	g.tree(b, "a link out that is added", add("l", func(path string) error { return os.Symlink("/etc/passwd", path) }), Reject, "OMS_SYMLINK")
	g.tree(b, "a link to the root that is added", add("weights/l", func(path string) error { return os.Symlink("..", path) }), Reject, "OMS_SYMLINK")
	g.tree(b, "a pipe that is added", add("weights/p", func(path string) error { return syscall.Mkfifo(path, 0o644) }), Reject, "OMS_FILE_SPECIAL")
	g.tree(b, "a socket that is added", add("s", socket), Reject, "OMS_FILE_SPECIAL")
	g.tree(b, "a second name for a signed file", func(root string) (string, error) {
		return root, os.Link(filepath.Join(root, "config.json"), filepath.Join(root, "second"))
	}, Reject, "OMS_FILE_UNSIGNED")
	g.tree(b, "zeros written sparse", replace("zeros.bin", func(path string) error {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		return os.Truncate(path, int64(len(b.Files["zeros.bin"])))
	}), Accept)
	const composed, decomposed = "n\u00e4me", "na\u0308me"
	g.tree(b, "a folder decomposed", rename(composed, decomposed), Reject, "OMS_FILE_MISSING", "OMS_FILE_UNSIGNED")
	g.tree(b, "a folder decomposed beside", write(decomposed+"/x", []byte("x")), Reject, "OMS_FILE_UNSIGNED", "OMS_NAME_COLLISION")
	g.tree(b, "a file decomposed beside", write(decomposed+"/\u6a21\u578b \u2603.bin", b.Files[composed+"/\u6a21\u578b \u2603.bin"]), Reject, "OMS_FILE_UNSIGNED", "OMS_NAME_COLLISION")
	g.tree(b, "a name that is no UTF-8", write("x\xff.bin", []byte("x")), Reject, "OMS_NAME_INVALID", "OMS_FILE_UNSIGNED")
	g.tree(b, "a name with a backslash", write(`weights\x.bin`, []byte("x")), Reject, "OMS_NAME_INVALID", "OMS_FILE_UNSIGNED")
	g.tree(b, "a name with a line end", write("x\ny", []byte("x")), Reject, "OMS_NAME_INVALID", "OMS_FILE_UNSIGNED")
	g.tree(b, "the folder by a link", func(root string) (string, error) { return root + ".link", os.Symlink(root, root+".link") }, Accept)
	g.tree(b, "the folder by another name", func(root string) (string, error) { return root + ".moved", os.Rename(root, root+".moved") }, Accept)
	g.tree(b, "the folder with a slash", func(root string) (string, error) { return root + "/", nil }, Accept)
	g.tree(b, "the folder in a roundabout way", func(root string) (string, error) { return root + "/weights/../.", nil }, Accept)
	g.tree(b, "the folder emptied", func(root string) (string, error) {
		if err := os.RemoveAll(root); err != nil {
			return "", err
		}
		return root, os.Mkdir(root, 0o755)
	}, Reject, "OMS_FILE_MISSING", "OMS_EMPTY")
	g.tree(b, "a folder within", func(root string) (string, error) { return filepath.Join(root, "weights"), nil }, Reject, "OMS_FILE_MISSING", "OMS_FILE_UNSIGNED")
	g.tree(b, "a file within", func(root string) (string, error) { return filepath.Join(root, "config.json"), nil }, Reject, "OMS_FILE_MISSING", "OMS_NAME_INVALID")
	g.tree(b, "the folder above", func(root string) (string, error) { return filepath.Dir(root), nil }, Reject, "OMS_FILE_MISSING", "OMS_FILE_UNSIGNED")
}

// movedAndLinked puts a link to a copy in the place of a folder.
func movedAndLinked(name string) alter {
	return func(root string) (string, error) {
		target := root + ".away"
		if err := os.Rename(filepath.Join(root, name), target); err != nil {
			return "", err
		}
		return root, os.Symlink(target, filepath.Join(root, name))
	}
}

// gitPaths are ignored by default, at the root and by their exact names.
func (g *generator) gitPaths(b *Base) {
	for _, name := range []string{".git/config", ".git/objects/00/11", ".github/workflows/ci.txt", ".gitattributes", ".gitignore"} {
		g.tree(b, name+" added", write(name, []byte("x\n")), Accept)
	}
	for _, name := range []string{"weights/.git/config", ".GIT/config", ".Git/x", ".gitx", ".gitmodules", ".git2/x", "sub/.gitignore", ".gitattributes.bin", ".github2/x", ".gitignore.py", "x.git/config", ". git/x"} {
		g.tree(b, name+" added", write(name, []byte("x\n")), Reject, "OMS_FILE_UNSIGNED")
	}
	g.tree(b, ".gitignore a folder with a file", write(".gitignore/x", []byte("x\n")), Either, "OMS_FILE_UNSIGNED", "POLICY_IGNORE_FORBIDDEN")
	g.tree(b, ".git/model.pkl added", write(".git/model.pkl", []byte("\x80\x04cposix\nsystem\n.")), Either, "OMS_FILE_UNSIGNED", "POLICY_IGNORE_FORBIDDEN")
	g.tree(b, ".git a link", add(".git", func(path string) error { return os.Symlink("/etc", path) }), Either, "OMS_SYMLINK")
	g.tree(b, ".git/x a link", add(".git/x", func(path string) error { return os.Symlink("/etc", path) }), Either, "OMS_SYMLINK")
}

// ignoredTree changes what the signed statement ignores, and what only looks so.
func (g *generator) ignoredTree(b *Base) {
	for name, change := range inOrder(map[string]alter{
		"an ignored file changed": write("logs/run.log", []byte("step 2\n")), "an ignored file removed": remove("notes.txt"), "an ignored file emptied": write("notes.txt", nil),
		"one added below an ignored folder": write("logs/new/er.log", []byte("x\n")), "a Git file changed": write(".git/config", []byte("x\n")),
		"an ignored folder removed": func(root string) (string, error) { return root, os.RemoveAll(filepath.Join(root, "logs")) },
	}) {
		g.tree(b, "ignoring: "+name, change, Accept)
	}
	for _, name := range []string{"logs2/x", "log", "logs.txt", "notes.txt.bin", "notes", "Logs/x", "NOTES.TXT", "weights/logs/x", "weights/notes.txt", "logsx", " logs/x"} {
		g.tree(b, "ignoring: "+name+" added", write(name, []byte("x\n")), Reject, "OMS_FILE_UNSIGNED", "OMS_NAME_COLLISION")
	}
	g.tree(b, "ignoring: an ignored file replaced by a pickle", write("notes.txt", []byte("\x80\x04cposix\nsystem\n(S'id'\ntR.")), Reject, "POLICY_IGNORE_FORBIDDEN")
	g.tree(b, "ignoring: an ignored file replaced by a program", write("notes.txt", []byte("\x7fELF\x02\x01\x01")), Reject, "POLICY_IGNORE_FORBIDDEN")
	g.tree(b, "ignoring: an ignored file a link", replace("notes.txt", func(path string) error { return os.Symlink("config.json", path) }), Reject, "OMS_SYMLINK")
	g.tree(b, "ignoring: a folder of an ignored file's name", replace("notes.txt", func(path string) error {
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(path, "x.pkl"), []byte("x"), 0o644)
	}), Reject, "POLICY_IGNORE_FORBIDDEN")
}
