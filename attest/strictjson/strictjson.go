// Package strictjson reads JSON that somebody signed, so that no two readers
// can understand it differently: duplicate keys, trailing data, invalid UTF-8,
// lone surrogates, a byte order mark and deep nesting are refused, and names
// match by case.
//
// The parsing is that of github.com/go-json-experiment/json (RFC 8259 with the
// interoperable restrictions of RFC 7493); limits are checked before it runs.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deeply objects and arrays may be nested.
const MaxDepth = 32

// Errors of documents that are not parsed at all.
var (
	ErrTooDeep = fmt.Errorf("nested more than %d deep", MaxDepth)
	ErrTooMany = errors.New("more objects, lists or members than any real document has")
)

// Limits bound how many things a document may hold, whatever its size in bytes:
// 32 MiB of "{}," would be gigabytes once parsed.
type Limits struct {
	Objects int // objects and lists
	Commas  int // about as many as there are members and elements
}

// Default is for statements and manifests of a million files.
func Default() Limits { return Limits{Objects: 2_100_000, Commas: 8_000_000} }

// Unmarshal reads the one JSON value in data into out. Members that out does
// not name are skipped (but read, with all rules); use a jsontext.Value-typed
// field with the tag `json:",embed"` to see them.
func Unmarshal(data []byte, out any) error {
	if err := Check(data, Default()); err != nil {
		return err
	}
	err := json.Unmarshal(data, out, jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false))
	return shorten(err)
}

// UnmarshalExact is Unmarshal that also refuses members that out does not name.
func UnmarshalExact(data []byte, out any) error {
	if err := Check(data, Default()); err != nil {
		return err
	}
	return shorten(json.Unmarshal(data, out, json.RejectUnknownMembers(true)))
}

// Check counts brackets and commas outside strings: cheap, and before anything
// is allocated. It needs no valid JSON.
func Check(data []byte, limit Limits) error {
	depth, objects, commas := 0, 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = closing(data, i+1)
		case '{', '[':
			depth++
			objects++
		case '}', ']':
			depth--
		case ',':
			commas++
		}
		switch {
		case depth > MaxDepth:
			return ErrTooDeep
		case objects > limit.Objects || commas > limit.Commas:
			return ErrTooMany
		}
	}
	return nil
}

// closing gives the place of the quote that ends the string that begins at i.
func closing(data []byte, i int) int {
	for i < len(data) && data[i] != '"' {
		if data[i] == '\\' {
			i++
		}
		i++
	}
	return i
}

// shorten drops what the library says about Go types: the text goes to people
// who look at a file. It keeps where the fault lies, and never the content.
func shorten(err error) error {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntactic):
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return fmt.Errorf("a key stands twice at offset %d", syntactic.ByteOffset)
		}
		return fmt.Errorf("no valid JSON at offset %d", syntactic.ByteOffset)
	case errors.As(err, &semantic):
		if errors.Is(err, json.ErrUnknownName) {
			return fmt.Errorf("unknown member %s", clip(string(semantic.JSONPointer)))
		}
		return fmt.Errorf("%s is not what it should be: %s", clip(string(semantic.JSONPointer)), semantic.JSONKind)
	}
	return errors.New("no valid JSON")
}

func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	if s == "" {
		return "the document"
	}
	return s
}

// Kind says whether raw is an object ('{'), array ('['), string ('"'), number
// ('0'), true, false or null ('n'), or 0 where it is empty.
func Kind(raw []byte) byte {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return 0
	}
	switch c := raw[0]; {
	case c == '-' || c >= '0' && c <= '9':
		return '0'
	default:
		return c
	}
}
