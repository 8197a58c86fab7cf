package load

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"bartizan/attest"
)

// maxHeld bounds the pieces in memory where they are tiny.
const maxHeld = 64

// pieces are the verified parts of a file that are in memory.
type pieces struct {
	ctx    context.Context
	cancel context.CancelFunc
	src    *os.File
	plan   *plan
	budget int64
	window window
	slots  chan struct{} // batches that are being loaded

	loading sync.WaitGroup
	told    func(int64)

	mu     sync.Mutex
	held   map[int]*piece
	bytes  int64
	clock  uint64
	free   [][]byte
	broken error
}

// piece is one of them. data is set, and never written again, before done is
// closed.
type piece struct {
	index int
	start int64
	done  chan struct{}
	data  []byte
	err   error

	// Under the lock of pieces:
	users int
	used  uint64
	size  int64
}

func newPieces(ctx context.Context, src *os.File, p *plan, opt Options) *pieces {
	ctx, cancel := context.WithCancel(ctx)
	win := newWindow(p, opt.Workers)
	return &pieces{
		ctx: ctx, cancel: cancel, src: src, plan: p, told: opt.Progress,
		window: win, slots: make(chan struct{}, win.batches),
		// What is read ahead must not drive out itself, nor the piece in use.
		budget: max(opt.Cache, p.largest()*int64(win.depth)), held: map[int]*piece{},
	}
}

// get gives a verified piece, which the caller must release.
func (c *pieces) get(i int) (*piece, error) {
	p, mine, err := c.claim(i)
	if err != nil {
		return nil, err
	}
	if mine {
		c.settle(p, c.load(p))
	}
	<-p.done
	if p.err != nil {
		c.release(p)
		return nil, p.err
	}
	return p, nil
}

// claim gives piece i with one more user; mine says that the caller loads it.
func (c *pieces) claim(i int) (p *piece, mine bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = context.Cause(c.ctx)
	}
	if c.broken != nil {
		return nil, false, c.broken
	}
	c.clock++
	if p = c.held[i]; p == nil {
		u := c.plan.unit(i)
		p = &piece{index: i, start: u.start, size: u.end - u.start, done: make(chan struct{})}
		c.evict(p.size)
		c.held[i] = p
		c.bytes += p.size
		c.loading.Add(1)
		mine = true
	}
	p.users++
	p.used = c.clock
	return p, mine, nil
}

func (c *pieces) release(p *piece) {
	c.mu.Lock()
	p.users--
	c.mu.Unlock()
}

// done is release by somebody who has no more use for the piece: who goes
// through a file once leaves the memory, still in the processor's cache, to the
// pieces that come.
func (c *pieces) done(p *piece) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.users--; p.users == 0 && c.held[p.index] == p {
		c.drop(p)
	}
}

func (c *pieces) drop(p *piece) {
	delete(c.held, p.index)
	c.bytes -= p.size
	if len(c.free) < c.window.depth {
		c.free = append(c.free, p.data[:0])
	}
}

// evict drops what was used longest ago until size more bytes fit. Pieces in use
// stay: they are bounded by the number of readers.
func (c *pieces) evict(size int64) {
	for c.bytes+size > c.budget || len(c.held) >= maxHeld {
		var oldest *piece
		for _, p := range c.held {
			if p.users == 0 && (oldest == nil || p.used < oldest.used) {
				oldest = p
			}
		}
		if oldest == nil {
			return
		}
		c.drop(oldest)
	}
}

// load reads the piece's bytes once and verifies them where they then stay. Each
// step is digested while it is in the processor's cache.
func (c *pieces) load(p *piece) outcome {
	u := c.plan.unit(p.index)
	buf := c.buffer(p.size)
	return outcome{buf, c.read(&u, buf)}
}

func (c *pieces) read(u *unit, buf []byte) error {
	d, err := u.digester()
	if err != nil {
		return err
	}
	for at := 0; at < len(buf); at += step {
		part := cut(buf, at)
		if err := c.fill(u, part, at); err != nil {
			return err
		}
		d.write(part)
	}
	if !d.proves() {
		return c.plan.mismatch(u)
	}
	return nil
}

// cut is the step of buf that begins at so many bytes: empty after its end.
func cut(buf []byte, at int) []byte {
	return buf[min(at, len(buf)):min(at+step, len(buf))]
}

// fill reads a part that begins so many bytes after the start of the unit.
func (c *pieces) fill(u *unit, part []byte, at int) error {
	n, err := c.src.ReadAt(part, u.start+int64(at))
	switch {
	case n == len(part): // io.EOF together with all bytes is no error
		return nil
	case errors.Is(err, io.EOF):
		return c.plan.short(u)
	}
	return c.plan.unreadable(err)
}

// settle ends the loading of a piece: from here on others have its bytes.
func (c *pieces) settle(p *piece, o outcome) {
	if o.err != nil {
		c.fail(p, o.err)
	} else if p.data = o.data; c.told != nil {
		c.told(p.size)
	}
	close(p.done)
	c.loading.Done()
}

// fail keeps the first refusal for good: a file that was tampered with once is
// not asked again. Failures to read may pass.
func (c *pieces) fail(p *piece, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.err = err
	if len(attest.Refusals(err)) > 0 && c.broken == nil {
		c.broken = err
	}
	if c.held[p.index] == p {
		delete(c.held, p.index)
		c.bytes -= p.size
	}
}

// buffer gives private memory of that size. Its old content is overwritten
// whole, or the piece fails.
func (c *pieces) buffer(size int64) []byte {
	if b := c.used(size); b != nil {
		return b
	}
	return make([]byte, size) // not under the lock: it takes milliseconds to clear
}

// used gives memory that a piece left behind.
func (c *pieces) used(size int64) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.free) - 1; i >= 0; i-- { // the one that was used last
		if b := c.free[i]; int64(cap(b)) >= size {
			c.free = append(c.free[:i], c.free[i+1:]...)
			return b[:size]
		}
	}
	return nil
}

func (c *pieces) close() error {
	c.mu.Lock()
	if c.broken == nil {
		c.broken = ErrClosed
	}
	c.mu.Unlock()
	c.cancel()
	c.loading.Wait()
	return c.src.Close()
}
