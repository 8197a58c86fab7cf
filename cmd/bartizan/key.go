package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"bartizan/attest/keys"
	"bartizan/cmd/internal/input"
)

type keyCmd struct {
	Generate keyGenerateCmd `cmd:"" help:"Make a key for signing."`
	Show     keyShowCmd     `cmd:"" help:"Name a key: its kind and the fingerprint by which bundles know it."`
}

type keyGenerateCmd struct {
	Output string `env:"-" short:"o" required:"" placeholder:"FILE" help:"The private key; the public one is FILE.pub. Neither may be there yet."`
	Kind   string `enum:"P-256,P-384,P-521,Ed25519" default:"P-256" help:"P-256, P-384, P-521 or Ed25519 (Ed25519 signs inference records, not models)."`
}

// Help is what `bartizan key generate --help` says below the usage.
func (keyGenerateCmd) Help() string {
	return `Makes a private key and its public one.

    bartizan key generate -o signer        signer (mode 0600) and signer.pub, both PEM
    bartizan sign ./model --key signer --bundle model.sig
    bartizan verify ./model --key signer.pub --bundle model.sig

The private key is not encrypted: keep it where only the signer can read it, or keep keys in a token and name them by a pkcs11: URI. Give signer.pub to whoever verifies, by another way than the model. A lost key cannot be replaced: what it signed stays verifiable, but sign anew with a new key and tell verifiers; for a stolen key, have verifiers drop the old signer.pub first.
`
}

func (c *keyGenerateCmd) Run(e *env) error {
	key, err := keys.Generate(c.Kind)
	if err != nil {
		return err
	}
	private, err := key.PEM()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(c.Output + ".pub"); err == nil {
		return usagef("%s.pub: is there already: move it away first, or choose another name", c.Output)
	}
	if err := writeNew(c.Output, private, 0o600); err != nil {
		return err
	}
	if err := writeNew(c.Output+".pub", key.Public().PEM(), 0o644); err != nil {
		return errors.Join(err, os.Remove(c.Output))
	}
	if !e.cli.Quiet {
		fmt.Fprintf(e.err, "bartizan: wrote %s (keep it secret) and %s.pub: %s, fingerprint %s\n", text(c.Output), text(c.Output), key.Public().Kind(), key.Public().Hint())
	}
	return nil
}

type keyShowCmd struct {
	listing
	Key string `arg:"" name:"key" help:"PEM file of a public key."`
}

func (c *keyShowCmd) Run(e *env) error {
	key, err := readPublicKey(c.Key)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return printJSON(e.out, map[string]string{"kind": key.Kind(), "fingerprint": key.Hint(), "pem": string(key.PEM())})
	}
	return printRows(e.out, [][]string{{"KIND", "FINGERPRINT"}, {key.Kind(), key.Hint()}})
}

// readPublicKey reads a file that --key names.
func readPublicKey(path string) (*keys.Public, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	key, err := keys.ReadPublic(data)
	if err != nil {
		if strings.Contains(string(data), "PRIVATE KEY") {
			return nil, usagef("--key %s: holds a private key: verifying wants the public one (%s.pub)", path, path)
		}
		return nil, fmt.Errorf("--key %s: %w", path, err)
	}
	return key, nil
}

// maxKeyFile bounds what is read of keys, certificates and the like.
const maxKeyFile = 1 << 20

// readSmall reads a file that a flag names.
func readSmall(path string) ([]byte, error) { return input.AtMost(path, maxKeyFile) }
