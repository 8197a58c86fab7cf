package template

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/detect/input"
	"bartizan/finding"
)

// read gives the strings that hold a tag, by pointer, and the fault.
func read(src string) (found map[string][]string, err error) {
	found = map[string][]string{}
	r := &reader{in: bufio.NewReaderSize(strings.NewReader(src), 16), ctx: context.Background(), visit: func(v value) {
		found[v.pointer] = append(found[v.pointer], v.text)
	}}
	err = r.texts()
	return found, err
}

func TestReadJSON(t *testing.T) {
	for _, c := range []struct{ src, pointer, want string }{
		{`"{{a}}"`, "", "{{a}}"}, {`{"a":"{{a}}"}`, "/a", "{{a}}"}, {`{"a":[1,{"b":"{%a%}"}]}`, "/a/1/b", "{%a%}"}, {"\xef\xbb\xbf{\"a\":\"{{a}}\"}", "/a", "{{a}}"},
		{`{"a":"\u007b{a}}"}`, "/a", "{{a}}"}, {`{"a":"{\u007Ba\n\ud83d\ude00}}"}`, "/a", "{{a\n😀}}"}, {`{"a/b":{"~":"{{"}}`, "/a~1b/~0", "{{"}, {`{"a":"{{\ud800"}`, "/a", "{{\ufffd"},
		{`{"x":NaN,"y":-Infinity,"z":1e5,"a":"{{a}}"}`, "/a", "{{a}}"}, {`{} {"a":"{{a}}"}`, "/a", "{{a}}"}, {"{\"a\":\"{{\xff\"}", "/a", "{{\xff"}, {`[[],[],"{{a}}"]`, "/2", "{{a}}"},
	} {
		found, err := read(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
		}
		if got := found[c.pointer]; len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: found %q, want %q at %s", c.src, found, c.want, c.pointer)
		}
	}
	if found, err := read(`{"a":"{{1}}","a":"{{2}}"}`); err != nil || len(found["/a"]) != 2 {
		t.Errorf("a key that stands twice: %q %v", found, err)
	}
}

func TestReadMalformedJSON(t *testing.T) {
	for _, src := range []string{
		"", " ", "{", "[", `"`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `[1,]`, `[1 2]`, `[,1]`, `{"a":"{{\q"}`, `{"a":"\u12"}`, "\"a\nb\"", "nul", "nulll", "01x", "-", "]", "}", `{"a":1}}`, `[1}`, "'a'",
		strings.Repeat("[", 600),
	} {
		_, err := read(src)
		var bad *malformed
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v", src, err)
		} else if bad.offset < 0 || bad.offset > int64(len(src)) {
			t.Errorf("%q: offset %d", src, bad.offset)
		}
	}
}

