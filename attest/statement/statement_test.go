package statement

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"bartizan/attest"
)

const good = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":"` +
	`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}],"predicateType":"https://example.org/p/v1","predicate":{"a":1}}`

func TestParse(t *testing.T) {
	s, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if s.Subject[0].Name != "m" || s.PredicateType != "https://example.org/p/v1" || string(s.Predicate) != `{"a":1}` || s.Digest("sha256") != hexOf("a", 64) {
		t.Errorf("%+v", s)
	}
}

func TestParseRefuses(t *testing.T) {
	a64 := hexOf("a", 64)
	swap := func(old, new string) string {
		out := strings.Replace(good, old, new, 1)
		if out == good {
			t.Fatalf("%q is not in the statement", old)
		}
		return out
	}
	for name, c := range map[string]struct {
		payload string
		code    attest.Code
	}{
		"nothing":               {"", attest.StatementMalformed},
		"null":                  {"null", attest.StatementMalformed},
		"a list":                {"[1, 2]", attest.StatementMalformed},
		"no JSON":               {"statement", attest.StatementMalformed},
		"trailing data":         {good + "{}", attest.StatementMalformed},
		"byte order mark":       {"\ufeff" + good, attest.StatementMalformed},
		"no UTF-8":              {swap(`"m"`, "\"\xff\""), attest.StatementMalformed},
		"lone surrogate":        {swap(`"m"`, `"\ud800"`), attest.StatementMalformed},
		"deep":                  {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), attest.StatementMalformed},
		"deep predicate":        {swap(`{"a":1}`, strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)), attest.StatementMalformed},
		"key twice":             {swap(`"predicate":`, `"predicate":{},"predicate":`), attest.StatementMalformed},
		"key twice, escaped":    {swap(`"predicate":`, `"predic\u0061te":{},"predicate":`), attest.StatementMalformed},
		"key twice in subject":  {swap(`"name":"m"`, `"name":"m","name":"n"`), attest.StatementMalformed},
		"digest twice":          {swap(`"sha256":`, `"sha256":"`+hexOf("b", 64)+`","sha256":`), attest.StatementMalformed},
		"key twice below":       {swap(`{"a":1}`, `{"a":{"b":1,"b":2}}`), attest.StatementMalformed},
		"another version":       {swap(`Statement/v1`, `Statement/v0.1`), attest.StatementType},
		"another shape":         {`{"_type":"https://in-toto.io/Statement/v2","subject":"x"}`, attest.StatementType},
		"type in other case":    {swap(`"_type"`, `"_Type"`), attest.StatementMalformed},
		"no type":               {swap(`"_type":"https://in-toto.io/Statement/v1",`, ``), attest.StatementMalformed},
		"type is null":          {swap(`"https://in-toto.io/Statement/v1"`, `null`), attest.StatementMalformed},
		"type with a blank":     {swap(`Statement/v1`, `Statement/v1 `), attest.StatementType},
		"no subject":            {swap(`"subject":[{"name":"m","digest":{"sha256":"`+a64+`"}}],`, ``), attest.StatementMalformed},
		"empty subject":         {swap(`[{"name":"m","digest":{"sha256":"`+a64+`"}}]`, `[]`), attest.StatementMalformed},
		"subject is null":       {swap(`[{"name":"m","digest":{"sha256":"`+a64+`"}}]`, `[null]`), attest.StatementMalformed},
		"subject is an object":  {swap(`[{"name":"m","digest":{"sha256":"`+a64+`"}}]`, `{}`), attest.StatementMalformed},
		"no digest":             {swap(`,"digest":{"sha256":"`+a64+`"}`, `,"uri":"https://x.org"`), attest.StatementMalformed},
		"empty digest":          {swap(`{"sha256":"`+a64+`"}`, `{}`), attest.StatementMalformed},
		"digest is null":        {swap(`"`+a64+`"`, `null`), attest.StatementMalformed},
		"short digest":          {swap(a64, hexOf("a", 62)), attest.StatementMalformed},
		"long digest":           {swap(a64, hexOf("a", 66)), attest.StatementMalformed},
		"upper case":            {swap(a64, hexOf("A", 64)), attest.StatementMalformed},
		"no hexadecimal":        {swap(a64, hexOf("g", 64)), attest.StatementMalformed},
		"long name":             {swap(`"m"`, `"`+hexOf("m", MaxName+1)+`"`), attest.StatementMalformed},
		"name is a number":      {swap(`"m"`, `1`), attest.StatementMalformed},
		"uri without scheme":    {swap(`"name":"m"`, `"uri":"m"`), attest.StatementMalformed},
		"content no base64":     {swap(`"name":"m"`, `"content":"a-b_"`), attest.StatementMalformed},
		"no predicate type":     {swap(`"predicateType":"https://example.org/p/v1",`, ``), attest.StatementMalformed},
		"predicate type no URI": {swap(`https://example.org/p/v1`, `p`), attest.StatementMalformed},
		"predicate is a list":   {swap(`{"a":1}`, `[]`), attest.StatementMalformed},
		"predicate is a text":   {swap(`{"a":1}`, `"x"`), attest.StatementMalformed},
	} {
		if _, err := Parse([]byte(c.payload)); attest.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestParseKeepsToLimits(t *testing.T) {
	if _, err := Parse(bytes.Repeat([]byte(" "), MaxPayload+1)); attest.CodeOf(err) != attest.StatementMalformed {
		t.Errorf("a large payload: %v", err)
	}
	empty := strings.TrimSuffix(strings.Repeat("{},", MaxPayload/3-1000), ",")
	for name, payload := range map[string]string{
		"many subjects":     `{"_type":"` + Type + `","subject":[` + empty + `],"predicateType":"https://x.org/v1"}`,
		"many dependencies": strings.Replace(good, `"https://example.org/p/v1","predicate":{"a":1}`, `"`+SLSAProvenanceType+`","predicate":{"buildDefinition":{"resolvedDependencies":[`+empty+`]}}`, 1),
		"many tests":        strings.Replace(good, `"https://example.org/p/v1","predicate":{"a":1}`, `"`+TestResultType+`","predicate":{"passedTests":[`+strings.ReplaceAll(empty, "{}", `""`)+`]}`, 1),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := Parse([]byte(payload))
		if err == nil {
			if _, err = ParseSLSAProvenance(s); attest.CodeOf(err) == attest.PredicateType {
				_, err = ParseTestResult(s)
			}
		}
		runtime.ReadMemStats(&after)
		if attest.CodeOf(err) != attest.StatementMalformed {
			t.Errorf("%s: %v", name, err)
		}
		if all := (after.TotalAlloc - before.TotalAlloc) >> 20; all > 900 { // everything that was ever taken, not at once
			t.Errorf("%s: %d MiB", name, all)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	for name, payload := range map[string]string{
		"no predicate":          strings.Replace(good, `,"predicate":{"a":1}`, ``, 1),
		"predicate is null":     strings.Replace(good, `{"a":1}`, `null`, 1),
		"unknown members":       strings.Replace(good, `{"_type"`, `{"newer":[1],"_type"`, 1),
		"unknown in subject":    strings.Replace(good, `"name":"m"`, `"name":"m","newer":{}`, 1),
		"unknown algorithm too": strings.Replace(good, `"sha256"`, `"somecoolhash":"Base64==","sha256"`, 1),
		"blanks":                " \r\n\t" + good + "\n",
		"no name":               strings.Replace(good, `"name":"m",`, ``, 1),
	} {
		if _, err := Parse([]byte(payload)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	base := func() *Statement {
		return &Statement{Subject: []Descriptor{{Name: "m", Digest: sha("a")}}, PredicateType: "https://x.org/v1", Predicate: jsontext.Value(`{"a":1}`)}
	}
	for name, change := range map[string]func(*Statement){
		"no subject":     func(s *Statement) { s.Subject = nil },
		"no digest":      func(s *Statement) { s.Subject[0].Digest = nil },
		"bad digest":     func(s *Statement) { s.Subject[0].Digest = SHA256("AB") },
		"no type":        func(s *Statement) { s.PredicateType = "" },
		"name not UTF-8": func(s *Statement) { s.Subject[0].Name = "\xff" },
		"key twice":      func(s *Statement) { s.Predicate = jsontext.Value(`{"a":1,"a":2}`) },
		"no object":      func(s *Statement) { s.Predicate = jsontext.Value(`1`) },
		"large integer":  func(s *Statement) { s.Predicate = jsontext.Value(`{"a":9007199254740993}`) },
		"huge number":    func(s *Statement) { s.Predicate = jsontext.Value(`{"a":1e999}`) },
		"long number":    func(s *Statement) { s.Predicate = jsontext.Value(`{"a":` + hexOf("9", 100) + `}`) },
		"deep": func(s *Statement) {
			s.Predicate = jsontext.Value(strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40))
		},
		"trailing": func(s *Statement) { s.Predicate = jsontext.Value(`{} {}`) },
	} {
		s := base()
		change(s)
		if out, err := s.Marshal(); attest.CodeOf(err) != attest.StatementMalformed {
			t.Errorf("%s: %s %v", name, out, err)
		}
	}
}

// TestCanonical holds the examples of RFC 8785, 3.2.
func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		{`[-0, 1.0, 1e2, 9007199254740992]`, `[0,1,100,9007199254740992]`},
	} {
		got, err := Canonical([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s\ngives %s\nwant  %s (%v)", c.in, got, c.want, err)
		}
	}
}

// TestParseOfMarshal holds, for any statement, that what is written is read as
// the same, and that it is canonical.
func TestParseOfMarshal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStatement(t)
		out, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		canonical, err := Canonical(out)
		if err != nil || !bytes.Equal(canonical, out) {
			t.Fatalf("not canonical: %s (%v)", out, err)
		}
		back, err := Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, s) {
			t.Fatalf("written %+v\nread    %+v", s, back)
		}
	})
}

