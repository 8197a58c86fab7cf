package handover_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/cmd/internal/handover"
)

func TestRun(t *testing.T) {
	for _, c := range []struct {
		command []string
		code    int
		out     string
	}{
		{[]string{"sh", "-c", "exit 3"}, 3, ""},
		{[]string{"sh", "-c", "kill -9 $$"}, 137, ""},
		{[]string{"echo", "{}", "--model={}/a"}, 0, "/copy --model=/copy/a\n"},
		{[]string{"sh", "-c", "echo $BARTIZAN_VERIFIED; cat"}, 0, "/copy\nin"},
	} {
		var out bytes.Buffer
		code, err := handover.Run(t.Context(), c.command, "/copy", strings.NewReader("in"), &out, &out)
		if err != nil || code != c.code || out.String() != c.out {
			t.Errorf("%v: %d %v %q", c.command, code, err, out.String())
		}
	}
}

func TestNothingIsStartedAfterASignal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if _, err := handover.Run(ctx, []string{"echo", "ran"}, "/copy", nil, &out, &out); !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("%v %q", err, out.String())
	}
	if _, err := handover.Run(t.Context(), nil, "/copy", nil, &out, &out); err == nil {
		t.Error("no command was run")
	}
}

// TestSignalsGoToTheCommand sends one to this very process: it must live on, and
// the command end.
func TestSignalsGoToTheCommand(t *testing.T) {
	var out bytes.Buffer
	ready := make(chan struct{})
	watch := writer(func(p []byte) (int, error) {
		select {
		case <-ready:
		default:
			close(ready)
		}
		return out.Write(p)
	})
	go func() {
		<-ready
		_ = unix.Kill(os.Getpid(), unix.SIGTERM)
	}()
	timer := time.AfterFunc(time.Minute, func() { _ = unix.Kill(os.Getpid(), unix.SIGTERM) })
	defer timer.Stop()
	code, err := handover.Run(t.Context(), []string{"sh", "-c", `trap "echo told; exit 9" TERM; echo ready; while :; do sleep 0.05; done`}, "/copy", nil, watch, watch)
	if err != nil || code != 9 || out.String() != "ready\ntold\n" {
		t.Errorf("%d %v %q", code, err, out.String())
	}
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestName(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/": "model", "a/b": "b", "a/b/": "b", "x/..": dir[strings.LastIndexByte(dir, '/')+1:]} {
		if got := handover.Name(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// A command gets the usual way of dying of a broken pipe, whatever this process
// does about its own.
func TestBrokenPipesAreTheCommands(t *testing.T) {
	signal.Ignore(unix.SIGPIPE)
	defer signal.Reset(unix.SIGPIPE)
	var out bytes.Buffer
	code, err := handover.Run(t.Context(), []string{"sh", "-c", "kill -PIPE $$; echo ignored"}, "/copy", nil, &out, &out)
	if err != nil || code != 128+int(unix.SIGPIPE) || out.Len() > 0 {
		t.Errorf("%d %v %q", code, err, out.String())
	}
}
