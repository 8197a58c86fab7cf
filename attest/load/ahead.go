package load

import (
	"context"

	"bartizan/attest/hashing"
)

// maxAhead bounds the memory of what is read ahead, unless single pieces are
// larger: then it is three of them.
const maxAhead = 256 << 20

// window is how far a file that is read in order is read ahead. Pieces are loaded
// in batches, each by one goroutine: two SHA-256 pieces at once, which takes 1.2
// times as long as one, and so many small pieces that starting a goroutine for
// them does not show.
type window struct {
	batch   int // pieces of a batch
	batches int // that are loaded at a time
	depth   int // pieces that are loaded, wait for it, or are handed over
}

// slack is how much more than the batches in work (and two batches at the least) may
// be ready before it is asked for, so that no worker waits for whoever takes the
// bytes, nor for another one that was interrupted. More would drive the pieces out
// of the processor's cache before they are taken. Memory is taken as work begins.
const slack = 4 << 20

func newWindow(p *plan, workers int) window {
	most := max(p.largest(), 1)
	batch := max(1, (2*block)/most)
	if batch == 1 && p.lanes() == 2 && most <= maxAhead/4 {
		batch = 2
	}
	batch = min(batch, maxHeld/4)
	fit := max(3, min(maxAhead/(batch*most), maxHeld/batch)) // batches
	batches := min(int64(workers), fit-2)
	more := max(2, min(slack/(batch*most), fit-batches))
	return window{batch: int(batch), batches: int(batches), depth: int(batch * (batches + more))}
}

// lanes is how many pieces one goroutine digests at once.
func (p *plan) lanes() int {
	if p.units() > 0 && p.unit(0).pairs() {
		return 2
	}
	return 1
}

func (u unit) pairs() bool { return !u.chunk && u.algorithm == hashing.SHA256 }

// prefetch has piece i and those after it loaded in the background. i itself
// runs there too, so that the caller meets one that is on its way. Batches are
// whole: one that does not fit yet waits for the caller to move on.
func (c *pieces) prefetch(i int) {
	end := min(i+c.window.depth, c.plan.units())
	for j := i; j < end; {
		last := min(j+c.window.batch, c.plan.units())
		if last > end {
			return
		}
		batch, ok := c.claimNew(j, last)
		if !ok {
			return
		}
		if len(batch) == 0 {
			j++
			continue
		}
		j += len(batch)
		go c.loadBatch(batch)
	}
}

// claimNew claims the pieces from first to before last, up to the first one that
// somebody has claimed already. False means that there is no more to be had.
func (c *pieces) claimNew(first, last int) (batch []*piece, ok bool) {
	for j := first; j < last; j++ {
		p, mine, err := c.claim(j)
		if err != nil {
			c.abandon(batch, err)
			return nil, false
		}
		if !mine {
			c.release(p)
			break
		}
		batch = append(batch, p)
	}
	return batch, true
}

// abandon settles pieces that nobody will load.
func (c *pieces) abandon(batch []*piece, err error) {
	for _, p := range batch {
		c.settle(p, outcome{err: err})
		c.release(p)
	}
}

// outcome is what loading a piece came to: verified bytes, or why there are none.
type outcome struct {
	data []byte
	err  error
}

// loadBatch loads the pieces when it is its turn. The turn is passed on before
// the pieces are given out, so that whoever waits for them runs before the next
// batch does, and they are taken while they are in the processor's cache.
func (c *pieces) loadBatch(batch []*piece) {
	select {
	case c.slots <- struct{}{}:
	case <-c.ctx.Done():
		c.abandon(batch, context.Cause(c.ctx))
		return
	}
	loaded := c.loadEach(batch)
	<-c.slots
	for i, p := range batch {
		c.settle(p, loaded[i])
		c.release(p)
	}
}

// loadEach loads two pieces at once where that is faster.
func (c *pieces) loadEach(batch []*piece) []outcome {
	loaded := make([]outcome, len(batch))
	var pair *hashing.Pair
	for i := 0; i < len(batch); i++ {
		p := batch[i]
		if i+1 == len(batch) || !c.plan.unit(p.index).pairs() || !c.plan.unit(p.index+1).pairs() {
			loaded[i] = c.load(p)
			continue
		}
		if pair == nil {
			pair = hashing.NewPair()
		}
		loaded[i], loaded[i+1] = c.loadPair(pair, p, batch[i+1])
		i++
	}
	return loaded
}

// loadPair is load for two pieces of SHA-256. Where one cannot be read, the
// other is loaded on its own.
func (c *pieces) loadPair(pair *hashing.Pair, p, q *piece) (forP, forQ outcome) {
	u, v := c.plan.unit(p.index), c.plan.unit(q.index)
	a, b := c.buffer(p.size), c.buffer(q.size)
	pair.Reset()
	for at := 0; at < max(len(a), len(b)); at += step {
		partA, partB := cut(a, at), cut(b, at)
		if err := c.fill(&u, partA, at); err != nil {
			return outcome{err: err}, c.load(q)
		}
		if err := c.fill(&v, partB, at); err != nil {
			return c.load(p), outcome{err: err}
		}
		pair.Write(partA, partB)
	}
	first, second := pair.Sums()
	return outcome{a, c.plan.match(&u, first[:])}, outcome{b, c.plan.match(&v, second[:])}
}
