package oms

import (
	"bytes"
	"encoding/binary"
	"io"
	"path"
	"regexp"
	"strings"

	"bartizan/attest/tree"
)

// How much of a file is looked at to see whether a loader would take it.
const (
	headSize   = 64 << 10
	tarMagicAt = 257
)

// loadableExtensions are those that loaders and interpreters of models go by, in
// lower case.
var loadableExtensions = words(`
	.safetensors .pt .pth .pt2 .ptl .pte .ckpt .checkpoint .bin.index .mar .pkl .pickle .p .dill .cloudpickle .joblib .skops
	.npy .npz .h5 .hdf5 .he5 .keras .pb .pbtxt .tflite .lite .onnx .onnx_data .ort .mlmodel .mlpackage .gguf .ggml .llamafile
	.msgpack .nemo .engine .plan .trt .rknn .xml .pmml .cbm .ubj .lgb .xgb .model .spm .tiktoken .vocab .params .pdmodel
	.pdparams .pdiparams .caffemodel .prototxt .weights .cfg .arrow .parquet .feather .rds .rda .rdata .mat .dat-index
	.py .pyw .pyc .pyd .pyi .pth .ipynb .sh .bash .zsh .fish .ps1 .bat .cmd .exe .dll .so .dylib .o .a .wasm .jar .class .js
	.mjs .cjs .ts .rb .pl .lua .r .jl .whl .egg .zip .tar .tgz .gz .bz2 .xz .zst .lz4 .7z .rar
	.json .jsonl .yaml .yml .toml .ini .conf .jinja .jinja2 .j2 .template .env`)

// inertExtensions are those of files that people read and no loader does. A
// file of such a name is still looked into.
var inertExtensions = words(`.md .rst .adoc .pdf .png .jpg .jpeg .gif .svg .webp .sig .asc .sigstore .lock .metadata`)

// loadableStem matches names by which loaders find weights and vocabularies
// whatever their extension.
var loadableStem = regexp.MustCompile(`(?i)(model|weight|adapter|checkpoint|ckpt|tokenizer|vocab|merges|config|variables|params|\.data-\d+-of-\d+$|\.so\.\d)`)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// loadable says whether a loader could take the file, by its name or by its
// first bytes: such a file is never left out of a signature. It errs on the side
// of yes.
func loadable(root *tree.Root, e tree.Entry) (bool, error) {
	if loadableName(e.Name) {
		return true, nil
	}
	if e.Size == 0 {
		return false, nil
	}
	f, err := root.Open(e.Name)
	if err != nil {
		return false, err
	}
	head := make([]byte, min(e.Size, headSize))
	n, err := io.ReadFull(f, head)
	if closed := f.Close(); err == nil || err == io.ErrUnexpectedEOF {
		err = closed
	}
	return loadableBytes(head[:n]), err
}

func loadableName(name string) bool {
	base := strings.ToLower(path.Base(name))
	ext := path.Ext(base)
	switch {
	case loadableExtensions[ext]:
		return !strings.HasSuffix(base, ".sig.json") && !strings.HasSuffix(base, ".sigstore.json")
	case inertExtensions[ext]:
		return false
	}
	return loadableStem.MatchString(base)
}

// magics are the first bytes of what loaders and operating systems take.
var magics = [][]byte{
	[]byte("PK\x03\x04"), []byte("PK\x05\x06"), []byte("PK\x01\x02"), []byte("\x89HDF\r\n\x1a\n"), []byte("\x93NUMPY"),
	[]byte("GGUF"), []byte("ggml"), []byte("lmgg"), []byte("tjgg"), []byte("fmgg"), []byte("GGJT"),
	[]byte("\x1f\x8b"), []byte("BZh"), []byte("\xfd7zXZ\x00"), []byte("\x28\xb5\x2f\xfd"), []byte("\x04\x22\x4d\x18"),
	[]byte("7z\xbc\xaf\x27\x1c"), []byte("Rar!\x1a\x07"), []byte("\x7fELF"), []byte("MZ"), []byte("#!"),
	[]byte("\xfe\xed\xfa\xce"), []byte("\xfe\xed\xfa\xcf"), []byte("\xce\xfa\xed\xfe"), []byte("\xcf\xfa\xed\xfe"), []byte("\xca\xfe\xba\xbe"),
	[]byte("\x00asm"), []byte("ARROW1"), []byte("PAR1"), []byte("RDX2"), []byte("RDX3"), []byte("RDA2"), []byte("RDA3"), []byte("X\n\x00\x00\x00"),
	[]byte("\x5d\x00\x00"), []byte("ZF\x01"), []byte("ZF\x00"), []byte("SQLite format 3\x00"), []byte("MATLAB 5.0"),
}

func loadableBytes(head []byte) bool {
	for _, m := range magics {
		if bytes.HasPrefix(head, m) {
			return true
		}
	}
	switch {
	case len(head) >= 2 && head[0] == 0x80 && head[1] <= 5: // pickle from protocol 2 on
		return true
	case len(head) >= 8 && string(head[4:8]) == "TFL3":
		return true
	case len(head) >= tarMagicAt+5 && string(head[tarMagicAt:tarMagicAt+5]) == "ustar":
		return true
	case len(head) >= 4 && head[2] == '\r' && head[3] == '\n': // compiled Python
		return true
	case isSafetensors(head):
		return true
	}
	return imports(head)
}

// isSafetensors looks for the length of a header and its beginning.
func isSafetensors(head []byte) bool {
	const longest = 100_000_000
	if len(head) < 9 || head[8] != '{' {
		return false
	}
	n := binary.LittleEndian.Uint64(head)
	return n >= 2 && n <= longest
}
