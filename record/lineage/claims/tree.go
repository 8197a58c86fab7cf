package claims

import (
	"encoding/hex"
	"strings"

	"bartizan/attest/hashing"
	"bartizan/attest/manifest"
	"bartizan/attest/oms"
	"bartizan/record/lineage"
)

// proof is the evidence of what a digest proves without a signature: a root over
// the digests of files says which files they are.
func (r *Reader) proof(e lineage.Evidence) uint32 {
	e.Assurance, e.Signer, e.Problem = lineage.Verified, "", ""
	return r.builder.Evidence(e)
}

// tree: a signed tree with its files. One of several shards is no file that anybody
// else would name, and digests of other algorithms are not what others name it by:
// whether a tainted file lies in such a tree cannot be told. Trees of Digests/v0.1 have no root that anybody signed: their
// files are the subjects.
func (r *Reader) tree(c *claimant, d *document) error {
	m := d.model
	if m.Legacy {
		return c.subjectsOnly()
	}
	t := thing(&c.s.Subject[0], lineage.Model, lineage.Guess)
	t.Described, t.Tree, t.Opaque = true, true, opaque(m)
	subject, err := c.b.Thing(c.ev, t)
	if err != nil {
		return err
	}
	return r.parts(r.proof(d.evidence), subject, string(m.Algorithm), func(yield func([]byte) error) error {
		return wholeFiles(m, yield)
	})
}

// wholeFiles gives the digests of files that have one: a shard that is a file's
// only one holds all of it.
func wholeFiles(m *oms.Model, yield func([]byte) error) error {
	shards := shardsOf(m)
	for i := range m.Resources {
		f := &m.Resources[i]
		if f.Whole() || f.Start == 0 && shards[f.Name] == 1 {
			if err := yield(f.Digest); err != nil {
				return err
			}
		}
	}
	return nil
}

func shardsOf(m *oms.Model) map[string]int {
	shards := map[string]int{}
	for i := range m.Resources {
		shards[m.Resources[i].Name]++
	}
	return shards
}

// opaque says that the SHA-256 of some file cannot be told from the signature.
func opaque(m *oms.Model) bool {
	if m.Algorithm != hashing.SHA256 {
		return true
	}
	for _, n := range shardsOf(m) {
		if n > 1 {
			return true
		}
	}
	return false
}

func (r *Reader) parts(ev uint32, tree lineage.Ref, algorithm string, each func(func([]byte) error) error) error {
	return each(func(digest []byte) error {
		return r.builder.Part(ev, tree, algorithm+":"+hex.EncodeToString(digest))
	})
}

// takeManifest: a manifest that nobody needs to sign for what is taken from it. Its
// root proves its files, and its digest proves its root. Its name, kind and parent
// are what whoever wrote it says: the parent comes from signed statements alone.
func (r *Reader) takeManifest(d *document) error {
	m := d.manifest
	sum, err := m.Digest()
	if err != nil {
		return err
	}
	e := lineage.Evidence{Statement: sum.String(), Type: manifest.Schema, Source: d.source}
	root := "sha256:" + hex.EncodeToString(m.Root[:])
	said := lineage.Thing{Keys: []string{root}, Kind: lineage.Dataset, Sure: lineage.Definite, Name: m.Name, Described: true}
	if m.Kind == manifest.Model {
		said.Kind = lineage.Model
	}
	if _, err := r.builder.Thing(r.builder.Evidence(e), said); err != nil {
		return err
	}
	proven := r.proof(e)
	tree, err := r.builder.Thing(proven, lineage.Thing{
		Keys: []string{root, lineage.NameKey("manifest", strings.TrimPrefix(sum.String(), "sha256:"))},
	})
	if err != nil {
		return err
	}
	return r.parts(proven, tree, "sha256", func(yield func([]byte) error) error {
		for i := range m.Files {
			if err := yield(m.Files[i].SHA256[:]); err != nil {
				return err
			}
		}
		return nil
	})
}
