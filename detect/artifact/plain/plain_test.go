package plain

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/format/formattest"
	"bartizan/detect/input"
	"bartizan/finding"
)

func elf() string { return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60) }

func pe() string {
	b := make([]byte, 256)
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[60:], 128)
	copy(b[128:], "PE\x00\x00")
	return string(b)
}

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

func TestFormats(t *testing.T) {
	late := strings.Repeat("word ", 2000)
	tests := []struct {
		name, file, content string
		format              string
		verdict             finding.Verdict
		coverage            finding.Coverage
		rules               []string
		reason              string
	}{
		{name: "readme", file: "README.md", content: "# A model\n\n```python\nimport os\n```\n", format: "text"},
		{name: "licence", file: "LICENSE", content: "MIT License\n", format: "text"},
		{name: "attributes", file: ".gitattributes", content: "*.bin filter=lfs diff=lfs\n", format: "text"},
		{name: "table", file: "d.csv", content: "import,def\n1,2\n", format: "text"},
		{name: "word list", file: "vocab.txt", content: "[PAD]\nimport\n##ing\n日本\n", format: "text"},
		{name: "merges", file: "merges.txt", content: "#version: 0.2\nĠ t\nh e\n", format: "text"},
		{name: "torch version", file: "version", content: "3\n", format: "text"},
		{name: "latin", file: "a.txt", content: "caf\xe9 au lait\n", format: "text"},
		{name: "late latin", file: "a.txt", content: late + "caf\xe9\n", format: "text"},
		{name: "late rune", file: "a.txt", content: late + strings.Repeat("日本", 100000), format: "text"},
		{name: "utf-16", file: "a.txt", content: "\xff\xfeh\x00i\x00\n\x00", format: "text"},
		{name: "utf-16 big", file: "a.txt", content: "\xfe\xff\x00h\x00i", format: "text"},
		{name: "byte order mark", file: "a.csv", content: "\xef\xbb\xbfa,b\n", format: "text"},
		{name: "no extension", file: "notes", content: "some words here\n", format: "text"},
		{name: "old data set", file: "iris.data", content: "5.1,3.5,1.4,0.2,Iris-setosa\n", format: "text"},
		{name: "python in a document", file: "a.txt", content: "import os\n", format: "text"},
		{name: "html", file: "card.html", content: "<html><script>x()</script></html>", format: "text"},
		{name: "text then data", file: "a.txt", content: late + "\x00\x01", format: "text", verdict: finding.Review, coverage: finding.Incomplete, reason: "not-text"},

		{name: "python", file: "modeling.py", content: "x = 1\n", format: "python-source", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "python by content", file: "run", content: "# -*- coding: utf-8 -*-\n\"\"\"Doc\nstring.\"\"\"\n\nimport os\n", format: "python-source", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "python as a model", file: "x.pt", content: "import os; os.system('x')\n", format: "python-source", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "python path file", file: "x.pth", content: "import os\n", format: "python-source", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "shebang in a document", file: "a.txt", content: "#!/usr/bin/env python3\n", format: "python-source", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "shell", file: "a", content: "#!/bin/bash\nls\n", format: "shell-script", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "batch", file: "a.bat", content: "dir\r\n", format: "shell-script", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "notebook", file: "a.ipynb", content: "{\"cells\": []}", format: "notebook", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "notebook by content", file: "a", content: "{\"cells\": [{\"cell_type\": \"code\"}]}", format: "notebook", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "dockerfile", file: "Dockerfile", content: "FROM scratch\n", format: "dockerfile", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "requirements", file: "requirements-dev.txt", content: "torch\n", format: "requirements", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},
		{name: "kernel", file: "a.cu", content: "int x;\n", format: "source-code", verdict: finding.Review, coverage: finding.Unsupported, reason: "code-not-analysed"},

		{name: "pointer", file: "m.safetensors", content: pointer, format: "lfs-pointer", verdict: finding.Review, coverage: finding.Incomplete, rules: []string{"file/lfs-pointer"}, reason: "lfs-pointer"},
		{name: "pointer in a document", file: "README.md", content: pointer, format: "lfs-pointer", verdict: finding.Review, coverage: finding.Incomplete, rules: []string{"file/lfs-pointer"}, reason: "lfs-pointer"},

		{name: "elf", file: "libx.so", content: elf(), format: "executable", verdict: finding.Review, coverage: finding.Unsupported, reason: "executable-not-analysed"},
		{name: "elf as a model", file: "pytorch_model.bin", content: elf(), format: "executable", verdict: finding.Block, coverage: finding.Unsupported, rules: []string{"binary/executable"}, reason: "executable-not-analysed"},
		{name: "pe as a model", file: "m.pkl", content: pe(), format: "executable", verdict: finding.Block, coverage: finding.Unsupported, rules: []string{"binary/executable"}, reason: "executable-not-analysed"},
		{name: "class", file: "A.class", content: "\xca\xfe\xba\xbe\x00\x00\x00\x37" + strings.Repeat("\x00", 30), format: "executable", verdict: finding.Review, coverage: finding.Unsupported, reason: "executable-not-analysed"},
		{name: "wasm", file: "a.wasm", content: "\x00asm\x01\x00\x00\x00", format: "executable", verdict: finding.Review, coverage: finding.Unsupported, reason: "executable-not-analysed"},

		{name: "json is another's", file: "config.json", content: "{}"},
		{name: "template is another's", file: "a.jinja", content: "{{ x }}"},
		{name: "text as a model", file: "m.pkl", content: "hello\n"},
		{name: "binary", file: "a.txt", content: "\x00\x01\x02"},
		{name: "MZ alone", file: "a.bin", content: "MZ" + strings.Repeat("\x00", 100)},
		{name: "truncated ELF magic", file: "a", content: "\x7fELF"},
		{name: "utf-16 without mark", file: "a.txt", content: "h\x00i\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := formattest.Bytes(t, tt.file, []byte(tt.content), Formats()...)
			if got := strings.Join(o.Formats, ","); got != tt.format {
				t.Errorf("formats %q, want %q", got, tt.format)
			}
			if o.Verdict != tt.verdict || o.Coverage != tt.coverage || !slices.Equal(o.Rules(), tt.rules) {
				t.Errorf("%v %v %v %v, want %v %v %v", o.Verdict, o.Coverage, o.Rules(), o.Reasons, tt.verdict, tt.coverage, tt.rules)
			}
			if tt.reason != "" && !o.Has(tt.reason) {
				t.Errorf("reasons %v, want %q", o.Reasons, tt.reason)
			}
		})
	}
}

