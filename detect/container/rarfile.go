package container

import (
	"errors"
	"fmt"
	"io"

	"github.com/nwaples/rardecode/v2"

	"bartizan/detect/container/rar"
	"bartizan/detect/container/unpack"
)

func rarFormat() Format {
	return &kind{
		name: "rar", title: "RAR archive", extensions: []string{".rar"},
		match: func(head, _ []byte, _ int64) bool {
			return len(head) >= 8 && (string(head[:7]) == rar.Magic4 || string(head[:8]) == rar.Magic5)
		},
		walk: walkRar,
	}
}

func walkRar(w *walker) error {
	head, err := w.in.Blob.Head(8)
	if err != nil {
		return fmt.Errorf("%s: %w", w.in.Path, err)
	}
	if string(head) == rar.Magic5 {
		return (&rarWalk{walker: w, solid: rar.Solid(w.in.Blob)}).run()
	}
	return walkRar4(w)
}

// walkRar4 visits the members of an archive of the older format, block by block.
func walkRar4(w *walker) error {
	size := w.in.Blob.Size()
	for off := int64(len(rar.Magic4)); off < size; {
		b, err := rar.ReadBlock(w.in.Blob, off)
		if rar.IsEnd(err) {
			w.incomplete(CodeTruncated, "", fmt.Sprintf("block at %d", off))
			return nil
		}
		if errors.Is(err, rar.ErrHeader) {
			w.incomplete(CodeDamaged, "", fmt.Sprintf("block at %d", off))
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: rar block at %d: %w", w.in.Path, off, err)
		}
		if b.Locked {
			w.incomplete(CodeEncrypted, "", "headers")
			return nil
		}
		if b.File != nil {
			if err := w.rar4File(b.File); err != nil {
				return ended(err)
			}
		}
		off = b.Next
		if b.End {
			return ended(w.trailing(off))
		}
	}
	return nil
}

func (w *walker) rar4File(f *rar.File) error {
	m := &Member{
		Name: f.Name, Size: f.Size, Packed: f.Packed, Offset: f.Offset, Views: []string{ViewCentral},
		Encrypted: f.Encrypted, isStored: true, crc: f.CRC, hasCRC: f.Stored && !f.Encrypted && !f.Split,
	}
	switch {
	case f.Dir:
		m.Kind = Dir
		return w.emit(m)
	case f.Symlink:
		m.Kind = Symlink
	}
	switch {
	case f.Encrypted:
		w.incomplete(CodeEncrypted, m.Name, "")
	case !f.Stored:
		w.incomplete(CodeUnsupported, m.Name, "compression of RAR before 5")
	default:
		if f.Split {
			w.incomplete(CodeTruncated, m.Name, "goes on in another volume")
		}
		m.stored = w.in.Blob.Slice(f.DataAt, f.Packed)
		if m.stored.Size() < f.Packed {
			w.incomplete(CodeTruncated, m.Name, fmt.Sprintf("%d of %d bytes there", m.stored.Size(), f.Packed))
		}
	}
	if err := w.readLink(m); err != nil {
		return err
	}
	return w.emit(m)
}

// rarWalk is one walk over an archive of the newer format, which the library
// reads front to back.
type rarWalk struct {
	*walker
	solid  bool
	r      *rardecode.Reader
	window int64 // the largest that was asked for, which each member clears
}

// errLibrary is a panic of the library, made an error.
var errLibrary = errors.New("the rar decoder failed on these bytes")

func (t *rarWalk) run() error {
	hold := min(int64(unpack.MaxWindow), 4<<10*(t.in.Blob.Size()+1))
	if !t.in.Budget.Hold(hold) {
		t.incomplete(CodeMemory, "", "rar window")
		return nil
	}
	defer t.in.Budget.Release(hold)
	src := unpack.NewSource(t.in.Blob)
	var err error
	if t.r, err = t.open(src); err != nil {
		return t.fault(err)
	}
	for {
		h, err := t.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return t.fault(err)
		}
		if err := t.file(h, src); err != nil {
			return ended(err)
		}
	}
}

