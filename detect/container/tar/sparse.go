package tar

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"bartizan/detect/input"
)

// maxPieces bounds the map of one sparse member.
const maxPieces = 1 << 16

// ErrSparse is a sparse map that contradicts itself.
var ErrSparse = errors.New("sparse map is broken")

// Piece is a range of a sparse file that has data.
type Piece struct{ At, Size int64 }

// Sparse is a file with holes: its real size and the pieces stored in order.
type Sparse struct {
	Real   int64
	Pieces []Piece
	dataAt int64
	stored int64
}

// sparse finds the map in any of its forms: old GNU headers, pax 0.0, 0.1, 1.0.
func (e *Entry) sparse(b input.Blob, pax *records, get func(string) (string, bool)) error {
	if e.Type == TypeSparse {
		return e.oldGNU(b)
	}
	if pax == nil {
		return nil
	}
	if name, ok := get("GNU.sparse.name"); ok {
		e.rename(name)
	}
	if major, ok := get("GNU.sparse.major"); ok && major == "1" {
		return e.pax10(b, get)
	}
	realsize, ok := get("GNU.sparse.size")
	if !ok {
		return nil
	}
	s := &Sparse{dataAt: e.DataAt, stored: e.Size}
	if s.Real, ok = decimal(realsize); !ok {
		return ErrSparse
	}
	var numbers []string
	if m, ok := get("GNU.sparse.map"); ok {
		numbers = strings.SplitN(m, ",", 2*maxPieces+1)
	} else {
		for i, p := range pax.pairs {
			if want := [2]string{"GNU.sparse.offset", "GNU.sparse.numbytes"}[i%2]; p[0] != want {
				return ErrSparse
			}
			numbers = append(numbers, p[1])
		}
	}
	return e.setPieces(s, numbers)
}

// setPieces reads a list of offsets and sizes.
func (e *Entry) setPieces(s *Sparse, numbers []string) error {
	if len(numbers)%2 != 0 || len(numbers) > 2*maxPieces {
		return ErrSparse
	}
	for i := 0; i < len(numbers); i += 2 {
		at, ok1 := decimal(numbers[i])
		size, ok2 := decimal(numbers[i+1])
		if !ok1 || !ok2 {
			return ErrSparse
		}
		s.Pieces = append(s.Pieces, Piece{at, size})
	}
	return e.setSparse(s)
}

// setSparse checks that pieces rise, lie within the file and have their data.
func (e *Entry) setSparse(s *Sparse) error {
	end, sum := int64(0), int64(0)
	for _, p := range s.Pieces {
		if p.At < end || p.Size > s.Real-p.At || p.Size > s.stored-sum {
			return ErrSparse
		}
		end, sum = p.At+p.Size, sum+p.Size
	}
	e.Sparse = s
	return nil
}

// oldGNU reads the map in the header and in the extension blocks behind it.
func (e *Entry) oldGNU(b input.Blob) error {
	s := &Sparse{stored: e.Size}
	var ok bool
	if s.Real, ok = number(e.block[483:495]); !ok {
		return ErrSparse
	}
	p, n, more := e.block[386:], 4, e.block[482] != 0
	for {
		for i := range n {
			piece := p[i*24 : i*24+24]
			if piece[0] == 0 {
				break
			}
			at, ok1 := number(piece[:12])
			size, ok2 := number(piece[12:])
			if !ok1 || !ok2 || len(s.Pieces) >= maxPieces {
				return ErrSparse
			}
			s.Pieces = append(s.Pieces, Piece{at, size})
		}
		if !more {
			break
		}
		var err error
		if p, err = b.Bytes(e.DataAt, Block); err != nil {
			return err
		}
		e.DataAt += Block
		n, more = 21, p[504] != 0
	}
	s.dataAt = e.DataAt
	e.NextPlain = e.DataAt + round(e.Size)
	return e.setSparse(s)
}

// pax10 reads the map at the start of the data: decimal numbers, one a line.
func (e *Entry) pax10(b input.Blob, get func(string) (string, bool)) error {
	s := &Sparse{}
	v, _ := get("GNU.sparse.realsize")
	var ok bool
	if s.Real, ok = decimal(v); !ok {
		return ErrSparse
	}
	head, err := b.Slice(e.DataAt, e.Size).Head(min(e.Size, maxExtension))
	if err != nil {
		return err
	}
	line := func() (int64, bool) {
		i := bytes.IndexByte(head[:min(len(head), 24)], '\n')
		if i < 0 {
			return 0, false
		}
		n, err := strconv.ParseInt(string(head[:i]), 10, 64)
		head = head[i+1:]
		return n, err == nil && n >= 0
	}
	total := int64(len(head))
	count, ok := line()
	if !ok || count > maxPieces {
		return ErrSparse
	}
	for range count {
		at, ok1 := line()
		size, ok2 := line()
		if !ok1 || !ok2 {
			return ErrSparse
		}
		s.Pieces = append(s.Pieces, Piece{at, size})
	}
	used := round(total - int64(len(head)))
	s.dataAt, s.stored = e.DataAt+used, max(e.Size-used, 0)
	return e.setSparse(s)
}

// Stored is the blob of the pieces' data, in order without the holes.
func (s *Sparse) Stored(b input.Blob) input.Blob { return b.Slice(s.dataAt, s.stored) }

// Reader expands the holes.
func (s *Sparse) Reader(stored io.Reader) io.Reader {
	return &sparseReader{s: s, r: stored}
}

type sparseReader struct {
	s    *Sparse
	r    io.Reader
	at   int64
	next int
}

func (r *sparseReader) Read(p []byte) (int, error) {
	for r.next < len(r.s.Pieces) && r.at >= r.s.Pieces[r.next].At+r.s.Pieces[r.next].Size {
		r.next++
	}
	if r.at >= r.s.Real {
		return 0, io.EOF
	}
	if r.next == len(r.s.Pieces) {
		return r.hole(p, r.s.Real), nil
	}
	piece := r.s.Pieces[r.next]
	if r.at < piece.At {
		return r.hole(p, piece.At), nil
	}
	p = p[:min(int64(len(p)), piece.At+piece.Size-r.at)]
	n, err := r.r.Read(p)
	r.at += int64(n)
	if err == io.EOF && n == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return n, nil
}

func (r *sparseReader) hole(p []byte, end int64) int {
	n := min(int64(len(p)), end-r.at)
	clear(p[:n])
	r.at += n
	return int(n)
}
