// Package tree opens a model or a dataset beneath its root, and nothing else.
//
// It decides which names are acceptable, which files a tree consists of, and
// hands out descriptors of regular files that lie beneath the root, on the
// evidence of the kernel: openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS
// and RESOLVE_NO_MAGICLINKS, relative to a descriptor of the root that is opened
// once. No path is resolved twice in different ways, so that swapping a folder
// for a link while the tree is walked or hashed leads nowhere. Where the kernel
// or a sandbox has no openat2 the path is opened component by component with
// O_NOFOLLOW, which comes to the same.
//
// What it cannot see: mounts beneath the root belong to the tree; hard links are
// regular files ([Entry.Links] says how many names a file has); and a file that
// is written through a shared mapping may change without its times changing.
package tree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"bartizan/attest"
)

// Only is the name of the one entry of a root that is a single file.
const Only = "."

// MaxSize is how large a file may be: a sparse one of 2^63 bytes costs whoever
// plants it nothing, and whoever hashes it centuries.
const MaxSize = 4 << 40

// Root is a folder, or one regular file, that was opened once. Its methods may
// be called from several goroutines until Close.
type Root struct {
	fd   int // the folder; of a single file the folder that holds it
	path string
	file string // of a single file: its name within that folder
	slow bool   // there is no openat2

	limit int // of files, and of folders
}

// Entry is a regular file as it was seen.
type Entry struct {
	Name string // relative to the root, with forward slashes
	Size int64  // bytes

	dev, ino     uint64
	mtime, ctime int64 // ns
	links        uint32
}

// Links says how many names the file has in its file system. More than one
// means that somebody may change it from outside the tree.
func (e Entry) Links() int { return int(e.links) }

// Open opens the root of a tree. A path that is itself a symbolic link, or that
// leads through some, is resolved here, once; beneath the root no link is
// followed. Any error means that the root could not be opened, or that it is
// neither a folder nor a regular file.
func Open(path string) (*Root, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, opened(path, err)
	}
	r := &Root{path: path, limit: MaxFiles}
	r.fd, err = openDir(real)
	if errors.Is(err, unix.ENOTDIR) {
		r.file = filepath.Base(real)
		// The folder is only gone through: it need not be readable.
		r.fd, err = openAt(unix.AT_FDCWD, filepath.Dir(real), unix.O_PATH|unix.O_DIRECTORY)
	}
	if err != nil {
		return nil, opened(path, err)
	}
	r.probe()
	if r.Single() {
		if _, err := r.stat(r.file, Only); err != nil {
			return nil, errors.Join(opened(path, plain(err)), r.Close())
		}
	}
	return r, nil
}

// opened names the root as the caller did, and once.
func opened(path string, err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("open %s: %w", Show(path), err)
}

// plain turns a refusal into an error that is none: the root is what the caller
// named, nothing that was checked.
func plain(err error) error {
	if refused := attest.Refusals(err); len(refused) > 0 {
		return errors.New(refused[0].Detail)
	}
	return err
}

func openDir(path string) (int, error) {
	return openAt(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY)
}

// Close closes the root. Files that were opened stay open.
func (r *Root) Close() error { return unix.Close(r.fd) }

// Single says that the root is one file, whose only entry is named [Only].
func (r *Root) Single() bool { return r.file != "" }

// Path is the path that was given to [Open].
func (r *Root) Path() string { return r.path }

// Stat describes the regular file of that name. Refusals are those of
// [Root.Open].
func (r *Root) Stat(name string) (Entry, error) {
	inner, err := r.inner(name)
	if err != nil {
		return Entry{}, err
	}
	return r.stat(inner, name)
}

// Open opens the regular file of that name for reading. Refused are names that
// [CheckName] refuses, links anywhere on the way (OMS_SYMLINK), names that are
// not there or are folders (OMS_FILE_MISSING), and pipes, sockets and devices
// (OMS_FILE_SPECIAL), which are not opened at all. Other errors mean that the
// file cannot be read.
func (r *Root) Open(name string) (*os.File, error) {
	entry, err := r.Stat(name)
	if err != nil {
		return nil, err
	}
	fd, err := r.OpenEntry(entry)
	if err != nil {
		return nil, err
	}
	// Only now may reads block: it is a regular file.
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", Show(name), err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// OpenEntry opens the file that the entry describes and gives its descriptor,
// which the caller closes. Besides what [Root.Open] refuses, a file that is not
// the one of the entry any more is OMS_FILE_CHANGED.
func (r *Root) OpenEntry(e Entry) (fd int, err error) {
	inner, err := r.inner(e.Name)
	if err != nil {
		return -1, err
	}
	fd, err = r.openat(inner, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return -1, opening(e.Name, err)
	}
	if err := e.CheckFD(fd); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// CheckFD compares the open file with the entry: device, inode, size and the
// times of its last change. OMS_FILE_CHANGED says that they differ.
func (e Entry) CheckFD(fd int) error {
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return fmt.Errorf("look at %s: %w", Show(e.Name), err)
	}
	now, err := entryOf(e.Name, &st)
	if err != nil {
		return err
	}
	if what := e.differs(now); what != "" {
		return attest.Refuse(attest.OMSFileChanged, Show(e.Name), "%s changed while it was read", what)
	}
	return nil
}

// Check is CheckFD for an open file.
func (e Entry) Check(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return fmt.Errorf("look at %s: %w", Show(e.Name), err)
	}
	var inner error
	if err := conn.Control(func(fd uintptr) { inner = e.CheckFD(int(fd)) }); err != nil {
		return fmt.Errorf("look at %s: %w", Show(e.Name), err)
	}
	return inner
}

// differs names what two looks at a file disagree in, or "".
func (e Entry) differs(o Entry) string {
	switch {
	case e.dev != o.dev || e.ino != o.ino:
		return "the file was replaced: its inode"
	case e.Size != o.Size:
		return fmt.Sprintf("its size (%d bytes before, %d now)", e.Size, o.Size)
	case e.mtime != o.mtime || e.ctime != o.ctime:
		return "its time of change"
	}
	return ""
}

// inner gives the name to open beneath dir.
func (r *Root) inner(name string) (string, error) {
	if !r.Single() {
		return name, CheckName(name)
	}
	if name == Only {
		return r.file, nil
	}
	return "", attest.Refuse(attest.OMSFileMissing, Show(name), "the root is a single file")
}
