package main

import (
	"fmt"
	"strings"
	"unicode/utf16"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/statement"
	"bartizan/cmd/internal/input"
)

type attestShowCmd struct {
	listing
	File string `arg:"" name:"bundle" help:"A bundle."`
}

// Help is what `bartizan attest show --help` says below the usage.
func (attestShowCmd) Help() string {
	return `Prints what a bundle says, for people.

    bartizan attest show training.json

Nothing is verified: anybody can write a bundle that says anything in anybody's name. bartizan attest verify says whether it holds.
`
}

const unverified = "UNVERIFIED: nothing below was checked; anybody can write this. bartizan attest verify checks it."

func (c *attestShowCmd) Run(e *env) error {
	raw, err := input.AtMost(c.File, bundle.MaxSize)
	if err != nil {
		return err
	}
	b, st, payload, err := openStatement(raw)
	if err != nil {
		if len(attest.Refusals(err)) > 0 { // it was read, and is none
			fmt.Fprintf(e.err, "bartizan: %s: %s\n", text(c.File), text(err.Error()))
			e.code = exitFound
			return nil
		}
		return err
	}
	if c.Format == "json" {
		return showJSON(e, b, payload)
	}
	return showTable(e, b, st)
}

// openStatement reads the statement in a bundle, and the payload that was signed.
// It verifies nothing.
func openStatement(raw []byte) (*bundle.Bundle, *statement.Statement, []byte, error) {
	b, err := bundle.Parse(raw)
	if err != nil {
		return nil, nil, nil, err
	}
	if b.Envelope == nil {
		return nil, nil, nil, attest.Refuse(attest.DSSEPayloadType, "", "the bundle signs a file, not a statement")
	}
	if b.Envelope.PayloadType != statement.PayloadType {
		return nil, nil, nil, attest.Refuse(attest.DSSEPayloadType, "", "%q, not %s", b.Envelope.PayloadType, statement.PayloadType)
	}
	st, err := statement.Parse(b.Envelope.Payload)
	return b, st, b.Envelope.Payload, err
}

// shown is the document of --format json. It is no report: nothing was examined.
type shown struct {
	Verified  bool           `json:"verified"`
	Warning   string         `json:"warning"`
	Method    string         `json:"method"`
	KeyHint   string         `json:"key_hint,omitzero"`
	Statement jsontext.Value `json:"statement"`
}

func showJSON(e *env, b *bundle.Bundle, payload []byte) error {
	out, err := json.Marshal(shown{Warning: unverified, Method: string(b.Method), KeyHint: b.Hint, Statement: payload}, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, escapeHidden(string(out)))
	return err
}

// escapeHidden writes what does not show as JSON escapes. In JSON such runes can
// only stand within strings, where the escape means the same.
func escapeHidden(doc string) string {
	var b strings.Builder
	for _, r := range doc {
		if r < 0x7f || text(string(r)) == string(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

func showTable(e *env, b *bundle.Bundle, st *statement.Statement) error {
	var out strings.Builder
	fmt.Fprintln(&out, unverified)
	fmt.Fprintln(&out)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&out, "%-11s %s\n", name, text(fmt.Sprintf(format, args...)))
	}
	row("predicate", "%s", st.PredicateType)
	row("signed by", "%s", signerHint(b))
	const most = 100
	for i := range st.Subject {
		if i == most {
			row("", "and %d more subjects", len(st.Subject)-most)
			break
		}
		row("subject", "%s", descriptor(&st.Subject[i]))
	}
	if st.Predicate != nil {
		body := st.Predicate.Clone()
		if err := body.Indent(jsontext.WithIndent("  ")); err != nil {
			return err
		}
		fmt.Fprintln(&out)
		for _, line := range strings.Split(string(body), "\n") {
			trimmed := strings.TrimLeft(line, " ")
			fmt.Fprintln(&out, strings.Repeat(" ", len(line)-len(trimmed))+text(trimmed))
		}
	}
	fmt.Fprintln(&out)
	fmt.Fprintln(&out, unverified)
	_, err := fmt.Fprint(e.out, out.String())
	return err
}

func signerHint(b *bundle.Bundle) string {
	switch {
	case b.Method == bundle.MethodKey && b.Hint != "":
		return "somebody who names the key " + b.Hint
	case b.Method == bundle.MethodKey:
		return "somebody with a key"
	}
	return fmt.Sprintf("somebody with a chain of %d certificates (%s)", len(b.Certificates), b.Method)
}

func descriptor(d *statement.Descriptor) string {
	parts := []string{}
	for _, p := range []string{d.Name, d.URI, d.Digest.String()} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "  ")
}
