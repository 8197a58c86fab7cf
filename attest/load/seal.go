package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"bartizan/attest/tree"
)

// Seals are what a sealed memfd carries: its bytes and its length are final, and
// so are the seals (fcntl(2), "File sealing").
const Seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// Sealed is a verified copy behind a descriptor of its own, open for reading
// only, with no name in any folder.
type Sealed struct {
	*os.File
	name   string
	size   int64
	memory bool
}

// Seal copies the file and gives the copy once it is verified.
//
// Up to Options.MemoryLimit the copy is a memfd that is sealed first and
// verified then: what the digest was computed over cannot change any more, not
// even by a process of the same user that found the descriptor in /proc. Larger
// files, and hosts without memfd, get a nameless file (O_TMPFILE) of mode 0400
// in a private folder that is gone before it is filled; it is hashed as it is
// written, and only processes of the same user, or root, could reach it.
func Seal(ctx context.Context, root *tree.Root, want Expected, opt Options) (*Sealed, error) {
	src, p, err := open(root, want)
	if err != nil {
		return nil, err
	}
	defer func() { _ = src.Close() }()
	return seal(ctx, src, p, opt.withDefaults())
}

func seal(ctx context.Context, src io.ReaderAt, p *plan, opt Options) (*Sealed, error) {
	limit := opt.MemoryLimit
	if limit == 0 {
		limit = availableMemory() / 2
	}
	if p.size <= limit {
		s, err := sealInMemory(ctx, src, p, opt)
		if !errors.Is(err, errNoMemfd) {
			return s, err
		}
	}
	return sealOnDisk(ctx, src, p, opt)
}

// Name is the file's name beneath the root.
func (s *Sealed) Name() string { return s.name }

// Size is its length in bytes.
func (s *Sealed) Size() int64 { return s.size }

// InMemory says that it is a memfd with Seals, which nobody can write to.
func (s *Sealed) InMemory() bool { return s.memory }

// Path names the descriptor for programs that want a path. It is valid in this
// process, and in those that inherit the descriptor under the same number.
func (s *Sealed) Path() string { return fdPath(int(s.Fd())) }

// WriteTo writes the rest of the file to w.
func (s *Sealed) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{s.File}) }

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// errNoMemfd says that this kernel or its policy gives no sealable memory.
var errNoMemfd = errors.New("no memfd")

func sealInMemory(ctx context.Context, src io.ReaderAt, p *plan, opt Options) (*Sealed, error) {
	fd, err := memfd()
	if err != nil {
		return nil, errors.Join(errNoMemfd, err)
	}
	writer := os.NewFile(uintptr(fd), "memfd:bartizan")
	defer func() { _ = writer.Close() }()
	if err := writer.Truncate(p.size); err != nil {
		return nil, p.unreadable(err)
	}
	if err := fillFrom(ctx, writer, src, p, opt.Workers); err != nil {
		return nil, err
	}
	// EBUSY: somebody else has it mapped for writing. Then it is not handed over.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, Seals); err != nil {
		return nil, fmt.Errorf("%s: sealing the copy in memory: %w", p.name, err)
	}
	if err := checkSeals(fd, p.size); err != nil {
		return nil, p.unreadable(err)
	}
	if err := transfer(ctx, nil, writer, p, opt); err != nil {
		return nil, err
	}
	return handOver(writer, p, true)
}

// memfd makes sealable memory without the right to execute it, where the kernel
// knows of that (6.3).
func memfd() (int, error) {
	fd, err := unix.MemfdCreate("bartizan", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		return unix.MemfdCreate("bartizan", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	return fd, err
}

// checkSeals reads back what holds: the length before the shrink and grow seals
// could have been changed by somebody who found the descriptor.
func checkSeals(fd int, size int64) error {
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if seals&Seals != Seals || st.Size != size {
		return fmt.Errorf("the copy in memory has seals %#x and %d bytes: somebody else changed it", seals, st.Size)
	}
	return nil
}

func sealOnDisk(ctx context.Context, src io.ReaderAt, p *plan, opt Options) (*Sealed, error) {
	writer, err := nameless(opt.TempDir)
	if err != nil {
		return nil, fmt.Errorf("%s: a private copy: %w", p.name, err)
	}
	defer func() { _ = writer.Close() }()
	if err := reserve(writer, p.size); err != nil {
		return nil, fmt.Errorf("%s: a private copy of %d bytes: %w", p.name, p.size, err)
	}
	if err := transfer(ctx, writer, src, p, opt); err != nil {
		return nil, err
	}
	return handOver(writer, p, false)
}

// nameless makes a file without a name in a folder that only this user could
// enter and that is gone again when it returns.
func nameless(dir string) (*os.File, error) {
	private, err := os.MkdirTemp(dir, ".bartizan-")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(private, os.O_RDWR|unix.O_TMPFILE, 0o400)
	if err != nil { // a file system without O_TMPFILE
		path := private + "/copy"
		if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o400); err == nil {
			err = os.Remove(path)
		}
	}
	err = errors.Join(err, os.Remove(private))
	if err != nil && f != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, err
}

// reserve makes sure of the room before anything is written: a full disk is
// found out now, and a file that only pretends to be large does not fill it.
func reserve(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	// Some file systems take all that is left before they say that it is not
	// enough, and a hole of terabytes costs whoever plants it nothing.
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err == nil && fs.Blocks > 0 && uint64(size) > fs.Bavail*uint64(fs.Bsize) {
		return unix.ENOSPC
	}
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case err == nil, errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return nil
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
}

// handOver opens the copy anew, for reading only, so that whoever is given the
// descriptor cannot write through it.
func handOver(writer *os.File, p *plan, memory bool) (*Sealed, error) {
	f, err := os.Open(fdPath(int(writer.Fd())))
	if err != nil {
		return nil, fmt.Errorf("%s: opening the verified copy for reading (is /proc mounted?): %w", p.name, err)
	}
	var a, b unix.Stat_t
	if err := errors.Join(unix.Fstat(int(writer.Fd()), &a), unix.Fstat(int(f.Fd()), &b)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if a.Dev != b.Dev || a.Ino != b.Ino {
		return nil, errors.Join(fmt.Errorf("%s: /proc/self/fd gives another file than the verified copy", p.name), f.Close())
	}
	return &Sealed{File: f, name: p.name, size: p.size, memory: memory}, nil
}
