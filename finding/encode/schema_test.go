package encode

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"bartizan/finding"
	"bartizan/subject"
)

// compile reads schemas from files alone: nothing is fetched.
func compile(t testing.TB, main string, files map[string]string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for id, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(id, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile(main)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func schemaFile(name string) string { return filepath.Join("testdata", "schema", name) }

func reportSchema(t testing.TB) *jsonschema.Schema {
	const id = "https://bartizan.invalid/report.schema.json"
	return compile(t, id, map[string]string{id: filepath.Join("..", "..", "docs", "report.schema.json")})
}

func sarifSchema(t testing.TB) *jsonschema.Schema {
	const id = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	return compile(t, id, map[string]string{id: schemaFile("sarif-schema-2.1.0.json")})
}

func cycloneDXSchema(t testing.TB) *jsonschema.Schema {
	const base = "http://cyclonedx.org/schema/"
	files := map[string]string{}
	for _, f := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json"} {
		files[base+f] = schemaFile(f)
	}
	return compile(t, base+"bom-1.6.schema.json", files)
}

func validate(t interface{ Fatalf(string, ...any) }, s *jsonschema.Schema, out []byte) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
	if err != nil {
		t.Fatalf("not JSON: %v\n%.400s", err, out)
	}
	if err := s.Validate(doc); err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
}

// example is a small report with everything in it that reports can have.
func example() ([]finding.SubjectReport, End, Options) {
	rule := finding.Rule{
		ID: "pickle/dangerous-call", Title: "A pickle calls what can run code", Help: "The stream names a callable and calls it.",
		Severity: finding.Critical, Confidence: finding.ConfidenceHigh, References: []string{"CWE-502", "AML.T0018.002", "LLM03:2025"},
		Remediation: "Do not load the file.", Evidence: map[string]string{"symbol": "what is called"},
	}
	bad := rule.New(finding.At("models/a.pt!/archive/data.pkl", 123, 9), "calls os.system", map[string]any{"symbol": "os.system", "arguments": []string{"id\x1b[2J"}})
	bad.Count = 3
	last := finding.At("models/a.pt!/archive/data.pkl", 223, 9)
	bad.Last = &last
	accepted := rule.New(finding.At("b.pkl", 1, 2), "calls builtins.print", nil)
	var sum finding.Summary
	var list []finding.SubjectReport
	add := func(s subject.Subject, f func(*finding.Collector), w []finding.Waiver) {
		var c finding.Collector
		f(&c)
		r := c.Result(s.ID)
		if len(w) > 0 {
			w[0].Fingerprint = r.Findings[0].Fingerprint
		}
		r.Waive(w, time.Unix(0, 0))
		report := finding.NewSubjectReport(s, r)
		sum.Add(&report)
		list = append(list, report)
	}
	digest := "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	add(subject.Subject{Kind: subject.File, ID: "models/a.pt", Size: 1234567, Digest: digest}, func(c *finding.Collector) { c.Format("pytorch-zip"); c.Add(bad) }, nil)
	add(subject.Subject{Kind: subject.File, ID: "b.pkl", Size: 12}, func(c *finding.Collector) { c.Format("pickle"); c.Add(accepted) },
		[]finding.Waiver{{Reason: "our own <b>logger</b>", By: "ada", Expires: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)}})
	add(subject.Subject{Kind: subject.File, ID: "caf\xe9 \u202e.bin", Size: 5}, func(c *finding.Collector) { c.Unsupported("unknown-format", "") }, nil)
	add(subject.Subject{Kind: subject.File, ID: "gone", Size: -1}, func(c *finding.Collector) { c.Incomplete("missing", "no such file: check the path") }, nil)
	add(subject.Subject{Kind: subject.File, ID: "w.safetensors", Size: 999}, func(c *finding.Collector) { c.Format("safetensors") }, nil)
	list[0].Decompiled = []finding.Listing{{Path: "models/a.pt!/archive/data.pkl", Text: "from os import system\nsystem('id')\n"}}
	opt := Options{Tool: finding.Tool{Name: "bartizan", Version: "1.2.3", Packs: map[string]string{"symbols": digest}}, Rules: []finding.Rule{rule}}
	return list, End{Summary: sum}, opt
}

func encodeAll(t interface{ Fatalf(string, ...any) }, format string, list []finding.SubjectReport, end End, opt Options) []byte {
	var b bytes.Buffer
	e, err := New(format, &b, opt)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i := range list {
		if err := e.Subject(&list[i]); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := e.Close(end); err != nil {
		t.Fatalf("%v", err)
	}
	return b.Bytes()
}

// Hostile reports in every format: valid against the format's own schema, and
// with nothing hidden in them.
func TestHostileReports(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{"json": reportSchema(t), "sarif": sarifSchema(t), "cyclonedx": cycloneDXSchema(t), "jsonl": nil, "html": nil, "table": nil}
	for _, format := range Formats() {
		schema, known := schemas[format]
		if !known {
			t.Fatalf("format %s has no place in this test", format)
		}
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				list := rapid.SliceOfN(reports(texts(true)), 0, 3).Draw(t, "list")
				end := End{Summary: finding.Summary{Subjects: len(list)}, Reasons: rapid.SliceOfN(texts(true), 0, 1).Draw(t, "reasons")}
				out := encodeAll(t, format, list, end, Options{Tool: finding.Tool{Name: "bartizan", Version: "1"}})
				if format != "html" && format != "cyclonedx" && format != "table" {
					checkVisible(t, out)
				}
				checkVisible(t, bytes.ReplaceAll(out, []byte("\t"), nil))
				if schema != nil {
					validate(t, schema, out)
				}
			})
		})
	}
}
