package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestDensePickleIsWhatCPythonWrites(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: no python3 on PATH, so the dense pickle is not compared with CPython's")
	}
	for _, protocol := range []int{2, 4} {
		path := filepath.Join(t.TempDir(), "dense.pkl")
		if err := writeDense(path, 5000, protocol, io.Discard); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(python, "checkdense.py", path).CombinedOutput(); err != nil {
			t.Errorf("protocol %d: %s", protocol, out)
		}
	}
}

func TestPicklerRefusesWhatItDoesNotKnow(t *testing.T) {
	if _, _, err := dumps(struct{}{}, 4); err == nil {
		t.Error("a struct is pickled")
	}
	if _, _, err := dumps(1, 3); err == nil {
		t.Error("protocol 3 is taken")
	}
}

func TestSmallFilesAreReproducible(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, root := range []string{a, b} {
		if err := writeSmall(root, 40, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(a, "*", "*"))
	if err != nil || len(files) != 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		x, _ := os.ReadFile(path)
		y, _ := os.ReadFile(filepath.Join(b, "000", filepath.Base(path)))
		if len(x) == 0 || !bytes.Equal(x, y) {
			t.Errorf("%s differs between runs", path)
		}
	}
}

func TestSparseFilesAreWellFormed(t *testing.T) {
	root := t.TempDir()
	const size = 40_000_000
	if err := writeSparse(root, size, io.Discard); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "big.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	var header map[string]struct {
		Offsets [2]int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	if end := header["layer.009.weight"].Offsets[1]; end != int64(len(data))-8-int64(n) {
		t.Errorf("tensors end at %d of %d", end, int64(len(data))-8-int64(n))
	}
	r, err := zip.OpenReader(filepath.Join(root, "big.pt"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, f := range r.File {
		m, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, m); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if len(r.File) != tensors+3 {
		t.Errorf("%d members", len(r.File))
	}
}

func TestBombsAreWhatTheyClaim(t *testing.T) {
	made := map[string][]byte{}
	for _, b := range bombs() {
		data, err := b.make(1)
		if err != nil || len(data) == 0 {
			t.Fatalf("%s: %d bytes, %v", b.name, len(data), err)
		}
		if _, twice := made[b.name]; twice {
			t.Errorf("%s is there twice", b.name)
		}
		made[b.name] = data
	}
	for _, name := range []string{"zeros.zip", "zeros.npz", "42.zip", "overlap.zip", "quine-depth.zip", "members.zip"} {
		if _, err := zip.NewReader(bytes.NewReader(made[name]), int64(len(made[name]))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := gzip.NewReader(bytes.NewReader(made["zeros.gz.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, inner); err != nil || n != 10_000_000 {
		t.Errorf("zeros.gz.gz: %d bytes, %v", n, err)
	}
}
