package gguf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/format/formattest"
	"bartizan/detect/input"
	"bartizan/finding"
)

// builder writes GGUF files, right and wrong.
type builder struct {
	order   binary.ByteOrder
	version uint32
	kv, ti  bytes.Buffer
	nkv, nt uint64
	align   int
}

func build() *builder { return &builder{order: binary.LittleEndian, version: 3, align: 32} }

func (b *builder) put(w *bytes.Buffer, v any) {
	if err := binary.Write(w, b.order, v); err != nil {
		panic(err)
	}
}

func (b *builder) size(w *bytes.Buffer, n uint64) {
	if b.version == 1 {
		b.put(w, uint32(n))
		return
	}
	b.put(w, n)
}

func (b *builder) str(w *bytes.Buffer, s string) {
	b.size(w, uint64(len(s)))
	w.WriteString(s)
}

func (b *builder) text(key, value string) *builder {
	b.nkv++
	b.str(&b.kv, key)
	b.put(&b.kv, uint32(typeString))
	b.str(&b.kv, value)
	return b
}

func (b *builder) u32(key string, v uint32) *builder {
	b.nkv++
	b.str(&b.kv, key)
	b.put(&b.kv, uint32(typeU32))
	b.put(&b.kv, v)
	return b
}

func (b *builder) words(key string, words ...string) *builder {
	b.nkv++
	b.str(&b.kv, key)
	b.put(&b.kv, uint32(typeArray))
	b.put(&b.kv, uint32(typeString))
	b.size(&b.kv, uint64(len(words)))
	for _, w := range words {
		b.str(&b.kv, w)
	}
	return b
}

// raw writes a key, a type and any bytes.
func (b *builder) raw(key string, kind uint32, value ...any) *builder {
	b.nkv++
	b.str(&b.kv, key)
	b.put(&b.kv, kind)
	for _, v := range value {
		b.put(&b.kv, v)
	}
	return b
}

func (b *builder) tensor(name string, kind uint32, offset uint64, shape ...uint64) *builder {
	b.nt++
	b.str(&b.ti, name)
	b.put(&b.ti, uint32(len(shape)))
	for _, d := range shape {
		b.size(&b.ti, d)
	}
	b.put(&b.ti, kind)
	b.put(&b.ti, offset)
	return b
}

func (b *builder) head() []byte {
	var w bytes.Buffer
	w.WriteString("GGUF")
	b.put(&w, b.version)
	b.size(&w, b.nt)
	b.size(&w, b.nkv)
	w.Write(b.kv.Bytes())
	w.Write(b.ti.Bytes())
	return w.Bytes()
}

// bytes is the file with n bytes of data.
func (b *builder) bytes(n int) []byte {
	h := b.head()
	h = append(h, make([]byte, (b.align-len(h)%b.align)%b.align)...)
	return append(h, make([]byte, n)...)
}

func big(b *builder) *builder { b.order = binary.BigEndian; return b }

func v(n uint32, b *builder) *builder { b.version = n; return b }

func with(b []byte, at int, s string) []byte {
	copy(b[len(b)+at:], s)
	return b
}

