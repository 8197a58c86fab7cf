package symbol

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
)

// The blob: magic, "sha256:<hex>" of all that follows it and a NUL, an index of
// (offset, length) for each section as little-endian uint32, the sections.
//
//	libraries, sources   lists of texts: count, then length and bytes of each
//	tops                 table: top-level package -> library, for derived files only
//	modules              table: module -> its entry's number
//	entries              8 bytes each: uint32 place of its table in symbols, uint16 library, uint16 effect of import
//	symbols              tables: name -> record number << 1, or (place of link in pool + 1) << 1 | 1
//	records              18 bytes each: kind, combinator, 4 uint16 effects, uint32 signatures, uint32 bases
//	signatures           uint32 each: a reference into the pool; a record counts from one, zero is no signature
//	pool                 lists of texts; a reference is its place + 1, zero is the empty list
//
// A table is its count, for each block of 16 keys a uint32 offset, then the
// blocks: the first key whole, the others as length shared with the one before,
// length and bytes of the rest; the value after each key. Numbers whose size is
// not given are unsigned varints.
const (
	magic      = "BTZSYM01"
	versionLen = len("sha256:") + 2*sha256.Size
	indexAt    = len(magic) + versionLen + 1
	headerSize = indexAt + 8*sections
	maxBlob    = 1 << 28
	blockSize  = 16
	entrySize  = 8
	recordSize = 18
)

const (
	secLibraries = iota
	secSources
	secTops
	secModules
	secEntries
	secSymbols
	secRecords
	secSignatures
	secPool
	sections
)

//go:embed symbols.bin
var builtin string

// DB is a set of symbols. It is immutable and safe for concurrent use.
type DB struct {
	version string
	parts   [sections]string
	parsed  []atomic.Pointer[[]Signature] // signatures that were asked for, each parsed once
}

// Builtin gives the embedded database. Nothing is parsed or copied: the cost is
// that of reading a header. Were the embedded data damaged, every module would
// be unknown.
func Builtin() *DB {
	db, err := open(builtin)
	if err != nil {
		return &DB{}
	}
	return db
}

// Open checks a blob that Compile made, its digest included, and gives the
// database in it. The blob is held, not copied.
func Open(blob string) (*DB, error) {
	db, err := open(blob)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(blob[indexAt:]))
	if got := "sha256:" + hex.EncodeToString(sum[:]); got != db.version {
		return nil, fmt.Errorf("symbols: content has digest %s, header says %s", got, db.version)
	}
	return db, nil
}

func open(blob string) (*DB, error) {
	if len(blob) < headerSize || len(blob) > maxBlob || !strings.HasPrefix(blob, magic) {
		return nil, fmt.Errorf("symbols: not a symbol database of this version")
	}
	db := &DB{version: blob[len(magic) : len(magic)+versionLen]}
	for i := range db.parts {
		off, _ := fixed32(blob, indexAt+8*i)
		size, _ := fixed32(blob, indexAt+8*i+4)
		if uint64(off)+uint64(size) > uint64(len(blob)) {
			return nil, fmt.Errorf("symbols: section %d ends outside the data", i)
		}
		db.parts[i] = blob[off : off+size]
	}
	db.parsed = make([]atomic.Pointer[[]Signature], len(db.parts[secSignatures])/4)
	return db, nil
}

// Version is the digest of the data, as text "sha256:…".
func (db *DB) Version() string { return db.version }

// Sources lists what the data was derived from, one "library version…" each.
func (db *DB) Sources() []string { return listAt(db.parts[secSources], 0) }

// entry is what the blob says of a module.
type entry struct {
	symbols  string // its table and what follows it
	library  uint16
	onImport Effect
}

func (db *DB) entry(module string) (entry, bool) {
	id, ok := find(db.parts[secModules], module)
	if !ok || id >= uint64(len(db.parts[secEntries])/entrySize) {
		return entry{}, false
	}
	s, at := db.parts[secEntries], int(id)*entrySize
	off, ok := fixed32(s, at)
	lib, ok2 := fixed16(s, at+4)
	imp, ok3 := fixed16(s, at+6)
	if !ok || !ok2 || !ok3 || uint64(off) > uint64(len(db.parts[secSymbols])) {
		return entry{}, false
	}
	return entry{db.parts[secSymbols][off:], lib, Effect(imp)}, true
}

// record is what the blob says of a symbol that is not a link.
type record struct {
	kind                    Kind
	combi                   Combinator
	call, new, state, items Effect
	sigs, bases             uint32
}

// undecided stands for a record that damaged data hides.
func undecided() record {
	return record{call: Undecided, new: Undecided, state: Undecided, items: Undecided}
}

func (db *DB) record(id uint64) record {
	s := db.parts[secRecords]
	if id >= uint64(len(s)/recordSize) {
		return undecided()
	}
	s = s[id*recordSize : (id+1)*recordSize]
	half := func(at int) Effect { return Effect(s[at]) | Effect(s[at+1])<<8 }
	r := record{kind: Kind(s[0]), combi: Combinator(s[1]),
		call: half(2), new: half(4), state: half(6), items: half(8)}
	r.sigs, _ = fixed32(s, 10)
	r.bases, _ = fixed32(s, 14)
	return r
}