// scanned gives the result for a file in memory.
func scanned(t testing.TB, name, src string) finding.Result {
	t.Helper()
	out := &finding.Collector{}
	blob := input.FromReaderAt(strings.NewReader(src), int64(len(src)))
	a := &format.Artifact{Blob: blob, Path: name, Name: name, Budget: input.NewBudget(blob.Size()), Out: out}
	if err := New().Scan(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	return out.Result(name)
}

const attack = `{{ ''.__class__.__mro__ }}`

func quoted(s string) string { b, _ := json.Marshal(s); return string(b) }

func TestScanFiles(t *testing.T) {
	for _, c := range []struct {
		name, src string
		verdict   finding.Verdict
		coverage  finding.Coverage
	}{
		{"tokenizer_config.json", `{"chat_template":` + quoted(attack) + `}`, finding.Block, finding.Complete},
		{"tokenizer_config.json", `{"chat_template":[{"name":"default","template":"{{ a }}"},{"name":"tool_use","template":` + quoted(attack) + `}]}`, finding.Block, finding.Complete},
		{"tokenizer_config.json", `{"chat_template":{"default":` + quoted(attack) + `}}`, finding.Block, finding.Complete},
		{"other.json", `{"x":{"y":[` + quoted(attack) + `]}}`, finding.Block, finding.Complete},
		{"other.json", `{"a":1,"a":` + quoted(attack) + `,"a":2}`, finding.Block, finding.Complete},
		{"other.json", `{"a":"\u007b\u007b x.__class__ \u007d}"}`, finding.Block, finding.Complete},
		{"other.json", `{"a":` + quoted(attack) + `,"b":`, finding.Block, finding.Incomplete},
		{"data.json", `[{"text":` + quoted(attack) + `}]`, finding.Review, finding.Complete},
		{"data.jsonl", "{\"text\":" + quoted(attack) + "}\n{\"text\":\"a\"}\n", finding.Review, finding.Complete},
		{"data.jsonl", "{\"chat_template\":" + quoted(attack) + "}\n{}\n", finding.Block, finding.Complete},
		{"tokenizer.json", `{"model":{"vocab":{"{{":1,"{%":2},"merges":["{ {","{{ }}","{% a"],"x":["{{","{%","{{ ' }"]}}`, finding.Clean, finding.Complete},
		{"config.json", `{"greeting":"Hello {{name}}","go":"{{ .Values.a }}","hb":"{{#if a}}b{{/if}}","ci":"${{ secrets.TOKEN }}","latex":"\\frac{{a}}{b}"}`, finding.Clean, finding.Complete},
		{"config.json", `{"a":1`, finding.Review, finding.Incomplete},
		{"config.json", `{"chat_template":"{{ a"}`, finding.Review, finding.Incomplete},
		{"config.json", `{"chat_template":"{{ messages }}","chat_template":"{{ messages }}{{ x }}"}`, finding.Review, finding.Complete},
		{"config.json", `{"chat_template":"{{ messages }}","chat_template":"{{messages}}"}`, finding.Clean, finding.Complete},
		{"config.json", "\xff\xfe{\x00}\x00", finding.Review, finding.Incomplete},
		{"a.yaml", "chat_template: \"" + `{{ x.__class__ }}` + "\"\n", finding.Block, finding.Complete},
		{"a.yaml", "chat_template: \"\\x7b\\x7b x.__class__ }}\"\n", finding.Block, finding.Complete},
		{"a.yaml", "chat_template: |\n  {{ x.__class__ }}\n", finding.Block, finding.Complete},
		{"a.yaml", "a: &x\n  b: '{{ x.__class__ }}'\nc: *x\n", finding.Block, finding.Complete},
		{"a.yaml", "a: 1\n---\nb: '{{ x.__class__ }}'\n", finding.Block, finding.Complete},
		{"a.yaml", "a: {{ x.__class__ }}\n", finding.Block, finding.Complete},
		{"a.yaml", "a: {{ x.__class__ }}\nb: }\n", finding.Block, finding.Incomplete},
		{"a.yaml", "a: 1\nb: [1, 2]\n", finding.Clean, finding.Complete},
		{"a.yaml", "a: [1, 2\n", finding.Clean, finding.Complete}, // holds no tag: not this format's to judge
		{"a.yaml", "a: &a ['{{ b }}']\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n", finding.Clean, finding.Complete},
		{"chat_template.jinja", attack, finding.Block, finding.Complete},
		{"chat_template.jinja", "{{ bos_token }}", finding.Clean, finding.Complete},
		{"chat_template.jinja", "{{ bos_token", finding.Review, finding.Incomplete},
		{"a.j2", "<html>{% extends 'base.html' %}{{ config.title }}{{ request.path }}{{ url_for('x') }}</html>", finding.Clean, finding.Complete},
		{"a.template", "{{ .Values.a }} {{- with .b }}{{ end }}", finding.Clean, finding.Complete},
		{"a.template", `{"AWSTemplateFormatVersion":"2010-09-09"}`, finding.Clean, finding.Complete},
		{"chat_template.txt", attack, finding.Block, finding.Complete},
		{"a.jinja", strings.Repeat("a", 2<<20) + attack, finding.Review, finding.Incomplete},
		{"config.json", `{"api_key":"sk-1234567890abcdef"}`, finding.Review, finding.Complete},
		{"config.json", `{"api_key":"YOUR_KEY","token":"</s>","aws_access_key_id":"AKIAIOSFODNN7EXAMPLE","pad_token":"sk-1234567890abcdef"}`, finding.Clean, finding.Complete},
		{"config.json", `{"debug_command":"rm -rf /"}`, finding.Review, finding.Complete},
		{"config.json", `{"description":"never run rm -rf /"}`, finding.Clean, finding.Complete},
	} {
		r := scanned(t, c.name, c.src)
		if r.Verdict != c.verdict || r.Coverage != c.coverage {
			t.Errorf("%s %.120s: %s %s, want %s %s (%v %+v)", c.name, c.src, r.Verdict, r.Coverage, c.verdict, c.coverage, r.Reasons, r.Findings)
		}
	}
}

func TestPlaces(t *testing.T) {
	r := scanned(t, "c.json", `{"chat_template":[{"name":"a","template":"x\n {{ y.__class__ }}"}]}`)
	if len(r.Findings) != 1 {
		t.Fatalf("%+v", r.Findings)
	}
	f := r.Findings[0]
	if f.Place.Pointer != "/chat_template/0/template" || f.Place.Line != 2 || f.Place.Column != 5 || f.Evidence["symbol"] != "y.__class__" {
		t.Errorf("%+v", f)
	}
	r = scanned(t, "c.jinja", "x\n {{ y.__class__ }}")
	if f := r.Findings[0]; f.Place.Offset == nil || *f.Place.Offset != 6 || f.Place.Line != 2 {
		t.Errorf("%+v", f.Place)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, head string
		want       bool
	}{
		{"a.json", "{}", true}, {"a", `{"a":1}`, true}, {"a.bin", `[{"a":1}]`, true}, {"a.toml", "[a]\nb=1", false}, {"a.txt", "{ a }", false}, {"a.jinja", "x", true}, {"a.template", "x", true},
		{"chat_template.txt", "{{ a }}", true}, {"notes.txt", "{{ a }}", false}, {"notes.txt", "{% for m in messages %}", true}, {"a.json", "{\x00", false}, {"a.py", "x = '{% for m in messages %}'", false},
		{"readme.md", "{{ ''.__class__ }}", false}, {"a.yml", "a: 1", true}, {"model.gguf", "GGUF\x03\x00\x00\x00", false},
	} {
		if got := New().Match(&format.Probe{Head: []byte(c.head), Size: int64(len(c.head)), Name: c.name}); got != c.want {
			t.Errorf("%s %q: %v", c.name, c.head, got)
		}
	}
}

func TestRules(t *testing.T) {
	if _, err := finding.NewCatalogue(New().Rules()); err != nil {
		t.Fatal(err)
	}
}

func TestDrift(t *testing.T) {
	place := finding.Place{Path: "m/tokenizer_config.json", Pointer: "/chat_template"}
	if _, differs := Drift(place, "m/model.gguf", "{{ a['b'] }}", `{{a.b}}`); differs {
		t.Error("quotes and white space count")
	}
	f, differs := Drift(place, "m/model.gguf", "{{ a }}", "{{ b }}")
	if !differs || f.Rule != "template/drift" || f.Severity != finding.Medium || f.Evidence["difference"] == "" {
		t.Errorf("%+v", f)
	}
}

// TestLargeTokenizer reads a vocabulary of tens of megabytes with little memory.
func TestLargeTokenizer(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"model":{"vocab":{`)
	for i := 0; b.Len() < 24<<20; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"token`)
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteString(`":12345`)
	}
	b.WriteString(`},"merges":["a b"]},"chat_template":` + quoted(attack) + `}`)
	src := b.String()
	allocs := testing.AllocsPerRun(1, func() {
		if r := scanned(t, "tokenizer.json", src); r.Verdict != finding.Block {
			t.Errorf("%s %v", r.Verdict, r.Reasons)
		}
	})
	t.Logf("%d bytes, %.0f allocations", len(src), allocs)
}

func BenchmarkTokenizer(b *testing.B) {
	src := `{"model":{"vocab":{` + strings.Repeat(`"token":12345,`, 1<<20) + `"a":1},"merges":[` + strings.Repeat(`"ab cd",`, 1<<20) + `"a b"]}}`
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for range b.N {
		scanned(b, "tokenizer.json", src)
	}
}

// FuzzJSON: what Go's own decoder accepts, this reader accepts, and sees the same
// strings with a tag; nothing makes it panic.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":["{{b}}",1.5e3,null]}`, `[{"a":"\u007b{"},"{%"]`, `{"a":"{{","a":"{%"}`, "\xef\xbb\xbf{}", `"\ud800"`, `[1e400,-0]`, "{\"\xff\":\"{{\"}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		found, err := read(src)
		if !json.Valid([]byte(src)) {
			return
		}
		if err != nil && strings.Count(src, "[")+strings.Count(src, "{") < maxDepth {
			t.Fatalf("%q: %v", src, err)
		}
		want := values(src)
		got := 0
		for _, list := range found {
			for _, s := range list {
				if strings.Contains(s, "{{") || strings.Contains(s, "{%") {
					got++
				}
			}
		}
		if err == nil && got != want {
			t.Fatalf("%q: %d strings with a tag, want %d", src, got, want)
		}
	})
}

// values counts the string values with a tag, as encoding/json reads them.
func values(src string) int {
	dec := json.NewDecoder(strings.NewReader(src))
	n := 0
	var object []bool // of each level: is it an object, and
	var key []bool    // is a key next
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) || err != nil {
			return n
		}
		top := len(object) - 1
		if d, ok := tok.(json.Delim); ok && (d == '}' || d == ']') {
			object, key = object[:top], key[:top]
			continue
		}
		isKey := top >= 0 && object[top] && key[top]
		if top >= 0 && object[top] {
			key[top] = !key[top]
		}
		switch v := tok.(type) {
		case json.Delim:
			object, key = append(object, v == '{'), append(key, v == '{')
		case string:
			if !isKey && (strings.Contains(v, "{{") || strings.Contains(v, "{%")) {
				n++
			}
		}
	}
}
