package sevenz

// Folder is a chain of coders over packed streams that gives one stream, in
// which one or more files lie one after another.
type Folder struct {
	coders  []coder
	binds   [][2]uint64 // input, output
	packed  []uint64    // inputs that are packed streams
	sizes   []int64     // of the outputs
	at      [][2]int64  // of the packed streams: offset and size
	CRC     uint32
	HasCRC  bool
	Streams int // files in it
}

type coder struct {
	id      uint64
	in, out uint64
	props   []byte
}

// Size is the length of what the folder unpacks to.
func (f *Folder) Size() int64 {
	if i := f.mainOutput(); i >= 0 {
		return f.sizes[i]
	}
	return 0
}

// mainOutput is the output that no coder reads.
func (f *Folder) mainOutput() int {
	for i := range f.sizes {
		bound := false
		for _, b := range f.binds {
			bound = bound || b[1] == uint64(i)
		}
		if !bound {
			return i
		}
	}
	return -1
}

// streams is what a StreamsInfo says.
type streams struct {
	folders []Folder
	sizes   []int64 // of the files, folder by folder
	crcs    []uint32
	hasCRC  []bool
}

func (a *Archive) streams(r *cursor) (streams, error) {
	var s streams
	var packs [][2]int64
	sub := false
	for {
		id := r.byte()
		if r.bad {
			return s, ErrHeader
		}
		switch id {
		case idEnd:
			if !sub {
				s.oneEach()
			}
			return s, nil
		case idPackInfo:
			packs = a.packInfo(r)
		case idUnpackInfo:
			if err := s.unpackInfo(r); err != nil {
				return s, err
			}
			if err := a.assign(s.folders, packs); err != nil {
				return s, err
			}
		case idSubStreams:
			sub = true
			if err := s.subStreams(r); err != nil {
				return s, err
			}
		default:
			return s, ErrHeader
		}
	}
}

// packInfo reads where the packed streams lie.
func (a *Archive) packInfo(r *cursor) [][2]int64 {
	at := headerLen + r.size()
	n := r.count(maxFiles)
	var packs [][2]int64
	for id := r.byte(); id != idEnd && !r.bad; id = r.byte() {
		switch id {
		case idSize:
			for range n {
				size := r.size()
				if r.bad || at > 1<<62-size {
					r.bad = true
					return nil
				}
				packs = append(packs, [2]int64{at, size})
				a.Packed = append(a.Packed, [2]int64{at, at + size})
				at += size
			}
		case idCRC:
			r.sums(n)
		default:
			r.bad = true
		}
	}
	return packs
}

// assign gives the folders their packed streams in order.
func (a *Archive) assign(folders []Folder, packs [][2]int64) error {
	for i := range folders {
		n := len(folders[i].packed)
		if n > len(packs) {
			return ErrHeader
		}
		folders[i].at, packs = packs[:n], packs[n:]
	}
	return nil
}

func (s *streams) unpackInfo(r *cursor) error {
	if r.byte() != idFolder {
		return ErrHeader
	}
	n := r.count(maxFiles)
	if r.byte() != 0 || r.bad { // folders elsewhere: nothing writes that
		return ErrHeader
	}
	for range n {
		f, err := readFolder(r)
		if err != nil {
			return err
		}
		s.folders = append(s.folders, f)
	}
	if r.byte() != idUnpackSize {
		return ErrHeader
	}
	for i := range s.folders {
		f := &s.folders[i]
		for range f.outputs() {
			f.sizes = append(f.sizes, r.size())
		}
	}
	for id := r.byte(); id != idEnd; id = r.byte() {
		if id != idCRC || r.bad {
			return ErrHeader
		}
		crc, has := r.sums(n)
		for i := range has {
			s.folders[i].CRC, s.folders[i].HasCRC = crc[i], has[i]
		}
	}
	if r.bad {
		return ErrHeader
	}
	return nil
}

func (f *Folder) outputs() (n uint64) {
	for _, c := range f.coders {
		n += c.out
	}
	return n
}

