// Package file opens regular files for examination: small ones are read into a
// buffer that the caller lends, large ones are mapped. It refuses everything
// else (FIFOs, devices, sockets, directories) without blocking on it, and can
// say afterwards whether the file changed in between.
package file

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// MapFrom is the size from which a file is mapped and not read.
const MapFrom = 128 << 10

// ErrNotRegular says that a path is no regular file.
var ErrNotRegular = errors.New("not a regular file")

// File is an opened regular file. It is for one goroutine.
type File struct {
	// Bytes are those of the file, read or mapped; nil where it could not be
	// mapped and must be read through ReadAt.
	Bytes []byte
	// Whole is set where every byte was read on opening.
	Whole  bool
	fd     int
	stat   unix.Stat_t
	mapped []byte
}

// Open opens path. buf is used for the bytes of a small file if it is large
// enough; Bytes are then valid until buf is used again.
func Open(path string, buf []byte) (*File, error) {
	fd, err := openRetry(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := &File{fd: fd}
	if err := f.load(buf); err != nil {
		return nil, errors.Join(&os.PathError{Op: "read", Path: path, Err: err}, f.Close())
	}
	return f, nil
}

// openRetry does not block on a FIFO and does not become anybody's terminal.
func openRetry(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func (f *File) load(buf []byte) error {
	if err := unix.Fstat(f.fd, &f.stat); err != nil {
		return err
	}
	if f.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%w: %s", ErrNotRegular, kindOf(&f.stat))
	}
	size := f.stat.Size
	if size < MapFrom {
		return f.read(buf, int(size))
	}
	mem, err := unix.Mmap(f.fd, 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil // some file systems cannot map: ReadAt reads piece by piece
	}
	f.mapped, f.Bytes = mem, mem
	return nil
}

func (f *File) read(buf []byte, size int) error {
	if len(buf) < size {
		buf = make([]byte, size)
	}
	n, err := readFull(pread(f.fd), buf[:size])
	if err != nil {
		return err
	}
	f.Bytes, f.Whole = buf[:n:n], true
	return nil
}

// Changed says whether the file is no longer what was opened.
func (f *File) Changed() (bool, error) {
	var now unix.Stat_t
	if err := unix.Fstat(f.fd, &now); err != nil {
		return false, err
	}
	return now.Size != f.stat.Size || now.Mtim != f.stat.Mtim || now.Ctim != f.stat.Ctim ||
		(f.Whole && int64(len(f.Bytes)) != now.Size), nil
}

// Size is the size when opened.
func (f *File) Size() int64 { return f.stat.Size }

// Close releases the mapping and the descriptor.
func (f *File) Close() error {
	var err error
	if f.mapped != nil {
		err = unix.Munmap(f.mapped)
		f.mapped = nil
	}
	return errors.Join(err, unix.Close(f.fd))
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return pread(f.fd).ReadAt(p, off) }

// Forget lets the kernel drop mapped pages, so that a long pass over a large
// file does not stay resident; they come back from the page cache when asked for.
func (f *File) Forget(from, to int) {
	page := os.Getpagesize()
	from = (from + page - 1) / page * page
	to = to / page * page
	if from < to && to <= len(f.mapped) {
		if err := unix.Madvise(f.mapped[from:to], unix.MADV_DONTNEED); err != nil {
			return // advice only: the pages stay resident
		}
	}
}

// pread reads from a descriptor at an offset.
type pread int

func (fd pread) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		n, err := unix.Pread(int(fd), p[done:], off+int64(done))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		if n == 0 {
			return done, io.EOF
		}
		done += n
	}
	return done, nil
}

func readFull(r io.ReaderAt, p []byte) (int, error) {
	n, err := r.ReadAt(p, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func kindOf(stat *unix.Stat_t) string {
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return "FIFO"
	case unix.S_IFCHR, unix.S_IFBLK:
		return "device"
	case unix.S_IFSOCK:
		return "socket"
	case unix.S_IFDIR:
		return "directory"
	}
	return "special file"
}
