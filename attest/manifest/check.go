package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/tree"
)

// CheckOptions say how files are compared with a manifest.
type CheckOptions struct {
	// LeaveOut are files that are there and need not be in the manifest. A file
	// that the manifest lists is checked all the same.
	LeaveOut
	Hashing hashing.Options
}

// mostRefusals is how many refusals one error carries.
const mostRefusals = 1000

// Check compares the files beneath the root with the manifest, all of them:
// OMS_FILE_MISSING, OMS_FILE_UNSIGNED (there, and not in the manifest),
// POLICY_IGNORE_FORBIDDEN (ignored, not in the manifest, and could be loaded) and
// OMS_DIGEST_MISMATCH (another size, SHA-256, BLAKE3 or chunk), in this order,
// each by name, joined, at most 1,000 and then how many more. What cannot belong
// to a tree (links, devices, names that collide) is refused as by tree.Walk,
// and a file that changes meanwhile as OMS_FILE_CHANGED. A root that is a single
// file is compared with the one file of a manifest, whatever its name.
//
// It returns the files as they were found, for whoever reads them once more.
func Check(ctx context.Context, root *tree.Root, m *Manifest, opt CheckOptions) ([]Listed, error) {
	files, refused, err := m.listed(ctx, root, &opt.LeaveOut)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*Listed, len(files))
	for i := range files {
		found[files[i].Name] = &files[i]
	}
	c := comparison{found: found}
	for i := range m.Files {
		c.expect(&m.Files[i])
	}
	listed := make(map[string]bool, len(m.Files))
	for i := range m.Files {
		listed[m.Files[i].Name] = true
	}
	for i := range files {
		if !listed[files[i].Name] {
			c.extra = append(c.extra, attest.Refuse(attest.OMSFileUnsigned, tree.Show(files[i].Name), "is not in the manifest"))
		}
	}
	c.extra = append(c.extra, refused...)
	if err := c.digests(ctx, root, opt.Hashing); err != nil {
		return nil, err
	}
	return files, c.err()
}

// listed gives the files that count: those not left out, and those left out that
// the manifest lists.
func (m *Manifest) listed(ctx context.Context, root *tree.Root, leave *LeaveOut) ([]Listed, []error, error) {
	if !root.Single() {
		return leave.walk(ctx, root, m.Files)
	}
	files, err := List(ctx, root, LeaveOut{})
	if err == nil && len(m.Files) == 1 {
		files[0].Name = m.Files[0].Name
	}
	return files, nil, err
}

// comparison gathers what differs.
type comparison struct {
	found   map[string]*Listed
	want    []*File  // files that are there with the right size
	have    []Listed // and what they are
	missing []error
	extra   []error
	altered []error
}

func (c *comparison) expect(f *File) {
	is, ok := c.found[f.Name]
	switch {
	case !ok:
		c.missing = append(c.missing, attest.Refuse(attest.OMSFileMissing, tree.Show(f.Name), "is in the manifest, and not there"))
	case is.Entry.Size != f.Size:
		c.alter(f, "%d bytes, %d in the manifest", is.Entry.Size, f.Size)
	default:
		c.want, c.have = append(c.want, f), append(c.have, *is)
	}
}

func (c *comparison) alter(f *File, format string, args ...any) {
	c.altered = append(c.altered, attest.Refuse(attest.OMSDigestMismatch, tree.Show(f.Name), format, args...))
}

// digests compares the content of the files with the right size.
func (c *comparison) digests(ctx context.Context, root *tree.Root, opt hashing.Options) error {
	got, err := sums(ctx, root, c.have, opt)
	if err != nil {
		return err
	}
	for i, f := range c.want {
		switch is := &got[i]; {
		case is.SHA256 != f.SHA256:
			c.alter(f, "SHA-256 %s, %s in the manifest", is.SHA256, f.SHA256)
		case is.BLAKE3 != f.BLAKE3:
			c.alter(f, "BLAKE3 %s, %s in the manifest", is.BLAKE3, f.BLAKE3)
		case !bytes.Equal(is.Chunks, f.Chunks):
			c.alter(f, "BLAKE3 chunks that are not those of the manifest")
		}
	}
	return nil
}

func (c *comparison) err() error {
	all := append(append(c.missing, c.extra...), c.altered...)
	if len(all) <= mostRefusals {
		return errors.Join(all...)
	}
	more := fmt.Sprintf("and %d more files that differ", len(all)-mostRefusals+1)
	return errors.Join(append(all[:mostRefusals-1:mostRefusals-1], attest.Refuse(attest.CodeOf(all[mostRefusals-1]), "", "%s", more))...)
}

// CheckParent says whether m names parent as the version it came from:
// MANIFEST_PARENT_MISMATCH where it names another or none.
func (m *Manifest) CheckParent(parent *Manifest) error {
	d, err := parent.Digest()
	switch {
	case err != nil:
		return err
	case m.Parent == nil:
		return attest.Refuse(attest.ManifestParent, "parent", "the manifest names none")
	case m.Parent.Digest != d:
		return attest.Refuse(attest.ManifestParent, "parent", "the manifest names %s, and the one given is %s", m.Parent.Digest, d)
	}
	return nil
}
