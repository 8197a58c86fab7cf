// Package handover gives verified copies to programs: as a private folder that
// lives as long as a command, with the command's exit code passed on. Starting
// programs is for commands alone, so that it lies here and not in attest.
package handover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bartizan/attest/load"
	"bartizan/attest/tree"
)

// Copy is a verified copy of a model in a folder that only this user can enter.
type Copy struct {
	// Path is the folder with the copies or, where the model is one file, the file.
	Path    string
	private string
}

// Private makes one below the temporary folder. path is what the root was opened
// as: the copy bears its last name, since programs choose by names.
func Private(ctx context.Context, root *tree.Root, want []load.Expected, path string, opt load.Options) (*Copy, error) {
	private, err := os.MkdirTemp(opt.TempDir, "bartizan-verified-") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("a private folder for the verified copy: %w", err)
	}
	c := &Copy{private: private, Path: filepath.Join(private, Name(path))}
	opt.Volatile = true
	if root.Single() {
		opt.SingleName = Name(path)
	}
	if err := load.CopyTo(ctx, root, want, c.Path, opt); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	if root.Single() {
		c.Path = filepath.Join(c.Path, opt.SingleName)
	}
	return c, nil
}

// Remove takes the copy away, and the folder that it was in.
func (c *Copy) Remove() error { return load.Remove(c.private) }

// Name is the last name of a path, "model" where it has none (".", "/").
func Name(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	if base := filepath.Base(abs); base != "." && base != "/" && base != ".." {
		return base
	}
	return "model"
}
