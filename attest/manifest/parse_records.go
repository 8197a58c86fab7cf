package manifest

import "bartizan/attest/tree"

// validate holds the records against the files: every file that has records is
// spoken of, since else a record in it could be proven absent of all.
func (r *Records) validate(files []File) error {
	names := make(map[string]bool, len(files))
	for i := range files {
		names[files[i].Name] = true
	}
	sum := uint64(0)
	for i := range r.Files {
		f := &r.Files[i]
		if i > 0 && r.Files[i-1].Name >= f.Name {
			return malformed(tree.Show(f.Name), "the files with records are not in the order of their names, each once")
		}
		if !names[f.Name] {
			return malformed(tree.Show(f.Name), "has records and is not among the files")
		}
		if err := f.validate(); err != nil {
			return err
		}
		sum += f.Count
	}
	for i := range files {
		if name := files[i].Name; RecordFormat(name) != "" && r.File(name) == nil {
			return malformed(tree.Show(name), "its records are not committed to: records are those of all files that have any")
		}
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

func (f *RecordFile) validate() error {
	switch {
	case f.Format == "" || f.Format != RecordFormat(f.Name):
		return malformed(tree.Show(f.Name), "records of a format that its name is not of")
	case f.Count > maxNumber || f.Distinct > f.Count || (f.Count == 0) != (f.Distinct == 0):
		return malformed(tree.Show(f.Name), "counts of records that cannot be")
	case f.Root.IsZero() || f.Shape.IsZero():
		return malformed(tree.Show(f.Name), "a digest of zeros")
	}
	return nil
}
