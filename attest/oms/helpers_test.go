package oms_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"bartizan/attest"
	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
)

// write makes a folder with files, "/" at the end for a folder.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t testing.TB, path string) *tree.Root {
	t.Helper()
	root, err := tree.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return root
}

func newKey(t testing.TB, kind string) *keys.Private {
	t.Helper()
	key, err := keys.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign signs a folder and gives the bundle.
func sign(t testing.TB, path string, opt oms.Options, key *keys.Private, chain ...*x509.Certificate) []byte {
	t.Helper()
	m, err := oms.Describe(context.Background(), open(t, path), opt)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := oms.Sign(context.Background(), m, key, chain)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// verify gives the code of the refusal, "" for none, and fails on failures.
func verify(t testing.TB, path string, raw []byte, trust oms.Trust, p oms.Policy) attest.Code {
	t.Helper()
	m, err := oms.Authenticate(context.Background(), raw, trust)
	if err == nil {
		err = m.Check(context.Background(), open(t, path), p)
	}
	if err != nil && attest.CodeOf(err) == "" {
		t.Fatal(err)
	}
	return attest.CodeOf(err)
}

// statementOf makes a bundle of any payload with a good key.
func statementOf(t testing.TB, key *keys.Private, payload any) []byte {
	t.Helper()
	text, ok := payload.(string)
	if !ok {
		data, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	raw, err := oms.SignStatement(context.Background(), []byte(text), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