func TestScan(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct {
		name    string
		file    []byte
		verdict finding.Verdict
		rules   []string
		reason  string
		child   string
	}{
		{name: "two tensors", file: build().u32("general.file_type", 1).tensor("a", 0, 0, 4, 2).tensor("b", 2, 32, 32, 2).bytes(32 + 36)},
		{name: "padded end", file: build().tensor("b", 2, 0, 32, 2).bytes(64)},
		{name: "big endian", file: big(build()).text("general.name", "x").tensor("a", 0, 0, 4).bytes(16)},
		{name: "version 2", file: v(2, build()).words("t", "a", "b").tensor("a", 0, 0, 4).bytes(16)},
		{name: "version 1", file: v(1, build()).text("general.name", "x").words("t", "a", "b").tensor("a", 0, 0, 4).bytes(16)},
		{name: "no tensors", file: build().text("general.architecture", "llama").bytes(0)},
		{name: "no tensors, no padding", file: build().text("general.architecture", "llama").head()},
		{name: "all scalars", file: build().raw("a", 0, uint8(1)).raw("b", 1, int8(1)).raw("c", 2, int16(1)).raw("d", 3, int16(1)).raw("e", 5, int32(1)).raw("f", 6, float32(1)).raw("g", 7, true).raw("h", 10, int64(1)).raw("i", 11, int64(1)).raw("j", 12, float64(1)).tensor("a", 0, 0, 4).bytes(16)},
		{name: "scores", file: build().raw("s", 9, uint32(6), uint64(3), [3]float32{}).tensor("a", 0, 0, 4).bytes(16)},
		{name: "nested array", file: build().raw("s", 9, uint32(9), uint64(1), uint32(0), uint64(2), [2]uint8{}).tensor("a", 0, 0, 4).bytes(16)},
		{name: "other alignment", file: func() []byte {
			b := build().u32("general.alignment", 64).tensor("a", 0, 0, 4).tensor("b", 0, 64, 4)
			b.align = 64
			return b.bytes(80)
		}()},
		{name: "scalar and empty", file: build().tensor("a", 0, 0).tensor("b", 0, 32, 0, 7).tensor("c", 0, 32, 1).bytes(36)},
		{name: "out of order", file: build().tensor("b", 0, 32, 4).tensor("a", 0, 0, 4).bytes(48)},
		{name: "mxfp4", file: build().tensor("a", 39, 0, 32).bytes(17)},
		{name: "a fork's type 42", file: build().tensor("a", 42, 0, 128, 8).tensor("b", 0, 288, 1).bytes(292)},
		{name: "addresses", file: build().text("general.url", "https://example.com/x").text("general.description", "Use eval() (it is fast); see the docs.").bytes(0)},
		{name: "shard", file: build().raw("split.no", 2, uint16(1)).raw("split.count", 2, uint16(3)).tensor("a", 0, 0, 4).bytes(16)},
		{name: "template", file: build().text("tokenizer.chat_template", "{{ x }}").bytes(0), child: "tokenizer.chat_template"},
		{name: "named template", file: build().words("tokenizer.chat_templates", "tool_use").text("tokenizer.chat_template.tool_use", "{{ x }}").bytes(0), child: "tokenizer.chat_template.tool_use"},

		{name: "key twice", file: build().u32("a", 1).u32("a", 2).bytes(0), verdict: finding.Block, rules: []string{"gguf/duplicate-key"}},
		{name: "tensor twice", file: build().tensor("a", 0, 0, 4).tensor("a", 0, 32, 4).bytes(48), verdict: finding.Block, rules: []string{"gguf/duplicate-key"}},
		{name: "overlap", file: build().tensor("a", 0, 0, 16).tensor("b", 0, 32, 4).bytes(64), verdict: finding.Block, rules: []string{"gguf/overlap"}},
		{name: "shared", file: build().tensor("a", 0, 0, 8).tensor("b", 0, 0, 8).bytes(32), verdict: finding.Review, rules: []string{"gguf/overlap"}},
		{name: "gap", file: build().tensor("a", 0, 0, 4).tensor("b", 0, 320, 4).bytes(336), verdict: finding.Review, rules: []string{"gguf/gap"}, child: "gap@"},
		{name: "late start", file: build().tensor("b", 0, 32, 4).bytes(48), verdict: finding.Review, rules: []string{"gguf/gap"}, child: "gap@"},
		{name: "trailing", file: build().tensor("a", 0, 0, 4).bytes(100), verdict: finding.Review, rules: []string{"gguf/trailing-data"}, child: "trailing@"},
		{name: "trailing without tensors", file: build().u32("a", 1).bytes(100), verdict: finding.Review, rules: []string{"gguf/trailing-data"}, child: "trailing@"},
		{name: "padding with data", file: func() []byte {
			b := build().u32("general.alignment", 4096).tensor("a", 0, 0, 4).tensor("b", 0, 4096, 4)
			b.align = 4096
			return with(b.bytes(4112), -1000, "PK\x03\x04")
		}(), verdict: finding.Review, rules: []string{"gguf/gap"}, child: "padding@"},
		{name: "out of file", file: build().tensor("a", 0, 0, 4).tensor("b", 0, 32, 1<<40).bytes(48), verdict: finding.Block, rules: []string{"gguf/tensor-out-of-file"}, reason: "truncated"},
		{name: "data missing", file: build().tensor("a", 0, 0, 4).head(), verdict: finding.Block, rules: []string{"gguf/tensor-out-of-file"}, reason: "truncated"},
		{name: "product overflow", file: build().tensor("a", 0, 0, 1<<32, 1<<32).bytes(32), verdict: finding.Block, rules: []string{"gguf/tensor-overflow"}, reason: "malformed"},
		{name: "size overflow", file: build().tensor("a", 28, 0, 1<<31, 1<<31).bytes(32), verdict: finding.Block, rules: []string{"gguf/tensor-overflow"}, reason: "malformed"},
		{name: "negative dimension", file: build().tensor("a", 0, 0, 1<<63).bytes(32), verdict: finding.Block, rules: []string{"gguf/tensor-overflow"}, reason: "malformed"},
		{name: "zero hides an overflow", file: build().tensor("a", 0, 0, 1<<63, 0).bytes(32), verdict: finding.Block, rules: []string{"gguf/tensor-overflow"}, reason: "malformed"},
		{name: "offset overflow", file: build().tensor("a", 0, 1<<63, 4).bytes(32), verdict: finding.Block, rules: []string{"gguf/tensor-overflow"}, reason: "malformed"},
		{name: "five dimensions", file: build().tensor("a", 0, 0, 1, 1, 1, 1, 1).bytes(32), verdict: finding.Block, rules: []string{"gguf/tensor-overflow"}, reason: "malformed"},
		{name: "negative tensor type", file: build().tensor("a", 1<<31, 0, 1).bytes(32), verdict: finding.Block, rules: []string{"gguf/negative-type"}, reason: "malformed"},
		{name: "negative value type", file: build().raw("a", 1<<32-1).bytes(32), verdict: finding.Block, rules: []string{"gguf/negative-type"}, reason: "malformed"},
		{name: "negative array type", file: build().raw("a", 9, int32(-2), uint64(1)).bytes(32), verdict: finding.Block, rules: []string{"gguf/negative-type"}, reason: "malformed"},
		{name: "huge string", file: build().raw("a", 8, uint64(1<<63)).bytes(32), verdict: finding.Block, rules: []string{"gguf/length-overflow"}, reason: "truncated"},
		{name: "huge array", file: build().raw("a", 9, uint32(12), uint64(1<<61)).bytes(32), verdict: finding.Block, rules: []string{"gguf/length-overflow"}, reason: "truncated"},
		{name: "huge string in an array", file: build().raw("a", 9, uint32(8), uint64(1), uint64(1<<64-1)).bytes(32), verdict: finding.Block, rules: []string{"gguf/length-overflow"}, reason: "truncated"},
		{name: "huge key count", file: func() []byte { b := build(); b.nkv = 1 << 60; return b.bytes(32) }(), verdict: finding.Block, rules: []string{"gguf/length-overflow"}, reason: "truncated"},
		{name: "huge tensor count", file: func() []byte { b := build(); b.nt = 1<<64 - 1; return b.bytes(32) }(), verdict: finding.Block, rules: []string{"gguf/length-overflow"}, reason: "truncated"},
		{name: "alignment of zero", file: build().u32("general.alignment", 0).bytes(32), verdict: finding.Review, rules: []string{"gguf/alignment"}, reason: "malformed"},
		{name: "alignment of 24", file: build().u32("general.alignment", 24).bytes(32), verdict: finding.Review, rules: []string{"gguf/alignment"}, reason: "malformed"},
		{name: "code", file: build().text("general.description", "import os; os.system('id')").bytes(0), verdict: finding.Review, rules: []string{"gguf/metadata"}},

		{name: "alignment of 4", file: build().u32("general.alignment", 4).head(), verdict: finding.Review, reason: "malformed"},
		{name: "alignment as text", file: build().text("general.alignment", "32").bytes(0), verdict: finding.Review, reason: "malformed"},
		{name: "long string", file: build().raw("a", 8, uint64(1000)).bytes(32), verdict: finding.Review, reason: "truncated"},
		{name: "cut in the table", file: build().tensor("a", 0, 0, 4).head()[:50], verdict: finding.Review, reason: "truncated"},
		{name: "cut in the header", file: []byte("GGUF\x03\x00\x00\x00\x01"), verdict: finding.Review, reason: "truncated"},
		{name: "magic alone", file: []byte("GGUF"), verdict: finding.Review, reason: "truncated"},
		{name: "version 4", file: v(4, build()).bytes(0), verdict: finding.Review, reason: "unsupported-version"},
		{name: "version 0", file: v(0, build()).bytes(0), verdict: finding.Review, reason: "unsupported-version"},
		{name: "removed type", file: build().tensor("a", 4, 0, 32).bytes(32), verdict: finding.Review, reason: "malformed"},
		{name: "new type", file: build().tensor("a", 99, 0, 32).bytes(32), verdict: finding.Review, reason: "malformed"},
		{name: "new value type", file: build().raw("a", 13).bytes(32), verdict: finding.Review, reason: "malformed"},
		{name: "part of a block", file: build().tensor("a", 2, 0, 33).bytes(18), verdict: finding.Review, reason: "malformed"},
		{name: "unaligned", file: build().tensor("a", 0, 0, 4).tensor("b", 0, 16, 4).bytes(32), verdict: finding.Review, reason: "malformed"},
		{name: "long tensor name", file: build().tensor(long, 0, 0, 4).bytes(16), verdict: finding.Review, reason: "malformed"},
		{name: "long key", file: build().u32(long, 0).bytes(0), verdict: finding.Review, reason: "malformed"},
		{name: "deep array", file: build().raw("s", 9, uint32(9), uint64(1), uint32(9), uint64(1), uint32(9), uint64(1), uint32(9), uint64(1), uint32(9), uint64(1), uint32(0), uint64(0)).bytes(0), verdict: finding.Review, reason: "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := formattest.Bytes(t, "m.gguf", tt.file, New())
			if !o.Matched || o.Verdict != tt.verdict || !slices.Equal(o.Rules(), tt.rules) {
				t.Errorf("verdict %v, rules %v, reasons %v; want %v, %v", o.Verdict, o.Rules(), o.Reasons, tt.verdict, tt.rules)
			}
			if (tt.reason != "") != (len(o.Reasons) > 0) || tt.reason != "" && !o.Has(tt.reason) {
				t.Errorf("reasons %v, want %q", o.Reasons, tt.reason)
			}
			if (tt.child != "") != (len(o.Children) > 0) || tt.child != "" && !strings.HasPrefix(o.Children[0].Name, tt.child) {
				t.Errorf("children %v, want %q", o.Children, tt.child)
			}
			// The same through a reader that must be asked.
			blob := input.FromReaderAt(bytes.NewReader(tt.file), int64(len(tt.file)))
			if p := formattest.Run(t, "m.gguf", blob, New()); p.Verdict != o.Verdict || !slices.Equal(p.Rules(), o.Rules()) || !slices.Equal(p.Reasons, o.Reasons) {
				t.Errorf("read, not mapped: %v %v %v", p.Verdict, p.Rules(), p.Reasons)
			}
		})
	}
}

