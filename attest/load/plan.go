package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sort"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/tree"
)

// open opens the file beneath the root and plans its verification.
func open(root *tree.Root, want Expected) (*os.File, *plan, error) {
	f, err := root.Open(want.Name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	p, err := newPlan(want, info.Size())
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, p, nil
}

// plan is how one file is verified: in units that are proven on their own.
type plan struct {
	name   string
	size   int64
	ranges []Range
	tree   *ChunkTree
}

// unit is one of them.
type unit struct {
	start, end int64
	algorithm  hashing.Algorithm
	digest     []byte
	chunk      bool  // digest is the chaining value of this chunk
	whole      int64 // size of the file that the chunk is of
}

// newPlan checks the evidence itself. The file's size is needed where the
// evidence does not say it.
func newPlan(want Expected, onDisk int64) (*plan, error) {
	p := &plan{name: want.Name, size: want.Size, ranges: want.Ranges, tree: want.Chunks}
	if p.size < -1 {
		return nil, attest.Refuse(attest.OMSShardsInvalid, want.Name, "the size is negative")
	}
	if p.tree != nil {
		p.ranges = nil
		if err := p.checkTree(); err != nil {
			return nil, err
		}
	} else if err := p.checkRanges(onDisk); err != nil {
		return nil, err
	}
	if p.size != onDisk {
		return nil, attest.Refuse(attest.OMSDigestMismatch, want.Name, "has %d bytes, signed are %d", onDisk, p.size)
	}
	return p, p.checkEmpty()
}

// checkEmpty verifies the digest of no bytes, since nobody will read them.
func (p *plan) checkEmpty() error {
	if p.size > 0 || p.units() == 0 {
		return nil
	}
	u := p.unit(0)
	if ok, err := u.proves(nil); err != nil || !ok {
		return errors.Join(err, p.mismatch(&u))
	}
	return nil
}

// checkTree holds the chaining values against the root: only together with it
// are they evidence.
func (p *plan) checkTree() error {
	if p.size < 0 {
		return attest.Refuse(attest.ManifestMalformed, p.name, "a chunk tree without the size of the file")
	}
	// Not hashing.Groups: its addition would wrap for a size near 2^63.
	chunks := p.size / hashing.ChunkSize
	if p.size%hashing.ChunkSize != 0 {
		chunks++
	}
	if chunks <= 1 {
		if len(p.tree.Chunks) > 1 {
			return attest.Refuse(attest.ManifestMalformed, p.name, "%d chunks for %d bytes", len(p.tree.Chunks), p.size)
		}
		return nil
	}
	if int64(len(p.tree.Chunks)) != chunks {
		return attest.Refuse(attest.ManifestMalformed, p.name, "%d chunks for %d bytes", len(p.tree.Chunks), p.size)
	}
	if hashing.RootOf(p.tree.Chunks) != p.tree.Root {
		return attest.Refuse(attest.ManifestMalformed, p.name, "the chunks do not make the BLAKE3 digest of the file")
	}
	return nil
}

// checkRanges wants one range for the whole, or shards without gap and overlap.
func (p *plan) checkRanges(onDisk int64) error {
	if len(p.ranges) == 0 && p.size != 0 {
		return attest.Refuse(attest.OMSShardsInvalid, p.name, "no digest vouches for it")
	}
	ranges := make([]Range, len(p.ranges))
	copy(ranges, p.ranges)
	next := int64(0)
	for i := range ranges {
		r := &ranges[i]
		if r.End == -1 && r.Start == 0 && len(ranges) == 1 {
			if r.End = p.size; p.size < 0 {
				r.End = onDisk
			}
		}
		if r.Start != next || r.End < r.Start || r.End == r.Start && len(ranges) > 1 {
			return attest.Refuse(attest.OMSShardsInvalid, p.name, "a shard from %d to %d where one from %d is due", r.Start, r.End, next)
		}
		if size := r.Algorithm.Size(); size == 0 || len(r.Digest) != size {
			return attest.Refuse(attest.OMSAlgorithm, p.name, "a digest of %d bytes under %q", len(r.Digest), r.Algorithm)
		}
		next = r.End
	}
	if p.size < 0 {
		p.size = next
	}
	if next != p.size {
		return attest.Refuse(attest.OMSShardsInvalid, p.name, "the shards end at %d, the file has %d bytes", next, p.size)
	}
	p.ranges = ranges
	return nil
}

// units is how many there are: none only for an empty file without a digest.
func (p *plan) units() int {
	if p.tree == nil {
		return len(p.ranges)
	}
	return max(1, int((p.size-1)/hashing.ChunkSize)+1)
}

func (p *plan) unit(i int) unit {
	if p.tree == nil {
		r := &p.ranges[i]
		return unit{start: r.Start, end: r.End, algorithm: r.Algorithm, digest: r.Digest}
	}
	start := int64(i) * hashing.ChunkSize
	u := unit{start: start, end: start + min(hashing.ChunkSize, p.size-start), chunk: true, whole: p.size}
	if p.units() == 1 {
		u.digest = p.tree.Root[:]
	} else {
		u.digest = p.tree.Chunks[i][:]
	}
	return u
}

// find gives the unit that holds the byte at off, which is less than the size.
func (p *plan) find(off int64) int {
	if p.tree != nil {
		return int(off / hashing.ChunkSize)
	}
	return sort.Search(len(p.ranges), func(i int) bool { return off < p.ranges[i].End })
}

// largest is the length of the largest unit.
func (p *plan) largest() int64 {
	if p.tree != nil {
		return min(p.size, hashing.ChunkSize)
	}
	most := int64(0)
	for i := range p.ranges {
		most = max(most, p.ranges[i].End-p.ranges[i].Start)
	}
	return most
}

// proves says whether data are the bytes that the unit's digest vouches for.
func (u *unit) proves(data []byte) (bool, error) {
	d, err := u.digester()
	if err != nil || int64(len(data)) != u.end-u.start {
		return false, err
	}
	for at := 0; at < len(data); at += step {
		d.write(data[at:min(at+step, len(data))])
	}
	return d.proves(), nil
}

// match holds a digest of the unit's bytes against that which was signed.
func (p *plan) match(u *unit, sum []byte) error {
	if !bytes.Equal(sum, u.digest) {
		return p.mismatch(u)
	}
	return nil
}

// mismatch is the refusal of a unit.
func (p *plan) mismatch(u *unit) error {
	if u.start == 0 && u.end == p.size {
		return attest.Refuse(attest.OMSDigestMismatch, p.name, "its bytes are not those that were signed")
	}
	return attest.Refuse(attest.OMSDigestMismatch, p.name, "its bytes from %d to %d are not those that were signed", u.start, u.end)
}

// short is the refusal of a file that ends before the end that it had.
func (p *plan) short(u *unit) error {
	return attest.Refuse(attest.OMSFileChanged, p.name, "it was cut while it was read: it ends before byte %d", u.end)
}

func (p *plan) unreadable(err error) error { return fmt.Errorf("%s: %w", p.name, err) }
