package finding

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func draw(t *rapid.T, name string) Finding {
	f := Finding{
		Severity:   Severity(rapid.IntRange(0, int(Critical)).Draw(t, name+" severity")),
		Confidence: Confidence(rapid.IntRange(1, int(ConfidenceHigh)).Draw(t, name+" confidence")),
	}
	if rapid.IntRange(0, 4).Draw(t, name+" waived") == 0 {
		f.Waiver = &Waived{Reason: "accepted"}
	}
	return f
}

func drawList(t *rapid.T, name string) []Finding {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Finding { return draw(t, name) }), 0, 6).Draw(t, name)
}

func drawCoverage(t *rapid.T) Coverage {
	return Coverage(rapid.IntRange(0, int(Unsupported)).Draw(t, "coverage"))
}

func TestVerdictOf(t *testing.T) {
	for _, c := range []struct {
		name       string
		severity   Severity
		confidence Confidence
		coverage   Coverage
		waived     bool
		want       Verdict
	}{
		{"critical", Critical, ConfidenceHigh, Complete, false, Block},
		{"high of medium confidence", High, ConfidenceMedium, Complete, false, Block},
		{"high of low confidence", High, ConfidenceLow, Complete, false, Review},
		{"medium", Medium, ConfidenceHigh, Complete, false, Review},
		{"low", Low, ConfidenceHigh, Complete, false, Clean},
		{"info", Info, ConfidenceHigh, Complete, false, Clean},
		{"info, not wholly seen", Info, ConfidenceHigh, Incomplete, false, Review},
		{"info, unsupported", Info, ConfidenceHigh, Unsupported, false, Review},
		{"waived", Critical, ConfidenceHigh, Complete, true, Clean},
		{"waived, not wholly seen", Critical, ConfidenceHigh, Incomplete, true, Review},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Finding{Severity: c.severity, Confidence: c.confidence}
			if c.waived {
				f.Waiver = &Waived{}
			}
			if got := VerdictOf([]Finding{f}, c.coverage); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// The verdict is the maximum of what each finding and the coverage say alone:
// more findings never make it milder, their order does not matter.
func TestVerdictIsALattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, coverage := drawList(t, "list"), drawCoverage(t)
		got := VerdictOf(list, coverage)
		want := VerdictOf(nil, coverage)
		for i := range list {
			want = max(want, VerdictOf(list[i:i+1], Complete))
		}
		if got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		more := append([]Finding{draw(t, "more")}, list...)
		if VerdictOf(more, coverage) < got {
			t.Fatalf("another finding made %s milder", got)
		}
		if shuffled := rapid.Permutation(list).Draw(t, "shuffled"); VerdictOf(shuffled, coverage) != got {
			t.Fatalf("another order gave another verdict")
		}
		if coverage != Complete && got == Clean {
			t.Fatalf("clean, though %s", coverage)
		}
	})
}

// A finding that is worse or surer never gives a milder verdict.
func TestVerdictRisesWithSeverityAndConfidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		b.Waiver = a.Waiver
		if a.Severity <= b.Severity && a.Confidence <= b.Confidence && VerdictOf([]Finding{a}, Complete) > VerdictOf([]Finding{b}, Complete) {
			t.Fatalf("%s/%s is judged harder than %s/%s", a.Severity, a.Confidence, b.Severity, b.Confidence)
		}
	})
}

func TestWaive(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	fresh := func() Result {
		var c Collector
		c.Add(Finding{Rule: "pickle/a", Severity: Critical, Confidence: ConfidenceHigh, Place: At("f", 1, 2), Message: "m"})
		return c.Result("f")
	}
	fp := fresh().Findings[0].Fingerprint
	for _, c := range []struct {
		name    string
		waiver  Waiver
		want    Verdict
		applied bool
	}{
		{"matches", Waiver{Fingerprint: fp, Reason: "r", Expires: now.Add(time.Second)}, Clean, true},
		{"expires this instant", Waiver{Fingerprint: fp, Reason: "r", Expires: now}, Block, false},
		{"expired", Waiver{Fingerprint: fp, Reason: "r", Expires: now.Add(-time.Hour)}, Block, false},
		{"of another finding", Waiver{Fingerprint: fp[:31] + "x", Reason: "r", Expires: now.Add(time.Hour)}, Block, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fresh()
			r.Waive([]Waiver{c.waiver}, now)
			if r.Verdict != c.want || (r.Findings[0].Waiver != nil) != c.applied {
				t.Errorf("verdict %s, waiver %v", r.Verdict, r.Findings[0].Waiver)
			}
		})
	}
}

func TestCoverageCannotBeWaived(t *testing.T) {
	now := time.Now()
	var c Collector
	c.Add(Finding{Rule: "pickle/a", Severity: Critical, Confidence: ConfidenceHigh, Place: At("f", 1, 2)})
	c.Incomplete("truncated", "")
	r := c.Result("f")
	r.Waive([]Waiver{{Fingerprint: r.Findings[0].Fingerprint, Reason: "r", Expires: now.Add(time.Hour)}}, now)
	if r.Verdict != Review {
		t.Errorf("got %s, want review", r.Verdict)
	}
}

func TestCheckWaivers(t *testing.T) {
	ok := Waiver{Fingerprint: "0123456789abcdef0123456789abcdef", Reason: "r", Expires: time.Unix(1, 0)}
	with := func(change func(*Waiver)) []Waiver { w := ok; change(&w); return []Waiver{w} }
	for _, c := range []struct {
		name string
		list []Waiver
		ok   bool
	}{
		{"whole", []Waiver{ok}, true},
		{"none", nil, true},
		{"short fingerprint", with(func(w *Waiver) { w.Fingerprint = "0123" }), false},
		{"no reason", with(func(w *Waiver) { w.Reason = "" }), false},
		{"no expiry", with(func(w *Waiver) { w.Expires = time.Time{} }), false},
		{"twice", []Waiver{ok, ok}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := CheckWaivers(c.list); (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWordsRoundTrip(t *testing.T) {
	for s := Info; s <= Critical; s++ {
		var back Severity
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("severity %s: %v", s, err)
		}
	}
	for c := ConfidenceLow; c <= ConfidenceHigh; c++ {
		var back Confidence
		if err := back.UnmarshalText([]byte(c.String())); err != nil || back != c {
			t.Errorf("confidence %s: %v", c, err)
		}
	}
	for v := Clean; v <= Block; v++ {
		var back Verdict
		if err := back.UnmarshalText([]byte(v.String())); err != nil || back != v {
			t.Errorf("verdict %s: %v", v, err)
		}
	}
	for c := Complete; c <= Unsupported; c++ {
		var back Coverage
		if err := back.UnmarshalText([]byte(c.String())); err != nil || back != c {
			t.Errorf("coverage %s: %v", c, err)
		}
	}
	for _, refuse := range []interface{ UnmarshalText([]byte) error }{new(Severity), new(Confidence), new(Verdict), new(Coverage)} {
		for _, word := range []string{"", "Clean", "none"} {
			if err := refuse.UnmarshalText([]byte(word)); err == nil {
				t.Errorf("%T accepts %q", refuse, word)
			}
		}
	}
}