func TestTemplateIsHandedOn(t *testing.T) {
	o := formattest.Bytes(t, "m.gguf", build().text("tokenizer.chat_template", "{{ x }}").bytes(0), New())
	if len(o.Children) != 1 || o.Children[0].Hint != "jinja" {
		t.Fatalf("children %+v", o.Children)
	}
	if b, _ := o.Children[0].Blob.Load(99); string(b) != "{{ x }}" {
		t.Errorf("template %q", b)
	}
}

func TestMatch(t *testing.T) {
	for content, want := range map[string]bool{
		"GGUF\x03\x00\x00\x00": true, "GGUF\x00\x00\x00\x03": true, "GGUF is a format": false, "GGU": false, "": false,
	} {
		p := formattest.Probe(t, "m.bin", input.FromBytes([]byte(content)))
		if New().Match(p) != want {
			t.Errorf("%q: want %v", content, want)
		}
	}
	for content, want := range map[string]bool{"tjgg\x03\x00\x00\x00\x00\x7d\x00\x00": true, "lmgg\x00\x7d\x00\x00\x00\x10\x00\x00": true, "lmgg is no text": false} {
		o := formattest.Bytes(t, "m.bin", []byte(content), NewLegacy())
		if o.Matched != want || want && o.Coverage != finding.Unsupported {
			t.Errorf("%q: %v %v", content, o.Matched, o.Coverage)
		}
	}
}

