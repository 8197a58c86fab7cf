package statement

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/big"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical gives the canonical form (RFC 8785, JSON Canonicalization Scheme)
// of one JSON value: members in order of their UTF-16 names, no blanks, the
// shortest strings, numbers as ECMAScript writes doubles. It refuses what would
// not mean the same afterwards: duplicate names, invalid UTF-8, integers that
// no double holds exactly, numbers beyond its range.
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
		if token.Kind() == '0' {
			if err := checkNumber(token.String()); err != nil {
				return err
			}
		}
	}
}

// maxNumber bounds the text of a number before it is computed with.
const maxNumber = 64

func checkNumber(text string) error {
	if len(text) > maxNumber {
		return errors.New("a number of more than 64 characters: write it as a string")
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return errors.New("a number beyond the range of a double: write it as a string")
	}
	if _, err := strconv.ParseInt(text, 10, 64); err != nil && !isInteger(text) {
		return nil // a fraction, which stands for the nearest double
	}
	exact, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil
	}
	if back, accuracy := new(big.Float).SetInt(exact).Float64(); accuracy != big.Exact || back != f {
		return errors.New("an integer that no double holds exactly: write it as a string")
	}
	return nil
}

func isInteger(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '.' || c == 'e' || c == 'E' {
			return false
		}
	}
	return true
}
