package oms

// WithTokensOf gives a state with the digests of s under the tokens of other.
func (s *State) WithTokensOf(other *State) *State {
	out := &State{algorithm: s.algorithm, shards: s.shards, files: map[string]stateFile{}}
	for name, f := range s.files {
		f.Token = other.files[name].Token
		out.files[name] = f
	}
	return out
}

// LoadableName and LoadableBytes are the two halves of the judgement.
var (
	LoadableName  = loadableName
	LoadableBytes = loadableBytes
)
