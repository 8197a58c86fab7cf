package encode

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestCycloneDXExample(t *testing.T) {
	list, end, opt := example()
	list = append(list, list[4]) // the same path named twice
	out := encodeAll(t, "cyclonedx", list, end, opt)
	validate(t, cycloneDXSchema(t), out)
	var doc struct {
		SpecVersion  string
		SerialNumber string
		Components   []struct {
			BOMRef     string `json:"bom-ref"`
			Type, Name string
			Hashes     []struct{ Alg, Content string }
			Properties []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.SpecVersion != "1.6" || len(doc.Components) != 6 {
		t.Fatalf("version %s, %d components", doc.SpecVersion, len(doc.Components))
	}
	if c := doc.Components[0]; c.Type != "machine-learning-model" || c.Name != "a.pt" || len(c.Hashes) != 1 || c.Hashes[0].Alg != "SHA-256" {
		t.Errorf("model: %+v", c)
	}
	if c := doc.Components[2]; c.Type != "file" {
		t.Errorf("what was not recognised is a file: %+v", c)
	}
	verdicts := ""
	refs := map[string]bool{}
	for _, c := range doc.Components {
		if refs[c.BOMRef] {
			t.Errorf("bom-ref %s stands twice", c.BOMRef)
		}
		refs[c.BOMRef] = true
		for _, p := range c.Properties {
			if p.Name == "bartizan:verdict" {
				verdicts += p.Value + " "
			}
		}
	}
	if verdicts != "block clean review review clean clean " {
		t.Errorf("verdicts: %s", verdicts)
	}
	if again := encodeAll(t, "cyclonedx", list, end, opt); !bytes.Equal(out, again) {
		t.Error("the same subjects gave another document")
	}
}

func TestComponentType(t *testing.T) {
	for _, c := range []struct {
		name    string
		formats []string
		want    string
	}{
		{"README.md", []string{"text"}, "file"},
		{"a.npy", []string{"npy"}, "data"},
		{"a.npz", []string{"zip"}, "data"},
		{"a.PT", []string{"zip"}, "machine-learning-model"},
		{"source.zip", []string{"zip"}, "file"},
		{"a.joblib", []string{"zlib"}, "machine-learning-model"},
		{"anything", []string{"gguf", "jinja"}, "machine-learning-model"},
		{"saved_model.pb", []string{"tensorflow-protobuf"}, "machine-learning-model"},
		{"a.pt", nil, "file"},
	} {
		if got := componentType(c.name, c.formats); string(got) != c.want {
			t.Errorf("%s %v: got %s, want %s", c.name, c.formats, got, c.want)
		}
	}
}
