package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"bartizan/attest"
	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/cmd/internal/input"
	"bartizan/finding"
	"bartizan/record/lineage"
	"bartizan/record/lineage/claims"
	"bartizan/subject"
)

type lineageCmd struct {
	Import lineageImportCmd `cmd:"" help:"Read statements and OpenLineage events, refuse what contradicts itself, and keep the graph in a file."`
	Show   lineageShowCmd   `cmd:"" help:"Say what a lineage holds, and what in it is clean, tainted or unknown."`
	Walk   lineageWalkCmd   `cmd:"" help:"Walk from a digest or name up to what it was made of, and down to what was made of it."`
	Export lineageExportCmd `cmd:"" help:"Write a lineage as OpenLineage events, JSON or a Graphviz drawing."`
}

// Help is what `bartizan lineage --help` says below the usage.
func (lineageCmd) Help() string {
	return `From an answer back to the data, and from a dataset to every answer.

    bartizan lineage walk model-root --from ./attestations --key signer.pub
    bartizan lineage walk sha256:3f1a... --from ./attestations --key signer.pub --down
    bartizan lineage walk support-bot --from ./attestations --key signer.pub --taint sha256:9bc2...=poisoned
    bartizan lineage import ./attestations --key signer.pub --graph company.lineage
    bartizan lineage export company.lineage --as dot -o company.dot

A source is a folder or file with in-toto statements (sigstore bundles, DSSE envelopes), logs of inference records, manifests and OpenLineage events, or a graph that import wrote.

    clean     verified statements describe it and everything that it was made of
    unknown   somewhere upstream nothing describes a thing, or only a statement that is not verified: review, exit 2, and no gate should let it pass
    tainted   something upstream failed a scan or a gate, or was named with --taint

What no statement names, nobody can see: a run whose attestation leaves out a file looks complete.
`
}

// believeFlags name whose signatures count; everybody else's are unverified.
type believeFlags struct {
	Key              []string `sep:"none" placeholder:"K.pub" help:"Believe this public key (PEM; repeatable)."`
	CertificateChain []string `sep:"none" placeholder:"C" help:"Believe certificates that chain to the self-signed ones in this PEM file (repeatable)."`
	Identity         string   `placeholder:"I" help:"Believe this identity of keyless signatures; exact."`
	Issuer           string   `placeholder:"U" help:"Who vouches for the identity: the URL of the OpenID Connect issuer; exact."`
	TrustedRoot      string   `placeholder:"T" help:"The sigstore trusted root (JSON) with the authorities and logs that are believed."`
}

func (f *believeFlags) given() bool {
	return len(f.Key) > 0 || len(f.CertificateChain) > 0 || f.Identity != "" || f.Issuer != "" || f.TrustedRoot != ""
}

func (f *believeFlags) options(e *env) (claims.Options, error) {
	var opt claims.Options
	for _, path := range f.Key {
		key, err := readPublicKey(path)
		if err != nil {
			return opt, err
		}
		opt.Keys = append(opt.Keys, key)
	}
	opt.Keys = distinct(opt.Keys)
	others := []trustFlags{{CertificateChain: f.CertificateChain}, {Identity: f.Identity, Issuer: f.Issuer, TrustedRoot: f.TrustedRoot}}
	for i, is := range []bool{len(f.CertificateChain) > 0, f.Identity != "" || f.Issuer != "" || f.TrustedRoot != ""} {
		if !is {
			continue
		}
		if err := others[i].check(); err != nil {
			return opt, err
		}
		trust, err := others[i].trust(e.now())
		if err != nil {
			return opt, err
		}
		opt.Trust = append(opt.Trust, trust)
	}
	return opt, nil
}

func distinct(list []*keys.Public) (out []*keys.Public) {
	for _, k := range list {
		twice := false
		for _, o := range out {
			twice = twice || o.Equal(k)
		}
		if !twice {
			out = append(out, k)
		}
	}
	return out
}

var _ oms.Trust = keylessTrust{}

// source is a lineage that was read.
type source struct {
	graph *lineage.Graph
	sum   claims.Summary
	file  bool // a graph file, whose signatures were checked when it was made
}

// read reads one graph file, or folders and files of statements.
func (f *believeFlags) read(e *env, paths []string) (*source, error) {
	is, err := isGraphFile(paths)
	if err != nil {
		return nil, err
	}
	if is {
		if len(paths) > 1 {
			return nil, usagef("a graph file stands alone: import the folders together")
		}
		if f.given() {
			return nil, usagef("%s is a graph, which holds no signatures any more: give --key and the like to import, or name the folder", paths[0])
		}
		data, err := input.AtMost(paths[0], maxGraphFile)
		if err != nil {
			return nil, err
		}
		g, err := lineage.Decode(data)
		return &source{graph: g, file: true}, err
	}
	opt, err := f.options(e)
	if err != nil {
		return nil, err
	}
	g, sum, err := claims.Read(e.ctx, opt, paths...)
	if err == nil && g.Nodes() == 0 {
		return nil, fmt.Errorf("%s: nothing read: no statement, manifest or OpenLineage event says anything about lineage there", strings.Join(paths, " "))
	}
	return &source{graph: g, sum: sum}, err
}

