// Package parquet reads the rows of a Parquet file as records, so that how a
// file was written (row groups, pages, encodings, compression, order) does not
// matter, and one row can be written down by a person.
//
// A row is a JSON object with a member for every column, in the form of
// records.AppendCanonical. Groups are objects, repeated fields arrays, absent
// optional values null; lists and maps are shown as they are stored ("list",
// "element", "key_value"), so that a null list and an empty one differ. Numbers
// are numbers: a decimal its unscaled value, whatever it is stored as, dates and times the integer that is
// stored; a float that is none is "NaN", "Infinity" or "-Infinity". Text columns
// (String, Enum, JSON) are strings, all other bytes base64. What the columns
// are is in the schema, which is part of the shape of every record.
//
// The decoding is that of github.com/apache/arrow-go. Its panics on hostile
// files are caught and said as MalformedError; a single allocation is bounded.
// What it cannot see: key-value metadata of the file, and pages that no column
// refers to.
package parquet

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"bartizan/attest/manifest/records"
)

// Limits on hostile files.
const (
	maxColumns = 10_000
	maxBuffer  = 256 << 20 // bytes of one page, uncompressed
	maxFooter  = 64 << 20

	// A few bytes can stand for billions of values (runs, dictionaries). What a
	// file may come to, for each of its bytes, and any file:
	rowsPerByte, rowsOfAny   = 16, 4 << 20
	bytesPerByte, bytesOfAny = 1000, 1 << 30
)

// source gives one block a row group.
type source struct {
	in     io.ReaderAt
	size   int64
	reader *file.Reader
	schema *schema
	next   int
	rows   int64        // as the footer has them
	bytes  atomic.Int64 // of rows so far
}

// Open reads the footer of a Parquet file.
func Open(in io.ReaderAt, size int64) (records.Source, error) {
	if err := checkFooter(in, size); err != nil {
		return nil, err
	}
	s := &source{in: in, size: size}
	err := guard(func() error {
		props := parquet.NewReaderProperties(bounded{memory.DefaultAllocator})
		props.BufferedStreamEnabled = true
		var err error
		if s.reader, err = file.NewParquetReader(io.NewSectionReader(in, 0, size), file.WithReadProps(props)); err != nil {
			return malformed("no Parquet file: %s", err)
		}
		if s.schema, err = readSchema(s.reader.MetaData().Schema); err != nil {
			return err
		}
		return s.countRows()
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// countRows bounds what the row groups claim to have.
func (s *source) countRows() error {
	for i := range s.reader.NumRowGroups() {
		n := s.reader.MetaData().RowGroups[i].GetNumRows()
		if n < 0 || n > rowsOfAny+rowsPerByte*s.size-s.rows {
			return malformed("row group %d claims %d rows, more than a file of %d bytes is likely to hold", i, n, s.size)
		}
		s.rows += n
	}
	if claimed := s.reader.NumRows(); claimed != s.rows {
		return malformed("the footer claims %d rows, and its row groups have %d: some readers would stop early", claimed, s.rows)
	}
	return nil
}

// spend counts the bytes of a row.
func (s *source) spend(n int) error {
	if s.bytes.Add(int64(n)) > bytesOfAny+bytesPerByte*s.size {
		return malformed("rows of more than %d bytes in a file of %d", bytesOfAny+bytesPerByte*s.size, s.size)
	}
	return nil
}

// checkFooter refuses what the library would allocate for before it looks.
func checkFooter(in io.ReaderAt, size int64) error {
	const tail = 8 // length, magic
	if size < 2*tail-4 {
		return malformed("no Parquet file: too short")
	}
	var b [tail]byte
	if _, err := in.ReadAt(b[:], size-tail); err != nil {
		return err
	}
	if string(b[4:]) != "PAR1" {
		return malformed("no Parquet file, or one with an encrypted footer")
	}
	if n := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 | int64(b[3])<<24; n > maxFooter || n > size-tail-4 {
		return malformed("a footer of %d bytes", n)
	}
	return nil
}

// Around implements records.Source.
func (s *source) Around() []byte { return s.schema.text }

// Next implements records.Source.
func (s *source) Next() (records.Block, error) {
	if s.next == s.reader.NumRowGroups() {
		return nil, io.EOF
	}
	s.next++
	return &group{source: s, number: s.next - 1}, nil
}

// group is a row group.
type group struct {
	*source
	number int
}

// Each implements records.Block.
func (g *group) Each(yield func(body []byte) error) error {
	return guard(func() error { return g.each(yield) })
}

func (g *group) each(yield func(body []byte) error) error {
	rows := g.reader.RowGroup(g.number)
	columns := make([]*column, len(g.schema.leaves))
	for i, leaf := range g.schema.leaves {
		chunk, err := rows.Column(i)
		if err != nil {
			return malformed("row group %d, column %s: %s", g.number, leaf.path, err)
		}
		defer chunk.Close() //nolint:errcheck // read only
		if columns[i], err = newColumn(leaf, chunk); err != nil {
			return err
		}
	}
	w := rowWriter{columns: columns}
	for range rows.NumRows() {
		var err error
		if w.out, err = w.row(w.out[:0], g.schema); err != nil {
			return fmt.Errorf("row group %d: %w", g.number, err)
		}
		if err := g.spend(len(w.out)); err != nil {
			return err
		}
		if err := yield(w.out); err != nil {
			return err
		}
	}
	for i, c := range columns {
		if more, err := c.more(); err != nil || more {
			return malformed("row group %d, column %s: values beyond its rows", g.number, c.path)
		}
		chunk, err := rows.MetaData().ColumnChunk(i)
		if err != nil {
			return malformed("row group %d, column %s: %s", g.number, c.path, err)
		}
		if claimed := chunk.NumValues(); claimed != c.total {
			return malformed("row group %d, column %s: the footer claims %d values, and there are %d", g.number, c.path, claimed, c.total)
		}
	}
	return nil
}

func malformed(format string, args ...any) error {
	return &records.MalformedError{Offset: -1, What: fmt.Sprintf(format, args...)}
}

// guard runs what calls the library. Its decoders index and slice by what the
// file says and leave it to the runtime to object.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = malformed("cannot be decoded: %v", p)
		}
	}()
	return do()
}

// bounded refuses to allocate for a page that is too large: the library's use of
// the empty result fails, and guard says so.
type bounded struct{ memory.Allocator }

func (b bounded) Allocate(size int) []byte {
	if size > maxBuffer {
		return nil
	}
	return b.Allocator.Allocate(size)
}

func (b bounded) Reallocate(size int, old []byte) []byte {
	if size > maxBuffer {
		return nil
	}
	return b.Allocator.Reallocate(size, old)
}

// errShort says that a column has fewer values than its row group has rows.
var errShort = errors.New("fewer values than rows")
