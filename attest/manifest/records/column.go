package records

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Column describes a column of Parquet, or a group of columns. A list of them in
// canonical form, in the order of the file, is what stands around the records of
// Parquet: the members are what a reader needs to know to understand a row, and
// other annotations of writers do not change the shape.
type Column struct {
	Name       string   `json:"name"`
	Repetition string   `json:"repetition"`        // required, optional, repeated
	Type       string   `json:"type,omitempty"`    // physical, such as INT64 or FIXED_LEN_BYTE_ARRAY(16)
	Logical    string   `json:"logical,omitempty"` // what the values mean, such as decimal(10,2)
	Fields     []Column `json:"fields,omitempty"`  // of a group
}

// The repetitions.
const (
	Required = "required"
	Optional = "optional"
	Repeated = "repeated"
)

// MaxDecimal is how many bytes a decimal may take that is stored as bytes.
const MaxDecimal = 128

// Text says that the values are strings, not bytes.
func (c *Column) Text() bool {
	return c.Type == "BYTE_ARRAY" && (c.Logical == "string" || c.Logical == "enum" || c.Logical == "json")
}

// Unsigned says that integers have no sign.
func (c *Column) Unsigned() bool {
	return strings.HasPrefix(c.Logical, "int(") && strings.HasSuffix(c.Logical, ",false)")
}

// Decimal says that the values are unscaled decimals, whatever they are stored as.
func (c *Column) Decimal() bool { return strings.HasPrefix(c.Logical, "decimal(") }

// group is a row, or a group of columns within one.
type group struct {
	columns []Column
	groups  []*group // of each column that is one
	byName  map[string]int
}

func parseSchema(around []byte) (*group, error) {
	var columns []Column
	// Nested deeper than package strictjson reads, in text that the root covers.
	if err := json.Unmarshal(around, &columns, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("a schema that cannot be read: %w", err)
	}
	return newGroup(columns, 0)
}

