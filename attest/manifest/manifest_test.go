package manifest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
)

var update = flag.Bool("update", false, "write the golden files anew")

// folder makes a tree of files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, path string) *tree.Root {
	t.Helper()
	root, err := tree.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func create(t *testing.T, path string, opt manifest.Options) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Create(context.Background(), open(t, path), opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// withRecords commits to records, without a salt.
func withRecords(ctx context.Context, root *tree.Root, files []manifest.Listed) (*manifest.Records, error) {
	read, err := records.ReadListed(ctx, root, files, records.Options{})
	if err != nil {
		return nil, err
	}
	return records.Summarise(read, nil), nil
}

// sample has a file of several chunks, an empty one, and two with records.
func sample() map[string]string {
	return map[string]string{
		"train.csv": "id,name\n1,\"Ada, L\"\n2,Bob\n2,Bob\n", "more/test.jsonl": "{\"id\": 3}\n",
		"README.md": "hello\n", "empty": "", "weights.bin": strings.Repeat("w", 2<<20+1), ".gitignore": "x\n",
	}
}

func TestGolden(t *testing.T) {
	parent := create(t, folder(t, map[string]string{"train.csv": "id\n1\n"}), manifest.Options{Name: "loans"})
	m := create(t, folder(t, sample()), manifest.Options{Name: "loans", Created: "2026-01-31T12:00:00Z", Parent: parent, Records: withRecords})
	got, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/manifest.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the document has changed; with -update it is written anew:\n%s", got)
	}
	again, err := manifest.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := again.Digest()
	if err != nil || sum != sha256.Sum256(want) {
		t.Errorf("digest %s, %v", sum, err)
	}
	// The root is the digest over the files' digests, as OpenSSF Model Signing has it.
	var all []byte
	for i := range again.Files {
		all = append(all, again.Files[i].SHA256[:]...)
	}
	if again.Root != sha256.Sum256(all) {
		t.Error("the root is another")
	}
}

