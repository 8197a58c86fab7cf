package keyless_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/keyless"
	box "bartizan/attest/keyless/keylesstest"
)

// leaf is a value in a document with the way to it.
type leaf struct {
	path string
	text string
}

// leaves lists every string in a document.
func leaves(at any, path string) []leaf {
	var out []leaf
	switch at := at.(type) {
	case box.Doc:
		for name, v := range at {
			out = append(out, leaves(v, path+"/"+name)...)
		}
	case []any:
		for i, v := range at {
			out = append(out, leaves(v, fmt.Sprint(path, "/", i))...)
		}
	case string:
		out = append(out, leaf{strings.TrimPrefix(path, "/"), at})
	}
	return out
}

func parsed(t testing.TB, raw []byte) box.Doc {
	t.Helper()
	var d box.Doc
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestMutation changes one bit of each value of each fixture, at many places.
// None may be accepted as something else: where a part that nobody signs was
// changed (the wrapping of a timestamp, the name in a line of a checkpoint), all
// that was proven is still the same.
func TestMutation(t *testing.T) {
	policy, rng, tried, passed := fixturePolicy(t), rand.New(rand.NewPCG(4, 11)), 0, map[string]int{}
	for name := range fixtures() {
		raw := fixture(t, name)
		honest, err := keyless.VerifyArtifact(context.Background(), raw, bytes.NewReader(artifact), policy)
		if err != nil {
			t.Fatal(err)
		}
		step := 7
		if testing.Short() {
			step = 101
		}
		for _, l := range leaves(parsed(t, raw), "") {
			data, err := base64.StdEncoding.DecodeString(l.text)
			binary := err == nil && len(data) > 8
			if !binary {
				data = []byte(l.text)
			}
			for i := rng.IntN(step); i < len(data); i += step {
				changed := bytes.Clone(data)
				changed[i] ^= 1 << rng.IntN(8)
				d := parsed(t, raw)
				if binary {
					set(d, l.path, changed)
				} else {
					set(d, l.path, string(changed))
				}
				tried++
				r, err := keyless.VerifyArtifact(context.Background(), box.JSON(d), bytes.NewReader(artifact), policy)
				if err != nil {
					if attest.CodeOf(err) == "" {
						t.Errorf("%s: %s at %d: no refusal: %v", name, l.path, i, err)
					}
					continue
				}
				if !reflect.DeepEqual(r, honest) {
					t.Errorf("%s: %s at %d: proves something else:\n%+v\n%+v", name, l.path, i, r, honest)
				}
				passed[l.path]++
			}
		}
	}
	for path := range passed {
		if path != token0 && path != entry0+checkpoint {
			t.Errorf("%s: %d changes made no difference", path, passed[path])
		}
	}
	t.Logf("%d changes, of parts that nobody signs: %v", tried, passed)
}

// FuzzBundle wants no bytes to be accepted as anything that was not signed.
func FuzzBundle(f *testing.F) {
	policy := fixturePolicy(f)
	signers := map[string]bool{}
	for name := range fixtures() {
		raw := fixture(f, name)
		r, err := keyless.VerifyArtifact(context.Background(), raw, bytes.NewReader(artifact), policy)
		if err != nil {
			f.Fatal(err)
		}
		signers[r.Fingerprint] = true
		f.Add(raw)
	}
	f.Add(fixture(f, "managed.json"))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":null}`))
	f.Add(bytes.Repeat([]byte("["), 1000))
	key := keyless.Key{PEM: fixture(f, "key.pub"), TrustedRoot: policy.TrustedRoot}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, who := range []keyless.Trust{policy, key} {
			r, err := keyless.VerifyArtifact(context.Background(), raw, bytes.NewReader(artifact), who)
			switch {
			case err != nil && (r != nil || attest.CodeOf(err) == ""):
				t.Fatalf("no refusal: %v", err)
			case err == nil && !r.Key && (!signers[r.Fingerprint] || r.Identity != box.Identity || len(r.Times) == 0):
				t.Fatalf("accepted: %+v", r)
			case err == nil && (r.SHA256 != hexOf(artifact) || len(r.Entries) == 0):
				t.Fatalf("accepted: %+v", r)
			}
		}
	})
}

// FuzzTrustedRoot wants no trusted root to break anything.
func FuzzTrustedRoot(f *testing.F) {
	raw := fixture(f, "message-v03.json")
	f.Add(fixture(f, "trusted_root.json"))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[null],"certificateAuthorities":[{}]}`))
	f.Fuzz(func(t *testing.T, root []byte) {
		_, err := keyless.VerifyArtifact(context.Background(), raw, bytes.NewReader(artifact), keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: append([]byte{}, root...)})
		if err != nil && attest.CodeOf(err) == "" {
			t.Fatalf("no refusal: %v", err)
		}
	})
}
