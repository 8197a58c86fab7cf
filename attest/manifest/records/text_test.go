package records

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// all reads every record of a text in blocks of a size.
func all(f Format, in io.Reader, block int) (around string, bodies []string, err error) {
	s, err := newText(f, in, block)
	if err != nil {
		return "", nil, err
	}
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			return string(s.Around()), bodies, nil
		}
		if err != nil {
			return "", nil, err
		}
		if err := b.Each(func(body []byte) error {
			bodies = append(bodies, string(body))
			return nil
		}); err != nil {
			return "", nil, err
		}
	}
}

// row is the canonical form of fields.
func row(fields ...string) string {
	var b strings.Builder
	for _, f := range fields {
		b.Write([]byte{0, 0, byte(len(f) >> 8), byte(len(f))})
		b.WriteString(f)
	}
	return b.String()
}

func TestRecordsOfText(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		in     string
		around string
		want   []string
	}{
		{"lines", CSV, "a,b\n1,2\n3,4\n", row("a", "b"), []string{row("1", "2"), row("3", "4")}},
		{"CRLF, no end", CSV, "a,b\r\n1,2\r\n3,4", row("a", "b"), []string{row("1", "2"), row("3", "4")}},
		{"quotes do not matter", CSV, "\"a\",b\n\"1\",\"2\"\n", row("a", "b"), []string{row("1", "2")}},
		{"quoted line ends, commas, quotes", CSV, "a,b\n\"x\ny\",\"p,\"\"q\"\"\"\n", row("a", "b"), []string{row("x\ny", `p,"q"`)}},
		{"a CR in quotes stays", CSV, "a\n\"x\ry\r\nz\"\n", row("a"), []string{row("x\ry\r\nz")}},
		{"byte order mark", CSV, "\xEF\xBB\xBFa\n1\n", row("a"), []string{row("1")}},
		{"empty lines are no rows", CSV, "\n\r\na\n\n1\n\r\n\n2\n\n", row("a"), []string{row("1"), row("2")}},
		{"an empty field alone", CSV, "a\n\"\"\n", row("a"), []string{row("")}},
		{"empty fields", CSV, "a,b,c\n,,\n,x,\n", row("a", "b", "c"), []string{row("", "", ""), row("", "x", "")}},
		{"header alone", CSV, "a,b", row("a", "b"), nil},
		{"nothing", CSV, "", "", nil},
		{"backslashes", CSV, "a,b\nC:\\dir\\,\"C:\\dir\\x\"\n\\,\\\\\n", row("a", "b"), []string{row(`C:\dir\`, `C:\dir\x`), row(`\`, `\\`)}},
		{"letters of two and four bytes", CSV, "a\né\n\"𝄞\"\n", row("a"), []string{row("é"), row("𝄞")}},
		{"JSON lines", JSONL, "{\"b\":1.0,\"a\":2}\n[ ]\r\n\n  \t\n\"x\"", "", []string{`{"a":2,"b":1}`, `[]`, `"x"`}},
		{"JSON lines with a mark", JSONL, "\xEF\xBB\xBF1\n2\n", "", []string{"1", "2"}},
		{"no JSON lines", JSONL, "\n\n", "", nil},
	} {
		for _, block := range []int{1, 2, 3, 7, 1 << 20} {
			for _, in := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
				around, bodies, err := all(c.format, in, block)
				if err != nil || around != c.around || !slices.Equal(bodies, c.want) {
					t.Errorf("%s, blocks of %d: %q %q, %v", c.name, block, around, bodies, err)
				}
			}
		}
	}
}

func TestMalformedText(t *testing.T) {
	for _, c := range []struct {
		format Format
		in     string
		at     int64
		what   string
	}{
		{CSV, "a,b\n1\n", 4, "1 fields under a header of 2"},
		{CSV, "a\n1,2\n", 2, "2 fields under a header of 1"},
		{CSV, "a\nx\"y\n", 3, "quote within"},
		{CSV, "a\n\"x\"y\n", 5, "closing quote"},
		{CSV, "a\n\"x\n", 2, "never closed"},
		{CSV, "a\n1\r2\n", 3, "carriage return"},
		{CSV, "a\n1\r", 3, "carriage return"},
		{CSV, "a\r\"b\"\n", 1, "carriage return"},
		{CSV, "a\n1\x002\n", 3, "zero byte"},
		{CSV, "a\n\"1\x002\"\n", 4, "zero byte"},
		{CSV, "\"a", 0, "never closed"},
		{CSV, "id\nJos\xe9\n", 6, "no UTF-8"},
		{CSV, "id\n\"Jos\xe9\"\n", 7, "no UTF-8"},
		{CSV, "id\n\xff\xfe\n", 3, "no UTF-8"},
		{CSV, "J\xe9,x\n1,2\n", 1, "no UTF-8"},
		{CSV, "id\n\"C:\\dir\\\"\n", 10, "backslash before a quote"},
		{CSV, "id\n\"x\\\"\"y\"\n", 5, "backslash before a quote"},
		{CSV, "\xff\xfea\x00", 0, "UTF-16"},
		{JSONL, "{}\n{\n", 4, "no name"},
		{JSONL, "{}\n{\"a\":1,\"a\":2}\n", 15, "stands twice"},
		{JSONL, "{} {}\n", 3, "after the value"},
		{JSONL, "{}\r{}\n", 3, "after the value"},
		{JSONL, "\xff\xfe{\x00", 0, "UTF-16"},
	} {
		for _, block := range []int{1, 4, 1 << 20} {
			_, _, err := all(c.format, strings.NewReader(c.in), block)
			var bad *MalformedError
			if !errors.As(err, &bad) || bad.Offset != c.at || !strings.Contains(bad.What, c.what) {
				t.Errorf("%q in blocks of %d: %+v", c.in, block, err)
			}
		}
	}
}

func TestFailureToReadIsNoRefusal(t *testing.T) {
	failed := errors.New("disk on fire")
	_, _, err := all(CSV, io.MultiReader(strings.NewReader("a\n1\n"), iotest.ErrReader(failed)), 1<<20)
	var bad *MalformedError
	if !errors.Is(err, failed) || errors.As(err, &bad) {
		t.Error(err)
	}
}

// TestWrittenAndReadAnew takes any table through the standard library's writer.
func TestWrittenAndReadAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(t, "width")
		field := rapid.StringMatching(`[a",\n \té]{0,6}`)
		rows := rapid.SliceOfN(rapid.SliceOfN(field, width, width), 1, 20).Draw(t, "rows")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		var want []string
		for _, r := range rows {
			if width == 1 && r[0] == "" {
				r[0] = "x" // the writer makes an empty line of it
			}
			if w.UseCRLF {
				for i := range r {
					r[i] = strings.ReplaceAll(r[i], "\n", "n") // it changes them within quotes
				}
			}
			want = append(want, row(r...))
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		around, bodies, err := all(CSV, &b, rapid.IntRange(1, 40).Draw(t, "block"))
		if err != nil || !slices.Equal(append([]string{around}, bodies...), want) {
			t.Fatalf("%q: %q, want %q, %v", around, bodies, want, err)
		}
	})
}

// FuzzText says that the records do not depend on how a text is cut into blocks,
// and that each can be written down and read again.
func FuzzText(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\n\"x\ny\"\n", "\xEF\xBB\xBFa\r\n1\r\n", "{}\n[1]\n", "a\n\"\"\"\"\n", "\"a\"\"\n\",b\n1,2\n", "a,b\nC:\\d\\,é\n"} {
		f.Add([]byte(s), true, uint8(3))
		f.Add([]byte(s), false, uint8(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, isCSV bool, block uint8) {
		format := JSONL
		if isCSV {
			format = CSV
		}
		around, whole, err := all(format, bytes.NewReader(in), 1<<20)
		around2, cut, err2 := all(format, bytes.NewReader(in), int(block)+1)
		if (err == nil) != (err2 == nil) || around != around2 || !slices.Equal(whole, cut) {
			t.Fatalf("%q: whole %q %v, in blocks of %d %q %v", in, whole, err, block+1, cut, err2)
		}
		for _, body := range whole {
			text := TextOf(format, []byte(body))
			again, err := ParseRecord(format, text)
			if err != nil || string(again) != body {
				t.Fatalf("%q: %q is written %q and read %q, %v", in, body, text, again, err)
			}
		}
	})
}