func TestWithinAnother(t *testing.T) {
	o := formattest.RunAt(t, "lib.so", input.FromBytes([]byte(elf())), 1, Formats()...)
	if !slices.Equal(o.Rules(), []string{"binary/executable"}) || o.Verdict != finding.Block {
		t.Errorf("%v %v", o.Rules(), o.Verdict)
	}
	o = formattest.RunProbed(t, "base64@120", input.FromBytes([]byte("import os\n")), Formats()...)
	if o.Verdict != finding.Clean || strings.Join(o.Formats, ",") != "text" {
		t.Errorf("text found in a string: %v %v %v", o.Verdict, o.Formats, o.Reasons)
	}
}

// TestClaimedCode: what another format analyses is no unanalysed code, and no
// text either.
func TestClaimedCode(t *testing.T) {
	claimed := claim{Text{}}
	o := formattest.Bytes(t, "x.py", []byte("class A(Module):\n  pass\n"), Formats(claimed)...)
	if o.Matched {
		t.Errorf("claimed code is taken for %v", o.Formats)
	}
}

// claim takes everything for its own.
type claim struct{ format.Format }

func (claim) Match(*format.Probe) bool { return true }

// TestWindows reads a text through a reader, so that every rune may be cut.
func TestWindows(t *testing.T) {
	for _, text := range []string{strings.Repeat("x日本語é", 90000), strings.Repeat("é", 300000) + "x", "\xff\xfe" + strings.Repeat("h\x00\xe5\x65", 200000)} {
		for shift := range 4 {
			b := []byte(strings.Repeat("a", shift*2) + text)
			if bytes.HasPrefix([]byte(text), []byte("\xff\xfe")) {
				b = []byte(text + strings.Repeat("a\x00", shift))
			}
			blob := input.FromReaderAt(bytes.NewReader(b), int64(len(b)))
			if o := formattest.Run(t, "a.txt", blob, Formats()...); o.Verdict != finding.Clean || !o.Matched {
				t.Errorf("%.10q shifted by %d: %v", text, shift, o.Reasons)
			}
			b[len(b)-1000] = 1
			if o := formattest.Run(t, "a.txt", blob, Formats()...); !strings.HasPrefix(text, "\xff\xfe") && !o.Has("not-text") {
				t.Errorf("%.10q shifted by %d: a control byte is not seen: %v", text, shift, o.Reasons)
			}
		}
	}
}

func TestRules(t *testing.T) {
	if _, err := finding.NewCatalogue(Rules()); err != nil {
		t.Error(err)
	}
}

func FuzzScan(f *testing.F) {
	f.Add("a", []byte("#!/bin/sh\n"))
	f.Add("a.txt", []byte("\xff\xfeh\x00"))
	f.Add("m.bin", []byte(pe()))
	f.Add("m", []byte(pointer))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		o := formattest.Bytes(t, name, b, Formats()...)
		if bytes.IndexByte(b, 0) >= 0 && o.Matched && o.Verdict == finding.Clean && len(b) > 1 && b[0] != 0xff && b[0] != 0xfe {
			t.Errorf("clean text with a zero byte")
		}
	})
}
