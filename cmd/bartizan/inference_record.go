package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest/inference"
	"bartizan/attest/keys"
	"bartizan/attest/statement"
	"bartizan/attest/strictjson"
	"bartizan/cmd/internal/input"
)

type inferenceRecordCmd struct {
	Log        string        `required:"" placeholder:"L" help:"The log, made or continued."`
	Key        string        `required:"" placeholder:"R" help:"The replica's private key: a PEM file, or a pkcs11: URI."`
	Cert       string        `required:"" placeholder:"C" help:"The certificate of the key, which certify wrote."`
	Operator   string        `placeholder:"O.pub" help:"Refuse a certificate, and a log, that this operator did not certify."`
	ExpectHead string        `env:"-" placeholder:"SEQ:DIGEST" help:"Refuse to continue a log that does not contain this head."`
	After      string        `env:"-" placeholder:"LOG" help:"Begin a new log that continues this one."`
	Salts      string        `placeholder:"FILE" help:"Where the salts of personal content go, a line each. Whoever deletes a line has erased that content from the log."`
	Personal   bool          `help:"Take all content for personal."`
	Batch      int           `default:"256" help:"Records signed together at most."`
	Wait       time.Duration `default:"250ms" help:"How long a record waits for others at most."`
}

// Help is what `bartizan attest inference record --help` says below the usage.
func (inferenceRecordCmd) Help() string {
	return `Reads a line of JSON for each answer:

    {"id": "a1", "request": "Which gate?", "response": "Gate 7", "parameters": {"temperature": 0}}
    {"request": {"messages": […]}, "response": {…}, "personal": true}
    {"requestDigest": "sha256:…", "responseDigest": "sha256:…", "guards": [{"name": "prompt", "verdict": "clean"}]}

Only digests are kept: of a text its UTF-8 bytes, of any other JSON value its canonical form (RFC 8785). Content with "personal": true is digested under a random salt, which goes to --salts FILE; time, assurance and salt can be given as well, salt with digests of the form hmac-sha256:HEX. Personal content that is given by digests wants both salted. A time may be up to a minute before that of the line before, and is then raised to it: in a log, time does not run backwards.

An id stands once: make it yourself, and do not take it from whoever asks. Recording does not look for ids that were there before; check does, and a log with one of them never passes it.

At the end the log is sealed and its head is printed, SEQUENCE:sha256:HEX. Keep it elsewhere: it shows later that nothing was cut off. A line that cannot be read ends the recording; what came before it is signed.

The exit code is 2 where anything was refused (a certificate, a key, a log that cannot be continued), with the stable code on standard error; a log or file of salts that did not exist is then not made.
`
}

func (c *inferenceRecordCmd) Run(e *env) error {
	opt, closer, err := c.options(e.ctx)
	if err != nil {
		return err
	}
	err = c.record(e, opt)
	return errors.Join(err, closer())
}

func (c *inferenceRecordCmd) record(e *env, opt inference.Options) error {
	salts, err := openSalts(c.Salts)
	if err != nil {
		return err
	}
	if salts.is(c.Log) {
		return errors.Join(usagef("--salts %s: is the log: salts are kept apart from it", c.Salts), salts.discard())
	}
	recorder, err := inference.Open(e.ctx, opt)
	if err != nil {
		return errors.Join(err, salts.discard())
	}
	before := recorder.Head()
	failed := eachLine(e.ctx, e.in, func(line []byte) error {
		r, err := c.read(line, salts)
		if err != nil {
			return err
		}
		return recorder.Add(e.ctx, r)
	})
	if err := errors.Join(failed, recorder.Close(), salts.close()); err != nil {
		return err
	}
	head := recorder.Head()
	if !e.cli.Quiet {
		fmt.Fprintf(e.err, "bartizan: %s: signed %d records, %d in all\n", text(c.Log), head.Sequence-before.Sequence, head.Sequence)
	}
	_, err = fmt.Fprintln(e.out, head)
	return err
}

func (c *inferenceRecordCmd) options(ctx context.Context) (opt inference.Options, closer func() error, err error) {
	opt = inference.Options{Path: c.Log, Batch: c.Batch, Wait: c.Wait}
	if c.Batch < 1 || c.Batch > inference.MaxBatch {
		return opt, nil, usagef("--batch %d: want 1 to %d", c.Batch, inference.MaxBatch)
	}
	if opt.Certificate, err = readSmall(c.Cert); err != nil {
		return opt, nil, fmt.Errorf("--cert: %w", err)
	}
	if c.Operator != "" {
		key, err := readPublicKey(c.Operator)
		if err != nil {
			return opt, nil, fmt.Errorf("--operator: %w", err)
		}
		opt.Operators = []*keys.Public{key}
	}
	if c.ExpectHead != "" {
		head, err := inference.ParseHead(c.ExpectHead)
		if err != nil {
			return opt, nil, usagef("--expect-head: %w", err)
		}
		opt.Expect = &head
	}
	if c.After != "" {
		if opt.After, err = headOf(ctx, c.After, opt.Operators); err != nil {
			return opt, nil, fmt.Errorf("--after %s: %w", c.After, err)
		}
	}
	opt.Key, closer, err = openSigner(ctx, c.Key)
	return opt, closer, err
}

