package pickle

import (
	"context"
	"errors"
	"path"
	"strings"
	"sync"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/symbol"
	"bartizan/detect/input"
	"bartizan/finding"
)

// Format recognises and scans pickle streams. It implements format.Format.
type Format struct {
	db        *symbol.DB
	decompile bool
	machines  sync.Pool
}

// New makes the format over the built-in symbol database.
func New(decompile bool) *Format {
	return &Format{db: symbol.Builtin(), decompile: decompile, machines: sync.Pool{New: func() any { return &machine{} }}}
}

// Name implements format.Format.
func (f *Format) Name() string { return "pickle" }

// Title implements format.Format.
func (f *Format) Title() string {
	return "Python pickle, protocols 0 to 5; joblib, torch legacy, dill, cloudpickle"
}

// Extensions implements format.Format.
func (f *Format) Extensions() []string {
	return []string{".pkl", ".pickle", ".p", ".pk", ".joblib", ".sav", ".dill", ".cloudpickle", ".pt", ".pth", ".bin", ".ckpt"}
}

// Rules implements format.Format.
func (f *Format) Rules() []finding.Rule { return Rules() }

// ownExtensions promise a pickle: their bytes are read as one unless another
// format's signature stands there.
var ownExtensions = map[string]bool{".pkl": true, ".pickle": true, ".p": true, ".pk": true, ".joblib": true, ".sav": true,
	".dill": true, ".cloudpickle": true, ".pt": true, ".pth": true, ".bin": true, ".ckpt": true}

// Match implements format.Format: a PROTO opcode, or bytes that run as a
// stream; a name that promises a pickle is believed where nothing else fits.
func (f *Format) Match(p *format.Probe) bool {
	h := p.Head
	switch {
	case p.Hint == "pickle":
		return true
	case p.Hint != "" || len(h) == 0:
		return false
	case len(h) > 1 && h[0] == opProto && h[1] <= HighestProtocol:
		return true
	case ownExtensions[path.Ext(p.Name)] && !foreign(h):
		return true
	case !canStart[h[0]] || len(h) < 2 || h[0] == opPersID:
		return false // a persistent id stops every plain loader, and a zip begins like one
	}
	return f.runs(p)
}

// runs says whether the head runs as a stream, to STOP or to the end of what is
// shown. Text that happens to run to a STOP must resolve something, or it stays text.
func (f *Format) runs(p *format.Probe) bool {
	r := probeStream(context.Background(), f.db, p.Head)
	if r.stream {
		return true
	}
	cut := int64(len(p.Head)) < p.Size
	switch {
	case !isText(p.Head) && r.stop && int64(r.end) == p.Size:
		return true
	case !cut:
		return false
	}
	return r.end > len(p.Head)-256 || r.wanted > len(p.Head) && int64(r.wanted) <= p.Size
}

func isText(h []byte) bool {
	for _, c := range h {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' {
			return false
		}
	}
	return true
}

// canStart are the opcodes that need nothing on the stack.
var canStart = func() (t [256]bool) {
	for _, c := range []byte{opMark, opFloat, opInt, opBinInt, opBinInt1, opLong, opBinInt2, opNone, opPersID, opString, opBinString,
		opShortBinString, opUnicode, opBinUnicode, opGlobal, opEmptyDict, opEmptyList, opEmptyTuple, opBinFloat, opProto,
		opExt1, opExt2, opExt4, opNewTrue, opNewFalse, opLong1, opLong4, opBinBytes, opShortBinBytes, opShortBinUnicode,
		opBinUnicode8, opBinBytes8, opEmptySet, opFrame, opByteArray8, opNextBuffer} {
		t[c] = true
	}
	return t
}()

// foreign says that bytes have the signature of a format that loaders of
// pickle files accept as well, or of one that no pickle loader reads.
func foreign(h []byte) bool {
	for _, magic := range []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08", "\x1f\x8b", "BZh", "\xfd7zXZ\x00", "7z\xbc\xaf\x27\x1c", "Rar!", "\x28\xb5\x2f\xfd",
		"\x04\x22\x4d\x18", "\x93NUMPY", "GGUF", "\x89HDF", "\x89PNG", "\x7fELF", "%PDF", "TFL3", "ZF", "CBM1", "tjgg", "SQLite format 3"} {
		if len(h) >= len(magic) && string(h[:len(magic)]) == magic {
			return true
		}
	}
	zlib := len(h) > 2 && h[0] == 0x78 && (int(h[0])<<8|int(h[1]))%31 == 0
	tar := len(h) > 262 && string(h[257:262]) == "ustar"
	tensors := len(h) > 9 && h[8] == '{' && h[7] == 0 && h[6] == 0
	return zlib || tar || tensors
}

// promised says that a loader takes the bytes for a pickle whatever they hold:
// by a hint, by the extension, or by a PROTO opcode.
func promised(a *format.Artifact, data []byte) bool {
	return a.Hint == "pickle" || ownExtensions[strings.ToLower(path.Ext(a.Name))] && !foreign(data) ||
		len(data) > 1 && data[0] == opProto && data[1] <= HighestProtocol
}

// memberLimit is how much of an unmapped artefact is read into memory.
const memberLimit = 24 << 20

// Scan implements format.Format.
func (f *Format) Scan(ctx context.Context, a *format.Artifact) error {
	data, err := a.Blob.Load(memberLimit)
	if errors.Is(err, input.ErrTooLarge) {
		a.Incomplete("memory-limit", "the file system cannot map the file, and it is too large to read")
		data, err = a.Blob.Head(memberLimit)
	}
	if err != nil {
		return err
	}
	m, ok := f.machines.Get().(*machine)
	if !ok {
		m = &machine{}
	}
	defer f.machines.Put(m)
	s := newScanner(ctx, a, m, f.db, nil)
	s.guessed = !promised(a, data)
	if f.decompile {
		s.listing = &listing{names: map[val]string{}}
	}
	err = s.scan(data)
	if s.listing != nil {
		a.Out.Listing(a.Path, s.listing.text())
	}
	m.data, m.events, m.forget = nil, nil, nil
	m.literal = literalSink{}
	return err
}
