package input_test

import (
	"testing"

	"pgregory.net/rapid"

	"bartizan/detect/input"
)

// Whatever is lent, given back and held, the live bytes never pass the limit,
// and all of it can be had again at the end.
func TestLiveMemoryIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := input.NewBudget(0)
		var lent [][]byte
		var held []int64
		live := func() (n int64) {
			for _, p := range lent {
				n += int64(cap(p))
			}
			for _, h := range held {
				n += h
			}
			return n
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			n := rapid.Int64Range(1, 30<<20).Draw(t, "n")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				if p, ok := b.Lend(n); ok {
					if int64(cap(p)) < n || len(p) != 0 {
						t.Fatalf("asked for %d, got %d of %d", n, len(p), cap(p))
					}
					lent = append(lent, p)
				}
			case 1:
				if p, ok := b.LendMost(n, n/4); ok {
					if int64(cap(p)) <= n/4 {
						t.Fatalf("asked for %d at least, got %d", n/4, cap(p))
					}
					lent = append(lent, p)
				}
			case 2:
				if b.Hold(n) {
					held = append(held, n)
				}
			case 3:
				if len(lent) > 0 {
					b.GiveBack(lent[len(lent)-1])
					lent = lent[:len(lent)-1]
				}
			case 4:
				if len(held) > 0 {
					b.Release(held[len(held)-1])
					held = held[:len(held)-1]
				}
			}
			if live() > input.DefaultLive || live()+b.LiveLeft() != input.DefaultLive {
				t.Fatalf("%d live, %d left", live(), b.LiveLeft())
			}
		}
		for _, p := range lent {
			b.GiveBack(p)
		}
		for _, h := range held {
			b.Release(h)
		}
		if p, ok := b.Lend(24 << 20); !ok || cap(p) < 24<<20 {
			t.Fatal("the memory is not there again")
		}
	})
}
