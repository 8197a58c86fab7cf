//go:build cgo

package pkcs11

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bartizan/attest"
	"bartizan/attest/keys"

	p11 "github.com/miekg/pkcs11"
)

const (
	label = "bartizan test"
	pin   = "hunter2-7391"
)

// newToken makes a token of SoftHSM in a folder of its own, and gives the
// library. Without SoftHSM the test is skipped.
func newToken(t *testing.T) string {
	t.Helper()
	library := ""
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			library = path
			break
		}
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil || library == "" {
		t.Skip("SKIPPED: no softhsm2 here: PKCS #11 was NOT tested against a token; tools/deps installs it")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	softhsm(t, "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", pin)
	return library
}

func softhsm(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("softhsm2-util", args...).CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util %v: %v\n%s", args, err, out)
	}
}

// importKey puts a new key of the curve into the token, both halves.
func importKey(t *testing.T, curve elliptic.Curve, id, object string) *ecdsa.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	softhsm(t, "--import", path, "--token", label, "--pin", pin, "--id", id, "--label", object)
	return &key.PublicKey
}

func uriOf(library, object string) string {
	return fmt.Sprintf("pkcs11:token=bartizan%%20test;object=%s;type=private?module-path=%s&pin-value=%s", object, library, pin)
}

func TestSign(t *testing.T) {
	library := newToken(t)
	ctx := context.Background()
	for i, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		name := curve.Params().Name
		t.Run(name, func(t *testing.T) {
			want := importKey(t, curve, fmt.Sprintf("0%d", i+1), name)
			key, err := Open(ctx, uriOf(library, name), Options{Modules: []string{library}})
			if err != nil {
				t.Fatal(err)
			}
			if !want.Equal(key.Public().Crypto()) || key.Public().Kind() != name {
				t.Errorf("the public key is another: %s", key.Public().PEM())
			}
			for n := range 20 { // r and s with leading zeros among them
				message := fmt.Appendf(nil, "message %d", n)
				sig, err := key.Sign(ctx, message)
				if err != nil {
					t.Fatal(err)
				}
				if !key.Public().Verify(message, sig) || key.Public().Verify([]byte("other"), sig) {
					t.Errorf("signature %x is wrong", sig)
				}
			}
			if err := key.Close(); err != nil {
				t.Error(err)
			}
			if err := key.Close(); err != nil {
				t.Errorf("closed twice: %v", err)
			}
			if _, err := key.Sign(ctx, nil); err == nil {
				t.Error("a closed key signs")
			}
		})
	}
}

