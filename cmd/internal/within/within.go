// Package within relates paths that a user gave to names beneath a root.
package within

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Name is the name of a file within a root, with slashes; empty where it lies
// elsewhere. The file's folder and the root must exist.
func Name(root, file string) (string, error) {
	from, err := real(root)
	if err != nil {
		return "", err
	}
	dir, err := real(filepath.Dir(file))
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, filepath.Join(dir, filepath.Base(file)))
	if err != nil || rel == "." || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", nil // no relation: it lies elsewhere
	}
	return filepath.ToSlash(rel), nil
}

func real(p string) (string, error) {
	p, err := filepath.EvalSymlinks(p)
	if err != nil {
		return "", err
	}
	return filepath.Abs(p)
}

// Ignores gives paths relative to the root: they may be given so, or as absolute
// paths within it. The root itself and what lies outside are errors.
func Ignores(root string, paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		name := path.Clean(filepath.ToSlash(p))
		if filepath.IsAbs(p) {
			var err error
			if name, err = Name(root, p); err != nil {
				return nil, err
			}
		}
		switch {
		case name == "" || name == ".." || strings.HasPrefix(name, "../"):
			return nil, fmt.Errorf("%s lies outside %s", p, root)
		case name == ".":
			return nil, fmt.Errorf("%s is everything", p)
		}
		out = append(out, name)
	}
	return out, nil
}