func drawStatement(t *rapid.T) *Statement {
	s := &Statement{PredicateType: "https://example.org/" + rapid.StringMatching(`[a-z0-9/%]{0,2}[a-z]{0,8}`).Draw(t, "type")}
	s.PredicateType = strings.ReplaceAll(s.PredicateType, "%", "")
	for range rapid.IntRange(1, 4).Draw(t, "subjects") {
		d := drawDescriptor(t)
		if d.Digest == nil {
			d.Digest = sha("a")
		}
		s.Subject = append(s.Subject, d)
	}
	if rapid.Bool().Draw(t, "has predicate") {
		raw, err := Canonical([]byte(fmt.Sprintf(`{"x":%s}`, drawJSON(t, 4))))
		if err != nil {
			t.Fatal(err)
		}
		s.Predicate = raw
	}
	return s
}

func drawDescriptor(t *rapid.T) Descriptor {
	d := Descriptor{Name: rapid.String().Draw(t, "name"), MediaType: rapid.StringN(0, 20, -1).Draw(t, "media type")}
	if rapid.Bool().Draw(t, "uri") {
		d.URI = "pkg:generic/" + rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "uri")
	}
	if rapid.Bool().Draw(t, "digest") || d.URI == "" {
		d.Digest = Digests{}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"sha256", "sha1", "sha384", "sha512", "blake2b", "blake3", "gitCommit", "gitTree"}), 1, 4, rapid.ID[string]).Draw(t, "algorithms") {
			n := algorithms[name].lengths[0]
			d.Digest[name] = rapid.StringMatching(fmt.Sprintf(`[0-9a-f]{%d}`, n)).Draw(t, name)
		}
	}
	if content := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "content"); len(content) > 0 {
		d.Content = content
	}
	for range rapid.IntRange(0, 2).Draw(t, "annotations") {
		if d.Annotations == nil {
			d.Annotations = map[string]jsontext.Value{}
		}
		raw, err := Canonical([]byte(drawJSON(t, 3)))
		if err != nil {
			t.Fatal(err)
		}
		d.Annotations[rapid.String().Draw(t, "key")] = raw
	}
	return d
}

