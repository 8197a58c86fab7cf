package merkle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"pgregory.net/rapid"
)

func digestOf(n uint64) Hash { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, n)) }

func digests(n int) []Hash {
	out := make([]Hash, n)
	for i := range out {
		out[i] = digestOf(uint64(i))
	}
	return out
}

// of makes a tree of what two goroutines collected.
func of(all []Hash) *Tree {
	var a, b Collector
	for i, h := range all {
		if i%2 == 0 {
			a.Add(h)
		} else {
			b.Add(h)
		}
	}
	return New(&a, &b)
}

func TestUnion(t *testing.T) {
	a, b := of(append(digests(3000), digests(10)...)), of(digests(2000))
	all := Union(a, b, of(nil))
	want := of(append(append(digests(3000), digests(10)...), digests(2000)...))
	if all.Root() != want.Root() || all.Total() != want.Total() || all.Root() == a.Root() {
		t.Error("not the tree of all members")
	}
}

// reference computes the root by another implementation.
func reference(t *testing.T, tree *Tree) Hash {
	t.Helper()
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	r := factory.NewEmptyRange(0)
	for member, count := range tree.All {
		leaf := binary.BigEndian.AppendUint64(bytes.Clone(member[:]), count)
		if err := r.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil); err != nil {
			t.Fatal(err)
		}
	}
	if r.End() == 0 {
		return Hash(rfc6962.DefaultHasher.EmptyRoot())
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		t.Fatal(err)
	}
	return Hash(root)
}

// TestRootIsThatOfRFC6962 compares with transparency-dev/merkle around the sizes
// at which the shape of the tree changes.
func TestRootIsThatOfRFC6962(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 127, 128, 129, 1023, 1024, 1025, 2047, 2048, 2049, 5000} {
		tree := of(append(digests(n), digests(n/3)...))
		if got, want := tree.Root(), reference(t, tree); got != want {
			t.Errorf("%d leaves: %x, want %x", n, got, want)
		}
		if tree.Distinct() != uint64(n) || tree.Total() != uint64(n+n/3) {
			t.Errorf("%d leaves: %d of %d", n, tree.Distinct(), tree.Total())
		}
	}
}

func TestSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few values of few bytes: many ties at every depth of the radix sort.
		n := rapid.IntRange(0, 3000).Draw(t, "n")
		spread := rapid.Uint64Range(1, 5000).Draw(t, "spread")
		seed := rapid.Uint64().Draw(t, "seed")
		all := make([]Hash, n)
		for i := range all {
			seed = seed*6364136223846793005 + 1442695040888963407
			binary.BigEndian.PutUint64(all[i][int(seed>>60):], (seed>>32)%spread)
		}
		want := slices.Clone(all)
		slices.SortFunc(want, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
		radixSort(all, 0)
		if !slices.Equal(all, want) {
			t.Fatal("not sorted")
		}
	})
}

func TestEveryMemberAndEveryGapIsProven(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 5, 8, 13, 1024, 1025, 2500} {
		members := digests(n)
		tree := of(append(slices.Clone(members), members[:n/2]...))
		root := tree.Root()
		for i := range min(n, 200) {
			want := uint64(1)
			if i < n/2 {
				want = 2
			}
			if got, err := Verify(members[i], tree.Distinct(), root, tree.Prove(members[i])); err != nil || got != want {
				t.Fatalf("%d of %d: %d, %v", i, n, got, err)
			}
			absent := digestOf(uint64(1_000_000 + i))
			if got, err := Verify(absent, tree.Distinct(), root, tree.Prove(absent)); err != nil || got != 0 {
				t.Fatalf("absent %d of %d: %d, %v", i, n, got, err)
			}
		}
		for _, edge := range []Hash{{}, {0: 255, 1: 255, 2: 255, 3: 255, 4: 255}} {
			if got, err := Verify(edge, tree.Distinct(), root, tree.Prove(edge)); err != nil || got != 0 {
				t.Fatalf("edge of %d: %d, %v", n, got, err)
			}
		}
	}
}

