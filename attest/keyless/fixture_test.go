package keyless_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"bartizan/attest/keyless"
	box "bartizan/attest/keyless/keylesstest"
)

var update = flag.Bool("update", false, "make testdata anew, with new keys")

// fixtures are bundles of one box that stay: the keys are thrown away.
func fixtures() map[string]box.Plan {
	return map[string]box.Plan{
		"message-v01.json":       {MediaType: box.V01},
		"message-v02.json":       {MediaType: box.V02},
		"message-v03.json":       {Stamps: stamped},
		"statement.json":         {Payload: box.Statement(artifact)},
		"statement-intoto.json":  {Payload: box.Statement(artifact), MediaType: box.V02, Log: "intoto/0.0.2"},
		"rekor2-message.json":    v2(),
		"rekor2-statement.json":  v2Statement("hashedrekord/0.0.2"),
		"rekor2-dsse-entry.json": v2Statement("dsse/0.0.2"),
	}
}

// TestFixtures wants what was signed once accepted for ever.
func TestFixtures(t *testing.T) {
	if *update {
		b := box.New()
		files := map[string][]byte{"artifact": artifact, "trusted_root.json": box.JSON(b.TrustedRoot())}
		for name, p := range fixtures() {
			p.Artifact = artifact
			files[name] = box.JSON(b.Sign(p).Bundle)
		}
		managed := b.Sign(box.Plan{Artifact: artifact, Managed: true})
		files["managed.json"], files["key.pub"] = box.JSON(managed.Bundle), managed.Public
		for name, data := range files {
			if err := os.WriteFile(filepath.Join("testdata", name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name := range fixtures() {
		r, err := keyless.VerifyArtifact(context.Background(), fixture(t, name), bytes.NewReader(fixture(t, "artifact")), fixturePolicy(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if r.SHA256 != hexOf(artifact) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	key := keyless.Key{PEM: fixture(t, "key.pub"), TrustedRoot: fixture(t, "trusted_root.json")}
	if _, err := keyless.VerifyArtifact(context.Background(), fixture(t, "managed.json"), bytes.NewReader(artifact), key); err != nil {
		t.Error(err)
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fixturePolicy(t testing.TB) keyless.Policy {
	return keyless.Policy{Identity: box.Identity, Issuer: box.Issuer, TrustedRoot: fixture(t, "trusted_root.json")}
}

func BenchmarkVerify(b *testing.B) {
	policy := fixturePolicy(b)
	for _, name := range []string{"message-v03.json", "statement.json", "rekor2-message.json"} {
		raw := fixture(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := keyless.VerifyArtifact(context.Background(), raw, bytes.NewReader(artifact), policy); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
