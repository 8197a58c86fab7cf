package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// workerSource is the Python side; see there for the protocol and for why nothing real runs.
//
//go:embed worker.py
var workerSource string

// Kinds of events, as worker.py numbers them.
const (
	nameEvent       = 1
	callEvent       = 2
	persistentEvent = 3
)

// event is one thing that readers of an interpreter did with a stream.
type event struct {
	kind    byte
	readers byte   // bit i: the i-th reader did it
	a, b    string // name: module and name; call: the target
}

// outcome is what one interpreter did with one stream.
type outcome struct {
	whole  byte // bit i: the i-th reader loaded it without an error
	events []event
	fault  string // why there is no answer: the process died or took too long
}

// worker is one interpreter process. It is used by one goroutine.
type worker struct {
	path    string
	version string   // such as "3.11.7"
	readers []string // names of the readers, by bit
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// startWorker starts an interpreter without site packages, environment or byte code files.
func startWorker(path string) (*worker, error) {
	cmd := exec.Command(path, "-E", "-s", "-S", "-B", "-W", "ignore", "-c", workerSource)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	w := &worker{path: path, cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<16)}
	hello, err := w.receive()
	if err != nil {
		w.stop()
		return nil, fmt.Errorf("%s says nothing: %w", path, err)
	}
	version, readers, ok := strings.Cut(string(hello), " ")
	if !ok {
		w.stop()
		return nil, fmt.Errorf("%s: strange greeting %q", path, hello)
	}
	w.version, w.readers = version, strings.Split(readers, ",")
	return w, nil
}

// stop ends the process; it may have ended already.
func (w *worker) stop() {
	_ = w.in.Close()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
}

// maxReply bounds what a worker may answer to one batch.
const maxReply = 1 << 28

func (w *worker) receive() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(w.out, head[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > maxReply {
		return nil, fmt.Errorf("a reply of %d bytes", n)
	}
	body := make([]byte, n)
	_, err := io.ReadFull(w.out, body)
	return body, err
}

// run gives the outcomes of a batch. After an error the process is of no more use.
func (w *worker) run(ctx context.Context, streams [][]byte, limit time.Duration) ([]outcome, error) {
	timer := time.AfterFunc(limit, func() { _ = w.cmd.Process.Kill() })
	defer timer.Stop()
	release := context.AfterFunc(ctx, func() { _ = w.cmd.Process.Kill() })
	defer release()
	msg := binary.LittleEndian.AppendUint32(nil, uint32(len(streams)))
	for _, s := range streams {
		msg = append(binary.LittleEndian.AppendUint32(msg, uint32(len(s))), s...)
	}
	if _, err := w.in.Write(msg); err != nil {
		return nil, err
	}
	body, err := w.receive()
	if err != nil {
		return nil, err
	}
	return parseOutcomes(body, len(streams))
}

var errReply = errors.New("the worker's reply is cut off")

func parseOutcomes(body []byte, n int) ([]outcome, error) {
	outcomes := make([]outcome, n)
	for i := range outcomes {
		if len(body) < 3 {
			return nil, errReply
		}
		outcomes[i].whole = body[0]
		count := int(binary.LittleEndian.Uint16(body[1:]))
		body = body[3:]
		for ; count > 0; count-- {
			if len(body) < 6 {
				return nil, errReply
			}
			e := event{kind: body[0], readers: body[1]}
			a := int(binary.LittleEndian.Uint16(body[2:]))
			b := int(binary.LittleEndian.Uint16(body[4:]))
			if body = body[6:]; len(body) < a+b {
				return nil, errReply
			}
			e.a, e.b = string(body[:a]), string(body[a:a+b])
			body = body[a+b:]
			outcomes[i].events = append(outcomes[i].events, e)
		}
	}
	return outcomes, nil
}
