package tree

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"bartizan/attest"
)

const (
	resolve = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS
	always  = unix.O_CLOEXEC | unix.O_NOFOLLOW
)

// probe finds out whether openat2 works here: kernels before 5.6 do not have
// it, and some sandboxes deny what they do not know.
func (r *Root) probe() {
	fd, err := openat2(r.fd, Only, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		r.slow = true
		return
	}
	_ = unix.Close(fd) // a descriptor of a path has nothing to lose
}

// openat opens a clean name beneath the root.
func (r *Root) openat(name string, flags int) (int, error) {
	if r.slow {
		return r.stepwise(name, flags)
	}
	return openat2(r.fd, name, flags)
}

func openat2(dir int, name string, flags int) (int, error) {
	how := unix.OpenHow{Flags: uint64(flags | always), Resolve: resolve}
	for {
		// EAGAIN: a rename somewhere raced with the lookup; the kernel asks to try again.
		fd, err := unix.Openat2(dir, name, &how)
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return fd, err
		}
	}
}

// stepwise is openat2 for kernels without it: folder by folder, none of which
// may be a link.
func (r *Root) stepwise(name string, flags int) (int, error) {
	dir := r.fd
	for {
		part, rest, more := strings.Cut(name, "/")
		how := flags
		if more {
			how = unix.O_PATH | unix.O_DIRECTORY
		}
		fd, err := openAt(dir, part, how)
		if errors.Is(err, unix.ENOTDIR) && isLink(dir, part) {
			err = unix.ELOOP
		}
		if dir != r.fd {
			_ = unix.Close(dir) // a descriptor of a path has nothing to lose
		}
		if err != nil || !more {
			return fd, err
		}
		dir, name = fd, rest
	}
}

func isLink(dir int, part string) bool {
	var st unix.Stat_t
	return fstatat(dir, part, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

func openAt(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|always, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// stat describes the regular file at a clean name without opening it.
func (r *Root) stat(inner, shown string) (Entry, error) {
	fd, err := r.openat(inner, unix.O_PATH)
	if err != nil {
		return Entry{}, opening(shown, err)
	}
	defer unix.Close(fd) //nolint:errcheck // a descriptor of a path has nothing to lose
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return Entry{}, fmt.Errorf("look at %s: %w", Show(shown), err)
	}
	return entryOf(shown, &st)
}

func fstat(fd int, st *unix.Stat_t) error {
	for {
		if err := unix.Fstat(fd, st); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func fstatat(dir int, part string, st *unix.Stat_t) error {
	for {
		if err := unix.Fstatat(dir, part, st, unix.AT_SYMLINK_NOFOLLOW); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// entryOf makes the entry of a regular file and refuses everything else.
func entryOf(name string, st *unix.Stat_t) (Entry, error) {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		return Entry{}, attest.Refuse(attest.OMSSymlink, Show(name), "links are not followed")
	case unix.S_IFDIR:
		return Entry{}, attest.Refuse(attest.OMSFileMissing, Show(name), "a folder stands where the file should be")
	default:
		return Entry{}, attest.Refuse(attest.OMSFileSpecial, Show(name), "a pipe, socket or device, not a regular file")
	}
	if st.Size > MaxSize {
		return Entry{}, attest.Refuse(attest.OMSLimit, Show(name), "%d bytes: files of up to 4 TiB are read", st.Size)
	}
	return Entry{
		Name: name, Size: st.Size, dev: st.Dev, ino: st.Ino,
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(), links: uint32(st.Nlink),
	}, nil
}

// opening turns what the kernel says into a refusal where it is one.
func opening(name string, err error) error {
	shown := Show(name)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return attest.Refuse(attest.OMSFileMissing, shown, "there is no such file")
	case errors.Is(err, unix.ELOOP):
		return attest.Refuse(attest.OMSSymlink, shown, "links are not followed")
	case errors.Is(err, unix.EXDEV):
		return attest.Refuse(attest.OMSNameEscapesRoot, shown, "the name leads out of the root")
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return attest.Refuse(attest.OMSFileSpecial, shown, "a socket or device, not a regular file")
	case errors.Is(err, unix.ENAMETOOLONG):
		return attest.Refuse(attest.OMSNameInvalid, shown, "the file system has no names of this length")
	}
	return fmt.Errorf("open %s: %w", shown, err)
}
