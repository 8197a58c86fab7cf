package statement

import (
	"errors"
	"fmt"
)

// DatasetManifest says which files and records a version of a dataset has, by
// the digest of its manifest (package manifest). It is this project's own
// predicate (docs/predicates.md) and is read exactly. The one subject is the
// dataset: its sha256 is the root over its files.
type DatasetManifest struct {
	Name    string `json:"name,omitzero"`
	Version string `json:"version,omitzero"`
	// Manifest lists everything; its sha256 is that of its canonical form.
	Manifest Descriptor `json:"manifest"`
	Files    int64      `json:"files"`
	Bytes    int64      `json:"bytes"`
	// Records is nil where the files were not cut into records.
	Records *RecordSet `json:"records,omitzero"`
	// Parent are the digests by which the version that this one was made from is
	// the subject of its own statements; ParentManifest is the digest of its
	// manifest. Either can be missing where it is not known.
	Parent         Digests `json:"parent,omitempty"`
	ParentManifest Digests `json:"parentManifest,omitempty"`
	CreatedOn      Time    `json:"createdOn,omitzero"`
}

// RecordSet commits to the records of all files that have any.
type RecordSet struct {
	// Files is how many of the files were cut into records.
	Files int64 `json:"files"`
	// Count is how many records they have, Distinct how many that differ.
	Count    int64 `json:"count"`
	Distinct int64 `json:"distinct"`
	// Digest is the Merkle root over them.
	Digest Digests `json:"digest"`
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
	if err := m.Records.check(m.Files); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	if m.Parent.Match(subjects[0].Digest) || m.ParentManifest.Match(m.Manifest.Digest) {
		return errors.New("the parent is the dataset itself")
	}
	for _, d := range []Digests{m.Parent, m.ParentManifest} {
		if err := d.check(); err != nil {
			return fmt.Errorf("parent: %w", err)
		}
		if len(d) > 0 && !d.Binds() {
			return errors.New("the parent has no digest that binds, such as sha256")
		}
	}
	return nil
}

func (r *RecordSet) check(files int64) error {
	switch {
	case r == nil:
		return nil
	case r.Files < 1 || r.Files > files:
		return errors.New("want 1 to all of the files")
	case r.Count < 0 || r.Count > maxSequence || r.Distinct < 0 || r.Distinct > r.Count:
		return errors.New("want a count, and no more distinct records than that")
	case r.Digest["sha256"] == "":
		return errors.New("the digest has no sha256")
	}
	return r.Digest.check()
}
