package container_test

import (
	"bytes"
	"testing"

	"bartizan/detect/container"
	"bartizan/detect/input"
	"bartizan/finding"
)

// both gives b in memory and behind a reader: the walkers have two ways to read.
func both(b []byte) map[string]input.Blob {
	return map[string]input.Blob{
		"memory": input.FromBytes(b), "reader": input.FromReaderAt(bytes.NewReader(b), int64(len(b))),
	}
}

func TestCraftedZips(t *testing.T) {
	for _, c := range zipCases() {
		for where, b := range both(c.arc) {
			t.Run(c.name+"/"+where, func(t *testing.T) { check(t, "zip", b, c.holds, c.rules, c.reasons) })
		}
	}
}

// check walks b and compares what was found, exactly.
func check(t *testing.T, format string, b input.Blob, holds []string, rules map[string]finding.Severity, reasons []string) {
	t.Helper()
	matched := false
	for _, f := range matching(b) {
		matched = matched || f.Name() == format
	}
	if !matched {
		t.Errorf("does not match as %s", format)
	}
	s := walk(t, format, b)
	if s.err != nil {
		t.Fatalf("error %v", s.err)
	}
	for _, h := range holds {
		if !s.holds(h) {
			t.Errorf("content %.40q was not seen", h)
		}
	}
	for rule, severity := range s.rules {
		if want, ok := rules[rule]; !ok || severity != want {
			t.Errorf("found %s %s, want %v", rule, severity, rules)
		}
	}
	for rule := range rules {
		if _, ok := s.rules[rule]; !ok {
			t.Errorf("%s was not found", rule)
		}
	}
	for _, code := range reasons {
		if !s.reason(code) {
			t.Errorf("reason %q is missing", code)
		}
	}
	if len(reasons) == 0 && s.result.Coverage != finding.Complete {
		t.Errorf("coverage is %s", s.result.Coverage)
	}
	if t.Failed() {
		t.Logf("\n%s", s)
	}
}

// Engines look into files only: what a loader reads as one must be one here,
// whatever mode the archive gives it.
func TestModesDoNotHideFiles(t *testing.T) {
	for _, c := range zipCases() {
		if c.name != "program as a symlink" && c.name != "program as a device" && c.name != "content in a directory" {
			continue
		}
		for _, m := range walk(t, "zip", input.FromBytes(c.arc)).members {
			if m.kind != container.File {
				t.Errorf("%s: %q has kind %d", c.name, m.name, m.kind)
			}
		}
	}
}
