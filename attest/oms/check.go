package oms

import (
	"bytes"
	"context"
	"errors"
	"path"
	"slices"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/loadable"
	"bartizan/attest/tree"
)

// Policy is what the verifier accepts of what a signer did. The zero value
// accepts what the specification does.
type Policy struct {
	// Ignore are paths that the verifier knows not to be signed, besides those
	// of the signer and DefaultIgnores. A file that could be loaded is never
	// ignored, whoever asks for it.
	Ignore []string
	// Bundle is the name of the bundle within the root, or empty.
	Bundle string
	// IgnoreUnsigned passes over files that are not signed and cannot be loaded.
	IgnoreUnsigned bool
	// RefuseLegacy refuses statements of releases before the specification.
	RefuseLegacy bool
	// Algorithms are those that are accepted; empty for all.
	Algorithms []hashing.Algorithm
	Workers    int
	Progress   func(bytes int64)
}

// Check decides whether the tree consists of the bytes that are vouched for, and
// of nothing else that could be loaded. Every difference is a refusal; all that
// are found are joined. Any other error means that something could not be read.
func (m *Model) Check(ctx context.Context, root *tree.Root, p Policy) error {
	c, err := m.checkTree(ctx, root, p)
	if err != nil {
		return err
	}
	if err := c.digests(ctx); err != nil {
		return err
	}
	return errors.Join(c.refused...)
}

// CheckTree is Check without the digests: what is accepted of the statement, that
// all files are there with the sizes that the statement says, and no others that
// could be loaded. It is for those who hash every file as they take it
// (load.CopyTo); on its own it says nothing of the bytes.
func (m *Model) CheckTree(ctx context.Context, root *tree.Root, p Policy) error {
	c, err := m.checkTree(ctx, root, p)
	if err != nil {
		return err
	}
	return errors.Join(c.refused...)
}

// checkTree gives what is left to hash, and the refusals so far. It errs where
// nothing can be compared.
func (m *Model) checkTree(ctx context.Context, root *tree.Root, p Policy) (*checking, error) {
	if err := m.Permits(p); err != nil {
		return nil, err
	}
	files, err := entries(ctx, root, m.Resources)
	if err != nil {
		return nil, err
	}
	c := &checking{Model: m, root: root, policy: p, byVerifier: newPathSet(p.Ignore), bySigner: newPathSet(m.Ignored)}
	if err := c.names(); err != nil {
		return nil, err
	}
	c.match(files)
	return c, c.leftOut()
}

