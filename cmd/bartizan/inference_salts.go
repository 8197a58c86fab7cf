package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"bartizan/attest/inference"
)

// saltFile keeps salts, one a line.
type saltFile struct {
	f    *os.File
	made bool // it was not there before
}

// openSalts opens the file for adding. Nil: there is none. A file that others
// can read, a link, or what is no file, is refused: salts are secrets.
func openSalts(path string) (*saltFile, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // documented
	}
	const flags = os.O_RDWR | os.O_APPEND | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(path, flags, 0)
	made := errors.Is(err, fs.ErrNotExist)
	if made {
		f, err = os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("--salts %s: is a symbolic link: name the file itself", path)
	}
	if err != nil {
		return nil, fmt.Errorf("--salts: %w", err)
	}
	s := &saltFile{f, made}
	if err := errors.Join(s.private(), s.salts()); err != nil {
		return nil, errors.Join(err, s.discard())
	}
	return s, nil
}

// salts refuses a file of something else, such as a key, and ends a line that a
// crash has left unfinished.
func (s *saltFile) salts() error {
	head := make([]byte, 1<<10)
	n, err := s.f.ReadAt(head, 0)
	if n == 0 && err == io.EOF {
		return nil
	}
	if err != nil && err != io.EOF {
		return fmt.Errorf("--salts: %w", err)
	}
	line, _, whole := bytes.Cut(head[:n], []byte("\n"))
	if _, err := inference.ParseSalt(line); err != nil && (whole || !bytes.HasPrefix(line, []byte(`{"salt":"`))) {
		return fmt.Errorf("--salts %s: is no file of salts: name another, or a new one", s.f.Name())
	}
	end, err := s.f.Seek(-1, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("--salts: %w", err)
	}
	last := make([]byte, 1)
	if _, err := s.f.ReadAt(last, end); err != nil {
		return fmt.Errorf("--salts: %w", err)
	}
	if last[0] != '\n' {
		_, err = s.f.Write([]byte("\n"))
	}
	return err
}

// is says whether the path names this file.
func (s *saltFile) is(path string) bool {
	if s == nil {
		return false
	}
	other, err := os.Stat(path)
	if err != nil {
		return false
	}
	own, err := s.f.Stat()
	return err == nil && os.SameFile(own, other)
}

func (s *saltFile) private() error {
	info, err := s.f.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("--salts: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("--salts %s: is not a regular file", s.f.Name())
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("--salts %s: others than its owner may use it (mode %04o): chmod 600 it, and think of its salts as known", s.f.Name(), info.Mode().Perm())
	}
	return nil
}

// discard closes a file that nothing was added to, and removes it where it is new.
func (s *saltFile) discard() error {
	if s == nil {
		return nil
	}
	err := s.f.Close()
	if s.made {
		err = errors.Join(err, os.Remove(s.f.Name()))
	}
	return err
}

func (s *saltFile) add() (inference.Salt, error) {
	if s == nil {
		return inference.Salt{}, errors.New("the content is personal: say with --salts FILE where its salt goes")
	}
	salt, err := inference.NewSalt()
	if err != nil {
		return salt, err
	}
	// At once: a salt that is lost with the process erases what it was for.
	if _, err := s.f.Write(append(salt.Line(), '\n')); err != nil {
		return salt, fmt.Errorf("--salts: %w", err)
	}
	return salt, nil
}

func (s *saltFile) close() error {
	if s == nil {
		return nil
	}
	if err := errors.Join(s.f.Sync(), s.f.Close()); err != nil {
		return fmt.Errorf("--salts: %w", err)
	}
	return nil
}
