package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	asm "bartizan/internal/pickleasm"
)

// pythons gives the interpreters of this machine, or skips loudly.
func pythons(t *testing.T) []*interpreter {
	t.Helper()
	found, broken := discover(nil)
	for _, b := range broken {
		t.Log("left out:", b)
	}
	if len(found) == 0 {
		t.Skip("SKIPPED: no Python found, so the engine is not compared with any")
	}
	t.Cleanup(func() {
		for _, in := range found {
			in.stop()
		}
	})
	return found
}

func compare(t *testing.T, n uint64, s *state, trace tracer, max int) (*state, string) {
	t.Helper()
	interpreters := pythons(t)
	var out bytes.Buffer
	report := &reporter{out: &out, folder: t.TempDir(), seed: 1, limit: max, known: map[string]bool{}, extra: map[string]*interpreter{}}
	defer report.close()
	opts := options{streams: n, seed: 1, batch: 50, seeds: builtinSeeds(), maxMisses: max}
	if err := execute(context.Background(), opts, s, interpreters, trace, report); err != nil {
		t.Fatal(err)
	}
	return s, out.String()
}

func TestEngineReportsWhatInterpretersDo(t *testing.T) {
	s, out := compare(t, 1500, newState(1), engine, 10)
	if s.Names < 100 || s.Calls < 50 {
		t.Errorf("only %d names and %d calls in 1500 streams: the comparison shows nothing", s.Names, s.Calls)
	}
	if s.Misses > 0 {
		t.Errorf("%d streams do more than the engine says:\n%s", s.Misses, out)
	}
}

func TestBlindEngineIsFoundOutAndMissesAreMinimised(t *testing.T) {
	s, out := compare(t, 60, newState(1), func([]byte) trace { return trace{} }, 3)
	if s.Misses == 0 {
		t.Fatal("an engine that reports nothing has no misses")
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if len(line) > 120 {
			t.Errorf("not minimised: %s", line)
		}
	}
}

func TestRunGoesOnWhereItStopped(t *testing.T) {
	all := func([]byte) trace { return trace{unfolded: true, persistent: true} }
	whole, _ := compare(t, 200, newState(1), all, 1)
	half, _ := compare(t, 90, newState(1), all, 1)
	path := filepath.Join(t.TempDir(), "state.json")
	if err := half.save(path); err != nil {
		t.Fatal(err)
	}
	resumed, err := loadState(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	resumed, _ = compare(t, 200, resumed, all, 1)
	whole.Seconds, resumed.Seconds = 0, 0
	a, _ := json.Marshal(whole)
	b, _ := json.Marshal(resumed)
	if !bytes.Equal(a, b) {
		t.Errorf("resumed run differs:\n%s\n%s", a, b)
	}
	if _, err := loadState(path, 2); err == nil {
		t.Error("a state of another seed is taken")
	}
}

func TestStreamsAreDeterministicAndUseEveryOpcode(t *testing.T) {
	seen := map[asm.Op]bool{}
	for i := range uint64(3000) {
		a, b := stream(7, i, builtinSeeds()), stream(7, i, builtinSeeds())
		if !bytes.Equal(a, b) {
			t.Fatalf("stream %d differs from itself", i)
		}
		for _, name := range strings.Fields(shape(a)) {
			for _, info := range asm.Opcodes() {
				if info.Name == name {
					seen[info.Op] = true
				}
			}
		}
	}
	for _, info := range asm.Opcodes() {
		if !seen[info.Op] {
			t.Errorf("no stream has %s", info.Name)
		}
	}
}

func TestWorkerRunsNothingReal(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "ran")
	stream := asm.New().Call("os", "system", "touch "+mark).Pop().
		Call("builtins", "open", mark, "w").Pop().Call("__builtin__", "open", mark, "w").Pop().
		New("subprocess", "Popen", "touch "+mark).Stop().Bytes()
	old := []byte("cos\nsystem\n(S'touch " + mark + "'\ntR.")
	for _, in := range pythons(t) {
		outcomes, err := in.run(context.Background(), [][]byte{stream, old})
		if err != nil {
			t.Fatalf("%s: %v", in.version, err)
		}
		if len(outcomes[1].events) != 2 {
			t.Errorf("%s: events %v, want the name and the call", in.version, outcomes[1].events)
		}
		if _, err := os.Stat(mark); err == nil {
			t.Fatalf("%s ran the stream for real", in.version)
		}
	}
}