// signatures gives those of a record. One that cannot be read is left out, and
// what it would have allowed is judged by the symbol's effects.
func (db *DB) signatures(id uint32) []Signature {
	if id == 0 || uint64(id) > uint64(len(db.parsed)) {
		return nil
	}
	memo := &db.parsed[id-1]
	if known := memo.Load(); known != nil {
		return *known
	}
	ref, _ := fixed32(db.parts[secSignatures], int(id-1)*4)
	var list []Signature
	for _, text := range db.texts(uint64(ref)) {
		if sig, err := ParseSignature(text); err == nil {
			list = append(list, sig)
		}
	}
	memo.Store(&list)
	return list
}

// texts gives the list at a reference into the pool.
func (db *DB) texts(ref uint64) []string {
	if ref == 0 || ref > uint64(len(db.parts[secPool])) {
		return nil
	}
	return listAt(db.parts[secPool], int(ref-1))
}

// text gives the first of them without making a list.
func (db *DB) text(ref uint64) string {
	if ref == 0 || ref > uint64(len(db.parts[secPool])) {
		return ""
	}
	s := db.parts[secPool][ref-1:]
	_, s, ok := uvarint(s)
	if !ok {
		return ""
	}
	first, _, _ := counted(s)
	return first
}

func listAt(s string, at int) []string {
	if at > len(s) {
		return nil
	}
	n, s, ok := uvarint(s[at:])
	if !ok || n > uint64(len(s)) {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		var text string
		if text, s, ok = counted(s); !ok {
			return list
		}
		list = append(list, text)
	}
	return list
}

// find looks a key up in the table at the start of s.
func find(s, key string) (uint64, bool) {
	count, s, ok := uvarint(s)
	if !ok || count == 0 || count > maxBlob {
		return 0, false
	}
	blocks := int((count + blockSize - 1) / blockSize)
	if len(s) < 4*blocks {
		return 0, false
	}
	index, data := s[:4*blocks], s[4*blocks:]
	b, ok := lastBlock(index, data, key)
	if !ok {
		return 0, false
	}
	n := min(int(count)-b*blockSize, blockSize)
	return findIn(blockAt(index, data, b), key, n)
}

func blockAt(index, data string, b int) string {
	off, ok := fixed32(index, 4*b)
	if !ok || uint64(off) > uint64(len(data)) {
		return ""
	}
	return data[off:]
}

// lastBlock finds the last block whose first key is not above key.
func lastBlock(index, data, key string) (int, bool) {
	lo, hi := 0, len(index)/4
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		head, _, ok := counted(blockAt(index, data, mid))
		if !ok {
			return 0, false
		}
		if head <= key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1, lo > 0
}

// findIn walks one block of n keys. match is how much of key the key just read
// shares with it; that key is always below key, or the walk ends.
func findIn(s, key string, n int) (uint64, bool) {
	head, s, ok := counted(s)
	if !ok {
		return 0, false
	}
	value, s, ok := uvarint(s)
	if !ok || head == key {
		return value, ok
	}
	match := commonPrefix(head, key)
	for range n - 1 {
		var shared uint64
		var rest string
		if shared, s, ok = uvarint(s); !ok {
			return 0, false
		}
		if rest, s, ok = counted(s); !ok {
			return 0, false
		}
		if value, s, ok = uvarint(s); !ok || shared < uint64(match) {
			return 0, false
		}
		if shared > uint64(match) {
			continue // differs from key where the one before did, so it is below it too
		}
		tail := key[match:]
		if rest == tail {
			return value, true
		}
		if rest > tail {
			return 0, false
		}
		match += commonPrefix(rest, tail)
	}
	return 0, false
}

// uvarint reads an unsigned varint and gives what follows it.
func uvarint(s string) (uint64, string, bool) {
	var v uint64
	for i := 0; i < len(s) && i < 10; i++ {
		c := s[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, s[i+1:], true
		}
	}
	return 0, "", false
}

// counted reads a length and that many bytes, and gives what follows them.
func counted(s string) (string, string, bool) {
	n, s, ok := uvarint(s)
	if !ok || n > uint64(len(s)) {
		return "", "", false
	}
	return s[:n], s[n:], true
}

func fixed32(s string, at int) (uint32, bool) {
	if at < 0 || at > len(s)-4 {
		return 0, false
	}
	return uint32(s[at]) | uint32(s[at+1])<<8 | uint32(s[at+2])<<16 | uint32(s[at+3])<<24, true
}

func fixed16(s string, at int) (uint16, bool) {
	if at < 0 || at > len(s)-2 {
		return 0, false
	}
	return uint16(s[at]) | uint16(s[at+1])<<8, true
}
