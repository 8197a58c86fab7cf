package inference

import (
	"cmp"
	"fmt"
	"slices"

	"bartizan/attest"
)

// finish judges the ends, when all logs are read.
func (c *check) finish() error {
	headed := map[*chain]bool{}
	for _, h := range c.Heads {
		if err := c.finishHead(h, headed); err != nil {
			return err
		}
	}
	for _, l := range c.logs {
		ch := c.chains[l.Replica]
		switch {
		case l.Err != nil:
		case l.copies.from != 0:
			l.refuse(attest.Refuse(attest.InferenceReplay, "", "%s of replica %s stands in %s too", span("batch", l.copies.from, l.copies.to), l.Replica, c.names[l.copyOf]))
		case l.Batches == 0: // no other log vouches for what stands in it
			if !c.Live {
				l.refuse(l.ends())
			}
		case ch.last().log == l.index && !c.Live && !headed[ch]:
			l.refuse(l.ends())
		}
	}
	for _, ch := range c.chains {
		c.finishRevoked(ch)
	}
	c.finishAfter()
	return nil
}

// finishHead looks for an expected head, and refuses the log that should have it.
func (c *check) finishHead(h ExpectedHead, headed map[*chain]bool) error {
	ch, err := c.chainOf(h.Replica)
	if err != nil {
		return err
	}
	if ch == nil {
		c.missing(h)
		return nil
	}
	if ch == c.continued && c.After.is(h.Head) {
		return nil // the first log continues it
	}
	if err := ch.reaches(h.Head); err != nil {
		if l := c.logs[ch.last().log]; l.Err == nil {
			l.refuse(err)
		}
		return nil
	}
	headed[ch] = true
	return nil
}

// missing refuses the logs of which nobody knows the replica: one of them should
// have the head.
func (c *check) missing(h ExpectedHead) {
	for _, l := range c.logs {
		if l.Replica == "" && l.Err == nil {
			l.refuse(attest.Refuse(attest.InferenceTruncated, "", "the log has no certificate and no batch, and a log is expected that went at least to record %d (%s)", h.Head.Sequence, h.Head.Digest))
		}
	}
}

// finishRevoked refuses what was signed by a revoked key where the head that
// would make it good has not come.
func (c *check) finishRevoked(ch *chain) {
	var open []*Revocation
	for r, s := range ch.revoked {
		if s.open {
			open = append(open, r)
		}
	}
	slices.SortFunc(open, func(a, b *Revocation) int {
		return cmp.Or(cmp.Compare(a.Until.Sequence, b.Until.Sequence), cmp.Compare(a.Digest.String(), b.Digest.String()))
	})
	for _, r := range open {
		for index := range ch.revoked[r].logs {
			if l := c.logs[index]; l.Err == nil {
				l.refuse(attest.Refuse(attest.InferenceRevoked, ch.replica, "the key is revoked (%s), and the head up to which it counts, %s, is not in the logs", r.Digest, r.Until))
			}
		}
	}
}

// finishAfter refuses all logs where none continues the given head.
func (c *check) finishAfter() {
	if c.After == nil || c.continued != nil {
		return
	}
	for _, l := range c.logs {
		if l.Err == nil {
			l.refuse(attest.Refuse(attest.InferenceFork, "", "no log continues the given head, record %d (%s): it is another history, or the head is not needed (--after)",
				c.After.Sequence, c.After.Digest))
		}
	}
}

// chainOf finds the replica of an expected head. None without an error: it can
// only be that of a log that does not say whose it is.
func (c *check) chainOf(replica string) (*chain, error) {
	unknown := false
	for _, l := range c.logs {
		unknown = unknown || l.Replica == ""
	}
	switch {
	case replica != "" && c.chains[replica] != nil:
		return c.chains[replica], nil
	case replica != "" && !unknown:
		return nil, fmt.Errorf("a head of replica %s is expected, and none of the logs is of it", replica)
	case replica != "" || len(c.chains) == 0:
		return nil, nil //nolint:nilnil // documented
	case len(c.chains) > 1:
		return nil, fmt.Errorf("a head is expected, and the logs are of %d replicas: write it as REPLICA=SEQUENCE:sha256:HEX", len(c.chains))
	}
	for _, ch := range c.chains {
		return ch, nil
	}
	return nil, nil //nolint:nilnil // not reached: there is one
}
