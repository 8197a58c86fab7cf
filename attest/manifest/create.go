package manifest

import (
	"context"
	"path/filepath"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/tree"
)

// Options say what a manifest is about.
type Options struct {
	Kind    Kind   // Dataset where it is empty
	Name    string // the base name of the root where it is empty
	Created string // as Time gives it, or ""
	Parent  *Manifest
	LeaveOut
	Hashing hashing.Options
	// Records commits to the records of the files, or is nil. It is given what
	// Create digests; names are those of the manifest.
	Records func(ctx context.Context, root *tree.Root, files []Listed) (*Records, error)
}

// Listed is a file that belongs to a manifest.
type Listed struct {
	Entry tree.Entry
	Name  string // in the manifest: of a root that is a single file its base name
}

// List gives the files beneath the root that are not left out, in the order of
// their names. What may not be there at all is refused as by tree.Walk, and what
// may not be left out as POLICY_IGNORE_FORBIDDEN. A root that is a single file
// is listed whatever is ignored.
func List(ctx context.Context, root *tree.Root, leave LeaveOut) ([]Listed, error) {
	if !root.Single() {
		return leave.list(ctx, root)
	}
	entries, err := root.Walk(ctx, nil)
	if err != nil {
		return nil, err
	}
	return []Listed{{Entry: entries[0], Name: baseName(root)}}, nil
}

// baseName is the last part of the path by which the root was opened.
func baseName(root *tree.Root) string {
	if abs, err := filepath.Abs(root.Path()); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(root.Path())
}

// Create describes the files beneath the root. Besides what List and
// hashing.Files refuse, OMS_EMPTY says that there are none.
func Create(ctx context.Context, root *tree.Root, opt Options) (*Manifest, error) {
	if err := opt.checkOwn(); err != nil {
		return nil, err
	}
	files, err := List(ctx, root, opt.LeaveOut)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, attest.Refuse(attest.OMSEmpty, "", "there are no files: a manifest of nothing would fit anything")
	}
	m := &Manifest{Created: opt.Created, Kind: opt.Kind, Name: opt.Name, Schema: Schema}
	if m.Kind == "" {
		m.Kind = Dataset
	}
	if m.Name == "" {
		m.Name = baseName(root)
	}
	if m.Parent, err = parentOf(opt.Parent); err != nil {
		return nil, err
	}
	if m.Files, err = sums(ctx, root, files, opt.Hashing); err != nil {
		return nil, err
	}
	m.Root = rootOf(m.Files)
	if opt.Records != nil {
		if m.Records, err = opt.Records(ctx, root, files); err != nil {
			return nil, err
		}
	}
	return m, m.validate()
}

func parentOf(parent *Manifest) (*Parent, error) {
	if parent == nil {
		return nil, nil
	}
	d, err := parent.Digest()
	if err != nil {
		return nil, err
	}
	return &Parent{Digest: d}, nil
}

// sums digests the files, in one reading of each.
func sums(ctx context.Context, root *tree.Root, files []Listed, opt hashing.Options) ([]File, error) {
	entries := make([]tree.Entry, len(files))
	for i := range files {
		entries[i] = files[i].Entry
	}
	all, err := hashing.Files(ctx, root, entries, opt)
	if err != nil {
		return nil, err
	}
	out := make([]File, len(files))
	for i := range files {
		out[i] = File{Name: files[i].Name, Size: files[i].Entry.Size}
		out[i].setSum(&all[i])
	}
	return out, nil
}
