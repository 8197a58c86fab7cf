package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"bartizan/finding"
)

// TestMain lets the scripts run this very binary as `bartizan`.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bartizan": main})
}

// TestScripts runs testdata/*.txtar, which say what each verb does.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "BARTIZAN_") {
					e.Setenv(name, "")
				}
			}
			e.Setenv("NO_COLOR", "1")
			e.Setenv("TMPDIR", e.WorkDir+"/.tmp")
			return os.MkdirAll(e.WorkDir+"/.tmp", 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"bytes": writeBytes,
			"fifo":  makeFIFO,
			"exit":  runWithExit,
			"waive": writeWaiver,
		},
	})
}

// writeBytes is `bytes FILE TEXT`: TEXT with the escapes of a Go string, in FILE
// (whose name may have escapes as well).
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bytes FILE TEXT")
	}
	name, err := strconv.Unquote(`"` + args[0] + `"`)
	ts.Check(err)
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(args[1], `"`, `\"`) + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
}

func makeFIFO(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fifo FILE")
	}
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o644))
}

// runWithExit is `exit CODE COMMAND…`: the command ends with that very code.
func runWithExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE COMMAND [ARGS]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code, ok := strings.CutPrefix(err.Error(), "exit status ")
		if !ok {
			ts.Fatalf("%v", err)
		}
		got, err = strconv.Atoi(code)
		ts.Check(err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

// writeWaiver is `waive FILE WAIVERS EXPIRES`: scans FILE and accepts its findings.
func writeWaiver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: waive FILE WAIVERS EXPIRES")
	}
	if err := ts.Exec("bartizan", "scan", "--format", "jsonl", "--fail-on", "never", args[0]); err != nil {
		ts.Fatalf("%v", err)
	}
	var r finding.SubjectReport
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &r))
	if len(r.Findings) == 0 {
		ts.Fatalf("%s has no findings to waive", args[0])
	}
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "- fingerprint: %s\n  reason: ticket SEC-12\n  expires: %s\n  by: ada\n", f.Fingerprint, args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o644))
}
