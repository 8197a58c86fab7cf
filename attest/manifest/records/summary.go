package records

import (
	"context"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/tree"
)

// Inputs picks the files that have records.
func Inputs(files []manifest.Listed) (inputs []Input, names []string) {
	for _, f := range files {
		if format, ok := FormatOf(f.Name); ok {
			inputs = append(inputs, Input{Entry: f.Entry, Format: format})
			names = append(names, f.Name)
		}
	}
	return inputs, names
}

// ReadListed reads the records of all files that have any, with their names in
// the manifest. RECORD_MALFORMED says that no file has.
func ReadListed(ctx context.Context, root *tree.Root, files []manifest.Listed, opt Options) ([]*File, error) {
	inputs, names := Inputs(files)
	if len(inputs) == 0 {
		return nil, attest.Refuse(attest.RecordMalformed, "", "no file has records: .csv, .jsonl, .ndjson and .parquet have")
	}
	read, err := Read(ctx, root, inputs, opt)
	if err != nil {
		return nil, err
	}
	for i, f := range read {
		f.Name = names[i]
	}
	return read, nil
}

// Summarise makes the records part of a manifest.
func Summarise(files []*File, salt *Salt) *manifest.Records {
	out := &manifest.Records{}
	for _, f := range files {
		c := Commit(f.Tree, []Shape{{f.Format, f.Around}}, salt)
		out.Files = append(out.Files, manifest.RecordFile{
			Count: c.Count, Distinct: c.Distinct, Format: string(f.Format), Name: f.Name, Root: c.Root(), Shape: f.Shape(),
		})
	}
	whole := NewSet(files, salt).Commit()
	out.Count, out.Distinct, out.Root = whole.Count, whole.Distinct, whole.Root()
	if salt != nil {
		id := digest.SHA256(salt.ID())
		out.Salt = &id
	}
	return out
}

// Check compares the records of a manifest with those that were read of the
// files, with the same salt: MANIFEST_ROOT_MISMATCH names what differs.
func Check(claimed *manifest.Records, files []*File, salt *Salt) error {
	got := Summarise(files, salt)
	var refused []error
	for i := range claimed.Files {
		f := &claimed.Files[i]
		switch is := got.File(f.Name); {
		case is == nil:
			refused = append(refused, attest.Refuse(attest.ManifestRootInvalid, tree.Show(f.Name), "has no records"))
		case *is != *f:
			refused = append(refused, attest.Refuse(attest.ManifestRootInvalid, tree.Show(f.Name), "its records are not those that the manifest commits to"))
		}
	}
	switch {
	case len(got.Files) != len(claimed.Files) && len(refused) == 0:
		refused = append(refused, attest.Refuse(attest.ManifestRootInvalid, "records", "the manifest does not speak of every file that has records"))
	case len(refused) == 0 && (got.Root != claimed.Root || got.Count != claimed.Count || got.Distinct != claimed.Distinct):
		refused = append(refused, attest.Refuse(attest.ManifestRootInvalid, "records", "the root over all records is not theirs"))
	}
	return joinRefusals(refused)
}
