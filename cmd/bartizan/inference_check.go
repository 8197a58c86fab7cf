package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"bartizan/attest/inference"
	"bartizan/cmd/internal/input"
	"bartizan/finding"
	"bartizan/subject"
)

type inferenceCheckCmd struct {
	Logs          []string `arg:"" optional:"" name:"log" help:"Logs, of any replicas and in any order."`
	Proof         string   `placeholder:"P" help:"Check the proof of one record instead of logs."`
	Key           []string `required:"" sep:"none" placeholder:"OPERATOR.pub" help:"Believe replicas that this operator certified (PEM, repeatable)."`
	Model         string   `placeholder:"DIGEST" help:"Only records of this model: sha256:HEX."`
	Configuration string   `placeholder:"DIGEST" help:"Only records of this configuration: sha256:HEX."`
	Revoked       string   `placeholder:"FILE" help:"List of keys and certificates that were taken back."`
	ExpectHead    []string `sep:"none" placeholder:"[REPLICA=]SEQ:DIGEST" help:"The log must contain this head, which was kept elsewhere (repeatable)."`
	After         string   `placeholder:"SEQ:DIGEST" help:"The first log continues this head; the log before it is not here."`
	Live          bool     `help:"Accept logs without an end marker: they are still written."`
	reportFlags
}

// Help is what `bartizan attest inference check --help` says below the usage.
func (inferenceCheckCmd) Help() string {
	return `Says whether every record is there once, in order, unchanged, and signed by a key that the operator certified for the model. Works offline. One subject a log.

    bartizan attest inference check r1.log --key operator.pub --model sha256:…
    bartizan attest inference check r1.log --key operator.pub --expect-head 512:sha256:…
    bartizan attest inference check r1-a.log r1-b.log r2.log --key operator.pub --revoked revoked.txt
    bartizan attest inference check --proof p7.json --key operator.pub

The first reason begins with a stable code: INFERENCE_GAP (records or batches are missing), INFERENCE_REPLAY (one stands twice, or an id has a second answer), INFERENCE_FORK (the replica signed two histories), INFERENCE_TRUNCATED (the end is missing), INFERENCE_ROOT_MISMATCH (records were changed), INFERENCE_SIG_INVALID, INFERENCE_CERT_INVALID, INFERENCE_KEY_REVOKED, INFERENCE_MODEL_MISMATCH, INFERENCE_MALFORMED.

A log alone cannot show that it was cut off behind an older end marker, or written anew from its first record by whoever has the key. Keep the head that record prints in another place, such as a ledger, and give it with --expect-head.

--revoked FILE has a line for each key or certificate; the second column keeps what was signed up to a head that was known before the key was lost:

    sha256:HEX                       of R.pub (sha256sum R.pub), or of a certificate
    sha256:HEX  512:sha256:HEX       good up to this head
`
}

func (c *inferenceCheckCmd) Run(e *env) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	if c.Proof != "" {
		if len(c.Logs) > 0 || len(c.ExpectHead) > 0 || c.After != "" || c.Live {
			return usagef("--proof stands alone: logs, --expect-head, --after and --live go without it")
		}
		return c.proof(e, opt)
	}
	if len(c.Logs) == 0 {
		return usagef("name a log, or a proof with --proof")
	}
	const most = 512
	if len(c.Logs) > most {
		return usagef("%d logs: want at most %d at a time", len(c.Logs), most)
	}
	return c.logs(e, opt)
}

func (c *inferenceCheckCmd) options() (opt inference.CheckOptions, err error) {
	opt.Live = c.Live
	for _, path := range c.Key {
		key, err := readPublicKey(path)
		if err != nil {
			return opt, err
		}
		opt.Operators = append(opt.Operators, key)
	}
	if c.Model != "" {
		if opt.Model, err = digestFlag("--model", c.Model); err != nil {
			return opt, err
		}
	}
	if c.Configuration != "" {
		if opt.Configuration, err = digestFlag("--configuration", c.Configuration); err != nil {
			return opt, err
		}
	}
	if c.Revoked != "" {
		data, err := input.AtMost(c.Revoked, 256<<20)
		if err != nil {
			return opt, fmt.Errorf("--revoked: %w", err)
		}
		if opt.Revoked, err = inference.ParseRevocations(data); err != nil {
			return opt, usagef("--revoked %s: %w", c.Revoked, err)
		}
	}
	return opt, c.heads(&opt)
}

