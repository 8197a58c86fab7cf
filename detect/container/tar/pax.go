package tar

import (
	"bytes"
	"strconv"
)

// records are the key=value records of one pax header.
type records struct {
	last  map[string]string
	paths []string    // every value of path, for readers that take another than the last
	pairs [][2]string // sparse records in order (offset and numbytes repeat)
}

// parseRecords reads "length key=value\n" records (POSIX pax interchange format).
func parseRecords(p []byte) (*records, error) {
	r := &records{last: map[string]string{}}
	for len(p) > 0 {
		if p[0] == 0 { // padding that some writers leave
			break
		}
		sp := bytes.IndexByte(p[:min(len(p), 20)], ' ')
		if sp <= 0 {
			return nil, ErrExtension
		}
		n, err := strconv.ParseUint(string(p[:sp]), 10, 31)
		if err != nil || int(n) < sp+3 || int(n) > len(p) || p[n-1] != '\n' {
			return nil, ErrExtension
		}
		rec := p[sp+1 : n-1]
		eq := bytes.IndexByte(rec, '=')
		if eq <= 0 {
			return nil, ErrExtension
		}
		r.add(string(rec[:eq]), string(rec[eq+1:]))
		p = p[n:]
	}
	return r, nil
}

func (r *records) add(key, value string) {
	switch key {
	case "path":
		if len(r.paths) < 8 {
			r.paths = append(r.paths, value)
		}
	case "GNU.sparse.offset", "GNU.sparse.numbytes":
		if len(r.pairs) < 2*maxPieces {
			r.pairs = append(r.pairs, [2]string{key, value})
		}
	}
	if value == "" {
		delete(r.last, key) // an empty value takes the record back
		return
	}
	r.last[key] = value
}

// decimal reads a size of pax.
func decimal(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0
}
