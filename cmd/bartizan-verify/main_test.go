package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"bartizan/attest/keys"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
	"bartizan/finding"
)

// signed makes a model, a key and a bundle, and gives the folder of all three.
func signed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "model/config.json"), `{"layers": 2}`)
	write(t, filepath.Join(dir, "model/sub/weights.bin"), strings.Repeat("weights", 1000))
	key, err := keys.Generate("P-256")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "k.pub"), string(key.Public().PEM()))
	root, err := tree.Open(filepath.Join(dir, "model"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	m, err := oms.Describe(t.Context(), root, oms.Options{Name: "model"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := oms.Sign(t.Context(), m, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "m.sig"), string(raw))
	t.Chdir(dir)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func call(t *testing.T, args ...string) (code int, out, errors string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(t *testing.T)
		args   string
		code   int
		reason string // of the report, or what standard error holds
	}{
		{name: "as signed", args: "model --bundle m.sig --key k.pub"},
		{name: "flags first", args: "--key=k.pub --bundle=m.sig --accept-hash sha256 model"},
		{name: "a byte", spoil: func(t *testing.T) { write(t, "model/config.json", `{"layers": 3}`) }, args: "model --bundle m.sig --key k.pub", code: 1, reason: "OMS_DIGEST_MISMATCH"},
		{name: "a new file", spoil: func(t *testing.T) { write(t, "model/new.pkl", "x") }, args: "model --bundle m.sig --key k.pub", code: 1, reason: "OMS_FILE_UNSIGNED"},
		{name: "a new file that may be ignored", spoil: func(t *testing.T) { write(t, "model/new.txt", "x") }, args: "model --bundle m.sig --key k.pub --ignore new.txt"},
		{name: "the bundle within", spoil: func(t *testing.T) { write(t, "model/m.sig", read(t, "m.sig")) }, args: "model --bundle model/m.sig --key k.pub"},
		{name: "no bundle", spoil: func(t *testing.T) { write(t, "m.sig", "{}") }, args: "model --bundle m.sig --key k.pub", code: 1, reason: "BUNDLE_MALFORMED"},
		{name: "hash not accepted", args: "model --bundle m.sig --key k.pub --accept-hash blake3", code: 1, reason: "POLICY_HASH_FORBIDDEN"},
		{name: "certificates for a key", args: "model --bundle m.sig --certificate-chain k.pub", code: 2, reason: "certificate"},
		{name: "missing key", args: "model --bundle m.sig --key none.pub", code: 2, reason: "none.pub"},
		{name: "missing bundle", args: "model --bundle none.sig --key k.pub", code: 2, reason: "none.sig"},
		{name: "missing model", args: "none --bundle m.sig --key k.pub", code: 2, reason: "none"},
		{name: "nobody is believed", args: "model --bundle m.sig", code: 3, reason: "--key"},
		{name: "two are believed", args: "model --bundle m.sig --key k.pub --certificate-chain c", code: 3, reason: "--key"},
		{name: "no signature", args: "model --key k.pub", code: 3, reason: "--bundle"},
		{name: "no path", args: "--bundle m.sig --key k.pub", code: 3, reason: "one folder"},
		{name: "two paths", args: "model model --bundle m.sig --key k.pub", code: 3, reason: "one folder"},
		{name: "unknown flag", args: "model --bundle m.sig --key k.pub --identity x", code: 3, reason: "identity"},
		{name: "unknown format", args: "model --bundle m.sig --key k.pub --format html", code: 3, reason: "html"},
		{name: "unknown hash", args: "model --bundle m.sig --key k.pub --accept-hash md5", code: 3, reason: "md5"},
		{name: "ignore everything", args: "model --bundle m.sig --key k.pub --ignore .", code: 3, reason: "everything"},
		{name: "command without exec", args: "model --bundle m.sig --key k.pub -- true", code: 3, reason: "--exec"},
		{name: "exec without command", args: "model --bundle m.sig --key k.pub --exec", code: 3, reason: "--exec"},
		{name: "exec and to", args: "model --bundle m.sig --key k.pub --exec --to d -- true", code: 3, reason: "--to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed(t)
			if c.spoil != nil {
				c.spoil(t)
			}
			args := strings.Fields(c.args)
			code, table, said := call(t, args...)
			if code != c.code {
				t.Fatalf("code %d, want %d\n%s%s", code, c.code, table, said)
			}
			if code > 1 {
				if table != "" || !strings.Contains(said, c.reason) || !strings.HasPrefix(said, "bartizan-verify: ") {
					t.Fatalf("out %q, err %q", table, said)
				}
				return
			}
			_, doc, _ := call(t, append([]string{"--format", "json"}, args...)...)
			checkReport(t, doc, c.code, c.reason)
			if !strings.Contains(table, c.reason) {
				t.Errorf("the table does not say %s:\n%s", c.reason, table)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func checkReport(t *testing.T, doc string, code int, reason string) {
	t.Helper()
	var report finding.Report
	if err := json.Unmarshal([]byte(doc), &report); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if report.Schema != finding.Schema || len(report.Subjects) != 1 || report.Summary.Block != code {
		t.Fatalf("%+v", report)
	}
	s := report.Subjects[0]
	want := finding.Clean
	if code == 1 {
		want = finding.Block
		if len(s.Reasons) == 0 || !strings.HasPrefix(s.Reasons[0], reason+":") || len(s.Findings) != len(s.Reasons) {
			t.Fatalf("reasons %q", s.Reasons)
		}
	}
	if s.Verdict != want || s.ID != "model" {
		t.Fatalf("%+v", s)
	}
}

func TestTo(t *testing.T) {
	signed(t)
	code, out, said := call(t, "model", "--bundle", "m.sig", "--key", "k.pub", "--to", "copy")
	if code != 0 {
		t.Fatalf("%d %s%s", code, out, said)
	}
	if read(t, "copy/config.json") != `{"layers": 2}` {
		t.Fatal("another copy")
	}
	if code, _, _ = call(t, "model", "--bundle", "m.sig", "--key", "k.pub", "--to", "copy"); code != 2 {
		t.Fatalf("a folder that is there was taken: %d", code)
	}
	write(t, "model/config.json", "{}")
	if code, _, _ = call(t, "model", "--bundle", "m.sig", "--key", "k.pub", "--to", "copy2"); code != 1 {
		t.Fatal(code)
	}
	if _, err := os.Lstat("copy2"); err == nil {
		t.Fatal("a refused model was copied")
	}
}

func TestExec(t *testing.T) {
	dir := signed(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	script := `test "$1" = "$BARTIZAN_VERIFIED" && cat "$1/config.json" && echo "--model=$2" && exit 7`
	code, out, said := call(t, "model", "--bundle", "m.sig", "--key", "k.pub", "--exec", "--", "sh", "-c", script, "sh", "{}", "x{}")
	if code != 7 || !strings.HasPrefix(out, `{"layers": 2}--model=x`+temp) || said != "" {
		t.Fatalf("%d %q %q", code, out, said)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Fatalf("left %s", left[0].Name())
	}
	if code, _, said = call(t, "model", "--bundle", "m.sig", "--key", "k.pub", "--exec", "--", filepath.Join(dir, "nothing")); code != 2 || !strings.Contains(said, "nothing") {
		t.Fatalf("%d %q", code, said)
	}
	write(t, "model/config.json", "{}")
	code, out, _ = call(t, "model", "--bundle", "m.sig", "--key", "k.pub", "--exec", "--", "sh", "-c", "echo ran")
	if code != 1 || strings.Contains(out, "ran\n") || !strings.Contains(out, "OMS_DIGEST_MISMATCH") {
		t.Fatalf("%d %q", code, out)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Fatalf("left %s", left[0].Name())
	}
}

func TestOpen(t *testing.T) {
	signed(t)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	args := []string{"open", "--bundle", "m.sig", "--key", "k.pub", "--fd", fmt.Sprint(pair[1]), "model"}
	code, out, said := call(t, append(args, "sub/weights.bin")...)
	if code != 0 || !strings.Contains(out, "sub/weights.bin") {
		t.Fatalf("%d %s%s", code, out, said)
	}
	f := receive(t, pair[0])
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil || string(data) != strings.Repeat("weights", 1000) {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	for name, want := range map[string]int{"none.bin": 1, "../k.pub": 1, "sub": 1} {
		if code, out, _ := call(t, append(args, name)...); code != want || !strings.Contains(out, "OMS_FILE_UNSIGNED") {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
	for _, bad := range [][]string{
		{"open", "--bundle", "m.sig", "--key", "k.pub", "model", "sub/weights.bin"},
		{"open", "--bundle", "m.sig", "--key", "k.pub", "--fd", "1", "model", "sub/weights.bin"},
		{"open", "--bundle", "m.sig", "--key", "k.pub", "--fd", "9999", "model", "sub/weights.bin"},
		{"open", "--bundle", "m.sig", "--key", "k.pub", "--fd", fmt.Sprint(pair[1]), "model"},
	} {
		if code, _, said := call(t, bad...); code != 3 {
			t.Errorf("%v: %d %s", bad, code, said)
		}
	}
}

func receive(t *testing.T, fd int) *os.File {
	t.Helper()
	buf, oob := make([]byte, 4096), make([]byte, 64)
	n, m, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"sub/weights.bin","sealed":true,"size":7000}` + "\n"; string(buf[:n]) != want {
		t.Fatalf("said %s", buf[:n])
	}
	messages, err := unix.ParseSocketControlMessage(oob[:m])
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatal(fds, err)
	}
	return os.NewFile(uintptr(fds[0]), "received")
}

// TestSmall builds the program as it is shipped: it stays small because it links
// nothing heavy.
func TestSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	binary := filepath.Join(t.TempDir(), "bartizan-verify")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= 10_000_000 {
		t.Errorf("%d bytes: the budget is 10 MB", info.Size())
	}
	deps, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, heavy := range []string{"net/http", "github.com/alecthomas/kong", "github.com/sigstore/", "google.golang.org/protobuf", "github.com/apache/arrow-go"} {
		if strings.Contains(string(deps), "\n"+heavy) {
			t.Errorf("links %s", heavy)
		}
	}
}

func TestHiddenText(t *testing.T) {
	if got := plain("a\x1b[31m\u202eb"); got != `a\x1b[31m\u202eb` {
		t.Errorf("%q", got)
	}
	data, _ := json.Marshal("a\u202e\U000e0041\u00e9\ufffd")
	var back string
	out := escapeHidden(data)
	if err := json.Unmarshal(out, &back); err != nil || back != "a\u202e\U000e0041\u00e9\ufffd" || bytes.ContainsRune(out, '\u202e') || bytes.ContainsRune(out, '\U000e0041') {
		t.Errorf("%s %q %v", out, back, err)
	}
}

func TestHelp(t *testing.T) {
	if code, out, _ := call(t, "--help"); code != 0 || !strings.Contains(out, "--bundle") {
		t.Error(code, out)
	}
	if code, out, _ := call(t, "version"); code != 0 || !strings.HasPrefix(out, "bartizan-verify ") {
		t.Error(code, out)
	}
}

// A folder that is named like a word of the command is checked all the same, and
// a request for help among other arguments is no success.
func TestNamesThatAreWords(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"version", "--version", "help", "--help", "-h", "open"} {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		code, out, errs := call(t, name, "--bundle", "b.sig", "--key", "k.pub")
		if code != exitFailed && code != exitUsage || out != "" || errs == "" {
			t.Errorf("%s: code %d, %q, %q", name, code, out, errs)
		}
	}
	for _, name := range []string{"version", "help", "open"} { // no bundle is there: looked for, so it was taken for a path
		if code, _, errs := call(t, name, "--bundle", "b.sig", "--key", "k.pub"); code != exitFailed || !strings.Contains(errs, "b.sig") && !strings.Contains(errs, "k.pub") {
			t.Errorf("%s: code %d, %q", name, code, errs)
		}
	}
	for _, args := range [][]string{{"m", "--bundle", "b.sig", "--key", "k.pub", "-h"}, {"open", "-h"}, {"version", "version"}, {"m", "--help"}} {
		if code, out, _ := call(t, args...); code != exitUsage || out != "" {
			t.Errorf("%q: code %d, %q", args, code, out)
		}
	}
	for _, word := range []string{"version", "--version", "--help", "-h", "help"} {
		if code, out, _ := call(t, word); code != 0 || out == "" {
			t.Errorf("%s alone: code %d, %q", word, code, out)
		}
	}
}
