package container

import (
	"errors"
	"fmt"
	"io"

	"bartizan/detect/container/sevenz"
	"bartizan/detect/container/unpack"
	"bartizan/detect/input"
	"bartizan/finding"
)

func sevenzFormat() Format {
	return &kind{
		name: "7z", title: "7z archive", extensions: []string{".7z"},
		match: func(head, _ []byte, _ int64) bool { return len(head) >= 6 && string(head[:6]) == sevenz.Magic },
		walk:  walkSevenz,
	}
}

// walkSevenz visits the files of each folder in order, since what lies behind
// in a folder can be had only through what lies before.
func walkSevenz(w *walker) error {
	a, err := sevenz.Read(w.in.Blob, w.in.Budget)
	if err != nil && (a == nil || len(a.Files) == 0) {
		return w.sevenzFault(err)
	}
	if err != nil {
		if err := w.sevenzFault(err); err != nil {
			return err
		}
	}
	if a.BadSum {
		w.add(rule(ruleChecksum), 0, 32, finding.Medium, "the archive's header does not match its checksum",
			map[string]any{"member": "", "declared": "header checksum"})
	}
	var d sevenz.Decoder
	defer d.Close()
	s := &sevenzWalk{walker: w, a: a, d: &d, folder: -1}
	for i := range a.Files {
		if err := s.file(&a.Files[i]); err != nil {
			return ended(err)
		}
	}
	return ended(s.between())
}

// sevenzFault sorts why the headers could not be read.
func (w *walker) sevenzFault(err error) error {
	switch {
	case errors.Is(err, unpack.ErrRead):
		return fmt.Errorf("%s: 7z header: %w", w.in.Path, err)
	case errors.Is(err, unpack.ErrEncrypted):
		w.incomplete(CodeEncrypted, "", "header")
	case errors.Is(err, unpack.ErrMemory):
		w.incomplete(CodeMemory, "", err.Error())
	case errors.Is(err, unpack.ErrUnsupported):
		w.incomplete(CodeUnsupported, "", err.Error())
	case errors.Is(err, sevenz.ErrTruncated), errors.Is(err, io.ErrUnexpectedEOF):
		w.incomplete(CodeTruncated, "", err.Error())
	default:
		w.incomplete(CodeDamaged, "", err.Error())
	}
	return nil
}

// sevenzWalk goes through the folders.
type sevenzWalk struct {
	*walker
	a      *sevenz.Archive
	d      *sevenz.Decoder
	folder int
	r      io.Reader  // the open folder
	stored input.Blob // or its bytes in place
	plain  bool
	at     int64 // within the folder
	fault  error
}

func (s *sevenzWalk) file(f *sevenz.File) error {
	m := &Member{
		Name: f.Name, Size: f.Size, Packed: -1, Views: []string{ViewCentral}, crc: f.CRC, hasCRC: f.HasCRC,
	}
	switch mode := f.Attributes >> 16; {
	case f.Dir, f.Attributes&0x10 != 0 && !f.Stream:
		m.Kind = Dir
	case f.Attributes&0x8000 != 0 && mode&0xf000 == 0xa000, f.Attributes&0x400 != 0:
		m.Kind = Symlink
	}
	if !f.Stream {
		m.isStored = true
		return s.emit(m)
	}
	if f.Folder != s.folder {
		s.openFolder(f.Folder)
	}
	start := s.at
	s.at += f.Size
	if s.plain {
		m.isStored, m.stored = true, s.stored.Slice(start, f.Size)
		if m.stored.Size() < f.Size {
			s.incomplete(CodeTruncated, m.Name, "")
		}
	} else {
		s.solid(m, f)
	}
	if err := s.readLink(m); err != nil {
		return err
	}
	if err := s.emit(m); err != nil {
		return err
	}
	return s.skip(m)
}

// openFolder starts a folder. A fault is given by each of its files.
func (s *sevenzWalk) openFolder(i int) {
	f := &s.a.Folders[i]
	s.folder, s.at, s.fault, s.r = i, 0, nil, nil
	if s.stored, s.plain = s.a.Stored(f); s.plain {
		return
	}
	s.r, s.fault = s.d.Open(s.a, f)
}

// solid makes a member of the next bytes of the open folder.
func (s *sevenzWalk) solid(m *Member, f *sevenz.File) {
	folder := &s.a.Folders[f.Folder]
	m.Packed = folder.PackedSize()
	m.Encrypted = errors.Is(s.fault, unpack.ErrEncrypted)
	m.consumed = s.d.Consumed
	r, fault := s.r, s.fault
	m.open = func() (io.Reader, error) {
		if fault != nil {
			return nil, fault
		}
		return &exactly{r: r, left: f.Size}, nil
	}
	if fault == nil {
		return
	}
	m.w = s.walker
	if code := m.faultCode(fault); code != "" {
		s.incomplete(code, m.Name, fault.Error())
		m.open, m.done, m.cut = nil, true, true
	}
}

// skip goes over what the visit left of a member, so that the next one can be
// read: what is skipped costs the budget like what is read.
func (s *sevenzWalk) skip(m *Member) error {
	if s.plain || s.fault != nil {
		return nil
	}
	x := m.rest
	if x == nil {
		x = &exactly{r: s.r, left: m.Size}
	}
	p := make([]byte, 32<<10)
	for x.left > 0 {
		n, err := x.Read(p)
		if !s.in.Budget.Expand(int64(n)) {
			s.bomb(m, m.Size)
			s.incomplete(CodeExpand, m.Name, "skipping to the next member")
			s.fault = unpack.ErrMemory
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			s.fault = err
			if errors.Is(err, unpack.ErrRead) {
				return fmt.Errorf("%s!/%s: %w", s.in.Path, m.Label(), err)
			}
			return nil
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// exactly reads that many bytes; fewer are a cut stream.
type exactly struct {
	r    io.Reader
	left int64
}

func (x *exactly) Read(p []byte) (int, error) {
	if x.left <= 0 {
		return 0, io.EOF
	}
	n, err := x.r.Read(p[:min(int64(len(p)), x.left)])
	x.left -= int64(n)
	if err == io.EOF {
		if err = nil; x.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// between hands on bytes of the archive that no folder uses.
func (s *sevenzWalk) between() error {
	var used spans
	for _, r := range s.a.Packed {
		used.add(r[0], min(r[1], s.in.Blob.Size()))
	}
	for _, g := range used.gaps(0, s.a.End) {
		if err := s.strayUnlessZero(g[0], g[1]-g[0], ViewGap); err != nil {
			return err
		}
	}
	return s.trailing(s.a.End)
}
