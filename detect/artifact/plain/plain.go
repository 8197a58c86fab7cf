// Package plain recognises files that no model loader executes, and those that
// somebody may: text is clean once it is read to its end; source, scripts and
// notebooks are named and left unanalysed; programs are a finding where a model
// should be; Git LFS pointers say that the real bytes are elsewhere.
//
// The evidence is the content, with names as hints for text: a shebang, the
// first statement, an executable's header, a pointer's lines.
//
// It cannot see what code does, nor whether prose tells a reader to run some.
package plain

import (
	"path"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Formats lists the formats of this package. What one of claimed takes for its
// own is no unanalysed code: TorchScript, say, is Python to the eye.
func Formats(claimed ...format.Format) []format.Format {
	code := func(name, title string, extensions ...string) format.Format {
		return Code{name: name, title: title, extensions: extensions, claimed: claimed}
	}
	return []format.Format{
		Text{}, Pointer{}, Executable{},
		code("python-source", "Python source", pythonExtensions...),
		code("shell-script", "Shell script", shellExtensions...),
		code("notebook", "Jupyter notebook", ".ipynb"),
		code("dockerfile", "Dockerfile", ".dockerfile"),
		code("requirements", "Python requirements"),
		code("source-code", "Source code of another language", sourceExtensions...),
	}
}

// Rules lists the rules of this package.
func Rules() []finding.Rule { return []finding.Rule{rulePointer, ruleExecutable} }

// Extensions of code, lower case. Read only.
var (
	pythonExtensions = []string{".py", ".pyw", ".pyi", ".pyx", ".pxd"}
	shellExtensions  = []string{".sh", ".bash", ".zsh", ".fish", ".ksh", ".bat", ".cmd", ".ps1", ".psm1", ".command"}
	sourceExtensions = []string{".js", ".mjs", ".cjs", ".ts", ".r", ".lua", ".c", ".cc", ".cpp", ".cxx", ".cu", ".h", ".hpp", ".cuh",
		".java", ".go", ".rs", ".jl", ".rb", ".pl", ".php", ".scala", ".swift", ".kt", ".vbs", ".mk", ".cmake"}
)

// documents are names whose text nobody runs, whatever it holds; without an
// extension the whole name is looked up. Read only.
var documents = map[string]bool{
	".md": true, ".rst": true, ".txt": true, ".csv": true, ".tsv": true, ".log": true, ".tex": true, ".bib": true,
	".html": true, ".htm": true, ".xml": true, ".svg": true, ".css": true, ".vocab": true, ".merges": true, ".bpe": true,
	".conll": true, ".toml": true, ".ini": true, ".cfg": true, ".srt": true, ".vtt": true, ".arpa": true, ".lm": true, ".prototxt": true, ".pbtxt": true,
	".gitattributes": true, ".gitignore": true, ".gitmodules": true, ".dockerignore": true, ".editorconfig": true,
	"license": true, "licence": true, "readme": true, "notice": true, "authors": true, "changelog": true, "copying": true, "citation": true,
	"version": true, "byteorder": true, "record": true, "metadata": true, "wheel": true, "installer": true,
}

// others are names that another format claims. Read only.
var others = map[string]bool{
	".json": true, ".jsonl": true, ".ndjson": true, ".yaml": true, ".yml": true,
	".jinja": true, ".jinja2": true, ".j2": true, ".template": true, ".svg": true,
}

// models are extensions of files that a loader opens, in which text or a
// program has no place. Read only.
var models = map[string]bool{
	".pkl": true, ".pickle": true, ".pck": true, ".pt": true, ".pth": true, ".bin": true, ".ckpt": true, ".joblib": true, ".dill": true,
	".npy": true, ".npz": true, ".safetensors": true, ".gguf": true, ".ggml": true, ".h5": true, ".hdf5": true,
	".keras": true, ".onnx": true, ".pb": true, ".tflite": true, ".mlmodel": true, ".nemo": true, ".mar": true,
	".skops": true, ".ptl": true, ".pdparams": true, ".pdmodel": true, ".msgpack": true, ".engine": true, ".plan": true, ".rds": true,
	".rda": true, ".rdata": true, ".weights": true, ".params": true, ".caffemodel": true, ".ubj": true, ".cbm": true, ".torchscript": true,
}

// named says whether the name is one of a model file or of data for one.
func named(name string) bool {
	switch e := extension(name); e {
	case ".dat", ".data", ".model":
		return true
	default:
		return models[e]
	}
}

// extension is the lower-case extension of a name, or the whole name without one.
func extension(name string) string {
	if e := path.Ext(name); e != "" {
		return e
	}
	return name
}
