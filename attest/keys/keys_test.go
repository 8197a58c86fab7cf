package keys_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/keys"
)

func TestRoundTrip(t *testing.T) {
	for _, kind := range keys.Curves() {
		t.Run(kind, func(t *testing.T) {
			key, err := keys.Generate(kind)
			if err != nil {
				t.Fatal(err)
			}
			text, err := key.PEM()
			if err != nil {
				t.Fatal(err)
			}
			again, err := keys.ReadPrivate(text)
			if err != nil {
				t.Fatal(err)
			}
			public, err := keys.ReadPublic(key.Public().PEM())
			if err != nil {
				t.Fatal(err)
			}
			if !public.Equal(again.Public()) || public.Kind() != kind {
				t.Fatalf("kind %s", public.Kind())
			}
			message := []byte("message")
			sig, err := again.Sign(context.Background(), message)
			if err != nil {
				t.Fatal(err)
			}
			if !public.Verify(message, sig) {
				t.Error("its own signature does not verify")
			}
			for i := range sig {
				sig[i] ^= 1
				if public.Verify(message, sig) {
					t.Errorf("verifies with byte %d changed", i)
				}
				sig[i] ^= 1
			}
			if public.Verify([]byte("massage"), sig) || public.Verify(message, nil) || public.Verify(message, append(sig, 0)) {
				t.Error("verifies what was not signed")
			}
		})
	}
}

// openssl writes the files that people have, and checks what is signed here.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED: no openssl on this machine: its key files were NOT read")
	}
	dir := t.TempDir()
	run := func(args ...string) []byte {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), openssl, args...).Output()
		if err != nil {
			t.Fatalf("openssl %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	for _, curve := range []string{"prime256v1", "secp384r1", "secp521r1"} {
		sec1 := run("ecparam", "-name", curve, "-genkey") // with a block of parameters before the key
		key, err := keys.ReadPrivate(sec1)
		if err != nil {
			t.Fatalf("%s: %v", curve, err)
		}
		file := filepath.Join(dir, curve)
		run("ecparam", "-name", curve, "-genkey", "-noout", "-out", file)
		public, err := keys.ReadPublic(run("ec", "-in", file, "-pubout"))
		if err != nil || public.Kind() != key.Public().Kind() {
			t.Errorf("%s: public key: %v", curve, err)
		}
	}
	encrypted := run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes-128-cbc", "-pass", "pass:hunter2")
	if _, err := keys.ReadPrivate(encrypted); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("an encrypted key: %v", err)
	}
	if _, err := keys.ReadPrivate(run("ecparam", "-name", "secp256k1", "-genkey", "-noout")); err == nil {
		t.Error("a key on secp256k1 was read")
	}
}

func TestRefused(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.NewPrivate(rsaKey); attest.CodeOf(err) != attest.KeyUnsupported {
		t.Errorf("RSA: %v", err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.NewPrivate(p224); attest.CodeOf(err) != attest.KeyUnsupported {
		t.Errorf("P-224: %v", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.ReadPublic(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})); attest.CodeOf(err) != attest.KeyUnsupported {
		t.Errorf("RSA, public: %v", err)
	}
	key, err := keys.Generate("P-256")
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public().PEM()
	for name, data := range map[string][]byte{
		"nothing":     nil,
		"no PEM":      []byte("hello"),
		"two keys":    bytes.Repeat(public, 2),
		"a cut block": public[:len(public)/2],
		"other type":  bytes.ReplaceAll(public, []byte("PUBLIC"), []byte("SECRET")),
	} {
		if _, err := keys.ReadPublic(data); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func FuzzReadPublic(f *testing.F) {
	key, err := keys.Generate("P-256")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key.Public().PEM())
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := keys.ReadPublic(data); err == nil {
			p.Verify(data, data)
		}
		if p, err := keys.ReadPrivate(data); err == nil {
			p.Public().Hint()
		}
	})
}
