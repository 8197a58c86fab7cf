package keyless

import (
	"encoding/hex"
	"slices"

	"github.com/sigstore/sigstore-go/pkg/root"

	"bartizan/attest"
)

// timestamps verifies every RFC 3161 token over the signature, and that the
// keys of logs which gave no time themselves were valid at what was proven.
//
// A token that no authority of the root made is refused, as the sigstore client
// specification demands. A root without authorities says that none is trusted:
// tokens are then not looked at.
func (c *check) timestamps() error {
	if c.trust.root == nil {
		return nil
	}
	authorities := c.trust.root.TimestampingAuthorities()
	if len(authorities) > 0 {
		for i, token := range c.bundle.tokens {
			t, ok := stampedBy(authorities, token, c.bundle.signature)
			if !ok {
				return attest.Refuse(attest.TimestampInvalid, "", "timestamp %d is not of this signature, or of no authority that the trusted root holds valid at that time", i)
			}
			c.result.Times = append(c.result.Times, t)
		}
	}
	slices.SortStableFunc(c.result.Times, func(a, b Time) int { return a.Time.Compare(b.Time) })
	return c.logKeys()
}

// stampedBy tries each authority with its own certificates and its own
// validity: none is borrowed from another.
func stampedBy(authorities []root.TimestampingAuthority, token, signature []byte) (Time, bool) {
	for _, a := range authorities {
		t, err := guard(func() (*root.Timestamp, error) { return a.Verify(token, signature) })
		if err == nil && t != nil {
			return Time{Source: "authority", URI: t.URI, Time: t.Time.UTC()}, true
		}
	}
	return Time{}, false
}

// logKeys holds the keys of logs that promised nothing against the times that
// others proved.
func (c *check) logKeys() error {
	for _, e := range c.bundle.entries {
		log := c.trust.root.RekorLogs()[hex.EncodeToString(e.logID)]
		if log == nil || e.promised {
			continue
		}
		for _, t := range c.result.Times {
			if !within(t.Time, log.ValidityPeriodStart, log.ValidityPeriodEnd) {
				return attest.Refuse(attest.LogUntrusted, "", "log entry %d: the key of the log was not valid at %s", e.index, stamp(t.Time))
			}
		}
	}
	return nil
}
