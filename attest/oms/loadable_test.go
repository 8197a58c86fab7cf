package oms_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest/oms"
)

func TestLoadableNames(t *testing.T) {
	for name, want := range map[string]bool{
		"model.safetensors": true, "a/b/PYTORCH_MODEL.BIN": true, "x.pkl": true, "config.json": true, "run.py": true,
		"tokenizer.model": true, "vocab.txt": true, "variables.data-00000-of-00001": true, "lib.so.1": true, "model": true,
		"chat_template.jinja": true, "model.onnx_data": true, "adapter_config": true, "w.gguf": true, "weights.tar": true,
		"README.md": false, "LICENSE": false, "docs/figure.png": false, "ignore-me": false, "model.sig": false,
		"model.sig.json": false, "model.sigstore.json": false, "shard/123-4.bin": false, "notes.txt": false, "model.md": false,
	} {
		if got := oms.LoadableName(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLoadableBytes(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		want bool
	}{
		"pickle 4":            {"\x80\x04\x95\x00", true},
		"pickle 0":            {"cos\nsystem\n(S'id'\ntR.", true},
		"pickle 0, INST":      {"(S'id'\nios\nsystem\n.", true},
		"pickle 1":            {"cos\nsystem\nq\x00(U\x02idtR.", true},
		"pickle 0, numbers":   {"(I1\nI2\nt.", false},
		"pickle cut off":      {"cos\nsystem\n(S'" + string(make([]byte, 100)), true},
		"persistent id":       {"Pabc\n.", true},
		"zip":                 {"PK\x03\x04", true},
		"gguf":                {"GGUF\x03", true},
		"safetensors":         {"\x10\x00\x00\x00\x00\x00\x00\x00{\"a\"", true},
		"shell":               {"#!/bin/sh\n", true},
		"text":                {"free text\nof some\nlines\n", false},
		"text that begins so": {"code\nname\nmore\n", false},
		"a README":            {"# Title\n\nText.\n", false},
		"JSON":                {`{"a": 1}`, false},
		"nothing":             {"", false},
	} {
		if got := oms.LoadableBytes([]byte(c.head)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Random bytes are rarely taken for something: ignoring data must stay possible.
func TestRandomBytesAreNotLoadable(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{7})
	taken := 0
	b := make([]byte, 512)
	for range 10_000 {
		if _, err := rng.Read(b); err != nil {
			t.Fatal(err)
		}
		if oms.LoadableBytes(b) {
			taken++
		}
	}
	if taken > 100 { // 1 in 100
		t.Errorf("%d of 10,000", taken)
	}
}

// Every malicious pickle of the corpora is seen by its bytes, whatever its name.
func TestCorpusPicklesAreLoadable(t *testing.T) {
	corpora := os.Getenv("BARTIZAN_CORPORA")
	if corpora == "" {
		t.Skip("SKIPPED: BARTIZAN_CORPORA is not set: real pickles were NOT judged")
	}
	malicious := maliciousPickles(t, corpora)
	files := 0
	for archive, members := range malicious {
		eachMember(t, filepath.Join(corpora, "artifact", archive), func(name string, data []byte) {
			if !members[name] {
				return
			}
			files++
			if !oms.LoadableBytes(data[:min(len(data), 64<<10)]) {
				t.Errorf("%s!/%s: %q", archive, name, data[:min(len(data), 40)])
			}
		})
	}
	if files < 100 {
		t.Fatalf("only %d files", files)
	}
	t.Logf("%d files", files)
}

// maliciousPickles gives names by archive.
func maliciousPickles(t *testing.T, corpora string) map[string]map[string]bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(corpora, "artifact", "MANIFEST.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]bool{}
	for line := range bytes.Lines(data) {
		var r struct{ Path, Format, Label string }
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		archive, member, in := strings.Cut(r.Path, "!/")
		if !in || r.Format != "pickle" || r.Label != "malicious" {
			continue
		}
		if out[archive] == nil {
			out[archive] = map[string]bool{}
		}
		out[archive][member] = true
	}
	return out
}

func eachMember(t *testing.T, path string, visit func(name string, data []byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		visit(strings.TrimPrefix(h.Name, "./"), data)
	}
}
