package manifest_test

import (
	"context"
	"testing"

	"bartizan/attest/hashing"
	"bartizan/attest/manifest"
	"bartizan/attest/oms"
)

// TestRootIsThatOfModelSigning: a bundle and a manifest over the same files name
// them by the same digest.
func TestRootIsThatOfModelSigning(t *testing.T) {
	dir := folder(t, sample())
	m := create(t, dir, manifest.Options{})
	signed, err := oms.Describe(context.Background(), open(t, dir), oms.Options{Name: "x", Algorithm: hashing.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	if [32]byte(signed.Root[:]) != [32]byte(m.Root) {
		t.Errorf("%x, and the manifest has %s", signed.Root, m.Root)
	}
}
