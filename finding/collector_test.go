package finding

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sample(rule string, off int64, evidence string) Finding {
	return Finding{Rule: rule, Severity: Medium, Confidence: ConfidenceHigh, Place: At("dir/f.pt!/data.pkl", off, 1), Evidence: map[string]any{"symbol": evidence}}
}

func TestTheSameFactIsOneFinding(t *testing.T) {
	var c Collector
	c.Add(sample("pickle/a", 10, "x"))
	c.Add(sample("pickle/a", 20, "x"))
	c.Add(sample("pickle/a", 30, "y"))
	c.Add(sample("pickle/b", 5, "x"))
	r := c.Result("dir/f.pt")
	if len(r.Findings) != 3 {
		t.Fatalf("%d findings, want 3", len(r.Findings))
	}
	if f := r.Findings[1]; f.Count != 2 || *f.Place.Offset != 10 || f.Last == nil || *f.Last.Offset != 20 {
		t.Errorf("folded: %+v", f)
	}
	if r.Findings[0].Rule != "pickle/b" {
		t.Errorf("not in order of offset: %+v", r.Findings[0])
	}
}

func TestFoldingKeepsTheWorst(t *testing.T) {
	mild, bad := sample("pickle/a", 1, "x"), sample("pickle/a", 2, "x")
	mild.Confidence, bad.Severity = ConfidenceLow, Critical
	for name, order := range map[string][]Finding{"mild first": {mild, bad}, "bad first": {bad, mild}} {
		t.Run(name, func(t *testing.T) {
			var c Collector
			for _, f := range order {
				c.Add(f)
			}
			if f := c.Result("f").Findings[0]; f.Severity != Critical || f.Confidence != ConfidenceHigh {
				t.Errorf("got %s/%s", f.Severity, f.Confidence)
			}
		})
	}
}

func TestAFloodDoesNotHideWhatBlocks(t *testing.T) {
	var c Collector
	for i := range 3 * MaxDistinct {
		f := sample("pickle/mild", int64(i), fmt.Sprint(i))
		f.Severity = Low
		c.Add(f)
	}
	f := sample("pickle/bad", 1<<40, "os.system")
	f.Severity = Critical
	c.Add(f)
	r := c.Result("f")
	if r.Verdict != Block || len(r.Findings) != MaxDistinct || r.Coverage != Incomplete || r.Reasons[0] != "findings-truncated" {
		t.Errorf("verdict %s, %d findings, coverage %s, reasons %v", r.Verdict, len(r.Findings), r.Coverage, r.Reasons)
	}
}

func TestReasonsAreBounded(t *testing.T) {
	var c Collector
	c.Unsupported("unknown-format", "")
	for i := range 5000 {
		c.Incomplete("truncated", fmt.Sprint(i%500))
	}
	r := c.Result("f")
	if len(r.Reasons) != MaxReasons+1 || r.Reasons[MaxReasons] != "reasons-truncated" || r.Reasons[0] != "unknown-format" || r.Coverage != Unsupported {
		t.Errorf("%d reasons, first %q, coverage %s", len(r.Reasons), r.Reasons[0], r.Coverage)
	}
}

// The order in which detectors speak does not change the result.
func TestResultIsTheSameForAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Finding {
			return sample(rapid.SampledFrom([]string{"pickle/a", "pickle/b"}).Draw(t, "rule"), 7, rapid.StringN(0, 3, -1).Draw(t, "evidence"))
		}), 0, 8).Draw(t, "list")
		show := func(list []Finding) string {
			var c Collector
			for _, f := range list {
				c.Add(f)
			}
			var b strings.Builder
			for _, f := range c.Result("dir/f.pt").Findings {
				fmt.Fprintln(&b, f.Fingerprint, f.Rule, f.Count)
			}
			return b.String()
		}
		if a, b := show(list), show(rapid.Permutation(list).Draw(t, "shuffled")); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

func TestFingerprintIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := sample("pickle/a", rapid.Int64Range(0, 1000).Draw(t, "offset"), "x")
		want := Fingerprint("dir/f.pt", &f)
		moved := f
		moved.Place = At("other/place/f.pt!/data.pkl", rapid.Int64Range(0, 1000).Draw(t, "elsewhere"), 5)
		moved.Message, moved.Severity, moved.Count = "said otherwise", Critical, 7
		if got := Fingerprint("other/place/f.pt", &moved); got != want {
			t.Fatalf("the same fact in another folder: %s, want %s", got, want)
		}
	})
}

