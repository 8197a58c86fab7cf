package main

import (
	"fmt"
	"io/fs"
	"os"

	"bartizan/attest/manifest"
	"bartizan/cmd/internal/input"
)

// manifestAt reads a manifest. An error without a code says that it could not be
// read.
func manifestAt(path string) (*manifest.Manifest, error) {
	raw, err := readDocument(path, manifest.MaxDocument)
	if err != nil {
		return nil, err
	}
	return manifest.Parse(raw)
}

// readDocument reads a file that is no larger than limit. A pipe that gives
// nothing (nobody writes to it) is no document that could be judged.
func readDocument(path string, limit int64) ([]byte, error) {
	raw, err := input.AtMost(path, limit)
	if err != nil || len(raw) > 0 {
		return raw, err
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		err = fmt.Errorf("%s: a pipe that nothing was written to", path)
	}
	return raw, err
}
