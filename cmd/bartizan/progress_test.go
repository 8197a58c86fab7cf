package main

import (
	"bytes"
	"io"
	"testing"
	"time"
)

func TestProgressWaitsAndClears(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(100, 0)
	p := &progress{w: &out, now: func() time.Time { return now }, started: now}
	p.update(1, 4, 1000)
	if out.Len() > 0 {
		t.Errorf("drawn at once: %q", out.String())
	}
	now = now.Add(2 * time.Second)
	p.update(2, 4, 2000)
	p.update(3, 4, 3000) // too soon after the last
	if got, want := out.String(), "\r\x1b[K[############............] 2 of 4 seen so far, 2.0 kB"; got != want {
		t.Errorf("got %q", got)
	}
	out.Reset()
	p.clear()
	p.clear()
	if got := out.String(); got != "\r\x1b[K" {
		t.Errorf("clear wrote %q", got)
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	p := newProgress(&env{streams: &streams{err: io.Discard}, cli: &cli{}})
	if p != nil {
		t.Fatal("drawn where nobody looks")
	}
	p.update(1, 1, 1) // nothing happens
	p.clear()
}

func TestUseColor(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	for _, c := range []struct {
		choice   string
		terminal bool
		want     bool
	}{{"auto", true, true}, {"auto", false, false}, {"always", false, true}, {"never", true, false}} {
		if got := useColor(c.choice, c.terminal); got != c.want {
			t.Errorf("%s on terminal=%v: %v", c.choice, c.terminal, got)
		}
	}
	t.Setenv("NO_COLOR", "1")
	if useColor("auto", true) {
		t.Error("NO_COLOR is not honoured")
	}
}
