package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest/statement"
	"bartizan/attest/strictjson"
	"bartizan/cmd/internal/input"
	"bartizan/subject"
	"bartizan/version"
)

type attestTrainingCmd struct {
	Subject      []string  `required:"" sep:"none" placeholder:"MODEL" help:"The model: a folder, a file, or sha256:HEX=NAME. Repeat for several."`
	Dataset      []string  `sep:"none" placeholder:"DATA" help:"A dataset that it was trained on: a folder, a file, a manifest, or sha256:HEX=NAME."`
	Code         []string  `sep:"none" placeholder:"CODE" help:"Code that ran: a folder, a file, git:COMMIT=NAME, or git+https://HOST/REPO@COMMIT."`
	BaseModel    []string  `sep:"none" placeholder:"MODEL" help:"A model that it was trained from: a folder, a file, or sha256:HEX=NAME."`
	Environment  []string  `sep:"none" placeholder:"ENV" help:"What it ran in: a lock file, or a container image IMAGE@sha256:HEX."`
	Param        []string  `sep:"none" placeholder:"K=V" help:"A hyper-parameter or seed. Numbers, true and false are kept as such, everything else is text."`
	ParamsFile   string    `placeholder:"FILE" help:"JSON object of parameters, of any shape."`
	Log          []string  `sep:"none" placeholder:"FILE" help:"A log of the run, by its digest."`
	Metrics      []string  `sep:"none" placeholder:"FILE" help:"Metrics of the run, by their digest."`
	Started      time.Time `placeholder:"TIME" help:"When the run began (RFC 3339)."`
	Finished     time.Time `placeholder:"TIME" help:"When the run ended (RFC 3339)."`
	BuilderID    string    `default:"https://bartizan.invalid/builders/local/v1" help:"URI of the platform that ran it and that the signer speaks for. The default claims only that the signer says so."`
	InvocationID string    `placeholder:"ID" help:"What the platform calls the run."`
	Ignore       []string  `env:"-" sep:"none" placeholder:"PATH" help:"A path within the folders that is no part of them, as for bartizan sign."`
	attestFlags
}

// Help is what `bartizan attest training --help` says below the usage.
func (attestTrainingCmd) Help() string {
	return `The statement is SLSA Provenance v1 (docs/predicates.md).

    bartizan attest training --subject ./model \
        --dataset ./loans --dataset sha256:HEX=public-corpus \
        --code git+https://example.org/train@COMMIT --base-model ./bert \
        --environment requirements.lock --param learning_rate=0.001 --param seed=7 \
        --started 2026-11-01T08:00:00Z --finished 2026-11-01T19:30:00Z \
        --key signer --bundle training.json

It says what the signer says. What was used and is not named, nobody can see: lineage shows a model without inputs as of unknown origin.
`
}

func (c *attestTrainingCmd) Run(e *env) error {
	parameters, err := c.parameters()
	if err != nil {
		return err
	}
	return c.attest(e, subject.Model, c.Subject, func() (*statement.Statement, error) {
		r := &thingReader{ctx: e.ctx, ignore: c.Ignore, bundle: c.Bundle}
		t := statement.Training{
			Parameters: parameters, BuilderID: c.BuilderID, BuilderVersion: map[string]string{"bartizan": version.String()},
			InvocationID: c.InvocationID, Started: statement.At(c.Started), Finished: statement.At(c.Finished),
		}
		var subjects []statement.Descriptor
		for _, in := range []struct {
			flag string
			args []string
			read func(string) (thing, error)
			to   *[]statement.Descriptor
		}{
			{"--subject", c.Subject, r.read, &subjects},
			{"--dataset", c.Dataset, r.dataset, &t.Datasets},
			{"--code", c.Code, r.code, &t.Code},
			{"--base-model", c.BaseModel, r.read, &t.BaseModels},
			{"--environment", c.Environment, r.environment, &t.Environment},
			{"--log", c.Log, r.evidence, &t.Logs},
			{"--metrics", c.Metrics, r.evidence, &t.Metrics},
		} {
			var err error
			if *in.to, err = r.all(in.flag, in.args, in.read); err != nil {
				return nil, err
			}
		}
		return statement.New(t.Provenance(), subjects...)
	})
}

// parameters joins those of the file and of the flags; none may stand twice.
func (c *attestTrainingCmd) parameters() (map[string]jsontext.Value, error) {
	out := map[string]jsontext.Value{}
	if c.ParamsFile != "" {
		raw, err := input.AtMost(c.ParamsFile, 1<<20)
		if err != nil {
			return nil, fmt.Errorf("--params-file: %w", err)
		}
		if err := strictjson.Unmarshal(raw, &out); err != nil || strictjson.Kind(raw) != '{' {
			return nil, usagef("--params-file %s: want a JSON object: %v", c.ParamsFile, err)
		}
	}
	for _, p := range c.Param {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, usagef("--param %s: want NAME=VALUE", p)
		}
		if _, twice := out[name]; twice {
			return nil, usagef("--param %s: the parameter %s stands twice", p, name)
		}
		out[name] = parameter(value)
	}
	return out, nil
}

// parameter keeps JSON numbers, true and false, and quotes the rest. A number
// that a double would change is kept as text: 007, 9007199254740993.
func parameter(value string) jsontext.Value {
	raw := jsontext.Value(value)
	switch raw.Kind() {
	case '0', 't', 'f':
		if _, err := statement.Canonical(raw); err == nil && strings.TrimSpace(value) == value {
			return raw
		}
	}
	return statement.Text(value)
}

// gitSource is git+URL@COMMIT.
var gitSource = regexp.MustCompile(`^(git\+[a-z]+://[^\s@]+(?:@[^\s@/]+/[^\s@]+)?)@([0-9a-f]{40}|[0-9a-f]{64})$`)

// code takes git:COMMIT[=NAME] and git+URL@COMMIT besides what read takes.
func (r *thingReader) code(arg string) (thing, error) {
	if m := gitSource.FindStringSubmatch(arg); m != nil {
		return thing{Descriptor: statement.Descriptor{URI: m[1], Digest: statement.Digests{"gitCommit": m[2]}}}, nil
	}
	if rest, ok := strings.CutPrefix(arg, "git:"); ok {
		commit, name, _ := strings.Cut(rest, "=")
		d, err := statement.ParseDigest("gitCommit:" + commit)
		if err != nil {
			return thing{}, usagef("want git:COMMIT with all 40 or 64 digits: %w", err)
		}
		return thing{Descriptor: statement.Descriptor{Name: name, Digest: d}}, nil
	}
	if strings.HasPrefix(arg, "git+") {
		return thing{}, usagef("want git+https://HOST/REPO@COMMIT with all 40 or 64 digits of the commit")
	}
	return r.read(arg)
}

// image is a container image by its digest.
var image = regexp.MustCompile(`^([^\s@]+)@sha256:([0-9a-f]{64})$`)

// environment takes IMAGE@sha256:HEX besides what read takes.
func (r *thingReader) environment(arg string) (thing, error) {
	if m := image.FindStringSubmatch(arg); m != nil {
		return thing{Descriptor: statement.Descriptor{Name: m[1], URI: "oci://" + arg, Digest: statement.SHA256(m[2])}}, nil
	}
	return r.read(arg)
}