func readFolder(r *cursor) (Folder, error) {
	var f Folder
	n := r.count(maxCoders)
	var in, out uint64
	for range n {
		c, err := readCoder(r)
		if err != nil {
			return f, err
		}
		in, out = in+c.in, out+c.out
		f.coders = append(f.coders, c)
	}
	if r.bad || n == 0 || out == 0 || in > maxStreams || out > maxStreams || in+1 < out {
		return f, ErrHeader
	}
	bound := map[uint64]bool{}
	for range out - 1 {
		b := [2]uint64{r.number(), r.number()}
		if b[0] >= in || b[1] >= out {
			return f, ErrHeader
		}
		bound[b[0]] = true
		f.binds = append(f.binds, b)
	}
	packed := in - (out - 1)
	if packed == 1 {
		for i := range in {
			if !bound[i] {
				f.packed = append(f.packed, i)
				break
			}
		}
		if len(f.packed) == 0 {
			return f, ErrHeader
		}
		return f, nil
	}
	for range packed {
		f.packed = append(f.packed, r.number())
	}
	return f, nil
}

func readCoder(r *cursor) (coder, error) {
	flags := r.byte()
	c := coder{in: 1, out: 1}
	for _, b := range r.bytes(uint64(flags & 0xf)) {
		c.id = c.id<<8 | uint64(b)
	}
	if flags&0x10 != 0 {
		c.in, c.out = r.number(), r.number()
	}
	if flags&0x20 != 0 {
		n := r.number()
		if n > maxPropSize {
			return c, ErrHeader
		}
		c.props = r.bytes(n)
	}
	if r.bad || flags&0xc0 != 0 || flags&0xf > 8 || c.in > maxStreams || c.out > maxStreams {
		return c, ErrHeader
	}
	return c, nil
}

// oneEach makes each folder one file, as it is where nothing else is said.
func (s *streams) oneEach() {
	for i := range s.folders {
		f := &s.folders[i]
		f.Streams = 1
		s.sizes = append(s.sizes, f.Size())
		s.crcs = append(s.crcs, f.CRC)
		s.hasCRC = append(s.hasCRC, f.HasCRC)
	}
}

// subStreams reads which files lie in which folder.
func (s *streams) subStreams(r *cursor) error {
	for i := range s.folders {
		s.folders[i].Streams = 1
	}
	id := r.byte()
	if id == idNumUnpackStream {
		total := 0
		for i := range s.folders {
			s.folders[i].Streams = r.count(maxFiles)
			if total += s.folders[i].Streams; total > maxFiles || r.bad {
				return ErrHeader
			}
		}
		id = r.byte()
	}
	if err := s.subSizes(r, id == idSize); err != nil {
		return err
	}
	if id == idSize {
		id = r.byte()
	}
	s.crcs, s.hasCRC = make([]uint32, len(s.sizes)), make([]bool, len(s.sizes))
	unknown := s.known()
	for ; id != idEnd; id = r.byte() {
		if id != idCRC || r.bad {
			return ErrHeader
		}
		crc, has := r.sums(len(unknown))
		for i := range has {
			s.crcs[unknown[i]], s.hasCRC[unknown[i]] = crc[i], has[i]
		}
	}
	return nil
}

// subSizes reads all sizes but the last of each folder, which is what is left.
func (s *streams) subSizes(r *cursor, given bool) error {
	for i := range s.folders {
		f := &s.folders[i]
		left := f.Size()
		for j := range f.Streams {
			size := left
			if j < f.Streams-1 {
				if !given {
					return ErrHeader
				}
				size = r.size()
			}
			if size > left || r.bad {
				return ErrHeader
			}
			left -= size
			s.sizes = append(s.sizes, size)
		}
	}
	return nil
}

// known takes over checksums of folders with one file; it gives the files that
// have none yet.
func (s *streams) known() (unknown []int) {
	k := 0
	for i := range s.folders {
		f := &s.folders[i]
		for range f.Streams {
			if f.Streams == 1 && f.HasCRC {
				s.crcs[k], s.hasCRC[k] = f.CRC, true
			} else {
				unknown = append(unknown, k)
			}
			k++
		}
	}
	return unknown
}
