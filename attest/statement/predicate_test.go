package statement

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"bartizan/attest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds each kind to the bytes in testdata, and reads them back.
func TestGolden(t *testing.T) {
	for _, x := range examples() {
		t.Run(x.kind, func(t *testing.T) {
			want := x.make()
			s, err := New(want, x.subjects...)
			if err != nil {
				t.Fatal(err)
			}
			payload, err := s.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", x.kind+".json")
			if *update {
				if err := os.WriteFile(file, payload, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(payload, golden) {
				t.Fatalf("not the bytes of %s: %s", file, payload)
			}
			read, err := Parse(golden)
			if err != nil {
				t.Fatal(err)
			}
			got, err := x.parse(read)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("read back:\n%+v\nwritten:\n%+v", got, want)
			}
		})
	}
}

// TestAnotherPredicate holds that no kind is read as another.
func TestAnotherPredicate(t *testing.T) {
	all := examples()
	for _, x := range all {
		s, err := New(x.make(), x.subjects...)
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range all {
			_, err := y.parse(s)
			same := y.make().Type() == x.make().Type()
			if same != (err == nil) || !same && attest.CodeOf(err) != attest.PredicateType {
				t.Errorf("%s read as %s: %v", x.kind, y.kind, err)
			}
		}
	}
}

// edit changes one member of a predicate, by its path; nil deletes it.
func edit(t *testing.T, kind, path string, value any) *Statement {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", kind+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	at := doc["predicate"]
	steps := strings.Split(path, "/")
	for _, step := range steps[:len(steps)-1] {
		if list, ok := at.([]any); ok {
			at = list[step[0]-'0']
			continue
		}
		at = at.(map[string]any)[step]
	}
	last := steps[len(steps)-1]
	if value == nil {
		delete(at.(map[string]any), last)
	} else {
		at.(map[string]any)[last] = value
	}
	raw, err = json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBrokenPredicates changes one member of a good predicate at a time.
func TestBrokenPredicates(t *testing.T) {
	sha256 := "sha256:" + hexOf("1", 64)
	for _, c := range []struct {
		kind, path string
		value      any
	}{
		{"training", "buildDefinition", nil},
		{"training", "buildDefinition/buildType", nil},
		{"training", "buildDefinition/buildType", "no uri"},
		{"training", "buildDefinition/externalParameters", []any{}},
		{"training", "buildDefinition/resolvedDependencies/0/digest", map[string]any{"sha256": "AB"}},
		{"training", "buildDefinition/resolvedDependencies/0/digest", nil},
		{"training", "buildDefinition/resolvedDependencies", []any{nil}},
		{"training", "runDetails/builder/id", ""},
		{"training", "runDetails/metadata/startedOn", "2026-11-01T08:00:00+00:00"},
		{"training", "runDetails/metadata/startedOn", "yesterday"},
		{"training", "runDetails/metadata/finishedOn", "2026-10-01T08:00:00Z"},
		{"evaluation", "result", nil},
		{"evaluation", "result", "passed"},
		{"evaluation", "result", "PASSED"},
		{"evaluation", "result", "WARNED"},
		{"evaluation", "url", "nowhere"},
		{"evaluation", "failedTests", []any{""}},
		{"evaluation", "bartizan_metrics/0/value", nil},
		{"evaluation", "bartizan_metrics/0/value", "0.93"},
		{"evaluation", "bartizan_metrics/0/name", ""},
		{"evaluation", "bartizan_metrics/0/threshold/value", nil},
		{"evaluation", "bartizan_metrics/0/threshold/operator", "=>"},
		{"evaluation", "bartizan_metrics/2/name", "accuracy"},
		{"scan", "result", "PASSED-ish"},
		{"scan", "failedTests", []any{"model/evil.pkl"}},
		{"scan", "bartizan_evidence", []any{map[string]any{"name": "x"}}},
		{"vsa", "verifier", nil},
		{"vsa", "timeVerified", nil},
		{"vsa", "resourceUri", nil},
		{"vsa", "policy/uri", nil},
		{"vsa", "inputAttestations/0/digest", nil},
		{"vsa", "verificationResult", "WARNED"},
		{"vsa", "verificationResult", "FAILED"},
		{"vsa", "verifiedLevels", []any{}},
		{"vsa", "verifiedLevels", []any{"FAILED"}},
		{"vsa", "verifiedLevels", []any{"SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_2"}},
		{"vsa", "dependencyLevels", map[string]any{"SLSA_BUILD_LEVEL_1": -1}},
		{"vsa-failed", "verificationResult", "PASSED"},
		{"dataset-manifest", "manifest", nil},
		{"dataset-manifest", "manifest/digest", map[string]any{"md5": hexOf("1", 32)}},
		{"dataset-manifest", "files", 0},
		{"dataset-manifest", "bytes", -1},
		{"dataset-manifest", "records/files", 4},
		{"dataset-manifest", "records/distinct", 10001},
		{"dataset-manifest", "records/digest", nil},
		{"dataset-manifest", "parent", map[string]any{"sha256": hexOf("b", 64)}},
		{"dataset-manifest", "parentManifest", map[string]any{"sha256": hexOf("0", 64)}},
		{"dataset-manifest", "parent", map[string]any{"sha1": hexOf("b", 40)}},
		{"dataset-manifest", "license", "MIT"},
		{"dataset-manifest", "manifest/expires", "soon"},
		{"approval", "verdict", "MAYBE"},
		{"approval", "verdict", nil},
		{"approval", "purpose", nil},
		{"approval", "approver", nil},
		{"approval", "approver/id", "dana@example.org"},
		{"approval", "approvedOn", nil},
		{"approval", "expires", nil},
		{"approval", "expires", "2026-11-02T11:00:00Z"},
		{"approval", "decision", map[string]any{"md5": hexOf("1", 32)}},
		{"approval", "decision", map[string]any{"unknown": "x"}},
		{"approval", "only", map[string]any{"weekday": "Monday"}},
		{"approval", "approver/until", "noon"},
		{"inference-batch", "replica", "a b"},
		{"inference-batch", "certificate", hexOf("1", 64)},
		{"inference-batch", "model", "sha512:" + hexOf("1", 128)},
		{"inference-batch", "configuration", nil},
		{"inference-batch", "assurance", "trust-me"},
		{"inference-batch", "number", 0},
		{"inference-batch", "number", 1},
		{"inference-batch", "firstSequence", 256},
		{"inference-batch", "lastSequence", 1 << 54},
		{"inference-batch", "count", 5000},
		{"inference-batch", "end", true},
		{"inference-batch", "previous", nil},
		{"inference-batch", "previous", sha256[:70]},
		{"inference-batch", "time", "2026-11-03T12:00:00Z"},
		{"inference-batch", "extra", 1},
	} {
		s := edit(t, c.kind, c.path, c.value)
		for _, x := range examples() {
			if x.kind != c.kind {
				continue
			}
			if _, err := x.parse(s); attest.CodeOf(err) != attest.StatementMalformed {
				t.Errorf("%s with %s = %v: %v", c.kind, c.path, c.value, err)
			}
		}
	}
}

// TestUnknownMembersAreIgnored where the specifications demand it.
func TestUnknownMembersAreIgnored(t *testing.T) {
	for _, c := range []struct{ kind, path string }{
		{"training", "buildDefinition/newer"}, {"training", "runDetails/builder/newer"}, {"evaluation", "newer"}, {"scan", "newer"}, {"vsa", "verifier/newer"},
	} {
		s := edit(t, c.kind, c.path, map[string]any{"a": 1})
		for _, x := range examples() {
			if x.kind != c.kind {
				continue
			}
			if _, err := x.parse(s); err != nil {
				t.Errorf("%s: %v", c.kind, err)
			}
		}
	}
}

// TestProtobufCounts reads what protobuf's JSON writes.
func TestProtobufCounts(t *testing.T) {
	v, err := ParseVSA(edit(t, "vsa", "dependencyLevels", map[string]any{"SLSA_BUILD_LEVEL_1": "12", "SLSA_BUILD_LEVEL_2": 3}))
	if err != nil || v.DependencyLevels["SLSA_BUILD_LEVEL_1"] != 12 || v.DependencyLevels["SLSA_BUILD_LEVEL_2"] != 3 {
		t.Fatalf("%+v %v", v, err)
	}
}

func TestApprovalHolds(t *testing.T) {
	a := approvalExample().(*Approval)
	for text, want := range map[string]bool{
		"2026-11-02T10:59:59Z": false, "2026-11-02T11:00:00Z": true, "2026-12-02T10:59:59Z": true, "2026-12-02T11:00:00Z": false,
	} {
		if got := a.Holds(at(text).Time); got != want {
			t.Errorf("at %s: %v", text, got)
		}
	}
	a.Verdict = Rejected
	if a.Holds(a.ApprovedOn.Add(time.Hour)) {
		t.Error("a rejection holds")
	}
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		op    string
		value float64
		want  bool
	}{
		{">=", 0.9, true}, {">", 0.9, false}, {"<=", 0.9, true}, {"<", 0.9, false}, {"==", 0.9, true}, {"==", 0.91, false}, {"=", 0.9, false}, {"", 0.9, false},
	} {
		if got := (&Threshold{c.op, 0.9}).Met(c.value); got != c.want {
			t.Errorf("%v %s 0.9: %v", c.value, c.op, got)
		}
	}
}

func TestDependenciesByRole(t *testing.T) {
	p := trainingExample().(*SLSAProvenance)
	if got := p.Dependencies(RoleDataset); len(got) != 1 || got[0].Name != "loans" {
		t.Errorf("datasets: %+v", got)
	}
	if got := p.Dependencies(""); len(got) != 4 {
		t.Errorf("all: %+v", got)
	}
	if !p.Training() {
		t.Error("no training run")
	}
}
