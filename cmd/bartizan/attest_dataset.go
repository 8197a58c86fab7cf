package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/oms"
	"bartizan/attest/statement"
	"bartizan/cmd/internal/input"
	"bartizan/subject"
)

type attestDatasetCmd struct {
	Manifest string `arg:"" name:"manifest" help:"What bartizan manifest create wrote."`
	Parent   string `placeholder:"MANIFEST" help:"The manifest of the version that this one was made from, which the manifest must name."`
	Release  string `placeholder:"VERSION" help:"What this version is called."`
	attestFlags
}

// Help is what `bartizan attest dataset --help` says below the usage.
func (attestDatasetCmd) Help() string {
	return `The subject is the dataset by its root; the statement names the manifest by its digest (docs/predicates.md), so that whoever has the manifest can check every file and every record against this signature.

    bartizan manifest create ./loans --output loans.manifest.json
    bartizan attest dataset loans.manifest.json --key signer --bundle loans.sigstore.json
`
}

func (c *attestDatasetCmd) Run(e *env) error {
	return c.attest(e, subject.Dataset, []string{c.Manifest}, func() (*statement.Statement, error) {
		m, err := readManifest(c.Manifest)
		if err != nil {
			return nil, err
		}
		p, err := c.predicate(m)
		if err != nil {
			return nil, err
		}
		return statement.New(p, statement.Descriptor{Name: m.Name, Digest: folderOf(m)})
	})
}

func (c *attestDatasetCmd) predicate(m *manifest.Manifest) (*statement.DatasetManifest, error) {
	sum, err := m.Digest()
	if err != nil {
		return nil, err
	}
	p := &statement.DatasetManifest{
		Name: m.Name, Version: c.Release,
		Manifest: statement.Descriptor{Name: nameOf(c.Manifest), Digest: digests(sum), MediaType: "application/json"},
		Files:    int64(len(m.Files)), Bytes: m.Size(),
	}
	if m.Created != "" {
		t, err := time.Parse(time.RFC3339, m.Created)
		if err != nil {
			return nil, err
		}
		p.CreatedOn = statement.At(t)
	}
	if r := m.Records; r != nil {
		p.Records = &statement.RecordSet{Files: int64(len(r.Files)), Count: int64(r.Count), Distinct: int64(r.Distinct), Digest: digests(r.Root)}
	}
	if m.Parent != nil {
		p.ParentManifest = digests(m.Parent.Digest)
	}
	if c.Parent == "" {
		return p, nil
	}
	parent, err := readManifest(c.Parent)
	if err != nil {
		return nil, err
	}
	if err := m.CheckParent(parent); err != nil {
		return nil, err
	}
	if parent.Root != m.Root { // the same files under other names have the same root
		p.Parent = folderOf(parent)
	}
	return p, nil
}

// folderOf gives the digests of the files that a manifest lists, as those of the
// folder that they are in.
func folderOf(m *manifest.Manifest) statement.Digests {
	names, _ := oms.DirHashOf(func(yield func(digest []byte, name string) bool) { // a manifest that was read has one
		for i := range m.Files {
			if !yield(m.Files[i].SHA256[:], m.Files[i].Name) {
				return
			}
		}
	})
	return statement.FolderDigests(hex.EncodeToString(m.Root[:]), names)
}

func digests(d digest.SHA256) statement.Digests { return statement.SHA256(hex.EncodeToString(d[:])) }

func readManifest(path string) (*manifest.Manifest, error) {
	raw, err := input.AtMost(path, manifest.MaxDocument)
	if err != nil {
		return nil, err
	}
	return manifest.Parse(raw)
}

// dataset takes the path of a manifest besides what read takes: the dataset is
// then the one that the manifest describes.
func (r *thingReader) dataset(arg string) (thing, error) {
	is, err := isManifest(arg)
	if err != nil || !is {
		return r.read(arg)
	}
	m, err := readManifest(arg)
	if err != nil {
		return thing{}, err
	}
	if m.Kind != manifest.Dataset {
		return thing{}, attest.Refuse(attest.ManifestMalformed, arg, "is the manifest of a %s, not of a dataset", m.Kind)
	}
	return thing{Descriptor: statement.Descriptor{Name: m.Name, Digest: folderOf(m)}}, nil
}

// isManifest says whether a file is a manifest by its schema, which canonical
// form puts at its end. A broken one is a manifest all the same: to take its
// own digest for that of the dataset would name the wrong thing.
func isManifest(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(path, ".json") || info.Size() > manifest.MaxDocument {
		return false, err
	}
	f, err := input.Open(path)
	if err != nil {
		return false, err
	}
	is, err := hasSchema(f, info.Size())
	return is, errors.Join(err, f.Close())
}

// hasSchema looks for the schema at the end, and at the start for documents in
// another order.
func hasSchema(f io.ReaderAt, size int64) (bool, error) {
	const window = 4096
	for _, at := range []int64{0, max(0, size-window)} {
		buf := make([]byte, window)
		n, err := f.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if bytes.Contains(buf[:n], []byte(`"`+manifest.Schema+`"`)) {
			return true, nil
		}
	}
	return false, nil
}
