package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
)

// table is data as people pickle it: rows of mixed small values, with the keys shared and some texts repeated.
func table(rows int) *list {
	rng := rand.New(rand.NewPCG(20, 4))
	keys := make([]any, 0, 6)
	for _, k := range []string{"id", "score", "label", "tags", "span", "flags"} {
		keys = append(keys, &text{k})
	}
	labels := make([]*text, 200)
	for i := range labels {
		labels[i] = &text{fmt.Sprintf("class_%d", i)}
	}
	out := &list{}
	for i := range rows {
		out.items = append(out.items, &dict{keys: keys, values: []any{i, rng.Float64(), labels[rng.IntN(len(labels))], tags(rng, i), span(rng), flags(rng)}})
	}
	return out
}

func tags(rng *rand.Rand, i int) *list {
	l := &list{}
	for n := range rng.IntN(4) {
		l.items = append(l.items, &text{fmt.Sprintf("token_%d_of_row_%07d", n, i)})
	}
	return l
}

func span(rng *rand.Rand) *tuple {
	t := &tuple{items: []any{rng.IntN(256), rng.IntN(70000)}}
	if rng.IntN(2) == 0 {
		t.items = append(t.items, rng.Float64()*100)
	}
	if rng.IntN(8) == 0 {
		t.items = append(t.items, -rng.IntN(1000), rng.IntN(1<<40))
	}
	return t
}

func flags(rng *rand.Rand) *list {
	l := &list{}
	for range 4 + rng.IntN(24) {
		switch n := rng.IntN(8); n {
		case 0:
			l.items = append(l.items, nil)
		case 1:
			l.items = append(l.items, rng.IntN(2) == 0)
		case 2, 3, 4, 5:
			l.items = append(l.items, rng.Float64()*10)
		default:
			l.items = append(l.items, rng.IntN(1<<31))
		}
	}
	return l
}

func writeDense(path string, rows, protocol int, out io.Writer) error {
	data, opcodes, err := dumps(table(rows), protocol)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d bytes, %d opcodes, protocol %d\n", path, len(data), opcodes, protocol)
	return nil
}
