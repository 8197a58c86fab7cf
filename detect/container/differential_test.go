package container_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/detect/input"
)

// readAll lists what Python's readers give of each file in a folder: all
// members that can be opened, by zipfile's list and by tarfile's iteration.
const readAll = `
import json, os, sys, tarfile, zipfile
out = {}
for name in sorted(os.listdir(sys.argv[1])):
    seen, path = [], os.path.join(sys.argv[1], name)
    try:
        if name.endswith(".zip"):
            with zipfile.ZipFile(path) as z:
                for i in z.infolist():
                    try: seen.append([i.filename, z.open(i).read(1 << 17).hex()])
                    except Exception: pass
        else:
            with tarfile.open(path, "r:") as t:
                for i in t:
                    try:
                        f = t.extractfile(i) if i.isreg() else None
                        seen.append([i.name, f.read(1 << 17).hex() if f else ""])
                    except Exception: pass
    except Exception: pass
    out[name] = seen
json.dump(out, sys.stdout)
`

type readMember struct{ name, content string }

// goSees gives what the standard library's readers give.
func goSees(kind string, b []byte) (out []readMember) {
	if kind == "zip" {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil && z == nil {
			return nil
		}
		for _, f := range z.File {
			if r, err := f.Open(); err == nil {
				p, err := io.ReadAll(io.LimitReader(r, 1<<17))
				if err == nil || err == zip.ErrChecksum {
					out = append(out, readMember{f.Name, string(p)})
				}
			}
		}
		return out
	}
	t := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := t.Next()
		if err != nil {
			return out
		}
		p, err := io.ReadAll(io.LimitReader(t, 1<<17))
		if err == nil {
			out = append(out, readMember{h.Name, string(p)})
		}
	}
}

// pythonSees runs Python over all cases at once.
func pythonSees(t *testing.T, cases map[string][]byte) map[string][]readMember {
	t.Helper()
	py, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here: containers were NOT compared with Python's readers")
	}
	dir := t.TempDir()
	for name, b := range cases {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := exec.Command(py, "-c", readAll, dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string][][2]string
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string][]readMember{}
	for name, list := range raw {
		for _, m := range list {
			p, err := hex.DecodeString(m[1])
			if err != nil {
				t.Fatal(err)
			}
			out[name] = append(out[name], readMember{m[0], string(p)})
		}
	}
	return out
}

// Whatever content Python's and Go's readers give of any crafted container, a
// walk gives too, unless the walk says that it is incomplete there.
func TestEveryReadersMembersAreCovered(t *testing.T) {
	cases := map[string][]byte{}
	for i, c := range zipCases() {
		cases[fmt.Sprintf("%03d.zip", i)] = c.arc
	}
	for i, c := range tarCases() {
		cases[fmt.Sprintf("%03d.tar", i)] = c.arc
	}
	python := pythonSees(t, cases)
	members, refused := 0, 0
	for name, b := range cases {
		kind := filepath.Ext(name)[1:]
		s := walk(t, kind, input.FromBytes(b))
		for reader, list := range map[string][]readMember{"python": python[name], "go": goSees(kind, b)} {
			if len(list) == 0 {
				refused++
			}
			for _, m := range list {
				members++
				told := s.reason("expand-limit") || s.reason("memory-limit") || strings.Contains(strings.Join(s.result.Reasons, ""), "sparse map is broken")
				if m.content != "" && !told && !s.holds(m.content) {
					t.Errorf("%s: %s reads %q with %d bytes that the walk does not give\n%s", name, reader, m.name, len(m.content), s)
				}
			}
		}
	}
	if members < 150 {
		t.Errorf("only %d members compared (%d containers refused): the test does not test", members, refused)
	}
	t.Logf("%d members of %d containers compared, %d readings refused", members, len(cases), refused)
}
