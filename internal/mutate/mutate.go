// Package mutate makes signed trees and bundles of OpenSSF Model Signing v1.0,
// and from them, by a seed, any number of mutated ones, each with what a
// verifier must say: accept, or reject with one of the reason codes that
// explain it.
//
// It shares no code with the verifier that it tests: it encodes, digests and
// signs by itself, so that a misunderstanding there is not repeated here.
//
// The families: every field of the bundle and of the signed statement
// (dropped, null, of another type, twice, by another key); the text of the
// bundle and its base64; statements that the hostile owner of an accepted key
// could sign; certificate chains; every kind of change to the tree; and
// variants that are valid and must pass. What is left to the wanted number is
// drawn at random.
//
// Where the specifications that meet in a bundle disagree (DSSE ignores unknown
// members, the schema of OMS refuses them), either answer is right, and only the
// code of a refusal is checked. Those cases are few and are counted apart.
package mutate

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Want is the answer that a case must get.
type Want string

// The answers.
const (
	Accept Want = "accept"
	Reject Want = "reject"
	Either Want = "either"
)

// Case is one bundle over one tree.
type Case struct {
	Name   string // family, what was changed, how; unique in a set
	Base   *Base
	Bundle []byte
	// Change alters a copy of the base's tree; nil leaves it as it is. It gives
	// the path to verify, which is root itself in all but a few cases.
	Change func(root string) (string, error)
	Want   Want
	Codes  []string // what may explain a refusal
}

// Base is a tree with what trusts its signer.
type Base struct {
	Name  string
	Files map[string][]byte
	// Folders are empty ones.
	Folders []string
	// Ignore is what the verifier is told to ignore.
	Ignore []string
	// Key is the trusted public key in PEM, or Roots are trusted certificates.
	Key, Roots []byte

	statement *value // the honest one
	bundle    *value // the honest one, with payload and signature
	signer    *signer
}

// Set is what Generate makes.
type Set struct {
	Bases []*Base
	Cases []Case
}

// generator collects cases.
type generator struct {
	random *rand.Rand
	cases  []Case
	names  map[string]int
}

// Generate makes n cases by the seed: all of the systematic ones, then drawn
// ones. The same seed gives the same cases.
func Generate(seed uint64, n int) (*Set, error) {
	g := &generator{random: rand.New(rand.NewPCG(seed, 0x6f6d73)), names: map[string]int{}}
	bases, err := makeBases(seed)
	if err != nil {
		return nil, err
	}
	files := bases[0]
	for _, b := range bases {
		g.honest(b)
	}
	g.bundleFields(files)
	g.bundleText(files)
	g.encodings(files)
	g.statementFields(files)
	g.statementValues(files)
	g.names_(files)
	g.ignores(files)
	for _, b := range bases {
		if b.Name == "shards" {
			g.statementFields(b)
			g.shards(b)
		}
		if b.Name == "ignoring" {
			g.ignoredTree(b)
		}
		if b.Name == "legacy" {
			g.legacy(b)
		}
		if b.Name == "certificate" {
			g.certificateFields(b)
		}
	}
	if err := g.certificates(seed, bases); err != nil {
		return nil, err
	}
	g.treeChanges(files, bases)
	g.valid(bases)
	if len(g.cases) > n {
		return nil, fmt.Errorf("%d systematic cases: want room for them, n is %d", len(g.cases), n)
	}
	g.drawn(bases, n-len(g.cases))
	return &Set{Bases: bases, Cases: g.cases}, nil
}

// add files a case. Names that come twice get a number.
func (g *generator) add(c Case) {
	g.names[c.Name]++
	if k := g.names[c.Name]; k > 1 {
		c.Name = fmt.Sprintf("%s #%d", c.Name, k)
	}
	if c.Bundle == nil {
		c.Bundle = c.Base.bundle.encode("")
	}
	slices.Sort(c.Codes)
	g.cases = append(g.cases, c)
}

func (g *generator) accept(b *Base, name string, bundle []byte) {
	g.add(Case{Name: name, Base: b, Bundle: bundle, Want: Accept})
}

func (g *generator) reject(b *Base, name string, bundle []byte, codes ...string) {
	g.add(Case{Name: name, Base: b, Bundle: bundle, Want: Reject, Codes: codes})
}

func (g *generator) either(b *Base, name string, bundle []byte, codes ...string) {
	g.add(Case{Name: name, Base: b, Bundle: bundle, Want: Either, Codes: codes})
}

func (g *generator) honest(b *Base) {
	g.accept(b, "valid/"+b.Name+" as signed", b.bundle.encode(""))
}

// rule says what a change of a field must lead to. The first that fits counts.
type rule struct {
	field, how string // a trailing * stands for anything
	want       Want
	codes      []string
}

func fits(pattern, s string) bool {
	if n := len(pattern); n > 0 && pattern[n-1] == '*' {
		return len(s) >= n-1 && s[:n-1] == pattern[:n-1]
	}
	return pattern == s
}

func judge(rules []rule, field, how string) (Want, []string) {
	for _, r := range rules {
		if fits(r.field, field) && fits(r.how, how) {
			return r.want, r.codes
		}
	}
	return Reject, nil
}
