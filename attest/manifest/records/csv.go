package records

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The canonical form of a row: for every field its length (uint32, big endian)
// and its bytes, unquoted.

// csvParser reads rows of a block that begins at the beginning of a row.
type csvParser struct {
	in []byte
	at int
}

const lengthSize = 4

// row appends the canonical form of the next row and says how many fields it
// has; 0 at the end. Empty lines are no rows: an empty field alone in its row is
// written with quotes.
func (p *csvParser) row(dst []byte) ([]byte, int, error) {
	for p.lineEnd() { // an empty line
	}
	if p.at == len(p.in) {
		return dst, 0, nil
	}
	for fields := 1; ; fields++ {
		var err error
		start := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		if p.at < len(p.in) && p.in[p.at] == '"' {
			dst, err = p.quoted(dst)
		} else {
			dst, err = p.plain(dst)
		}
		if err != nil {
			return nil, 0, err
		}
		binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-lengthSize))
		switch {
		case p.at == len(p.in) || p.lineEnd():
			return dst, fields, nil
		case p.in[p.at] == ',':
			p.at++
		default:
			return nil, 0, p.unexpected()
		}
	}
}

// unexpected says what is wrong with the byte behind a field.
func (p *csvParser) unexpected() error {
	switch p.in[p.at] {
	case '\r':
		return &syntaxError{p.at, "a carriage return without a line feed outside quotes, which some readers take for the end of a row"}
	case '"':
		return &syntaxError{p.at, "a quote within a field that is not quoted"}
	case 0:
		return &syntaxError{p.at, "a zero byte, at which some readers stop"}
	}
	return &syntaxError{p.at, "something between a closing quote and the next comma"}
}

// lineEnd passes LF or CRLF and says whether one was there.
func (p *csvParser) lineEnd() bool {
	rest := p.in[p.at:]
	switch {
	case len(rest) > 0 && rest[0] == '\n':
		p.at++
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		p.at += 2
	default:
		return false
	}
	return true
}

// plain appends a field without quotes: up to what cannot be in it.
func (p *csvParser) plain(dst []byte) ([]byte, error) {
	in := p.in[p.at:]
	n := 0
	for n < len(in) {
		if c := in[n]; c == ',' || c == '\n' || c == '\r' || c == '"' || c == 0 {
			break
		}
		n++
	}
	if err := p.valid(in[:n]); err != nil {
		return nil, err
	}
	p.at += n
	return append(dst, in[:n]...), nil
}

// valid refuses text that is no UTF-8, which stands at p.at: in another encoding
// the record that is asked for would be another one than the one that is there.
func (p *csvParser) valid(part []byte) error {
	if utf8.Valid(part) {
		return nil
	}
	at := p.at
	for len(part) > 0 {
		r, n := utf8.DecodeRune(part)
		if r == utf8.RuneError && n == 1 {
			break
		}
		part, at = part[n:], at+n
	}
	return &syntaxError{at, "text that is no UTF-8: convert the file to it"}
}

// quoted appends a field in quotes; two quotes within stand for one.
func (p *csvParser) quoted(dst []byte) ([]byte, error) {
	open := p.at
	p.at++
	for {
		n := bytes.IndexByte(p.in[p.at:], '"')
		if n < 0 {
			return nil, &syntaxError{open, "a quote that is never closed"}
		}
		part := p.in[p.at : p.at+n]
		if zero := bytes.IndexByte(part, 0); zero >= 0 {
			p.at += zero
			return nil, p.unexpected()
		}
		if err := p.valid(part); err != nil {
			return nil, err
		}
		if bytes.HasSuffix(part, []byte{'\\'}) {
			return nil, &syntaxError{p.at + n - 1, backslashQuote}
		}
		dst = append(dst, part...)
		p.at += n + 1
		if p.at == len(p.in) || p.in[p.at] != '"' {
			return dst, nil
		}
		dst = append(dst, '"')
		p.at++
	}
}

const backslashQuote = `a backslash before a quote: to some readers the quote ends the field or is the first of two, to others it is escaped and part of the field (a field that ends in a backslash can be written without quotes)`

func parseOneRow(text []byte) ([]byte, error) {
	p := csvParser{in: text}
	body, fields, err := p.row(nil)
	if err != nil {
		return nil, err
	}
	if fields == 0 {
		return nil, errors.New("an empty line is none: an empty field is written \"\"")
	}
	if _, more, err := p.row(nil); err != nil || more > 0 {
		return nil, errors.New("more than one row")
	}
	return body, nil
}

// csvBlock is a block of whole rows.
type csvBlock struct {
	data   []byte
	fields int // of every row
}

func (b csvBlock) each(yield func(body []byte) error) error {
	p := csvParser{in: b.data}
	var body []byte
	for {
		for p.lineEnd() {
		}
		at := p.at
		var fields int
		var err error
		body, fields, err = p.row(body[:0])
		switch {
		case err != nil:
			return err
		case fields == 0:
			return nil
		case fields != b.fields:
			return &syntaxError{at, fmt.Sprintf("a row of %d fields under a header of %d", fields, b.fields)}
		}
		if err := yield(body); err != nil {
			return err
		}
	}
}

// countFields counts the fields of a row in canonical form, or gives -1 for what
// is none: no parser gives it.
func countFields(body []byte) (n int) {
	for ; len(body) > 0; n++ {
		if len(body) < lengthSize {
			return -1
		}
		size := int64(binary.BigEndian.Uint32(body))
		body = body[lengthSize:]
		if size > int64(len(body)) {
			return -1
		}
		body = body[size:]
	}
	return n
}

// TextOf writes a record in canonical form as text that ParseRecord reads.
func TextOf(f Format, body []byte) []byte {
	if f != CSV {
		return bytes.Clone(body) // canonical JSON is JSON
	}
	var out []byte
	for n := 0; len(body) >= lengthSize; n++ {
		size := int(binary.BigEndian.Uint32(body))
		field := body[lengthSize : lengthSize+size]
		body = body[lengthSize+size:]
		if n > 0 {
			out = append(out, ',')
		}
		if bytes.HasSuffix(field, []byte{'\\'}) { // was written without quotes
			out = append(out, field...)
			continue
		}
		out = append(out, '"')
		out = append(out, bytes.ReplaceAll(field, []byte{'"'}, []byte{'"', '"'})...)
		out = append(out, '"')
	}
	return out
}
