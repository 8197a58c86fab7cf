package tree_test

import (
	"context"
	"errors"
	"io"
	"os"
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
		var attackers sync.WaitGroup
		for _, victim := range []string{"top", "top/deep", "top/sub", "top/leaf"} {
			attackers.Go(func() { swap(ctx, dir, victim, outside) })
		}
		walks, handed, seen := attack(t, ctx, root)
		attackers.Wait()
		t.Logf("%d walks, %d files handed out, refusals %v", walks, handed, seen)
		if walks == 0 {
			t.Error("nothing was tried")
		}
	})
}

// swap puts a link in the place of the victim and back, as fast as it can.
func swap(ctx context.Context, dir, victim, outside string) {
	path := dir + "/" + victim
	to := outside
	if !strings.HasSuffix(victim, "leaf") {
		if rest, ok := strings.CutPrefix(victim, "top/"); ok {
			to += "/" + rest
		}
	} else {
		to += "/leaf"
	}
	spare := dir + "/.spare-" + strings.ReplaceAll(victim, "/", "-")
	if os.Symlink(to, spare) != nil {
		return
	}
	for ctx.Err() == nil {
		// One step: there is no moment at which nothing is there.
		_ = unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, spare, unix.RENAME_EXCHANGE)
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