func TestDeadWorkerIsReplacedAndTheStreamNamed(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "python")
	greeting := "3.99.0 c"
	script := fmt.Sprintf("#!/bin/sh\nprintf '\\%03o\\000\\000\\000%s'\nread line\n", len(greeting), greeting)
	if err := os.WriteFile(fake, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	found, broken := discover([]string{fake})
	if len(found) != 1 {
		t.Fatalf("not started: %v", broken)
	}
	outcomes, err := found[0].run(context.Background(), [][]byte{[]byte("N.\n"), []byte("K\x01.\n")})
	if err != nil || len(outcomes) != 2 || outcomes[0].fault == "" || outcomes[1].fault == "" {
		t.Errorf("outcomes %+v, %v: want a fault for each stream", outcomes, err)
	}
	if found[0].faults < 2 {
		t.Errorf("%d faults counted", found[0].faults)
	}
}

func TestTurnReachesEveryInterpreter(t *testing.T) {
	seen := map[int]int{}
	for batch := range uint64(18) {
		for _, i := range turn(batch, 2, 9) {
			seen[i]++
		}
	}
	for i := range 9 {
		if seen[i] != 4 {
			t.Errorf("interpreter %d runs %d of 18 batches, want 4", i, seen[i])
		}
	}
	if len(turn(5, 0, 9)) != 9 || len(turn(5, 12, 9)) != 9 {
		t.Error("without a number, not all interpreters run")
	}
}

func TestParseOutcomes(t *testing.T) {
	reply := []byte("\x03\x01\x00\x01\x02\x02\x00\x06\x00ossystem\x00\x00\x00")
	got, err := parseOutcomes(reply, 2)
	if err != nil || len(got[0].events) != 1 || got[0].events[0] != (event{nameEvent, 2, "os", "system"}) || got[0].whole != 3 || len(got[1].events) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	for cut := range reply {
		if _, err := parseOutcomes(reply[:cut], 2); err == nil {
			t.Errorf("a reply cut at %d is taken", cut)
		}
	}
}

func TestCovers(t *testing.T) {
	tr := trace{names: [][2]string{{"os", "system"}, {"a", "\xe9"}}, calls: []string{"os.system", "m.n().append", "m.C.__setstate__", "builtins.getattr"},
		extensions: []int{255}}
	cases := []struct {
		e    event
		want bool
	}{
		{event{nameEvent, 1, "os", "system"}, true},
		{event{nameEvent, 1, "os", "popen"}, false},
		{event{nameEvent, 1, "a", "é"}, true},
		{event{nameEvent, 1, "a", "éx"}, false},
		{event{nameEvent, 1, "extension", "255"}, true},
		{event{nameEvent, 1, "extension", "1"}, false},
		{event{callEvent, 1, "os.system", ""}, true},
		{event{callEvent, 1, "os.system()", ""}, false},
		{event{callEvent, 1, "m.n().extend", ""}, true},
		{event{callEvent, 1, "m.n().__setstate__", ""}, false},
		{event{callEvent, 1, "m.C.__setattr__", ""}, true},
		{event{callEvent, 1, "builtins.getattr()()", ""}, true},
		{event{callEvent, 1, "extension.255().append", ""}, true},
		{event{callEvent, 1, "extension.2", ""}, false},
		{event{persistentEvent, 1, "", ""}, false},
	}
	for _, c := range cases {
		if got := tr.covers(c.e); got != c.want {
			t.Errorf("covers(%+v) = %v, want %v", c.e, got, c.want)
		}
	}
}
