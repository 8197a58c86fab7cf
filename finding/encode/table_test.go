package encode

import (
	"strings"
	"testing"

	"bartizan/finding"
)

func TestTableExample(t *testing.T) {
	list, end, opt := example()
	got := string(encodeAll(t, "table", list, end, opt))
	for i := range list {
		for _, f := range list[i].Findings {
			got = strings.ReplaceAll(got, f.Fingerprint, "FINGERPRINT")
		}
	}
	want := `block   models/a.pt  (pytorch-zip, 1.2 MB)
        sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
        critical  pickle/dangerous-call  calls os.system
                  at archive/data.pkl, byte 123; 3 times; fingerprint FINGERPRINT
        decompiled models/a.pt!/archive/data.pkl
        | from os import system
        | system('id')
clean   b.pkl  (pickle, 12 B)
        critical  pickle/dangerous-call  calls builtins.print
                  at byte 1; fingerprint FINGERPRINT
                  waived until 2030-01-02 by ada: our own <b>logger</b>
review  caf\xe9 \u202e.bin  (5 B, unsupported)
        unsupported: unknown-format
review  gone  (incomplete)
        incomplete: missing: no such file: check the path
clean   w.safetensors  (safetensors, 999 B)
5 subjects: 1 block, 2 review, 2 clean; 2 not wholly seen
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestTableQuietLeavesCleanOut(t *testing.T) {
	list, end, opt := example()
	opt.Quiet = true
	got := string(encodeAll(t, "table", list, end, opt))
	if strings.Contains(got, "w.safetensors") || strings.Contains(got, "b.pkl") || !strings.Contains(got, "models/a.pt") || !strings.Contains(got, "2 clean") {
		t.Errorf("got:\n%s", got)
	}
}

func TestTableWrapsOnTerminals(t *testing.T) {
	list, end, opt := example()
	opt.Width, opt.Color = 60, true
	list[0].Findings[0].Message = strings.Repeat("word 語 ", 40)
	got := string(encodeAll(t, "table", list, end, opt))
	if !strings.Contains(got, "\x1b[1;31mblock\x1b[0m") {
		t.Error("no colour")
	}
	for line := range strings.SplitSeq(got, "\n") {
		if n := columns(line); n > 60 && strings.Contains(line, "word") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if n := columns("\x1b[1mab語\x1b[0m"); n != 4 {
		t.Errorf("columns: got %d, want 4", n)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 5_000_000_000: "5.0 GB", 1 << 62: "4.6 EB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestTableSaysWhyItEnded(t *testing.T) {
	got := string(encodeAll(t, "table", nil, End{Reasons: []string{"cancelled\x1b[2J"}, Summary: finding.Summary{}}, Options{}))
	if want := "The scan did not reach its end: cancelled\\x1b[2J\n0 subjects: 0 block, 0 review, 0 clean\n"; got != want {
		t.Errorf("got %q", got)
	}
}
