package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"bartizan/attest/inference"
	"bartizan/attest/keys"
	"bartizan/cmd/internal/input"
)

type attestInferenceCmd struct {
	Certify inferenceCertifyCmd `cmd:"" help:"Let a replica's key sign records of one model and configuration, for a time."`
	Record  inferenceRecordCmd  `cmd:"" help:"Record answers from standard input in a signed log."`
	Check   inferenceCheckCmd   `cmd:"" help:"Check logs, or the proof of one record."`
	Prove   inferenceProveCmd   `cmd:"" help:"Take one record out of a log, with the proof that it was signed."`
}

// Help is what `bartizan attest inference --help` says below the usage.
func (attestInferenceCmd) Help() string {
	return `A replica signs what it answered: digests of request, response and parameters, numbered without gaps, in batches. From any answer one can go back to the model, and nobody can later drop, change, repeat or add one without it being seen.

    bartizan key generate -o operator                    whom auditors believe
    bartizan key generate -o r1 --kind Ed25519           the replica's own
    bartizan attest inference certify --key operator --replica r1 --replica-key r1.pub \
        --model sha256:… --configuration sha256:… --valid 24h -o r1.cert
    bartizan attest inference record --log r1.log --key r1 --cert r1.cert < answers.jsonl
    bartizan attest inference check r1.log --key operator.pub --expect-head 512:sha256:…
    bartizan attest inference prove r1.log --sequence 7 -o p7.json
    bartizan attest inference check --proof p7.json --key operator.pub
`
}

type inferenceCertifyCmd struct {
	Key           string        `required:"" placeholder:"OPERATOR" help:"The operator's private key: a PEM file, or a pkcs11: URI."`
	Replica       string        `required:"" placeholder:"ID" help:"What the replica is called: letters, digits and . _ : @ / + -"`
	ReplicaKey    string        `required:"" placeholder:"R.pub" help:"The replica's public key, Ed25519 (PEM)."`
	Model         string        `required:"" placeholder:"DIGEST" help:"sha256:HEX of the model, such as the root that bartizan sign printed."`
	Configuration string        `required:"" placeholder:"DIGEST" help:"sha256:HEX of the configuration that the replica runs with."`
	Valid         time.Duration `default:"24h" help:"For how long, from now or --from."`
	From          string        `placeholder:"TIME" help:"When it begins (RFC 3339; default: now)."`
	Assurance     string        `enum:"self-attested,witnessed,hardware" default:"self-attested" help:"self-attested, witnessed or hardware: the most that records may claim."`
	Output        string        `env:"-" short:"o" required:"" placeholder:"CERT" help:"The certificate, which appears whole or not at all."`
}

// Help is what `bartizan attest inference certify --help` says below the usage.
func (inferenceCertifyCmd) Help() string {
	return `The certificate is what makes the replica's records count. Keep its time short and certify again: a log can go on under a new certificate, and under a new key.

Levels of assurance: self-attested is the replica's own word; witnessed says that something apart from it saw request and response, such as a gateway; hardware says that the key is bound to measured code. Check what stands behind the level before you certify it: the certificate only repeats it.
`
}

func (c *inferenceCertifyCmd) Run(e *env) error {
	cert, err := c.certificate(e.now())
	if err != nil {
		return err
	}
	if err := writableFor("--output", c.Output, kindEnvelope); err != nil {
		return err
	}
	operator, closer, err := openSigner(e.ctx, c.Key)
	if err != nil {
		return err
	}
	raw, err := inference.Certify(e.ctx, operator, cert)
	if err = errors.Join(err, closer()); err != nil {
		return err
	}
	if err := writeWhole(c.Output, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	signed, err := inference.ReadCertificate(raw, operator.Public())
	if err != nil {
		return err
	}
	if !e.cli.Quiet {
		fmt.Fprintf(e.err, "bartizan: wrote %s: %s of replica %s until %s, certificate %s\n", text(c.Output), signed.Assurance, text(signed.Replica),
			signed.NotAfter.Format(time.RFC3339), signed.Digest())
	}
	return nil
}

func (c *inferenceCertifyCmd) certificate(now time.Time) (inference.Certificate, error) {
	cert := inference.Certificate{Replica: c.Replica, NotBefore: now, Assurance: inference.Assurance(c.Assurance)}
	var err error
	if cert.Model, err = digestFlag("--model", c.Model); err != nil {
		return cert, err
	}
	if cert.Configuration, err = digestFlag("--configuration", c.Configuration); err != nil {
		return cert, err
	}
	if c.Valid < time.Second {
		return cert, usagef("--valid %v: want at least a second", c.Valid)
	}
	if c.From != "" {
		if cert.NotBefore, err = time.Parse(time.RFC3339, c.From); err != nil {
			return cert, usagef("--from %s: want a time such as 2027-01-31T08:00:00Z", c.From)
		}
	}
	cert.NotAfter = cert.NotBefore.Add(c.Valid)
	data, err := readSmall(c.ReplicaKey)
	if err != nil {
		return cert, fmt.Errorf("--replica-key: %w", err)
	}
	if cert.Key, err = keys.ReadPublic(data); err != nil {
		return cert, fmt.Errorf("--replica-key %s: %w", c.ReplicaKey, err)
	}
	if _, ok := cert.Key.Crypto().(ed25519.PublicKey); !ok {
		return cert, usagef("--replica-key %s: a key on %s: want Ed25519 (bartizan key generate --kind Ed25519)", c.ReplicaKey, cert.Key.Kind())
	}
	return cert, nil
}

// digestFlag reads sha256:HEX.
func digestFlag(flag, value string) (inference.Digest, error) {
	d, err := inference.ParseDigest(value)
	if err == nil && d.Salted() {
		err = errors.New("want sha256:HEX")
	}
	if err != nil {
		return d, usagef("%s: %w", flag, err)
	}
	return d, nil
}

type inferenceProveCmd struct {
	Log      string `arg:"" name:"log" help:"The log."`
	Sequence int64  `required:"" placeholder:"N" help:"The record's number."`
	Output   string `env:"-" short:"o" required:"" placeholder:"PROOF" help:"The proof, which appears whole or not at all."`
}

// Help is what `bartizan attest inference prove --help` says below the usage.
func (inferenceProveCmd) Help() string {
	return `The proof shows nothing of other records but hashes. Check it with

    bartizan attest inference check --proof PROOF --key OPERATOR.pub

It shows that the record was signed, not that it is the only one of its id: the log does.
`
}

func (c *inferenceProveCmd) Run(e *env) error {
	if c.Sequence < 1 {
		return usagef("--sequence %d: records count from 1", c.Sequence)
	}
	if err := writableFor("--output", c.Output, kindEnvelope); err != nil {
		return err
	}
	f, err := input.Open(c.Log)
	if err != nil {
		return err
	}
	proof, err := inference.Prove(e.ctx, f, c.Sequence)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", c.Log, err)
	}
	if err := writeWhole(c.Output, proof, 0o644); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}
