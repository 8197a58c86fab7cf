package parquet

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"bartizan/attest"
	"bartizan/attest/manifest/merkle"
	"bartizan/attest/manifest/records"
)

// table builds a record of arrow from JSON rows.
func table(t testing.TB, schema *arrow.Schema, rows string) arrow.RecordBatch {
	t.Helper()
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func write(t testing.TB, batch arrow.RecordBatch, opts ...parquet.WriterProperty) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pqarrow.NewFileWriter(batch.Schema(), &b, parquet.NewWriterProperties(opts...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteBuffered(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func rowsOf(data []byte) (around string, rows []string, err error) {
	s, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", nil, err
	}
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			return string(s.Around()), rows, nil
		}
		if err != nil {
			return "", nil, err
		}
		if err := b.Each(func(body []byte) error {
			rows = append(rows, string(body))
			return nil
		}); err != nil {
			return "", nil, err
		}
	}
}

// mixed has every kind of column, nulls, lists, and groups.
func mixed() *arrow.Schema {
	f := func(name string, t arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: t, Nullable: true}
	}
	return arrow.NewSchema([]arrow.Field{
		f("z", arrow.PrimitiveTypes.Int64), f("a", arrow.BinaryTypes.String), f("u", arrow.PrimitiveTypes.Uint64), f("small", arrow.PrimitiveTypes.Uint32),
		f("f", arrow.PrimitiveTypes.Float64), f("g", arrow.PrimitiveTypes.Float32), f("b", arrow.FixedWidthTypes.Boolean), f("raw", arrow.BinaryTypes.Binary),
		f("fixed", &arrow.FixedSizeBinaryType{ByteWidth: 2}), f("day", arrow.FixedWidthTypes.Date32), f("at", arrow.FixedWidthTypes.Timestamp_us),
		f("list", arrow.ListOf(arrow.PrimitiveTypes.Int32)), f("group", arrow.StructOf(f("x", arrow.PrimitiveTypes.Int32), f("deep", arrow.ListOf(arrow.ListOf(arrow.BinaryTypes.String))))),
		{Name: "a!", Type: arrow.PrimitiveTypes.Int32},
	}, nil)
}

const mixedRows = `[
 {"z":100,"a":"é\"","u":18446744073709551615,"small":4294967295,"f":0.1,"g":0.1,"b":true,"raw":"AP8=","fixed":"AAE=","day":"1970-01-02","at":"1970-01-01 00:00:01Z","list":[1,null,10],"group":{"x":1,"deep":[["p","q"],[],null,["r"]]},"a!":1},
 {"z":null,"a":null,"u":null,"small":null,"f":null,"g":null,"b":null,"raw":null,"fixed":null,"day":null,"at":null,"list":null,"group":null,"a!":2},
 {"z":-9223372036854775808,"a":"","u":0,"small":0,"f":1e300,"g":-0.0,"b":false,"raw":"","fixed":"//8=","day":"1969-12-31","at":"1969-12-31 23:59:59Z","list":[],"group":{"x":null,"deep":[]},"a!":3}
]`

var wantMixed = []string{
	`{"a":"é\"","a!":1,"at":1e6,"b":true,"day":1,"f":1e-1,"fixed":"AAE=","g":1e-1,"group":{"deep":{"list":[{"element":{"list":[{"element":"p"},{"element":"q"}]}},{"element":{"list":[]}},{"element":null},{"element":{"list":[{"element":"r"}]}}]},"x":1},"list":{"list":[{"element":1},{"element":null},{"element":1e1}]},"raw":"AP8=","small":4294967295,"u":18446744073709551615,"z":1e2}`,
	`{"a":null,"a!":2,"at":null,"b":null,"day":null,"f":null,"fixed":null,"g":null,"group":null,"list":null,"raw":null,"small":null,"u":null,"z":null}`,
	`{"a":"","a!":3,"at":-1e6,"b":false,"day":-1,"f":1e300,"fixed":"//8=","g":0,"group":{"deep":{"list":[]},"x":null},"list":{"list":[]},"raw":"","small":0,"u":0,"z":-9223372036854775808}`,
}

