package manifest

import (
	"time"
	"unicode"
	"unicode/utf8"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/strictjson"
	"bartizan/attest/tree"
)

// Parse reads the document and checks all that can be checked without the files:
// every member known and well formed, names that stay beneath a root and do not
// collide (the codes of tree.CheckNames), files in order, chunks that fold to
// the BLAKE3 digest, and the root (MANIFEST_ROOT_MISMATCH). Else it is
// MANIFEST_MALFORMED. The document need not be in canonical form.
func Parse(data []byte) (*Manifest, error) {
	if len(data) > MaxDocument {
		return nil, malformed("", "more than %d bytes", MaxDocument)
	}
	var m Manifest
	if err := strictjson.UnmarshalExact(data, &m); err != nil {
		return nil, malformed("", "%s", err)
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return &m, nil
}

func malformed(name, format string, args ...any) error {
	return attest.Refuse(attest.ManifestMalformed, name, format, args...)
}

func (m *Manifest) validate() error {
	switch {
	case m.Schema != Schema:
		return malformed("schema", "is not %s", Schema)
	case m.Kind != Dataset && m.Kind != Model:
		return malformed("kind", "is neither dataset nor model")
	case !isTitle(m.Name):
		return malformed("name", "is empty, longer than %d bytes, or holds control characters", MaxName)
	case len(m.Files) == 0:
		return malformed("files", "is empty: a manifest of nothing would fit anything")
	case len(m.Files) > MaxFiles:
		return malformed("files", "has more than %d entries", MaxFiles)
	case m.Parent != nil && m.Parent.Digest.IsZero():
		return malformed("parent", "is a digest of zeros")
	}
	if m.Created != "" {
		if t, err := time.Parse(time.RFC3339, m.Created); err != nil || Time(t) != m.Created {
			return malformed("created", "is no time such as 2026-01-31T12:00:00Z")
		}
	}
	if err := m.validateFiles(); err != nil {
		return err
	}
	if got := rootOf(m.Files); got != m.Root {
		return attest.Refuse(attest.ManifestRootInvalid, "", "the root is %s, and the files' digests make %s", m.Root, got)
	}
	if m.Records != nil {
		return m.Records.validate(m.Files)
	}
	return nil
}

// isTitle says whether a text may stand in reports as a name.
func isTitle(s string) bool {
	if s == "" || len(s) > MaxName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func (m *Manifest) validateFiles() error {
	names := make([]string, len(m.Files))
	total := int64(0)
	for i := range m.Files {
		f := &m.Files[i]
		names[i] = f.Name
		if f.Size < 0 || f.Size > maxNumber || total > maxNumber-f.Size {
			return malformed(tree.Show(f.Name), "a size that no file has")
		}
		total += f.Size
		if err := f.validateChunks(); err != nil {
			return err
		}
	}
	if err := tree.CheckNames(names); err != nil {
		return err
	}
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			return malformed(tree.Show(names[i]), "the files are not in the order of their names")
		}
	}
	return nil
}

func (f *File) validateChunks() error {
	groups := hashing.Groups(f.Size)
	if groups == 1 {
		groups = 0 // the one is the digest itself
	}
	if len(f.Chunks) != groups*digest.Size {
		return malformed(tree.Show(f.Name), "%d bytes of chunks where %d bytes of content have %d", len(f.Chunks), f.Size, groups*digest.Size)
	}
	if groups > 0 && hashing.RootOf(f.ChunkValues()) != f.BLAKE3 {
		return malformed(tree.Show(f.Name), "the chunks do not fold to the BLAKE3 digest")
	}
	return nil
}

func (r *Records) validate(files []File) error {
	names := make(map[string]bool, len(files))
	for i := range files {
		names[files[i].Name] = true
	}
	sum := uint64(0)
	for i := range r.Files {
		f := &r.Files[i]
		shown := tree.Show(f.Name)
		switch {
		case !names[f.Name]:
			return malformed(shown, "has records and is not among the files")
		case i > 0 && r.Files[i-1].Name >= f.Name:
			return malformed(shown, "the files with records are not in the order of their names, each once")
		case f.Format != "csv" && f.Format != "jsonl" && f.Format != "parquet":
			return malformed(shown, "an unknown format of records")
		case f.Count > maxNumber || f.Distinct > f.Count || (f.Count == 0) != (f.Distinct == 0):
			return malformed(shown, "counts of records that cannot be")
		case f.Root.IsZero() || f.Shape.IsZero():
			return malformed(shown, "a digest of zeros")
		}
		sum += f.Count
	}
	switch {
	case len(r.Files) == 0:
		return malformed("records", "without files that have any")
	case r.Count != sum || r.Count > maxNumber || r.Distinct > r.Count || (r.Count == 0) != (r.Distinct == 0):
		return malformed("records", "counts that cannot be")
	case r.Root.IsZero() || r.Salt != nil && r.Salt.IsZero():
		return malformed("records", "a digest of zeros")
	}
	return nil
}
