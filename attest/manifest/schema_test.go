package manifest_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"bartizan/attest/manifest"
	"bartizan/attest/manifest/records"
)

// TestSchemas holds the documents against the published schemas.
func TestSchemas(t *testing.T) {
	golden, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	root := open(t, folder(t, sample()))
	files, err := manifest.List(context.Background(), root, manifest.LeaveOut{})
	if err != nil {
		t.Fatal(err)
	}
	read, err := records.ReadListed(context.Background(), root, files, records.Options{})
	if err != nil {
		t.Fatal(err)
	}
	proof, err := records.NewSet(read, nil).Prove("", []byte("9,Zoe"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := proof.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for schema, document := range map[string][]byte{"manifest": golden, "record-proof": raw} {
		compiled, err := jsonschema.NewCompiler().Compile("../../docs/" + schema + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(value); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
	}
}