// TestForgedProofs tries what a liar who knows all leaves can put together.
func TestForgedProofs(t *testing.T) {
	tree := of(append(digests(100), digests(10)...))
	root, size := tree.Root(), tree.Distinct()
	member, _ := tree.member(50)
	last, _ := tree.member(99)
	l := func(i int) Leaf { return tree.Leaf(i) }
	change := func(leaf Leaf, how func(*Leaf)) Leaf {
		leaf.Path = slices.Clone(leaf.Path)
		how(&leaf)
		return leaf
	}
	var between Hash
	copy(between[:], member[:])
	between[31]++
	for name, c := range map[string]struct {
		about  Hash
		size   uint64
		leaves []Leaf
	}{
		"no leaves":                   {member, size, nil},
		"neighbours around a member":  {member, size, []Leaf{l(49), l(51)}},
		"member as its own neighbour": {member, size, []Leaf{l(50), l(51)}},
		"wrong order":                 {between, size, []Leaf{l(51), l(50)}},
		"one neighbour of two":        {between, size, []Leaf{l(50)}},
		"same leaf twice":             {between, size, []Leaf{l(50), l(50)}},
		"three leaves":                {between, size, []Leaf{l(50), l(51), l(52)}},
		"another count":               {member, size, []Leaf{change(l(50), func(l *Leaf) { l.Count++ })}},
		"no count":                    {member, size, []Leaf{change(l(50), func(l *Leaf) { l.Count = 0 })}},
		"another index":               {member, size, []Leaf{change(l(50), func(l *Leaf) { l.Index++ })}},
		"longer path":                 {member, size, []Leaf{change(l(50), func(l *Leaf) { l.Path = append(l.Path, Hash{}) })}},
		"shorter path":                {member, size, []Leaf{change(l(50), func(l *Leaf) { l.Path = l.Path[1:] })}},
		"endless path":                {member, size, []Leaf{change(l(50), func(l *Leaf) { l.Path = make([]Hash, 1000) })}},
		"index beyond":                {member, size, []Leaf{change(l(50), func(l *Leaf) { l.Index = size })}},
		"not the last":                {last, size - 1, []Leaf{l(98)}},
		"first that is not":           {Hash{}, size, []Leaf{change(l(1), func(l *Leaf) { l.Index = 0 })}},
		"claimed empty":               {member, 0, nil},
		"claimed empty with a leaf":   {member, 0, []Leaf{l(50)}},
		"monstrous size":              {member, 1<<63 + 1, []Leaf{l(50)}},
		"index that wraps":            {between, size, []Leaf{change(l(50), func(l *Leaf) { l.Index = 1<<64 - 1 }), change(l(51), func(l *Leaf) { l.Index = 0 })}},
		"inner node as a leaf":        {nodeHash(Hash{1}, Hash{2}), size, []Leaf{{Index: 0, Member: nodeHash(Hash{1}, Hash{2}), Count: 1, Path: l(0).Path[1:]}}},
	} {
		if got, err := Verify(c.about, c.size, root, c.leaves); err == nil {
			t.Errorf("%s: proves %d", name, got)
		}
	}
	if _, err := Verify(Hash{}, 0, Hash(rfc6962.DefaultHasher.EmptyRoot()), nil); err != nil {
		t.Errorf("empty: %v", err)
	}
}

func TestCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.Uint64Range(0, 20), 0, 60)
		a, b := some.Draw(t, "before"), some.Draw(t, "after")
		counts := map[uint64]int{}
		tree := func(few []uint64, sign int) *Tree {
			var all []Hash
			for _, n := range few {
				all = append(all, digestOf(n))
				counts[n] += sign
			}
			return of(all)
		}
		before, after := tree(a, -1), tree(b, 1)
		var wantAdded, wantRemoved uint64
		for _, n := range counts {
			wantAdded += uint64(max(n, 0))
			wantRemoved += uint64(max(-n, 0))
		}
		if added, removed := Compare(before, after); added != wantAdded || removed != wantRemoved {
			t.Fatalf("%d added, %d removed, want %d, %d", added, removed, wantAdded, wantRemoved)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	const n = 1 << 20
	all := digests(n)
	b.ReportAllocs()
	for b.Loop() {
		of(all)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
