// Command demo shows what Bartizan is for: it writes attacks into a temporary
// folder, scans them beside models that real libraries wrote, and prints what
// was found. It ends with 0 where every attack was blocked and no model was.
//
// The attacks are harmless where they would succeed (they print a line), and
// nothing loads them.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bartizan/finding"
)

func main() {
	binary := flag.String("bartizan", "bin/bartizan", "the binary to run")
	models := flag.String("models", "testdata/models", "a folder of benign models")
	flag.Parse()
	if err := run(*binary, *models); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(binary, models string) error {
	dir, err := os.MkdirTemp("", "bartizan-demo-")
	if err != nil {
		return err
	}
	attacks := filepath.Join(dir, "attacks")
	list, err := attackFiles()
	if err != nil {
		return err
	}
	if err := os.Mkdir(attacks, 0o755); err != nil {
		return err
	}
	for _, a := range list {
		if err := os.WriteFile(filepath.Join(attacks, a.name), a.data, 0o644); err != nil {
			return err
		}
	}
	page := filepath.Join(dir, "report.html")
	fmt.Printf("$ bartizan scan %s %s\n\n", models, attacks)
	if _, err := scan(binary, true, models, attacks); err != nil {
		return err
	}
	if _, err := scan(binary, false, models, attacks, "--format", "html", "--output", page); err != nil {
		return err
	}
	out, err := scan(binary, false, models, attacks, "--format", "jsonl", "--quiet")
	if err != nil {
		return err
	}
	if err := judge(out, attacks, strings.TrimSuffix(models, "/"), len(list)); err != nil {
		return err
	}
	fmt.Printf("\nThe same as a page: %s\nThe attacks: %s\n", page, attacks)
	return nil
}

// scan runs the binary; the exit codes 0 to 2 are answers.
func scan(binary string, show bool, args ...string) ([]byte, error) {
	var out bytes.Buffer
	cmd := exec.Command(binary, append([]string{"scan"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if show {
		cmd.Stdout = os.Stdout
	}
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() <= 2 && ended.ExitCode() > 0 {
		err = nil
	}
	return out.Bytes(), err
}

// judge compares the verdicts with what the files are: every attack is blocked,
// no benign model is. Models that carry code of their own are shown, not judged.
func judge(lines []byte, attacks, models string, want int) error {
	labels, err := readLabels(filepath.Join(models, "LABELS.jsonl"))
	if err != nil {
		return err
	}
	blocked, benign, wrong := 0, 0, []string{}
	for line := range bytes.Lines(lines) {
		var r finding.SubjectReport
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		isAttack := strings.HasPrefix(r.ID, attacks)
		isBenign := labels[strings.TrimPrefix(r.ID, models+"/")] == "benign"
		switch {
		case isAttack && r.Verdict == finding.Block:
			blocked++
		case isAttack, isBenign && r.Verdict == finding.Block:
			wrong = append(wrong, r.ID+": "+r.Verdict.String())
		case isBenign:
			benign++
		}
	}
	fmt.Printf("\n%d of %d attacks blocked; %d benign models let through\n", blocked, want, benign)
	if blocked != want || len(wrong) > 0 || benign == 0 {
		return fmt.Errorf("not as expected: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// readLabels gives the label of each model by its path.
func readLabels(path string) (map[string]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for line := range bytes.Lines(b) {
		var row struct{ Path, Label string }
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		labels[row.Path] = row.Label
	}
	return labels, nil
}
