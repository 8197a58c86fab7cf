package oms

import (
	"context"
	"crypto/x509"

	"bartizan/attest/keys"
)

// SealAnyway signs a model with a certificate that may not sign.
func SealAnyway(ctx context.Context, m *Model, signer keys.Signer, chain []*x509.Certificate) ([]byte, error) {
	payload, err := m.payload()
	if err != nil {
		return nil, err
	}
	return seal(ctx, payload, signer, chain)
}

// WithTokensOf gives a state with the digests of s under the tokens of other.
func (s *State) WithTokensOf(other *State) *State {
	out := &State{algorithm: s.algorithm, shards: s.shards, files: map[string]stateFile{}}
	for name, f := range s.files {
		f.Token = other.files[name].Token
		out.files[name] = f
	}
	return out
}