func (t *rarWalk) open(src *unpack.Source) (r *rardecode.Reader, err error) {
	defer func() {
		if recover() != nil {
			err = errLibrary
		}
	}()
	return rardecode.NewReader(src.Reader(), rardecode.MaxDictionarySize(unpack.MaxWindow))
}

func (t *rarWalk) next() (h *rardecode.FileHeader, err error) {
	defer func() {
		if recover() != nil {
			err = errLibrary
		}
	}()
	return t.r.Next()
}

// guarded reads a member and turns the library's faults and panics into those
// of package unpack.
type guarded struct{ r io.Reader }

func (g guarded) Read(p []byte) (n int, err error) {
	defer func() {
		if recover() != nil {
			n, err = 0, errLibrary
		}
	}()
	n, err = g.r.Read(p)
	return n, rarFault(err)
}

func rarFault(err error) error {
	switch {
	case errors.Is(err, rardecode.ErrDictionaryTooLarge):
		return fmt.Errorf("%w: %w", err, unpack.ErrMemory)
	case errors.Is(err, rardecode.ErrArchivedFileEncrypted), errors.Is(err, rardecode.ErrArchiveEncrypted):
		return unpack.ErrEncrypted
	case errors.Is(err, rardecode.ErrMultiVolume), errors.Is(err, rardecode.ErrUnexpectedArcEnd):
		return fmt.Errorf("%w: %w", err, io.ErrUnexpectedEOF)
	}
	return err
}

// fault records why the archive was not read to its end.
func (t *rarWalk) fault(err error) error {
	m := &Member{w: t.walker}
	err = rarFault(err)
	code := m.faultCode(err)
	if code == "" {
		return fmt.Errorf("%s: %w", t.in.Path, err)
	}
	t.incomplete(code, "", err.Error())
	return nil
}

func (t *rarWalk) file(h *rardecode.FileHeader, src *unpack.Source) error {
	m := &Member{
		Name: h.Name, Size: h.UnPackedSize, Packed: h.PackedSize, Views: []string{ViewCentral}, Encrypted: h.Encrypted,
	}
	if h.UnKnownSize {
		m.Size = -1
	}
	switch h.LinkType {
	case 1, 2, 3: // Unix symlink, Windows symlink, junction
		m.Kind, m.Link = Symlink, h.LinkTarget
	case 4:
		m.Kind, m.Link = Hardlink, h.LinkTarget
	}
	if h.IsDir {
		m.Kind = Dir
		m.isStored = true
		return t.emit(m)
	}
	if h.Encrypted {
		t.incomplete(CodeEncrypted, m.Name, "")
		m.isStored = true
		return t.emit(m)
	}
	t.window = max(t.window, min(h.UnPackedSize, unpack.MaxWindow))
	if !t.in.Budget.Work(t.window) {
		t.incomplete(CodeWork, m.Name, "")
		return errStop
	}
	start := src.Consumed()
	r := guarded{t.r}
	m.consumed = func() int64 { return src.Consumed() - start }
	m.open = func() (io.Reader, error) { return r, nil }
	if err := t.emit(m); err != nil {
		return err
	}
	if !t.solid {
		return nil
	}
	return t.drain(m, r)
}

// drain reads what the visit left of a member of a solid archive, which the
// library would do without a budget.
func (t *rarWalk) drain(m *Member, r io.Reader) error {
	p := make([]byte, 32<<10)
	for {
		n, err := r.Read(p)
		if !t.in.Budget.Expand(int64(n)) {
			t.bomb(m, max(m.Size, 0))
			t.incomplete(CodeExpand, m.Name, "skipping to the next member")
			return errStop
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			if err := t.fault(err); err != nil {
				return err
			}
			return errStop
		}
		if err := t.ctx.Err(); err != nil {
			return err
		}
	}
}