const maxGraphFile = 8 << 30

func isGraphFile(paths []string) (bool, error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return false, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		head, err := readHead(path)
		if err != nil {
			return false, err
		}
		if lineage.IsGraph(head) {
			return true, nil
		}
	}
	return false, nil
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var head [32]byte
	n, err := io.ReadFull(f, head[:])
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], errors.Join(err, f.Close())
}

type lineageImportCmd struct {
	Paths []string `arg:"" name:"path" help:"Folders and files of statements and events."`
	Graph string   `placeholder:"GRAPH" help:"Keep the graph in this file. It says which claims were verified, and holds no signatures: keep it as safe as the keys' list, or sign it."`
	believeFlags
	reportFlags
}

// Help is what `bartizan lineage import --help` says below the usage.
func (lineageImportCmd) Help() string {
	return `Reads everything or nothing. Refused (exit 1) are bundles that cannot be read, claims by which a thing would be made of itself (LINEAGE_CYCLE, with the cycle), and claims of the same trust that contradict each other about one run or one digest (LINEAGE_CONFLICT).

    bartizan lineage import ./attestations --key signer.pub --graph company.lineage

Statements that no given key verifies are read too: what they say is shown as unverified, and makes nothing clean.
`
}

func (c *lineageImportCmd) Run(e *env) error {
	if c.Graph != "" {
		if err := writableFor("--graph", c.Graph, kindGraph); err != nil {
			return err
		}
	}
	src, err := c.believeFlags.read(e, c.Paths)
	report, failed := lineageReport(c.Paths, src, err)
	if failed != nil {
		return failed
	}
	if err == nil && c.Graph != "" {
		if err := writeGraph(c.Graph, src.graph); err != nil {
			return err
		}
		if !e.cli.Quiet {
			fmt.Fprintf(e.err, "bartizan: wrote %s: %d nodes, %d edges\n", text(c.Graph), src.graph.Nodes(), src.graph.Edges())
		}
	}
	return c.printReports(e, report)
}

func writeGraph(path string, g *lineage.Graph) error {
	var buf bytes.Buffer
	if err := g.Encode(&buf); err != nil {
		return err
	}
	if err := writeWhole(path, buf.Bytes(), 0o644); err != nil {
		return fmt.Errorf("--graph: %w", err)
	}
	return nil
}

// lineageReport is the report about a lineage as a whole: its conflicts, and what
// was read.
func lineageReport(paths []string, src *source, err error) (finding.SubjectReport, error) {
	id := strings.Join(paths, " ")
	report, err := claim(subject.Subject{Kind: subject.System, ID: id, Size: -1}, err)
	if err != nil || src == nil || src.graph == nil {
		return report, err
	}
	g := src.graph
	for i := range g.Conflicts() {
		if i == finding.MaxReasons {
			break
		}
		addConflict(&report, g, &g.Conflicts()[i])
	}
	report.Detail = map[string]any{
		"nodes": g.Nodes(), "edges": g.Edges(), "conflicts": len(g.Conflicts()), "kinds": kindCounts(g), "evidence": evidenceCounts(g),
	}
	if src.file {
		report.Detail["signatures"] = notChecked
	}
	if !src.file && src.sum.Files > 0 {
		report.Detail["read"] = src.sum
	}
	return report, nil
}

// addConflict adds the finding, and the reason that begins with a code where it
// matters to the verdict.
func addConflict(r *finding.SubjectReport, g *lineage.Graph, c *lineage.Conflict) {
	f := g.Finding(c, r.ID)
	r.Add(f, nil, noTime)
	if f.Severity >= finding.Medium {
		r.Reasons = append(r.Reasons, string(attest.LineageConflict)+": "+c.Kind.String()+": "+c.Detail)
	}
}

func kindCounts(g *lineage.Graph) map[string]int {
	out := map[string]int{}
	for i := range g.Nodes() {
		out[g.Kind(lineage.Node(i)).String()]++
	}
	return out
}

func evidenceCounts(g *lineage.Graph) map[string]int {
	out := map[string]int{}
	for i := range g.Evidence() {
		out[g.Evidence()[i].Assurance.String()]++
	}
	return out
}
