package main

import "bartizan/finding/encode"

// cli is the grammar: one field a verb. The configuration file has the same
// shape: a key for each flag here, and a map of flags under each verb.
type cli struct {
	Config  configFlag `placeholder:"FILE" help:"YAML file with the values of flags; what is given as a flag or in the environment goes before it."`
	Color   string     `enum:"auto,always,never" default:"auto" help:"Colours in tables: auto, always or never (auto: on a terminal without NO_COLOR)."`
	Verbose bool       `short:"v" xor:"loud" help:"Say more on standard error."`
	Quiet   bool       `short:"q" xor:"loud" help:"Only what needs attention: no clean subjects in tables, no notes on standard error."`

	Scan     scanCmd     `cmd:"" help:"Say of model files, archives and folders whether loading them is safe."`
	Explain  explainCmd  `cmd:"" help:"Explain a rule: what was seen, why it matters, what to do."`
	Manifest manifestCmd `cmd:"" help:"Describe datasets and models: every file by its digest, every record by a Merkle root."`
	Key      keyCmd      `cmd:"" help:"Make keys for signing, and name them."`
	Sign     signCmd     `cmd:"" help:"Vouch for a model or dataset: sign every file of it."`
	Verify   verifyCmd   `cmd:"" help:"Check that the bytes of a model or dataset are those that were vouched for."`
	Attest   attestCmd   `cmd:"" help:"Sign statements about models and datasets: what they were made of, how they were tested, who consents."`
	Lineage  lineageCmd  `cmd:"" help:"Walk from an answer back to the data, and from a dataset to every answer."`
	Rules    rulesCmd    `cmd:"" help:"List the rules."`
	Formats  formatsCmd  `cmd:"" help:"List the formats that are recognised."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

const description = `Bartizan guards an AI stack. It reads model files without loading them, and says what loading them would do; it signs and verifies models and datasets, and says what they were made of.

Try:

    bartizan scan model.pt
    bartizan scan ./repository --format html --output report.html
    bartizan explain pickle/dangerous-call
    bartizan sign ./model --key signer --bundle model.sig
    bartizan verify ./model --key signer.pub --bundle model.sig
    bartizan lineage walk my-model --from ./attestations --key signer.pub --up

Every flag can stand in a file (--config) and in the environment: --fail-on is BARTIZAN_FAIL_ON. Flags that loosen a verification can only be given on the command line or in the file.
Exit codes: 0 clean and complete, 1 a verdict at or above --fail-on, 2 incomplete or failed, 3 wrong usage.
`

// listing is how the verbs print that list what the binary knows.
type listing struct {
	Format string `short:"f" enum:"table,json" default:"table" env:"-" help:"table or json."`
}

// text is encode.Text: everything that did not come from this source goes through it.
func text(s string) string { return encode.Text(s) }
