package manifest

import (
	"bytes"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

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
	if HasNull(data) {
		return nil, malformed("", "null, which no member is: leave it out")
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return &m, nil
}

// HasNull says whether null stands anywhere in a valid JSON document. Decoding
// takes it for an absent member, and other readers may not.
func HasNull(data []byte) bool {
	if !bytes.Contains(data, []byte("null")) { // nearly always
		return false
	}
	for d := jsontext.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.ReadToken()
		if err != nil || token.Kind() == 'n' {
			return err == nil
		}
	}
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
		return malformed("name", "is empty, longer than %d bytes, or holds control characters, of text direction too", MaxName)
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
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
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