// entries lists the files of a tree that count: all but those of Git, unless they
// are signed. A file by the name of Git's own that is not for people counts.
func entries(ctx context.Context, root *tree.Root, resources []Resource) ([]tree.Entry, error) {
	signed := map[string]bool{}
	for i := range resources {
		for name := resources[i].Name; name != "." && !signed[name]; name = path.Dir(name) {
			signed[name] = true
		}
	}
	all, err := root.Walk(ctx, func(name string) bool {
		return (name == gitFolder || name == githubFolder) && !signed[name]
	})
	if err != nil {
		return nil, err
	}
	defaults := DefaultIgnores()
	kept := all[:0]
	for _, e := range all {
		if slices.Contains(defaults, e.Name) && !signed[e.Name] {
			harmless, err := loadable.Inert(root, e)
			if err != nil {
				return nil, err
			}
			if harmless {
				continue
			}
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// Permits holds the statement against the policy: whether it is of before the
// specification, and its digests. Nothing else of the policy is looked at.
func (m *Model) Permits(p Policy) error {
	if m.Legacy && p.RefuseLegacy {
		return attest.Refuse(attest.PolicyPredicate, "", "%s is of before the specification: have it signed again", LegacyPredicateType)
	}
	if len(p.Algorithms) == 0 {
		return nil
	}
	for _, a := range p.Algorithms {
		if a == m.Algorithm {
			return nil
		}
	}
	return attest.Refuse(attest.PolicyHash, "", "digests are %s: accepted are %v", m.Algorithm, p.Algorithms)
}

// checking is one Check on its way.
type checking struct {
	*Model
	root    *tree.Root
	policy  Policy
	present map[string]tree.Entry
	units   []hashing.Unit
	wants   []*Resource
	ignored []tree.Entry // files that the verifier wants ignored
	extra   []tree.Entry // files that nobody speaks of

	leftBySigner         []tree.Entry // files that only the signer wants ignored
	byVerifier, bySigner pathSet
	refused              []error
}

// names holds what only shows once the root is known: "." is a lone file.
func (c *checking) names() error {
	lone := len(c.Resources) > 0 && c.Resources[0].Name == tree.Only
	switch {
	case lone && !c.root.Single():
		return attest.Refuse(attest.OMSNameInvalid, tree.Only, "a single file was signed, and this is a folder")
	case c.root.Single() && !lone:
		return c.onlyName()
	}
	return nil
}

// onlyName lets a bundle that lists one file vouch for a root that is one file.
func (c *checking) onlyName() error {
	for i := range c.Resources {
		if c.Resources[i].Name != c.Resources[0].Name {
			return attest.Refuse(attest.OMSFileMissing, tree.Show(c.Resources[i].Name), "a folder was signed, and this is one file")
		}
	}
	lone := *c.Model // the caller's stays as it was signed
	lone.Resources = slices.Clone(c.Resources)
	for i := range lone.Resources {
		lone.Resources[i].Name = tree.Only
	}
	c.Model = &lone
	return nil
}

// match pairs files with resources.
func (c *checking) match(entries []tree.Entry) {
	c.present = make(map[string]tree.Entry, len(entries))
	signed := make(map[string]bool, len(c.Resources))
	for _, e := range entries {
		c.present[e.Name] = e
	}
	ends := map[string]int64{}
	for i := range c.Resources {
		r := &c.Resources[i]
		signed[r.Name] = true
		ends[r.Name] = max(ends[r.Name], r.End)
	}
	missing := map[string]bool{}
	for i := range c.Resources {
		r := &c.Resources[i]
		e, there := c.present[r.Name]
		switch {
		case !there:
			if !missing[r.Name] {
				missing[r.Name] = true
				c.refuse(attest.OMSFileMissing, r.Name, "signed, and not there")
			}
		case r.Whole():
			c.want(r, hashing.Unit{Entry: e, Start: 0, End: e.Size})
		case ends[r.Name] != e.Size:
			if r.Start == 0 {
				c.refuse(attest.OMSDigestMismatch, r.Name, "%d bytes, signed are %d", e.Size, ends[r.Name])
			}
		default:
			c.want(r, hashing.Unit{Entry: e, Start: r.Start, End: r.End})
		}
	}
	c.unsigned(entries, signed)
}

func (c *checking) want(r *Resource, u hashing.Unit) {
	c.wants, c.units = append(c.wants, r), append(c.units, u)
}

// unsigned sorts the files that are not signed.
func (c *checking) unsigned(entries []tree.Entry, signed map[string]bool) {
	for _, e := range entries {
		switch {
		case signed[e.Name], e.Name == c.policy.Bundle && MayBeBundle(e.Name):
		case c.ShardSize > 0 && e.Size == 0: // the format does not list them
		case c.byVerifier.holds(e.Name):
			c.ignored = append(c.ignored, e)
		case c.bySigner.holds(e.Name):
			c.leftBySigner = append(c.leftBySigner, e)
		default:
			c.extra = append(c.extra, e)
		}
	}
}

// leftOut judges the files that no digest covers. What the verifier names must
// not be loadable; what only the signer leaves out, or nobody speaks of, must be
// for people.
func (c *checking) leftOut() error {
	for _, e := range c.ignored {
		is, err := loadable.File(c.root, e)
		if err := c.judged(err); err != nil {
			return err
		}
		if is {
			c.refuse(attest.PolicyIgnore, e.Name, "left out of the signature, and could be loaded")
		}
	}
	for _, e := range c.leftBySigner {
		harmless, err := loadable.Inert(c.root, e)
		if err := c.judged(err); err != nil {
			return err
		}
		if !harmless {
			c.refuse(attest.PolicyIgnore, e.Name, "left out by the signer, and neither text nor picture: name it by --ignore if you know what it is")
		}
	}
	for _, e := range c.extra {
		harmless := false
		if c.policy.IgnoreUnsigned {
			var err error
			harmless, err = loadable.Inert(c.root, e)
			if err := c.judged(err); err != nil {
				return err
			}
		}
		if !harmless {
			c.refuse(attest.OMSFileUnsigned, e.Name, "there, and not signed")
		}
	}
	return nil
}

// judged keeps refusals and gives back failures.
func (c *checking) judged(err error) error {
	if err != nil && len(attest.Refusals(err)) > 0 {
		c.refused = append(c.refused, err)
		return nil
	}
	return err
}

func (c *checking) digests(ctx context.Context) error {
	sums, err := hashing.Sum(ctx, c.root, c.units, hashing.Options{
		Algorithm: c.Algorithm, Workers: c.policy.Workers, Progress: c.policy.Progress,
	})
	if err := c.judged(err); err != nil {
		return err
	}
	if sums == nil && len(c.units) > 0 {
		return nil // refused: a file changed while it was read
	}
	for i, r := range c.wants {
		if !bytes.Equal(sums[i], r.Digest) {
			c.refuse(attest.OMSDigestMismatch, r.wireName(), "not the bytes that were signed")
		}
	}
	return nil
}

func (c *checking) refuse(code attest.Code, name, format string, args ...any) {
	c.refused = append(c.refused, attest.Refuse(code, tree.Show(name), format, args...))
}
