package records

import (
	"bytes"
	"errors"
)

// jsonlBlock is a block of whole lines. Lines of blanks are no records.
type jsonlBlock struct{ data []byte }

func (b jsonlBlock) each(yield func(body []byte) error) error {
	var body []byte
	for start := 0; start < len(b.data); {
		end := len(b.data)
		next := end
		if n := bytes.IndexByte(b.data[start:], '\n'); n >= 0 {
			end, next = start+n, start+n+1
		}
		line := b.data[start:end]
		if len(bytes.TrimLeft(line, " \t\r")) > 0 {
			var err error
			if body, err = AppendCanonical(body[:0], line); err != nil {
				return shift(err, start)
			}
			if err := yield(body); err != nil {
				return err
			}
		}
		start = next
	}
	return nil
}

// shift moves the place of a syntax error by the start of its line.
func shift(err error, by int) error {
	var at *syntaxError
	if errors.As(err, &at) {
		return &syntaxError{at: at.at + by, what: at.what}
	}
	return err
}
