package statement

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest/strictjson"
)

// Canonical gives the canonical form (RFC 8785, JSON Canonicalization Scheme)
// of one JSON value: members in order of their UTF-16 names, no blanks, the
// shortest strings, numbers as ECMAScript writes doubles. It refuses what would
// not mean the same afterwards: duplicate names, invalid UTF-8, integers that
// would become others, numbers beyond a double's range. And it refuses what would
// not be read again: nesting deeper than strictjson.MaxDepth.
func Canonical(raw []byte) ([]byte, error) {
	if err := checkNumbers(raw); err != nil {
		return nil, err
	}
	out := jsontext.Value(bytes.Clone(raw))
	if err := out.Canonicalize(); err != nil {
		return nil, errors.New("no JSON that can be made canonical")
	}
	return out, nil
}

func checkNumbers(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.New("no valid JSON")
		}
		if dec.StackDepth() > strictjson.MaxDepth {
			return strictjson.ErrTooDeep
		}
		if token.Kind() == '0' {
			if err := checkNumber(token.String()); err != nil {
				return err
			}
		}
	}
}

// maxNumber bounds the text of a number before it is computed with.
const maxNumber = 64

// checkNumber refuses integers whose canonical text is another integer. What
// has a fraction or an exponent stands for the nearest double.
func checkNumber(text string) error {
	if len(text) > maxNumber {
		return errors.New("a number of more than 64 characters: write it as a string")
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return errors.New("a number beyond the range of a double: write it as a string")
	}
	if strings.ContainsAny(text, ".eE") || f == 0 || number(f) == text {
		return nil
	}
	return errors.New("an integer that a double does not keep: write it as a string")
}
