package statement

import (
	"errors"
	"fmt"
)

// DatasetManifest says which files and records a version of a dataset has, by
// the digest of its manifest. It is this project's own predicate
// (docs/predicates.md) and is read exactly. The one subject is the dataset: its
// sha256 is the root over its files.
type DatasetManifest struct {
	Name    string `json:"name,omitzero"`
	Version string `json:"version,omitzero"`
	// Manifest is the file that lists everything, by its digest.
	Manifest Descriptor `json:"manifest"`
	Files    int64      `json:"files"`
	Bytes    int64      `json:"bytes"`
	// Records is nil where the files were not cut into records.
	Records *RecordSet `json:"records,omitzero"`
	// Parent are the digests of the version that this one was made from.
	Parent    Digests `json:"parent,omitempty"`
	CreatedOn Time    `json:"createdOn,omitzero"`
}

// RecordSet counts records.
type RecordSet struct {
	// Files is how many of the files were cut into records, Count how many records they have.
	Files int64 `json:"files"`
	Count int64 `json:"count"`
}

// ParseDatasetManifest reads the predicate of a statement.
func ParseDatasetManifest(s *Statement) (*DatasetManifest, error) {
	return parse(s, &DatasetManifest{})
}

// Type implements Predicate.
func (*DatasetManifest) Type() string { return DatasetManifestType }

func (*DatasetManifest) exact() bool { return true }

func (m *DatasetManifest) check(subjects []Descriptor) error {
	if len(subjects) != 1 || subjects[0].Digest["sha256"] == "" {
		return errors.New("want exactly one subject with a sha256, the root over the files")
	}
	if len(m.Name) > MaxName || len(m.Version) > MaxName {
		return fmt.Errorf("name or version has more than %d bytes", MaxName)
	}
	if err := m.Manifest.check(); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if m.Manifest.Digest["sha256"] == "" {
		return errors.New("manifest has no sha256")
	}
	if m.Files < 1 || m.Files > MaxSubjects || m.Bytes < 0 || m.Bytes > maxSequence {
		return fmt.Errorf("files: want 1 to %d; bytes cannot be negative", MaxSubjects)
	}
	if r := m.Records; r != nil && (r.Files < 1 || r.Files > m.Files || r.Count < 0 || r.Count > maxSequence) {
		return errors.New("records: want 1 to all of the files, and a count that is not negative")
	}
	if len(m.Parent) == 0 {
		return nil
	}
	if !m.Parent.Binds() {
		return errors.New("parent has no digest that binds, such as sha256")
	}
	if m.Parent.Match(subjects[0].Digest) {
		return errors.New("parent is the dataset itself")
	}
	return m.Parent.check()
}
