package main

import (
	"fmt"
	"slices"
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
	Revoked       string   `env:"-" placeholder:"FILE" help:"List of keys and certificates that were taken back."`
	ExpectHead    []string `env:"-" sep:"none" placeholder:"[REPLICA=]SEQ:DIGEST" help:"The log must contain this head, which was kept elsewhere (repeatable)."`
	After         string   `env:"-" placeholder:"SEQ:DIGEST" help:"The first log of a replica continues this head; the log before it is not here."`
	Live          bool     `env:"-" help:"Accept logs without an end marker, or a batch: they are still written."`
	reportFlags
}

// Help is what `bartizan attest inference check --help` says below the usage.
func (inferenceCheckCmd) Help() string {
	return `Says whether every record is there once, in order, unchanged, and signed by a key that the operator certified for the model. Works offline. One subject a log.

    bartizan attest inference check r1.log --key operator.pub --model sha256:…
    bartizan attest inference check r1.log --key operator.pub --expect-head 512:sha256:…
    bartizan attest inference check r1-a.log r1-b.log r2.log --key operator.pub --revoked revoked.txt
    bartizan attest inference check --proof p7.json --key operator.pub

The first reason begins with a stable code: INFERENCE_GAP (records or batches are missing), INFERENCE_REPLAY (one stands twice, or an id has a second answer), INFERENCE_FORK (the replica signed two histories), INFERENCE_TRUNCATED (the end, an expected head, or every batch is missing), INFERENCE_ROOT_MISMATCH (records were changed), INFERENCE_SIG_INVALID, INFERENCE_CERT_INVALID, INFERENCE_KEY_REVOKED, INFERENCE_MODEL_MISMATCH, INFERENCE_MALFORMED.

A log alone cannot show that it was cut off behind an older end marker, or written anew from its first record by whoever has the key. Keep the head that record prints in another place, such as a ledger, and give it with --expect-head.

Records behind the last batch are not signed: a writer that crashed leaves them, and anybody can write them. A log that has some is review (incomplete, exit code 2) where it is not refused; with --live it is not, and they are counted in unsigned_records.

--revoked FILE has a line for each key or certificate; the second column keeps what was signed up to a head that was known before the key was lost:

    sha256:HEX                       of R.pub (sha256sum R.pub), or of a certificate
    sha256:HEX  512:sha256:HEX       good up to this head

All entries of a key or certificate apply. Standard error says which match nothing that was checked: a mistyped one takes nothing back.
`
}

func (c *inferenceCheckCmd) Run(e *env) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	var unmatched []inference.Revocation
	opt.Unmatched = func(r inference.Revocation) { unmatched = append(unmatched, r) }
	defer func() { c.noteUnmatched(e, unmatched) }()
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

// noteUnmatched tells of revocations that took nothing back.
func (c *inferenceCheckCmd) noteUnmatched(e *env, list []inference.Revocation) {
	const most = 3
	slices.SortFunc(list, func(a, b inference.Revocation) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	for i, r := range list {
		if i == most {
			fmt.Fprintf(e.err, "bartizan: --revoked %s: and %d more match nothing\n", text(c.Revoked), len(list)-most)
			return
		}
		fmt.Fprintf(e.err, "bartizan: --revoked %s: %s is of no key and no certificate here: it took nothing back\n", text(c.Revoked), r.Digest)
	}
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
		f, err := input.Open(path)
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
		if !c.Live {
			unvouched(&report, &results[i])
		}
		reports = append(reports, report)
	}
	return c.printReports(e, reports...)
}

// unvouched lowers what is right but for records that nobody has signed.
func unvouched(report *finding.SubjectReport, r *inference.Result) {
	if r.Err != nil || r.Unsigned == 0 && !r.Torn {
		return
	}
	report.Coverage, report.Verdict = finding.Incomplete, finding.VerdictOf(report.Findings, finding.Incomplete)
	report.Reasons = append(report.Reasons, fmt.Sprintf("unsigned-records: %d records, and torn: %t, behind batch %d: nobody vouches for them", r.Unsigned, r.Torn, r.Head.Number))
}

// logDetail is documented in docs/inference.md.
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
		last := r.Certificate
		d["certificates"], d["certificate"], d["model"], d["configuration"] = certificates, last.Digest().String(), last.Model.String(), last.Configuration.String()
		several(d, "models", r.Certificates, func(c *inference.Certificate) inference.Digest { return c.Model })
		several(d, "configurations", r.Certificates, func(c *inference.Certificate) inference.Digest { return c.Configuration })
	}
	return d
}

// several lists what certificates are for, where that is not the same.
func several(d map[string]any, key string, list []*inference.Certificate, of func(*inference.Certificate) inference.Digest) {
	var distinct []string
	for _, c := range list {
		if digest := of(c).String(); !slices.Contains(distinct, digest) {
			distinct = append(distinct, digest)
		}
	}
	if len(distinct) > 1 {
		d[key] = distinct
	}
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
