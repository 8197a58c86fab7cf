package oms

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"sort"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/dsse"
	"bartizan/attest/hashing"
	"bartizan/attest/keys"
	"bartizan/attest/loadable"
	"bartizan/attest/statement"
	"bartizan/attest/tree"
)

// Options say how a tree is described.
type Options struct {
	// Name is what the model is called, for people.
	Name string
	// Algorithm is SHA-256 where it is empty.
	Algorithm hashing.Algorithm
	// ShardSize cuts files, so that one large file is hashed by all processors; 0
	// for whole files.
	ShardSize int64
	// Ignore are paths to leave out, besides DefaultIgnores. A file that could be
	// loaded is refused with POLICY_IGNORE_FORBIDDEN.
	Ignore []string
	// Bundle is the name of the bundle within the root, or empty.
	Bundle string
	// Known, where given, are digests of files that were hashed before.
	Known    Known
	Workers  int
	Progress func(bytes int64)
}

// Known gives the digest of a part of a file that did not change since it was
// hashed, and says whether it has one.
type Known interface {
	Digest(e tree.Entry, start, end int64) ([]byte, bool)
}

// Describe hashes a tree. What must not be signed is refused: links, special
// files, names that collide, ignored files that could be loaded, and an empty
// tree.
func Describe(ctx context.Context, root *tree.Root, opt Options) (*Model, error) {
	m := &Model{Name: opt.Name, Algorithm: opt.Algorithm, ShardSize: opt.ShardSize}
	if m.Algorithm == "" {
		m.Algorithm = hashing.SHA256
	}
	if opt.ShardSize < 0 {
		return nil, attest.Refuse(attest.OMSShardsInvalid, "", "a shard has at least 1 byte")
	}
	if opt.Bundle != "" && !MayBeBundle(opt.Bundle) {
		return nil, attest.Refuse(attest.PolicyIgnore, tree.Show(opt.Bundle), "a loader could take the bundle for part of the model: call it model.sig")
	}
	m.Ignored = ignores(opt)
	for _, p := range m.Ignored {
		if err := tree.CheckName(p); err != nil {
			return nil, err
		}
	}
	files, err := entries(ctx, root, nil)
	if err != nil {
		return nil, err
	}
	files, err = m.leaveOut(root, files, opt)
	if err != nil {
		return nil, err
	}
	m.entries = files
	if err := m.countParts(files); err != nil {
		return nil, err
	}
	if err := m.hash(ctx, root, m.cut(files), opt); err != nil {
		return nil, err
	}
	return m, nil
}

func ignores(opt Options) []string {
	all := append(DefaultIgnores(), opt.Ignore...)
	if opt.Bundle != "" {
		all = append(all, opt.Bundle)
	}
	sort.Strings(all)
	out := all[:0]
	for i, p := range all {
		if i == 0 || p != all[i-1] {
			out = append(out, p)
		}
	}
	return out
}

// leaveOut drops what is ignored, and refuses to where it could be loaded.
func (m *Model) leaveOut(root *tree.Root, entries []tree.Entry, opt Options) ([]tree.Entry, error) {
	kept, left := entries[:0], newPathSet(opt.Ignore)
	var refused []error
	for _, e := range entries {
		switch {
		case e.Name == opt.Bundle && opt.Bundle != "":
		case left.holds(e.Name):
			is, err := loadable.File(root, e)
			if err != nil {
				return nil, err
			}
			if is {
				refused = append(refused, attest.Refuse(attest.PolicyIgnore, tree.Show(e.Name), "a file that could be loaded must be signed"))
			}
		default:
			kept = append(kept, e)
		}
	}
	return kept, errors.Join(refused...)
}

// countParts refuses before a list of parts is made that is too long to be read.
func (m *Model) countParts(entries []tree.Entry) error {
	parts := int64(0)
	for _, e := range entries {
		parts++
		if m.ShardSize > 0 {
			parts += e.Size / m.ShardSize
		}
		if parts > 2*MaxResources {
			return attest.Refuse(attest.OMSLimit, "", "more files or shards than the %d that can be listed: take larger shards", MaxResources)
		}
	}
	return nil
}

