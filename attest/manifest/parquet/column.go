package parquet

import (
	"encoding/base64"
	"math"
	"math/big"
	"strconv"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"bartizan/attest/manifest/records"
)

// batch is how many values of a column are decoded at a time.
const batch = 1024

// column reads the values of one column of a row group in order, each with its
// levels.
type column struct {
	*leaf
	chunk    file.ColumnChunkReader
	def, rep []int16
	n        int // values read with their levels
	at       int // of these
	value    int // of the values that are not null
	decode   func() (total int64, values int, err error)
	write    func(dst []byte, i int) ([]byte, error)
	scratch  []byte
	total    int64 // values read in all
}

func newColumn(l *leaf, chunk file.ColumnChunkReader) (*column, error) {
	c := &column{leaf: l, chunk: chunk}
	if l.maxDef > 0 {
		c.def = make([]int16, batch)
	}
	if l.maxRep > 0 {
		c.rep = make([]int16, batch)
	}
	unsigned := l.Unsigned()
	switch r := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		v := make([]bool, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) { return strconv.AppendBool(dst, v[i]), nil }
	case *file.Int32ColumnChunkReader:
		v := make([]int32, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) {
			if unsigned {
				return c.integer(dst, strconv.AppendUint(c.scratch[:0], uint64(uint32(v[i])), 10))
			}
			return c.integer(dst, strconv.AppendInt(c.scratch[:0], int64(v[i]), 10))
		}
	case *file.Int64ColumnChunkReader:
		v := make([]int64, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) {
			if unsigned {
				return c.integer(dst, strconv.AppendUint(c.scratch[:0], uint64(v[i]), 10))
			}
			return c.integer(dst, strconv.AppendInt(c.scratch[:0], v[i], 10))
		}
	default:
		return c, c.other(chunk)
	}
	return c, nil
}

// other sets up the kinds that are no booleans and no integers.
func (c *column) other(chunk file.ColumnChunkReader) error {
	switch r := chunk.(type) {
	case *file.Int96ColumnChunkReader:
		v := make([]parquet.Int96, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) { return c.bytes(dst, v[i][:]) }
	case *file.Float32ColumnChunkReader:
		v := make([]float32, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) { return c.float(dst, float64(v[i]), 32) }
	case *file.Float64ColumnChunkReader:
		v := make([]float64, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) { return c.float(dst, v[i], 64) }
	case *file.ByteArrayColumnChunkReader:
		v := make([]parquet.ByteArray, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) { return c.bytes(dst, v[i]) }
	case *file.FixedLenByteArrayColumnChunkReader:
		v := make([]parquet.FixedLenByteArray, batch)
		c.decode = func() (int64, int, error) { return r.ReadBatchInPage(batch, v, c.def, c.rep) }
		c.write = func(dst []byte, i int) ([]byte, error) { return c.bytes(dst, v[i]) }
	default:
		return malformed("column %s: an unknown kind of values", c.path)
	}
	return nil
}

// more says whether there is another value, reading a batch where it must.
func (c *column) more() (bool, error) {
	if c.at < c.n {
		return true, nil
	}
	if !c.chunk.HasNext() {
		if err := c.chunk.Err(); err != nil {
			return false, malformed("column %s: %s", c.path, err)
		}
		return false, nil
	}
	total, values, err := c.decode()
	if err != nil {
		return false, malformed("column %s: %s", c.path, err)
	}
	c.n, c.at, c.value = int(total), 0, 0
	c.total += total
	defined := c.n
	if c.maxDef > 0 {
		defined = 0
		for _, d := range c.def[:c.n] {
			if d == c.maxDef {
				defined++
			}
		}
	}
	if c.n == 0 || defined != values {
		return false, malformed("column %s: %d values where its levels have %d", c.path, values, defined)
	}
	return true, nil
}

// levels are those of the value that is next, which must be there.
func (c *column) levels() (def, rep int16, err error) {
	more, err := c.more()
	if err != nil {
		return 0, 0, err
	}
	if !more {
		return 0, 0, malformed("column %s: %s", c.path, errShort)
	}
	if c.maxDef > 0 {
		def = c.def[c.at]
	}
	if c.maxRep > 0 {
		rep = c.rep[c.at]
	}
	if def < 0 || def > c.maxDef || rep < 0 || rep > c.maxRep {
		return 0, 0, malformed("column %s: levels beyond those of the schema", c.path)
	}
	return def, rep, nil
}

// pass goes on to the next value.
func (c *column) pass() {
	if c.maxDef == 0 || c.def[c.at] == c.maxDef {
		c.value++
	}
	c.at++
}

func (c *column) integer(dst, digits []byte) ([]byte, error) {
	c.scratch = digits
	if digits[len(digits)-1] != '0' {
		return append(dst, digits...), nil
	}
	return records.AppendCanonical(dst, digits)
}

func (c *column) float(dst []byte, v float64, bits int) ([]byte, error) {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...), nil
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...), nil
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...), nil
	}
	c.scratch = strconv.AppendFloat(c.scratch[:0], v, 'e', -1, bits)
	return records.AppendCanonical(dst, c.scratch)
}

func (c *column) bytes(dst, v []byte) ([]byte, error) {
	switch {
	case c.Decimal():
		return c.decimal(dst, v)
	case !c.Text():
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v)
		return append(dst, '"'), nil
	}
	dst, err := records.AppendString(dst, v)
	if err != nil {
		return nil, malformed("column %s: text that is no UTF-8", c.path)
	}
	return dst, nil
}

// decimal writes the unscaled value, which is stored in two's complement, the
// highest byte first.
func (c *column) decimal(dst, v []byte) ([]byte, error) {
	if len(v) == 0 || len(v) > records.MaxDecimal {
		return nil, malformed("column %s: a decimal of %d bytes", c.path, len(v))
	}
	n := new(big.Int).SetBytes(v)
	if v[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
	}
	return c.integer(dst, n.Append(c.scratch[:0], 10))
}
