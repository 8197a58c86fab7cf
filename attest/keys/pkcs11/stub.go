//go:build !cgo

package pkcs11

import (
	"context"
	"errors"

	"bartizan/attest/keys"
)

// Available says whether this build can reach tokens.
const Available = false

// Key is a private key in a token. This build has none.
type Key struct{}

// Open fails: this build has no cgo.
func Open(_ context.Context, uri string, _ Options) (*Key, error) {
	if _, err := ParseURI(uri); err != nil {
		return nil, err
	}
	return nil, errors.New("this build has no PKCS#11: tokens are reached through a C library; build with CGO_ENABLED=1 and a C compiler")
}

// Public implements keys.Signer.
func (*Key) Public() *keys.Public { return nil }

// Sign implements keys.Signer.
func (*Key) Sign(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("this build has no PKCS#11")
}

// Close has nothing to do.
func (*Key) Close() error { return nil }
