//go:build cgo

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"bartizan/attest"
	"bartizan/attest/keys"

	p11 "github.com/miekg/pkcs11"
)

// Available says whether this build can reach tokens.
const Available = true

// Key is a private key in a token, with a session of its own. It is a
// keys.Signer, safe for several goroutines (they take turns), and must be closed.
type Key struct {
	mu      sync.Mutex
	token   *token
	handle  p11.ObjectHandle
	public  *keys.Public
	confirm string // the PIN, kept only where the token wants it for each signature
	always  bool   // CKA_ALWAYS_AUTHENTICATE
}

// Open loads the library, logs in and finds the key that uri names. A key of a
// kind that cannot sign here is refused with KEY_UNSUPPORTED; everything else
// that is wrong is an error without a code. Nothing stays open where it fails.
//
// A library knows one initialisation a process: of two keys open at once in one
// library, close the one opened first last.
func Open(ctx context.Context, uri string, opt Options) (*Key, error) {
	u, err := ParseURI(uri)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := checkModule(u.ModulePath, opt.Modules)
	if err != nil {
		return nil, err
	}
	t, err := openToken(u, path)
	if err != nil {
		return nil, err
	}
	key, err := t.key(ctx, u, opt)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return key, nil
}

// key logs in and finds the key.
func (t *token) key(ctx context.Context, u *URI, opt Options) (*Key, error) {
	pin, err := t.login(ctx, u, opt)
	if err != nil {
		return nil, err
	}
	handle, err := t.findPrivate(u)
	if err != nil {
		return nil, err
	}
	public, err := t.publicOf(handle)
	if err != nil {
		return nil, err
	}
	key := &Key{token: t, handle: handle, public: public}
	if always, _ := t.attribute(handle, p11.CKA_ALWAYS_AUTHENTICATE); isTrue(always) {
		key.always, key.confirm = true, pin
	}
	return key, nil
}

// Public implements keys.Signer.
func (k *Key) Public() *keys.Public { return k.public }

// Sign implements keys.Signer: ASN.1 DER over the digest of the curve. It does
// not return before the token does; ctx is looked at before.
func (k *Key) Sign(ctx context.Context, message []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if k.token == nil {
		return nil, errors.New("the key in the token is closed")
	}
	h := k.public.Hash().New()
	h.Write(message)
	raw, err := k.signDigest(h.Sum(nil))
	if err != nil {
		return nil, err
	}
	sig, err := encodeSignature(raw)
	if err != nil {
		return nil, err
	}
	if !k.public.Verify(message, sig) {
		return nil, errors.New("the token's signature does not fit the token's public key: the two objects do not belong together, or the token is broken")
	}
	return sig, nil
}

func (k *Key) signDigest(digest []byte) ([]byte, error) {
	t := k.token
	if err := t.module.SignInit(t.session, []*p11.Mechanism{p11.NewMechanism(p11.CKM_ECDSA, nil)}, k.handle); err != nil {
		return nil, fmt.Errorf("the token does not sign with this key: %w", err)
	}
	if k.always {
		if err := t.module.Login(t.session, p11.CKU_CONTEXT_SPECIFIC, k.confirm); err != nil {
			return nil, fmt.Errorf("the token wants the PIN for each signature, and did not take it: %w", err)
		}
	}
	raw, err := t.module.Sign(t.session, digest)
	if err != nil {
		return nil, fmt.Errorf("the token did not sign: %w", err)
	}
	return raw, nil
}

// Close ends the session and unloads the library. A second call does nothing.
func (k *Key) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.token == nil {
		return nil
	}
	t := k.token
	k.token, k.confirm = nil, ""
	return t.close()
}

// The signer is what the rest of the project knows.
var _ keys.Signer = (*Key)(nil)

// unsupported refuses a key in the token.
func unsupported(format string, args ...any) error {
	return attest.Refuse(attest.KeyUnsupported, "", "the key in the token: "+format, args...)
}
