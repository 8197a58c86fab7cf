package encode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"bartizan/finding"
	"bartizan/subject"
)

// standard is what encoding/json writes.
func standard(t interface{ Fatal(...any) }, v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func TestSubjectIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reports(texts(false)).Draw(t, "report")
		if got, want := appendSubject(nil, &r), standard(t, r); !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

// Every field of the report's types is set, so that a field added to one of
// them and not to the encoder fails here.
func TestNoFieldIsForgotten(t *testing.T) {
	var r finding.SubjectReport
	fillValue(reflect.ValueOf(&r).Elem())
	r.Findings[0].Identity = ""
	if got, want := appendSubject(nil, &r), standard(t, r); !bytes.Equal(got, want) {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	var doc finding.Report
	fillValue(reflect.ValueOf(&doc).Elem())
	doc.Schema = finding.Schema
	var b bytes.Buffer
	e := newJSON(&b, Options{Tool: doc.Tool})
	if err := e.Subject(&doc.Subjects[0]); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(End{Summary: doc.Summary, Reasons: doc.Reasons}); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.ReplaceAll(b.String(), "\n", ""), string(standard(t, doc)); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func fillValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fillValue(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillValue(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		item := reflect.New(v.Type().Elem()).Elem()
		fillValue(item)
		v.SetMapIndex(reflect.ValueOf("key"), item)
	case reflect.Interface:
		v.Set(reflect.ValueOf("any"))
	case reflect.String:
		v.SetString("text")
	case reflect.Float64:
		v.SetFloat(0.25)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(1)
	default:
		panic("a kind that the report does not have: " + v.Kind().String())
	}
}

// Whatever the bytes of names and evidence are, the line is JSON, shows nothing
// hidden, and says the same as encoding/json of the texts made valid.
func TestHostileSubject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reports(texts(true)).Draw(t, "report")
		got := appendSubject(nil, &r)
		checkVisible(t, got)
		var back finding.SubjectReport
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		if want := validName(r.ID); back.ID != want {
			t.Fatalf("id: got %q, want %q", back.ID, want)
		}
		for i := range r.Findings {
			if got, want := back.Findings[i].Message, valid(r.Findings[i].Message); got != want {
				t.Fatalf("message: got %q, want %q", got, want)
			}
			if got, want := back.Findings[i].Place.Path, validPath(r.ID, r.Findings[i].Place.Path); got != want {
				t.Fatalf("path: got %q, want %q", got, want)
			}
		}
	})
}

// A consumer finds a subject's places by their common beginning.
func TestPlacesBeginWithTheID(t *testing.T) {
	r := finding.NewSubjectReport(subject.Subject{ID: `a\b.pt`}, finding.Result{
		Findings: []finding.Finding{{Rule: "a/b", Confidence: finding.ConfidenceHigh, Place: finding.Place{Path: "a\\b.pt!/m\xff"}}},
	})
	var back finding.SubjectReport
	if err := json.Unmarshal(appendSubject(nil, &r), &back); err != nil {
		t.Fatal(err)
	}
	if at := back.Findings[0].Place.Path; at != back.ID+`!/m\xff` {
		t.Errorf("id %s, place %s", back.ID, at)
	}
}

func checkVisible(t interface{ Fatalf(string, ...any) }, out []byte) {
	if !utf8.Valid(out) {
		t.Fatalf("not UTF-8: %q", out)
	}
	for _, r := range string(out) {
		if hidden(r) && r != '\n' {
			t.Fatalf("hidden %U in %q", r, out)
		}
	}
}

func TestJSONLIsTheDocumentsSubjects(t *testing.T) {
	var doc, stream bytes.Buffer
	a, b := newJSON(&doc, Options{Tool: finding.Tool{Name: "bartizan", Version: "1"}}), newJSONL(&stream)
	var sum finding.Summary
	for i := range 2000 { // more than one chunk
		r := finding.NewSubjectReport(subject.Subject{Kind: subject.File, ID: fmt.Sprintf("f%d", i), Size: 3}, finding.Result{})
		sum.Add(&r)
		if err := a.Subject(&r); err != nil {
			t.Fatal(err)
		}
		if err := b.Subject(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(End{Summary: sum}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(End{Summary: sum}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(doc.String(), "\n")
	inner := strings.Join(lines[1:len(lines)-2], "\n")
	if got := strings.ReplaceAll(inner, "},\n{", "}\n{") + "\n"; got != stream.String() {
		t.Fatalf("the lines of the document differ from the stream:\n%.300s\n%.300s", got, stream.String())
	}
	var back finding.Report
	if err := json.Unmarshal(doc.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Summary != sum || len(back.Subjects) != 2000 {
		t.Fatalf("summary %+v of %d subjects, want %+v", back.Summary, len(back.Subjects), sum)
	}
}

func TestEmptyReportHasLists(t *testing.T) {
	var b bytes.Buffer
	e := newJSON(&b, Options{Tool: finding.Tool{Name: "bartizan", Version: "1"}})
	if err := e.Close(End{}); err != nil {
		t.Fatal(err)
	}
	want := `{"schema":"bartizan.report/v1","tool":{"name":"bartizan","version":"1"},"subjects":[],"summary":{"subjects":0,"clean":0,"review":0,"block":0,"incomplete":0}}` + "\n"
	if b.String() != want {
		t.Fatalf("got %s", b.String())
	}
}

func TestOddValues(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"not a number", map[string]any{"x": nan()}, `{"x":"NaN"}`},
		{"a channel", map[string]any{"x": make(chan int)}, `{"x":"unprintable chan int: json: unsupported type: chan int"}`},
		{"bytes", []byte{1, 2}, `"AQI="`},
		{"hidden in a struct", struct{ A string }{"\u202e<"}, `{"A":"\u202e<"}`},
		{"hidden key", map[string]int{"\u200b": 1}, `{"\u200b":1}`},
		{"astral", "\U000e0041", `"\udb40\udc41"`},
		{"byte that is no text", "a\xff\\", `"a\\xff\\\\"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(appendValue(nil, c.v, 0)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func nan() float64 { zero := 0.0; return zero / zero }

func TestDeepEvidenceIsCut(t *testing.T) {
	var v any = "end"
	for range 10_000 {
		v = []any{v}
	}
	if got := string(appendValue(nil, v, 0)); strings.Count(got, "[") != maxValueDepth || !json.Valid([]byte(got)) {
		t.Errorf("got %s", got)
	}
}

func FuzzSubject(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, id, s string) {
		r := finding.NewSubjectReport(subject.Subject{Kind: subject.File, ID: id}, finding.Result{
			Reasons: []string{s}, Findings: []finding.Finding{{Rule: "a/b", Confidence: finding.ConfidenceHigh, Message: s, Evidence: map[string]any{s: []any{s}}}},
		})
		out := appendSubject(nil, &r)
		checkVisible(t, out)
		var back finding.SubjectReport
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatalf("%v: %q", err, out)
		}
		if back.Reasons[0] != valid(s) {
			t.Fatalf("got %q, want %q", back.Reasons[0], valid(s))
		}
	})
}

// Command: go test -run '^$' -bench Subject ./finding/encode
func BenchmarkSubject(b *testing.B) {
	r := finding.NewSubjectReport(subject.Subject{Kind: subject.File, ID: "repository/weights/model-00001.pkl", Size: 812,
		Digest: "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}, finding.Result{Formats: []string{"pickle"}})
	b.Run("appended", func(b *testing.B) {
		var buf []byte
		for b.Loop() {
			buf = appendSubject(buf[:0], &r)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			if _, err := json.Marshal(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