func newGroup(columns []Column, depth int) (*group, error) {
	g := &group{columns: columns, groups: make([]*group, len(columns)), byName: make(map[string]int, len(columns))}
	switch {
	case len(columns) == 0:
		return nil, errors.New("a schema without columns")
	case depth > MaxDepth:
		return nil, fmt.Errorf("a schema nested more than %d deep", MaxDepth)
	}
	for i := range columns {
		c := &columns[i]
		if _, twice := g.byName[c.Name]; twice {
			return nil, fmt.Errorf("a schema that has %q twice", c.Name)
		}
		g.byName[c.Name] = i
		if (c.Type == "") == (len(c.Fields) == 0) || c.Repetition != Required && c.Repetition != Optional && c.Repetition != Repeated {
			return nil, fmt.Errorf("a schema that does not say what %q is", c.Name)
		}
		if len(c.Fields) > 0 {
			var err error
			if g.groups[i], err = newGroup(c.Fields, depth+1); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

// fits says why a record in canonical form is no row of the schema, as which it
// could never be there: a member too many or too few, a value of another kind,
// null where there is always a value, a number that the column cannot hold or
// that is written otherwise than reading writes it.
func (g *group) fits(body []byte) error {
	r := rowReader{jsontext.NewDecoder(bytes.NewReader(body))}
	return r.object(g, "")
}

// rowReader reads a value in canonical form along a schema.
type rowReader struct{ *jsontext.Decoder }

func wrong(path, format string, args ...any) error {
	if path == "" {
		path = "the row"
	}
	return fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
}

func (r rowReader) object(g *group, path string) error {
	if r.PeekKind() != '{' {
		return wrong(path, "is no object with a member for every column")
	}
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	seen := make([]bool, len(g.columns))
	for r.PeekKind() != '}' {
		name, err := r.ReadToken()
		if err != nil {
			return err
		}
		i, known := g.byName[name.String()]
		if !known {
			return wrong(path, "there is no column %s", strconv.Quote(name.String()))
		}
		seen[i] = true
		if err := r.value(&g.columns[i], g.groups[i], path+"/"+g.columns[i].Name, false); err != nil {
			return err
		}
	}
	for i, is := range seen {
		if !is {
			return wrong(path, "the column %s is missing (where a value is absent, write null)", strconv.Quote(g.columns[i].Name))
		}
	}
	_, err := r.ReadToken()
	return err
}

// value reads the value of a column, or one element of it.
func (r rowReader) value(c *Column, g *group, path string, element bool) error {
	kind := r.PeekKind()
	switch {
	case c.Repetition == Repeated && !element:
		return r.list(c, g, path)
	case kind == 'n' && c.Repetition == Optional:
		_, err := r.ReadToken()
		return err
	case kind == 'n':
		return wrong(path, "is null, and the column has a value always")
	case g != nil:
		return r.object(g, path)
	}
	raw, err := r.ReadValue()
	if err != nil {
		return err
	}
	if err := c.holds(raw); err != nil {
		return wrong(path, "%s", err)
	}
	return nil
}

func (r rowReader) list(c *Column, g *group, path string) error {
	if r.PeekKind() != '[' {
		return wrong(path, "is no list")
	}
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	for r.PeekKind() != ']' {
		if err := r.value(c, g, path, true); err != nil {
			return err
		}
	}
	_, err := r.ReadToken()
	return err
}

// holds says why the column cannot hold a value that is not null.
func (c *Column) holds(raw jsontext.Value) error {
	size := 0
	if n, err := fmt.Sscanf(c.Type, "FIXED_LEN_BYTE_ARRAY(%d)", &size); n == 1 && err == nil {
		if c.Decimal() {
			return c.integer(raw, 8*size)
		}
		return isBase64(raw, size)
	}
	switch c.Type {
	case "BOOLEAN":
		if k := raw.Kind(); k != 't' && k != 'f' {
			return errors.New("is neither true nor false")
		}
		return nil
	case "INT32":
		return c.integer(raw, 32)
	case "INT64":
		return c.integer(raw, 64)
	case "FLOAT":
		return isFloat(raw, 32)
	case "DOUBLE":
		return isFloat(raw, 64)
	case "INT96":
		return isBase64(raw, 12)
	case "BYTE_ARRAY":
		switch {
		case c.Decimal():
			return c.integer(raw, 8*MaxDecimal)
		case !c.Text():
			return isBase64(raw, -1)
		case raw.Kind() != '"':
			return errors.New("is no string")
		}
		return nil
	}
	return fmt.Errorf("is of the type %q, which is not known here", c.Type)
}

// integer takes a number in canonical form: digits, and an exponent.
func (c *Column) integer(raw jsontext.Value, bits int) error {
	const most = 8 * MaxDecimal // more digits than any column holds
	whole := "is no integer"
	if c.Decimal() {
		whole = "is no unscaled value: 12.50 in a column " + c.Logical + " is the integer that is stored, without its point"
	}
	if raw.Kind() != '0' {
		return errors.New(whole)
	}
	digits, e, _ := strings.Cut(string(raw), "e")
	zeros, _ := strconv.Atoi(e) // 0 where there is none
	if zeros < 0 {
		return errors.New(whole)
	}
	if zeros > most || len(digits)+zeros > most {
		return errors.New("is a number that the column cannot hold")
	}
	n, ok := new(big.Int).SetString(digits+strings.Repeat("0", zeros), 10)
	if !ok {
		return errors.New(whole)
	}
	if c.Unsigned() {
		if n.Sign() < 0 || n.BitLen() > bits {
			return errors.New("is a number that the column cannot hold")
		}
		return nil
	}
	if n.Sign() < 0 { // two's complement has one more below zero
		n.Not(n)
	}
	if n.BitLen() > bits-1 {
		return errors.New("is a number that the column cannot hold")
	}
	return nil
}

// isFloat wants the shortest number that stands for a value, as reading gives it:
// another would be proven absent although the column holds its value.
func isFloat(raw jsontext.Value, bits int) error {
	switch s := string(raw); {
	case s == `"NaN"`, s == `"Infinity"`, s == `"-Infinity"`:
		return nil
	case raw.Kind() != '0':
		return errors.New("is no number")
	}
	v, err := strconv.ParseFloat(string(raw), bits)
	if err != nil {
		return errors.New("is a number that the column cannot hold")
	}
	shortest, err := AppendCanonical(nil, strconv.AppendFloat(nil, v, 'e', -1, bits))
	if err != nil || !bytes.Equal(shortest, raw) {
		return fmt.Errorf("is no number that the column can hold: the nearest is %s", shortest)
	}
	return nil
}

// isBase64 wants the standard alphabet, with padding, of so many bytes (-1: any).
func isBase64(raw jsontext.Value, size int) error {
	if raw.Kind() != '"' {
		return errors.New("is no string of base64")
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return err
	}
	data, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || base64.StdEncoding.EncodedLen(len(data)) != len(text) {
		return errors.New("is no base64")
	}
	if size >= 0 && len(data) != size {
		return fmt.Errorf("has %d bytes where the column has %d", len(data), size)
	}
	return nil
}
