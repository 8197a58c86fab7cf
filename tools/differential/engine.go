package main

import (
	"context"

	"bartizan/detect/artifact/pickle"
)

// engine gives the pickle engine's trace.
func engine(data []byte) trace {
	t := pickle.TraceBytes(context.Background(), data)
	out := trace{calls: t.Calls, unfolded: t.Unfolded, extensions: t.Extensions, persistent: t.Persistent}
	for _, n := range t.Names {
		out.names = append(out.names, [2]string{n.Module, n.Name})
	}
	return out
}
