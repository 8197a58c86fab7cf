package parquet

import (
	"bytes"
	"fmt"
	"sort"

	json "github.com/go-json-experiment/json"

	"github.com/apache/arrow-go/v18/parquet"
	arrow "github.com/apache/arrow-go/v18/parquet/schema"

	"bartizan/attest/manifest/records"
)

// schema says how to write a row.
type schema struct {
	top    []*node // the columns and groups, in canonical order of their names
	leaves []*leaf // in the order of the file
	text   []byte
}

// node is a field, of a group or of the row.
type node struct {
	name     []byte
	key      []byte // "name": as it is written
	optional bool
	repeated bool
	leaf     *leaf   // of a column
	children []*node // of a group, in canonical order
	first    int     // its columns
	end      int
}

// leaf is a column.
type leaf struct {
	index int
	path  string
	*records.Column
	maxDef int16
	maxRep int16
}

// readSchema lays out the fields. The order of columns does not matter for the
// rows, but does for the shape.
func readSchema(s *arrow.Schema) (*schema, error) {
	if s.NumColumns() == 0 || s.NumColumns() > maxColumns {
		return nil, malformed("a schema of %d columns", s.NumColumns())
	}
	b := builder{schema: s, out: &schema{}}
	top, fields, err := b.group(s.Root(), 0)
	if err != nil {
		return nil, err
	}
	b.out.top = top
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, malformed("a name in the schema that is no UTF-8")
	}
	b.out.text, err = records.AppendCanonical(nil, raw)
	if err != nil {
		return nil, malformed("schema: %s", err)
	}
	return b.out, nil
}

type builder struct {
	schema *arrow.Schema
	out    *schema
}

func (b *builder) group(g *arrow.GroupNode, depth int) ([]*node, []records.Column, error) {
	if depth > records.MaxDepth/2 { // a repeated group takes two levels of JSON
		return nil, nil, malformed("a schema nested more than %d deep", records.MaxDepth/2)
	}
	if g.NumFields() == 0 {
		return nil, nil, malformed("a group without fields in the schema")
	}
	var nodes []*node
	var fields []records.Column
	for i := range g.NumFields() {
		n, d, err := b.field(g.Field(i), depth)
		if err != nil {
			return nil, nil, err
		}
		nodes, fields = append(nodes, n), append(fields, d)
	}
	sort.Slice(nodes, func(i, j int) bool { return records.CompareNames(nodes[i].name, nodes[j].name) < 0 })
	for i := 1; i < len(nodes); i++ {
		if bytes.Equal(nodes[i-1].name, nodes[i].name) {
			return nil, nil, malformed("a name that stands twice in the schema")
		}
	}
	return nodes, fields, nil
}

func (b *builder) field(f arrow.Node, depth int) (*node, records.Column, error) {
	d := records.Column{Name: f.Name(), Repetition: f.RepetitionType().String(), Logical: logical(f)}
	n := &node{
		name: []byte(f.Name()), first: len(b.out.leaves),
		optional: f.RepetitionType() == parquet.Repetitions.Optional,
		repeated: f.RepetitionType() == parquet.Repetitions.Repeated,
	}
	var err error
	if n.key, err = records.AppendString(nil, []byte(f.Name())); err != nil {
		return nil, d, malformed("a name in the schema that is no UTF-8")
	}
	n.key = append(n.key, ':')
	switch f := f.(type) {
	case *arrow.GroupNode:
		n.children, d.Fields, err = b.group(f, depth+1)
	case *arrow.PrimitiveNode:
		d.Type = f.PhysicalType().String()
		if f.PhysicalType() == parquet.Types.FixedLenByteArray {
			d.Type = fmt.Sprintf("%s(%d)", d.Type, f.TypeLength())
		}
		n.leaf = b.leaf(d)
	default:
		err = malformed("a field of an unknown kind in the schema")
	}
	n.end = len(b.out.leaves)
	return n, d, err
}

func (b *builder) leaf(d records.Column) *leaf {
	column := b.schema.Column(len(b.out.leaves))
	l := &leaf{
		index: len(b.out.leaves), path: column.Path(), Column: &d,
		maxDef: column.MaxDefinitionLevel(), maxRep: column.MaxRepetitionLevel(),
	}
	b.out.leaves = append(b.out.leaves, l)
	return l
}

// integer is what the library's integer types have in common.
type integer interface {
	BitWidth() int8
	IsSigned() bool
}

// logical names what the values of a field mean, in words of our own: the
// library's may change.
func logical(f arrow.Node) string {
	switch t := f.LogicalType().(type) {
	case arrow.StringLogicalType:
		return "string"
	case arrow.EnumLogicalType:
		return "enum"
	case arrow.JSONLogicalType:
		return "json"
	case arrow.BSONLogicalType:
		return "bson"
	case arrow.UUIDLogicalType:
		return "uuid"
	case arrow.DateLogicalType:
		return "date"
	case arrow.ListLogicalType:
		return "list"
	case arrow.MapLogicalType:
		return "map"
	case arrow.Float16LogicalType:
		return "float16"
	case arrow.IntervalLogicalType:
		return "interval"
	case integer:
		return fmt.Sprintf("int(%d,%t)", t.BitWidth(), t.IsSigned())
	case interface {
		Precision() int32
		Scale() int32
	}:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision(), t.Scale())
	case arrow.TimeLogicalType:
		return fmt.Sprintf("time(%t,%s)", t.IsAdjustedToUTC(), unit(t.TimeUnit()))
	case arrow.TemporalLogicalType: // but for TimeLogicalType above: a timestamp
		return fmt.Sprintf("timestamp(%t,%s)", t.IsAdjustedToUTC(), unit(t.TimeUnit()))
	}
	return ""
}

func unit(u arrow.TimeUnitType) string {
	switch u {
	case arrow.TimeUnitMillis:
		return "ms"
	case arrow.TimeUnitMicros:
		return "us"
	case arrow.TimeUnitNanos:
		return "ns"
	}
	return "unknown"
}
