// Package pkcs11 signs with keys that stay in a token: a hardware module, a
// smart card, a cloud key service with a PKCS #11 library, or SoftHSM.
//
// A key is named by its URI (RFC 7512), with the absolute path of the library:
//
//	pkcs11:token=signing;object=release;id=%01?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/secrets/pin
//
// Exactly one token and exactly one private key must fit, an EC key on P-256,
// P-384 or P-521; others are refused with KEY_UNSUPPORTED. The public key is
// read from the token: from the public key object with the same id, else from
// the private key's own attributes, else from a certificate with the same id.
// Each signature is checked with it before it is handed out, so that a token
// whose two halves do not belong together, or that is broken, signs nothing.
//
// The token only ever signs digests (CKM_ECDSA over SHA-256, SHA-384 or SHA-512
// by curve, computed here), which every token can do.
//
// The PIN is in the URI, in the file that pin-source names, or asked for by
// Options.PIN. It is tried once, so that a wrong one does not lock the token,
// and stands in no error and no log. A PIN in the URI is seen by everybody who
// can list processes: prefer pin-source.
//
// Loading a library runs its code, with all that this process may do. Hence its
// path is absolute, may be limited to a list, and a library that other users
// could change is not loaded. What a library does after that is beyond this
// package: it can hang, and it can crash the process.
//
// Tokens are reached through cgo. A build without it has Open too, which says so.
package pkcs11

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Options of Open. The zero value is ready to use.
type Options struct {
	// Modules are the libraries that may be loaded, by absolute path; every one
	// where it is empty.
	Modules []string
	// PIN gives the PIN of a token, by its label, where the URI has none. Where
	// it is nil, a token that wants a PIN is an error.
	PIN func(ctx context.Context, token string) (string, error)
}

const maxPIN = 1024 // bytes; tokens take at most 255

// pin gives the PIN and whether there is one.
func (u *URI) pin(ctx context.Context, token string, opt Options) (string, error) {
	switch {
	case u.hasPIN:
		return u.pinValue, nil
	case u.pinSource != "":
		return u.readPIN()
	case opt.PIN != nil:
		return opt.PIN(ctx, token)
	}
	return "", errors.New("the token wants a PIN: name a file that holds it, &pin-source=/path")
}

// readPIN reads the PIN from its file, without the end of its line.
func (u *URI) readPIN() (string, error) {
	path, err := u.pinFile()
	if err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("pin-source: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("pin-source: %w", err)
	case !info.Mode().IsRegular():
		return "", errors.New("pin-source: no regular file: " + path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxPIN+1))
	if err != nil {
		return "", fmt.Errorf("pin-source: %w", err)
	}
	data = bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	switch {
	case len(data) == 0:
		return "", errors.New("pin-source: the file is empty: " + path)
	case len(data) > maxPIN:
		return "", errors.New("pin-source: no PIN is that long: " + path)
	case bytes.ContainsAny(data, "\n\x00"):
		return "", errors.New("pin-source: more than one line: " + path)
	}
	return string(data), nil
}

// checkModule resolves the library's path and refuses what is not on the list,
// and what others than its owner or root could replace.
func checkModule(path string, allowed []string) (string, error) {
	if len(allowed) > 0 && !slices.Contains(allowed, filepath.Clean(path)) {
		return "", fmt.Errorf("module-path: %s is not among the libraries that may be loaded", path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("module-path: %w", err)
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return "", fmt.Errorf("module-path: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("module-path: no regular file: %s", real)
	}
	for at := real; ; at = filepath.Dir(at) {
		if err := checkOwner(at); err != nil {
			return "", err
		}
		if at == filepath.Dir(at) {
			return real, nil
		}
	}
}

// checkOwner refuses a file or a folder that every user could write to, or that
// belongs to neither root nor the user of this process. In a sticky folder, as
// /tmp is, others cannot replace what is not theirs. Groups are trusted: Debian's
// /usr/local/lib is writable to one.
func checkOwner(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("module-path: %w", err)
	}
	writable := info.Mode().Perm()&0o002 != 0 && !(info.IsDir() && info.Mode()&os.ModeSticky != 0)
	stat, ok := info.Sys().(*syscall.Stat_t)
	foreign := ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid()
	if writable || foreign {
		return fmt.Errorf("module-path: other users can change %s: a library that they could replace is not loaded", path)
	}
	return nil
}