func TestFingerprintTellsFactsApart(t *testing.T) {
	base := sample("pickle/a", 1, "x")
	changes := map[string]func(*Finding){
		"rule":      func(f *Finding) { f.Rule = "pickle/b" },
		"member":    func(f *Finding) { f.Place.Path = "dir/f.pt!/other.pkl" },
		"evidence":  func(f *Finding) { f.Evidence = map[string]any{"symbol": "y"} },
		"none":      func(f *Finding) { f.Evidence = nil },
		"more":      func(f *Finding) { f.Evidence = map[string]any{"symbol": "x", "n": 1} },
		"pointer":   func(f *Finding) { f.Place.Pointer = "/a" },
		"field":     func(f *Finding) { f.Place.Field = "/a" },
		"identity":  func(f *Finding) { f.Identity = "sha256:…" },
		"no member": func(f *Finding) { f.Place.Path = "dir/f.pt" },
		"elsewhere": func(f *Finding) { f.Place.Path = "!/data.pkl" },
	}
	seen := map[string]string{Fingerprint("dir/f.pt", &base): "the fact itself", Fingerprint("dir/g.pt", &base): "another file"}
	if len(seen) != 2 {
		t.Fatal("another file's name gives the same fingerprint")
	}
	for name, change := range changes {
		f := base
		change(&f)
		fp := Fingerprint("dir/f.pt", &f)
		if other, twice := seen[fp]; twice {
			t.Errorf("%s: the same fingerprint as %s", name, other)
		}
		seen[fp] = name
	}
}

func TestCatalogueRefuses(t *testing.T) {
	ok := Rule{ID: "pickle/a", Title: "t", Help: "h", Remediation: "r", Confidence: ConfidenceHigh, References: []string{"CWE-502", "CVE-2025-1550", "AML.T0018.002", "LLM03:2025", "ML06:2023", "https://example.org"}}
	if c, err := NewCatalogue([]Rule{ok}); err != nil || len(c.Rules()) != 1 {
		t.Fatal(err)
	}
	if _, err := NewCatalogue([]Rule{ok}, []Rule{ok}); err == nil {
		t.Error("accepts a rule twice")
	}
	for name, change := range map[string]func(*Rule){
		"no family":         func(r *Rule) { r.ID = "a" },
		"upper case":        func(r *Rule) { r.ID = "pickle/A" },
		"empty name":        func(r *Rule) { r.ID = "pickle/" },
		"no title":          func(r *Rule) { r.Title = "" },
		"no help":           func(r *Rule) { r.Help = "" },
		"no remediation":    func(r *Rule) { r.Remediation = "" },
		"no confidence":     func(r *Rule) { r.Confidence = ConfidenceDefault },
		"unknown technique": func(r *Rule) { r.References = []string{"AML.T9999"} },
		"bad CVE":           func(r *Rule) { r.References = []string{"CVE-25-1"} },
		"plain http":        func(r *Rule) { r.References = []string{"http://example.org"} },
	} {
		r := ok
		change(&r)
		if _, err := NewCatalogue([]Rule{r}); err == nil {
			t.Errorf("accepts %s", name)
		}
	}
}

func TestReferencesAreExplained(t *testing.T) {
	for ref, want := range map[string]string{
		"CWE-502": "https://cwe.mitre.org/data/definitions/502.html", "CVE-2025-1550": "https://www.cve.org/CVERecord?id=CVE-2025-1550",
		"GHSA-2345-6789-cfgh": "https://github.com/advisories/GHSA-2345-6789-cfgh", "AML.T0051.001": "https://atlas.mitre.org/techniques/AML.T0051.001",
		"https://example.org/a": "https://example.org/a", "AML.T9999": "", "javascript:alert(1)": "",
	} {
		if got := ReferenceURL(ref); got != want {
			t.Errorf("%s: got %q, want %q", ref, got, want)
		}
	}
	if name, ok := ReferenceName("LLM03:2025"); !ok || name != "Supply Chain" {
		t.Errorf("got %q", name)
	}
}

// A flood of grave but unsure findings is no better a hiding place.
func TestUnsureFindingsDoNotHideWhatBlocks(t *testing.T) {
	var c Collector
	for i := range 2 * MaxDistinct {
		f := sample("pickle/unsure", int64(i), fmt.Sprint(i))
		f.Severity, f.Confidence = Critical, ConfidenceLow
		c.Add(f)
	}
	f := sample("pickle/bad", 1<<40, "os.system")
	f.Severity = High
	c.Add(f)
	if r := c.Result("f"); r.Verdict != Block {
		t.Errorf("verdict %s", r.Verdict)
	}
}

func TestAtlasNames(t *testing.T) {
	for id, want := range map[string]string{"AML.T0018": "Manipulate AI Model", "AML.T0018.002": "Manipulate AI Model: Embed Malware", "AML.T0058": "", "AML": ""} {
		if name, ok := AtlasName(id); name != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v", id, name, ok)
		}
	}
	for id := range atlas {
		if len(id) > len("AML.T0000") {
			if _, ok := atlas[id[:len("AML.T0000")]]; !ok {
				t.Errorf("%s: its technique is not in the table", id)
			}
		}
	}
}
