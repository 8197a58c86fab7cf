package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestOthersReadOurStatements has in-toto-attestation and securesystemslib read
// and verify what each verb signs. tools/peers/statements makes the environment.
func TestOthersReadOurStatements(t *testing.T) {
	python := filepath.Join(os.Getenv("BARTIZAN_SIGNING_VENV"), "bin", "python")
	if _, err := os.Stat(python); os.Getenv("BARTIZAN_SIGNING_VENV") == "" || err != nil {
		t.Skip("SKIPPED: BARTIZAN_SIGNING_VENV names no virtual environment: in-toto-attestation and securesystemslib did NOT read our statements")
	}
	binary := filepath.Join(t.TempDir(), "bartizan")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root := filepath.Join("..", "..")
	out, err := exec.CommandContext(t.Context(), python, filepath.Join(root, "tools", "peers", "statements.py"),
		"--bartizan", binary, "--golden", filepath.Join(root, "attest", "statement", "testdata")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
