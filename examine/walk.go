package examine

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// walk names every subject below the paths, in order: entries of a folder by
// name, folders where their name stands. What cannot be read is a subject too.
func walk(ctx context.Context, paths []string, ordered, queue chan<- *task) {
	defer close(ordered)
	defer close(queue)
	w := walker{ctx: ctx, ordered: ordered, queue: queue}
	for _, p := range paths {
		if !w.root(p) {
			return
		}
	}
}

type walker struct {
	ctx            context.Context
	ordered, queue chan<- *task
	sent           int    // subjects of this walk
	folderNow      string // the folder that is being walked; empty for a named path
	rootDir        string // of the walk, links resolved
}

// send hands one subject on; false means that the scan was cancelled.
func (w *walker) send(path string, p *problem) bool {
	w.sent++
	t := &task{path: path, folder: w.folderNow, problem: p, done: make(chan struct{})}
	select {
	case w.ordered <- t:
	case <-w.ctx.Done():
		return false
	}
	select {
	case w.queue <- t:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// root starts at a path that the user named: links are followed here.
func (w *walker) root(path string) bool {
	if path == "-" {
		return w.send(path, nil)
	}
	info, err := os.Stat(path)
	if err != nil {
		p := openProblem(err)
		return w.send(path, &p)
	}
	if !info.IsDir() {
		return w.send(path, nil)
	}
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		p := openProblem(err)
		return w.send(path, &p)
	}
	w.rootDir, w.sent = real, 0
	if !w.folder(path) {
		return false
	}
	if w.sent == 0 {
		return w.send(path, &problem{"no-files", "the folder holds no files: check the path"})
	}
	return true
}

func (w *walker) folder(dir string) bool {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		p := openProblem(err)
		if !w.send(dir, &p) {
			return false
		}
	}
	for _, e := range entries {
		w.folderNow = dir
		if !w.entry(join(dir, e.Name()), e) {
			return false
		}
	}
	w.folderNow = ""
	return true
}

func (w *walker) entry(path string, e fs.DirEntry) bool {
	switch {
	case e.IsDir():
		return w.folder(path)
	case e.Type()&fs.ModeSymlink != 0:
		return w.link(path)
	}
	return w.send(path, nil)
}

// link follows a symbolic link to a file that lies below the root. What points
// out of it is named but not opened: a repository must not choose what is read
// on the host that scans it. A folder below the root is walked under its own name.
func (w *walker) link(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		p := openProblem(err)
		return w.send(path, &p)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		p := openProblem(err)
		return w.send(path, &p)
	}
	if real, err = filepath.Abs(real); err != nil {
		p := openProblem(err)
		return w.send(path, &p)
	}
	if real != w.rootDir && !strings.HasPrefix(real, strings.TrimSuffix(w.rootDir, "/")+"/") {
		return w.send(path, &problem{"link-out-of-root", "points to " + real + ": scan that path by name if it belongs here"})
	}
	if info.IsDir() {
		return true
	}
	return w.send(path, nil)
}

// join keeps the path as the user gave it: "./a" stays "./a", "a/" becomes "a/b".
func join(dir, name string) string {
	if strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}
