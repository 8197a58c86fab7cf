package statement

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// hexOf is a digest for examples: n digits of c.
func hexOf(c string, n int) string { return strings.Repeat(c, n) }

func sha(c string) Digests { return SHA256(hexOf(c, 64)) }

func at(text string) Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return At(t)
}

// example is one statement of each kind, as testdata/KIND.json holds it.
type example struct {
	kind     string
	subjects []Descriptor
	make     func() Predicate
	parse    func(*Statement) (Predicate, error)
}

func as[P Predicate](parse func(*Statement) (P, error)) func(*Statement) (Predicate, error) {
	return func(s *Statement) (Predicate, error) { return parse(s) }
}

func examples() []example {
	model := []Descriptor{{Name: "credit-model", Digest: sha("a")}}
	return []example{
		{"training", model, trainingExample, as(ParseSLSAProvenance)},
		{"evaluation", model, evaluationExample, as(ParseTestResult)},
		{"scan", model, scanExample, as(ParseTestResult)},
		{"vsa", model, vsaExample, as(ParseVSA)},
		{"vsa-failed", model, failedVSAExample, as(ParseVSA)},
		{"dataset-manifest", []Descriptor{{Name: "loans", Digest: sha("b")}}, datasetExample, as(ParseDatasetManifest)},
		{"approval", model, approvalExample, as(ParseApproval)},
		{"inference-batch", []Descriptor{{Name: "pod-7/2", Digest: sha("c")}}, batchExample, as(ParseInferenceBatch)},
	}
}

func trainingExample() Predicate {
	t := Training{
		Parameters:     map[string]jsontext.Value{"learning_rate": jsontext.Value("0.001"), "seed": jsontext.Value("7"), "optimizer": jsontext.Value(`"adam"`)},
		Platform:       map[string]jsontext.Value{"gpus": jsontext.Value("8")},
		Datasets:       []Descriptor{{Name: "loans", Digest: sha("b")}},
		Code:           []Descriptor{{Name: "train", URI: "git+https://example.org/train", Digest: Digests{"gitCommit": hexOf("d", 40)}}},
		BaseModels:     []Descriptor{{Name: "bert-base", Digest: sha("e")}},
		Environment:    []Descriptor{{Name: "requirements.txt", Digest: sha("f")}},
		Logs:           []Descriptor{{Name: "train.log", Digest: sha("1")}},
		Metrics:        []Descriptor{{Name: "metrics.json", Digest: sha("2")}},
		BuilderID:      "https://example.org/trainers/gpu-pool",
		BuilderVersion: map[string]string{"torch": "2.9.0"},
		InvocationID:   "https://example.org/runs/42",
		Started:        at("2026-11-01T08:00:00Z"),
		Finished:       at("2026-11-01T19:30:00.5Z"),
	}
	return t.Provenance()
}

func evaluationExample() Predicate {
	t := &TestResult{
		Configuration: []Descriptor{Descriptor{Name: "holdout", Digest: sha("3")}.WithRole(RoleDataset), Descriptor{Name: "evaluate.py", Digest: sha("4")}.WithRole(RoleCode)},
		URL:           "https://example.org/evaluations/9",
		Metrics: []Metric{
			{Name: "accuracy", Value: 0.93, Threshold: &Threshold{">=", 0.9}},
			{Name: "false_positive_rate", Value: 0.08, Threshold: &Threshold{"<=", 0.05}},
			{Name: "f1", Value: 0.91},
		},
		Evidence: []Descriptor{Descriptor{Name: "report.json", Digest: sha("5"), MediaType: "application/json"}.WithRole(RoleReport)},
	}
	t.Evaluate()
	return t
}

func scanExample() Predicate {
	return &TestResult{
		Result:        Warned,
		Configuration: []Descriptor{{Name: "bartizan", URI: "pkg:generic/bartizan@1.0.0"}, {Name: "rules", Digest: sha("6")}},
		PassedTests:   []string{"model/config.json", "model/model.safetensors"},
		WarnedTests:   []string{"model/notes.xyz"},
		Evidence:      []Descriptor{Descriptor{Name: "scan.json", Digest: sha("7"), MediaType: "application/json"}.WithRole(RoleReport)},
	}
}

func vsaExample() Predicate {
	return &VSA{
		Verifier:           Verifier{ID: "https://example.org/bartizan"},
		TimeVerified:       at("2026-11-02T10:00:00Z"),
		ResourceURI:        "https://example.org/environments/production",
		Policy:             Descriptor{URI: "https://example.org/policies/production", Digest: sha("8")},
		InputAttestations:  []Descriptor{{URI: "https://example.org/attestations/training.json", Digest: sha("9")}},
		VerificationResult: Passed,
		VerifiedLevels:     []string{"SLSA_BUILD_LEVEL_1"},
		DependencyLevels:   map[string]Count{"SLSA_BUILD_LEVEL_1": 4},
		SLSAVersion:        "1.0",
	}
}

func failedVSAExample() Predicate {
	v := vsaExample().(*VSA)
	v.VerificationResult, v.VerifiedLevels, v.DependencyLevels = Failed, []string{"FAILED"}, nil
	return v
}

func datasetExample() Predicate {
	return &DatasetManifest{
		Name: "loans", Version: "2026-11",
		Manifest: Descriptor{Name: "loans.manifest.json", Digest: sha("0"), MediaType: "application/json"},
		Files:    3, Bytes: 123456, Records: &RecordSet{Files: 2, Count: 10000, Distinct: 9990, Digest: sha("4")},
		Parent: sha("d"), ParentManifest: sha("5"), CreatedOn: at("2026-10-31T00:00:00Z"),
	}
}

func approvalExample() Predicate {
	return &Approval{
		Verdict: Approved, Purpose: "deploy", Environment: "production", Decision: sha("8"),
		Request: "01JBXYZ", Requester: "dana@example.org", Approver: Person{ID: "ana@example.org", Roles: []string{"approver"}},
		ApprovedOn: at("2026-11-02T11:00:00Z"), Expires: at("2026-12-02T11:00:00Z"), Comment: "read the evaluation",
	}
}

func batchExample() Predicate {
	return &InferenceBatch{
		Replica: "pod-7", Certificate: "sha256:" + hexOf("1", 64), Model: "sha256:" + hexOf("a", 64), Configuration: "sha256:" + hexOf("2", 64),
		Assurance: "self-attested", Number: 2, FirstSequence: 257, LastSequence: 512, Count: 256,
		Previous: "sha256:" + hexOf("3", 64), Time: "2026-11-03T12:00:00.000250Z",
	}
}
