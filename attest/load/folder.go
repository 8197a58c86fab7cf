package load

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"bartizan/attest"
	"bartizan/attest/tree"
)

// CopyTo makes the folder dir (its parent must be there) with verified copies of
// the expected files and nothing else: files of mode 0400 in folders of mode
// 0500. The copies are hashed as they are written, into a folder beside dir that
// is synced and renamed when all of them were right; on any error nothing is
// left. An existing dir is taken only where it is an empty folder.
//
// Where the root is one file, the copy's name is Options.SingleName.
func CopyTo(ctx context.Context, root *tree.Root, want []Expected, dir string, opt Options) error {
	opt = opt.withDefaults()
	jobs, err := plainNames(root, want, opt.SingleName)
	if err != nil {
		return err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := checkVacant(dir); err != nil {
		return err
	}
	beside, err := makeBeside(dir)
	if err != nil {
		return err
	}
	c := &copier{root: root, jobs: jobs, opt: opt}
	err = c.fill(ctx, beside)
	if err == nil {
		err = unix.Rename(beside, dir)
		if err != nil {
			err = fmt.Errorf("%s: it was written by somebody else in the meantime: %w", dir, err)
		}
	}
	if err != nil {
		return errors.Join(err, Remove(beside))
	}
	if opt.Volatile {
		return nil
	}
	return syncFolder(filepath.Dir(dir))
}

// Remove takes away a folder that CopyTo made, whose folders allow no writing.
func Remove(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// job is one file on its way.
type job struct {
	want Expected
	name string // beneath the new folder
	size int64  // a guess, for the order
}

// plainNames checks all names together before anything is opened: these are
// names that files are created under.
func plainNames(root *tree.Root, want []Expected, single string) ([]job, error) {
	jobs := make([]job, len(want))
	names := make([]string, len(want))
	for i, w := range want {
		jobs[i] = job{want: w, name: w.Name, size: w.Size}
		if w.Name == "." && root.Single() && len(want) == 1 {
			jobs[i].name = single
		}
		if w.Size < 0 && len(w.Ranges) > 0 {
			jobs[i].size = w.Ranges[len(w.Ranges)-1].End
		}
		names[i] = jobs[i].name
	}
	if len(want) == 0 {
		return nil, attest.Refuse(attest.OMSEmpty, "", "no file is vouched for: there is nothing to copy")
	}
	if err := tree.CheckNames(names); err != nil {
		return nil, err
	}
	// Files of unknown size (-1) go first: they may be the largest.
	sort.SliceStable(jobs, func(i, j int) bool { return uint64(jobs[i].size) > uint64(jobs[j].size) })
	return jobs, nil
}

func checkVacant(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: is there already and is no folder: name one that is not there yet", dir)
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if names, err := f.Readdirnames(1); len(names) > 0 || err == nil {
		return fmt.Errorf("%s: is not empty: name a folder that is not there yet", dir)
	}
	return nil
}

func makeBeside(dir string) (string, error) {
	var salt [8]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return "", err
	}
	base := filepath.Base(dir)
	beside := filepath.Join(filepath.Dir(dir), "."+base[:min(len(base), 200)]+"."+hex.EncodeToString(salt[:]))
	if err := os.Mkdir(beside, 0o700); err != nil {
		return "", fmt.Errorf("a folder beside %s: %w", dir, err)
	}
	return beside, nil
}

// copier fills one folder.
type copier struct {
	root *tree.Root
	jobs []job
	opt  Options
	dst  *os.Root
}

func (c *copier) fill(ctx context.Context, dir string) (err error) {
	if c.dst, err = os.OpenRoot(dir); err != nil {
		return err
	}
	defer func() { _ = c.dst.Close() }()
	folders, err := c.makeFolders()
	if err != nil {
		return err
	}
	if err := c.copyAll(ctx); err != nil {
		return err
	}
	for _, name := range folders {
		if err := c.dst.Chmod(name, 0o500); err != nil {
			return err
		}
	}
	if c.opt.Volatile {
		return nil
	}
	return c.sync(folders)
}

// makeFolders gives them deepest first, the new folder itself last.
func (c *copier) makeFolders() ([]string, error) {
	need := map[string]bool{}
	for i := range c.jobs {
		for dir := path.Dir(c.jobs[i].name); dir != "." && !need[dir]; dir = path.Dir(dir) {
			need[dir] = true
		}
	}
	folders := make([]string, 0, len(need)+1)
	for dir := range need {
		folders = append(folders, dir)
	}
	sort.Strings(folders) // a folder before what is in it
	for _, dir := range folders {
		if err := c.dst.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
	}
	slices.Reverse(folders)
	return append(folders, "."), nil
}

// parallelFrom is the size from which a file of several units has all workers to
// itself; below, each worker has a file.
const parallelFrom = 16 << 20

func (c *copier) copyAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alone := 0
	for ; alone < len(c.jobs) && c.inUnits(&c.jobs[alone]); alone++ {
		if err := c.copyOne(ctx, &c.jobs[alone], c.opt); err != nil {
			return err
		}
	}
	rest := c.jobs[alone:]
	single := c.opt
	single.Workers = 1
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(c.opt.Workers, len(rest)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(rest)); i = next.Add(1) - 1 {
				j, opt := &rest[i], single
				if c.inUnits(j) {
					opt = c.opt
				}
				if err := c.copyOne(ctx, j, opt); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

func (c *copier) inUnits(j *job) bool {
	return j.size >= parallelFrom && (j.want.Chunks != nil || len(j.want.Ranges) > 1)
}

func (c *copier) copyOne(ctx context.Context, j *job, opt Options) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	src, p, err := open(c.root, j.want)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	dst, err := c.dst.OpenFile(filepath.FromSlash(j.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	defer func() { _ = dst.Close() }()
	if err := reserve(dst, p.size); err != nil {
		return fmt.Errorf("%s: a copy of %d bytes: %w", j.name, p.size, err)
	}
	if err := transfer(ctx, dst, src, p, opt); err != nil {
		return err
	}
	err = dst.Chmod(0o400) // whatever the umask left of it
	if err == nil && !c.opt.Volatile && !c.many() {
		err = dst.Sync()
	}
	return errors.Join(err, dst.Close())
}

// many says that one sync of the file system is cheaper than one for each file.
func (c *copier) many() bool { return len(c.jobs) > 64 }

func (c *copier) sync(folders []string) error {
	if c.many() {
		f, err := c.dst.Open(".")
		if err != nil {
			return err
		}
		return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
	}
	for _, name := range folders {
		f, err := c.dst.Open(name)
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Find gives the expectation for a name, or a refusal with OMS_FILE_UNSIGNED.
func Find(want []Expected, name string) (Expected, error) {
	for i := range want {
		if want[i].Name == name {
			return want[i], nil
		}
	}
	return Expected{}, attest.Refuse(attest.OMSFileUnsigned, tree.Show(strings.ToValidUTF8(name, "\ufffd")), "nothing that was signed has this name")
}
