package pickleasm

// Proto writes PROTO.
func (b *Builder) Proto(version byte) *Builder { return b.Op(PROTO).Raw(version) }

// Frame writes FRAME with the stated length alone; what follows need not be that long.
func (b *Builder) Frame(n uint64) *Builder { return b.Counted(FRAME, 8, n, nil) }

// Framed writes what body adds in one frame of the right length.
func (b *Builder) Framed(body func(*Builder)) *Builder { return b.FramedOff(0, body) }

// FramedOff writes what body adds in a frame whose stated length is off by delta bytes: shorter frames end inside
// what follows, longer ones reach beyond it. The C and the Python readers differ there (the C reader over bytes
// ignores the frame's end where the data is at hand, the Python one reads from the frame alone).
func (b *Builder) FramedOff(delta int64, body func(*Builder)) *Builder {
	inner := &Builder{memo: b.memo}
	body(inner)
	b.memo = inner.memo
	return b.Frame(uint64(int64(len(inner.buf)) + delta)).Raw(inner.buf...)
}
