package lineage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"bartizan/attest"
)

// Builder gathers claims in any order. [Builder.Build] makes the same graph of
// the same claims whatever their order was. It is for one goroutine.
type Builder struct {
	evidence []Evidence

	keyID   map[string]uint32 // packed key to number
	keyText []string

	things []thing
	keys   []uint32 // of all things, one after the other

	edges []claim
	parts []part
	runs  []inputs
	marks []Mark // Node is a Ref until it is built
	notes []note
	noted int // with those that are left out
	size  int // bytes of keys and names
}

// Ref is a thing as one claim names it. Two refs with a digest in common become
// one node.
type Ref uint32

// Thing is what a claim says of a thing that it names.
type Thing struct {
	// Keys are its digests, "sha256:…", the best first, or keys of what has none
	// ("run:…"). There is at least one.
	Keys []string
	Kind Kind
	// Sure is Guess, Role or Definite: how well the claim knows the kind.
	Sure int
	Name string
	// Version is set where the claim says that name and version stand for this
	// very thing.
	Version string
	// Weak: none of the keys binds name and bytes (MD5, SHA-1, a URI).
	Weak bool
	// Tree: the claim says that it is a tree of files, which its digest proves.
	Tree bool
	// Opaque: a tree some files of which are not known by SHA-256.
	Opaque bool
	// Described: the claim says how it was made or what it holds, and does not
	// merely refer to it.
	Described bool
}

// How well a claim knows the kind of a thing.
const (
	Guess    = iota
	Role     // by the part that it plays
	Definite // the claim is about such things alone
)

// NameKey makes a key of what has no digest of its own; kind is run, dataset,
// manifest or uri. Different parts give different keys.
func NameKey(kind string, parts ...string) string {
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = nameEscaper.Replace(strings.ToValidUTF8(p, "\uFFFD"))
	}
	if key := kind + ":" + strings.Join(escaped, "|"); len(key) <= maxNameKey {
		return key
	}
	sum := sha256.Sum256([]byte(strings.Join(escaped, "|")))
	return kind + ":%" + hex.EncodeToString(sum[:]) // no escape begins like this
}

// NameParts gives the parts of a key that NameKey made, or none where it is of
// another kind or was too long to keep.
func NameParts(kind, key string) []string {
	rest, ok := strings.CutPrefix(key, kind+":")
	if !ok || strings.HasPrefix(rest, "%") && len(rest) == 1+2*sha256.Size {
		return nil
	}
	parts := strings.Split(rest, "|")
	for i := range parts {
		parts[i] = nameUnescaper.Replace(parts[i])
	}
	return parts
}

const maxNameKey = 1024

// maxSize bounds all keys and names, which are found by 32-bit offsets.
const maxSize = 2 << 30

// Read only.
var (
	nameEscaper   = strings.NewReplacer("%", "%25", "|", "%7C")
	nameUnescaper = strings.NewReplacer("%25", "%", "%7C", "|")
)

type thing struct {
	first, count  uint32 // within Builder.keys
	evidence      uint32
	kind          Kind
	sure          uint8
	weak          bool
	described     bool
	failed        bool
	tree          bool
	opaque        bool
	name, version string
}

type claim struct {
	from, to Ref
	evidence uint32
	relation Relation
}

// part says that a file is in a tree; it becomes an edge where a claim names the file.
type part struct {
	file     uint32 // a key
	tree     Ref
	evidence uint32
}

// inputs is all that one claim says a run used.
type inputs struct {
	run      Ref
	evidence uint32
	used     []Ref
}

// NewBuilder makes an empty builder.
func NewBuilder() *Builder { return &Builder{keyID: map[string]uint32{}} }

// Evidence adds a statement and gives the number that claims refer to it by.
func (b *Builder) Evidence(e Evidence) uint32 {
	b.evidence = append(b.evidence, Evidence{
		Statement: clip(e.Statement), Type: clip(e.Type), Signer: clip(e.Signer), Source: clip(e.Source),
		Assurance: e.Assurance, Problem: clip(e.Problem),
	})
	return uint32(len(b.evidence) - 1)
}

