package torchscript

import "strings"

// danger says what an operator can do that a model has no need of.
type danger uint8

const (
	safe     danger = iota
	reads           // a file named by an argument
	writes          // a file named by an argument
	network         // calls another process over the network
	unlisted        // not an operator that ships with PyTorch or its domain libraries
	foreign         // no operator at all: a member of a Python module
)

// atenFiles are the operators of PyTorch itself that take a file name:
// aten::from_file maps a file, and creates and resizes it where shared is set
// (aten/src/ATen/native/TensorFactories.cpp); aten::save pickles any value into
// a file (torch/csrc/jit/runtime/register_special_ops.cpp). There is no
// aten::load, but nothing good would name it.
var atenFiles = map[string]danger{"from_file": reads, "save": writes, "load": reads}

// bareNetwork are torch.distributed.rpc's forms, which TorchScript spells bare.
var bareNetwork = map[string]bool{"rpc_async": true, "rpc_sync": true, "rpc_remote": true}

// shipped are the operator namespaces of PyTorch, torchvision, torchaudio and
// torchtext. An operator of any other needs a native library that the model
// file cannot bring along, and does what that library does.
var shipped = map[string]bool{
	"aten": true, "prim": true, "prims": true, "quantized": true, "_quantized": true, "quantized_decomposed": true,
	"quantization": true, "prepacked": true, "mkldnn_prepacked": true, "mkldnn": true, "profiler": true,
	"sparse": true, "onnx": true, "static_runtime": true, "xnnpack": true, "metal": true, "metal_prepack": true,
	"vulkan": true, "vulkan_prepack": true, "vulkan_quantized": true, "tensorexpr": true, "rnn": true, "_test": true,
	"_caffe2": true, "caffe2": true, "cuda": true, "torchvision": true, "image": true, "video_reader": true,
	"torchaudio": true, "torchtext": true, "cudnn": true, "_nnapi": true,
}

// classNames are the namespaces of custom classes that ship likewise.
var classNames = map[string]bool{
	"quantized": true, "rnn": true, "xnnpack": true, "sparse": true, "profiler": true, "mkldnn": true, "metal": true,
	"vulkan": true, "cuda": true, "torchtext": true, "torchaudio": true, "torchvision": true, "_nnapi": true,
	"tensorexpr": true, "static_runtime": true,
}

// pythonNames are what Python code names to leave the model; TorchScript has
// none of them, unless the code defines one itself.
var pythonNames = map[string]bool{
	"os": true, "sys": true, "subprocess": true, "socket": true, "shutil": true, "builtins": true, "importlib": true,
	"ctypes": true, "pickle": true, "marshal": true, "requests": true, "urllib": true, "http": true, "pathlib": true,
	"runpy": true, "pty": true, "commands": true, "platform": true, "tempfile": true, "threading": true,
	"multiprocessing": true, "webbrowser": true, "base64": true, "codecs": true, "code": false,
	"eval": true, "exec": true, "execfile": true, "compile": true, "open": true, "__import__": true, "globals": true,
	"locals": true, "vars": true, "breakpoint": true, "__builtins__": true,
}

// judgePath says what an operator path can do and how reports name it. The path
// is what the code spells: torch.add, ops.quantized.linear,
// __torch__.torch.classes.NAMESPACE.CLASS.
func judgePath(path string) (danger, string) {
	parts := strings.Split(path, ".")
	last := parts[len(parts)-1]
	switch {
	case parts[0] == "torch" && len(parts) > 1:
		if atenFiles[last] == safe && len(parts) > 2 {
			return foreign, path // operators of torch are not nested; torch.os is Python
		}
		return atenFiles[last], "aten::" + strings.Join(parts[1:], ".")
	case parts[0] == "ops" && len(parts) > 2:
		return judgeOperator(parts[1], parts[2])
	case strings.HasPrefix(path, "__torch__.torch.classes.") && len(parts) > 4:
		return judgeClass(parts[3], parts[4])
	case len(parts) == 1 && bareNetwork[path]:
		return network, "prim::" + path
	}
	return safe, ""
}

func judgeOperator(namespace, name string) (danger, string) {
	full := namespace + "::" + name
	base, _, _ := strings.Cut(name, ".")
	switch {
	case namespace == "aten":
		return atenFiles[base], full
	case namespace == "prim" && strings.HasPrefix(base, "rpc_"):
		return network, full
	case namespace == "prim" && (base == "PythonOp" || base == "IgnoredPythonOp"):
		return unlisted, full
	case strings.Contains(base, "_file") || strings.Contains(base, "file_"):
		// image::read_file, image::write_file, torchaudio::sox_io_load_audio_file,
		// video_reader::read_video_from_file
		if strings.Contains(base, "write") || strings.Contains(base, "save") {
			return writes, full
		}
		return reads, full
	case !shipped[namespace]:
		return unlisted, full
	}
	return safe, full
}

// judgeClass knows the classes that open files and connections by name.
func judgeClass(namespace, name string) (danger, string) {
	full := "class " + namespace + "." + name
	switch {
	case namespace == "dist_c10d" || namespace == "dist_rpc" || namespace == "c10d":
		return network, full
	case namespace == "torchvision" && name == "Video", namespace == "torchaudio" && strings.Contains(name, "Stream"):
		return reads, full
	case !classNames[namespace]:
		return unlisted, full
	}
	return safe, full
}
