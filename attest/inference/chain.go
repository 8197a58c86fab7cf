package inference

import (
	"crypto/sha256"
	"sort"

	"bartizan/attest"
)

// chain is what is known of one replica from all its logs: its batches in order.
type chain struct {
	replica string
	log     int   // the first that was seen of the replica
	base    int64 // the number of links[0]
	links   []link
	revoked map[*Revocation]*revocationState
	failed  bool
}

// link is one batch: which log has it, up to which record it goes, its digest.
type link struct {
	log    int
	last   int64
	digest Digest
}

func newChain(replica string, log int) *chain {
	return &chain{replica: replica, log: log, revoked: map[*Revocation]*revocationState{}}
}

// at gives the batch of a number, or nil.
func (c *chain) at(number int64) *link {
	if i := number - c.base; i >= 0 && i < int64(len(c.links)) {
		return &c.links[i]
	}
	return nil
}

// begin says what the first batch of a log continues: nothing, another log, or
// the head that the caller knows, which it says by given.
func (c *chain) begin(b *Batch, after *Head) (head Head, given bool, err error) {
	if b.Number == 1 {
		return Head{}, false, nil
	}
	if l := c.at(b.Number - 1); l != nil && (l.digest == b.Previous || after == nil) {
		return Head{Number: b.Number - 1, Sequence: l.last, Digest: l.digest}, false, nil
	}
	if after != nil && after.Digest == b.Previous {
		if after.Number != 0 {
			err = inOrder("batch", b.Number, after.Number+1)
		}
		return Head{Number: b.Number - 1, Sequence: after.Sequence, Digest: after.Digest}, true, err
	}
	return Head{}, false, attest.Refuse(attest.InferenceGap, b.name(), "the log begins with it, and the log before it, which ends at record %d, is not there: "+
		"give both, or that log's head (--after)", b.First-1)
}

// add takes a batch in. same says that another log has it too; a fork gives the
// link that it contradicts.
func (c *chain) add(b *Batch, log int) (same *link, err error) {
	if len(c.links) == 0 {
		c.base = b.Number
	}
	if l := c.at(b.Number); l != nil {
		if l.digest != b.digest {
			return l, attest.Refuse(attest.InferenceFork, b.name(), "replica %s has signed two of this number: %s and %s", c.replica, l.digest, b.digest)
		}
		return l, nil
	}
	if b.Number != c.base+int64(len(c.links)) {
		// A log that begins before what is known, by a head that the caller gave.
		return nil, attest.Refuse(attest.InferenceGap, b.name(), "it does not join the other logs of replica %s", c.replica)
	}
	c.links = append(c.links, link{log: log, last: b.Last, digest: b.digest})
	return nil, nil
}

// last gives the last batch, or one before all where there is none.
func (c *chain) last() link {
	if len(c.links) == 0 {
		return link{log: c.log}
	}
	return c.links[len(c.links)-1]
}

// reaches says whether the batches contain the head.
func (c *chain) reaches(h Head) error {
	from := sort.Search(len(c.links), func(i int) bool { return c.links[i].last >= h.Sequence })
	for i := from; i < len(c.links) && c.links[i].last == h.Sequence; i++ {
		if c.links[i].digest == h.Digest {
			return nil
		}
	}
	last := c.last()
	if len(c.links) == 0 {
		return attest.Refuse(attest.InferenceTruncated, "", "the log has no batch, and went at least to record %d (%s)", h.Sequence, h.Digest)
	}
	if last.last <= h.Sequence && from >= len(c.links)-1 {
		return attest.Refuse(attest.InferenceTruncated, "", "the log ends at record %d (%s), and went at least to record %d (%s)", last.last, last.digest, h.Sequence, h.Digest)
	}
	return attest.Refuse(attest.InferenceFork, "", "record %d does not end the batch %s, as it once did: the log is another one than that of which the head was kept", h.Sequence, h.Digest)
}

// answers remembers which ids were answered, over all logs. It takes about 80
// bytes an id.
type answers map[[16]byte]answer

type answer struct {
	log      int32
	sequence int64
	response [8]byte
}

type answered struct {
	key [16]byte
	id  string
	answer
}

func newAnswered(r *Record, log int) answered {
	a := answered{id: r.ID, answer: answer{log: int32(log), sequence: r.Sequence}}
	sum := sha256.Sum256([]byte(r.ID))
	copy(a.key[:], sum[:])
	copy(a.response[:], r.Response.sum[:])
	return a
}

// add refuses an id that was answered before.
func (m answers) add(a answered, names []string) error {
	was, is := m[a.key]
	if !is {
		m[a.key] = a.answer
		return nil
	}
	what := "with the same answer"
	if was.response != a.response {
		what = "with another answer"
	}
	return attest.Refuse(attest.InferenceReplay, "id "+clip(a.id), "record %d answers it again, %s, after record %d of %s", a.sequence, what, was.sequence, names[was.log])
}