// headOf reads how far a log goes.
func headOf(ctx context.Context, path string, operators []*keys.Public) (*inference.Head, error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	_, head, err := inference.ReadHead(ctx, f, operators...)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if head.Number == 0 {
		return nil, errors.New("the log has no batch that could be continued")
	}
	return &head, nil
}

// answerLine is a line of standard input.
type answerLine struct {
	ID               string         `json:"id"`
	Time             time.Time      `json:"time"`
	Request          jsontext.Value `json:"request"`
	Response         jsontext.Value `json:"response"`
	Parameters       jsontext.Value `json:"parameters"`
	RequestDigest    string         `json:"requestDigest"`
	ResponseDigest   string         `json:"responseDigest"`
	ParametersDigest string         `json:"parametersDigest"`
	Salt             string         `json:"salt"`
	Personal         bool           `json:"personal"`
	Assurance        string         `json:"assurance"`
	Guards           []struct {
		Name    string `json:"name"`
		Verdict string `json:"verdict"`
	} `json:"guards"`
}

func (c *inferenceRecordCmd) read(line []byte, salts *saltFile) (inference.Record, error) {
	var a answerLine
	if err := strictjson.UnmarshalExact(line, &a); err != nil {
		return inference.Record{}, err
	}
	r := inference.Record{ID: a.ID, Time: a.Time, Salt: a.Salt, Assurance: inference.Assurance(a.Assurance)}
	for _, g := range a.Guards {
		r.Guards = append(r.Guards, inference.Guard(g))
	}
	digest := inference.SHA256
	personal := a.Personal || c.Personal
	if content := len(a.Request) + len(a.Response); personal && content > 0 {
		if a.Salt != "" || a.RequestDigest != "" || a.ResponseDigest != "" {
			return r, errors.New("personal content gets a salt of its own: give request and response, or both digests and their salt")
		}
		salt, err := salts.add()
		if err != nil {
			return r, err
		}
		digest, r.Salt = salt.Digest, salt.ID()
	}
	var err error
	if r.Request, err = contentDigest("request", a.Request, a.RequestDigest, digest); err != nil {
		return r, err
	}
	if r.Response, err = contentDigest("response", a.Response, a.ResponseDigest, digest); err != nil {
		return r, err
	}
	if personal && !(r.Request.Salted() && r.Response.Salted()) {
		return r, errors.New("the content is personal: its digests must be salted, hmac-sha256:HEX with their salt; a plain sha256: could be guessed, and never be erased")
	}
	if len(a.Parameters) > 0 || a.ParametersDigest != "" {
		r.Parameters, err = contentDigest("parameters", a.Parameters, a.ParametersDigest, inference.SHA256)
	}
	return r, err
}

// contentDigest takes a digest that is given, or makes one.
func contentDigest(name string, content jsontext.Value, given string, digest func([]byte) inference.Digest) (inference.Digest, error) {
	switch {
	case len(content) > 0 && given != "":
		return inference.Digest{}, fmt.Errorf("%s and %sDigest: give one", name, name)
	case given != "":
		return inference.ParseDigest(given)
	case len(content) == 0:
		return inference.Digest{}, fmt.Errorf("%s is missing", name)
	case content.Kind() == '"':
		var s string
		if err := json.Unmarshal(content, &s); err != nil {
			return inference.Digest{}, fmt.Errorf("%s: %w", name, err)
		}
		return digest([]byte(s)), nil
	}
	canonical, err := statement.Canonical(content)
	if err != nil {
		return inference.Digest{}, fmt.Errorf("%s: %w", name, err)
	}
	return digest(canonical), nil
}

// maxAnswerLine is the longest line that is read.
const maxAnswerLine = 64 << 20

// eachLine calls take for each line that is not empty, until the end, an error,
// or the end of ctx, which is no error: what came before is kept.
func eachLine(ctx context.Context, in io.Reader, take func([]byte) error) error {
	lines, ended := make(chan []byte), make(chan error, 1)
	go func() { // a read cannot be interrupted; the process ends with it
		defer close(lines)
		scan := bufio.NewScanner(in)
		scan.Buffer(make([]byte, 64<<10), maxAnswerLine)
		for scan.Scan() {
			select {
			case lines <- append([]byte(nil), scan.Bytes()...):
			case <-ctx.Done():
				return
			}
		}
		ended <- scan.Err()
	}()
	for number := 1; ; number++ {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				if ctx.Err() != nil {
					return nil
				}
				return <-ended
			}
			if len(line) == 0 {
				continue
			}
			if err := take(line); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
	}
}
