package inference

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"

	"bartizan/attest"
)

// Revocation takes back a replica's key or certificate.
type Revocation struct {
	// Digest is that of a certificate, or of a public key in PEM.
	Digest Digest
	// Until is the last head that still counts: it was known elsewhere before
	// the key was lost, so that nobody can have made up what leads to it. Without
	// it, nothing counts that the key has signed, whatever time it bears.
	Until *Head
}

// maxRevocations bounds what is kept of a list.
const maxRevocations = 1_000_000

// ParseRevocations reads a list: a line each of
//
//	sha256:HEX                      a certificate or a public key's PEM file
//	sha256:HEX SEQUENCE:sha256:HEX  the same, good up to this head
//
// Empty lines and lines that begin with # are passed over.
func ParseRevocations(data []byte) ([]Revocation, error) {
	var out []Revocation
	scan := bufio.NewScanner(bytes.NewReader(data))
	n := 1
	for ; scan.Scan(); n++ {
		fields := strings.Fields(scan.Text())
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		r, err := parseRevocation(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if out = append(out, r); len(out) > maxRevocations {
			return nil, fmt.Errorf("more than %d revocations", maxRevocations)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("line %d: it is longer than %d bytes: %w", n, bufio.MaxScanTokenSize, err)
	}
	return out, nil
}

func parseRevocation(fields []string) (Revocation, error) {
	var r Revocation
	var err error
	if r.Digest, err = ParseDigest(fields[0]); err != nil {
		return r, err
	}
	if r.Digest.Salted() || len(fields) > 2 {
		return r, fmt.Errorf("want sha256:HEX, and behind it at most a head SEQUENCE:sha256:HEX")
	}
	if len(fields) == 2 {
		head, err := ParseHead(fields[1])
		if err != nil {
			return r, err
		}
		r.Until = &head
	}
	return r, nil
}

// revocations are those of a list by what they take back, each once. All that
// are of a key or certificate apply.
type revocations struct {
	by   map[Digest][]*Revocation
	used map[Digest]bool
}

func newRevocations(list []Revocation) revocations {
	out := revocations{by: make(map[Digest][]*Revocation, len(list)), used: map[Digest]bool{}}
	type entry struct {
		of, until Digest
		sequence  int64
	}
	seen := make(map[entry]bool, len(list))
	for i := range list {
		r := &list[i]
		e := entry{of: r.Digest}
		if r.Until != nil {
			e.until, e.sequence = r.Until.Digest, r.Until.Sequence
		}
		if !seen[e] {
			seen[e] = true
			out.by[r.Digest] = append(out.by[r.Digest], r)
		}
	}
	return out
}

// of gives what takes back the certificate, or its key.
func (l revocations) of(c *Certificate) []*Revocation {
	if len(l.by) == 0 {
		return nil
	}
	certificate, key := c.Digest(), c.KeyDigest()
	l.used[certificate], l.used[key] = true, true
	return slices.Concat(l.by[certificate], l.by[key])
}

// tell names those that nothing was asked about, in no order.
func (l revocations) tell(unmatched func(Revocation)) {
	if unmatched == nil {
		return
	}
	for digest, list := range l.by {
		if !l.used[digest] {
			unmatched(*list[0])
		}
	}
}

// revocationState follows one limited revocation along the batches of a replica.
type revocationState struct {
	open   bool         // batches were taken, and the head that makes them good has not come yet
	passed bool         // it has come: nothing more counts
	logs   map[int]bool // that have these batches
}

// take judges a batch under a revoked certificate.
func (s *revocationState) take(r *Revocation, b *Batch, log int) error {
	if r.Until == nil || s.passed {
		return attest.Refuse(attest.InferenceRevoked, b.name(), "it was signed by a key that is revoked (%s)", r.Digest)
	}
	s.open, s.logs[log] = true, true
	if b.Last == r.Until.Sequence && b.digest == r.Until.Digest {
		s.open, s.passed = false, true
	}
	return nil
}
