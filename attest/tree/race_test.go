package tree_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/attest"
	"bartizan/attest/tree"
)

// An attacker who may write into the tree swaps folders and files for links
// while it is walked and read. What was refused does not matter; what was handed
// out never lies outside.
func TestSwapsLeadNowhere(t *testing.T) {
	both(t, func(t *testing.T, open func(testing.TB, string) *tree.Root) {
		outside := t.TempDir()
		for _, name := range []string{"leaf", "sub/leaf", "deep/leaf", "deep/sub/leaf", "only-outside"} {
			put(t, outside, name)
			must(t, os.WriteFile(outside+"/"+name, []byte("OUTSIDE"), 0o644))
		}
		dir := plant(t, "top/leaf", "top/sub/leaf", "top/deep/leaf", "top/deep/sub/leaf", "top/other/leaf")
		root := open(t, dir)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var swaps []func(context.Context)
		for _, victim := range []string{"top", "top/deep", "top/sub", "top/leaf"} {
			swaps = append(swaps, swapper(t, dir, victim, outside))
		}
		var attackers sync.WaitGroup
		for _, swap := range swaps {
			attackers.Go(func() { swap(ctx) })
		}
		walks, handed, seen := attack(t, ctx, root)
		attackers.Wait()
		t.Logf("%d walks, %d files handed out, refusals %v", walks, handed, seen)
		if walks == 0 {
			t.Error("nothing was tried")
		}
	})
}

// swapper puts a link in the place of the victim and back, as fast as it can. It
// holds the folders themselves, so that its own moves never follow a link and
// carry what lies outside into the tree.
func swapper(t *testing.T, dir, victim, outside string) func(context.Context) {
	t.Helper()
	parent, err := unix.Open(dir+"/"+filepath.Dir(victim), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	top, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	_, to, _ := strings.Cut(victim, "/")
	spare := ".spare-" + strings.ReplaceAll(victim, "/", "-")
	must(t, os.Symlink(outside+"/"+to, dir+"/"+spare))
	return func(ctx context.Context) {
		for ctx.Err() == nil {
			// One step: there is no moment at which nothing is there.
			if err := unix.Renameat2(parent, filepath.Base(victim), top, spare, unix.RENAME_EXCHANGE); err != nil {
				t.Error(err)
				break
			}
		}
		if err := errors.Join(unix.Close(parent), unix.Close(top)); err != nil {
			t.Error(err)
		}
	}
}

func attack(t *testing.T, ctx context.Context, root *tree.Root) (walks, handed int, seen map[attest.Code]int) {
	seen = map[attest.Code]int{}
	note := func(err error) {
		if err == nil {
			return
		}
		refused := attest.Refusals(err)
		if len(refused) == 0 && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a failure, not a refusal: %v", err)
		}
		for _, r := range refused {
			seen[r.Code]++
		}
	}
	for ctx.Err() == nil {
		walks++
		entries, err := root.Walk(ctx, func(name string) bool { return strings.HasPrefix(name, ".spare") })
		note(err)
		for _, e := range entries {
			if e.Size == int64(len("OUTSIDE")) || strings.Contains(e.Name, "only-outside") {
				t.Fatalf("the walk saw %s outside of the root", e.Name)
			}
		}
		for _, name := range []string{"top/leaf", "top/sub/leaf", "top/deep/leaf", "top/deep/sub/leaf", "top/only-outside"} {
			f, err := root.Open(name)
			note(err)
			if f == nil {
				continue
			}
			handed++
			data, err := io.ReadAll(f)
			if err != nil || strings.Contains(string(data), "OUTSIDE") {
				t.Fatalf("%s handed out %q, %v", name, data, err)
			}
			must(t, f.Close())
		}
	}
	return walks, handed, seen
}
