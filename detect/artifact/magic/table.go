package magic

import (
	"strings"

	"bartizan/detect/artifact/format"
)

// row describes one format: any of the signs is enough; start accepts the first
// bytes under one of the extensions where there is no signature.
type row struct {
	name, title string
	extensions  []string
	signs       []sign
	start       func(head []byte) bool
}

// sign is bytes at an offset, from the end where it is negative; and must also
// hold, if it is set.
type sign struct {
	at   int
	is   string
	then *sign
}

func (s sign) in(p *format.Probe) bool {
	b, at := p.Head, s.at
	if at < 0 {
		b, at = p.Tail, len(p.Tail)+s.at
	}
	if at < 0 || at+len(s.is) > len(b) || string(b[at:at+len(s.is)]) != s.is {
		return false
	}
	return s.then == nil || s.then.in(p)
}

func at(n int, is string) sign { return sign{at: n, is: is} }

func both(a, b sign) sign { a.then = &b; return a }

// message: one of the first three fields of a protobuf message, a number or bytes.
func message(head []byte) bool {
	return len(head) > 1 && head[0] >= 0x08 && head[0] <= 0x1a && (head[0]&7 == 0 || head[0]&7 == 2)
}

// binary: nothing that reads as text.
func binary(head []byte) bool { return strings.IndexByte(string(head[:min(len(head), 512)]), 0) >= 0 }