// TestRows: what a row is does not depend on how the file was written, and is
// canonical as records.ParseRecord makes it.
func TestRows(t *testing.T) {
	batch := table(t, mixed(), mixedRows)
	var around string
	for name, opts := range map[string][]parquet.WriterProperty{
		"plain":        {parquet.WithDictionaryDefault(false)},
		"dictionary":   {parquet.WithDictionaryDefault(true)},
		"version 2":    {parquet.WithDataPageVersion(parquet.DataPageV2)},
		"row groups":   {parquet.WithMaxRowGroupLength(1)},
		"small pages":  {parquet.WithDataPageSize(1), parquet.WithBatchSize(1)},
		"zstd":         {parquet.WithCompression(compress.Codecs.Zstd)},
		"snappy":       {parquet.WithCompression(compress.Codecs.Snappy)},
		"without sums": {parquet.WithPageIndexEnabled(true)},
	} {
		shape, rows, err := rowsOf(write(t, batch, opts...))
		if err != nil || !slices.Equal(rows, wantMixed) {
			t.Errorf("%s: %v\n%s", name, err, strings.Join(rows, "\n"))
		}
		if around != "" && shape != around {
			t.Errorf("%s: another shape: %s", name, shape)
		}
		around = shape
	}
	const want = `{"logical":"timestamp(true,us)","name":"at","repetition":"optional","type":"INT64"}`
	if !strings.Contains(around, want) {
		t.Errorf("%s is not in the schema's text %s", want, around)
	}
	for _, row := range wantMixed {
		if err := asks(around, row); err != nil {
			t.Error(err)
		}
		if body, err := records.ParseRecord(records.Parquet, []byte(row)); err != nil || string(body) != row {
			t.Errorf("%s is not canonical: %s, %v", row, body, err)
		}
	}
}

func TestFloats(t *testing.T) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324, 1e21, 123456789}, nil)
	schema := arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.PrimitiveTypes.Float64}}, nil)
	_, rows, err := rowsOf(write(t, array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, 7)))
	want := []string{`{"v":"NaN"}`, `{"v":"Infinity"}`, `{"v":"-Infinity"}`, `{"v":0}`, `{"v":5e-324}`, `{"v":1e21}`, `{"v":123456789}`}
	if err != nil || !slices.Equal(rows, want) {
		t.Errorf("%v %v", rows, err)
	}
}

// TestManyRows crosses batches, pages and row groups.
func TestManyRows(t *testing.T) {
	const n = 5000
	ids := array.NewInt64Builder(memory.DefaultAllocator)
	tags := array.NewListBuilder(memory.DefaultAllocator, arrow.BinaryTypes.String)
	var want []string
	for i := range n {
		ids.Append(int64(i*10 + 1))
		tags.Append(true)
		var list []string
		for j := range i % 4 {
			word := strings.Repeat("x", j)
			tags.ValueBuilder().(*array.StringBuilder).Append(word)
			list = append(list, `{"element":"`+word+`"}`)
		}
		want = append(want, `{"id":`+string(mustCanonical(t, int64(i*10+1)))+`,"tags":{"list":[`+strings.Join(list, ",")+`]}}`)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true}}, nil)
	batch := array.NewRecordBatch(schema, []arrow.Array{ids.NewArray(), tags.NewArray()}, n)
	_, rows, err := rowsOf(write(t, batch, parquet.WithMaxRowGroupLength(1700), parquet.WithDataPageSize(2000)))
	if err != nil || !slices.Equal(rows, want) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

