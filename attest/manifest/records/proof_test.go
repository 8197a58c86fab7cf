package records_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/manifest/merkle"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
)

// read gives the records of files, which are written in the order of names.
func read(t testing.TB, salt *records.Salt, names []string, contents ...string) ([]*records.File, error) {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(contents[i]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var inputs []records.Input
	for _, name := range names {
		e, err := root.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		format, _ := records.FormatOf(name)
		inputs = append(inputs, records.Input{Entry: e, Format: format})
	}
	return records.Read(context.Background(), root, inputs, records.Options{Salt: salt, Workers: 3})
}

func set(t testing.TB, salt *records.Salt, names []string, contents ...string) *records.Set {
	t.Helper()
	files, err := read(t, salt, names, contents...)
	if err != nil {
		t.Fatal(err)
	}
	return records.NewSet(files, salt)
}

func salt(t testing.TB, secret string) *records.Salt {
	t.Helper()
	s, err := records.NewSalt([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask makes a proof, sends it through its document, and checks it.
func ask(t testing.TB, s *records.Set, record string) (uint64, error) {
	t.Helper()
	p, err := s.Prove("", []byte(record))
	if err != nil {
		return 0, err
	}
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p, err = records.ParseProof(raw)
	if err != nil {
		t.Fatal(err)
	}
	return p.Verify(s.Commit().Root(), s.Salt, []byte(record))
}

func TestPresenceAndAbsence(t *testing.T) {
	csv := "id,name\n1,\"Ada, L\"\n2,Bob\n2,Bob\n"
	for _, salt := range []*records.Salt{nil, salt(t, "sixteen bytes or more")} {
		s := set(t, salt, []string{"a.csv", "b.jsonl", "c.csv", "d.csv"}, csv, "{\"id\": 1.0}\n7\n", "id,name\r\n2,Bob\r\n9,Zoe", "other,name\n5,Eve\n")
		for record, want := range map[string]uint64{
			`1,"Ada, L"`: 1, `"1","Ada, L"`: 1, `2,Bob`: 3, "9,Zoe\n": 1, `5,Eve`: 1, `{"id":1}`: 1, `{ "id" : 10e-1 }`: 1, `7`: 1, `7.0`: 1,
			`1,Ada`: 0, ` 2,Bob`: 0, `2,bob`: 0, `{"id":2}`: 0, `{"id":"1"}`: 0, `8`: 0, `null`: 0,
		} {
			if got, err := ask(t, s, record); err != nil || got != want {
				t.Errorf("%s: %d, %v, want %d", record, got, err, want)
			}
		}
		for record, want := range map[string]attest.Code{
			`id,name`: attest.RecordUnproven, `other,"name"`: attest.RecordUnproven, // headers
			`1,2,3`: attest.RecordMalformed, "": attest.RecordMalformed, "2,Bob\n2,Bob": attest.RecordMalformed, `"2,Bob`: attest.RecordMalformed,
		} {
			if got, err := ask(t, s, record); attest.CodeOf(err) != want {
				t.Errorf("%q: %d, %v, want %s", record, got, err, want)
			}
		}
	}
}

func TestEmptySets(t *testing.T) {
	for name, content := range map[string]string{"a.csv": "id\n", "b.jsonl": ""} {
		s := set(t, nil, []string{name}, content)
		if got, err := ask(t, s, "5"); err != nil || got != 0 {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

// TestEmptyFileTakesNoRow: beside a file without a header, a slip is still none
// of the other's rows.
func TestEmptyFileTakesNoRow(t *testing.T) {
	s := set(t, nil, []string{"a.csv", "e.csv"}, "id,name\n1,Ada\n", "")
	for record, want := range map[string]attest.Code{"1,Ada": "", "2,Ada": "", "Ada": attest.RecordMalformed} {
		n, err := ask(t, s, record)
		if attest.CodeOf(err) != want || want != "" && !strings.Contains(err.Error(), "a row of 1 fields under a header of 2") {
			t.Errorf("%s: %d, %v", record, n, err)
		}
	}
	if _, err := set(t, nil, []string{"e.csv"}, "").Prove("", []byte("Ada")); attest.CodeOf(err) != attest.RecordMalformed {
		t.Error(err)
	}
}

// TestSameRecordsSameRoot: order, quoting and line ends do not matter; content,
// header, format, repetition and salt do.
func TestSameRecordsSameRoot(t *testing.T) {
	root := func(salt *records.Salt, name, content string) records.Digest {
		return set(t, salt, []string{name}, content).Commit().Root()
	}
	base := root(nil, "a.csv", "a,b\n1,2\n3,4\n")
	if other := root(nil, "z.CSV", "\xEF\xBB\xBFa,b\r\n\"3\",4\r\n1,\"2\""); other != base {
		t.Error("the same records have another root")
	}
	seen := map[records.Digest]string{base: "base"}
	for _, c := range []struct {
		what, name, content string
		salt                *records.Salt
	}{
		{"content", "a.csv", "a,b\n1,2\n3,5\n", nil}, {"fields", "a.csv", "a,b\n12,\n3,4\n", nil}, {"header", "a.csv", "b,a\n1,2\n3,4\n", nil},
		{"repetition", "a.csv", "a,b\n1,2\n3,4\n3,4\n", nil}, {"less", "a.csv", "a,b\n1,2\n", nil}, {"none", "a.csv", "a,b\n", nil},
		{"salt", "a.csv", "a,b\n1,2\n3,4\n", salt(t, strings.Repeat("s", 32))}, {"another salt", "a.csv", "a,b\n1,2\n3,4\n", salt(t, strings.Repeat("t", 32))},
		{"format", "a.jsonl", "[1,2]\n[3,4]\n", nil}, {"nothing", "a.jsonl", "", nil}, {"no header", "a.csv", "", nil},
	} {
		r := root(c.salt, c.name, c.content)
		if other, ok := seen[r]; ok {
			t.Errorf("%s: the root of %s", c.what, other)
		}
		seen[r] = c.what
	}
}

// TestLies changes a proof in one way each; none may show anything.
func TestLies(t *testing.T) {
	s := set(t, nil, []string{"a.csv"}, "id\n1\n2\n3\n4\n5\n")
	wrong := set(t, nil, []string{"a.csv"}, "id\n1\n2\n")
	absent, err := s.Prove("", []byte("9"))
	if err != nil {
		t.Fatal(err)
	}
	present, err := s.Prove("", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	root := s.Commit().Root()
	for name, c := range map[string]struct {
		of     *records.Proof
		record string
		change func(p *records.Proof)
	}{
		"of another record":   {present, "9", func(*records.Proof) {}},
		"absence of another":  {absent, "1", func(*records.Proof) {}},
		"another count":       {absent, "9", func(p *records.Proof) { p.Count++ }},
		"another size":        {absent, "9", func(p *records.Proof) { p.Distinct-- }},
		"another tree":        {absent, "9", func(p *records.Proof) { p.Tree[0]++ }},
		"a tree of fewer":     {absent, "5", func(p *records.Proof) { *p = *prove(t, wrong, "5") }},
		"another format":      {absent, "9", func(p *records.Proof) { p.Shapes[0].Format = records.JSONL }},
		"an unknown format":   {absent, "9", func(p *records.Proof) { p.Shapes[0].Format = "xml" }},
		"a broken header":     {absent, "9", func(p *records.Proof) { p.Shapes[0].Around = []byte("\x00\x00\x00\x09x") }},
		"a broken schema":     {absent, "9", func(p *records.Proof) { p.Shapes[0] = records.Shape{Format: records.Parquet, Around: []byte("[]")} }},
		"around JSON Lines":   {absent, "9", func(p *records.Proof) { p.Shapes[0] = records.Shape{Format: records.JSONL, Around: []byte("x")} }},
		"another header":      {absent, "9", func(p *records.Proof) { p.Shapes[0].Around = []byte("\x00\x00\x00\x01x") }},
		"no shapes":           {absent, "9", func(p *records.Proof) { p.Shapes, p.Claims = nil, nil }},
		"a shape twice":       {absent, "9", func(p *records.Proof) { p.Shapes, p.Claims = append(p.Shapes, p.Shapes[0]), append(p.Claims, nil) }},
		"no claim":            {absent, "9", func(p *records.Proof) { p.Claims = nil }},
		"an empty claim":      {absent, "9", func(p *records.Proof) { p.Claims = [][]merkle.Leaf{nil} }},
		"a claim too many":    {absent, "9", func(p *records.Proof) { p.Claims = append(p.Claims, p.Claims[0]) }},
		"a changed sibling":   {present, "1", func(p *records.Proof) { p.Claims[0][0].Path[0][5] ^= 1 }},
		"more than there are": {present, "1", func(p *records.Proof) { p.Claims[0][0].Count = 1 << 63 }},
	} {
		p := clone(t, c.of)
		c.change(p)
		if got, err := p.Verify(root, nil, []byte(c.record)); attest.CodeOf(err) != attest.RecordUnproven {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	p := clone(t, absent)
	p.Salt[0] = 1
	if _, err := p.Verify(root, salt(t, strings.Repeat("s", 32)), []byte("9")); err == nil {
		t.Error("another salt: proven")
	}
}

func prove(t *testing.T, s *records.Set, record string) *records.Proof {
	t.Helper()
	p, err := s.Prove("", []byte(record))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func clone(t *testing.T, p *records.Proof) *records.Proof {
	t.Helper()
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out, err := records.ParseProof(raw)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWrongSaltIsNoProofOfAbsence: with another salt every record would seem absent.
func TestWrongSaltIsNoProofOfAbsence(t *testing.T) {
	right, wrong := salt(t, strings.Repeat("r", 32)), salt(t, strings.Repeat("w", 32))
	s := set(t, right, []string{"a.csv"}, "id\n1\n2\n")
	p := prove(t, s, "3")
	for _, given := range []*records.Salt{nil, wrong} {
		if _, err := p.Verify(s.Commit().Root(), given, []byte("3")); err == nil || attest.CodeOf(err) != "" {
			t.Errorf("%v", err)
		}
	}
	plain := set(t, nil, []string{"a.csv"}, "id\n1\n2\n")
	if _, err := prove(t, plain, "3").Verify(plain.Commit().Root(), right, []byte("3")); err == nil || attest.CodeOf(err) != "" {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", "fifteen bytes!!", strings.Repeat("x", 1025)} {
		if _, err := records.NewSalt([]byte(bad)); err == nil {
			t.Errorf("a salt of %d bytes", len(bad))
		}
	}
}

// TestRootsStay holds the roots fast: a change of an encoding would make every
// manifest that was signed wrong. They were computed with twenty lines of Python.
func TestRootsStay(t *testing.T) {
	for _, c := range []struct {
		salt          *records.Salt
		name, content string
		want          string
	}{
		{nil, "a.csv", "id,name\n1,Ada\n2,Bob\n2,Bob\n", "fca4e7aea412d9b5278d5f387afc2a4c675fd70eb86034c0c64125151c94bfff"},
		{salt(t, "0123456789abcdef"), "a.csv", "id,name\n1,Ada\n2,Bob\n2,Bob\n", "bc1ff7a968992f481df68316bc371f1c164f2086cd938767d21a92b8f583eb9f"},
		{nil, "a.jsonl", "{\"b\":1.50,\"a\":[\"\\u00e9\"]}\n", "60af37ba4308843789792dff4c85cf254b60c02c1b127b7d0caa5f260a33492e"},
	} {
		if got := fmt.Sprintf("%x", set(t, c.salt, []string{c.name}, c.content).Commit().Root()); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMalformedFilesAreNamed(t *testing.T) {
	_, err := read(t, nil, []string{"a.csv", "b.jsonl", "c.jsonl"}, "a,b\n1,2\n1\n", "{}\n{\"a\":\n", "1\n")
	var got []string
	for _, r := range attest.Refusals(err) {
		got = append(got, r.Error())
	}
	want := []string{
		"RECORD_MALFORMED: a.csv: line 3 (byte 8): a row of 1 fields under a header of 2",
		"RECORD_MALFORMED: b.jsonl: line 2 (byte 8): no JSON value",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := read(t, nil, []string{"a.parquet"}, "PAR1"); err == nil || attest.CodeOf(err) != "" {
		t.Errorf("Parquet without a reader: %v", err)
	}
}

func TestRow(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("id,name\n1,\"a \"\"b\"\"\"\n2,\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	e, err := root.Stat("a.csv")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{`"1","a ""b"""`, `"2",""`} {
		got, err := records.Row(context.Background(), root, records.Input{Entry: e, Format: records.CSV}, int64(n), records.Options{})
		if err != nil || string(got) != want {
			t.Errorf("%d: %s, %v", n, got, err)
		}
	}
	if _, err := records.Row(context.Background(), root, records.Input{Entry: e, Format: records.CSV}, 2, records.Options{}); err == nil || !strings.Contains(err.Error(), "has 2 records") {
		t.Error(err)
	}
}

// FuzzParseProof never panics, and what it reads it writes again; whatever is
// read proves nothing about a root that is not its own.
func FuzzParseProof(f *testing.F) {
	s := set(f, nil, []string{"a.csv", "b.jsonl"}, "id\n1\n2\n3\n", "1\n{}\n")
	for _, record := range []string{"1", "9", "{}"} {
		p, err := s.Prove("a.csv", []byte(record))
		if err != nil {
			f.Fatal(err)
		}
		raw, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	root := s.Commit().Root()
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := records.ParseProof(in)
		if err != nil {
			if attest.CodeOf(err) != attest.RecordUnproven {
				t.Fatal(err)
			}
			return
		}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := records.ParseProof(raw)
		if err != nil {
			t.Fatal(err)
		}
		if two, err := again.Marshal(); err != nil || !bytes.Equal(raw, two) {
			t.Fatalf("%s, %s, %v", raw, two, err)
		}
		// 1 is once a row and once a line, 9 is neither.
		if n, err := p.Verify(root, nil, []byte("1")); err == nil && n != 2 {
			t.Fatalf("1 is there %d times", n)
		}
		if n, err := p.Verify(root, nil, []byte("9")); err == nil && n != 0 {
			t.Fatalf("9 is there %d times", n)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const rows = 200_000
	var csv, jsonl strings.Builder
	csv.WriteString("id,name,birthday,amount,city\n")
	for i := range rows {
		fmt.Fprintf(&csv, "%d,Name%d,19%02d-01-%02d,%d.25,\"City, %d\"\n", i, i%1000, i%100, i%28+1, i%10000, i%977)
		fmt.Fprintf(&jsonl, "{\"id\": %d, \"name\": \"Name%d\", \"birthday\": \"19%02d-01-%02d\", \"amount\": %d.25, \"city\": \"City, %d\"}\n", i, i%1000, i%100, i%28+1, i%10000, i%977)
	}
	for name, content := range map[string]string{"a.csv": csv.String(), "a.jsonl": jsonl.String()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := read(b, nil, []string{name}, content); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
