package encode

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bartizan/finding"
)

func TestHTMLExample(t *testing.T) {
	list, end, opt := example()
	page := string(encodeAll(t, "html", list, end, opt))
	for _, want := range []string{
		"models/a.pt", "calls os.system", "Do not load the file.", "AML.T0018.002 Manipulate AI Model: Embed Malware", "https://cwe.mitre.org/data/definitions/502.html",
		"waived until 2030-01-02", "our own &lt;b&gt;logger&lt;/b&gt;", `caf\xe9 \u202e.bin`, "no such file: check the path", "1 block", "system(&#39;id&#39;)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Index(page, ">block (1)<") > strings.Index(page, ">clean (2)<") {
		t.Error("the worst stands first")
	}
}

var attack = regexp.MustCompile(`(?i)<script|<img|<iframe|javascript:| on[a-z]+=`)

// No text leaves its element: the page's tags are those of an empty report's
// kinds, and none of what attackers try.
func TestHTMLEscapesEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(reports(texts(true)), 1, 3).Draw(t, "list")
		page := string(encodeAll(t, "html", list, End{Reasons: []string{hostile[6]}}, Options{}))
		if hit := attack.FindString(tagsOf(page)); hit != "" {
			t.Fatalf("%q got through", hit)
		}
	})
}

// tagsOf gives what a parser takes for tags.
func tagsOf(page string) string {
	var b strings.Builder
	for i := 0; i < len(page); i++ {
		if page[i] == '<' {
			end := strings.IndexByte(page[i:], '>')
			if end < 0 {
				return b.String() + page[i:]
			}
			b.WriteString(page[i : i+end+1])
			i += end
		}
	}
	return b.String()
}

// Elements close in the order in which they were opened.
func TestHTMLIsBalanced(t *testing.T) {
	list, end, opt := example()
	page := string(encodeAll(t, "html", list, end, opt))
	dec := xml.NewDecoder(strings.NewReader(page))
	dec.Strict = false
	dec.AutoClose = []string{"meta"}
	depth := 0
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		t.Errorf("%d elements stay open", depth)
	}
}

func TestHTMLRefusesUnknownVerdict(t *testing.T) {
	e := newHTML(io.Discard, Options{})
	if err := e.Subject(&finding.SubjectReport{Verdict: 9}); err == nil {
		t.Error("accepted")
	}
}
