package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"bartizan/finding"
)

// slow makes a folder of small files and, behind them, one whose digest takes long.
func slow(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 600 { // more than one chunk of output
		if err := os.WriteFile(filepath.Join(dir, "a"+strconv.Itoa(i)+".xyz"), []byte{1, 2, 3}, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(dir, "z.xyz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(1 << 38); err != nil { // sparse
		t.Skip("no sparse files here: ", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSignalEndsTheScan(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Args = []string{"bartizan", "scan", "--digest", "--format", "jsonl", slow(t)}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	first, err := r.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != exitIncomplete {
		t.Errorf("ended with %v, want exit code %d", cmd.ProcessState, exitIncomplete)
	}
	for line := range bytes.Lines(append(first, rest...)) {
		var r finding.SubjectReport
		if err := json.Unmarshal(line, &r); err != nil || r.ID == "" {
			t.Fatalf("%v: %s", err, line)
		}
	}
}

// canceller cancels once something is written.
type canceller struct {
	bytes.Buffer
	cancel func()
}

func (c *canceller) Write(p []byte) (int, error) {
	c.cancel()
	return c.Buffer.Write(p)
}

func TestACancelledDocumentSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &canceller{cancel: cancel}
	if code := run(ctx, []string{"scan", "--digest", "--format", "json", slow(t)}, &streams{out: out, err: io.Discard}); code != exitIncomplete {
		t.Errorf("exit code %d", code)
	}
	var doc finding.Report
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Reasons) != 1 || len(doc.Subjects) == 0 || doc.Summary.Subjects != len(doc.Subjects) || doc.Summary.Clean != 0 {
		t.Errorf("reasons %v, %d subjects, summary %+v", doc.Reasons, len(doc.Subjects), doc.Summary)
	}
	for _, s := range doc.Subjects {
		if s.ID == "" {
			t.Error("a subject that was not examined is listed")
		}
	}
}

func TestACancelledScanWritesNoFile(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	target := filepath.Join(t.TempDir(), "report.json")
	var errs bytes.Buffer
	if code := run(ctx, []string{"scan", "--format", "json", "--output", target, slow(t)}, &streams{out: io.Discard, err: &errs}); code != exitIncomplete {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("the file was written")
	}
	if !bytes.Contains(errs.Bytes(), []byte("was not written")) {
		t.Errorf("stderr: %s", errs.Bytes())
	}
}

func TestAClosedPipeIsQuiet(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Args = []string{"bartizan", "scan", "--format", "jsonl", t.TempDir(), os.Args[0]}
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &errs
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != exitIncomplete || errs.Len() > 0 {
		t.Errorf("ended with %v, stderr %q", cmd.ProcessState, errs.String())
	}
}
