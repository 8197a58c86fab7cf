package oms

import (
	"errors"
	"sort"
	"strconv"
	"strings"

	"bartizan/attest"
	"bartizan/attest/tree"
)

var (
	errHex        = errors.New("a digest is not lower-case hexadecimal")
	errDigestSize = errors.New("a digest has not its algorithm's length")
)

// cut splits "path:start:end". Paths may hold colons: the last two count.
func (r *Resource) cut() error {
	path, end, ok := cutLast(r.Name)
	if ok {
		var start string
		if path, start, ok = cutLast(path); ok {
			var err1, err2 error
			r.Start, err1 = offset(start)
			r.End, err2 = offset(end)
			ok = err1 == nil && err2 == nil && r.Start < r.End
		}
	}
	if !ok {
		return attest.Refuse(attest.OMSShardsInvalid, tree.Show(r.Name), "a shard's name is path:start:end with start before end")
	}
	r.Name = path
	return nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// offset reads a number in its only form, so that no two names mean one shard.
func offset(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s || n < 0 {
		return 0, strconv.ErrSyntax
	}
	return n, nil
}

// wireName is the inverse of cut.
func (r *Resource) wireName() string {
	if r.Whole() {
		return r.Name
	}
	return r.Name + ":" + strconv.FormatInt(r.Start, 10) + ":" + strconv.FormatInt(r.End, 10)
}

// checkShards demands that the shards of each file follow one another from 0,
// all of the shard size but the last. They may be listed in any order.
func (m *Model) checkShards() error {
	order := make([]int, len(m.Resources))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool {
		x, y := &m.Resources[order[a]], &m.Resources[order[b]]
		if x.Name != y.Name {
			return x.Name < y.Name
		}
		return x.Start < y.Start
	})
	var names []string
	for i, at := range order {
		r := &m.Resources[at]
		first := i == 0 || m.Resources[order[i-1]].Name != r.Name
		last := i == len(order)-1 || m.Resources[order[i+1]].Name != r.Name
		want := int64(0)
		if first {
			names = append(names, r.Name)
		} else {
			want = m.Resources[order[i-1]].End
			if p := &m.Resources[order[i-1]]; p.Start == r.Start && p.End == r.End {
				return attest.Refuse(attest.OMSNameDuplicate, tree.Show(r.wireName()), "the shard stands twice")
			}
		}
		size := r.End - r.Start
		if r.Start != want || size > m.ShardSize || !last && size != m.ShardSize {
			return attest.Refuse(attest.OMSShardsInvalid, tree.Show(r.wireName()), "shards of %d bytes that follow one another were declared", m.ShardSize)
		}
	}
	return m.checkNames(func(yield func(string)) {
		for _, n := range names {
			yield(n)
		}
	})
}
