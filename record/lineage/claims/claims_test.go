package claims

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/attest/statement"
	"bartizan/record/lineage"
)

func sha(c string) statement.Digests { return statement.SHA256(strings.Repeat(c, 64)) }

func signer(t testing.TB) *keys.Private {
	t.Helper()
	k, err := keys.Generate("P-256")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func bundleOf(t testing.TB, k keys.Signer, p statement.Predicate, subjects ...statement.Descriptor) []byte {
	t.Helper()
	s, err := statement.New(p, subjects...)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := oms.SignStatement(context.Background(), payload, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func training(id string, datasets ...statement.Descriptor) *statement.SLSAProvenance {
	t := statement.Training{Datasets: datasets, BuilderID: "https://example.org/b", InvocationID: id}
	return t.Provenance()
}

func manifestOf(name, version string) *statement.DatasetManifest {
	sum := sha256.Sum256([]byte(name + version))
	return &statement.DatasetManifest{Name: name, Version: version, Manifest: statement.Descriptor{Digest: statement.SHA256(hex.EncodeToString(sum[:]))}, Files: 1, Bytes: 1}
}

// write puts documents into a folder.
func write(t testing.TB, docs map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range docs {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func stateOf(t testing.TB, g *lineage.Graph, ref string) lineage.State {
	t.Helper()
	n, err := g.FindOne(ref)
	if err != nil {
		t.Fatal(err)
	}
	return g.Assess(lineage.Opinions{}).Of(n)
}

func TestFolder(t *testing.T) {
	k, other := signer(t), signer(t)
	data := statement.Descriptor{Name: "loans", Digest: sha("a")}
	model := statement.Descriptor{Name: "model", Digest: sha("b")}
	docs := map[string][]byte{
		"a/data.json":      bundleOf(t, k, manifestOf("loans", "7"), data),
		"b/train.json":     bundleOf(t, k, training("1", data), model),
		"README.md":        []byte("[not] JSON"),
		"weights.bin":      {0x80, 2, 3},
		"config.json":      []byte(`{"layers": 3, "layers": 4}`),
		"empty.json":       nil,
		"list.json":        []byte(`[1, 2]`),
		"other-stuff.json": []byte(`{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "x"}`),
	}
	dir := write(t, docs)
	g, sum, err := Read(context.Background(), Options{Keys: []*keys.Public{other.Public(), k.Public()}}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Statements != 2 || sum.Verified != 2 || sum.Files != 8 {
		t.Errorf("%+v", sum)
	}
	if got := stateOf(t, g, "model"); got != lineage.Clean {
		t.Errorf("the model is %s", got)
	}
	g, sum, err = Read(context.Background(), Options{Keys: []*keys.Public{other.Public()}}, dir)
	if err != nil || sum.Unverified != 2 {
		t.Fatal(err, sum)
	}
	if got := stateOf(t, g, "model"); got != lineage.Unknown {
		t.Errorf("signed by a stranger the model is %s", got)
	}
	if e := g.Evidence()[0]; !strings.HasPrefix(e.Problem, "KEY_MISMATCH") || e.Signer != k.Public().Hint() {
		t.Errorf("%+v", e)
	}
}

// forged changes one character of the payload of a bundle, which stays well formed.
func forged(t testing.TB, raw []byte, from, to string) []byte {
	t.Helper()
	var b map[string]any
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	envelope := b["dsseEnvelope"].(map[string]any)
	payload := decode(t, envelope["payload"].(string))
	changed := strings.Replace(payload, from, to, 1)
	if changed == payload {
		t.Fatalf("%q is not in the payload", from)
	}
	envelope["payload"] = encode(changed)
	out, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestForgedStatementIsUnverified(t *testing.T) {
	k := signer(t)
	raw := forged(t, bundleOf(t, k, manifestOf("loans", "7"), statement.Descriptor{Digest: sha("a")}), `"7"`, `"8"`)
	g, _, err := Read(context.Background(), Options{Keys: []*keys.Public{signer(t).Public(), k.Public()}}, write(t, map[string][]byte{"a.json": raw}))
	if err != nil {
		t.Fatal(err)
	}
	if e := g.Evidence()[0]; e.Assurance != lineage.Unverified || !strings.HasPrefix(e.Problem, string(attest.DSSESigInvalid)) {
		t.Errorf("%+v", e)
	}
}

func TestRefusedWhole(t *testing.T) {
	k := signer(t)
	a, b := statement.Descriptor{Name: "a", Digest: sha("a")}, statement.Descriptor{Name: "b", Digest: sha("b")}
	good := bundleOf(t, k, manifestOf("loans", "7"), a)
	for name, c := range map[string]struct {
		docs map[string][]byte
		want attest.Code
	}{
		"cycle":           {map[string][]byte{"1.json": bundleOf(t, k, training("1", a), b), "2.json": bundleOf(t, k, training("2", b), a)}, attest.LineageCycle},
		"two inputs":      {map[string][]byte{"1.json": bundleOf(t, k, training("1", a), sub("c")), "2.json": bundleOf(t, k, training("1", b), sub("c"))}, attest.LineageConflict},
		"cut bundle":      {map[string][]byte{"0.json": good, "1.json": good[:len(good)/2]}, attest.LineageMalformed},
		"a key twice":     {map[string][]byte{"0.json": good, "1.json": []byte(`{"mediaType":"a","verificationMaterial":{},"mediaType":"b"}`)}, attest.LineageMalformed},
		"wrong media":     {map[string][]byte{"1.json": []byte(strings.Replace(string(good), "v0.3", "v0.9", 1))}, attest.BundleMediaType},
		"two signatures":  {map[string][]byte{"1.json": []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"YQ=="},{"sig":"YQ=="}]}`)}, attest.DSSESignatureCount},
		"no statement":    {map[string][]byte{"1.json": []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"YQ=="}]}`)}, attest.StatementMalformed},
		"deep":            {map[string][]byte{"1.json": []byte(`{"_type":` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`)}, attest.LineageMalformed},
		"bad event":       {map[string][]byte{"1.json": []byte(`{"eventTime":"yesterday","schemaURL":"x","run":{"runId":"x"}}`)}, attest.LineageMalformed},
		"broken line":     {map[string][]byte{"1.jsonl": []byte("{\"eventTime\":\"2026-01-01T00:00:00Z\",\"schemaURL\":\"x\"}\n{\"eventTime\":\n")}, attest.LineageMalformed},
		"another subject": {map[string][]byte{"1.json": []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"https://slsa.dev/provenance/v1"}`)}, attest.StatementMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			g, _, err := Read(context.Background(), Options{Keys: []*keys.Public{k.Public()}}, write(t, c.docs))
			if attest.CodeOf(err) != c.want || g != nil {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func sub(c string) statement.Descriptor { return statement.Descriptor{Name: c, Digest: sha(c)} }

func TestFileThatSaysNothing(t *testing.T) {
	dir := write(t, map[string][]byte{"a.json": []byte(`{"a":1}`)})
	if _, _, err := Read(context.Background(), Options{}, filepath.Join(dir, "a.json")); attest.CodeOf(err) != attest.LineageMalformed {
		t.Error(err)
	}
	if _, _, err := Read(context.Background(), Options{}, filepath.Join(dir, "missing")); err == nil || attest.CodeOf(err) != "" {
		t.Error(err)
	}
}

func TestFailedResultsTaint(t *testing.T) {
	k := signer(t)
	failed := &statement.TestResult{Result: statement.Failed, Configuration: []statement.Descriptor{}, FailedTests: []string{"weights.pkl"}}
	g, _, err := Read(context.Background(), Options{Keys: []*keys.Public{k.Public()}}, write(t, map[string][]byte{
		"1.json": bundleOf(t, k, manifestOf("loans", "7"), sub("a")),
		"2.json": bundleOf(t, k, training("1", sub("a")), sub("b")),
		"3.json": bundleOf(t, k, failed, sub("a")),
		"4.json": bundleOf(t, signer(t), failed, sub("c")),
		"5.json": bundleOf(t, k, manifestOf("others", "1"), sub("c")),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, g, "b"); got != lineage.Tainted {
		t.Errorf("a model of a dataset that failed its scan is %s", got)
	}
	if got := stateOf(t, g, "others@1"); got != lineage.Unknown {
		t.Errorf("what a stranger accuses is %s", got)
	}
}

func TestParentAndSwappedDataset(t *testing.T) {
	k := signer(t)
	child := manifestOf("loans", "8")
	child.Parent, child.ParentManifest = sha("a"), manifestOf("loans", "7").Manifest.Digest
	g, _, err := Read(context.Background(), Options{Keys: []*keys.Public{k.Public()}}, write(t, map[string][]byte{
		"1.json": bundleOf(t, k, manifestOf("loans", "7"), sub("a")),
		"2.json": bundleOf(t, k, child, sub("b")),
		"3.json": bundleOf(t, k, func() *statement.DatasetManifest {
			m := manifestOf("loans", "7")
			m.Manifest.Digest = sha("c")
			return m
		}(), sub("f")),
	}))
	if err != nil {
		t.Fatal(err)
	}
	n, err := g.FindOne("loans@8")
	if err != nil || g.Inputs(n) != 1 {
		t.Fatal(err, g.Inputs(n))
	}
	if c := g.Conflicts(); len(c) != 1 || c[0].Kind != lineage.NameReused {
		t.Errorf("%v", c)
	}
}

func TestParallelReadingGivesTheSameGraph(t *testing.T) {
	k := signer(t)
	docs := map[string][]byte{}
	for _, c := range "0123456789" {
		docs[string(c)+".json"] = bundleOf(t, k, training(string(c), sub("a"), sub(string(c))), sub("b"), statement.Descriptor{Name: string(c), Digest: statement.SHA256("f" + strings.Repeat(string(c), 63))})
	}
	dir := write(t, docs)
	var first string
	for _, workers := range []int{1, 2, 8} {
		g, _, err := Read(context.Background(), Options{Keys: []*keys.Public{k.Public()}, Workers: workers}, dir)
		if err != nil {
			t.Fatal(err)
		}
		var buf strings.Builder
		if err := g.Encode(&buf); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = buf.String()
		} else if first != buf.String() {
			t.Errorf("another graph with %d workers", workers)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := write(t, map[string][]byte{"1.json": bundleOf(t, signer(t), manifestOf("a", "1"), sub("a"))})
	if g, _, err := Read(ctx, Options{}, dir); err == nil || g != nil {
		t.Error("a cancelled reading gave a graph")
	}
}

func FuzzDocument(f *testing.F) {
	k := signer(f)
	f.Add(bundleOf(f, k, manifestOf("loans", "7"), sub("a")))
	f.Add(bundleOf(f, k, training("1", sub("a")), sub("b")))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"md5":"d41d8cd98f00b204e9800998ecf8427e"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":"a:b","externalParameters":{}},"runDetails":{"builder":{"id":"a:b"}}}}`))
	f.Add([]byte(`[{"eventTime":"2026-01-01T00:00:00Z","schemaURL":"x","eventType":"START","run":{"runId":"01941234-0000-7000-8000-000000000000"},"job":{"namespace":"n","name":"j"},"inputs":[{"namespace":"n","name":"t"}],"outputs":[{"namespace":"n","name":"t"}],"producer":"p"}]`))
	f.Add([]byte(`{"certificate":{"payload":"e30=","payloadType":"application/vnd.bartizan.replica-cert+json","signatures":[{"sig":"YQ=="}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(Options{Keys: []*keys.Public{k.Public()}})
		if r.Document(context.Background(), "x", data) != nil {
			return
		}
		g, _, err := r.Graph(context.Background())
		if err != nil {
			return
		}
		for i := range g.Nodes() {
			if e := g.Evidence(); len(e) > 0 && e[0].Assurance == lineage.Verified && e[0].Signer != k.Public().Hint() && e[0].Type == statement.SLSAProvenanceType {
				t.Fatalf("verified without the key: %+v", e[0])
			}
			_ = g.ID(lineage.Node(i))
		}
	})
}
