package magic

import (
	"strings"
	"testing"

	"bartizan/detect/artifact/format/formattest"
	"bartizan/detect/input"
	"bartizan/finding"
)

func TestFormats(t *testing.T) {
	tests := []struct{ file, content, want string }{
		{"m.h5", "\x89HDF\r\n\x1a\n\x00", "hdf5"},
		{"m.bin", strings.Repeat("\x00", 512) + "\x89HDF\r\n\x1a\n\x00", "hdf5"},
		{"m.onnx", "\x08\x07\x12\x07pytorch", "onnx"},
		{"saved_model.pb", "\x08\x01\x12\x90", "tensorflow-protobuf"},
		{"m.tflite", "\x1c\x00\x00\x00TFL3", "tflite"},
		{"m.dat", "\x1c\x00\x00\x00TFL3", "tflite"},
		{"tokenizer.model", "\x0a\x0e\x0a\x05<unk>", "sentencepiece"},
		{"a.rda", "RDX3\nX\n\x00\x00\x00\x03", "r-data"},
		{"a.rds", "X\n\x00\x00\x00\x03\x00\x04", "r-data"},
		{"a", "A\n3\n262145\n", "r-data"},
		{"a", "PAR1....PAR1", "parquet"},
		{"a", "PAR1....", ""},
		{"a.pdf", "%PDF-1.7\n", "pdf"},
		{"a", "RIFF\x00\x00\x00\x00WAVEfmt ", "wav"},
		{"a.ldb", strings.Repeat("x", 100) + "\x57\xfb\x80\x8b\x24\x75\x47\xdb", "leveldb"},
		{"m.onnx", "hello", ""},
		{"m.pb", "node {\n}", ""},
		{"m.model", "tree\nversion=v3", ""},
		{"a.mp3", "\xff\xfb\x90", "mp3"},
		{"a", "\xff\xfb\x90", ""},
		{"a", "", ""},
	}
	for _, tt := range tests {
		o := formattest.Bytes(t, tt.file, []byte(tt.content), Formats()...)
		if got := strings.Join(o.Formats, ","); got != tt.want {
			t.Errorf("%s %.20q: %q, want %q", tt.file, tt.content, got, tt.want)
		}
		if tt.want != "" && (o.Coverage != finding.Unsupported || o.Verdict != finding.Review) {
			t.Errorf("%s: %v %v", tt.file, o.Coverage, o.Verdict)
		}
	}
}

func TestWithinAString(t *testing.T) {
	sound := input.FromBytes([]byte("RIFF\x00\x00\x00\x00WAVEfmt "))
	if o := formattest.RunProbed(t, "raw@12", sound, Formats()...); o.Coverage != finding.Complete {
		t.Errorf("a sound in a string: %v", o.Reasons)
	}
	if o := formattest.RunAt(t, "a@b.wav", sound, 1, Formats()...); o.Coverage != finding.Unsupported {
		t.Errorf("a sound in an archive: %v", o.Coverage)
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Formats() {
		if seen[f.Name()] || f.Name() == "" || f.Title() == "" || len(f.Extensions()) == 0 {
			t.Errorf("format %q", f.Name())
		}
		seen[f.Name()] = true
	}
}

func FuzzMatch(f *testing.F) {
	for _, r := range table {
		for _, s := range r.signs {
			f.Add("a"+r.extensions[0], []byte(s.is))
		}
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		if o := formattest.Bytes(t, name, b, Formats()...); o.Matched != (len(o.Formats) > 0) {
			t.Error("recognised without a name")
		}
	})
}