func TestSignFromManyGoroutines(t *testing.T) {
	library := newToken(t)
	importKey(t, elliptic.P256(), "01", "k")
	key, err := Open(context.Background(), uriOf(library, "k"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	second, err := Open(context.Background(), uriOf(library, "k"), Options{}) // logged in already
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			k := []*Key{key, second}[i%2]
			if sig, err := k.Sign(context.Background(), []byte{byte(i)}); err != nil || !k.Public().Verify([]byte{byte(i)}, sig) {
				t.Errorf("signature %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

func TestOpenRefuses(t *testing.T) {
	library := newToken(t)
	importKey(t, elliptic.P256(), "01", "one")
	importKey(t, elliptic.P256(), "02", "twin")
	importKey(t, elliptic.P256(), "03", "twin")
	tail := "?module-path=" + library
	withPIN := tail + "&pin-value=" + pin
	for name, c := range map[string]struct{ uri, want string }{
		"another token":    {"pkcs11:token=other;object=one" + withPIN, `no token fits pkcs11:token=other;object=one: the library has the tokens ["bartizan test"]`},
		"another serial":   {"pkcs11:serial=0;object=one" + withPIN, "no token fits"},
		"another slot":     {"pkcs11:slot-id=99;object=one" + withPIN, "no token fits"},
		"another library":  {"pkcs11:library-manufacturer=x;object=one" + withPIN, "not the one"},
		"another version":  {"pkcs11:library-version=9.1;object=one" + withPIN, "not the one"},
		"no such object":   {"pkcs11:token=bartizan%20test;object=none" + withPIN, "no private key"},
		"no such id":       {"pkcs11:token=bartizan%20test;id=%09" + withPIN, "no private key"},
		"id of another":    {"pkcs11:token=bartizan%20test;object=one;id=%02" + withPIN, "no private key"},
		"two objects":      {"pkcs11:token=bartizan%20test;object=twin" + withPIN, "several private keys"},
		"no PIN":           {"pkcs11:token=bartizan%20test;object=one" + tail, "wants a PIN"},
		"wrong PIN":        {"pkcs11:token=bartizan%20test;object=one" + tail + "&pin-value=hunter2-0000", "does not take the PIN"},
		"empty PIN":        {"pkcs11:token=bartizan%20test;object=one" + tail + "&pin-value=", "login to the token"},
		"no such module":   {"pkcs11:object=one?module-path=/nonexistent/x.so", "no such file"},
		"module no module": {"pkcs11:object=one?module-path=/etc/hostname", "no PKCS #11 library"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := Open(context.Background(), c.uri, Options{})
			if err == nil {
				key.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error about %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || attest.CodeOf(err) != "") {
				t.Errorf("the error shows the PIN or has a code: %v", err)
			}
		})
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(canceled, uriOf(library, "one"), Options{}); err == nil {
		t.Error("a canceled context opens a token")
	}
	key, err := Open(context.Background(), "pkcs11:object=twin;id=%03;library-manufacturer=SoftHSM"+tail,
		Options{PIN: func(_ context.Context, token string) (string, error) {
			if token != label {
				t.Errorf("PIN asked for %q", token)
			}
			return pin, nil
		}})
	if err != nil {
		t.Fatalf("after all that was refused: %v", err)
	}
	key.Close()
}

// inside gives a session that may write, for tests that need objects which
// softhsm2-util does not make.
func inside(t *testing.T, library string, do func(m *p11.Ctx, s p11.SessionHandle)) {
	t.Helper()
	m := p11.New(library)
	defer m.Destroy()
	must(t, m.Initialize())
	defer m.Finalize()
	slots, err := m.GetSlotList(true)
	must(t, err)
	s, err := m.OpenSession(slots[0], p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION)
	must(t, err)
	must(t, m.Login(s, p11.CKU_USER, pin))
	do(m, s)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func generate(t *testing.T, m *p11.Ctx, s p11.SessionHandle, mechanism uint, name string, publicID, privateID byte, more ...*p11.Attribute) {
	t.Helper()
	public := append([]*p11.Attribute{p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_ID, []byte{publicID})}, more...)
	_, _, err := m.GenerateKeyPair(s, []*p11.Mechanism{p11.NewMechanism(mechanism, nil)}, public,
		[]*p11.Attribute{p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_ID, []byte{privateID}), p11.NewAttribute(p11.CKA_LABEL, name), p11.NewAttribute(p11.CKA_SIGN, true)})
	must(t, err)
}

func TestKeysThatCannotSignHere(t *testing.T) {
	library := newToken(t)
	p256 := p11.NewAttribute(p11.CKA_EC_PARAMS, []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})
	inside(t, library, func(m *p11.Ctx, s p11.SessionHandle) {
		generate(t, m, s, p11.CKM_RSA_PKCS_KEY_PAIR_GEN, "rsa", 1, 1, p11.NewAttribute(p11.CKA_MODULUS_BITS, 2048))
		generate(t, m, s, p11.CKM_EC_KEY_PAIR_GEN, "secp256k1", 2, 2, p11.NewAttribute(p11.CKA_EC_PARAMS, []byte{6, 5, 0x2b, 0x81, 4, 0, 10}))
		generate(t, m, s, p11.CKM_EC_KEY_PAIR_GEN, "lonely", 4, 3, p256)
		generate(t, m, s, p11.CKM_EC_KEY_PAIR_GEN, "crossed", 6, 5, p256) // its id is that of the public key of the next
		generate(t, m, s, p11.CKM_EC_KEY_PAIR_GEN, "next", 5, 7, p256)
		generate(t, m, s, p11.CKM_EC_KEY_PAIR_GEN, "good", 8, 8, p256)
	})
	for name, want := range map[string]string{"rsa": "KEY_UNSUPPORTED", "secp256k1": "KEY_UNSUPPORTED", "lonely": "no public key and no certificate"} {
		key, err := Open(context.Background(), uriOf(library, name), Options{})
		if err == nil {
			key.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	for name, fails := range map[string]bool{"crossed": true, "good": false} {
		key, err := Open(context.Background(), uriOf(library, name), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = key.Sign(context.Background(), []byte("m"))
		if (err != nil) != fails || fails && !strings.Contains(err.Error(), "do not belong together") {
			t.Errorf("%s: %v", name, err)
		}
		key.Close()
	}
}

func TestPublicKeyFromCertificate(t *testing.T) {
	library := newToken(t)
	public := importKey(t, elliptic.P384(), "01", "k")
	der := selfSigned(t, public)
	inside(t, library, func(m *p11.Ctx, s p11.SessionHandle) {
		must(t, m.FindObjectsInit(s, []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, p11.CKO_PUBLIC_KEY)}))
		found, _, err := m.FindObjects(s, 1)
		must(t, err)
		must(t, m.FindObjectsFinal(s))
		must(t, m.DestroyObject(s, found[0]))
		_, err = m.CreateObject(s, []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, p11.CKO_CERTIFICATE), p11.NewAttribute(p11.CKA_CERTIFICATE_TYPE, p11.CKC_X_509),
			p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_ID, []byte{1}), p11.NewAttribute(p11.CKA_SUBJECT, []byte("x")), p11.NewAttribute(p11.CKA_VALUE, der)})
		must(t, err)
	})
	var signer keys.Signer
	key, err := Open(context.Background(), uriOf(library, "k"), Options{})
	must(t, err)
	defer key.Close()
	signer = key
	if !public.Equal(signer.Public().Crypto()) {
		t.Error("another public key")
	}
	if _, err := signer.Sign(context.Background(), []byte("m")); err != nil {
		t.Error(err)
	}
}

// selfSigned makes a certificate over a public key whose private half is in the token.
func selfSigned(t *testing.T, public *ecdsa.PublicKey) []byte {
	t.Helper()
	issuer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, issuer)
	must(t, err)
	return der
}