func mustCanonical(t *testing.T, n int64) []byte {
	t.Helper()
	c := column{leaf: &leaf{Column: &records.Column{}}}
	out, err := c.integer(nil, []byte(formatInt(n)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNoParquet(t *testing.T) {
	good := write(t, table(t, mixed(), mixedRows))
	for name, data := range map[string][]byte{
		"nothing": nil, "magic": []byte("PAR1"), "magic twice": []byte("PAR1\x00\x00\x00\x00PAR1"), "text": []byte("id,name\n1,2\n and so on"),
		"cut": good[:len(good)-20], "a monstrous footer": append(append([]byte("PAR1"), make([]byte, 20)...), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1'),
	} {
		_, _, err := rowsOf(data)
		var bad *records.MalformedError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBombs: runs and dictionaries make billions of rows of a few bytes.
func TestBombs(t *testing.T) {
	data := write(t, table(t, mixed(), mixedRows))
	opened, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*source)
	for _, n := range []int64{rowsOfAny + rowsPerByte*s.size, 1 << 62, -1} { // besides the three that were counted
		s.reader.MetaData().RowGroups[0].NumRows = n
		if err := s.countRows(); err == nil {
			t.Errorf("%d rows", n)
		}
	}
	if err := s.spend(bytesOfAny); err != nil {
		t.Error(err)
	}
	if err := s.spend(int(bytesPerByte*s.size) + 1); err == nil {
		t.Error("rows without end")
	}
}

// TestFooterCounts: readers that go by a count of the footer would see fewer rows.
func TestFooterCounts(t *testing.T) {
	data := write(t, table(t, mixed(), mixedRows))
	open := func() *source {
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		return s.(*source)
	}
	s := open()
	s.reader.MetaData().NumRows = 2
	s.rows = 0
	if err := s.countRows(); err == nil || !strings.Contains(err.Error(), "claims 2 rows") {
		t.Error(err)
	}
	for column, name := range map[int]string{0: "z", 11: "list.list.element"} { // flat, and of a list
		s = open()
		s.reader.MetaData().RowGroups[0].Columns[column].MetaData.NumValues--
		b, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err = b.Each(func([]byte) error { return nil }); err == nil {
			t.Errorf("%s: a value more than the footer has", name)
		}
	}
}

// TestDecimals: how a decimal is stored does not change its row.
func TestDecimals(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "v", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}, Nullable: true}}, nil)
	batch := table(t, schema, `[{"v":"12.50"},{"v":"-0.01"},{"v":null},{"v":"0"},{"v":"-99999999.99"},{"v":"99999999.99"}]`)
	want := []string{`{"v":125e1}`, `{"v":-1}`, `{"v":null}`, `{"v":0}`, `{"v":-9999999999}`, `{"v":9999999999}`}
	for name, integers := range map[string]bool{"INT64": true, "FIXED_LEN_BYTE_ARRAY": false} {
		around, rows, err := rowsOf(write(t, batch, parquet.WithStoreDecimalAsInteger(integers)))
		if err != nil || !slices.Equal(rows, want) || !strings.Contains(around, name) {
			t.Errorf("%s: %v, %v, %s", name, rows, err, around)
		}
	}
	c := column{leaf: &leaf{Column: &records.Column{Type: "BYTE_ARRAY", Logical: "decimal(40,2)"}}}
	for in, want := range map[string]string{
		"\x00": "0", "\x7f": "127", "\x80": "-128", "\xff": "-1", "\xff\xff\xff": "-1", "\x00\xff": "255", "\x04\xe2": "125e1",
		"\x01" + strings.Repeat("\x00", 16): "340282366920938463463374607431768211456", "": "", strings.Repeat("\x01", records.MaxDecimal+1): "",
	} {
		if got, err := c.bytes(nil, []byte(in)); string(got) != want || (err != nil) != (want == "") {
			t.Errorf("%x: %s, %v", in, got, err)
		}
	}
}

// asks says whether a record can be asked for among the rows of a file.
func asks(around, record string) error {
	shape := records.Shape{Format: records.Parquet, Around: []byte(around)}
	_, err := (&records.Set{Shapes: []records.Shape{shape}, Tree: merkle.New()}).Prove("", []byte(record))
	return err
}

// TestWhatIsNoRow: what could never be a row is refused, and never proven absent.
func TestWhatIsNoRow(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int32}, {Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "amt", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}}, {Name: "f", Type: arrow.PrimitiveTypes.Float32},
		{Name: "raw", Type: &arrow.FixedSizeBinaryType{ByteWidth: 2}}, {Name: "u", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "ok", Type: arrow.FixedWidthTypes.Boolean}, {Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)},
	}, nil)
	const row = `{"amt":125e1,"f":1e-1,"id":1,"list":{"list":[{"element":1},{"element":null}]},"name":"Ada","ok":true,"raw":"AAE=","u":0}`
	around, rows, err := rowsOf(write(t, table(t, schema, `[{"id":1,"name":"Ada","amt":"12.50","f":0.1,"raw":"AAE=","u":0,"ok":true,"list":[1,null]}]`)))
	if err != nil || len(rows) != 1 || rows[0] != row {
		t.Fatal(rows, err)
	}
	for _, c := range []struct{ old, new string }{
		{`"id":1`, `"id":-2147483648`}, {`"id":1`, `"id":2.0e0`}, {`"name":"Ada"`, `"name":null`}, {`"f":1e-1`, `"f":"NaN"`}, {`"f":1e-1`, `"f":0.10`},
		{`"u":0`, `"u":18446744073709551615`}, {`{"element":1},`, ``}, {`[{"element":1},{"element":null}]`, `[]`}, {`"amt":125e1`, `"amt":1250`},
		{`"amt":125e1`, `"amt":-99999999999`},
	} {
		if err := asks(around, strings.Replace(row, c.old, c.new, 1)); err != nil {
			t.Errorf("%s: %v", c.new, err)
		}
	}
	for _, c := range []struct{ old, new, why string }{
		{row, `{"nosuch":1}`, `no column "nosuch"`}, {row, `7`, "no object"}, {row, `null`, "no object"}, {row, `{"id":1,"name":"Ada"}`, `"amt" is missing`},
		{`"id":1`, `"id":null`, "always"}, {`"id":1`, `"id":"1"`, "no integer"}, {`"id":1`, `"id":1.5`, "no integer"}, {`"id":1`, `"id":2147483648`, "cannot hold"},
		{`"id":1`, `"id":1e999999999`, "cannot hold"}, {`"id":1`, `"id":1,"x":2`, `no column "x"`}, {`"amt":125e1`, `"amt":12.50`, "unscaled"},
		{`"amt":125e1`, `"amt":"BOI="`, "unscaled"}, {`"f":1e-1`, `"f":0.10000000149011612`, "nearest is 1e-1"}, {`"f":1e-1`, `"f":1e39`, "cannot hold"},
		{`"f":1e-1`, `"f":"nan"`, "no number"}, {`"raw":"AAE="`, `"raw":"AAE"`, "base64"}, {`"raw":"AAE="`, `"raw":"AAEC"`, "3 bytes"},
		{`"raw":"AAE="`, `"raw":"AA\nE="`, "base64"}, {`"raw":"AAE="`, `"raw":"AAF="`, "base64"}, {`"u":0`, `"u":-1`, "cannot hold"},
		{`"u":0`, `"u":18446744073709551616`, "cannot hold"}, {`"ok":true`, `"ok":1`, "neither"}, {`"name":"Ada"`, `"name":5`, "no string"},
		{`{"list":[{"element":1},{"element":null}]}`, `[1,null]`, "no object"}, {`[{"element":1},{"element":null}]`, `{}`, "no list"},
		{`[{"element":1},{"element":null}]`, `[1]`, "no object"}, {`[{"element":1},{"element":null}]`, `[null]`, "always"},
	} {
		err := asks(around, strings.Replace(row, c.old, c.new, 1))
		if attest.CodeOf(err) != attest.RecordMalformed || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.new, err)
		}
	}
}

