package sevenz

import (
	"encoding/binary"
	"unicode/utf16"
)

// fileProps are the properties that matter here.
type fileProps struct {
	empty, emptyFile []bool
	names            []string
	attributes       []uint32
}

// files reads the list of files and joins it with the streams.
func (a *Archive) files(r *cursor, s *streams) error {
	n := r.count(maxFiles)
	if r.bad {
		return ErrHeader
	}
	var p fileProps
	for {
		id := r.number()
		if id == idEnd || r.bad {
			break
		}
		body := &cursor{p: r.bytes(r.number())}
		if r.bad {
			return ErrHeader
		}
		p.read(id, body, n)
	}
	if r.bad {
		return ErrHeader
	}
	return a.join(n, &p, s)
}

func (p *fileProps) read(id uint64, body *cursor, n int) {
	switch id {
	case idEmptyStream:
		p.empty = body.bitmap(n)
	case idEmptyFile:
		count := 0
		for _, e := range p.empty {
			if e {
				count++
			}
		}
		p.emptyFile = body.bitmap(count)
	case idNames:
		if body.byte() == 0 {
			p.names = readNames(body.p, n)
		}
	case idAttributes:
		has := body.defined(n)
		if body.byte() != 0 {
			return
		}
		p.attributes = make([]uint32, len(has))
		for i := range has {
			if has[i] {
				p.attributes[i] = body.uint32()
			}
		}
	}
}

// readNames reads n names of UTF-16, each with a zero behind it.
func readNames(p []byte, n int) []string {
	names := make([]string, 0, min(n, len(p)/2))
	var units []uint16
	for ; len(p) >= 2 && len(names) < n; p = p[2:] {
		u := binary.LittleEndian.Uint16(p)
		if u != 0 {
			units = append(units, u)
			continue
		}
		names = append(names, string(utf16.Decode(units)))
		units = units[:0]
	}
	return names
}

// join gives each file its place in a folder.
func (a *Archive) join(n int, p *fileProps, s *streams) error {
	folder, inFolder, stream, empties := 0, 0, 0, 0
	for i := range n {
		f := File{}
		if i < len(p.names) {
			f.Name = p.names[i]
		}
		if i < len(p.attributes) {
			f.Attributes = p.attributes[i]
		}
		if i < len(p.empty) && p.empty[i] {
			f.Dir = empties >= len(p.emptyFile) || !p.emptyFile[empties]
			empties++
			a.Files = append(a.Files, f)
			continue
		}
		for folder < len(s.folders) && inFolder >= s.folders[folder].Streams {
			folder, inFolder = folder+1, 0
		}
		if folder >= len(s.folders) || stream >= len(s.sizes) {
			return ErrHeader
		}
		f.Stream, f.Folder, f.Size = true, folder, s.sizes[stream]
		f.CRC, f.HasCRC = s.crcs[stream], s.hasCRC[stream]
		inFolder, stream = inFolder+1, stream+1
		a.Files = append(a.Files, f)
	}
	return nil
}