// TestLayoutDoesNotMatter says that the digest is that of the canonical form.
func TestLayoutDoesNotMatter(t *testing.T) {
	m := create(t, folder(t, sample()), manifest.Options{Records: withRecords})
	raw, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	other, err := manifest.Parse(pretty.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	a, _ := m.Digest()
	if b, err := other.Digest(); err != nil || a != b {
		t.Errorf("%s, %s, %v", a, b, err)
	}
}

// TestRefused changes one thing in a document.
func TestRefused(t *testing.T) {
	raw, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	for _, c := range []struct {
		name, old, new string
		code           attest.Code
	}{
		{"another schema", `manifest/v1`, `manifest/v2`, attest.ManifestMalformed},
		{"another kind", `"kind":"dataset"`, `"kind":"zoo"`, attest.ManifestMalformed},
		{"a name of controls", `"name":"loans"`, `"name":"lo\nans"`, attest.ManifestMalformed},
		{"no name", `"name":"loans"`, `"name":""`, attest.ManifestMalformed},
		{"an unknown member", `"kind":`, `"kin":1,"kind":`, attest.ManifestMalformed},
		{"a member of another case", `"kind":`, `"Kind":`, attest.ManifestMalformed},
		{"a member twice", `"kind":`, `"kind":"model","kind":`, attest.ManifestMalformed},
		{"a time of another form", `2026-01-31T12:00:00Z`, `2026-01-31T12:00:00+00:00`, attest.ManifestMalformed},
		{"no time", `2026-01-31T12:00:00Z`, `yesterday`, attest.ManifestMalformed},
		{"another digest", `"sha256":"5891`, `"sha256":"6891`, attest.ManifestRootInvalid},
		{"another root", `"root":"sha256:`, `"root":"sha256:` + zeros[:10], attest.ManifestMalformed},
		{"a negative size", `"size":6}`, `"size":-6}`, attest.ManifestMalformed},
		{"a fraction of a size", `"size":6}`, `"size":6.5}`, attest.ManifestMalformed},
		{"a monstrous size", `"size":6}`, `"size":9007199254740993}`, attest.ManifestMalformed},
		{"a size with other chunks", `"size":2097153}`, `"size":1048577}`, attest.ManifestMalformed},
		{"chunks that do not fold", `"chunks":"`, `"chunks":"AAAA`, attest.ManifestMalformed},
		{"a name that escapes", `"name":"empty"`, `"name":"../x"`, attest.OMSNameEscapesRoot},
		{"an absolute name", `"name":"empty"`, `"name":"/etc/passwd"`, attest.OMSNameEscapesRoot},
		{"a name that is not clean", `"name":"empty"`, `"name":"a//b"`, attest.OMSNameInvalid},
		{"a name twice", `"name":"empty"`, `"name":"README.md"`, attest.OMSNameDuplicate},
		{"names that collide", `"name":"empty"`, `"name":"readme.md"`, attest.OMSNameCollision},
		{"out of order", `"name":"empty"`, `"name":"zzz"`, attest.ManifestMalformed},
		{"counts that cannot be", `"count":3,"distinct":2`, `"count":3,"distinct":4`, attest.ManifestMalformed},
		{"a count that is not the sum", `"count":3,"distinct":2`, `"count":4,"distinct":2`, attest.ManifestMalformed},
		{"records of no file", `"format":"csv","name":"train.csv"`, `"format":"csv","name":"other.csv"`, attest.ManifestMalformed},
		{"an unknown format", `"format":"csv"`, `"format":"tsv"`, attest.ManifestMalformed},
		{"a format of another name", `"format":"csv"`, `"format":"jsonl"`, attest.ManifestMalformed},
		{"records that no file is left with", `"name":"empty"`, `"name":"empty.CSV"`, attest.ManifestMalformed},
		{"a parent of null", `"parent":{"digest":"sha256:dee1a372bee07097056ffc87ccf6c1e4a89a8f0e0afdaf4db3fcfc4309103610"}`, `"parent":null`, attest.ManifestMalformed},
		{"chunks of null", `"name":"empty"`, `"chunks":null,"name":"empty"`, attest.ManifestMalformed},
		{"a name that turns the text round", `"name":"loans"`, "\"name\":\"lo\u202ens\"", attest.ManifestMalformed},
		{"the same, escaped", `"name":"loans"`, `"name":"lo\u2066ns"`, attest.ManifestMalformed},
		{"a name of two lines", `"name":"loans"`, `"name":"lo\u2028ns"`, attest.ManifestMalformed},
		{"something after it", `"manifest/v1"}`, `"manifest/v1"} 1`, ""},
	} {
		changed := bytes.Replace(raw, []byte(c.old), []byte(c.new), 1)
		if c.code == "" {
			changed, c.code = append(bytes.Clone(raw), " 1"...), attest.ManifestMalformed
		} else if bytes.Equal(changed, raw) {
			t.Errorf("%s: %q is not in the document", c.name, c.old)
			continue
		}
		if _, err := manifest.Parse(changed); attest.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	for _, in := range []string{"", "null", "[]", "{}", `{"schema":"bartizan.manifest/v1"}`, "\xEF\xBB\xBF" + string(raw), strings.Repeat("[", 100)} {
		if _, err := manifest.Parse([]byte(in)); attest.CodeOf(err) != attest.ManifestMalformed {
			t.Errorf("%.20q: %v", in, err)
		}
	}
}

func codes(err error) string {
	var out []string
	for _, r := range attest.Refusals(err) {
		out = append(out, string(r.Code)+" "+r.Name)
	}
	return strings.Join(out, ", ")
}

// TestCheck alters a tree in one way each.
func TestCheck(t *testing.T) {
	write := func(name, content string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name   string
		do     func(t *testing.T, dir string)
		ignore manifest.Ignore
		want   string
	}{
		{"nothing", func(*testing.T, string) {}, nil, ""},
		{"altered", write("README.md", "hellO\n"), nil, "OMS_DIGEST_MISMATCH README.md"},
		{"altered and ignored", write("README.md", "hellO\n"), manifest.Ignore{"README.md"}, "OMS_DIGEST_MISMATCH README.md"},
		{"grown", write("empty", "x"), nil, "OMS_DIGEST_MISMATCH empty"},
		{"the last byte", write("weights.bin", strings.Repeat("w", 2<<20)+"x"), nil, "OMS_DIGEST_MISMATCH weights.bin"},
		{"missing", remove("empty"), nil, "OMS_FILE_MISSING empty"},
		{"missing and ignored", remove("more/test.jsonl"), manifest.Ignore{"more"}, "OMS_FILE_MISSING more/test.jsonl"},
		{"added", write("more/new", ""), nil, "OMS_FILE_UNSIGNED more/new"},
		{"added and ignored", write("more/new", ""), manifest.Ignore{"more"}, ""},
		{"added and ignored, and a loader could take it", write("more/extra.pkl", "\x80\x04."), manifest.Ignore{"more"}, "POLICY_IGNORE_FORBIDDEN more/extra.pkl"},
		{"the same by its bytes", write("more/extra", "\x80\x04."), manifest.Ignore{"more/extra"}, "POLICY_IGNORE_FORBIDDEN more/extra"},
		{"Git's own, and no text", write(".gitattributes", "\x80\x04."), nil, "OMS_FILE_UNSIGNED .gitattributes"},
		{"Git's own, as a folder", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, ".gitignore")); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(dir, ".gitignore"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(".gitignore/a.txt", "")(t, dir)
		}, nil, "OMS_FILE_UNSIGNED .gitignore/a.txt"},
		{"Git's own", write(".gitignore", "y\n"), nil, ""},
		{"a name beside an ignored one", write("morex", ""), manifest.Ignore{"more"}, "OMS_FILE_UNSIGNED morex"},
		{"all", func(t *testing.T, dir string) {
			remove("empty")(t, dir)
			write("a", "")(t, dir)
			write("README.md", "")(t, dir)
		}, nil, "OMS_FILE_MISSING empty, OMS_FILE_UNSIGNED a, OMS_DIGEST_MISMATCH README.md"},
		{"a link", func(t *testing.T, dir string) {
			if err := os.Symlink("README.md", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
		}, nil, "OMS_SYMLINK link"},
	} {
		dir := folder(t, sample())
		m := create(t, dir, manifest.Options{})
		c.do(t, dir)
		_, err := manifest.Check(context.Background(), open(t, dir), m, manifest.CheckOptions{LeaveOut: manifest.LeaveOut{Ignore: c.ignore}})
		if got := codes(err); got != c.want || (err != nil) != (c.want != "") {
			t.Errorf("%s: %s (%v), want %s", c.name, got, err, c.want)
		}
	}
}

// TestCheckNeedsBothDigests: a maker may give the SHA-256 of one content and the
// BLAKE3 tree of another.
func TestCheckNeedsBothDigests(t *testing.T) {
	dir := folder(t, sample())
	m := create(t, dir, manifest.Options{})
	other := create(t, folder(t, map[string]string{"weights.bin": strings.Repeat("v", 2<<20+1)}), manifest.Options{})
	for i := range m.Files {
		if f := &m.Files[i]; f.Name == "weights.bin" {
			f.BLAKE3, f.Chunks = other.Files[0].BLAKE3, other.Files[0].Chunks
		}
	}
	if _, err := m.Canonical(); err != nil {
		t.Fatal(err) // by itself it is well formed
	}
	if _, err := manifest.Check(context.Background(), open(t, dir), m, manifest.CheckOptions{}); codes(err) != "OMS_DIGEST_MISMATCH weights.bin" {
		t.Error(err)
	}
}

func TestManyRefusals(t *testing.T) {
	files := map[string]string{}
	for i := range 1200 {
		files["f"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))] = ""
	}
	m := create(t, folder(t, files), manifest.Options{})
	_, err := manifest.Check(context.Background(), open(t, folder(t, map[string]string{"other": ""})), m, manifest.CheckOptions{})
	all := attest.Refusals(err)
	if len(all) != 1000 || !strings.Contains(all[999].Detail, "more files that differ") {
		t.Errorf("%d: %v", len(all), all[len(all)-1])
	}
}

