package statement

import (
	"errors"
	"fmt"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// TestResult says what came out when the subjects were tested: in-toto Test
// Result v0.1 (https://in-toto.io/attestation/test-result/v0.1), for
// evaluations of a model and for scans. Members that are not known are ignored,
// as the specification demands; the members bartizan_… are extension fields of
// this project (in-toto spec/v1, parsing rules).
type TestResult struct {
	Result Result `json:"result"`
	// Configuration is what the test ran with: the evaluation's datasets and
	// code by role, or the scanner with its rules.
	Configuration List[Descriptor] `json:"configuration"`
	URL           string           `json:"url,omitzero"`
	// The lists name tests: thresholds of metrics ("accuracy >= 0.9"), or the
	// files of a scan.
	PassedTests List[string] `json:"passedTests,omitempty"`
	WarnedTests List[string] `json:"warnedTests,omitempty"`
	FailedTests List[string] `json:"failedTests,omitempty"`
	// Metrics are what an evaluation measured.
	Metrics List[Metric] `json:"bartizan_metrics,omitempty"`
	// Evidence are the reports that the result rests on, by digest.
	Evidence List[Descriptor] `json:"bartizan_evidence,omitempty"`
}

// Result is how a test ended.
type Result string

// The results of the specification.
const (
	Passed Result = "PASSED"
	Warned Result = "WARNED"
	Failed Result = "FAILED"
)

// ParseTestResult reads the predicate of a statement.
func ParseTestResult(s *Statement) (*TestResult, error) { return parse(s, &TestResult{}) }

// Type implements Predicate.
func (*TestResult) Type() string { return TestResultType }

func (*TestResult) exact() bool { return false }

// check also refuses a result that its own lists or metrics contradict: readers
// who look at one of them must not be told another thing than the others.
func (t *TestResult) check([]Descriptor) error {
	switch t.Result {
	case Passed, Warned, Failed:
	case "":
		return errors.New("result is missing")
	default:
		return fmt.Errorf("result is %q, not PASSED, WARNED or FAILED", clip(string(t.Result)))
	}
	if t.URL != "" {
		if err := checkURI(t.URL); err != nil {
			return fmt.Errorf("url: %w", err)
		}
	}
	if err := checkDescriptors("configuration", t.Configuration); err != nil {
		return err
	}
	if err := checkDescriptors("bartizan_evidence", t.Evidence); err != nil {
		return err
	}
	if err := t.checkNames(); err != nil {
		return err
	}
	if len(t.FailedTests) > 0 && t.Result != Failed {
		return fmt.Errorf("result is %s although %d tests failed", t.Result, len(t.FailedTests))
	}
	return t.checkMetrics()
}

func (t *TestResult) checkNames() error {
	if n := len(t.PassedTests) + len(t.WarnedTests) + len(t.FailedTests); n > MaxSubjects {
		return fmt.Errorf("%d tests, more than %d", n, MaxSubjects)
	}
	for _, list := range [][]string{t.PassedTests, t.WarnedTests, t.FailedTests} {
		for _, name := range list {
			if name == "" || len(name) > MaxURI {
				return fmt.Errorf("a test whose name is empty or has more than %d bytes", MaxURI)
			}
		}
	}
	return nil
}

func (t *TestResult) checkMetrics() error {
	values := map[string]float64{}
	for i := range t.Metrics {
		m := &t.Metrics[i]
		if err := m.check(); err != nil {
			return fmt.Errorf("bartizan_metrics/%d: %w", i, err)
		}
		if first, twice := values[m.Name]; twice && first != m.Value {
			return fmt.Errorf("bartizan_metrics/%d: %q has two values", i, clip(m.Name))
		}
		values[m.Name] = m.Value
		if m.Threshold != nil && !m.Threshold.Met(m.Value) && t.Result != Failed {
			return fmt.Errorf("result is %s although %s is not met", t.Result, m.Test())
		}
	}
	return nil
}

// Metric is one measured number, where a threshold goes with it also what was
// asked of it.
type Metric struct {
	Name      string     `json:"name"`
	Value     float64    `json:"value"`
	Threshold *Threshold `json:"threshold,omitzero"`
}

// Threshold is what a metric must keep to.
type Threshold struct {
	// Operator is one of >=, >, <=, < and ==.
	Operator string  `json:"operator"`
	Value    float64 `json:"value"`
}

// UnmarshalJSON demands every number: one that is missing must not be read as 0.
func (m *Metric) UnmarshalJSON(raw []byte) error {
	var w struct {
		Name      string   `json:"name"`
		Value     *float64 `json:"value"`
		Threshold *struct {
			Operator string   `json:"operator"`
			Value    *float64 `json:"value"`
		} `json:"threshold"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return err
	}
	if w.Value == nil {
		return errors.New("a metric without value")
	}
	*m = Metric{Name: w.Name, Value: *w.Value}
	if w.Threshold == nil {
		return nil
	}
	if w.Threshold.Value == nil {
		return errors.New("a threshold without value")
	}
	m.Threshold = &Threshold{Operator: w.Threshold.Operator, Value: *w.Threshold.Value}
	return nil
}

// Met says whether a value keeps to the threshold. An operator that is not
// known is never met.
func (t *Threshold) Met(value float64) bool {
	switch t.Operator {
	case ">=":
		return value >= t.Value
	case ">":
		return value > t.Value
	case "<=":
		return value <= t.Value
	case "<":
		return value < t.Value
	case "==":
		return value == t.Value
	}
	return false
}

// Test names the test that a threshold is: "accuracy >= 0.9".
func (m *Metric) Test() string {
	if m.Threshold == nil {
		return m.Name
	}
	return m.Name + " " + m.Threshold.Operator + " " + number(m.Threshold.Value)
}

func (m *Metric) check() error {
	if m.Name == "" || len(m.Name) > MaxName {
		return fmt.Errorf("a name that is empty or has more than %d bytes", MaxName)
	}
	if m.Threshold == nil {
		return nil
	}
	switch m.Threshold.Operator {
	case ">=", ">", "<=", "<", "==":
		return nil
	}
	return fmt.Errorf("the operator of %q is none of >=, >, <=, < and ==", clip(m.Name))
}

// number writes a double as canonical JSON does.
func number(f float64) string { return jsontext.Float(f).String() }

// Evaluate fills the lists and the result from the metrics: a threshold is a
// test, passed or failed, and the whole is passed where every threshold is met.
// It says whether there was any threshold; without one nothing changes.
func (t *TestResult) Evaluate() bool {
	any := false
	result := Passed
	for i := range t.Metrics {
		m := &t.Metrics[i]
		if m.Threshold == nil {
			continue
		}
		any = true
		if m.Threshold.Met(m.Value) {
			t.PassedTests = append(t.PassedTests, m.Test())
			continue
		}
		t.FailedTests = append(t.FailedTests, m.Test())
		result = Failed
	}
	if any {
		t.Result = result
	}
	return any
}