func TestSparseFileIsNotRead(t *testing.T) {
	const size = 10 << 30
	b := build()
	n := uint64(0)
	for i := 0; n+1<<28 <= size-4096; i++ {
		b.tensor(fmt.Sprintf("blk.%d.ffn_up.weight", i), 1, n, 1<<13, 1<<14)
		n += 1 << 28
	}
	head := b.bytes(0)
	blob, c := formattest.Sparse(t, head, int64(len(head))+int64(n))
	if o := formattest.Run(t, "m.gguf", blob, New()); o.Verdict != finding.Clean || o.Coverage != finding.Complete {
		t.Errorf("%v %v", o.Rules(), o.Reasons)
	}
	if c.Read >= 1<<20 {
		t.Errorf("%d bytes read", c.Read)
	}
}

// TestVocabularyIsReadOnce: a large vocabulary is walked in windows.
func TestVocabularyIsReadOnce(t *testing.T) {
	file := vocabulary(50_000)
	c := &formattest.Counter{R: bytes.NewReader(file)}
	o := formattest.Run(t, "m.gguf", input.FromReaderAt(c, int64(len(file))), New())
	if o.Verdict != finding.Clean {
		t.Errorf("%v %v", o.Rules(), o.Reasons)
	}
	if c.Read > int64(len(file))*5/4+window {
		t.Errorf("%d bytes read of %d", c.Read, len(file))
	}
	if limit := len(file)/window*2 + 10; c.Reads > limit {
		t.Errorf("%d reads, want at most %d", c.Reads, limit)
	}
}

