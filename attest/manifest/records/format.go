// Package records reads the records of a dataset and commits to them, so that
// the presence or absence of ONE record can be proven without showing the rest.
//
// A record is a row of CSV (RFC 4180: fields, not lines, so that quoting does
// not matter), one JSON value of JSON Lines, or a row of Parquet as a JSON
// object. Each is brought into a canonical form ([ParseRecord]), so that what
// readers take for the same record has one digest however it was written:
//
//	digest = SHA-256( shape | canonical form )               without a salt
//	digest = HMAC-SHA-256( salt, shape | canonical form )    with one
//
// The shape is a digest of the format with what stands around the records: the
// header of a CSV file, the schema of a Parquet file. The digests, sorted, with
// how often each occurs, are the leaves of a tree (package merkle), and a
// [Commitment] binds its root with format, shape, salt and size.
//
// Where readers of a format disagree about where a record ends or what it holds
// (a bare carriage return in CSV, a zero byte, rows of another length, a key
// that stands twice), the file is refused as RECORD_MALFORMED with its place: in
// what one reader overlooks a record could hide from a proof of its absence.
//
// What it cannot see: that a record is there in other words (a space more
// within a field, another spelling) is another record; a proof of absence is
// about this very content. See [Proof] for what a proof does and does not show.
package records

import (
	"crypto/sha256"

	"bartizan/attest"
	"bartizan/attest/manifest"
)

// Format is how a file holds records.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	JSONL   Format = "jsonl"
	Parquet Format = "parquet"
)

// FormatOf tells the format by the extension of a file's name, whatever its
// case: .csv, .jsonl or .ndjson, .parquet. Other files have no records.
func FormatOf(name string) (Format, bool) {
	f := manifest.RecordFormat(name)
	return Format(f), f != ""
}

// Known says that the format is one of those above.
func (f Format) Known() bool { return f == CSV || f == JSONL || f == Parquet }

// Limits on hostile files.
const (
	// MaxRecord is the size of one record as it is written, in bytes.
	MaxRecord = 64 << 20
	// MaxDepth is how deeply the JSON of one record may be nested.
	MaxDepth = 128
)

// Digest is a SHA-256 digest.
type Digest = [sha256.Size]byte

// ShapeOf is the digest of a format with what stands around its records: the
// canonical form of the header record of CSV, nothing for JSON Lines, the text
// of the schema for Parquet.
func ShapeOf(f Format, around []byte) Digest {
	b := append([]byte("bartizan.records.shape/v1\x00"), f...)
	b = append(b, 0)
	return sha256.Sum256(append(b, around...))
}

// ParseRecord gives the canonical form of one record that somebody wrote: a row
// of CSV, or a JSON value. RECORD_MALFORMED says what is wrong with it.
func ParseRecord(f Format, text []byte) ([]byte, error) {
	if len(text) > MaxRecord {
		return nil, attest.Refuse(attest.RecordMalformed, "", "more than %d bytes", MaxRecord)
	}
	var body []byte
	var err error
	switch f {
	case CSV:
		body, err = parseOneRow(text)
	case JSONL, Parquet:
		body, err = AppendCanonical(nil, text)
	default:
		return nil, attest.Refuse(attest.RecordMalformed, "", "unknown format of records")
	}
	if err != nil {
		return nil, attest.Refuse(attest.RecordMalformed, "", "no %s record: %s", f, err)
	}
	return body, nil
}
