package tree

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"bartizan/attest"
)

// Walk lists every regular file of the tree, sorted by name in the order of its
// bytes, so that two walks of the same tree give the same list. Folders for
// which skipDir says true are not entered; it may be nil.
//
// Refused are links (OMS_SYMLINK), pipes, sockets and devices
// (OMS_FILE_SPECIAL), names that [CheckName] refuses and names that collide
// ([CheckNames]), what vanishes while it is looked at (OMS_FILE_CHANGED), and
// more than MaxFiles files or folders (OMS_LIMIT). All refusals are joined, at
// most 100. A folder that cannot be read is an error without a code; it names
// the folder. With any error there are no entries.
func (r *Root) Walk(ctx context.Context, skipDir func(name string) bool) ([]Entry, error) {
	if r.Single() {
		entry, err := r.Stat(Only)
		if err != nil {
			return nil, err
		}
		return []Entry{entry}, nil
	}
	w := walker{root: r, skip: skipDir, buf: make([]byte, 64<<10), todo: []string{""}, dirs: 1, limit: r.limit}
	if err := w.walk(ctx); err != nil {
		return nil, errors.Join(append(w.found, err)...)
	}
	slices.SortFunc(w.entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(w.found, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if len(w.found) == 0 {
		w.together()
	}
	if err := w.found.err(); err != nil {
		return nil, err
	}
	return w.entries, nil
}

type walker struct {
	root    *Root
	skip    func(name string) bool
	buf     []byte   // of directory entries
	todo    []string // folders to read; the root is ""
	dirs    int      // folders seen
	limit   int      // of files, and of folders
	entries []Entry
	found   refusals
	full    bool // as much was refused as an error carries
}

func (w *walker) walk(ctx context.Context) error {
	for len(w.todo) > 0 && !w.full {
		if err := ctx.Err(); err != nil {
			return err
		}
		last := len(w.todo) - 1
		dir := w.todo[last]
		w.todo = w.todo[:last]
		if err := w.folder(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

// refuse takes a refusal, and ends the walk where one more would be too many.
func (w *walker) refuse(err error) {
	w.full = !w.found.add(err) || w.full
}

// folder reads one folder. Its own folders are put on the list, not entered, so
// that one descriptor and one buffer are enough for any depth.
func (w *walker) folder(ctx context.Context, dir string) error {
	name := dir
	if name == "" {
		name = Only
	}
	fd, err := w.root.openat(name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return w.lost(name, err)
	}
	for !w.full {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, unix.Close(fd))
		}
		n, err := unix.ReadDirent(fd, w.buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return errors.Join(w.lost(name, err), unix.Close(fd))
		}
		if n <= 0 {
			break
		}
		if err := w.records(fd, dir, w.buf[:n]); err != nil {
			return errors.Join(err, unix.Close(fd))
		}
	}
	return unix.Close(fd)
}

// lost says what it means that a folder that was listed cannot be read.
func (w *walker) lost(name string, err error) error {
	switch {
	case errors.Is(err, unix.ELOOP):
		w.refuse(attest.Refuse(attest.OMSSymlink, Show(name), "links are not followed"))
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		w.refuse(attest.Refuse(attest.OMSFileChanged, Show(name), "the folder went away while the tree was walked"))
	default:
		return fmt.Errorf("read folder %s: %w", Show(name), err)
	}
	return nil
}

// records goes through what one getdents64(2) gave.
func (w *walker) records(fd int, dir string, buf []byte) error {
	for len(buf) > 0 && !w.full {
		part, kind, rest, ok := dirent(buf)
		if !ok {
			return fmt.Errorf("read folder %s: the file system gave a broken directory entry", Show(dir))
		}
		buf = rest
		if len(part) == 0 || string(part) == "." || string(part) == ".." {
			continue
		}
		if err := w.record(fd, join(dir, part), string(part), kind); err != nil {
			return err
		}
	}
	return nil
}

func join(dir string, part []byte) string {
	if dir == "" {
		return string(part)
	}
	return dir + "/" + string(part)
}

// record takes one directory entry. What the directory says about its kind is
// believed where it is a refusal or leads to an openat2; files are looked at.
func (w *walker) record(fd int, name, part string, kind byte) error {
	if kind == unix.DT_DIR {
		w.enter(name)
		return nil
	}
	if err := CheckName(name); err != nil {
		w.refuse(err)
		return nil
	}
	var st unix.Stat_t
	if err := fstatat(fd, part, &st); err != nil {
		if errors.Is(err, unix.ENOENT) {
			w.refuse(attest.Refuse(attest.OMSFileChanged, Show(name), "the file went away while the tree was walked"))
			return nil
		}
		return fmt.Errorf("look at %s: %w", Show(name), err)
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		w.enter(name)
		return nil
	}
	entry, err := entryOf(name, &st)
	if err != nil {
		w.refuse(err)
		return nil
	}
	if len(w.entries) >= w.limit {
		w.full = true
		w.refuse(attest.Refuse(attest.OMSLimit, "", "more than %d files", w.limit))
		return nil
	}
	w.entries = append(w.entries, entry)
	return nil
}

// enter puts a folder on the list.
func (w *walker) enter(name string) {
	if w.skip != nil && w.skip(name) {
		return
	}
	if err := CheckName(name); err != nil {
		w.refuse(err)
		return
	}
	if w.dirs >= w.limit {
		w.full = true
		w.refuse(attest.Refuse(attest.OMSLimit, "", "more than %d folders", w.limit))
		return
	}
	w.dirs++
	w.todo = append(w.todo, name)
}

// together looks for names that collide. A file system gives no name twice
// unless it changes meanwhile, and names that are their own folded form cannot
// collide with each other: mostly a look at neighbours is all.
func (w *walker) together() {
	plain := true
	for i := range w.entries {
		name := w.entries[i].Name
		if i > 0 && w.entries[i-1].Name == name {
			w.refuse(attest.Refuse(attest.OMSFileChanged, Show(name), "the folder gave the name twice while the tree was walked"))
			return
		}
		plain = plain && isPlain(name)
	}
	if plain {
		return
	}
	names := make([]string, len(w.entries))
	for i := range w.entries {
		names[i] = w.entries[i].Name
	}
	checkTogether(names, &w.found)
}