// table is read only.
var table = []row{
	{name: "hdf5", title: "HDF5", extensions: []string{".h5", ".hdf5", ".keras", ".hdf"}, signs: []sign{
		at(0, "\x89HDF\r\n\x1a\n"), at(512, "\x89HDF\r\n\x1a\n"), at(1024, "\x89HDF\r\n\x1a\n"), at(2048, "\x89HDF\r\n\x1a\n")}},
	{name: "onnx", title: "ONNX model", extensions: []string{".onnx"}, start: message},
	{name: "tensorflow-protobuf", title: "TensorFlow graph or SavedModel", extensions: []string{".pb", ".meta"}, start: message},
	{name: "tflite", title: "TensorFlow Lite model", extensions: []string{".tflite"}, signs: []sign{at(4, "TFL3")}},
	{name: "ort", title: "ONNX Runtime model", extensions: []string{".ort"}, signs: []sign{at(4, "ORTM")}},
	{name: "executorch", title: "ExecuTorch program", extensions: []string{".pte"}, signs: []sign{at(4, "ET12")}},
	{name: "coreml", title: "Core ML model", extensions: []string{".mlmodel"}, start: message},
	{name: "tensorrt", title: "TensorRT engine", extensions: []string{".engine", ".plan", ".trt"}, signs: []sign{at(0, "ftrt"), at(0, "ptrt")}, start: binary},
	{name: "caffe", title: "Caffe weights", extensions: []string{".caffemodel"}, start: message},
	{name: "paddle", title: "Paddle program", extensions: []string{".pdmodel"}, start: message},
	{name: "sentencepiece", title: "SentencePiece tokenizer", extensions: []string{".model", ".spm"}, start: func(b []byte) bool {
		return len(b) > 4 && b[0] == 0x0a && b[1] < 0x80 && b[2] == 0x0a
	}},
	{name: "catboost", title: "CatBoost model", extensions: []string{".cbm"}, signs: []sign{at(0, "CBM1")}},
	{name: "xgboost-ubj", title: "XGBoost model in UBJSON", extensions: []string{".ubj"}, start: func(b []byte) bool { return len(b) > 0 && b[0] == '{' }},
	{name: "xgboost-binary", title: "XGBoost model in its old binary format", extensions: []string{".xgb", ".bst", ".deprecated"}, signs: []sign{at(0, "binf")}},
	{name: "flax-msgpack", title: "Flax weights", extensions: []string{".msgpack"}, start: func(b []byte) bool { return len(b) > 0 && b[0] >= 0x80 }},
	{name: "r-data", title: "R data", extensions: []string{".rds", ".rda", ".rdata"}, signs: []sign{
		at(0, "RDX2\n"), at(0, "RDX3\n"), at(0, "RDA2\n"), at(0, "RDA3\n"), at(0, "RDB2\n"), at(0, "RDB3\n"),
		at(0, "X\n\x00\x00\x00\x02"), at(0, "X\n\x00\x00\x00\x03"), at(0, "A\n2\n"), at(0, "A\n3\n"), at(0, "B\n\x02\x00\x00\x00"), at(0, "B\n\x03\x00\x00\x00")}},
	{name: "parquet", title: "Parquet", extensions: []string{".parquet"}, signs: []sign{both(at(0, "PAR1"), at(-4, "PAR1"))}},
	{name: "arrow", title: "Arrow IPC file", extensions: []string{".arrow", ".feather"}, signs: []sign{at(0, "ARROW1\x00\x00"), both(at(0, "FEA1"), at(-4, "FEA1"))}},
	{name: "orc", title: "ORC", extensions: []string{".orc"}, signs: []sign{both(at(0, "ORC"), at(-4, "ORC"))}},
	{name: "avro", title: "Avro", extensions: []string{".avro"}, signs: []sign{at(0, "Obj\x01")}},
	{name: "tfrecord", title: "TFRecord", extensions: []string{".tfrecord", ".tfrecords"}, start: binary},
	{name: "sqlite", title: "SQLite database", extensions: []string{".db", ".sqlite", ".sqlite3"}, signs: []sign{at(0, "SQLite format 3\x00")}},
	{name: "leveldb", title: "LevelDB table", extensions: []string{".ldb", ".sst"}, signs: []sign{at(-8, "\x57\xfb\x80\x8b\x24\x75\x47\xdb")}},
	{name: "matlab", title: "MATLAB data", extensions: []string{".mat"}, signs: []sign{at(0, "MATLAB 5.0 MAT-file")}},
	{name: "pdf", title: "PDF", extensions: []string{".pdf"}, signs: []sign{at(0, "%PDF-1."), at(0, "%PDF-2.")}},
	{name: "office", title: "Microsoft compound document", extensions: []string{".doc", ".xls", ".ppt", ".msi"}, signs: []sign{at(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")}},
	{name: "dicom", title: "DICOM", extensions: []string{".dcm"}, signs: []sign{at(128, "DICM")}},
	{name: "wav", title: "WAVE sound", extensions: []string{".wav"}, signs: []sign{both(at(0, "RIFF"), at(8, "WAVE"))}},
	{name: "avi", title: "AVI video", extensions: []string{".avi"}, signs: []sign{both(at(0, "RIFF"), at(8, "AVI "))}},
	{name: "mp3", title: "MP3 sound", extensions: []string{".mp3"}, signs: []sign{at(0, "ID3\x03\x00"), at(0, "ID3\x04\x00"), at(0, "ID3\x02\x00")}, start: func(b []byte) bool {
		return len(b) > 1 && b[0] == 0xff && b[1]&0xe0 == 0xe0
	}},
	{name: "mp4", title: "MPEG-4 or QuickTime", extensions: []string{".mp4", ".m4a", ".mov", ".m4v", ".heic", ".avif"}, signs: []sign{at(4, "ftyp")}},
	{name: "matroska", title: "Matroska or WebM", extensions: []string{".mkv", ".webm"}, signs: []sign{at(0, "\x1aE\xdf\xa3")}},
	{name: "ogg", title: "Ogg", extensions: []string{".ogg", ".oga", ".opus"}, signs: []sign{at(0, "OggS\x00")}},
	{name: "flac", title: "FLAC sound", extensions: []string{".flac"}, signs: []sign{at(0, "fLaC\x00"), at(0, "fLaC\x80")}},
	{name: "tiff", title: "TIFF", extensions: []string{".tif", ".tiff"}, signs: []sign{at(0, "II*\x00"), at(0, "MM\x00*")}},
	{name: "font", title: "Font", extensions: []string{".ttf", ".otf", ".woff", ".woff2"}, signs: []sign{at(0, "OTTO\x00"), at(0, "wOFF"), at(0, "wOF2")}, start: binary},
}