// Thing adds a thing as a claim names it. It refuses with LINEAGE_MALFORMED a
// thing without keys, and keys that are longer than MaxText or not UTF-8.
func (b *Builder) Thing(evidence uint32, t Thing) (Ref, error) {
	if len(t.Keys) == 0 {
		return 0, attest.Refuse(attest.LineageMalformed, clip(t.Name), "it has neither a digest nor a name to tell it by")
	}
	if len(b.things) >= MaxNodes {
		return 0, attest.Refuse(attest.LineageMalformed, "", "more than %d things are named", MaxNodes)
	}
	out := thing{
		first: uint32(len(b.keys)), count: uint32(len(t.Keys)), evidence: evidence,
		kind: t.Kind, sure: uint8(t.Sure), weak: t.Weak, described: t.Described, tree: t.Tree, opaque: t.Opaque, name: clip(t.Name), version: clip(t.Version),
	}
	for _, k := range t.Keys {
		id, err := b.key(k)
		if err != nil {
			return 0, err
		}
		b.keys = append(b.keys, id)
	}
	if b.size += len(out.name) + len(out.version); b.size > maxSize {
		return 0, attest.Refuse(attest.LineageMalformed, "", "names of more than %d bytes together", maxSize)
	}
	b.things = append(b.things, out)
	return Ref(len(b.things) - 1), nil
}

func (b *Builder) key(text string) (uint32, error) {
	if text == "" || len(text) > MaxText || !utf8.ValidString(text) {
		return 0, attest.Refuse(attest.LineageMalformed, clip(text), "a key that is empty, not UTF-8, or longer than %d bytes", MaxText)
	}
	packed := pack(text)
	if id, ok := b.keyID[packed]; ok {
		return id, nil
	}
	if b.size += len(packed); b.size > maxSize {
		return 0, attest.Refuse(attest.LineageMalformed, "", "keys of more than %d bytes together", maxSize)
	}
	id := uint32(len(b.keyText))
	b.keyText = append(b.keyText, packed)
	b.keyID[packed] = id
	return id, nil
}

// Edge claims that to came of from.
func (b *Builder) Edge(evidence uint32, from, to Ref, r Relation) error {
	if len(b.edges) >= MaxEdges {
		return attest.Refuse(attest.LineageMalformed, "", "more than %d edges are claimed", MaxEdges)
	}
	b.edges = append(b.edges, claim{from: from, to: to, evidence: evidence, relation: r})
	return nil
}

// Inputs claims that these are all things that a run used, and makes an edge
// for each. Two equally trusted claims about one run that differ are a conflict.
func (b *Builder) Inputs(evidence uint32, run Ref, used []Ref) error {
	for _, u := range used {
		if err := b.Edge(evidence, u, run, Used); err != nil {
			return err
		}
	}
	b.runs = append(b.runs, inputs{run: run, evidence: evidence, used: used})
	return nil
}

// Part claims that a tree holds a file with this key. Files become nodes only
// where another claim names them, so that a manifest of a million files costs
// little.
func (b *Builder) Part(evidence uint32, tree Ref, file string) error {
	if len(b.parts) >= MaxEdges {
		return attest.Refuse(attest.LineageMalformed, "", "more than %d files are listed", MaxEdges)
	}
	id, err := b.key(file)
	if err != nil {
		return err
	}
	b.parts = append(b.parts, part{file: id, tree: tree, evidence: evidence})
	return nil
}

// Mark says something against a thing: it failed a scan, was revoked. A verified
// claim taints it; any other makes it unknown, since anybody can write one.
func (b *Builder) Mark(evidence uint32, what Ref, reason string) {
	if b.evidence[evidence].Assurance != Verified {
		b.things[what].failed = true
		return
	}
	b.marks = append(b.marks, Mark{Node: Node(what), Reason: clip(reason), Evidence: evidence})
}

// Note shows a contradiction that the reader of claims has found.
func (b *Builder) Note(kind Contradiction, detail string, about ...Ref) {
	if b.noted++; len(b.notes) < maxConflicts {
		b.notes = append(b.notes, note{kind: kind, detail: clip(detail), about: about})
	}
}

type note struct {
	kind   Contradiction
	detail string
	about  []Ref
}

// Build makes the graph. It refuses with LINEAGE_CYCLE verified claims by which a
// thing would be made of itself, and with LINEAGE_CONFLICT verified claims that
// give one thing two digests of an algorithm, or one run two sets of inputs. What
// others claim so is shown, and where it leads is unknown.
func (b *Builder) Build(ctx context.Context) (*Graph, error) {
	a := &assembly{Builder: b, ctx: ctx}
	for _, step := range []func() error{a.join, a.number, a.link, a.checkCycles, a.attribute, a.setAside, a.order, a.compare} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	return a.graph(), nil
}

// clip shortens what came from a file, and keeps it UTF-8.
func clip(s string) string {
	if len(s) > MaxText {
		s = s[:MaxText]
	}
	return strings.ToValidUTF8(s, "")
}
