package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"bartizan/attest/bundle"
	"bartizan/attest/hashing"
	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/cmd/internal/input"
	"bartizan/cmd/internal/within"
)

const help = `bartizan-verify says whether these are the bytes that a signer vouched for, and hands them over.

    bartizan-verify PATH --bundle B --key K.pub                   a public key (PEM)
    bartizan-verify PATH --bundle B --certificate-chain ROOT.crt  certificates (repeatable)

Besides:

    --ignore P         this file or folder is known not to be signed (repeatable)
    --ignore-unsigned  pass over files that are not signed and that nothing could load
    --refuse-legacy    refuse statements of signers before the specification
    --accept-hash H    accept only sha256, blake2b or blake3 (repeatable)
    --to DIR           leave a verified copy: a new, read-only folder, whole or not at all
    --exec -- CMD ARG  run CMD with a private verified copy: {} in its arguments, and
                       BARTIZAN_VERIFIED in its environment, are the path
    --format json      table or json

    bartizan-verify open PATH NAME --bundle B --key K.pub --fd N

verifies one signed file (. where PATH is the file) and sends a descriptor of the verified bytes over the Unix socket N, sealed where it is memory. --memory-limit BYTES bounds that memory; larger files go to a nameless file in --temp-dir DIR.

Exit codes: 0 they are; 1 they are not, and reasons begin with a stable code; 2 it could not be checked; 3 wrong usage. With --exec, the code of the command.
`

// list is a flag that may be repeated.
type list []string

func (l *list) String() string     { return fmt.Sprint(*l) }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// options are those of both forms.
type options struct {
	path           string
	bundle         string
	key            string
	chain          list
	ignore         list
	ignoreUnsigned bool
	refuseLegacy   bool
	acceptHash     list
	format         string
}

func (o *options) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.bundle, "bundle", "", "")
	f.StringVar(&o.key, "key", "", "")
	f.Var(&o.chain, "certificate-chain", "")
	f.BoolVar(&o.refuseLegacy, "refuse-legacy", false, "")
	f.Var(&o.acceptHash, "accept-hash", "")
	f.StringVar(&o.format, "format", "table", "")
	return f
}

// parse takes flags and arguments in any order, as bartizan does.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{err}
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// check says whether the options fit each other.
func (o *options) check() error {
	switch {
	case o.bundle == "":
		return usagef("name the signature: --bundle B")
	case (o.key == "") == (len(o.chain) == 0):
		return usagef("say who is believed by one of: --key K.pub; --certificate-chain C (keyless identities are for bartizan verify)")
	case o.format != "table" && o.format != "json":
		return usagef("--format %s: want table or json", o.format)
	}
	for _, h := range o.acceptHash {
		if _, err := hashing.ParseAlgorithm(h); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// trust reads what the options name.
func (o *options) trust() (oms.Trust, error) {
	if o.key != "" {
		data, err := input.AtMost(o.key, 1<<20)
		if err != nil {
			return nil, fmt.Errorf("--key: %w", err)
		}
		key, err := keys.ReadPublic(data)
		if err != nil {
			return nil, fmt.Errorf("--key %s: %w", o.key, err)
		}
		return oms.KeyTrust{Key: key}, nil
	}
	var files [][]byte
	for _, path := range o.chain {
		data, err := input.AtMost(path, 1<<20)
		if err != nil {
			return nil, fmt.Errorf("--certificate-chain: %w", err)
		}
		files = append(files, data)
	}
	trust, err := oms.NewCertificateTrust(time.Now(), files...)
	if err != nil {
		return nil, fmt.Errorf("--certificate-chain: %w", err)
	}
	return trust, nil
}

// readBundle cuts a bundle that is too large at a byte past the limit, which its
// parser refuses.
func (o *options) readBundle() ([]byte, error) {
	raw, err := input.Cut(o.bundle, bundle.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("--bundle: %w", err)
	}
	return raw, nil
}

// accepts is what the options say of statements, whatever the tree.
func (o *options) accepts() (p oms.Policy) {
	p.IgnoreUnsigned, p.RefuseLegacy = o.ignoreUnsigned, o.refuseLegacy
	for _, h := range o.acceptHash {
		p.Algorithms = append(p.Algorithms, hashing.Algorithm(h))
	}
	return p
}

func (o *options) policy() (p oms.Policy, err error) {
	p = o.accepts()
	if p.Bundle, err = within.Name(o.path, o.bundle); err != nil {
		return p, err
	}
	if p.Ignore, err = within.Ignores(o.path, o.ignore); err != nil {
		return p, usagef("--ignore %w", err)
	}
	return p, nil
}