// cut gives the parts to hash, in the order in which they are listed.
func (m *Model) cut(entries []tree.Entry) []hashing.Unit {
	units := make([]hashing.Unit, 0, len(entries))
	for _, e := range entries {
		if m.ShardSize == 0 {
			units = append(units, hashing.Unit{Entry: e, End: e.Size})
			continue
		}
		for start := int64(0); start < e.Size; start += m.ShardSize {
			units = append(units, hashing.Unit{Entry: e, Start: start, End: min(start+m.ShardSize, e.Size)})
		}
	}
	return units
}

func (m *Model) hash(ctx context.Context, root *tree.Root, units []hashing.Unit, opt Options) error {
	switch {
	case len(units) == 0:
		return attest.Refuse(attest.OMSEmpty, "", "there is nothing to sign")
	case len(units) > MaxResources:
		return attest.Refuse(attest.OMSLimit, "", "%d files or shards: at most %d can be listed", len(units), MaxResources)
	}
	sums := make([][]byte, len(units))
	var todo []hashing.Unit
	var at []int
	for i, u := range units {
		if opt.Known != nil {
			if sum, ok := opt.Known.Digest(u.Entry, u.Start, u.End); ok {
				sums[i] = sum
				continue
			}
		}
		todo, at = append(todo, u), append(at, i)
	}
	done, err := hashing.Sum(ctx, root, todo, hashing.Options{Algorithm: m.Algorithm, Workers: opt.Workers, Progress: opt.Progress})
	if err != nil {
		return err
	}
	for i, sum := range done {
		sums[at[i]] = sum
	}
	h := sha256.New()
	for i, u := range units {
		r := Resource{Name: u.Entry.Name, End: -1, Digest: sums[i]}
		if m.ShardSize > 0 {
			r.Start, r.End = u.Start, u.End
		}
		m.Resources = append(m.Resources, r)
		h.Write(sums[i])
	}
	h.Sum(m.Root[:0])
	return nil
}

// Sign vouches for a described tree with a key, or with a certificate for that
// key and the chain behind it (DER not needed: parsed, the leaf first). It gives
// the bundle's JSON.
func Sign(ctx context.Context, m *Model, signer keys.Signer, chain []*x509.Certificate) ([]byte, error) {
	if err := specified(signer.Public().Kind()); err != nil {
		return nil, err
	}
	payload, err := m.payload()
	if err != nil {
		return nil, err
	}
	raw, err := SignStatement(ctx, payload, signer, chain)
	if err == nil && len(raw) > bundle.MaxSize {
		return nil, attest.Refuse(attest.OMSLimit, "", "the bundle would have %d bytes: verifiers read at most %d", len(raw), bundle.MaxSize)
	}
	return raw, err
}

// SignStatement signs the payload of any in-toto statement, like Sign.
func SignStatement(ctx context.Context, payload []byte, signer keys.Signer, chain []*x509.Certificate) ([]byte, error) {
	if len(chain) > 0 {
		if err := maySign(chain[0]); err != nil { // or nobody could verify it
			return nil, err
		}
		public, err := keys.NewPublic(chain[0].PublicKey)
		if err != nil {
			return nil, err
		}
		if !public.Equal(signer.Public()) {
			return nil, attest.Refuse(attest.KeyMismatch, "", "the certificate is for another key than the one that signs")
		}
	}
	return seal(ctx, payload, signer, chain)
}

func seal(ctx context.Context, payload []byte, signer keys.Signer, chain []*x509.Certificate) ([]byte, error) {
	envelope, err := dsse.Sign(ctx, signer, statement.PayloadType, payload)
	if err != nil {
		return nil, err
	}
	if len(chain) == 0 {
		return bundle.Key(envelope, signer.Public()).Marshal()
	}
	ders := make([][]byte, len(chain))
	for i, c := range chain {
		ders[i] = c.Raw
	}
	return bundle.Certificate(envelope, ders).Marshal()
}
