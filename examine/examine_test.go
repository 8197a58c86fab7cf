package examine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/detect/artifact"
	"bartizan/examine"
	"bartizan/finding"
)

const attack = "cos\nsystem\n(S'id'\ntR."

func scan(t *testing.T, opt examine.Options, paths ...string) []finding.SubjectReport {
	t.Helper()
	e, err := artifact.New(artifact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []finding.SubjectReport
	if _, err := examine.Paths(context.Background(), e, paths, opt, func(r *finding.SubjectReport) error {
		got = append(got, *r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func summary(reports []finding.SubjectReport, dir string) string {
	var b strings.Builder
	for _, r := range reports {
		code := ""
		if len(r.Reasons) > 0 {
			code, _, _ = strings.Cut(r.Reasons[0], ":")
		}
		fmt.Fprintln(&b, strings.TrimPrefix(r.ID, dir+"/"), r.Verdict, r.Coverage, code)
	}
	return b.String()
}

// TestBadInput holds that what cannot be read is a subject that says why, and
// that the rest is scanned.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.pkl", "N.")
	write(t, dir, "empty.pkl", "")
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"inside": "a.pkl", "outside": "/etc/passwd", "loop": "loop", "round": ".", "broken": "nothing"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "sub/\xff\x1b.pkl", attack)
	got := summary(append(scan(t, examine.Options{}, dir), scan(t, examine.Options{}, dir+"/missing", dir+"/fifo", "/dev/null")...), dir)
	want := `a.pkl clean complete 
broken review incomplete missing
empty.pkl review incomplete empty
fifo review incomplete not-a-regular-file
inside clean complete 
loop review incomplete link-loop
outside review incomplete link-out-of-root
sub/` + "\xff\x1b" + `.pkl block complete 
missing review incomplete missing
fifo review incomplete not-a-regular-file
/dev/null review incomplete not-a-regular-file
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWorkers holds that the reports are the same bytes for any number of workers.
func TestWorkers(t *testing.T) {
	dir := t.TempDir()
	for i := range 300 {
		content := "N."
		switch i % 5 {
		case 0:
			content = attack
		case 1:
			content = "cmylib\nf" + fmt.Sprint(i) + "\n(I1\ntR."
		case 2:
			content = "\x80\x04]" + strings.Repeat("N", 1+i*7) + "."
		}
		write(t, dir, fmt.Sprintf("%02d/%03d.pkl", i%7, i), content)
	}
	var first []byte
	for _, n := range []int{1, 2, 8} {
		got, err := json.Marshal(scan(t, examine.Options{Workers: n}, dir))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Errorf("%d workers report otherwise than one", n)
		}
	}
}

// TestChangedWhileRead holds that a file which grows or shrinks under the scan
// is incomplete, also where it is mapped and faults.
func TestChangedWhileRead(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "big.pkl", "\x80\x04X\x00\x00\x10\x00"+strings.Repeat("a", 1<<20)+".")
	e, err := artifact.New(artifact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for size := int64(1 << 20); ; size ^= 1 << 19 {
			select {
			case <-stop:
				return
			default:
			}
			if err := os.Truncate(path, size); err != nil {
				return
			}
		}
	}()
	seen := false
	for range 200 {
		_, err := examine.Paths(context.Background(), e, []string{path}, examine.Options{Workers: 1, Digest: true}, func(r *finding.SubjectReport) error {
			if r.Verdict == finding.Clean && r.Coverage != finding.Complete {
				return fmt.Errorf("clean though %v", r.Reasons)
			}
			for _, why := range r.Reasons {
				seen = seen || strings.HasPrefix(why, "changed-while-read")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-done
	if !seen {
		t.Skip("no scan met a change: the machine was too quick or too slow")
	}
}

// TestWaiver holds that a waiver takes exactly its finding out of the verdict,
// until it expires, and never lifts what was not seen.
func TestWaiver(t *testing.T) {
	path := write(t, t.TempDir(), "x.pkl", "cos\nsystem\n.")
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	r := scan(t, examine.Options{}, path)[0]
	var waivers []finding.Waiver
	for _, f := range r.Findings {
		waivers = append(waivers, finding.Waiver{Fingerprint: f.Fingerprint, Reason: "a test", Expires: now.Add(time.Hour)})
	}
	if got := scan(t, examine.Options{Waivers: waivers, Now: now}, path)[0]; got.Verdict != finding.Clean {
		t.Errorf("waived: %s", got.Verdict)
	}
	if got := scan(t, examine.Options{Waivers: waivers, Now: now.Add(2 * time.Hour)}, path)[0]; got.Verdict != finding.Block {
		t.Errorf("expired: %s", got.Verdict)
	}
	if got := scan(t, examine.Options{Waivers: waivers, Now: now}, write(t, t.TempDir(), "x.pkl", "cposix\nsystem\n."))[0]; got.Verdict != finding.Block {
		t.Errorf("another symbol: %s", got.Verdict)
	}
	if got := scan(t, examine.Options{Waivers: waivers, Now: now}, write(t, t.TempDir(), "x.pkl", "cos\nsystem\n"))[0]; got.Verdict == finding.Clean {
		t.Errorf("cut off: %s", got.Verdict)
	}
}

// TestStdin holds that "-" reads standard input.
func TestStdin(t *testing.T) {
	got := scan(t, examine.Options{Stdin: strings.NewReader(attack)}, "-")[0]
	if got.ID != "-" || got.Verdict != finding.Block || got.Size != int64(len(attack)) {
		t.Errorf("%+v", got)
	}
}

// TestCancelled holds that a cancelled scan ends with the context's error.
func TestCancelled(t *testing.T) {
	dir := t.TempDir()
	for i := range 500 {
		write(t, dir, fmt.Sprint(i)+".pkl", "N.")
	}
	e, err := artifact.New(artifact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	_, err = examine.Paths(ctx, e, []string{dir}, examine.Options{}, func(*finding.SubjectReport) error {
		if n++; n == 10 {
			cancel()
		}
		return nil
	})
	if err == nil || n >= 500 {
		t.Errorf("%d subjects, error %v", n, err)
	}
}

// TestTemplateDrift holds that templates of one model which differ are a finding
// in a walk, and none where the files are named one by one.
func TestTemplateDrift(t *testing.T) {
	const a = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
	const b = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}"
	dir := t.TempDir()
	jinja := write(t, dir, "model/chat_template.jinja", a)
	config := write(t, dir, "model/tokenizer_config.json", `{"chat_template": `+quoted(t, b)+`}`)
	write(t, dir, "same/chat_template.jinja", a)
	write(t, dir, "same/tokenizer_config.json", `{"chat_template": `+quoted(t, a)+`}`)
	got := summary(scan(t, examine.Options{}, dir), dir)
	want := `model/chat_template.jinja clean complete 
model/tokenizer_config.json review complete 
same/chat_template.jinja clean complete 
same/tokenizer_config.json clean complete 
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, r := range scan(t, examine.Options{}, jinja, config) {
		if r.Verdict != finding.Clean {
			t.Errorf("%s named alone: %s", r.ID, r.Verdict)
		}
	}
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
