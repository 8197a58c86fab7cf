package attest_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"bartizan/attest"
	"bartizan/finding"
	"bartizan/subject"
)

// Every code has a meaning and a rule: a refusal without would be silent.
func TestEveryCodeHasAMeaning(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]attest.Meaning{}
	for _, m := range attest.Codes() {
		known[string(m.Code)] = m
	}
	rules := map[string]bool{}
	for _, r := range attest.Rules() {
		rules[r.ID] = true
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		code, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		m, ok := known[code]
		if !ok || m.Text == "" || !rules[m.Rule] {
			t.Errorf("%s: meaning %q, rule %q", code, m.Text, m.Rule)
		}
		return true
	})
	if seen != len(known) || seen < 40 {
		t.Errorf("%d codes declared, %d with a meaning", seen, len(known))
	}
}

func TestRulesAreValid(t *testing.T) {
	if _, err := finding.NewCatalogue(attest.Rules()); err != nil {
		t.Fatal(err)
	}
}

func TestReport(t *testing.T) {
	s := subject.Subject{Kind: subject.Model, ID: "m", Size: -1}
	one := attest.Refuse(attest.OMSFileMissing, "a", "gone")
	two := attest.Refuse(attest.OMSFileUnsigned, "b", "new")
	for _, c := range []struct {
		name    string
		err     error
		verdict finding.Verdict
		reasons []string
		fails   bool
	}{
		{name: "nothing", verdict: finding.Clean},
		{name: "one", err: one, verdict: finding.Block, reasons: []string{"OMS_FILE_MISSING: a: gone"}},
		{name: "wrapped", err: fmt.Errorf("x: %w", one), verdict: finding.Block, reasons: []string{"OMS_FILE_MISSING: a: gone"}},
		{name: "joined", err: errors.Join(one, errors.Join(two)), verdict: finding.Block, reasons: []string{"OMS_FILE_MISSING: a: gone", "OMS_FILE_UNSIGNED: b: new"}},
		{name: "a failure", err: errors.New("disk"), fails: true},
		// A failure beside a refusal must not hide the refusal.
		{name: "both", err: errors.Join(errors.New("disk"), one), verdict: finding.Block, reasons: []string{"OMS_FILE_MISSING: a: gone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := attest.Report(s, c.err)
			if (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			if c.fails {
				return
			}
			if r.Verdict != c.verdict || fmt.Sprint(r.Reasons) != fmt.Sprint(c.reasons) || len(r.Findings) != len(c.reasons) {
				t.Errorf("verdict %s, reasons %q, %d findings", r.Verdict, r.Reasons, len(r.Findings))
			}
		})
	}
}

func TestReportBoundsReasons(t *testing.T) {
	var all []error
	for i := range 5000 {
		all = append(all, attest.Refuse(attest.OMSFileMissing, strconv.Itoa(i), "gone"))
	}
	r, err := attest.Report(subject.Subject{Kind: subject.Model, ID: "m"}, errors.Join(all...))
	if err != nil || len(r.Reasons) != finding.MaxReasons || r.Verdict != finding.Block {
		t.Fatalf("%d reasons, %v, %v", len(r.Reasons), r.Verdict, err)
	}
}
