package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"bartizan/attest/statement"
	"bartizan/subject"
)

type attestEvaluationCmd struct {
	Subject []string `required:"" sep:"none" placeholder:"MODEL" help:"The model: a folder, a file, or sha256:HEX=NAME."`
	Result  string   `env:"-" enum:"passed,warned,failed," default:"" help:"passed, warned or failed. Where a metric has a threshold the result follows from it; another one is refused."`
	Metric  []string `env:"-" sep:"none" placeholder:"NAME=VALUE[>=LIMIT]" help:"A measured number, with the threshold that it must keep (>=, >, <=, < or ==)."`
	Dataset []string `sep:"none" placeholder:"DATA" help:"A dataset that it was evaluated on: a folder, a file, a manifest, or sha256:HEX=NAME."`
	Code    []string `sep:"none" placeholder:"CODE" help:"Code that evaluated: a folder, a file, git:COMMIT=NAME, or git+https://HOST/REPO@COMMIT."`
	Report  []string `sep:"none" placeholder:"FILE" help:"A report that the result rests on, by its digest."`
	URL     string   `placeholder:"URL" help:"Where the evaluation ran or is shown."`
	Ignore  []string `env:"-" sep:"none" placeholder:"PATH" help:"A path within the folders that is no part of them, as for bartizan sign."`
	attestFlags
}

// Help is what `bartizan attest evaluation --help` says below the usage.
func (attestEvaluationCmd) Help() string {
	return `The statement is an in-toto test-result (docs/predicates.md). A threshold is a test; where one is not kept the result is FAILED.

    bartizan attest evaluation --subject ./model --dataset ./holdout --code evaluate.py \
        --metric 'accuracy=0.93>=0.9' --metric 'false_positive_rate=0.02<=0.05' --metric f1=0.91 \
        --report report.json --key signer --bundle evaluation.json

Quote metrics: > and < mean something to shells.
`
}

func (c *attestEvaluationCmd) Run(e *env) error {
	result, err := c.testResult()
	if err != nil {
		return err
	}
	return c.attest(e, subject.Model, c.Subject, func() (*statement.Statement, error) {
		r := &thingReader{ctx: e.ctx, ignore: c.Ignore, bundle: c.Bundle}
		subjects, err := r.all("--subject", c.Subject, r.read)
		if err != nil {
			return nil, err
		}
		datasets, err := r.all("--dataset", c.Dataset, r.dataset)
		if err != nil {
			return nil, err
		}
		code, err := r.all("--code", c.Code, r.code)
		if err != nil {
			return nil, err
		}
		reports, err := r.all("--report", c.Report, r.evidence)
		if err != nil {
			return nil, err
		}
		result.Configuration = append(withRole(statement.RoleDataset, datasets), withRole(statement.RoleCode, code)...)
		result.Evidence = withRole(statement.RoleReport, reports)
		return statement.New(result, subjects...)
	})
}

func withRole(role statement.Role, list []statement.Descriptor) []statement.Descriptor {
	out := make([]statement.Descriptor, len(list))
	for i, d := range list {
		out[i] = d.WithRole(role)
	}
	return out
}

// testResult is what the flags say, the result computed where there is a threshold.
func (c *attestEvaluationCmd) testResult() (*statement.TestResult, error) {
	t := &statement.TestResult{URL: c.URL, Configuration: []statement.Descriptor{}}
	values := map[string]float64{}
	for _, arg := range c.Metric {
		m, err := parseMetric(arg)
		if err != nil {
			return nil, err
		}
		if first, twice := values[m.Name]; twice && first != m.Value {
			return nil, usagef("--metric %s: %s has another value before", arg, m.Name)
		}
		values[m.Name] = m.Value
		t.Metrics = append(t.Metrics, m)
	}
	given := statement.Result(strings.ToUpper(c.Result))
	switch computed := t.Evaluate(); {
	case computed && given != "" && given != t.Result:
		return nil, usagef("--result %s: the thresholds make it %s: leave --result away, or mend the thresholds", c.Result, strings.ToLower(string(t.Result)))
	case !computed && given == "":
		return nil, usagef("give --result, or a --metric with a threshold from which the result follows")
	case !computed:
		t.Result = given
	}
	return t, nil
}

// metric is NAME=VALUE with an operator and a threshold.
var metric = regexp.MustCompile(`^([^=<>]+)=([^=<>]+)(?:(>=|<=|==|>|<)([^=<>]+))?$`)

func parseMetric(arg string) (statement.Metric, error) {
	parts := metric.FindStringSubmatch(arg)
	if parts == nil {
		return statement.Metric{}, usagef("--metric %s: want NAME=VALUE, or with a threshold NAME=VALUE>=LIMIT (>=, >, <=, <, ==)", arg)
	}
	value, err := finite(arg, parts[2])
	if err != nil || parts[3] == "" {
		return statement.Metric{Name: parts[1], Value: value}, err
	}
	limit, err := finite(arg, parts[4])
	return statement.Metric{Name: parts[1], Value: value, Threshold: &statement.Threshold{Operator: parts[3], Value: limit}}, err
}

func finite(arg, text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, usagef("--metric %s: %q is no finite number", arg, text)
	}
	return f, nil
}
