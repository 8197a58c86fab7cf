package main

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"

	asm "bartizan/internal/pickleasm"
)

type attack struct {
	name string
	data []byte
}

const shout = "echo this model ran a command"

// attackFiles makes one file for each trick.
func attackFiles() ([]attack, error) {
	plain := asm.New().Proto(2).Call("posix", "system", shout).Stop().Bytes()
	checkpoint, err := torchZip(plain)
	if err != nil {
		return nil, err
	}
	packed, err := squeeze(plain)
	if err != nil {
		return nil, err
	}
	template, err := json.Marshal(map[string]string{"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ cycler.__init__.__globals__.os.popen('" + shout + "').read() }}"})
	if err != nil {
		return nil, err
	}
	return []attack{
		{"command.pkl", plain},
		{"memo-gap.pkl", asm.New().Proto(4).NamedThroughMemo(asm.ByBinPut, asm.ByBinGet, 7, asm.Name{Module: "subprocess", Name: "check_output"}).Args(shout).Reduce().Stop().Bytes()},
		{"broken-tail.pkl", append(asm.New().Proto(2).Call("builtins", "exec", "print('ran')").Bytes(), 0xff)},
		{"resolve-name.pkl", asm.New().Proto(2).Call("pkgutil", "resolve_name", "os:system").Args(shout).Reduce().Stop().Bytes()},
		{"nested.pkl", asm.New().Proto(4).Call("pickle", "loads", plain).Stop().Bytes()},
		{"checkpoint.pt", checkpoint},
		{"compressed.joblib", packed},
		{"tokenizer_config.json", template},
	}, nil
}

// torchZip is a checkpoint as torch.save lays it out, with that program in it.
func torchZip(program []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range []attack{{"archive/data.pkl", program}, {"archive/byteorder", []byte("little")}, {"archive/version", []byte("3\n")}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		if _, err := f.Write(m.data); err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// squeeze compresses as joblib does with compress=True.
func squeeze(program []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}
