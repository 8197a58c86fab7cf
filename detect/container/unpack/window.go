package unpack

import (
	"fmt"

	"bartizan/detect/input"
)

// window is the last bytes of what was decoded. It grows with the data to the
// size that the stream declares and turns into a ring there; a stream that
// needs more than MaxWindow ends in ErrMemory, whatever it declares.
type window struct {
	budget *input.Budget
	buf    []byte
	size   int64 // declared
	pos    int
	total  int64 // decoded since the start
	valid  int64 // bytes that distances may reach
	most   int64 // set where all that is decoded stays in buf, at most that many bytes
}

// errFull says that a linear window holds its most.
var errFull = fmt.Errorf("unpacks to more than its buffer: %w", ErrMemory)

// reset starts a stream with a declared window size.
func (w *window) reset(budget *input.Budget, size int64) {
	w.budget, w.size = budget, max(size, 4096)
	w.pos, w.total, w.valid, w.most = 0, 0, 0, 0
}

// forget makes what was decoded unreachable (LZMA2's dictionary reset).
func (w *window) forget() {
	if w.most == 0 {
		w.pos = 0
	}
	w.total, w.valid = 0, 0
}

// room makes sure that a byte can be put and gives how many can in a row.
func (w *window) room() (int, error) {
	if w.pos < len(w.buf) {
		return len(w.buf) - w.pos, nil
	}
	have := int64(len(w.buf))
	next := min(max(have*4, 64<<10), w.size, MaxWindow)
	switch {
	case w.most > 0:
		if next = min(max(have*4, 64<<10), w.most); next <= have {
			return 0, errFull
		}
	case have >= w.size:
		w.pos = 0
		return len(w.buf), nil
	case next <= have:
		return 0, ErrMemory
	}
	buf, ok := w.budget.LendMost(next, have)
	if !ok {
		return 0, ErrMemory
	}
	next = min(int64(cap(buf)), max(next, w.most))
	copy(buf[:next], w.buf)
	w.budget.GiveBack(w.buf)
	w.buf = buf[:next]
	return len(w.buf) - w.pos, nil
}

func (w *window) put(c byte) {
	w.buf[w.pos] = c
	w.pos++
	w.total++
	if w.valid < w.size {
		w.valid++
	}
}

func (w *window) last() byte {
	if w.valid == 0 {
		return 0
	}
	return w.back(1)
}

// back is the byte that many before the next.
func (w *window) back(distance int) byte {
	i := w.pos - distance
	if i < 0 {
		i += len(w.buf)
	}
	return w.buf[i]
}

// copy repeats n bytes from that far back; there must be room for them.
func (w *window) copy(distance, n int) {
	from := w.pos - distance
	if from < 0 {
		from += len(w.buf)
	}
	if from < w.pos && distance >= n {
		copy(w.buf[w.pos:w.pos+n], w.buf[from:from+n])
		w.pos += n
	} else {
		for range n {
			w.buf[w.pos] = w.buf[from]
			w.pos++
			if from++; from == len(w.buf) {
				from = 0
			}
		}
	}
	w.total += int64(n)
	w.valid = min(w.valid+int64(n), w.size)
}

// close gives the memory back.
func (w *window) close() {
	if w.buf != nil {
		w.budget.GiveBack(w.buf)
	}
	w.buf = nil
}