// drawJSON gives some JSON value.
func drawJSON(t *rapid.T, depth int) string {
	switch kind := rapid.IntRange(0, 6).Draw(t, "kind"); {
	case kind == 0:
		return "null"
	case kind == 1:
		return "true"
	case kind == 2:
		return fmt.Sprint(rapid.Int64Range(-1<<53, 1<<53).Draw(t, "int"))
	case kind == 3:
		return number(rapid.Float64().Draw(t, "float"))
	case kind == 4 || depth == 0:
		return quote(rapid.String().Draw(t, "text"))
	case kind == 5:
		return "[" + drawJSON(t, depth-1) + "," + drawJSON(t, depth-1) + "]"
	}
	return `{` + quote(rapid.String().Draw(t, "key")) + `:` + drawJSON(t, depth-1) + `}`
}

func quote(s string) string {
	out, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "?"))
	if err != nil {
		panic(err)
	}
	return string(out)
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 100_000} {
		s := &Statement{PredicateType: "https://x.org/v1", Predicate: jsontext.Value(`{"a":1}`)}
		for i := range n {
			s.Subject = append(s.Subject, Descriptor{Name: fmt.Sprintf("file-%d", i), Digest: sha("a")})
		}
		payload, err := s.Marshal()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("subjects=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMarshal(b *testing.B) {
	s := &Statement{PredicateType: "https://x.org/v1", Predicate: jsontext.Value(`{"a":1}`), Subject: []Descriptor{{Name: "m", Digest: sha("a")}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Marshal(); err != nil {
			b.Fatal(err)
		}
	}
}