// FuzzOpen ends in rows or in MalformedError.
func FuzzOpen(f *testing.F) {
	batch := table(f, mixed(), mixedRows)
	for _, opts := range [][]parquet.WriterProperty{nil, {parquet.WithDictionaryDefault(false)}, {parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageVersion(parquet.DataPageV2)}} {
		f.Add(write(f, batch, opts...))
	}
	small := arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	f.Add(write(f, table(f, small, `[{"v":"a"},{"v":null}]`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		around, rows, err := rowsOf(data)
		if err != nil {
			var bad *records.MalformedError
			if !errors.As(err, &bad) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			return
		}
		for _, row := range rows {
			if body, err := records.ParseRecord(records.Parquet, []byte(row)); err != nil || string(body) != row {
				t.Fatalf("%s is not canonical: %s, %v", row, body, err)
			}
			if err := asks(around, row); err != nil {
				t.Fatalf("%s cannot be asked for under %s: %v", row, around, err)
			}
		}
	})
}

func BenchmarkRows(b *testing.B) {
	const n = 100_000
	ids, names := array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	amounts := array.NewFloat64Builder(memory.DefaultAllocator)
	for i := range n {
		ids.Append(int64(i))
		names.Append("Name" + formatInt(int64(i%1000)))
		amounts.Append(float64(i) / 4)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "name", Type: arrow.BinaryTypes.String}, {Name: "amount", Type: arrow.PrimitiveTypes.Float64}}, nil)
	data := write(b, array.NewRecordBatch(schema, []arrow.Array{ids.NewArray(), names.NewArray(), amounts.NewArray()}, n))
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			b.Fatal(err)
		}
		block, err := s.Next()
		if err != nil {
			b.Fatal(err)
		}
		h := records.NewHasher(records.Digest{}, nil)
		if err := block.Each(func(body []byte) error { h.Sum(body); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
