package oms_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/oms"
)

var shapes = map[string]string{
	"config.json": `{"a": 1}`, "weights/model.safetensors": strings.Repeat("w", 5000), "empty.txt": "", ".hidden": "h",
	"a b/c+d%20(1).txt": "x", "näme/模型 ☃.bin": "y", "name:1:2.txt": "colons", "aa": "1", "a-b": "2", "a/b": "3",
	".git/config": "not signed", ".gitignore": "not signed",
}

func TestRoundTrips(t *testing.T) {
	for _, kind := range []string{"P-256", "P-384", "P-521"} {
		for _, algorithm := range []hashing.Algorithm{hashing.SHA256, hashing.BLAKE2b, hashing.BLAKE3} {
			for _, shards := range []int64{0, 1, 7, 5000, 1 << 40} {
				t.Run(fmt.Sprint(kind, algorithm, shards), func(t *testing.T) {
					dir, key := write(t, shapes), newKey(t, kind)
					raw := sign(t, dir, oms.Options{Algorithm: algorithm, ShardSize: shards}, key)
					trust := oms.KeyTrust{Key: key.Public()}
					if code := verify(t, dir, raw, trust, oms.Policy{}); code != "" {
						t.Fatalf("refused with %s", code)
					}
					if err := os.WriteFile(filepath.Join(dir, "a/b"), []byte("4"), 0o644); err != nil {
						t.Fatal(err)
					}
					if code := verify(t, dir, raw, trust, oms.Policy{}); code != attest.OMSDigestMismatch {
						t.Errorf("changed: %q", code)
					}
				})
			}
		}
	}
}

func TestOneFile(t *testing.T) {
	dir, key := write(t, map[string]string{"m.bin": "abc", "n.bin": "abd"}), newKey(t, "P-256")
	trust := oms.KeyTrust{Key: key.Public()}
	raw := sign(t, filepath.Join(dir, "m.bin"), oms.Options{}, key)
	if code := verify(t, filepath.Join(dir, "m.bin"), raw, trust, oms.Policy{}); code != "" {
		t.Error(code)
	}
	if code := verify(t, filepath.Join(dir, "n.bin"), raw, trust, oms.Policy{}); code != attest.OMSDigestMismatch {
		t.Error(code)
	}
	if code := verify(t, dir, raw, trust, oms.Policy{}); code != attest.OMSNameInvalid {
		t.Error(code)
	}
	folder := sign(t, dir, oms.Options{}, key)
	if code := verify(t, filepath.Join(dir, "m.bin"), folder, trust, oms.Policy{}); code != attest.OMSFileMissing {
		t.Error(code)
	}
}

// Every difference is named, not only the first.
func TestAllDifferences(t *testing.T) {
	dir, key := write(t, map[string]string{"a.json": "1", "b.json": "2", "c.json": "3"}), newKey(t, "P-256")
	raw := sign(t, dir, oms.Options{}, key)
	for name, content := range map[string]string{"a.json": "x", "d.json": "4"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "b.json")); err != nil {
		t.Fatal(err)
	}
	m, err := oms.Authenticate(context.Background(), raw, oms.KeyTrust{Key: key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range attest.Refusals(m.Check(context.Background(), open(t, dir), oms.Policy{})) {
		got = append(got, string(r.Code)+" "+r.Name)
	}
	want := "[OMS_FILE_MISSING b.json OMS_FILE_UNSIGNED d.json OMS_DIGEST_MISMATCH a.json]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIgnoring(t *testing.T) {
	files := map[string]string{
		"model.safetensors": "w", "README.md": "r", "docs/x.png": "p", "ignore-me": "free text\nof some\nlines\n",
		"evil.dat": "cos\nsystem\n(S'id'\ntR.", "evil.md": "PK\x03\x04", "notes": "",
	}
	for _, c := range []struct {
		name                 string
		signer, verifier     []string
		unsigned             bool
		describes, verifying attest.Code
	}{
		{name: "signed whole"},
		{name: "a README", signer: []string{"README.md", "docs"}},
		{name: "free text", signer: []string{"ignore-me"}},
		{name: "weights", signer: []string{"model.safetensors"}, describes: attest.PolicyIgnore},
		{name: "a pickle of protocol 0", signer: []string{"evil.dat"}, describes: attest.PolicyIgnore},
		{name: "an archive by another name", signer: []string{"evil.md"}, describes: attest.PolicyIgnore},
		{name: "a name that leads out", signer: []string{"../x"}, describes: attest.OMSNameEscapesRoot},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, files)
			_, err := oms.Describe(context.Background(), open(t, dir), oms.Options{Ignore: c.signer})
			if attest.CodeOf(err) != c.describes || (err == nil) != (c.describes == "") {
				t.Fatalf("%v, want %q", err, c.describes)
			}
		})
	}
}

