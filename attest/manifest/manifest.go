// Package manifest describes a dataset or a model by the digests of its files:
// which bytes it consists of, of which version it is the successor, and, for
// datasets, a root over its records.
//
// The document (schema bartizan.manifest/v1) is JSON in the canonical form of
// RFC 8785, and the digest of a manifest is the SHA-256 of that form: what
// others sign, name as parent, or resolve a name to. It holds for each file both
// its SHA-256 (which OpenSSF Model Signing and OCI know) and its BLAKE3 digest
// with the chaining values of its 1 MiB groups, so that a loader can check any
// part of a file on its own. Its root is the SHA-256 over the raw SHA-256
// digests of the files in order of their names: the subject digest of an OpenSSF
// Model Signing bundle over the same files. It does not cover names; the
// manifest's digest does.
//
// A manifest is a claim and no more: whoever can write the file can make it fit.
// It speaks for somebody once it is signed. That the files are in accord with it
// is what [Check] says; that its record roots are is said by package records,
// which needs to read formats. What is left out is decided by whoever creates or
// checks, never by the document.
package manifest

import (
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest/hashing"
	"bartizan/attest/manifest/digest"
)

// Schema is the version of the document's shape. Readers refuse what they do not
// know, so another member is another version.
const Schema = "bartizan.manifest/v1"

// Kind says what the files are.
type Kind string

// The kinds.
const (
	Dataset Kind = "dataset"
	Model   Kind = "model"
)

// Limits of the document, checked before or while it is read.
const (
	MaxDocument = 512 << 20 // bytes
	MaxFiles    = 1_000_000
	MaxName     = 256     // bytes of the manifest's name
	maxNumber   = 1 << 53 // what every reader of JSON takes for the same number
)

// Manifest is the document. Its members are in the order of RFC 8785.
type Manifest struct {
	Created string        `json:"created,omitempty"` // RFC 3339, UTC, whole seconds; or absent
	Files   []File        `json:"files"`             // in the order of the bytes of their names
	Kind    Kind          `json:"kind"`
	Name    string        `json:"name"`
	Parent  *Parent       `json:"parent,omitempty"`
	Records *Records      `json:"records,omitempty"`
	Root    digest.SHA256 `json:"root"`
	Schema  string        `json:"schema"`
}

// File is one file. Of a manifest over a single file it has the file's base name.
type File struct {
	BLAKE3 digest.Hex `json:"blake3"`
	// Chunks are the BLAKE3 chaining values of the groups of hashing.ChunkSize
	// bytes, 32 bytes each, one after another; nil where there is one group.
	Chunks []byte     `json:"chunks,omitempty"`
	Name   string     `json:"name"`
	SHA256 digest.Hex `json:"sha256"`
	Size   int64      `json:"size"`
}

// ChunkValues gives Chunks as hashing takes them.
func (f *File) ChunkValues() [][32]byte {
	out := make([][32]byte, len(f.Chunks)/digest.Size)
	for i := range out {
		copy(out[i][:], f.Chunks[i*digest.Size:])
	}
	return out
}

// Parent is the version that this one came from.
type Parent struct {
	Digest digest.SHA256 `json:"digest"` // of the parent manifest
}

// Records commits to the records of all files that have any. Count, distinct
// and root of the whole are over all records of all files together.
type Records struct {
	Count    uint64         `json:"count"`
	Distinct uint64         `json:"distinct"`
	Files    []RecordFile   `json:"files"` // in the order of their names
	Root     digest.SHA256  `json:"root"`
	Salt     *digest.SHA256 `json:"salt,omitempty"` // which salt, not the salt
}

// RecordFile commits to the records of one file.
type RecordFile struct {
	Count    uint64        `json:"count"`
	Distinct uint64        `json:"distinct"`
	Format   string        `json:"format"` // csv, jsonl, parquet
	Name     string        `json:"name"`
	Root     digest.SHA256 `json:"root"`
	Shape    digest.SHA256 `json:"shape"` // of the format with its header or schema
}

// RecordFormat tells by the extension of a file's name, whatever its case, how it
// holds records: .csv, .jsonl or .ndjson, .parquet; "" for files that have none.
// A manifest that commits to records does so for every file that has any.
func RecordFormat(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".csv", ".jsonl", ".parquet":
		return ext[1:]
	case ".ndjson":
		return "jsonl"
	}
	return ""
}

// File gives the entry of a file's records, or nil.
func (r *Records) File(name string) *RecordFile {
	i, found := slices.BinarySearchFunc(r.Files, name, func(f RecordFile, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return nil
	}
	return &r.Files[i]
}

// Canonical gives the document in the canonical form of RFC 8785. A manifest
// that Parse would refuse is refused here.
func (m *Manifest) Canonical() ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	out := jsontext.Value(raw)
	if err := out.Canonicalize(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return out, nil
}

// Digest is the SHA-256 of the canonical form: what names this manifest.
func (m *Manifest) Digest() (digest.SHA256, error) {
	raw, err := m.Canonical()
	if err != nil {
		return digest.SHA256{}, err
	}
	return sha256.Sum256(raw), nil
}

// rootOf is the digest over the files' digests in order.
func rootOf(files []File) (out digest.SHA256) {
	h := sha256.New()
	for i := range files {
		h.Write(files[i].SHA256[:])
	}
	h.Sum(out[:0])
	return out
}

// Size is the number of bytes of all files.
func (m *Manifest) Size() int64 {
	n := int64(0)
	for i := range m.Files {
		n += m.Files[i].Size
	}
	return n
}

// setSum fills in what was computed of a file.
func (f *File) setSum(sum *hashing.FileSum) {
	f.SHA256, f.BLAKE3, f.Chunks = sum.SHA256, sum.BLAKE3, nil
	for i := range sum.Chunks {
		f.Chunks = append(f.Chunks, sum.Chunks[i][:]...)
	}
}

// Time gives the form that Created has.
func Time(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }
