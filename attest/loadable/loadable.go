// Package loadable judges whether a file could be loaded as a model, as part of
// one, or as code: the files that neither a signature nor a manifest may leave
// out. It goes by the name, and by the first and last bytes; no file is parsed,
// and none is run.
package loadable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"bartizan/attest/tree"
)

// How much of a file is looked at to see whether a loader would take it.
const (
	headSize   = 64 << 10
	tailSize   = 66 << 10 // the end of a zip with the longest comment
	tarMagicAt = 257
	tarBlock   = 512
)

// loadableExtensions are those that loaders and interpreters of models go by, in
// lower case.
var loadableExtensions = words(`
	.safetensors .pt .pth .pt2 .ptl .pte .ckpt .checkpoint .mar .index .mnn .wts .param .codes .rdb .z .raw .node .cu .vbs .pkl .pickle .p .dill .cloudpickle .joblib .skops
	.npy .npz .h5 .hdf5 .he5 .keras .pb .pbtxt .tflite .lite .onnx .onnx_data .ort .mlmodel .mlpackage .gguf .ggml .llamafile
	.msgpack .nemo .engine .plan .trt .rknn .xml .pmml .cbm .ubj .lgb .xgb .model .spm .tiktoken .vocab .params .pdmodel
	.pdparams .pdiparams .caffemodel .prototxt .weights .cfg .arrow .parquet .feather .rds .rda .rdata .mat
	.py .pyw .pyc .pyd .pyi .pth .ipynb .sh .bash .zsh .fish .ps1 .bat .cmd .exe .dll .so .dylib .o .a .wasm .jar .class .js
	.mjs .cjs .ts .rb .pl .lua .r .jl .whl .egg .zip .tar .tgz .gz .bz2 .xz .zst .lz4 .7z .rar
	.json .jsonl .yaml .yml .toml .ini .conf .jinja .jinja2 .j2 .template .env`)

// inertExtensions are those of files that people read and no loader does. A
// file of such a name is still looked into.
var inertExtensions = words(`.md .rst .adoc .pdf .png .jpg .jpeg .gif .svg .webp .sig .asc .sigstore .lock .metadata`)

// loadableStem matches names by which loaders find weights and vocabularies
// whatever their extension.
var loadableStem = regexp.MustCompile(`(?i)(model|weight|adapter|checkpoint|ckpt|tokenizer|vocab|merges|config|variables|params|requirements|^makefile|dockerfile|^dict\.txt$|\.onnx\.|\.np[yz]\.|\.data-\d+-of-\d+$|\.so\.\d)`)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// glance is what is looked at of a file: its beginning, and its end, by which
// readers of zip find what they unpack.
type glance struct {
	head, tail []byte
	whole      bool // head is all of it
}

// File says whether a loader could take the file, by its name or by its bytes:
// such a file is never left out of a signature or a manifest. It errs on the
// side of yes, but data that nothing names is no. Errors are those of tree.
func File(root *tree.Root, e tree.Entry) (bool, error) {
	if Name(e.Name) {
		return true, nil
	}
	g, err := look(root, e)
	return g.loadable(), err
}

// Inert says whether the file is one that people read and nothing loads: text,
// or a picture or document by its name and its first bytes. It errs on the side
// of no; what only the signer's word or nobody's leaves out has to be inert.
func Inert(root *tree.Root, e tree.Entry) (bool, error) {
	if Name(e.Name) {
		return false, nil
	}
	g, err := look(root, e)
	return !g.loadable() && g.forPeople(strings.ToLower(path.Ext(e.Name))), err
}

func look(root *tree.Root, e tree.Entry) (g glance, err error) {
	if e.Size == 0 {
		return glance{whole: true}, nil
	}
	f, err := root.Open(e.Name)
	if err != nil {
		return g, err
	}
	g.head, err = readAt(f, 0, min(e.Size, headSize))
	g.whole = e.Size <= headSize
	if err == nil && !g.whole {
		g.tail, err = readAt(f, max(headSize, e.Size-tailSize), min(e.Size-headSize, tailSize))
	}
	return g, errors.Join(err, f.Close())
}

// readAt reads as much as is there: a file that shrank is found by its digest.
func readAt(f *os.File, at, n int64) ([]byte, error) {
	b := make([]byte, n)
	got, err := f.ReadAt(b, at)
	if err == io.EOF {
		err = nil
	}
	return b[:got], err
}

// Name is the half of the judgement by name.
func Name(name string) bool {
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

// documents are the first bytes of what people look at, by extension.
var documents = map[string]string{
	".png": "\x89PNG\r\n", ".jpg": "\xff\xd8\xff", ".jpeg": "\xff\xd8\xff", ".gif": "GIF8", ".webp": "RIFF", ".pdf": "%PDF-",
}

// forPeople is for files whose names loaders do not go by.
func (g *glance) forPeople(ext string) bool {
	if magic := documents[ext]; magic != "" && bytes.HasPrefix(g.head, []byte(magic)) {
		return true
	}
	text := g.head
	if !g.whole { // a character may be cut in two
		text = text[:len(text)-utf8.UTFMax]
		for n := 0; n < utf8.UTFMax && !utf8.Valid(text); n++ {
			text = text[:len(text)-1]
		}
	}
	return utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) })
}

// loadable judges by bytes alone.
func (g *glance) loadable() bool {
	head := g.head
	for _, m := range magics {
		if bytes.HasPrefix(head, m) {
			return true
		}
	}
	switch {
	case len(head) >= 2 && head[0] == 0x80 && head[1] <= 5: // pickle from protocol 2 on
		return true
	case len(head) >= 2 && head[0] == 0x78 && (uint16(head[0])<<8|uint16(head[1]))%31 == 0: // zlib, as joblib writes
		return true
	case len(head) >= 8 && string(head[4:8]) == "TFL3":
		return true
	case len(head) >= 4 && head[2] == '\r' && head[3] == '\n': // compiled Python
		return true
	case isTar(head), isHDF5(head), isSafetensors(head), bytes.Contains(head, zipEnd), bytes.Contains(g.tail, zipEnd):
		return true
	}
	return imports(head, g.whole)
}

// zipEnd begins the record by which readers of zip find the rest, at the end.
var zipEnd = []byte("PK\x05\x06")

// isTar knows tar by its magic, and the oldest kind by the checksum of its first
// header.
func isTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	if string(head[tarMagicAt:tarMagicAt+5]) == "ustar" {
		return true
	}
	const at, size = 148, 8
	want, err := strconv.ParseInt(strings.Trim(string(head[at:at+size]), " \x00"), 8, 64)
	sum := int64(size * ' ')
	for i, c := range head[:tarBlock] {
		if i < at || i >= at+size {
			sum += int64(c)
		}
	}
	return err == nil && sum == want && head[0] != 0
}

// isHDF5 looks where the format allows its signature to be.
func isHDF5(head []byte) bool {
	for at := tarBlock; at+8 <= len(head); at *= 2 {
		if string(head[at:at+8]) == "\x89HDF\r\n\x1a\n" {
			return true
		}
	}
	return false
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
