package lineage

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const million = 1_000_000

// report gives the percentiles of times.
func report(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	at := func(q float64) float64 { return float64(times[min(int(q*float64(len(times))), len(times)-1)].Microseconds()) / 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}

// BenchmarkWalk walks a graph of a million nodes from any node, both ways.
func BenchmarkWalk(b *testing.B) {
	g := millions(million)
	b.Logf("%d nodes, %d edges", g.Nodes(), g.Edges())
	for name, d := range map[string]Direction{"up": Up, "down": Down, "both": Both} {
		b.Run(name, func(b *testing.B) {
			w := g.NewWalker()
			r := rand.New(rand.NewPCG(3, 4))
			var times []time.Duration
			steps := 0
			for b.Loop() {
				start := Node(r.IntN(g.Nodes()))
				begin := time.Now()
				steps += len(w.Walk(start, d, -1))
				times = append(times, time.Since(begin))
			}
			report(b, times)
			b.ReportMetric(float64(steps)/float64(len(times)), "nodes/walk")
		})
	}
}

// BenchmarkWalkHubs starts where most is reached: the roots down, the leaves up.
func BenchmarkWalkHubs(b *testing.B) {
	g := millions(million)
	w := g.NewWalker()
	r := rand.New(rand.NewPCG(3, 4))
	var times []time.Duration
	for b.Loop() {
		begin := time.Now()
		w.Walk(Node(r.IntN(100)), Down, -1)
		times = append(times, time.Since(begin))
	}
	report(b, times)
}

// BenchmarkDiamond walks a million nodes between one source and one sink.
func BenchmarkDiamond(b *testing.B) {
	builder := NewBuilder()
	ev := builder.Evidence(Evidence{Assurance: Verified})
	top, _ := builder.Thing(ev, Thing{Keys: []string{"run:top"}})
	bottom, _ := builder.Thing(ev, Thing{Keys: []string{"run:bottom"}})
	for i := range million {
		n, err := builder.Thing(ev, Thing{Keys: []string{fmt.Sprintf("sha256:%064x", i)}})
		if err != nil {
			b.Fatal(err)
		}
		_, _ = builder.Edge(ev, top, n, Used), builder.Edge(ev, n, bottom, Used)
	}
	begin := time.Now()
	g, err := builder.Build(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("built in %s", time.Since(begin).Round(time.Millisecond))
	w := g.NewWalker()
	start, _ := g.FindOne("run:top")
	var times []time.Duration
	for b.Loop() {
		begin := time.Now()
		if n := len(w.Walk(start, Down, -1)); n != million+2 {
			b.Fatal(n)
		}
		times = append(times, time.Since(begin))
	}
	report(b, times)
}

// BenchmarkAssess gives every node of a million its state.
func BenchmarkAssess(b *testing.B) {
	g := millions(million)
	for name, taint := range map[string]Node{"root": 0, "leaf": Node(million - 1)} {
		b.Run(name, func(b *testing.B) {
			o := Opinions{Tainted: map[Node]string{taint: "x"}}
			for b.Loop() {
				g.Assess(o)
			}
		})
	}
}

// BenchmarkDecode loads the file of a million nodes.
func BenchmarkDecode(b *testing.B) {
	var buf bytes.Buffer
	if err := millions(million).Encode(&buf); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(buf.Len()))
	b.ReportMetric(float64(buf.Len())/1e6, "MB")
	for b.Loop() {
		if _, err := Decode(buf.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