func (c *inferenceCheckCmd) heads(opt *inference.CheckOptions) error {
	for _, value := range c.ExpectHead {
		replica, rest, named := strings.Cut(value, "=")
		if !named {
			replica, rest = "", value
		}
		head, err := inference.ParseHead(rest)
		if err != nil {
			return usagef("--expect-head: %w", err)
		}
		opt.Heads = append(opt.Heads, inference.ExpectedHead{Replica: replica, Head: head})
	}
	if c.After != "" {
		head, err := inference.ParseHead(c.After)
		if err != nil {
			return usagef("--after: %w", err)
		}
		opt.After = &head
	}
	return nil
}

func (c *inferenceCheckCmd) logs(e *env, opt inference.CheckOptions) error {
	var sources []inference.Source
	var sizes []int64
	for _, path := range c.Logs {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		info, err := f.Stat()
		if err != nil {
			return err
		}
		size := int64(-1)
		if info.Mode().IsRegular() {
			size = info.Size()
		}
		sources, sizes = append(sources, inference.Source{Name: path, Reader: f}), append(sizes, size)
	}
	results, err := inference.Check(e.ctx, sources, opt)
	if err != nil {
		return err
	}
	var reports []finding.SubjectReport
	for i := range results {
		report, err := claim(subject.Subject{Kind: subject.Log, ID: results[i].Name, Size: sizes[i]}, results[i].Err)
		if err != nil {
			return fmt.Errorf("%s: %w", results[i].Name, err)
		}
		report.Detail = logDetail(&results[i])
		reports = append(reports, report)
	}
	return c.printReports(e, reports...)
}

// logDetail is documented in docs/provenance.md.
func logDetail(r *inference.Result) map[string]any {
	d := map[string]any{
		"records": r.Records, "batches": r.Batches, "first_sequence": r.First, "last_sequence": r.Last, "sealed": r.Sealed,
	}
	if r.Replica != "" {
		d["replica"] = r.Replica
	}
	if r.Assurance != "" {
		d["assurance"] = string(r.Assurance)
	}
	if !r.Head.Digest.IsZero() {
		d["head"] = r.Head.String()
	}
	if !r.From.IsZero() {
		d["from"], d["to"] = r.From.Format(time.RFC3339Nano), r.To.Format(time.RFC3339Nano)
	}
	if r.Unsigned > 0 || r.Torn {
		d["unsigned_records"], d["torn"] = r.Unsigned, r.Torn
	}
	if len(r.Certificates) > 0 {
		certificates := make([]string, len(r.Certificates))
		for i, cert := range r.Certificates {
			certificates[i] = cert.Digest().String()
		}
		last := r.Certificates[len(r.Certificates)-1]
		d["certificates"], d["model"], d["configuration"] = certificates, last.Model.String(), last.Configuration.String()
	}
	return d
}

func (c *inferenceCheckCmd) proof(e *env, opt inference.CheckOptions) error {
	data, err := readSmall(c.Proof)
	if err != nil {
		return fmt.Errorf("--proof: %w", err)
	}
	p, refusal := inference.CheckProof(data, opt)
	report, err := claim(subject.Subject{Kind: subject.Log, ID: c.Proof, Size: int64(len(data))}, refusal)
	if err != nil {
		return err
	}
	if refusal == nil {
		report.Detail = proofDetail(p)
	}
	return c.printReports(e, report)
}

func proofDetail(p *inference.Proof) map[string]any {
	r := p.Record
	d := map[string]any{
		"replica": p.Certificate.Replica, "sequence": r.Sequence, "time": r.Time.Format(time.RFC3339Nano), "assurance": string(r.Assurance),
		"request": r.Request.String(), "response": r.Response.String(), "model": r.Model.String(), "configuration": r.Configuration.String(),
		"certificate": p.Certificate.Digest().String(), "batch": p.Batch.Number, "head": p.Batch.Head().String(),
	}
	for key, value := range map[string]string{"id": r.ID, "salt": r.Salt, "parameters": r.Parameters.String()} {
		if value != "" {
			d[key] = value
		}
	}
	return d
}
