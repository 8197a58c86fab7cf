package inference

import (
	"bufio"
	"bytes"
	"fmt"
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
	for n := 1; scan.Scan(); n++ {
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
	return out, scan.Err()
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

// revocation gives what takes back the certificate, or nil. Where several do,
// one without a limit counts.
func revocation(list map[Digest]Revocation, c *Certificate) *Revocation {
	var found *Revocation
	for _, d := range []Digest{c.Digest(), c.KeyDigest()} {
		if r, is := list[d]; is && (found == nil || r.Until == nil) {
			found = &r
		}
	}
	return found
}

func byDigest(list []Revocation) map[Digest]Revocation {
	out := make(map[Digest]Revocation, len(list))
	for _, r := range list {
		if was, is := out[r.Digest]; is && (was.Until == nil || r.Until != nil && was.Until.Sequence <= r.Until.Sequence) {
			continue // the stricter one stays
		}
		out[r.Digest] = r
	}
	return out
}

// revocationState follows one limited revocation along the batches of a replica.
type revocationState struct {
	open   bool // batches were taken, and the head that makes them good has not come yet
	passed bool // it has come: nothing more counts
}

// take judges a batch under a revoked certificate.
func (s *revocationState) take(r *Revocation, b *Batch) error {
	if r.Until == nil || s.passed {
		return attest.Refuse(attest.InferenceRevoked, b.name(), "it was signed by a key that is revoked (%s)", r.Digest)
	}
	s.open = true
	if b.Last == r.Until.Sequence && b.digest == r.Until.Digest {
		s.open, s.passed = false, true
	}
	return nil
}
