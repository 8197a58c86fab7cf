package unpack

// lengths codes match lengths.
type lengths struct {
	choice [2]uint16
	low    [16][8]uint16
	mid    [16][8]uint16
	high   [256]uint16
}

func (l *lengths) decode(rc *rangeDecoder, posState uint32) uint32 {
	if rc.bit(&l.choice[0]) == 0 {
		return 2 + rc.tree(l.low[posState][:], 3)
	}
	if rc.bit(&l.choice[1]) == 0 {
		return 10 + rc.tree(l.mid[posState][:], 3)
	}
	return 18 + rc.tree(l.high[:], 8)
}

// probabilities are all that LZMA adapts, but for literals.
type probabilities struct {
	isMatch    [12][16]uint16
	isRep      [12]uint16
	isRep0     [12]uint16
	isRep1     [12]uint16
	isRep2     [12]uint16
	isRep0Long [12][16]uint16
	slot       [4][64]uint16
	special    [128]uint16
	align      [16]uint16
	length     lengths
	repLength  lengths
}

// lzmaState is the decoder of LZMA's symbols (7-Zip's LZMA specification) over
// a window.
type lzmaState struct {
	rc         rangeDecoder
	win        window
	lc, lp, pb uint
	state      uint32
	rep        [4]uint32
	pending    uint32 // bytes of the current match still to copy
	ended      bool   // the end marker came
	probs      probabilities
	literal    []uint16
}

// setProps takes the properties byte.
func (s *lzmaState) setProps(b byte) bool {
	if b >= 9*5*5 {
		return false
	}
	s.lc = uint(b % 9)
	b /= 9
	s.lp, s.pb = uint(b%5), uint(b/5)
	return true
}

// reset starts anew, but for the window.
func (s *lzmaState) reset() {
	s.state, s.rep, s.pending, s.ended = 0, [4]uint32{}, 0, false
	n := 0x300 << (s.lc + s.lp)
	if cap(s.literal) < n {
		s.literal = make([]uint16, n)
	}
	s.literal = s.literal[:n]
	fill(s.literal)
	p := &s.probs
	for i := range p.isMatch {
		fill(p.isMatch[i][:])
		fill(p.isRep0Long[i][:])
	}
	fill(p.isRep[:])
	fill(p.isRep0[:])
	fill(p.isRep1[:])
	fill(p.isRep2[:])
	for i := range p.slot {
		fill(p.slot[i][:])
	}
	fill(p.special[:])
	fill(p.align[:])
	p.length.reset()
	p.repLength.reset()
}

func (l *lengths) reset() {
	fill(l.choice[:])
	fill(l.high[:])
	for i := range l.low {
		fill(l.low[i][:])
		fill(l.mid[i][:])
	}
}

func fill(p []uint16) {
	for i := range p {
		p[i] = probInit
	}
}

// decode produces bytes until the window's position is limit, the end marker
// or a fault.
func (s *lzmaState) decode(limit int) error {
	w := &s.win
	if err := s.copyMatch(limit); err != nil {
		return err
	}
	for w.pos < limit && s.rc.err == nil {
		posState := uint32(w.total) & (1<<s.pb - 1)
		if s.rc.bit(&s.probs.isMatch[s.state][posState]) == 0 {
			s.decodeLiteral()
			continue
		}
		if s.rc.bit(&s.probs.isRep[s.state]) == 0 {
			s.decodeMatch(posState)
			if s.rep[0] == 0xffffffff {
				s.ended = s.rc.err == nil
				return s.rc.err
			}
		} else if !s.decodeRep(posState) {
			continue
		}
		if err := s.copyMatch(limit); err != nil {
			return err
		}
	}
	return s.rc.err
}

func (s *lzmaState) copyMatch(limit int) error {
	if s.pending == 0 || s.rc.err != nil {
		return s.rc.err
	}
	if int64(s.rep[0]) >= s.win.valid {
		return errLZMA
	}
	n := min(int(s.pending), limit-s.win.pos)
	s.win.copy(int(s.rep[0])+1, n)
	s.pending -= uint32(n)
	return nil
}

func (s *lzmaState) decodeLiteral() {
	w := &s.win
	prev := uint32(w.last())
	index := (uint32(w.total)&(1<<s.lp-1))<<s.lc + prev>>(8-s.lc)
	probs := s.literal[0x300*index : 0x300*index+0x300]
	symbol := uint32(1)
	if s.state >= 7 {
		if int64(s.rep[0]) >= w.valid {
			s.rc.err = errLZMA
			return
		}
		match := uint32(w.back(int(s.rep[0]) + 1))
		for symbol < 0x100 {
			matchBit := match >> 7 & 1
			match <<= 1
			b := s.rc.bit(&probs[(1+matchBit)<<8+symbol])
			symbol = symbol<<1 | b
			if matchBit != b {
				break
			}
		}
	}
	for symbol < 0x100 {
		symbol = symbol<<1 | s.rc.bit(&probs[symbol])
	}
	if s.rc.err != nil {
		return
	}
	w.put(byte(symbol))
	switch {
	case s.state < 4:
		s.state = 0
	case s.state < 10:
		s.state -= 3
	default:
		s.state -= 6
	}
}

// decodeMatch reads a match with a new distance.
func (s *lzmaState) decodeMatch(posState uint32) {
	s.rep[3], s.rep[2], s.rep[1] = s.rep[2], s.rep[1], s.rep[0]
	s.pending = s.probs.length.decode(&s.rc, posState)
	if s.state < 7 {
		s.state = 7
	} else {
		s.state = 10
	}
	slot := s.rc.tree(s.probs.slot[min(s.pending-2, 3)][:], 6)
	if slot < 4 {
		s.rep[0] = slot
		return
	}
	bits := uint(slot>>1 - 1)
	base := (2 | slot&1) << bits
	if slot < 14 {
		s.rep[0] = base + s.rc.treeReverse(s.probs.special[base-slot:], bits)
		return
	}
	base += s.rc.direct(bits-4) << 4
	s.rep[0] = base + s.rc.treeReverse(s.probs.align[:], 4)
	if s.rep[0] == 0xffffffff {
		s.pending = 0
	}
}

// decodeRep reads a match at an earlier distance; false says that it was a
// single byte, which is done.
func (s *lzmaState) decodeRep(posState uint32) bool {
	p := &s.probs
	if s.rc.bit(&p.isRep0[s.state]) == 0 {
		if s.rc.bit(&p.isRep0Long[s.state][posState]) == 0 {
			s.state = pick(s.state < 7, 9, 11)
			if int64(s.rep[0]) >= s.win.valid && s.rc.err == nil {
				s.rc.err = errLZMA
			}
			if s.rc.err != nil {
				return false
			}
			s.win.put(s.win.back(int(s.rep[0]) + 1))
			return false
		}
	} else {
		i := 3
		if s.rc.bit(&p.isRep1[s.state]) == 0 {
			i = 1
		} else if s.rc.bit(&p.isRep2[s.state]) == 0 {
			i = 2
		}
		d := s.rep[i]
		copy(s.rep[1:i+1], s.rep[:i])
		s.rep[0] = d
	}
	s.pending = p.repLength.decode(&s.rc, posState)
	s.state = pick(s.state < 7, 8, 11)
	return true
}

func pick(yes bool, a, b uint32) uint32 {
	if yes {
		return a
	}
	return b
}
