package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"bartizan/finding"
)

const models = "../../testdata/models"

// attackFile writes a pickle that runs a command.
func attackFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bad.pkl")
	if err := os.WriteFile(path, []byte("cos\nsystem\n(S'id'\ntR."), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// scanModels scans models that real libraries wrote, and an attack.
func scanModels(t *testing.T, bad string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), append([]string{"scan", models, bad}, args...), &streams{out: &out, err: &errs})
	if code != exitFound {
		t.Fatalf("exit code %d, stderr %s", code, errs.String())
	}
	return out.Bytes()
}

func TestRealReportsFollowTheirSchemas(t *testing.T) {
	const schemas = "../../finding/encode/testdata/schema/"
	for _, c := range []struct {
		format, main string
		files        map[string]string
	}{
		{"json", "https://bartizan.invalid/report.schema.json", map[string]string{"https://bartizan.invalid/report.schema.json": "../../docs/report.schema.json"}},
		{"sarif", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", map[string]string{
			"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json": schemas + "sarif-schema-2.1.0.json"}},
		{"cyclonedx", "http://cyclonedx.org/schema/bom-1.6.schema.json", map[string]string{
			"http://cyclonedx.org/schema/bom-1.6.schema.json":  schemas + "bom-1.6.schema.json",
			"http://cyclonedx.org/schema/spdx.schema.json":     schemas + "spdx.schema.json",
			"http://cyclonedx.org/schema/jsf-0.82.schema.json": schemas + "jsf-0.82.schema.json"}},
	} {
		t.Run(c.format, func(t *testing.T) {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(scanModels(t, attackFile(t), "--digest", "--decompile", "--format", c.format)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema(t, c.main, c.files).Validate(doc); err != nil {
				t.Error(err)
			}
		})
	}
}

func schema(t *testing.T, main string, files map[string]string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for id, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
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

func TestTheReportIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	bad := attackFile(t)
	for _, format := range []string{"json", "jsonl", "sarif", "cyclonedx", "html", "table"} {
		want := scanModels(t, bad, "--format", format, "--workers", "1")
		for _, workers := range []string{"2", "16"} {
			if got := scanModels(t, bad, "--format", format, "--workers", workers); !bytes.Equal(got, want) {
				t.Errorf("%s: %s workers gave other bytes than 1", format, workers)
			}
		}
	}
}

// Anybody can compute the verdict again from what the report says.
func TestVerdictsReplayFromTheReport(t *testing.T) {
	var doc finding.Report
	if err := json.Unmarshal(scanModels(t, attackFile(t), "--format", "json"), &doc); err != nil {
		t.Fatal(err)
	}
	var sum finding.Summary
	for i := range doc.Subjects {
		s := &doc.Subjects[i]
		sum.Add(s)
		if want := finding.VerdictOf(s.Findings, s.Coverage); s.Verdict != want {
			t.Errorf("%s: says %s, its findings amount to %s", s.ID, s.Verdict, want)
		}
		if s.Coverage != finding.Complete && len(s.Reasons) == 0 {
			t.Errorf("%s: %s without a reason", s.ID, s.Coverage)
		}
	}
	if sum != doc.Summary || sum.Subjects < 10 {
		t.Errorf("summary %+v, its subjects amount to %+v", doc.Summary, sum)
	}
}

// Every rule that a report names can be explained, and documents its evidence.
func TestReportedRulesAreInTheCatalogue(t *testing.T) {
	cat, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	var doc finding.Report
	if err := json.Unmarshal(scanModels(t, attackFile(t), "--format", "json"), &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Subjects {
		for _, f := range s.Findings {
			rule, ok := cat.Rule(f.Rule)
			if !ok {
				t.Errorf("%s: rule %s is not in the catalogue", s.ID, f.Rule)
				continue
			}
			for key := range f.Evidence {
				if rule.Evidence[key] == "" {
					t.Errorf("%s: rule %s does not document the evidence %q", s.ID, f.Rule, key)
				}
			}
		}
	}
}
