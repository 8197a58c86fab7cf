package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"bartizan/finding/encode"
)

// progress draws one line on a terminal for scans that take longer than a
// moment. It is used from the one goroutine that reports.
type progress struct {
	w       io.Writer
	now     func() time.Time
	started time.Time
	drawn   time.Time
	shown   bool
}

const (
	progressDelay = time.Second
	progressEvery = 100 * time.Millisecond
	progressCells = 24
)

// newProgress gives nil where standard error is no terminal or should be quiet;
// a nil progress does nothing.
func newProgress(e *env) *progress {
	if _, ok := isTerminal(e.err); !ok || e.cli.Quiet {
		return nil
	}
	return &progress{w: e.err, now: e.now, started: e.now()}
}

func (p *progress) update(done, known int, bytes int64) {
	if p == nil {
		return
	}
	now := p.now()
	if now.Sub(p.started) < progressDelay || now.Sub(p.drawn) < progressEvery {
		return
	}
	p.drawn, p.shown = now, true
	full := 0
	if known > 0 {
		full = progressCells * done / known
	}
	bar := strings.Repeat("#", full) + strings.Repeat(".", progressCells-full)
	fmt.Fprintf(p.w, "\r\x1b[K[%s] %d of %d seen so far, %s", bar, done, known, encode.Bytes(bytes))
}

// clear takes the line away before something else is printed.
func (p *progress) clear() {
	if p == nil || !p.shown {
		return
	}
	p.shown = false
	fmt.Fprint(p.w, "\r\x1b[K")
}
