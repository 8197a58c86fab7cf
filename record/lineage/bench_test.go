package lineage

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const million = 1_000_000

// clock is processor time of this thread: what a walk costs, on a machine that
// does other things as well.
func clock(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// timer gathers times by the wall and by the processor.
type timer struct{ wall, cpu []time.Duration }

func (t *timer) time(b *testing.B, work func()) {
	begin, cpu := time.Now(), clock(b)
	work()
	t.cpu = append(t.cpu, clock(b)-cpu)
	t.wall = append(t.wall, time.Since(begin))
}

func (t *timer) report(b *testing.B) {
	percentiles(b, "", t.wall)
	percentiles(b, "cpu-", t.cpu)
}

func percentiles(b *testing.B, name string, times []time.Duration) {
	slices.Sort(times)
	at := func(q float64) float64 {
		return float64(times[min(int(q*float64(len(times))), len(times)-1)].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), name+"p50-ms")
	b.ReportMetric(at(0.99), name+"p99-ms")
	b.ReportMetric(at(1), name+"max-ms")
}

// BenchmarkWalk walks a graph of a million nodes from any node, both ways.
func BenchmarkWalk(b *testing.B) {
	g := millions(million)
	b.Logf("%d nodes, %d edges", g.Nodes(), g.Edges())
	for name, d := range map[string]Direction{"up": Up, "down": Down, "both": Both} {
		b.Run(name, func(b *testing.B) {
			w := g.NewWalker()
			r := rand.New(rand.NewPCG(3, 4))
			var t timer
			steps := 0
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for b.Loop() {
				start := Node(r.IntN(g.Nodes()))
				t.time(b, func() { steps += len(w.Walk(start, d, -1)) })
			}
			t.report(b)
			b.ReportMetric(float64(steps)/float64(len(t.wall)), "nodes/walk")
		})
	}
}

// BenchmarkWalkHubs starts where most is reached: the roots down, the leaves up.
func BenchmarkWalkHubs(b *testing.B) {
	g := millions(million)
	w := g.NewWalker()
	b.Logf("%d nodes, %d edges", g.Nodes(), g.Edges())
	r := rand.New(rand.NewPCG(3, 4))
	var t timer
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for b.Loop() {
		t.time(b, func() { w.Walk(Node(r.IntN(100)), Down, -1) })
	}
	t.report(b)
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
	var t timer
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for b.Loop() {
		t.time(b, func() {
			if n := len(w.Walk(start, Down, -1)); n != million+2 {
				b.Fatal(n)
			}
		})
	}
	t.report(b)
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
