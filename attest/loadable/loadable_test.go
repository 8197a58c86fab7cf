package loadable_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest/loadable"
)

func TestLoadableNames(t *testing.T) {
	for name, want := range map[string]bool{
		"model.safetensors": true, "a/b/PYTORCH_MODEL.BIN": true, "x.pkl": true, "config.json": true, "run.py": true,
		"tokenizer.model": true, "vocab.txt": true, "variables.data-00000-of-00001": true, "lib.so.1": true, "model": true,
		"chat_template.jinja": true, "model.onnx_data": true, "adapter_config": true, "w.gguf": true, "weights.tar": true,
		"README.md": false, "LICENSE": false, "docs/figure.png": false, "ignore-me": false, "model.sig": false,
		"model.sig.json": false, "model.sigstore.json": false, "shard/123-4.bin": false, "notes.txt": false, "model.md": false,
	} {
		if got := loadable.Name(name); got != want {
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
		"pickle without end":  {"cos\nsystem\n(S'id'\ntR", true},
		"pickle, late import": {"X\x70\x11\x01\x00" + strings.Repeat("a", 70_000) + "0cos\nsystem\n(S'id'\ntR.", true},
		"two pickles":         {"I1\n.cos\nsystem\n(S'id'\ntR.", true},
		"zlib":                {"\x78\x5e\x6b\x60", true},
		"old tar":             {oldTar(), true},
		"HDF5 behind a block": {strings.Repeat("x", 512) + "\x89HDF\r\n\x1a\n", true},
		"zip behind text":     {strings.Repeat("text\n", 30_000) + "PK\x05\x06" + strings.Repeat("\x00", 18), true},
		"one word":            {"cat", false},
		"a licence":           {"copyright 2024 x\nall rights reserved\nRest of it.\n", false},
		"a sentence":          {"import this\nPLEASE read\ninternal use only\n", false},
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
		if got := loadable.Bytes([]byte(c.head)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// oldTar is the header of a tar before POSIX, which has no magic.
func oldTar() string {
	b := make([]byte, 512)
	copy(b, "weights.pkl")
	copy(b[100:], "0000644\x00")
	sum := 8 * ' '
	for i, c := range b {
		if i < 148 || i >= 156 {
			sum += rune(c)
		}
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return string(b)
}

func TestForPeople(t *testing.T) {
	for name, c := range map[string]struct {
		ext, data string
		want      bool
	}{
		"text": {"", "free text\n", true}, "text with accents": {".md", strings.Repeat("é", 40_000), true},
		"a picture": {".png", "\x89PNG\r\n\x1a\n\x00\x00", true}, "no picture": {".png", "\x00\x01\x02", false},
		"data": {".bin", "\x00\x01\x02", false}, "escape codes": {"", "\x1b[2J", false}, "Latin-1": {"", "\xe9t\xe9", false},
	} {
		if got := loadable.ForPeople(c.ext, []byte(c.data)); got != c.want {
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
		if loadable.Bytes(b) {
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
			if !loadable.Bytes(data) {
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