func vocabulary(n int) []byte {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("Ġtoken%d", i)
	}
	return build().words("tokenizer.ggml.tokens", words...).raw("tokenizer.ggml.scores", 9, uint32(6), uint64(n), make([]float32, n)).tensor("a", 0, 0, 4).bytes(16)
}

func TestRules(t *testing.T) {
	if _, err := finding.NewCatalogue(Rules()); err != nil {
		t.Error(err)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(build().u32("general.alignment", 64).text("tokenizer.chat_template", "{{ x }}").tensor("a", 0, 0, 4).bytes(16))
	f.Add(big(build()).words("t", "a", "b").tensor("a", 42, 0, 128).bytes(34))
	f.Add(v(1, build()).words("t", "a", "b").tensor("a", 2, 0, 32).bytes(18))
	f.Add(build().raw("s", 9, uint32(9), uint64(1), uint32(0), uint64(2), [2]uint8{}).tensor("b", 0, 320, 4).bytes(400))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := formattest.Bytes(t, "m.gguf", b, New())
		blob := input.FromReaderAt(bytes.NewReader(b), int64(len(b)))
		if p := formattest.Run(t, "m.gguf", blob, New()); p.Verdict != o.Verdict || !slices.Equal(p.Reasons, o.Reasons) {
			t.Errorf("in memory %v %v, read %v %v", o.Verdict, o.Reasons, p.Verdict, p.Reasons)
		}
		for _, c := range o.Children {
			if c.Blob.Size() > int64(len(b)) {
				t.Error("child larger than the file")
			}
		}
	})
}

func BenchmarkVocabulary(b *testing.B) {
	file := vocabulary(256_000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		formattest.Bytes(b, "m.gguf", file, New())
	}
}
