package hashing

import (
	"errors"
	"hash"
	"sync"

	"golang.org/x/sys/unix"
)

// strand is a job while its bytes are read: an open file, a buffer, and the
// digests that are fed from it. It is used again for the next job.
type strand struct {
	*crew
	job  job
	fd   int
	at   int64 // offset of the next read
	live bool  // a job is under way

	data   []byte // what was read last
	buf    []byte
	stream hash.Hash // nil where there is none

	builder builder
	groups  [][32]byte
	one     [1][32]byte
	ring    ring
}

func newStrand(c *crew) *strand {
	f := &strand{crew: c}
	if c.stream != nil {
		f.stream = c.plan.stream()
	}
	return f
}

// begin opens the file of the job.
func (f *strand) begin(j job) error {
	f.job, f.at, f.data = j, j.start, nil
	fd, err := f.root.OpenEntry(*f.entry(j.unit))
	if err != nil {
		return err
	}
	f.fd, f.live = fd, true
	if f.buf == nil {
		f.buf = make([]byte, bufferSize)
	}
	if f.stream != nil {
		f.stream.Reset()
	}
	if f.plan.tree != nil {
		f.plan.tree(f)
	}
	return nil
}

// read takes the next buffer from the file; only the last one is not full.
// What was read before is digested by now.
func (f *strand) read() error {
	f.data = f.into()[:min(bufferSize, f.job.end-f.at)]
	if err := fill(f.fd, f.entry(f.job.unit).Name, f.data, f.at); err != nil {
		return err
	}
	f.at += int64(len(f.data))
	return nil
}

// into is where the next buffer goes.
func (f *strand) into() []byte {
	if f.plan.tree == nil || f.stream == nil {
		return f.buf
	}
	if f.builder.at == 0 && !f.ring.filling {
		f.ring.filling = f.idle.Load() > 0 && f.job.end-f.at >= ChunkSize
		f.ring.n = 0
	}
	if f.ring.filling {
		return f.ring.room()
	}
	return f.buf
}

// write feeds the buffer to the digests.
func (f *strand) write() {
	if !f.live {
		return
	}
	if f.stream != nil {
		f.stream.Write(f.data)
	}
	f.writeTree()
}

func (f *strand) writeTree() {
	if f.plan.tree != nil {
		if f.ring.filling {
			f.ring.add(f, len(f.data))
		} else {
			f.builder.write(f.data)
		}
	}
	f.tell(int64(len(f.data)))
}

// end gives the digests to the plan, if the file is still what it was.
func (f *strand) end() error {
	if f.plan.tree != nil {
		f.ring.wait()
		f.builder.end()
	}
	err := f.entry(f.job.unit).CheckFD(f.fd)
	if err == nil {
		f.done(f)
	}
	f.live = false
	return errors.Join(err, unix.Close(f.fd))
}

// abandon ends a job without digests.
func (f *strand) abandon() {
	f.ring.wait()
	f.ring.filling = false
	f.live = false
	_ = unix.Close(f.fd) // it was read, and failed already
}

// ring holds whole groups, so that a worker without a file can digest one while
// the next is read and streamed. It has no memory before there is such a worker.
type ring struct {
	slots   [3]slot
	slot    int
	n       int  // bytes in the slot
	filling bool // the group that is being read goes here
}

type slot struct {
	buf  []byte
	busy sync.WaitGroup
}

func (r *ring) room() []byte {
	s := &r.slots[r.slot]
	if r.n == 0 {
		s.busy.Wait()
		if s.buf == nil {
			s.buf = make([]byte, ChunkSize)
		}
	}
	return s.buf[r.n:]
}

// add counts what was read into the slot and hands it over once it is a group.
// Only whole groups come here.
func (r *ring) add(f *strand, n int) {
	if r.n += n; r.n < ChunkSize {
		return
	}
	s := &r.slots[r.slot]
	out, index := f.builder.skip()
	only := f.builder.only
	s.busy.Add(1)
	task := func() {
		defer s.busy.Done()
		*out = ChunkCV(s.buf, index, only)
	}
	select {
	case f.help <- task:
	default:
		task()
	}
	r.slot = (r.slot + 1) % len(r.slots)
	r.n, r.filling = 0, false
}

func (r *ring) wait() {
	for i := range r.slots {
		r.slots[i].busy.Wait()
	}
}