func TestSingleFile(t *testing.T) {
	dir := folder(t, map[string]string{"a.csv": "id\n1\n", "b.csv": "id\n2\n"})
	m := create(t, filepath.Join(dir, "a.csv"), manifest.Options{Records: withRecords})
	if m.Name != "a.csv" || len(m.Files) != 1 || m.Files[0].Name != "a.csv" || m.Records.Files[0].Name != "a.csv" {
		t.Fatalf("%+v", m)
	}
	check := func(path string) error {
		_, err := manifest.Check(context.Background(), open(t, path), m, manifest.CheckOptions{})
		return err
	}
	if err := check(filepath.Join(dir, "a.csv")); err != nil {
		t.Error(err)
	}
	if err := os.Rename(filepath.Join(dir, "a.csv"), filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := check(filepath.Join(dir, "moved")); err != nil {
		t.Errorf("under another name: %v", err)
	}
	if err := check(filepath.Join(dir, "b.csv")); codes(err) != "OMS_DIGEST_MISMATCH a.csv" {
		t.Error(err)
	}
}

func TestNothing(t *testing.T) {
	dir := folder(t, map[string]string{".gitignore": "x", "raw/a": "1"})
	_, err := manifest.Create(context.Background(), open(t, dir), manifest.Options{LeaveOut: manifest.LeaveOut{Ignore: manifest.Ignore{"raw"}}})
	if attest.CodeOf(err) != attest.OMSEmpty {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := manifest.Create(ctx, open(t, dir), manifest.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestLeaveOut: nothing that could be loaded is left out of a manifest.
func TestLeaveOut(t *testing.T) {
	files := map[string]string{"a.csv": "1", "logs/model.safetensors": "w", "logs/x.txt": "x", "m.json": "{}", "m.py": "", ".git/hooks/x.py": "x", ".github/y": "y"}
	for _, c := range []struct {
		leave manifest.LeaveOut
		want  string
	}{
		{manifest.LeaveOut{}, "a.csv logs/model.safetensors logs/x.txt m.json m.py"},
		{manifest.LeaveOut{Ignore: manifest.Ignore{"logs/x.txt"}, Own: []string{"m.json"}}, "a.csv logs/model.safetensors m.py"},
		{manifest.LeaveOut{Ignore: manifest.Ignore{"logs"}}, "POLICY_IGNORE_FORBIDDEN logs/model.safetensors"},
		{manifest.LeaveOut{Ignore: manifest.Ignore{"logs", "m.py"}}, "POLICY_IGNORE_FORBIDDEN logs/model.safetensors, POLICY_IGNORE_FORBIDDEN m.py"},
		{manifest.LeaveOut{Own: []string{"m.py"}}, "POLICY_IGNORE_FORBIDDEN m.py"},
	} {
		m, err := manifest.Create(context.Background(), open(t, folder(t, files)), manifest.Options{LeaveOut: c.leave})
		got := codes(err)
		if err == nil {
			var names []string
			for i := range m.Files {
				names = append(names, m.Files[i].Name)
			}
			got = strings.Join(names, " ")
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.leave, got, c.want)
		}
	}
}

func TestParent(t *testing.T) {
	one := create(t, folder(t, map[string]string{"a": "1"}), manifest.Options{Name: "x"})
	two := create(t, folder(t, map[string]string{"a": "2"}), manifest.Options{Name: "x", Parent: one})
	three := create(t, folder(t, map[string]string{"a": "3"}), manifest.Options{Name: "x", Parent: two})
	if err := two.CheckParent(one); err != nil {
		t.Error(err)
	}
	for _, err := range []error{three.CheckParent(one), one.CheckParent(two), two.CheckParent(two)} {
		if attest.CodeOf(err) != attest.ManifestParent {
			t.Error(err)
		}
	}
}

func TestDiff(t *testing.T) {
	before := create(t, folder(t, map[string]string{
		"same": "1", "gone": "2", "old/name": "3", "changed": "4", "twin1": "5", "twin2": "5", "r.csv": "a\n1\n2\n", "s.csv": "a\n1\n",
	}), manifest.Options{Records: withRecords})
	after := create(t, folder(t, map[string]string{
		"same": "1", "new": "9", "other/name": "3", "changed": "44", "twin3": "5", "r.csv": "a\n\"2\"\n1\n", "s.csv": "a\n1\n3\n4\n",
	}), manifest.Options{Records: withRecords})
	d := manifest.Diff(before, after)
	var altered, renamed []string
	for _, a := range d.Altered {
		altered = append(altered, a.Name+map[bool]string{true: " same"}[a.SameRecords])
	}
	for _, r := range d.Renamed {
		renamed = append(renamed, r.From+">"+r.To)
	}
	got := strings.Join([]string{
		strings.Join(d.Added, " "), strings.Join(d.Removed, " "), strings.Join(altered, ","), strings.Join(renamed, " "),
	}, "; ")
	if want := "new; gone twin2; changed,r.csv same,s.csv; old/name>other/name twin1>twin3"; got != want || d.Unchanged != 1 {
		t.Errorf("%s, %d unchanged, want %s", got, d.Unchanged, want)
	}
	if want := (manifest.RecordDifference{Before: 3, After: 5, Comparable: true, MinAdded: 2}); *d.Records != want {
		t.Errorf("%+v", *d.Records)
	}
	if same := manifest.Diff(after, after); !same.Records.Same || same.Unchanged != 7 {
		t.Errorf("%+v", same)
	}
}

func FuzzParse(f *testing.F) {
	raw, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"files":[{"blake3":"","name":"a","sha256":"","size":0}],"schema":"bartizan.manifest/v1"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := manifest.Parse(in)
		if err != nil {
			if attest.CodeOf(err) == "" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		one, err := m.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		again, err := manifest.Parse(one)
		if err != nil {
			t.Fatal(err)
		}
		if two, err := again.Canonical(); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%s, %s, %v", one, two, err)
		}
	})
}
