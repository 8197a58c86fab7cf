package main

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Time bounds: a batch that takes longer is run again stream by stream.
const (
	batchLimit  = 30 * time.Second
	streamLimit = 5 * time.Second
)

// interpreter keeps one worker of a Python alive.
type interpreter struct {
	path    string
	version string
	readers []string
	worker  *worker
	faults  int // processes that died or were ended
}

// discover gives the working interpreters among the paths; without paths, those of pyenv and PATH, one a minor version.
// Those that do not answer are named in broken.
func discover(paths []string) (found []*interpreter, broken []string) {
	series := func(version string) string { return version }
	if len(paths) == 0 {
		paths = candidates()
		series = func(version string) string { return version[:max(0, strings.LastIndexByte(version, '.'))] }
	}
	seen := map[string]bool{}
	for _, path := range paths {
		w, err := startWorker(path)
		if err != nil {
			broken = append(broken, err.Error())
			continue
		}
		if seen[series(w.version)] {
			w.stop()
			continue
		}
		seen[series(w.version)] = true
		found = append(found, &interpreter{path: path, version: w.version, readers: w.readers, worker: w})
	}
	sort.Slice(found, func(i, j int) bool { return olderVersion(found[i].version, found[j].version) })
	return found, broken
}

// olderVersion compares "3.9.18" and "3.10.13" by number.
func olderVersion(a, b string) bool {
	key := func(v string) (k string) {
		for _, part := range strings.Split(v, ".") {
			k += strings.Repeat("0", max(0, 4-len(part))) + part
		}
		return k
	}
	return key(a) < key(b)
}

func candidates() []string {
	var paths []string
	roots := []string{os.Getenv("PYENV_ROOT")}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".pyenv"))
	}
	for _, root := range roots {
		if root == "" {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(root, "versions", "*", "bin", "python")) // the pattern is well-formed
		paths = append(paths, found...)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if strings.Contains(dir, "shims") {
			continue // pyenv's shell scripts start the interpreters found above
		}
		for _, pattern := range []string{"python3.[0-9]", "python3.[0-9][0-9]", "python2.7", "python3"} {
			found, _ := filepath.Glob(filepath.Join(dir, pattern))
			paths = append(paths, found...)
		}
	}
	return paths
}

// run gives the outcomes of a batch. Where the process dies or takes too long, a new one runs the streams one by one,
// and the stream that did it gets a fault.
func (in *interpreter) run(ctx context.Context, streams [][]byte) ([]outcome, error) {
	outcomes, err := in.try(ctx, streams, batchLimit)
	if err == nil || ctx.Err() != nil {
		return outcomes, ctx.Err()
	}
	outcomes = make([]outcome, len(streams))
	for i, s := range streams {
		one, err := in.try(ctx, [][]byte{s}, streamLimit)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			outcomes[i].fault = err.Error()
		default:
			outcomes[i] = one[0]
		}
	}
	return outcomes, nil
}

func (in *interpreter) try(ctx context.Context, streams [][]byte, limit time.Duration) ([]outcome, error) {
	if in.worker == nil {
		w, err := startWorker(in.path)
		if err != nil {
			return nil, err
		}
		in.worker = w
	}
	outcomes, err := in.worker.run(ctx, streams, limit)
	if err != nil {
		in.stop()
		in.faults++
	}
	return outcomes, err
}

func (in *interpreter) stop() {
	if in.worker != nil {
		in.worker.stop()
		in.worker = nil
	}
}

// readerNames spells a mask of readers.
func (in *interpreter) readerNames(mask byte) []string {
	var names []string
	for i, name := range in.readers {
		if mask>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}
