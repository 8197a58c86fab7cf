package load

import (
	"slices"

	"bartizan/attest/manifest"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
)

// FromModel gives what an authenticated model vouches for, a file at a time, in
// the order of the statement. Where the root is one file and the model lists
// one file, that is the file, whatever the signer called it.
//
// In models that are signed by shards, the format does not list empty files:
// they are not among the expected ones, and not copied.
func FromModel(m *oms.Model, root *tree.Root) []Expected {
	byName := map[string]int{}
	var want []Expected
	for i := range m.Resources {
		r := &m.Resources[i]
		at, known := byName[r.Name]
		if !known {
			at = len(want)
			byName[r.Name] = at
			want = append(want, Expected{Name: r.Name, Size: -1})
		}
		want[at].Ranges = append(want[at].Ranges, Range{Start: r.Start, End: r.End, Algorithm: m.Algorithm, Digest: r.Digest})
	}
	for i := range want {
		// The listing may have any order; newPlan holds what comes of it.
		slices.SortFunc(want[i].Ranges, func(a, b Range) int { return int(min(max(a.Start-b.Start, -1), 1)) })
	}
	if root.Single() && len(want) == 1 {
		want[0].Name = tree.Only
	}
	return want
}

// FromManifest gives what a manifest vouches for, with chunk trees: any part of
// a file can be had without the rest. Whoever calls has verified a signature over
// the manifest, or its digest.
func FromManifest(m *manifest.Manifest, root *tree.Root) []Expected {
	want := make([]Expected, len(m.Files))
	for i := range m.Files {
		f := &m.Files[i]
		want[i] = Expected{Name: f.Name, Size: f.Size, Chunks: &ChunkTree{Root: [32]byte(f.BLAKE3), Chunks: f.ChunkValues()}}
	}
	if root.Single() && len(want) == 1 {
		want[0].Name = tree.Only
	}
	return want
}
