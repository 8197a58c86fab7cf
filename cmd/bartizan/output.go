package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// output is where a report goes: standard output, or a file that appears whole
// or not at all. Until then the report is gathered in a nameless temporary
// file, so that a scan of the folder in which it will lie does not meet it.
type output struct {
	io.Writer
	spool  *os.File
	buf    *bufio.Writer
	target string
}

// openOutput checks the target before anything is scanned.
func openOutput(path string, stdout io.Writer) (*output, error) {
	if path == "" || path == "-" {
		return &output{Writer: stdout}, nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays a link
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, usagef("--output %s: is a folder: name a file in it", path)
	case err == nil && !info.Mode().IsRegular(): // a pipe, /dev/null
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, usagef("--output: %w", err)
		}
		return &output{Writer: f}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, usagef("--output: %w", err)
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, usagef("--output %s: its folder is missing: make it first: %w", path, err)
	} else if !dir.IsDir() {
		return nil, usagef("--output %s: %s is not a folder", path, filepath.Dir(path))
	}
	if err := unix.Access(filepath.Dir(path), unix.W_OK); err != nil {
		return nil, usagef("--output %s: its folder cannot be written to: %w", path, err)
	}
	spool, err := os.CreateTemp("", "bartizan-report-")
	if err != nil {
		return nil, fmt.Errorf("temporary file for the report: %w", err)
	}
	if err := os.Remove(spool.Name()); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	buf := bufio.NewWriterSize(spool, 1<<16)
	return &output{Writer: buf, spool: spool, buf: buf, target: path}, nil
}

// commit puts the file in place: written beside the target, synced, renamed.
func (o *output) commit() error {
	if o.spool == nil {
		return nil
	}
	defer o.discard()
	if err := o.buf.Flush(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := o.spool.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	mode := fs.FileMode(0o666)
	if info, err := os.Stat(o.target); err == nil {
		mode = info.Mode().Perm()
	}
	if err := copyWhole(o.target, o.spool, mode); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}

// discard forgets what was gathered.
func (o *output) discard() {
	if o.spool != nil {
		_ = o.spool.Close() // nameless: closing it frees it
		o.spool = nil
	}
}
