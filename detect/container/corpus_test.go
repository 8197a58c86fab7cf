package container_test

import (
	"path"
	"strings"
	"testing"

	"bartizan/detect/input"
	"bartizan/finding"
)

// What containers alone make of the labelled corpus: verdict and coverage by
// their own findings, since content is the engine's.
func TestCorpus(t *testing.T) {
	const clean, review, block = finding.Clean, finding.Review, finding.Block
	want := map[string]finding.Verdict{
		"benign_password_protected.zip": review, "password_protected.zip": review, // encrypted
		"malicious1_0x1.zip": review, "malicious1_central_directory.zip": review, "malicious1_crc.zip": review,
		"path_traversal.zip": block,
	}
	walked := 0
	for _, archive := range []string{"picklescan.tar.gz", "modelaudit.tar.gz", "modelscan.tar.gz", "joblib.tar.gz", "rdata.tar.gz", "generated.tar.gz", "chat-templates.tar.gz"} {
		for name, content := range corpus(t, archive) {
			b := input.FromBytes(content)
			for _, f := range matching(b) {
				walked++
				s := walkAs(f, b, input.NewBudget(b.Size()))
				if verdict := want[path.Base(name)]; s.err != nil || s.result.Verdict != verdict || len(s.members) == 0 {
					t.Errorf("%s as %s: want %s\n%s", name, f.Name(), verdict, s)
				}
			}
		}
	}
	if walked < 70 {
		t.Errorf("%d containers walked", walked)
	}
}

// The content behind every trick of the corpus is handed on.
func TestCorpusTricksAreSeenThrough(t *testing.T) {
	files := corpus(t, "picklescan.tar.gz")
	for _, name := range []string{
		"data/malicious1.zip", "data/malicious1_0x1.zip", "data/malicious1_0x20.zip", "data/malicious1_0x40.zip", "data/malicious1.7z",
		"data/malicious1_central_directory.zip", "data2/malicious1_crc.zip", "data/malicious1_wrong_ext.zip",
	} {
		format := strings.TrimPrefix(path.Ext(name), ".")
		if s := walk(t, format, input.FromBytes(files[name])); !s.holds("builtins\x94\x8c\x04eval") {
			t.Errorf("%s\n%s", name, s)
		}
	}
}

// Every file that is read as a container lies in a reader too, and gives the same.
func TestCorpusIsTheSameFromAReader(t *testing.T) {
	for name, content := range corpus(t, "picklescan.tar.gz") {
		for _, b := range both(content) {
			for _, f := range matching(b) {
				one, two := walkAs(f, input.FromBytes(content), input.NewBudget(0)), walkAs(f, b, input.NewBudget(0))
				if one.String() != two.String() {
					t.Errorf("%s:\n%s\n%s", name, one, two)
				}
			}
		}
	}
}
