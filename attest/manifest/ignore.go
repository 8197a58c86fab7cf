package manifest

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"bartizan/attest"
	"bartizan/attest/loadable"
	"bartizan/attest/tree"
)

// DefaultIgnores are what is never part of a manifest: what Git keeps, as in
// OpenSSF Model Signing. The two files of them count where they are not text.
func DefaultIgnores() []string {
	return []string{gitFolder, ".gitattributes", githubFolder, ".gitignore"}
}

const gitFolder, githubFolder = ".git", ".github"

// Ignore is a list of files and folders relative to the root.
type Ignore []string

// Has says whether the name is one of them or lies within one.
func (i Ignore) Has(name string) bool {
	for _, p := range i {
		p = path.Clean(p)
		if name == p || strings.HasPrefix(name, p) && name[len(p)] == '/' {
			return true
		}
	}
	return false
}

// LeaveOut says which files of a tree are no part of a manifest, besides
// DefaultIgnores.
type LeaveOut struct {
	// Ignore are those that the caller wants left out. One that could be loaded
	// (package loadable) is refused as POLICY_IGNORE_FORBIDDEN: nothing would
	// cover it.
	Ignore Ignore
	// Own are the names of documents within the tree that the caller reads or
	// writes itself, as the manifest. They need names that no loader goes by, or
	// that end in .json.
	Own []string
}

func (l *LeaveOut) owns(name string) bool { return slices.Contains(l.Own, name) && mayBeOwn(name) }

func mayBeOwn(name string) bool { return !loadable.Name(name) || path.Ext(name) == ".json" }

// checkOwn refuses to write a document where a loader would look for a model.
func (l *LeaveOut) checkOwn() error {
	for _, name := range l.Own {
		if !mayBeOwn(name) {
			return attest.Refuse(attest.PolicyIgnore, tree.Show(name), "a loader could take the manifest for part of the model: call it manifest.json")
		}
	}
	return nil
}

// walk lists the files that count: those that are not left out, and those that
// are and that a manifest lists all the same. Files that may not be left out are
// refused, each.
func (l *LeaveOut) walk(ctx context.Context, root *tree.Root, listed []File) (files []Listed, refused []error, err error) {
	named := map[string]bool{} // files and the folders above them
	for i := range listed {
		for name := listed[i].Name; name != "." && !named[name]; name = path.Dir(name) {
			named[name] = true
		}
	}
	entries, err := root.Walk(ctx, func(name string) bool {
		return (name == gitFolder || name == githubFolder) && !named[name]
	})
	if err != nil {
		return nil, nil, err
	}
	files = make([]Listed, 0, len(entries))
	for _, e := range entries {
		counts, err := named[e.Name], error(nil)
		if !counts {
			counts, err = l.counts(root, e)
		}
		switch {
		case err != nil && attest.CodeOf(err) == "":
			return nil, nil, err
		case err != nil:
			refused = append(refused, err)
		case counts:
			files = append(files, Listed{Entry: e, Name: e.Name})
		}
	}
	return files, refused, nil
}

// counts says whether a file that no manifest lists is not left out.
func (l *LeaveOut) counts(root *tree.Root, e tree.Entry) (bool, error) {
	if l.owns(e.Name) {
		return false, nil
	}
	if e.Name == ".gitattributes" || e.Name == ".gitignore" {
		if harmless, err := loadable.Inert(root, e); harmless || err != nil {
			return false, err
		}
	}
	if !l.Ignore.Has(e.Name) {
		return true, nil
	}
	is, err := loadable.File(root, e)
	if err == nil && is {
		err = attest.Refuse(attest.PolicyIgnore, tree.Show(e.Name), "a file that could be loaded cannot be ignored")
	}
	return false, err
}

// list is walk for those who go on only where nothing is refused.
func (l *LeaveOut) list(ctx context.Context, root *tree.Root) ([]Listed, error) {
	files, refused, err := l.walk(ctx, root, nil)
	if err != nil {
		return nil, err
	}
	return files, errors.Join(cut(refused)...)
}

// cut keeps as many refusals as one error carries.
func cut(refused []error) []error { return refused[:min(len(refused), mostRefusals)] }
