package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"bartizan/record/lineage"
)

// writeWhole writes a file that appears whole or not at all: written beside the
// target, synced, renamed. A file that is there keeps its mode.
func writeWhole(path string, data []byte, mode fs.FileMode) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays a link
	}
	if info, err := os.Stat(path); err == nil {
		switch {
		case info.IsDir():
			return fmt.Errorf("%s: is a folder: name a file in it", path)
		case !info.Mode().IsRegular(): // a pipe, /dev/stdout: there is nothing to replace
			return os.WriteFile(path, data, mode)
		}
		mode = info.Mode().Perm()
	}
	return copyWhole(path, bytes.NewReader(data), mode)
}

// kind of file that a verb writes, by how it begins.
type outputKind struct {
	name string
	is   func(head []byte) bool
}

// The kinds that may be written anew. Whatever else a path names by mistake (the
// key, the weights, a log) is left alone.
var (
	kindBundle   = outputKind{"bundle", func(head []byte) bool { return bytes.Contains(head, []byte("application/vnd.dev.sigstore.bundle")) }}
	kindManifest = outputKind{"manifest or proof", func(head []byte) bool { return bytes.Contains(head, []byte(`"bartizan.`)) }}
	kindState    = outputKind{"state of an earlier signature", func(head []byte) bool { return bytes.Contains(head, []byte(`"bartizan.sign-state/`)) }}
	kindEnvelope = outputKind{"certificate or proof", func(head []byte) bool {
		log := bytes.Contains(head, []byte("\n{")) // of a line an entry: never written here
		return !log && (bytes.Contains(head, []byte(`"payloadType"`)) || kindManifest.is(head))
	}}
	kindGraph = outputKind{"lineage graph", lineage.IsGraph}
	kindRows  = outputKind{"list of rows", func(head []byte) bool { return bytes.HasPrefix(head, []byte("{")) }}
)

// mayReplace says before any work is done whether a path can be written: it is
// not there, is empty, is a pipe or device, or holds what the verb writes.
func mayReplace(flag, path string, kind outputKind) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", flag, err)
	case info.IsDir():
		return usagef("%s %s: is a folder: name a file in it", flag, path)
	case !info.Mode().IsRegular() || info.Size() == 0:
		return nil
	}
	head, err := ends(path, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	if !kind.is(head) || bytes.Contains(head, []byte("PRIVATE KEY-----")) {
		return usagef("%s %s: is there, and is no %s: nothing was written; remove it first if you mean it", flag, path, kind.name)
	}
	return nil
}

// ends gives the beginning of a file and its end: canonical JSON has the name of
// its schema behind long lists.
func ends(path string, size int64) ([]byte, error) {
	const enough = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 2*enough)
	n, err := f.ReadAt(b[:enough], 0)
	m := 0
	if (err == nil || err == io.EOF) && size > enough {
		m, err = f.ReadAt(b[n:n+enough], max(enough, size-enough))
	}
	if err == io.EOF {
		err = nil
	}
	return b[:n+m], errors.Join(err, f.Close())
}

// writeNew is writeWhole for a file that must not be there yet, such as a key.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	beside, err := writeBeside(path, bytes.NewReader(data), mode)
	if err != nil {
		return err
	}
	err = os.Link(beside, path) // fails where the target is there, unlike a rename
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s: is there already: move it away first, or choose another name", path)
	}
	if err = errors.Join(err, os.Remove(beside)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func copyWhole(path string, src io.Reader, mode fs.FileMode) error {
	beside, err := writeBeside(path, src, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(beside, path); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	return syncFolder(filepath.Dir(path))
}

// writeBeside gives the name of a new, synced file next to path.
func writeBeside(path string, src io.Reader, mode fs.FileMode) (string, error) {
	var salt [8]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return "", err
	}
	beside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+hex.EncodeToString(salt[:]))
	f, err := os.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, src)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(beside))
	}
	return beside, nil
}

// syncFolder makes the new name durable. Some file systems cannot sync folders;
// the file itself is then as safe as they make it.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return nil // a folder that may be written to and not read
	}
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
