package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Source gives the records of one file in blocks, in order.
type Source interface {
	// Around is what stands around the records, for [ShapeOf].
	Around() []byte
	// Next gives the next block, or io.EOF. A [*MalformedError] says that the
	// file is not what it should be.
	Next() (Block, error)
}

// Block is some records, which are read in whatever goroutine Each is called.
type Block interface {
	// Each calls yield with the canonical form of each record, which is yield's
	// until it returns. It ends with the first error of yield.
	Each(yield func(body []byte) error) error
}

// MalformedError says where a file of records is not what it should be.
type MalformedError struct {
	Offset int64 // in bytes, or -1
	What   string
}

func (e *MalformedError) Error() string { return e.What }

// textBlock is how much of a CSV or JSON Lines file is handed to one worker.
const textBlock = 1 << 20

// text splits CSV or JSON Lines at ends of records, no more: what is within is
// for the workers.
type text struct {
	in     io.Reader
	format Format
	around []byte
	fields int
	rest   []byte // read, and not given yet: begins with a record
	offset int64  // of rest
	ended  bool
	block  int // how much to read at a time
}

// NewText reads CSV or JSON Lines. A UTF-8 byte order mark at the start is
// passed over. The first row of CSV is the header: it is no record, but part of
// the shape of all.
func NewText(f Format, in io.Reader) (Source, error) { return newText(f, in, textBlock) }

func newText(f Format, in io.Reader, block int) (Source, error) {
	t := &text{in: in, format: f, block: block}
	const marks = 4 // bytes, at least
	if err := t.fill(max(block, marks)); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(t.rest, []byte("\xFE\xFF")) || bytes.HasPrefix(t.rest, []byte("\xFF\xFE")) {
		return nil, &MalformedError{0, "UTF-16: convert it to UTF-8"}
	}
	if mark := []byte("\xEF\xBB\xBF"); bytes.HasPrefix(t.rest, mark) {
		t.pass(len(mark))
	}
	if f == CSV {
		return t, t.header()
	}
	return t, nil
}

func (t *text) Around() []byte { return t.around }

func (t *text) pass(n int) {
	t.rest = t.rest[n:]
	t.offset += int64(n)
}

// header reads the first row, which may take more than a block, and stand behind
// empty lines.
func (t *text) header() error {
	for {
		if err := t.fill(t.block); err != nil || len(t.rest) == 0 {
			return err
		}
		end, err := t.records()
		if err != nil {
			return err
		}
		p := csvParser{in: t.rest[:end]}
		if t.around, t.fields, err = p.row(nil); err != nil {
			return t.place(err, t.offset)
		}
		t.pass(p.at)
		if t.fields > 0 {
			return nil
		}
	}
}

// Next implements Source.
func (t *text) Next() (Block, error) {
	if err := t.fill(t.block); err != nil {
		return nil, err
	}
	if len(t.rest) == 0 {
		return nil, io.EOF
	}
	end, err := t.records()
	if err != nil {
		return nil, err
	}
	b := &piece{text: t, data: t.rest[:end:end], offset: t.offset}
	t.pass(end)
	return b, nil
}

// records gives the end of the last whole record in rest, of which it reads
// more where there is none.
func (t *text) records() (int, error) {
	for {
		if t.ended {
			return len(t.rest), nil
		}
		if end := t.lastEnd(); end > 0 {
			return end, nil
		}
		if len(t.rest) > MaxRecord {
			return 0, &MalformedError{t.offset, fmt.Sprintf("a record of more than %d bytes, or a quote that is never closed", MaxRecord)}
		}
		if err := t.fill(max(t.block, 2*len(t.rest))); err != nil {
			return 0, err
		}
	}
}

// fill reads until rest has n bytes or the file ends. Blocks that were given
// keep their bytes.
func (t *text) fill(n int) error {
	if t.ended || len(t.rest) >= n {
		return nil
	}
	buf := make([]byte, n)
	have := copy(buf, t.rest)
	got, err := io.ReadFull(t.in, buf[have:])
	t.rest = buf[:have+got]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.ended = true
		return nil
	}
	return err
}

// lastEnd is the end of the last line that ends outside quotes, or 0. Outside is
// where an even number of quotes stands before: in a row that is well formed
// every quote opens, closes, or is one of two. What is not well formed is cut
// somewhere, and refused by whoever parses the piece.
func (t *text) lastEnd() int {
	if t.format != CSV {
		return bytes.LastIndexByte(t.rest, '\n') + 1
	}
	quotes := bytes.Count(t.rest, []byte{'"'})
	for end := len(t.rest); ; {
		line := bytes.LastIndexByte(t.rest[:end], '\n')
		if line < 0 {
			return 0
		}
		quotes -= bytes.Count(t.rest[line:end], []byte{'"'})
		if quotes%2 == 0 {
			return line + 1
		}
		end = line
	}
}

// piece is a block of whole records.
type piece struct {
	text   *text
	data   []byte
	offset int64
}

// Each implements Block.
func (b *piece) Each(yield func(body []byte) error) error {
	each := jsonlBlock{b.data}.each
	if b.text.format == CSV {
		each = csvBlock{b.data, b.text.fields}.each
	}
	return b.text.place(each(yield), b.offset)
}

// place turns an error at a byte of a block into one at a byte of the file.
func (t *text) place(err error, block int64) error {
	var at *syntaxError
	if errors.As(err, &at) {
		return &MalformedError{block + int64(at.at), at.what}
	}
	return err
}