// What the signer left out is judged by what is there when it is verified.
func TestIgnoredIsJudgedAgain(t *testing.T) {
	key := newKey(t, "P-256")
	trust := oms.KeyTrust{Key: key.Public()}
	dir := write(t, map[string]string{"model.safetensors": "w", "notes": "text"})
	raw := sign(t, dir, oms.Options{Ignore: []string{"notes", "later"}}, key)
	if code := verify(t, dir, raw, trust, oms.Policy{}); code != "" {
		t.Fatal(code)
	}
	for name, content := range map[string]string{"notes": "\x80\x04N.", "later/x.py": "pass"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path) // one of them was not there
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if code := verify(t, dir, raw, trust, oms.Policy{}); code != attest.PolicyIgnore {
			t.Errorf("%s: %q", name, code)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if before != nil {
			if err := os.WriteFile(path, before, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestPolicy(t *testing.T) {
	key := newKey(t, "P-256")
	trust := oms.KeyTrust{Key: key.Public()}
	dir := write(t, map[string]string{"model.safetensors": "w"})
	raw := sign(t, dir, oms.Options{Algorithm: hashing.BLAKE3}, key)
	add := func(name, content string) func() {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(what string, p oms.Policy, want attest.Code) {
		t.Helper()
		if code := verify(t, dir, raw, trust, p); code != want {
			t.Errorf("%s: %q, want %q", what, code, want)
		}
	}
	check("algorithm", oms.Policy{Algorithms: []hashing.Algorithm{hashing.SHA256}}, attest.PolicyHash)
	remove := add("README.md", "new")
	check("unsigned", oms.Policy{}, attest.OMSFileUnsigned)
	check("unsigned, passed over", oms.Policy{IgnoreUnsigned: true}, "")
	check("unsigned, ignored", oms.Policy{Ignore: []string{"README.md"}}, "")
	check("the bundle", oms.Policy{Bundle: "README.md"}, "")
	remove()
	remove = add("run.py", "new")
	check("unsigned code, passed over", oms.Policy{IgnoreUnsigned: true}, attest.OMSFileUnsigned)
	check("unsigned code, ignored", oms.Policy{Ignore: []string{"run.py"}}, attest.PolicyIgnore)
	check("unsigned code, everything ignored", oms.Policy{Ignore: []string{"."}}, attest.PolicyIgnore)
	remove()
}

func TestMethods(t *testing.T) {
	key, other := newKey(t, "P-256"), newKey(t, "P-256")
	dir := write(t, map[string]string{"m.bin": "x"})
	raw := sign(t, dir, oms.Options{}, key)
	for _, c := range []struct {
		name  string
		raw   []byte
		trust oms.Trust
		code  attest.Code
	}{
		{"its key", raw, oms.KeyTrust{Key: key.Public()}, ""},
		{"another key", raw, oms.KeyTrust{Key: other.Public()}, attest.KeyMismatch},
		{"another key, whose name was put in", []byte(strings.Replace(string(raw), key.Public().Hint(), other.Public().Hint(), 1)), oms.KeyTrust{Key: other.Public()}, attest.DSSESigInvalid},
		{"Ed25519", raw, oms.KeyTrust{Key: newKey(t, "Ed25519").Public()}, attest.KeyMismatch},
	} {
		if code := verify(t, dir, c.raw, c.trust, oms.Policy{}); code != c.code {
			t.Errorf("%s: %q, want %q", c.name, code, c.code)
		}
	}
	edKey := newKey(t, "Ed25519")
	m, err := oms.Describe(context.Background(), open(t, dir), oms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oms.Sign(context.Background(), m, edKey, nil); attest.CodeOf(err) != attest.KeyUnsupported {
		t.Errorf("Ed25519 signs a model: %v", err)
	}
	// A statement that an Ed25519 key signed is no model signature.
	payload := statementOf(t, edKey, `{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://model_signing/signature/v1.0"}`)
	if code := verify(t, dir, payload, oms.KeyTrust{Key: edKey.Public()}, oms.Policy{}); code != attest.KeyUnsupported {
		t.Errorf("Ed25519 verifies a model: %q", code)
	}
}

// CheckTree is all of Check but the digests.
func TestCheckTree(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		shards           int64
		policy           oms.Policy
		tree, all        attest.Code
	}{
		{name: "other bytes", file: "a/b", text: "4", all: attest.OMSDigestMismatch},
		{name: "other bytes of a shard", file: "a/b", text: "4", shards: 1, all: attest.OMSDigestMismatch},
		{name: "other length", file: "a/b", text: "44", shards: 1, tree: attest.OMSDigestMismatch, all: attest.OMSDigestMismatch},
		{name: "another file", file: "new", text: "4", tree: attest.OMSFileUnsigned, all: attest.OMSFileUnsigned},
		{
			name: "a file that may not be ignored", file: "new.pkl", text: "\x80\x04N.", policy: oms.Policy{Ignore: []string{"new.pkl"}},
			tree: attest.PolicyIgnore, all: attest.PolicyIgnore,
		},
		{
			name: "a digest that is not accepted", file: "a/b", text: "3", policy: oms.Policy{Algorithms: []hashing.Algorithm{hashing.BLAKE3}},
			tree: attest.PolicyHash, all: attest.PolicyHash,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, shapes)
			m, err := oms.Describe(t.Context(), open(t, dir), oms.Options{ShardSize: c.shards})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.CheckTree(t.Context(), open(t, dir), oms.Policy{}); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := m.CheckTree(t.Context(), open(t, dir), c.policy); attest.CodeOf(err) != c.tree || c.tree == "" && err != nil {
				t.Errorf("the tree: %v", err)
			}
			if err := m.Check(t.Context(), open(t, dir), c.policy); attest.CodeOf(err) != c.all {
				t.Errorf("all: %v", err)
			}
		})
	}
}
